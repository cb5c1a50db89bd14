//! `Parser`: packets in another spelling than that of the protocol, chosen when the server is built.
//!
//! Inside the server a packet is always the same: JSON text with placeholders, and attachments. A parser turns messages into
//! such packets and back, so that contracts, raw arguments and broadcasts need not know it, and a broadcast is encoded once.
//! The protocol's own spelling does not come here: it is written and read in place, see `encode` and `decode`.

use super::{
    decode::{DecodeError, Limits},
    packet::Packet,
};
use crate::text::Text;
use bytes::Bytes;
use std::fmt;

/// One message: a packet, or a part of it.
#[derive(Clone, PartialEq, Eq)]
pub enum Part {
    /// A text message.
    Text(Text),
    /// A binary message.
    Binary(Bytes),
}

impl fmt::Debug for Part {
    /// Shows the size, never the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Part::Binary(bytes) => write!(f, "Binary({} bytes)", bytes.len()),
        }
    }
}

/// The messages of one packet, at least one. They are sent together, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// The first, or only one.
    pub first: Part,
    /// What follows it.
    pub rest: Vec<Part>,
}

impl From<Part> for Parts {
    fn from(first: Part) -> Self {
        Parts { first, rest: Vec::new() }
    }
}

/// How packets are spelled. Given to [`Builder::parser`](crate::Builder::parser); both sides must use the same, for nothing on
/// the wire announces it. The `parser` option of the JavaScript server and client.
///
/// A parser that writes each packet as one JSON text, without binary data, as in the manual of the reference:
///
/// ```
/// use serde::Deserialize;
/// use serde_json::{json, value::RawValue};
/// use socketio::parser::{DecodeError, Kind, Limits, Packet, PacketDecoder, Parser, Part, Parts};
///
/// struct PlainJson;
///
/// impl Parser for PlainJson {
///     fn encode(&self, packet: &Packet) -> Parts {
///         // Empty for a packet without a payload.
///         let data = if packet.payload().is_empty() { "null" } else { packet.payload() };
///         let (kind, nsp) = (packet.kind().number(), json!(packet.namespace()));
///         let id = packet.id().map_or_else(String::new, |id| format!(r#","id":{id}"#));
///         Part::Text(format!(r#"{{"type":{kind},"nsp":{nsp},"data":{data}{id}}}"#).into()).into()
///     }
///
///     fn decoder(&self, _: Limits) -> Box<dyn PacketDecoder> {
///         Box::new(PlainJson)
///     }
/// }
///
/// impl PacketDecoder for PlainJson {
///     fn decode(&mut self, part: Part) -> Result<Option<Packet>, DecodeError> {
///         #[derive(Deserialize)]
///         struct Wire<'a> {
///             r#type: u8,
///             nsp: String,
///             id: Option<u64>,
///             #[serde(borrow)]
///             data: Option<&'a RawValue>,
///         }
///         let Part::Text(text) = part else { return Err(DecodeError::Format) };
///         let wire: Wire<'_> = serde_json::from_str(&text).map_err(|_| DecodeError::Format)?;
///         let kind = Kind::from_number(wire.r#type).ok_or(DecodeError::UnknownType)?;
///         let payload = wire.data.map_or("", RawValue::get);
///         Packet::new(kind, &wire.nsp, wire.id, payload, Vec::new()).map(Some)
///     }
/// }
///
/// let packet = Packet::new(Kind::Event, "/chat", Some(7), r#"["say","hello"]"#, Vec::new())?;
/// let Part::Text(text) = PlainJson.encode(&packet).first else { panic!("is text") };
/// assert_eq!(&*text, r#"{"type":2,"nsp":"/chat","data":["say","hello"],"id":7}"#);
/// assert_eq!(PlainJson.decode(Part::Text(text))?, Some(packet));
/// # #[cfg(feature = "server")]
/// let io = socketio::SocketIo::builder().parser(PlainJson).build();
/// # Ok::<(), DecodeError>(())
/// ```
pub trait Parser: Send + Sync + 'static {
    /// Writes a packet. Its payload is JSON text that `serde_json` or this crate has written, or nothing; the placeholders in it
    /// name its attachments. It must not call the server back, which may hold a lock meanwhile.
    ///
    /// # Panics
    /// A panic reaches whoever emits.
    fn encode(&self, packet: &Packet) -> Parts;

    /// A decoder for one connection.
    fn decoder(&self, limits: Limits) -> Box<dyn PacketDecoder>;
}

/// Puts the packets of one connection together. A panic in it closes the connection.
pub trait PacketDecoder: Send {
    /// Takes a message. `None`: the packet has further parts.
    ///
    /// # Errors
    /// The message is no packet; the connection is closed.
    fn decode(&mut self, part: Part) -> Result<Option<Packet>, DecodeError>;
}
