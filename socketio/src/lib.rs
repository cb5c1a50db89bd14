//! A Socket.IO server: namespaces are Rust traits, clients are the stock JavaScript ones.
//!
//! # A first server
//!
//! ```no_run
//! #[socketio::namespace("/")]
//! trait Hello {
//!     #[event]
//!     async fn hello(&self, name: &str) -> String;
//! }
//! struct Greeter;
//! impl Hello for Greeter {
//!     async fn hello(&self, name: &str) -> String { format!("hello {name}") }
//! }
//! #[tokio::main]
//! async fn main() -> std::io::Result<()> {
//!     let io = socketio::SocketIo::builder().shared::<dyn Hello>(Greeter).build();
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     axum::serve(listener, axum::Router::new().layer(io.layer())).await
//! }
//! ```
//!
//! In the browser: `await io().emitWithAck("hello", "ann")`.
//!
//! # The model
//!
//! A trait lists the events that *one side handles*; the other side gets a typed caller for it. [`#[namespace]`](macro@namespace)
//! marks what the server handles, [`#[events]`](macro@events) what clients handle. `&self` is the session of one connected
//! socket, built by an async connect function that takes a [`Socket`], the [`Auth`] payload and any axum extractor, and may refuse
//! the client with a [`ConnectError`]. Every parameter of an event is an argument on the wire, the return type is the
//! acknowledgement, and no return type means none. `dyn Hello` is the *name* of the namespace in types, as in
//! `Socket<dyn Hello>`; no such object is ever made. `.emit()` gives the typed caller of the other side, behind any address:
//! `socket.emit()`, `socket.to("room").emit()`, `io.of::<dyn Hello>().emit()`.
//!
//! # Where to go on
//!
//! | for | see |
//! |---|---|
//! | attributes, parameters and return types | [`#[namespace]`](macro@namespace), [`#[events]`](macro@events), [`#[event]`](macro@event) |
//! | settings, their defaults and the options of the JavaScript server | [`Builder`] |
//! | one client: rooms, emitting, leaving | [`Socket`] |
//! | all clients, from an HTTP handler | [`SocketIo::of`], [`NamespaceHandle`], [`Broadcast`] |
//! | what happens to events that do not fit | [`Rejection`], [`Builder::on_rejection`] |
//! | code around every event: rate limits, logs, your own | [`layer`], [`Builder::event_layer`] |
//! | what the server does, in numbers | [`metrics`] |
//! | events known only at run time | [`Untyped`], [`Service`], [`RawArgs`] |
//! | packets in msgpack, or as you like | [`parser::Parser`], [`Builder::parser`] |
//! | clients of Socket.IO 1 and 2 | [`Builder::allow_eio3`] |
//! | Engine.IO without Socket.IO | [`engine::Server`] |
//! | TypeScript for the stock client, JSON Schema | [`typescript`] |
//! | AsyncAPI 3 | [`asyncapi`] |
//! | several servers as one | [`adapter`], [`Builder::adapter`] |
//! | going down in order | [`SocketIo::shutdown`] |
//! | clients for tests, in the same process | [`test`](mod@test) |
//! | clients of Rust programs | feature `client`, `Client` |
//!
//! # Features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `default` | | `server` |
//! | `server` | yes | the server, its tower layer and [`engine`] |
//! | `client` | no | the typed client, with TLS: module `client` |
//! | `http2` | no | WebSocket over HTTP/2, where the HTTP server offers it; see `docs/operations.md` |
//! | `admin` | no | `admin::Admin`: the official Admin UI looks at the server |
//! | `redis` | no | `adapter::Redis`: many servers as one, together with servers in JavaScript |
//! | `metrics` | no | `metrics::Exporter`: what the server measures, for Prometheus or OpenTelemetry; see [`metrics`] |
//!
//! Without features: contracts and the packet parser, for a crate of traits that servers and clients share. A feature only adds.
//! The oldest supported compiler is Rust 1.88.

// A build without a feature lacks the users of what that one takes from the rooms below it.
#![cfg_attr(not(all(feature = "server", feature = "client", feature = "admin", feature = "redis")), allow(dead_code))]
#![cfg_attr(not(all(feature = "server", feature = "client")), allow(unused_imports))]

#[cfg(feature = "server")]
pub mod adapter;
#[cfg(feature = "admin")]
pub mod admin;
pub mod asyncapi;
#[cfg(feature = "client")]
pub mod client;
pub mod contract;
#[cfg(feature = "server")]
mod date;
pub mod describe;
#[cfg(any(feature = "server", feature = "client"))]
pub mod engine;
#[cfg(feature = "server")]
mod extract;
mod id;
#[cfg(feature = "server")]
pub mod layer;
#[cfg(feature = "server")]
pub mod metrics;
pub mod parser;
mod reason;
mod room;
mod schema;
#[cfg(feature = "server")]
mod server;
#[cfg(feature = "server")]
pub mod test;
mod text;
pub mod typescript;
#[cfg(any(feature = "server", feature = "client"))]
mod websocket;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

#[cfg(feature = "client")]
pub use client::Client;
pub use contract::{
    Ack, AckData, AckRequested, Answer, CallError, EmitError, Events, FromEvent, Incoming, Namespace, NoEvents, Outcome, Raw,
    RawArgs, Rejection, RejectionKind, Serve, Service, Untyped,
};
#[cfg(any(feature = "server", feature = "client"))]
pub use engine::Transport;
#[cfg(feature = "server")]
pub use engine::{Cookie, CookieError, Cors, CorsError, Handshake, PerMessageDeflate, SameSite, SlowConsumer};
#[cfg(feature = "server")]
pub use extract::{
    Auth, ConnectArgs, ConnectError, ConnectFn, ConnectFuture, ConnectOutput, ConnectParts, ConnectRefusal, ConnectSig,
    FromConnect, NsPath, Recovered, Session,
};
pub use id::{InvalidId, SessionId, SocketId};
pub use parser::{Binary, Body};
pub use reason::DisconnectReason;
pub use room::Room;
#[cfg(feature = "server")]
pub use server::{
    Broadcast, BroadcastReply, BuildError, Builder, ClientFilesError, ClusterEmitterOf, ClusterError, ClusterHealth, ClusterState,
    DataError, EmitterOf, FetchError, HandshakeRecord, Many, NamespaceHandle, One, OtherServers, Outgoing, Recovery,
    RecoveryMetrics, RemoteSocket, Reply, ServerReplies, Shutdown, ShutdownReport, Single, Socket, SocketIo, Try,
};
pub use socketio_macros::{disconnect, event, events, fallback, middleware, namespace};
pub use text::Text;

/// The example of the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// So do those of the guides.
#[cfg(all(doctest, feature = "server"))]
#[cfg_attr(feature = "admin", doc = include_str!("../../docs/admin.md"))]
#[doc = include_str!("../../docs/authentication.md")]
#[doc = include_str!("../../docs/cluster.md")]
#[doc = include_str!("../../docs/legacy.md")]
#[doc = include_str!("../../docs/namespaces.md")]
#[cfg_attr(feature = "metrics", doc = include_str!("../../docs/observability.md"))]
#[doc = include_str!("../../docs/recovery.md")]
#[doc = include_str!("../../docs/rejections.md")]
#[doc = include_str!("../../docs/operations.md")]
#[doc = include_str!("../../docs/testing.md")]
#[doc = include_str!("../../docs/typescript.md")]
struct Guides;

/// That of the client.
#[cfg(all(doctest, feature = "server", feature = "client"))]
#[doc = include_str!("../../docs/client.md")]
struct ClientGuide;
