//! Socket.IO for Rust.
pub mod contract;
pub mod describe;
pub mod id;
pub mod parser;
pub mod reason;
pub mod room;
pub mod text;

#[path = "private.rs"]
#[doc(hidden)]
pub mod __private;

pub use contract::{
    Ack, AckRequested, CallError, Events, FromEvent, Incoming, Namespace, NoEvents, RawArgs, Rejection, Serve,
};
pub use id::SocketId;
pub use parser::Binary;
pub use reason::DisconnectReason;
pub use room::Room;
pub use socketio_macros::{disconnect, event, events, fallback, middleware, namespace};
