//! `Revision`: which revision of the protocol a session speaks, and what that changes between packets and bytes.
//!
//! Everything above works with packets and [`Frame`]s, which are those of revision 4; a session of revision 3 has them
//! rewritten on its own way in and out, so that a broadcast is still encoded once. What revision 3 looks like is in `v3`;
//! that its client drives the heartbeat is in `heartbeat` and `server`.

use super::{
    packet::{Frame, FrameData, Message, Packet, PacketError},
    payload, v3,
};
use crate::text::Text;
use bytes::Bytes;

/// The revision of the protocol that a session speaks, for its whole life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Revision {
    /// Clients since Socket.IO 3.
    #[default]
    Four,
    /// Clients of Socket.IO 1 and 2.
    Three {
        /// The client cannot take bytes on this transport: binary messages are sent as base64.
        base64: bool,
    },
}

/// The body of one polling answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Payload {
    /// UTF-8 text.
    Text(Bytes),
    /// Bytes, in revision 3 only.
    Binary(Bytes),
}

impl Revision {
    /// The number in the `EIO` parameter.
    pub(crate) fn number(self) -> u8 {
        match self {
            Revision::Four => 4,
            Revision::Three { .. } => 3,
        }
    }

    /// The body of a POST with a packet that means nothing.
    pub(crate) fn nothing(self) -> Text {
        Text::from_static(match self {
            Revision::Four => "6",
            Revision::Three { .. } => "1:6",
        })
    }

    /// The packet in a text message of a WebSocket.
    pub(crate) fn decode_text(self, text: Text) -> Result<Packet, PacketError> {
        match self {
            Revision::Four => Packet::decode(text),
            Revision::Three { .. } => v3::packet::decode(text),
        }
    }

    /// The packet in a binary message of a WebSocket.
    pub(crate) fn decode_binary(self, bytes: Bytes) -> Result<Packet, PacketError> {
        match self {
            Revision::Four => Ok(Packet::Message(Message::Binary(bytes))),
            Revision::Three { .. } => v3::packet::decode_binary(bytes),
        }
    }

    /// A frame as it stands on a WebSocket.
    #[inline]
    pub(crate) fn websocket_frame(self, frame: FrameData) -> FrameData {
        match (self, frame) {
            (Revision::Three { base64 }, FrameData::Binary(bytes)) => v3::packet::binary_frame(&bytes, base64),
            (_, frame) => frame,
        }
    }

    /// The body of an answer with these frames.
    pub(crate) fn encode_payload<'a>(self, frames: impl Iterator<Item = &'a Frame> + Clone) -> Payload {
        match self {
            Revision::Four => Payload::Text(payload::encode(frames)),
            Revision::Three { base64 } => v3::payload::encode(frames, base64),
        }
    }

    /// The packets in the body of a POST. After a mistake there are no more.
    pub(crate) fn decode_payload(self, body: &Text) -> impl Iterator<Item = Result<Packet, PacketError>> + '_ {
        let mut cursor = Some(0);
        std::iter::from_fn(move || match self {
            Revision::Four => payload::next(body, &mut cursor),
            Revision::Three { .. } => v3::payload::next(body, &mut cursor),
        })
    }
}
