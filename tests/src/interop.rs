//! The interop fixture: a server of a cluster, with others of this crate or of Node, that does to all of them what its clients say.
//!
//! Its events have names and arguments of any kind, so it uses the untyped escape hatch.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use socketio::{
    AckData, Body, Broadcast, CallError, ConnectError, FetchError, Incoming, NamespaceHandle, Outcome, Raw, RawArgs, Recovery,
    RemoteSocket, Service, Socket, SocketIo, Untyped,
    adapter::{Adapter, Redis, RedisError, StreamOptions, SubscriptionMode},
    admin::Admin,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// "changeit".
const HASH: &str = "$2b$10$heqvAkYMez.Va6Et2uXInOnkCT6/uQj1brkrbyG3LpopDklcq7ZOS";

/// What the environment says.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// `REDIS_URL`.
    pub redis: String,
    /// `ADAPTER`: `redis`, `sharded` or `streams`.
    pub adapter: String,
    /// `SUBSCRIPTION_MODE`: `static`, `dynamic` or `dynamic-private`.
    pub mode: String,
    /// `PREFIX`.
    pub prefix: Option<String>,
    /// `SPECIFIC_RESPONSE`.
    pub specific_response: bool,
    /// `CSR`.
    pub recovery: bool,
    /// `SERVER_NAME`.
    pub name: String,
    /// `ADMIN`: `none` or `basic`.
    pub admin: Option<String>,
    /// `ADMIN_MODE` is `production`.
    pub admin_production: bool,
    /// `ADMIN_READONLY`.
    pub admin_read_only: bool,
}

impl Settings {
    /// Reads the environment.
    pub fn from_env() -> Self {
        let var = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Settings {
            redis: var("REDIS_URL").unwrap_or_default(),
            adapter: var("ADAPTER").unwrap_or_else(|| "redis".to_owned()),
            mode: var("SUBSCRIPTION_MODE").unwrap_or_else(|| "dynamic".to_owned()),
            prefix: var("PREFIX"),
            specific_response: var("SPECIFIC_RESPONSE").as_deref() == Some("1"),
            recovery: var("CSR").as_deref() == Some("1"),
            name: var("SERVER_NAME").unwrap_or_else(|| "rust".to_owned()),
            admin: var("ADMIN"),
            admin_production: var("ADMIN_MODE").as_deref() == Some("production"),
            admin_read_only: var("ADMIN_READONLY").as_deref() == Some("1"),
        }
    }

    /// The adapter, connected.
    ///
    /// # Errors
    /// Redis cannot be reached.
    pub async fn connect(&self) -> Result<Redis, RedisError> {
        let prefix = self.prefix.as_deref().unwrap_or("socket.io");
        let builder = Redis::builder(&self.redis).key(prefix);
        let builder = match self.adapter.as_str() {
            "sharded" => builder.sharded(match self.mode.as_str() {
                "static" => SubscriptionMode::Static,
                "dynamic-private" => SubscriptionMode::DynamicPrivate,
                _ => SubscriptionMode::Dynamic,
            }),
            "streams" => builder.streams(StreamOptions::new().name(prefix)),
            _ => builder.specific_response_channel(self.specific_response),
        };
        builder.connect().await
    }
}

/// What the handlers of one server share.
struct Shared {
    name: String,
    /// Set once the server is built.
    io: OnceLock<SocketIo>,
    /// What other servers have noted.
    notes: Mutex<Vec<Raw>>,
}

