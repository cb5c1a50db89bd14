//! Socket.IO for Rust.

// A contract-only build lacks the users of what the server takes from the rooms below it.
#![cfg_attr(not(feature = "server"), allow(dead_code))]

pub mod contract;
pub mod describe;
#[cfg(feature = "server")]
pub mod engine;
#[cfg(feature = "server")]
mod extract;
mod id;
pub mod parser;
mod reason;
mod room;
#[cfg(feature = "server")]
mod server;
mod text;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use contract::{
    Ack, AckData, AckRequested, CallError, Events, FromEvent, Incoming, Namespace, NoEvents, Outcome, Raw, RawArgs, Rejection,
    RejectionKind, Serve,
};
#[cfg(feature = "server")]
pub use engine::{Cookie, CookieError, Cors, CorsError, Handshake, SameSite, Transport};
#[cfg(feature = "server")]
pub use extract::{Auth, ConnectArgs, ConnectError, ConnectFn, ConnectOutput, ConnectParts, ConnectSig, FromConnect, Session};
pub use id::{InvalidId, SessionId, SocketId};
pub use parser::{Binary, Body};
pub use reason::DisconnectReason;
pub use room::Room;
#[cfg(feature = "server")]
pub use server::{
    Broadcast, BroadcastReply, BuildError, Builder, ClientFilesError, EmitError, EmitterOf, Many, NamespaceHandle, One, Outgoing,
    RemoteSocket, Reply, Service, Single, Socket, SocketIo, Try, Untyped,
};
pub use socketio_macros::{disconnect, event, events, fallback, middleware, namespace};
pub use text::Text;
