//! Packet text and attachments to packets, with the strictness of the reference (socket.io-parser 4.2.7).
//!
//! Every payload is checked completely, with one exception: of a plain event only the start, `["name"`, is read. Its arguments
//! are checked while they are decoded into the types that the handler names, so that they are walked through once; see
//! `contract::Args`. An event that nobody decodes must be checked with `contract::Incoming::validate`.
//!
//! Not here: the numbers and names of the header (`header`, with the differences from the reference), event names (`name`),
//! placeholders (`placeholder`).

use super::{
    header::Header,
    name::Name,
    packet::{Kind, Packet},
    placeholder,
};
use crate::text::Text;
use bytes::Bytes;
use serde::de::IgnoredAny;

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
    /// The id is not an integer up to 2^53-1.
    #[error("illegal id")]
    Id,
    /// The namespace does not start with `/`, or has a comma.
    #[error("illegal namespace")]
    NamespacePath,
    /// The event has a name that Socket.IO reserves, such as `disconnect`.
    #[error("reserved event name")]
    ReservedName,
    /// The payload is not JSON of the shape that this type of packet has.
    #[error("illegal payload")]
    Payload,
    /// A placeholder names no attachment.
    #[error("illegal attachments")]
    Placeholder,
    /// A text arrived while attachments were still missing.
    #[error("text instead of an attachment")]
    UnexpectedText,
    /// It is not written as this [`Parser`](super::Parser) writes packets.
    #[error("not the format of the parser")]
    Format,
    /// A binary message arrived that no packet announced.
    #[error("attachment without a packet")]
    UnexpectedBinary,
}

/// What is made room for at once.
const FEW_ATTACHMENTS: usize = 10;

/// Puts packets together. One per connection. It is of no use after an error: the connection is to be closed.
#[derive(Debug, Default)]
pub struct Decoder {
    limits: Limits,
    pending: Option<Box<Pending>>,
}

/// A packet whose attachments are still to come.
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
    /// An event or acknowledgement without any payload is a packet with an empty [`payload`](Packet::payload); the reference
    /// ignores it.
    ///
    /// # Errors
    /// The text is not a packet; the connection is to be closed.
    pub fn text(&mut self, text: Text) -> Result<Option<Packet>, DecodeError> {
        if self.pending.take().is_some() {
            return Err(DecodeError::UnexpectedText);
        }
        let Header { kind, attachments, namespace, id, payload } = Header::parse(&text, self.limits.max_attachments)?;
        let name = if payload == text.len() { None } else { check_payload(&text, payload, kind, attachments > 0)? };
        // Room for those that clients send; a number alone does not take memory.
        let attachments_of = Vec::with_capacity(attachments.min(FEW_ATTACHMENTS));
        let packet = Packet { kind, text, namespace, id, payload, name, attachments: attachments_of, names_too_many: false };
        if attachments == 0 {
            return Ok(Some(packet));
        }
        self.pending = Some(Box::new(Pending { packet, missing: attachments, bytes: 0 }));
        Ok(None)
    }

    /// Takes a binary message. `None`: more attachments are to come.
    ///
    /// # Errors
    /// No packet waits for it, or a limit is exceeded, or the packet misuses its attachments; the connection is to be closed.
    pub fn binary(&mut self, bytes: Bytes) -> Result<Option<Packet>, DecodeError> {
        let mut pending = self.pending.take().ok_or(DecodeError::UnexpectedBinary)?;
        pending.bytes = pending.bytes.saturating_add(bytes.len());
        if pending.bytes > self.limits.max_attachment_bytes {
            return Err(DecodeError::TooManyAttachments);
        }
        pending.packet.attachments.push(bytes);
        pending.missing -= 1;
        if pending.missing > 0 {
            self.pending = Some(pending);
            return Ok(None);
        }
        let mut packet = pending.packet;
        let named = placeholder::find(packet.payload(), packet.attachments.len()).map_err(|_| DecodeError::Placeholder)?;
        // What names an attachment twice has it twice, and so has whoever it is passed on to.
        let bytes = named.iter().map(|placeholder| packet.attachments[placeholder.num].len());
        let bytes = bytes.fold(0_usize, usize::saturating_add);
        packet.names_too_many = named.len() > self.limits.max_attachments;
        // An event that nobody handles is ignored, whatever is in it; whoever handles one finds out.
        if bytes > self.limits.max_attachment_bytes || (packet.names_too_many && packet.kind != Kind::Event) {
            return Err(DecodeError::TooManyAttachments);
        }
        Ok(Some(packet))
    }

    /// Whether a packet waits for attachments.
    pub fn is_waiting(&self) -> bool {
        self.pending.is_some()
    }
}

/// Checks that the payload has the shape of its kind, and reads the name of an event.
pub(super) fn check_payload(text: &str, payload: usize, kind: Kind, binary: bool) -> Result<Option<(Name, usize)>, DecodeError> {
    let first: &[u8] = match kind {
        Kind::Connect => b"{",
        Kind::Disconnect => b"",
        Kind::Event | Kind::Ack => b"[",
        Kind::ConnectError => b"{\"",
    };
    if !first.contains(&text.as_bytes()[payload]) {
        return Err(DecodeError::Payload);
    }
    let name = if kind == Kind::Event { Some(Name::read(text, payload)?) } else { None };
    if kind != Kind::Event || binary {
        // Does not recurse, whatever the depth of the JSON.
        serde_json::from_str::<IgnoredAny>(&text[payload..]).map_err(|_| DecodeError::Payload)?;
    }
    Ok(name)
}

#[cfg(test)]
mod tests;
