//! An AsyncAPI 3 document of namespaces: for portals, and for generators of clients in other languages.
//!
//! ```text
//! namespace -> channel      its path, its documentation, its messages
//! event     -> operation    `receive` if the server handles it, `send` if it emits it; `reply` if it is acknowledged
//!              message      the arguments behind the event's name, as in the packet; those of the acknowledgement
//! auth      -> operation    `receive`, with the payload of CONNECT
//! type      -> schema       draft 07, which is the default of AsyncAPI
//! ```
//!
//! Not here: the model, see `schema`; TypeScript, see [`typescript`](crate::typescript).

use crate::{
    contract::Namespace,
    describe::{AckSpec, ArgKind, Describe, EventSpec},
    schema::{self, Contract, Model, Plan, for_each_mut, sorted},
    typescript::{Error, snapshot},
};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};
use std::path::Path;

/// A document about one or several namespaces.
///
/// ```
/// use axum::{Router, http::header::CONTENT_TYPE, routing::get};
/// use socketio::asyncapi::Document;
///
/// #[socketio::namespace("/chat")]
/// trait Chat {
///     /// Posts a message.
///     #[event]
///     async fn say(&self, text: &str) -> Result<u32, String>;
/// }
///
/// let text = Document::new("Chat", "1.0.0").namespace::<dyn Chat>().render()?;
/// assert!(text.contains(r#""asyncapi": "3.0.0""#));
///
/// // One route serves it.
/// let app: Router = Router::new().route("/asyncapi.json", get(async || ([(CONTENT_TYPE, "application/json")], text)));
/// # Ok::<(), socketio::typescript::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Document {
    plan: Plan,
    info: Map<String, Value>,
    servers: Map<String, Value>,
}

impl Document {
    /// A document about nothing yet: what it is called, and the version of what it describes.
    pub fn new(title: impl Into<String>, version: impl Into<String>) -> Self {
        let (title, version) = (title.into().into(), version.into().into());
        let info = [("title".to_owned(), title), ("version".to_owned(), version)].into_iter().collect();
        Document { plan: Plan::default(), info, servers: Map::new() }
    }

    /// Says what all of it is about, in Markdown. Default: nothing.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.info.insert("description".to_owned(), text.into().into());
        self
    }

    /// Adds a server under a name of letters, digits, `_` and `-`: its host with its port, such as `chat.example.com`, and the path
    /// of Socket.IO there, such as `/socket.io`. Default: none is named.
    pub fn server(mut self, name: impl Into<String>, host: impl Into<String>, path: impl Into<String>) -> Self {
        let (host, path): (String, String) = (host.into(), path.into());
        self.servers.insert(name.into(), json!({ "host": host, "pathname": path, "protocol": "socket.io" }));
        self
    }

    /// Adds a namespace, with what it emits.
    pub fn namespace<N: Namespace + ?Sized>(mut self) -> Self {
        self.plan.namespace::<N>();
        self
    }

    /// Adds a type that the server sends and no event mentions, such as the data of a `ConnectError`.
    pub fn include<T: JsonSchema + ?Sized>(mut self) -> Self {
        self.plan.include::<T>();
        self
    }

    /// Gives a payload type another name.
    pub fn rename<T: JsonSchema + ?Sized>(mut self, name: impl Into<String>) -> Self {
        self.plan.rename::<T>(name.into());
        self
    }

    /// The document as JSON text.
    ///
    /// # Errors
    /// A trait does not describe its types, or names collide.
    pub fn render(&self) -> Result<String, Error> {
        let model = Model::new(&self.plan, Describe::new(&SchemaSettings::draft07()))?;
        Ok(format!("{:#}\n", sorted(self.value(&model))))
    }

    /// Compares a committed file with [`render`](Self::render); for a test. With `SOCKETIO_UPDATE=1` in the environment it rewrites
    /// the file instead.
    ///
    /// # Panics
    /// The file is out of date, or `render` fails. The message says what to do.
    #[track_caller]
    pub fn check(&self, path: impl AsRef<Path>) {
        let compared = self.render().map_err(|error| error.to_string());
        if let Err(message) = compared.and_then(|text| snapshot::check(path.as_ref(), &text, snapshot::updating())) {
            panic!("{message}");
        }
    }

    fn value(&self, model: &Model) -> Value {
        let mut parts = Parts::default();
        for namespace in &model.namespaces {
            parts.namespace(model, namespace);
        }
        let schemas: Map<String, Value> = model.types.iter().map(|(name, def)| (key(name), located(&def.schema))).collect();
        let mut document = json!({
            "asyncapi": "3.0.0",
            "info": self.info,
            "defaultContentType": "application/json",
            "channels": parts.channels,
            "operations": parts.operations,
            "components": { "schemas": schemas },
        });
        if !self.servers.is_empty() {
            document["servers"] = self.servers.clone().into();
        }
        document
    }
}

/// What grows with every namespace.
#[derive(Default)]
struct Parts {
    channels: Map<String, Value>,
    operations: Map<String, Value>,
}

