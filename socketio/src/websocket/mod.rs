//! WebSocket frames as either side reads and writes them, sans-IO: bytes in, messages out. Spec: RFC 6455, sections 5, 7 and 8.
//!
//! ```text
//!  bytes of one read --> Reader --> Incoming: text, binary, ping, pong, close
//!                          |            whole frames are unmasked where they lie and copied once, small ones into shared memory;
//!                          |            what is incomplete waits in one box, which an idle connection does not have
//!                          +------> Error: with the close code that the peer is told
//!
//!  permessage-deflate, where it was agreed on: deflate
//!  payload with room in front --> Framed: header and payload in one piece, shared by all who send it
//! ```
//! A bad frame is refused at the first byte that proves it bad. Lengths are checked against the limit before memory is
//! taken, and memory grows with what arrives, not with what is announced.
//!
//! Not here: the HTTP handshake (`engine::request`), reading and writing (`engine::transport::websocket`), other extensions.

mod close;
pub(crate) mod deflate;
mod framed;
mod header;
mod mask;
mod reader;

pub(crate) use framed::masked;
pub(crate) use framed::{Framed, MAX_HEADER};
pub(crate) use header::{COMPRESSED, Opcode, Role, write_header};
#[cfg(test)]
use reader::Error;
pub(crate) use reader::{Incoming, Input, Reader, Spare};

#[cfg(test)]
mod tests;
