//! `MsgPack`: every packet is one binary message, a map in MessagePack with the binary data in its place.
//!
//! ```text
//! { "type": 0..=4, "data": .., "id": n, "nsp": "/chat" }
//! ```
//! Byte for byte that of the npm package `socket.io-msgpack-parser` 3, which sits on `notepack.io` 2: `undefined` is the extension
//! 0 of one byte, a date that of eight, an `ArrayBuffer` that of any other length.
//!
//! Beside the packets: any value, as servers write it to each other with `notepack.io` 3 and `@msgpack/msgpack`.
//!
//! Both directions walk through their input without recursion. What JSON lacks gets lost on the way in: `NaN` and the infinities
//! become `null`, dates text, keys that are no text become text.

mod read;
#[cfg(test)]
mod tests;
mod write;

use super::{
    custom::{PacketDecoder, Parser, Part, Parts},
    decode::{DecodeError, Limits},
    packet::Packet,
};

pub(crate) use read::json_of_msgpack;
pub(crate) use write::{Dialect, depth, msgpack_of_json};

/// How many lists and maps in each other servers tell each other about: those of the reference read and write them by recursion.
pub(crate) const MAX_DEPTH: usize = 500;

/// The parser of the npm package `socket.io-msgpack-parser`: smaller packets, and binary data without messages of its own.
///
/// ```
/// # #[cfg(feature = "server")]
/// use socketio::{SocketIo, parser::MsgPack};
///
/// # #[cfg(feature = "server")]
/// let io = SocketIo::builder().parser(MsgPack).build();
/// // In the browser: io({ parser: require("socket.io-msgpack-parser") })
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct MsgPack;

impl Parser for MsgPack {
    fn encode(&self, packet: &Packet) -> Parts {
        Part::Binary(write::packet(packet).into()).into()
    }

    fn decoder(&self, limits: Limits) -> Box<dyn PacketDecoder> {
        Box::new(MsgPackDecoder { limits })
    }
}

/// Each message is a whole packet: there is nothing to keep.
struct MsgPackDecoder {
    limits: Limits,
}

impl PacketDecoder for MsgPackDecoder {
    fn decode(&mut self, part: Part) -> Result<Option<Packet>, DecodeError> {
        match part {
            Part::Binary(bytes) => read::packet(&bytes, self.limits).map(Some),
            Part::Text(_) => Err(DecodeError::UnexpectedText),
        }
    }
}
