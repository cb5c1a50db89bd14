//! One Engine.IO packet, decoded (`Packet`) and encoded for sending (`Frame`).

use super::shared::Shared;
use crate::{
    text::Text,
    websocket::{Framed, MAX_HEADER},
};
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use bytes::{Buf, Bytes};
use std::sync::Arc;

/// What an application sends and receives: one text or one binary message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// UTF-8 text.
    Text(Text),
    /// Bytes.
    Binary(Bytes),
}

/// A packet of the Engine.IO protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Packet {
    /// Type 0, server to client: the handshake.
    Open(Text),
    /// Type 1: the session ends.
    Close,
    /// Type 2: a heartbeat, or the probe of an upgrade.
    Ping(Text),
    /// Type 3: the answer to a ping.
    Pong(Text),
    /// Type 4, or binary: application data.
    Message(Message),
    /// Type 5, client to server: the upgrade is complete.
    Upgrade,
    /// Type 6: nothing; ends a hanging GET.
    Noop,
}

/// The text is no Engine.IO packet: it is empty or its type is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no Engine.IO packet")]
pub(crate) struct PacketError;

impl Packet {
    /// Decodes a packet that came as text.
    ///
    /// # Errors
    /// The text is empty or its type is unknown.
    pub(crate) fn decode(text: Text) -> Result<Packet, PacketError> {
        let kind = *text.as_bytes().first().ok_or(PacketError)?;
        Ok(match kind {
            b'4' => Packet::Message(Message::Text(data(text))),
            b'0' => Packet::Open(data(text)),
            b'1' => Packet::Close,
            b'2' => Packet::Ping(data(text)),
            b'3' => Packet::Pong(data(text)),
            b'5' => Packet::Upgrade,
            b'6' => Packet::Noop,
            b'b' => Packet::Message(Message::Binary(decode_base64(&text.as_bytes()[1..]))),
            _ => return Err(PacketError),
        })
    }
}

/// Up to so many bytes, checking a text costs less than an allocation.
const CHECKED_AGAIN: usize = 1024;

/// The text behind the type, in the same memory.
fn data(text: Text) -> Text {
    if text.len() > CHECKED_AGAIN {
        return text.slice(1..text.len());
    }
    // A slice makes an allocation if nobody shared the text before.
    let mut bytes = text.into_bytes();
    bytes.advance(1);
    Text::from_utf8(bytes).expect("invariant: the type is one byte, and what follows it is a text")
}

/// Reads base64 as leniently as Node's `Buffer`: both alphabets, padding or none, everything else skipped.
pub(super) fn decode_base64(text: &[u8]) -> Bytes {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
    );
    if let Ok(bytes) = LENIENT.decode(text) {
        return bytes.into();
    }
    let mut clean: Vec<u8> = (text.iter().take_while(|byte| **byte != b'='))
        .filter_map(|byte| match byte {
            b'-' => Some(b'+'),
            b'_' => Some(b'/'),
            b'+' | b'/' => Some(*byte),
            byte => byte.is_ascii_alphanumeric().then_some(*byte),
        })
        .collect();
    if clean.len() % 4 == 1 {
        clean.pop();
    }
    LENIENT.decode(&clean).unwrap_or_default().into()
}

/// An encoded packet, shared between all connections that send it.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    body: Body,
    /// Whether it wants to be compressed by a transport that can; one that says no does not object to the company of others.
    pub(crate) compress: bool,
}

#[derive(Debug, Clone)]
enum Body {
    Alone(FrameData),
    /// With compressed forms, for frames that many send where clients may have them compressed.
    Shared(Arc<Shared>),
}

/// The bytes of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FrameData {
    /// A packet of any type as text, its type character included, in the frame that WebSocket sends it in.
    Text(Framed),
    /// A binary message. WebSocket sends it as it is, polling as `b` and base64.
    Binary(Bytes),
}

impl PartialEq for Frame {
    fn eq(&self, other: &Self) -> bool {
        (self.data(), self.compress) == (other.data(), other.compress)
    }
}

impl Eq for Frame {}

impl Frame {
    /// What a queued frame is counted as beside its bytes: the queue's own memory.
    const OVERHEAD: usize = 64;
    /// What [`message_behind`](Self::message_behind) writes in front of a text at most: the header of a frame, and the type.
    const MESSAGE_ROOM: usize = MAX_HEADER + 1;

