//! One Engine.IO packet, decoded (`Packet`) and encoded for sending (`Frame`).

use crate::text::Text;
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use bytes::{Buf, Bytes};

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
        let data = |text: Text| text.slice(1..text.len());
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) data: FrameData,
    /// Whether it wants to be compressed by a transport that can; one that says no does not object to the company of others.
    pub(crate) compress: bool,
}

/// The bytes of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FrameData {
    /// A packet of any type as text, its type character included.
    Text(Bytes),
    /// A binary message. WebSocket sends it as it is, polling as `b` and base64.
    Binary(Bytes),
}

impl Frame {
    /// What a queued frame is counted as beside its bytes: the queue's own memory.
    const OVERHEAD: usize = 64;

    /// Turns a text that has a free byte in front of it into a message.
    pub(crate) fn message_behind(mut buffer: Vec<u8>, start: usize) -> Frame {
        debug_assert!(start > 0, "invariant: there is room for the type");
        buffer[start - 1] = b'4';
        let mut bytes = Bytes::from(buffer);
        bytes.advance(start - 1);
        Frame::text(bytes)
    }

    /// Encodes a message.
    pub(crate) fn message(message: Message) -> Frame {
        match message {
            Message::Text(text) => {
                let mut buffer = Vec::with_capacity(text.len() + 1);
                buffer.push(b'4');
                buffer.extend_from_slice(text.as_bytes());
                Frame::text(buffer)
            }
            Message::Binary(bytes) => Frame::binary(bytes),
        }
    }

    /// A packet as text, its type character included.
    fn text(packet: impl Into<Bytes>) -> Frame {
        Frame { data: FrameData::Text(packet.into()), compress: true }
    }

    /// A binary message.
    pub(crate) fn binary(message: Bytes) -> Frame {
        Frame { data: FrameData::Binary(message), compress: true }
    }

    /// Encodes a packet that is no message.
    pub(crate) fn control(packet: &Packet) -> Frame {
        let tagged = |kind: char, text: &Text| {
            if text.is_empty() {
                Bytes::from_static(if kind == '2' { b"2" } else { b"3" })
            } else {
                Bytes::from(format!("{kind}{text}"))
            }
        };
        match packet {
            Packet::Open(text) => Frame::text(format!("0{text}")),
            // In the reference these two are the transport's own and want nothing.
            Packet::Close => Frame { compress: false, ..Frame::text(&b"1"[..]) },
            Packet::Noop => Frame { compress: false, ..Frame::text(&b"6"[..]) },
            Packet::Ping(text) => Frame::text(tagged('2', text)),
            Packet::Pong(text) => Frame::text(tagged('3', text)),
            Packet::Upgrade => Frame::text(&b"5"[..]),
            Packet::Message(message) => Frame::message(message.clone()),
        }
    }

    /// What the frame takes of a byte limit.
    pub(crate) fn cost(&self) -> usize {
        let (FrameData::Text(bytes) | FrameData::Binary(bytes)) = &self.data;
        bytes.len() + Frame::OVERHEAD
    }

    /// Appends the frame as a part of a polling payload.
    pub(super) fn write_to(&self, payload: &mut Vec<u8>) {
        match &self.data {
            FrameData::Text(bytes) => payload.extend_from_slice(bytes),
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
        match &self.data {
            FrameData::Text(bytes) => bytes.len(),
            FrameData::Binary(bytes) => 1 + bytes.len().div_ceil(3) * 4,
        }
    }
}
