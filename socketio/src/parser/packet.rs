//! One decoded packet: a shared text plus offsets, so that decoding copies nothing.
//!
//! Not here: how the text is read; see `header`, `name` and `decode`.

use super::name::Name;
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
}

impl Packet {
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
        Some(EventParts { text: self.text, payload: self.payload, name, arguments, id: self.id, attachments: self.attachments })
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
}
