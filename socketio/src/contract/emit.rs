//! Why an event was not sent, on either side.

use super::CallError;
use crate::parser::{Body, BodyWriter, EncodeError, is_reserved_event};
use serde::Serialize;

/// An event was not sent.
///
/// ```
/// # use socketio::{EmitError, Socket, Untyped};
/// fn goodbye(socket: &Socket<Untyped>) {
///     assert!(matches!(socket.emit_raw("disconnect", ()), Err(EmitError::Reserved(name)) if name == "disconnect"));
///     match socket.emit_raw("goodbye", ("until tomorrow",)) {
///         Ok(()) | Err(EmitError::Disconnected) => {}
///         Err(error) => eprintln!("{error}"),
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EmitError {
    /// The socket has been disconnected, and does not come back by itself.
    #[error("the socket is disconnected")]
    Disconnected,
    /// The send buffer is full. On the server: the client does not read, and is being disconnected.
    #[error("the send buffer is full")]
    Full,
    /// The event is volatile and the connection could not take it at once.
    #[error("a volatile event was dropped")]
    NotWritable,
    /// The name is reserved by Socket.IO: `connect`, `disconnect` and the like.
    #[error("the event name `{0}` is reserved by Socket.IO: choose another")]
    Reserved(String),
    /// An argument could not be serialized.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

impl<E> From<EmitError> for CallError<E> {
    fn from(error: EmitError) -> Self {
        match error {
            EmitError::Encode(error) => CallError::Encode(error.to_string()),
            _ => CallError::Disconnected,
        }
    }
}

/// An event whose name and arguments are known only at run time.
pub(crate) fn raw_event(name: &str, args: impl Serialize) -> Result<Body, EmitError> {
    if is_reserved_event(name) {
        return Err(EmitError::Reserved(name.to_owned()));
    }
    let mut writer = BodyWriter::event(name);
    writer.args(&args);
    Ok(writer.finish()?)
}
