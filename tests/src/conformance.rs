//! The conformance fixture: one HTTP server with several mounts, as the black-box suites expect it.
//!
//! Its events have arguments of any type and number, so it uses the untyped escape hatch.

use axum::{Router, routing::get};
use serde::Serialize;
use serde_json::{Value, json};
use socketio::{
    Auth, Binary, Body, CallError, ConnectError, Cookie, Cors, DisconnectReason, FetchError, Incoming, Outcome, PerMessageDeflate,
    Raw, Recovery, Service, Socket, SocketIo, Untyped, contract::RawArgs, engine, parser::MsgPack,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// The whole fixture.
pub fn app() -> Router {
    let millis = Duration::from_millis;
    let timers = engine::Config::default().ping_interval(millis(300)).ping_timeout(millis(200));
    let old_engine = echo(timers.clone().path("/engine.io-v3").allow_eio3(true));
    let contexts = PerMessageDeflate::new().threshold(0).server_context_takeover(true).client_context_takeover(true);
    let deflating = echo(engine::Config::default().path("/engine.io-deflate").per_message_deflate(contexts));
    let protocol = SocketIo::builder()
        .ping_interval(millis(300))
        .ping_timeout(millis(200))
        .connect_timeout(millis(1000))
        .namespace_at::<Untyped, _>("/", protocol)
        .namespace_at::<Untyped, _>("/custom", protocol)
        .build();
    let cors = Cors::new()
        .allow_origin("http://allowed.example")
        .allow_credentials(true)
        .allow_methods([http::Method::GET, http::Method::POST]);
    let cross_origin = application("/cors").cors(cors).cookie(Cookie::new()).build();
    let recovery = Recovery::new().max_disconnection(Duration::from_secs(5));
    let recovering = application("/recovery").connection_state_recovery(recovery).build();
    Router::new()
        .route("/healthz", get(async || "ok"))
        .layer(echo(timers).layer())
        .layer(old_engine.layer())
        .layer(deflating.layer())
        .layer(protocol.layer())
        .layer(application("/deflate").per_message_deflate(PerMessageDeflate::new()).build().layer())
        .layer(application("/fixture").build().layer())
        .layer(application("/msgpack").parser(MsgPack).build().layer())
        .layer(application("/legacy").allow_eio3(true).build().layer())
        .layer(cross_origin.layer())
        .layer(recovering.layer())
}

/// Engine.IO alone: every message comes back.
fn echo(config: engine::Config) -> engine::Server {
    let server = engine::Server::new(config, |connection| {
        Box::pin(async move {
            while let Some(message) = connection.next().await {
                if connection.send(message).is_err() {
                    break;
                }
            }
        })
    });
    server.expect("invariant: the settings are valid")
}

/// The handlers of the protocol's own test suite.
struct Protocol(Socket<Untyped>);

async fn protocol(socket: Socket<Untyped>, Auth(auth): Auth<Value>) -> Result<Protocol, ConnectError> {
    // Kept until the client is accepted.
    let _ = socket.emit_raw("auth", (auth,));
    Ok(Protocol(socket))
}

impl Service for Protocol {
    async fn event(self: Arc<Self>, event: Incoming) -> Outcome {
        if let Err(rejection) = event.validate() {
            return Outcome::Rejected(rejection);
        }
        match event.name() {
            "message" => {
                let _ = self.0.emit_body(event.raw_args().to_event("message-back"));
                Outcome::Done(None)
            }
            "message-with-ack" => Outcome::Done(Some(event.raw_args().to_body())),
            _ => Outcome::Unhandled(event),
        }
    }
}

/// Why a socket ended and which rooms it was in.
type Reports = Arc<Mutex<HashMap<String, Value>>>;

fn application(path: &str) -> socketio::Builder<Reports> {
    SocketIo::builder()
        .path(path)
        .connect_timeout(Duration::from_millis(1000))
        .upgrade_timeout(Duration::from_millis(1000))
        .allow_request(|parts| {
            let denied = parts.uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "deny=1"));
            async move { if denied { Err("denied by fixture".into()) } else { Ok(()) } }
        })
        .with_state(Reports::default())
        .namespace_at::<Untyped, _>("/", connect)
        .namespace_at::<Untyped, _>("/chat", connect)
        .namespace_at::<Untyped, _>("/auth", authenticate)
        .namespace_matching::<Untyped, _>(is_dynamic, connect)
}

