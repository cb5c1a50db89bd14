//! One decoded packet: a shared text plus offsets, so that decoding copies nothing.
//!
//! Not here: how the text is read; see `header`, `name` and `decode`.

use super::{
    decode::{DecodeError, check_payload},
    encode::Encoded,
    header::{Header, MAX_ID},
    name::Name,
    placeholder,
};
use crate::text::Text;
use bytes::Bytes;
use std::fmt;

/// What a packet is. The binary variants of events and acks (types 5 and 6) are an encoding, not another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Type 0: join a namespace, or the answer to it.
    Connect,
    /// Type 1: leave a namespace.
    Disconnect,
    /// Types 2 and 5.
    Event,
    /// Types 3 and 6.
    Ack,
    /// Type 4: a refused connection.
    ConnectError,
}

impl Kind {
    /// The number of the type on the wire.
    pub const fn number(self) -> u8 {
        match self {
            Kind::Connect => 0,
            Kind::Disconnect => 1,
            Kind::Event => 2,
            Kind::Ack => 3,
            Kind::ConnectError => 4,
        }
    }

    /// The kind with this number, from 0 to 4.
    pub const fn from_number(number: u8) -> Option<Kind> {
        Some(match number {
            0 => Kind::Connect,
            1 => Kind::Disconnect,
            2 => Kind::Event,
            3 => Kind::Ack,
            4 => Kind::ConnectError,
            _ => return None,
        })
    }
}

/// A decoded packet, complete with its attachments.
#[derive(Clone, PartialEq, Eq)]
pub struct Packet {
    pub(super) kind: Kind,
    pub(super) text: Text,
    /// Start and end of the namespace in `text`. Empty means `/`.
    pub(super) namespace: (usize, usize),
    pub(super) id: Option<u64>,
    /// Where the JSON starts; the end of the text if there is none.
    pub(super) payload: usize,
    /// The name of an event and where its arguments start; `None` for other packets and for an event without a payload.
    pub(super) name: Option<(Name, usize)>,
    pub(super) attachments: Vec<Bytes>,
    /// Its placeholders name attachments more often than there may be attachments, which is what it becomes when it is passed on.
    pub(super) names_too_many: bool,
}

impl Packet {
    /// A packet from its parts, as a [`Parser`](super::Parser) has found them. The payload is JSON text, or nothing; placeholders
    /// in it name the attachments.
    ///
    /// # Errors
    /// They are not those of a packet.
    pub fn new(kind: Kind, namespace: &str, id: Option<u64>, payload: &str, attachments: Vec<Bytes>) -> Result<Self, DecodeError> {
        if id.is_some_and(|id| id > MAX_ID) {
            return Err(DecodeError::Id);
        }
        if !payload.is_empty() {
            serde_json::from_str::<serde::de::IgnoredAny>(payload).map_err(|_| DecodeError::Payload)?;
            if !attachments.is_empty() {
                placeholder::check(payload, attachments.len()).map_err(|_| DecodeError::Placeholder)?;
            }
        }
        Self::of_well_formed(kind, format!("{namespace}{}", payload.trim_ascii()), namespace.len(), id, attachments)
    }

    /// A packet from a text that is its namespace, and from `payload` on well-formed JSON.
    pub(super) fn of_well_formed(
        kind: Kind,
        text: String,
        payload: usize,
        id: Option<u64>,
        attachments: Vec<Bytes>,
    ) -> Result<Self, DecodeError> {
        if !text.starts_with('/') || payload == 0 || text[..payload].contains(',') {
            return Err(DecodeError::NamespacePath);
        }
        let name = if payload == text.len() { None } else { check_payload(&text, payload, kind, false)? };
        Ok(Packet { kind, text: text.into(), namespace: (0, payload), id, payload, name, attachments, names_too_many: false })
    }

    /// A packet of ours, for a parser that spells it in another way.
    pub(crate) fn of_encoded(encoded: Encoded) -> Self {
        let Encoded { buffer, start, attachments } = encoded;
        let text = Text::from_utf8(Bytes::from(buffer).slice(start..)).expect("invariant: a serializer writes UTF-8");
        let header = Header::parse(&text, usize::MAX).expect("invariant: the encoder writes headers");
        let Header { kind, namespace, id, payload, .. } = header;
        let name = if kind == Kind::Event { Name::read(&text, payload).ok() } else { None };
        Packet { kind, text, namespace, id, payload, name, attachments, names_too_many: false }
    }

    /// What the packet is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The namespace it belongs to, exactly as spelled; `/` if none is given.
    pub fn namespace(&self) -> &str {
        match &self.text[self.namespace.0..self.namespace.1] {
            "" => "/",
            namespace => namespace,
        }
    }

    /// The acknowledgement id, if any.
    pub fn id(&self) -> Option<u64> {
        self.id
    }

    /// The JSON text of the payload; empty if there is none.
    pub fn payload(&self) -> &str {
        &self.text[self.payload..]
    }

    /// The attachments that the placeholders in the payload name.
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }

    /// The packet's text, the offset at which its payload starts, and its attachments.
    pub fn into_parts(self) -> (Text, usize, Vec<Bytes>) {
        (self.text, self.payload, self.attachments)
    }

    /// What an event is made of; `None`: this is no event, or one without a payload, which the reference ignores.
    pub(crate) fn into_event(self) -> Option<EventParts> {
        let (name, arguments) = self.name?;
        Some(EventParts {
            text: self.text,
            payload: self.payload,
            name,
            arguments,
            id: self.id,
            attachments: self.attachments,
            names_too_many: self.names_too_many,
        })
    }
}

impl fmt::Debug for Packet {
    /// Shows the header, never the payload: it may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packet")
            .field("kind", &self.kind)
            .field("namespace", &self.namespace())
            .field("id", &self.id)
            .field("payload_bytes", &self.payload().len())
            .field("attachments", &self.attachments.len())
            .finish()
    }
}

/// A decoded event, taken apart.
pub(crate) struct EventParts {
    pub(crate) text: Text,
    /// Where the JSON array starts.
    pub(crate) payload: usize,
    pub(crate) name: Name,
    /// Where the arguments start: at the comma after the name, or at the closing bracket.
    pub(crate) arguments: usize,
    pub(crate) id: Option<u64>,
    pub(crate) attachments: Vec<Bytes>,
    pub(crate) names_too_many: bool,
}