/// The server.
pub fn server(settings: &Settings, adapter: impl Adapter) -> SocketIo {
    let shared = Arc::new(Shared { name: settings.name.clone(), io: OnceLock::new(), notes: Mutex::default() });
    let state = Arc::clone(&shared);
    let connect = move |socket: Socket<Untyped>| {
        let app = App { socket, shared: Arc::clone(&state) };
        async move {
            app.welcome()?;
            Ok::<_, ConnectError>(app)
        }
    };
    let others = |shared: &Arc<Shared>| {
        let shared = Arc::clone(shared);
        move |namespace| Others { namespace, shared: Arc::clone(&shared) }
    };
    let mut builder = SocketIo::builder()
        .adapter(adapter)
        .client_address(|parts| Some(parts.extensions.get::<axum::extract::ConnectInfo<std::net::SocketAddr>>()?.0.ip()))
        .namespace_at::<Untyped, _>("/", connect.clone())
        .namespace_at::<Untyped, _>("/chat", connect)
        .cluster_events_at::<Untyped, _>("/", others(&shared))
        .cluster_events_at::<Untyped, _>("/chat", others(&shared));
    if settings.recovery {
        builder = builder.connection_state_recovery(Recovery::new().max_disconnection(Duration::from_secs(30)));
    }
    let admin = match settings.admin.as_deref() {
        Some("none") => Some(Admin::without_auth()),
        Some("basic") => Some(Admin::basic_auth("admin", HASH)),
        _ => None,
    };
    if let Some(admin) = admin {
        let admin = admin.server_id(&settings.name).production(settings.admin_production).read_only(settings.admin_read_only);
        builder = builder.cors(socketio::Cors::new().mirror_origin().allow_credentials(true)).admin(admin);
    }
    let io = builder.build();
    // Nobody else sets it.
    let _ = shared.io.set(io.clone());
    io
}

/// Handles what other servers emit.
struct Others {
    namespace: NamespaceHandle<Untyped>,
    shared: Arc<Shared>,
}

impl Service for Others {
    async fn event(self: Arc<Self>, event: Incoming) -> Outcome {
        let args = event.raw_args();
        match event.name() {
            "sse-note" => {
                let Ok(path) = Raw::new(self.namespace.path()) else { return Outcome::Unhandled(event) };
                let values = (0..args.len()).filter_map(|index| args.get(index).ok());
                let note: Vec<Raw> = std::iter::once(path).chain(values).collect();
                let Ok(note) = Raw::new(&note) else { return Outcome::Unhandled(event) };
                self.shared.notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
                Outcome::Done(None)
            }
            "sse-ask" => {
                let x: Option<Raw> = args.get(0).ok();
                ack(&Asked { from: &self.shared.name, x }).unwrap_or(Outcome::Answered)
            }
            "sse-silent" => Outcome::Answered,
            _ => Outcome::Unhandled(event),
        }
    }
}

#[derive(Serialize)]
struct Asked<'a> {
    from: &'a str,
    x: Option<Raw>,
}

/// Which clients.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Target {
    rooms: Vec<String>,
    except: Vec<String>,
    nsp: Option<String>,
    flags: Flags,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Flags {
    volatile: bool,
    local: bool,
    compress: Option<bool>,
}

impl Target {
    fn narrow(self, mut to: Broadcast<Untyped>) -> Broadcast<Untyped> {
        to = self.rooms.into_iter().fold(to, Broadcast::to);
        to = self.except.into_iter().fold(to, Broadcast::except);
        if self.flags.volatile {
            to = to.volatile();
        }
        if self.flags.local {
            to = to.local();
        }
        match self.flags.compress {
            Some(compress) => to.compress(compress),
            None => to,
        }
    }
}

/// One client.
struct App {
    socket: Socket<Untyped>,
    shared: Arc<Shared>,
}

impl Service for App {
    async fn event(self: Arc<Self>, event: Incoming) -> Outcome {
        if let Err(rejection) = event.validate() {
            return Outcome::Rejected(rejection);
        }
        let done = self.handle(&event).await;
        // Arguments that the fixture does not expect are ignored, as a JavaScript handler ignores them.
        done.unwrap_or(Outcome::Unhandled(event))
    }
}

fn ack<T: Serialize>(value: &T) -> Option<Outcome> {
    Body::ack(&(value,)).ok().map(|body| Outcome::Done(Some(body)))
}

