//! SOCKET.IO packets, sans-IO: text and attachments in, packets out, and back. Spec: Socket.IO protocol, revision 5.
//!
//! ```text
//! <type>[<attachments>-][<namespace>,][<id>][<json>]      2/chat,12["say","hello"]
//! ```
//!
//! That is the protocol's own spelling; others are a [`Parser`], such as [`MsgPack`].
//! Not here: what carries the packets (`engine`) and what they mean (`server`, `client`).

mod attachment;
mod custom;
mod decode;
mod encode;
mod header;
mod msgpack;
mod name;
mod packet;
mod placeholder;
#[cfg(test)]
mod property;

pub use attachment::Binary;
pub(crate) use attachment::{EXPECTED_BINARY, adopt, collect_attachments, detach, with_attachments};
pub use custom::{PacketDecoder, Parser, Part, Parts};
pub use decode::{DecodeError, Decoder, Limits};
pub use encode::{
    Body, BodyWriter, EncodeError, Encoded, encode_ack, encode_connect, encode_connect_error, encode_disconnect, encode_event,
};
pub use msgpack::MsgPack;
pub(crate) use msgpack::{Dialect, MAX_DEPTH, depth, json_of_msgpack, msgpack_of_json};
pub use name::is_reserved_event;
pub(crate) use name::{Name, trim_space};
pub(crate) use packet::EventParts;
pub use packet::{Kind, Packet};
pub(crate) use placeholder::{inline, renumber};
