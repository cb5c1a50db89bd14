//! TypeScript definitions for the stock `socket.io-client`, made from the traits.
//!
//! The guide, with what each Rust type becomes, is `docs/typescript.md` in the repository. Not here: names and directions of types,
//! see `schema`; another document of the same description, see [`asyncapi`](crate::asyncapi).

mod events;
mod lower;
mod module;
mod schemas;
pub(crate) mod snapshot;
mod ty;

pub use crate::schema::{Error, Warning};

use crate::{
    contract::Namespace,
    describe::Describe,
    schema::{Model, Plan},
};
use schemars::JsonSchema;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// The TypeScript of one or several namespaces.
///
/// ```
/// use socketio::{events, namespace, typescript::Bindings};
///
/// #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
/// pub struct Message {
///     author: String,
///     text: String,
/// }
///
/// #[namespace("/chat", emits = ChatEvents, rename_all = "camelCase")]
/// pub trait Chat {
///     /// Posts a message.
///     #[event]
///     async fn say(&self, room: &str, text: &str) -> Result<u32, String>;
/// }
///
/// #[events(rename_all = "camelCase")]
/// pub trait ChatEvents {
///     #[event]
///     async fn new_message(&self, message: &Message);
/// }
///
/// let rendered = Bindings::new().namespace::<dyn Chat>().render()?;
/// assert!(rendered.warnings.is_empty());
/// assert!(rendered.text.ends_with(r#"
/// export interface Message {
///   author: string;
///   text: string;
/// }
///
/// export interface Chat {
///   /** Posts a message. */
///   say: (room: string, text: string, ack: (reply: Reply<number, string>) => void) => void;
/// }
///
/// export interface ChatEvents {
///   newMessage: (message: Message) => void;
/// }
///
/// /** `const socket: ChatSocket = io("/chat")` */
/// export type ChatSocket = Socket<ChatEvents, Chat>;
/// export type ChatPath = "/chat";
/// "#));
/// # Ok::<(), socketio::typescript::Error>(())
/// ```
///
/// In a project the file is committed, and a test compares it: [`check`](Self::check).
///
/// The output depends neither on the order of these calls nor on that of hash maps.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Bindings {
    plan: Plan,
    deny_warnings: bool,
}

/// A TypeScript module.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rendered {
    /// The text of the file.
    pub text: String,
    /// What deserves a look, sorted.
    pub warnings: BTreeSet<Warning>,
}

/// Several TypeScript modules.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RenderedModules {
    /// The texts of the files, by their names, such as `chat.gen.ts`.
    pub files: BTreeMap<String, String>,
    /// What deserves a look, sorted.
    pub warnings: BTreeSet<Warning>,
}

impl Bindings {
    /// Nothing yet.
    pub fn new() -> Self {
        Bindings::default()
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

    /// Gives a payload type another name in TypeScript: for types of other crates, and for two types with one name. Types of your own
    /// may as well say `#[schemars(rename = "..")]`.
    ///
    /// ```
    /// # use socketio::typescript::Bindings;
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
    /// # struct Point { x: f64 }
    /// #[socketio::namespace("/")]
    /// trait Map {
    ///     #[event]
    ///     async fn center(&self) -> Point;
    /// }
    /// let rendered = Bindings::new().namespace::<dyn Map>().rename::<Point>("LatLng").render()?;
    /// assert!(rendered.text.contains("center: (ack: (reply: LatLng) => void) => void;"));
    /// # Ok::<(), socketio::typescript::Error>(())
    /// ```
    pub fn rename<T: JsonSchema + ?Sized>(mut self, name: impl Into<String>) -> Self {
        self.plan.rename::<T>(name.into());
        self
    }

    /// Makes the checks fail if there is a [`Warning`]. Default: they are printed when a file is rewritten.
    pub fn deny_warnings(mut self) -> Self {
        self.deny_warnings = true;
        self
    }

    /// Everything in one module.
    ///
    /// # Errors
    /// A trait does not describe its types, or names collide.
    pub fn render(&self) -> Result<Rendered, Error> {
        let (text, warnings) = module::one(&self.model()?);
        Ok(Rendered { text, warnings })
    }

    /// A module for each namespace, named after its trait, and one with the types that they share, `types.gen.ts`.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub fn render_modules(&self) -> Result<RenderedModules, Error> {
        let (files, warnings) = module::several(&self.model()?);
        Ok(RenderedModules { files, warnings })
    }