/// What the elements of the argument at this index are as arguments of an event.
fn event_of(args: RawArgs<'_>, name: usize) -> Option<Body> {
    let (event, values): (String, Vec<Raw>) = (args.get(name).ok()?, args.get(name + 1).unwrap_or_default());
    Body::event(&event, &values).ok()
}

/// The first argument of an acknowledgement.
fn response(data: &AckData) -> Option<Raw> {
    if data.raw_args().is_empty() { Raw::new(&()).ok() } else { data.raw_args().get(0).ok() }
}

#[derive(Serialize)]
struct Responses {
    err: Option<String>,
    responses: Vec<Raw>,
}

impl Responses {
    fn of<E: std::fmt::Debug>(answers: impl IntoIterator<Item = Result<AckData, CallError<E>>>) -> Self {
        let (mut err, mut responses) = (None, Vec::new());
        for answer in answers {
            match answer {
                Ok(data) => responses.extend(response(&data)),
                Err(error) => err = Some(error.to_string()),
            }
        }
        Responses { err, responses }
    }
}

#[derive(Serialize)]
struct Single {
    err: Option<String>,
    response: Option<Raw>,
}

impl App {
    /// What a client that is not recovered begins with.
    fn welcome(&self) -> Result<(), ConnectError> {
        if self.socket.recovered() {
            return Ok(());
        }
        let query: BTreeMap<String, String> = self.socket.handshake().query().into_iter().collect();
        self.socket.set_data(&json!({ "name": query.get("name"), "srv": self.shared.name }))?;
        for room in query.get("room").into_iter().flat_map(|rooms| rooms.split(',')).filter(|room| !room.is_empty()) {
            self.socket.join(room);
        }
        Ok(())
    }

    fn namespace(&self, path: Option<&str>) -> Option<NamespaceHandle<Untyped>> {
        self.shared.io.get()?.at::<Untyped>(path.unwrap_or("/"))
    }

    /// The clients that the first argument says.
    fn target(&self, args: RawArgs<'_>) -> Option<Broadcast<Untyped>> {
        let target: Target = args.get(0).ok()?;
        let all = self.namespace(target.nsp.as_deref())?;
        // The namespace as an address of many.
        let all = all.compress(true);
        Some(target.narrow(all))
    }

    async fn handle(&self, event: &Incoming) -> Option<Outcome> {
        let (socket, args) = (&self.socket, event.raw_args());
        match event.name() {
            "whoami" => return ack(&self.who_am_i()),
            "join" => {
                args.get::<Vec<String>>(0).ok()?.into_iter().for_each(|room| socket.join(room));
                socket.settled().await;
            }
            "leave" => args.get::<Vec<String>>(0).ok()?.into_iter().for_each(|room| socket.leave(room)),
            "emit" => self.target(args)?.emit_body(event_of(args, 1)?),
            "socket-emit" => args.get::<Target>(0).ok()?.narrow(socket.broadcast()).emit_body(event_of(args, 1)?),
            "emit-ack" => {
                let target = self.target(args)?.timeout(Duration::from_millis(args.get(1).ok()?));
                let answers = target.ask_body(event_of(args, 2)?).await;
                return ack(&Responses::of(answers.into_iter().map(|(_, answer)| answer)));
            }
            "fetch-sockets" => {
                let (err, sockets) = match self.target(args)?.fetch_sockets().await {
                    Ok(sockets) => (None, sockets),
                    Err(partial) => (Some(partial.to_string()), partial.into_sockets()),
                };
                return ack(&json!({ "err": err, "sockets": sockets.iter().map(shown).collect::<Vec<_>>() }));
            }
            "remote-emit-ack" => return self.remote_emit_ack(args).await,
            "sockets-join" | "sockets-leave" => {
                for room in args.get::<Vec<String>>(1).ok()? {
                    let target = self.target(args)?;
                    if event.name() == "sockets-join" { target.sockets_join(room) } else { target.sockets_leave(room) }
                }
            }
            "disconnect-sockets" => {
                // First the acknowledgement: the caller may be among those who are disconnected.
                let target = self.target(args)?;
                socket.answer(event, Body::ack(&("ok",)).ok()?).ok()?;
                target.disconnect_sockets(args.get(1).unwrap_or(false));
                return Some(Outcome::Answered);
            }
            "server-side-emit" => {
                let namespace = self.namespace(Some(&args.get::<String>(0).ok()?))?;
                namespace.server_side_emit_raw(&args.get::<String>(1).ok()?, args.get::<Vec<Raw>>(2).ok()?).ok()?;
            }
            "server-side-emit-ack" => {
                let namespace = self.namespace(Some(&args.get::<String>(0).ok()?))?;
                let (name, values): (String, Vec<Raw>) = (args.get(1).ok()?, args.get(2).ok()?);
                let answers = namespace.server_side_ask_raw(&name, values).ok()?.await;
                return ack(&Responses::of(answers));
            }
            "sse-log" => return ack(&*self.shared.notes.lock().unwrap_or_else(PoisonError::into_inner)),
            "server-count" => return ack(&socket.namespace().server_count().await.unwrap_or(0)),
            "flood" => self.flood(args)?,
            _ => return None,
        }
        ack(&"ok")
    }

