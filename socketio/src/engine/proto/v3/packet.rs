//! Single packets of revision 3: a binary one has its type in front, as the character `4` behind `b`, or as the byte 4.

use super::super::packet::{FrameData, Message, Packet, PacketError, decode_base64};
use crate::{text::Text, websocket::Framed};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::{Buf, Bytes};

/// The type of a message.
pub(super) const MESSAGE: u8 = 4;

/// Decodes a packet that came as text.
///
/// # Errors
/// The text is empty, or its type is unknown.
pub(crate) fn decode(text: Text) -> Result<Packet, PacketError> {
    match text.as_bytes() {
        [b'b', kind, base64 @ ..] => typed(kind.wrapping_sub(b'0'), || decode_base64(base64)),
        [b'b'] => Err(PacketError),
        _ => Packet::decode(text),
    }
}

/// Decodes a packet that came as bytes.
///
/// # Errors
/// There are none, or their type is unknown.
pub(crate) fn decode_binary(mut bytes: Bytes) -> Result<Packet, PacketError> {
    let kind = *bytes.first().ok_or(PacketError)?;
    bytes.advance(1);
    typed(kind, || bytes)
}

/// A binary packet that is no message has nothing to say but its type.
fn typed(kind: u8, data: impl FnOnce() -> Bytes) -> Result<Packet, PacketError> {
    Ok(match kind {
        0 => Packet::Open(Text::default()),
        1 => Packet::Close,
        2 => Packet::Ping(Text::default()),
        3 => Packet::Pong(Text::default()),
        MESSAGE => Packet::Message(Message::Binary(data())),
        5 => Packet::Upgrade,
        6 => Packet::Noop,
        _ => return Err(PacketError),
    })
}

/// A binary message as a frame of its own.
pub(crate) fn binary_frame(bytes: &[u8], base64: bool) -> FrameData {
    if base64 {
        return FrameData::Text(Framed::text(&[base64_packet(bytes).as_bytes()]));
    }
    let mut packet = Vec::with_capacity(bytes.len() + 1);
    packet.push(MESSAGE);
    packet.extend_from_slice(bytes);
    FrameData::Binary(packet.into())
}

/// `b4` and base64.
pub(super) fn base64_packet(bytes: &[u8]) -> String {
    let mut packet = String::with_capacity(2 + bytes.len().div_ceil(3) * 4);
    packet.push_str("b4");
    STANDARD.encode_string(bytes, &mut packet);
    packet
}
