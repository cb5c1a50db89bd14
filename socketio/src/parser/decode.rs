//! Packet text and attachments to packets, with the strictness of the reference (socket.io-parser 4.2.7).

use super::packet::{Kind, Packet};
use crate::text::Text;
use bytes::Bytes;

/// What a peer may send in one packet.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Attachments of one packet; the reference allows 10.
    pub max_attachments: usize,
    /// Bytes of all attachments of one packet together.
    pub max_attachment_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_attachments: 10, max_attachment_bytes: 10_000_000 }
    }
}

/// The peer sent something that is not a Socket.IO packet. The connection cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The first character is not a packet type from 0 to 6.
    #[error("unknown packet type")]
    UnknownType,
    /// The attachment count is missing, zero or not a number.
    #[error("illegal attachment count")]
    AttachmentCount,
    /// More attachments, or more bytes of attachments, than allowed.
    #[error("too many attachments")]
    TooManyAttachments,
    /// The payload is not JSON of the shape that this type of packet has.
    #[error("illegal payload")]
    Payload,
    /// A placeholder names no attachment.
    #[error("illegal attachments")]
    Placeholder,
    /// A text arrived while attachments were still missing.
    #[error("text instead of an attachment")]
    UnexpectedText,
    /// A binary message arrived that no packet announced.
    #[error("attachment without a packet")]
    UnexpectedBinary,
}

/// Puts packets together. One per connection.
#[derive(Debug, Default)]
pub struct Decoder {
    limits: Limits,
    pending: Option<Box<Pending>>,
}

#[derive(Debug)]
struct Pending {
    packet: Packet,
    missing: usize,
    bytes: usize,
}

impl Decoder {
    /// A decoder with these limits.
    pub fn new(limits: Limits) -> Self {
        Decoder { limits, pending: None }
    }

    /// Takes a text message. `None`: its attachments are still to come.
    ///
    /// # Errors
    /// The text is not a packet; the connection is to be closed.
    pub fn text(&mut self, text: Text) -> Result<Option<Packet>, DecodeError> {
        let _ = (text, &mut self.pending, self.limits, Kind::Event);
        Err(DecodeError::UnknownType)
    }

    /// Takes a binary message. `None`: more attachments are to come.
    ///
    /// # Errors
    /// No packet waits for it, or a limit is exceeded; the connection is to be closed.
    pub fn binary(&mut self, bytes: Bytes) -> Result<Option<Packet>, DecodeError> {
        let _ = bytes;
        Err(DecodeError::UnexpectedBinary)
    }
}