    fn who_am_i(&self) -> Value {
        let mut rooms: Vec<String> = self.socket.rooms().iter().map(ToString::to_string).collect();
        rooms.sort();
        json!({
            "server": self.shared.name,
            "sid": self.socket.id(),
            "rooms": rooms,
            "recovered": self.socket.recovered(),
            "data": self.socket.data().ok().flatten().unwrap_or_else(|| json!({})),
        })
    }

    async fn remote_emit_ack(&self, args: RawArgs<'_>) -> Option<Outcome> {
        let (id, timeout): (String, u64) = (args.get(0).ok()?, args.get(1).ok()?);
        let event = event_of(args, 2)?;
        let found = self.socket.namespace().to(id).fetch_sockets().await.unwrap_or_else(FetchError::into_sockets);
        let Some(remote) = found.first() else { return ack(&Single { err: Some("no such socket".to_owned()), response: None }) };
        match remote.timeout(Duration::from_millis(timeout)).ask_body(event).await {
            Ok(data) => ack(&Single { err: None, response: response(&data) }),
            Err(error) => ack(&Single { err: Some(error.to_string()), response: None }),
        }
    }

    fn flood(&self, args: RawArgs<'_>) -> Option<()> {
        let (name, count, interval): (String, u64, u64) = (args.get(1).ok()?, args.get(2).ok()?, args.get(3).ok()?);
        let (target, server) = (self.target(args)?, self.shared.name.clone());
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_millis(interval.max(1)));
            for i in 0..count {
                ticks.tick().await;
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
                if target.clone().emit_raw(&name, (i, u64::try_from(now).unwrap_or_default(), &server)).is_err() {
                    break;
                }
            }
        });
        Some(())
    }
}

/// A socket as `fetch-sockets` tells of it.
fn shown(socket: &RemoteSocket<Untyped>) -> Value {
    let mut rooms: Vec<&str> = socket.rooms().iter().map(|room| room.as_str()).collect();
    rooms.sort_unstable();
    let handshake = socket.handshake();
    let issued = handshake.issued().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    json!({
        "id": socket.id(),
        "rooms": rooms,
        "data": socket.data().ok().flatten().unwrap_or_else(|| json!({})),
        "address": handshake.address(),
        "query": handshake.queries(),
        "auth": serde_json::from_str::<Value>(&handshake.auth_json()).unwrap_or_default(),
        "hasHeaders": !handshake.headers().is_empty(),
        "issued": u64::try_from(issued).unwrap_or_default(),
        "url": handshake.url(),
    })
}