impl Parts {
    fn namespace(&mut self, model: &Model, namespace: &schema::Namespace) {
        let channel = key(&namespace.name);
        let mut messages = Map::new();
        if let Some(auth) = &namespace.auth {
            let message = json!({ "name": "connect", "title": "CONNECT, with the `auth` payload", "payload": located(auth) });
            messages.insert("connect".to_owned(), message);
            let operation = operation("receive", &channel, "connect", "Connects to the namespace.");
            self.operations.insert(format!("{channel}.connect"), operation);
        }
        let named = |name: &str| model.contracts.iter().find(|contract| contract.name == name);
        let contracts = [Some(&namespace.handles), namespace.emits.as_ref()].into_iter().flatten().filter_map(|name| named(name));
        for contract in contracts {
            for event in &contract.events {
                self.event(&channel, &mut messages, contract, event);
            }
        }
        let parameters = namespace.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let parameters: Map<String, Value> = parameters.map(|name| (name.to_owned(), json!({}))).collect();
        let mut described = json!({ "address": namespace.path, "title": namespace.name, "messages": messages });
        if !parameters.is_empty() {
            described["parameters"] = parameters.into();
        }
        describe(&mut described, namespace.docs);
        self.channels.insert(channel, described);
    }

    fn event(&mut self, channel: &str, messages: &mut Map<String, Value>, contract: &Contract, event: &EventSpec) {
        let action = if contract.emitted { "send" } else { "receive" };
        let mut id = format!("{action}.{}", key(event.name));
        while messages.contains_key(&id) {
            id.push('_');
        }
        let mut message = json!({ "name": event.name, "payload": arguments(event) });
        describe(&mut message, event.docs);
        messages.insert(id.clone(), message);
        let mut operation = operation(action, channel, &id, event.docs);
        if let Some(note) = event.deprecated {
            operation["x-deprecated"] = if note.is_empty() { true.into() } else { note.into() };
        }
        if event.volatile {
            operation["x-volatile"] = true.into();
        }
        if let Some(payload) = acknowledgement(&event.ack) {
            let reply = format!("{id}.ack");
            let title = format!("Acknowledgement of `{}`", event.name);
            messages.insert(reply.clone(), json!({ "name": event.name, "title": title, "payload": payload }));
            operation["reply"] = json!({ "channel": at_channel(channel), "messages": [at_message(channel, &reply)] });
        }
        self.operations.insert(format!("{channel}.{id}"), operation);
    }
}

fn operation(action: &str, channel: &str, message: &str, docs: &str) -> Value {
    let mut operation = json!({ "action": action, "channel": at_channel(channel), "messages": [at_message(channel, message)] });
    describe(&mut operation, docs);
    operation
}

fn at_channel(channel: &str) -> Value {
    json!({ "$ref": format!("#/channels/{channel}") })
}

fn at_message(channel: &str, message: &str) -> Value {
    json!({ "$ref": format!("#/channels/{channel}/messages/{message}") })
}

/// The first line is the summary, all of it the description.
fn describe(value: &mut Value, docs: &str) {
    let docs = docs.trim();
    if let Some(summary) = docs.lines().next() {
        value["summary"] = summary.trim().into();
        value["description"] = docs.into();
    }
}

/// An event as the packet has it: a list that begins with its name.
fn arguments(event: &EventSpec) -> Value {
    let mut items = vec![json!({ "const": event.name })];
    let mut rest = Value::Bool(false);
    let mut required = 1;
    for arg in &event.args {
        let schema = located(arg.schema.as_value());
        match arg.kind {
            ArgKind::Required => {
                required += 1;
                items.push(titled(schema, arg.name));
            }
            ArgKind::Optional => items.push(titled(json!({ "anyOf": [schema, { "type": "null" }] }), arg.name)),
            ArgKind::Rest => rest = titled(schema, arg.name),
        }
    }
    json!({ "type": "array", "items": items, "minItems": required, "additionalItems": rest })
}

/// A schema that says what the argument is called. In draft 07 nothing may stand beside a reference.
fn titled(schema: Value, title: &str) -> Value {
    match schema {
        Value::Object(mut map) if !map.contains_key("$ref") => {
            map.insert("title".to_owned(), title.into());
            Value::Object(map)
        }
        schema => json!({ "allOf": [schema], "title": title }),
    }
}

/// The arguments of an acknowledgement.
fn acknowledgement(ack: &AckSpec) -> Option<Value> {
    let one = |schema: Value| json!({ "type": "array", "items": [schema], "minItems": 1, "additionalItems": false });
    let variant = |ok: bool, name: &str, schema: &schemars::Schema| {
        let properties = json!({ "ok": { "const": ok }, name: located(schema.as_value()) });
        json!({ "type": "object", "properties": properties, "required": ["ok", name] })
    };
    Some(match ack {
        AckSpec::None => return None,
        AckSpec::Empty => json!({ "type": "array", "maxItems": 0 }),
        AckSpec::Value(value) => one(located(value.as_value())),
        AckSpec::Result(data, error) => one(json!({ "oneOf": [variant(true, "data", data), variant(false, "error", error)] })),
    })
}

/// A schema whose references point to where schemas stand in this document.
fn located(schema: &Value) -> Value {
    let mut schema = schema.clone();
    for_each_mut(&mut schema, &mut |schema| {
        if let Value::Object(map) = schema
            && let Some(name) = schema::reference(map)
        {
            map.insert("$ref".to_owned(), format!("#/components/schemas/{}", key(&name)).into());
        }
    });
    schema
}

/// A name that AsyncAPI takes for a key.
fn key(name: &str) -> String {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    name.chars().map(|c| if legal(c) { c } else { '_' }).collect()
}