    /// Turns a text into a message, with everything in front of it. It has [`MESSAGE_ROOM`](Self::MESSAGE_ROOM) free bytes there.
    pub(crate) fn message_behind(mut buffer: Vec<u8>, start: usize) -> Frame {
        debug_assert!(start >= Frame::MESSAGE_ROOM, "invariant: there is room for the type and the header");
        buffer[start - 1] = b'4';
        Frame::text(Framed::behind(buffer, start - 1))
    }

    /// Encodes a message.
    pub(crate) fn message(message: Message) -> Frame {
        match message {
            Message::Text(text) => Frame::text(Framed::text(&[b"4", text.as_bytes()])),
            Message::Binary(bytes) => Frame::binary(bytes),
        }
    }

    /// A packet as text, its type character included.
    fn text(packet: Framed) -> Frame {
        Frame { body: Body::Alone(FrameData::Text(packet)), compress: true }
    }

    /// A binary message.
    pub(crate) fn binary(message: Bytes) -> Frame {
        Frame { body: Body::Alone(FrameData::Binary(message)), compress: true }
    }

    /// The bytes as they are.
    pub(crate) fn data(&self) -> &FrameData {
        match &self.body {
            Body::Alone(data) => data,
            Body::Shared(shared) => &shared.data,
        }
    }

    /// The bytes as they are.
    pub(crate) fn into_data(self) -> FrameData {
        match self.body {
            Body::Alone(data) => data,
            Body::Shared(shared) => shared.data.clone(),
        }
    }

    /// From now on, its clones share what it is compressed to.
    pub(crate) fn share(&mut self) {
        if let Body::Alone(data) = &self.body {
            self.body = Body::Shared(Arc::new(Shared::new(data.clone())));
        }
    }

    /// What it shares with its clones.
    pub(crate) fn shared(&self) -> Option<&Shared> {
        match &self.body {
            Body::Alone(_) => None,
            Body::Shared(shared) => Some(shared),
        }
    }

    pub(crate) fn is_pong(&self) -> bool {
        matches!(self.data(), FrameData::Text(framed) if framed.as_payload() == b"3")
    }

    /// Encodes a packet that is no message.
    pub(crate) fn control(packet: &Packet) -> Frame {
        Frame::text(match packet {
            Packet::Open(text) => Framed::text(&[b"0", text.as_bytes()]),
            // In the reference these two are the transport's own and want nothing.
            Packet::Close => return Frame { compress: false, ..Frame::text(Framed::from_static(b"\x81\x011")) },
            Packet::Noop => return Frame { compress: false, ..Frame::text(Framed::from_static(b"\x81\x016")) },
            Packet::Ping(text) if text.is_empty() => Framed::from_static(b"\x81\x012"),
            Packet::Ping(text) => Framed::text(&[b"2", text.as_bytes()]),
            Packet::Pong(text) => Framed::text(&[b"3", text.as_bytes()]),
            Packet::Upgrade => Framed::from_static(b"\x81\x015"),
            Packet::Message(message) => return Frame::message(message.clone()),
        })
    }

    /// Its size as one packet, its type included; over polling, binary data grows by its encoding.
    pub(crate) fn size(&self) -> usize {
        match self.data() {
            FrameData::Text(framed) => framed.as_payload().len(),
            FrameData::Binary(bytes) => bytes.len(),
        }
    }

    /// What the frame takes of a byte limit.
    pub(crate) fn cost(&self) -> usize {
        self.size() + Frame::OVERHEAD
    }

    /// Appends the frame as a part of a polling payload.
    pub(super) fn write_to(&self, payload: &mut Vec<u8>) {
        match self.data() {
            FrameData::Text(framed) => payload.extend_from_slice(framed.as_payload()),
            FrameData::Binary(bytes) => {
                payload.push(b'b');
                let start = payload.len();
                payload.resize(start + bytes.len().div_ceil(3) * 4, 0);
                let written = STANDARD.encode_slice(bytes, &mut payload[start..]).expect("invariant: the room is exact");
                payload.truncate(start + written);
            }
        }
    }

    /// The length of the frame in a polling payload.
    pub(crate) fn payload_length(&self) -> usize {
        match self.data() {
            FrameData::Text(framed) => framed.as_payload().len(),
            FrameData::Binary(bytes) => 1 + bytes.len().div_ceil(3) * 4,
        }
    }
}