/// `^/dyn-\d+$`
fn is_dynamic(path: &str) -> bool {
    path.strip_prefix("/dyn-").is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

struct App {
    socket: Socket<Untyped>,
    reports: Reports,
}

async fn connect(
    socket: Socket<Untyped>,
    axum::extract::State(reports): axum::extract::State<Reports>,
) -> Result<App, ConnectError> {
    Ok(App { socket, reports })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Refusal {
    code: &'static str,
    retry_after: u32,
    nested: Nested<[u32; 3]>,
}

#[derive(Serialize)]
struct Nested<T> {
    list: T,
}

async fn authenticate(
    socket: Socket<Untyped>,
    Auth(auth): Auth<Value>,
    axum::extract::State(reports): axum::extract::State<Reports>,
) -> Result<App, ConnectError> {
    match auth["token"].as_str() {
        Some("secret") => {}
        Some("slow") => tokio::time::sleep(Duration::from_millis(300)).await,
        Some("plain") => return Err(ConnectError::new("plain refusal")),
        _ => {
            let data = Refusal { code: "E_AUTH", retry_after: 42, nested: Nested { list: [1, 2, 3] } };
            return Err(ConnectError::new("not authorized").with_data(data));
        }
    }
    Ok(App { socket, reports })
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

    async fn disconnected(self: Arc<Self>, reason: DisconnectReason) {
        let report = json!({ "reason": reason.as_str(), "rooms": self.rooms() });
        self.reports.lock().unwrap_or_else(PoisonError::into_inner).insert(self.socket.id().to_string(), report);
    }
}

fn ack<T: Serialize>(value: &T) -> Option<Outcome> {
    Body::ack(&(value,)).ok().map(|body| Outcome::Done(Some(body)))
}

impl App {
    fn rooms(&self) -> Vec<String> {
        let mut rooms: Vec<String> = self.socket.rooms().iter().map(ToString::to_string).collect();
        rooms.sort();
        rooms
    }

    async fn handle(&self, event: &Incoming) -> Option<Outcome> {
        let socket = &self.socket;
        let args = event.raw_args();
        match event.name() {
            "echo" if event.ack_id().is_some() => return Some(Outcome::Done(Some(args.to_body()))),
            "echo" => socket.emit_body(args.to_event("echo")).ok()?,
            "whoami" => return ack(&self.who_am_i()),
            "join" => socket.join(args.get::<String>(0).ok()?),
            "leave" => socket.leave(args.get::<String>(0).ok()?),
            "broadcast" => self.broadcast(args)?,
            "collect" => return self.collect(args).await,
            "call-me" => return self.call_me(args).await,
            "binary-me" => socket.emit_raw("binary-me", (Binaries::default(),)).ok()?,
            "burst" => {
                for i in 0..args.get::<u64>(0).ok()? {
                    socket.emit_raw("burst", (i,)).ok()?;
                }
            }
            "volatile-burst" => {
                for i in 0..args.get::<u64>(0).ok()? {
                    // Dropped unless it can leave at once: that is the point.
                    let _ = socket.volatile().emit_raw("v", (i,));
                }
                socket.emit_raw("v-end", ()).ok()?;
            }
            "bye" => socket.disconnect(args.get(0).ok()?),
            "no-ack" => return Some(Outcome::Answered),
            "report" => {
                let id: String = args.get(0).ok()?;
                let report = self.reports.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
                return ack(&report);
            }
            "sockets" => {
                let room: Option<String> = args.get(0).ok()?;
                let namespace = socket.namespace();
                let found = match room {
                    Some(room) => namespace.to(room).fetch_sockets().await,
                    None => namespace.fetch_sockets().await,
                };
                let found = found.unwrap_or_else(FetchError::into_sockets);
                let mut ids: Vec<&str> = found.iter().map(socketio::RemoteSocket::id).collect();
                ids.sort();
                return ack(&ids);
            }
            "move" => socket.namespace().to(args.get::<String>(0).ok()?).sockets_join(args.get::<String>(1).ok()?),
            "kick" => {
                let (room, close) = (args.get::<String>(0).ok()?, args.get::<bool>(1).ok()?);
                // First the acknowledgement: the caller may be among those who are disconnected.
                socket.answer(event, Body::ack(&()).ok()?).ok()?;
                socket.namespace().to(room).disconnect_sockets(close);
                return Some(Outcome::Answered);
            }
            "big" => return ack(&"x".repeat(args.get(0).ok()?)),
            _ => return None,
        }
        Some(Outcome::Done(None))
    }

    fn who_am_i(&self) -> Value {
        let query: HashMap<String, String> = self.socket.handshake().query().into_iter().collect();
        json!({
            "id": self.socket.id(),
            "nsp": self.socket.path(),
            "auth": serde_json::from_str::<Value>(self.socket.auth_json()).unwrap_or_default(),
            "query": query,
            "transport": self.socket.transport().as_str(),
            "rooms": self.rooms(),
            "recovered": self.socket.recovered(),
        })
    }

    fn broadcast(&self, args: RawArgs<'_>) -> Option<()> {
        #[derive(serde::Deserialize, Default)]
        #[serde(default)]
        struct Options {
            to: Vec<String>,
            except: Vec<String>,
            all: bool,
        }
        let options: Options = args.get(0).ok()?;
        let event: String = args.get(1).ok()?;
        let namespace = self.socket.namespace();
        let mut target = if options.all { namespace.timeout(Duration::from_secs(20)) } else { self.socket.broadcast() };
        for room in options.to {
            target = target.to(room);
        }
        for room in options.except {
            target = target.except(room);
        }
        target.emit_body(args.slice(2..).to_event(&event));
        Some(())
    }

    async fn collect(&self, args: RawArgs<'_>) -> Option<Outcome> {
        let (room, timeout, event): (String, u64, String) = (args.get(0).ok()?, args.get(1).ok()?, args.get(2).ok()?);
        let target = self.socket.namespace().to(room).timeout(Duration::from_millis(timeout));
        let answers = target.ask_body(args.slice(3..).to_event(&event)).await;
        let ok = answers.iter().all(|(_, answer)| answer.is_ok());
        let responses: Vec<Raw> = answers
            .into_iter()
            .filter_map(|(_, answer)| answer.ok())
            .map(|data| if data.raw_args().is_empty() { Raw::new(&()).ok() } else { data.raw_args().get(0).ok() })
            .collect::<Option<_>>()?;
        ack(&Responses { ok, responses })
    }

    async fn call_me(&self, args: RawArgs<'_>) -> Option<Outcome> {
        let event: String = args.get(0).ok()?;
        let call = self.socket.timeout(Duration::from_millis(1000)).ask_body(args.slice(1..).to_event(&event));
        match call.await {
            Ok(data) => ack(&Called { ok: true, args: data.raw_args().to_raw() }),
            Err(CallError::Timeout) => ack(&Called { ok: false, args: Raw::new(&[(); 0]).ok()? }),
            Err(_) => None,
        }
    }
}

#[derive(Serialize)]
struct Responses {
    ok: bool,
    responses: Vec<Raw>,
}

#[derive(Serialize)]
struct Called {
    ok: bool,
    args: Raw,
}

#[derive(Serialize)]
struct Binaries {
    a: Binary,
    b: [Binary; 1],
    c: Inner,
}

#[derive(Serialize)]
struct Inner {
    d: Binary,
    text: &'static str,
}

impl Default for Binaries {
    fn default() -> Self {
        Binaries {
            a: Binary::from(vec![1, 2, 3]),
            b: [Binary::from((0..=255).collect::<Vec<u8>>())],
            c: Inner { d: Binary::default(), text: "hé世😀" },
        }
    }
}