    /// Compares a committed file with [`render`](Self::render); for a test. With `SOCKETIO_UPDATE=1` in the environment it rewrites
    /// the file instead.
    ///
    /// A relative path starts at the folder of the package that is tested, as cargo runs tests there.
    ///
    /// ```no_run
    /// # #[socketio::namespace("/chat")]
    /// # trait Chat {}
    /// #[test]
    /// fn typescript_is_current() {
    ///     socketio::typescript::Bindings::new().namespace::<dyn Chat>().check("web/src/socket.gen.ts");
    /// }
    /// ```
    ///
    /// # Panics
    /// The file is out of date, `render` fails, or there are warnings and they are [denied](Self::deny_warnings). The message says
    /// what to do.
    #[track_caller]
    pub fn check(&self, path: impl AsRef<Path>) {
        let Rendered { text, warnings } = ok(self.render());
        let update = snapshot::updating();
        self.report(&warnings, update);
        ok(snapshot::check(path.as_ref(), &text, update));
    }

    /// Compares a folder with [`render_modules`](Self::render_modules), as [`check`](Self::check) does with a file. Files of ours that
    /// should not be there any more count as out of date; others are not looked at.
    ///
    /// # Panics
    /// As [`check`](Self::check).
    #[track_caller]
    pub fn check_modules(&self, folder: impl AsRef<Path>) {
        let folder = folder.as_ref();
        let RenderedModules { files, warnings } = ok(self.render_modules());
        let update = snapshot::updating();
        self.report(&warnings, update);
        for (name, text) in &files {
            ok(snapshot::check(&folder.join(name), text, update));
        }
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let ours = entry.file_name().to_str().is_some_and(|name| name.ends_with(".gen.ts") && !files.contains_key(name))
                && fs::read_to_string(&path).is_ok_and(|text| text.starts_with(module::HEADER));
            if ours && update {
                ok(fs::remove_file(&path).map_err(|error| format!("cannot remove {}: {error}", path.display())));
            } else if ours {
                panic!("{} belongs to no namespace any more: run `SOCKETIO_UPDATE=1 cargo test` to remove it", path.display());
            }
        }
    }

    /// The same types as a JSON Schema document (2020-12), for front ends that validate what arrives.
    ///
    /// | where | what |
    /// |---|---|
    /// | `#/$defs/Message` | a type, by its name in TypeScript |
    /// | `#/events/ChatEvents/message/args` | the list of an event's arguments |
    /// | `#/events/ChatEvents/message/ack` | the value of its acknowledgement |
    /// | `#/auth/Chat` | the `auth` payload of a namespace |
    ///
    /// Binary data is no JSON: where it stands the schema is `{ "x-binary": true }`, a keyword that a validator has to be told about.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub fn render_schemas(&self) -> Result<String, Error> {
        Ok(schemas::document(&self.model()?))
    }

    /// Compares a committed file with [`render_schemas`](Self::render_schemas), as [`check`](Self::check) does.
    ///
    /// # Panics
    /// The file is out of date, or `render_schemas` fails. The message says what to do.
    #[track_caller]
    pub fn check_schemas(&self, path: impl AsRef<Path>) {
        ok(snapshot::check(path.as_ref(), &ok(self.render_schemas()), snapshot::updating()));
    }

    fn model(&self) -> Result<Model, Error> {
        Model::new(&self.plan, Describe::default())
    }

    #[track_caller]
    fn report(&self, warnings: &BTreeSet<Warning>, update: bool) {
        let text = warnings.iter().map(|warning| format!("warning: {warning}")).collect::<Vec<_>>().join("\n");
        assert!(!self.deny_warnings || text.is_empty(), "there are warnings, which are denied\n{text}");
        if update && !text.is_empty() {
            snapshot::say(&text);
        }
    }
}

/// What a failing test says.
#[track_caller]
fn ok<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}

#[cfg(test)]
mod tests;
