//! One decoded packet: a shared text plus offsets, so that decoding copies nothing.

use crate::text::Text;
use bytes::Bytes;

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    pub(super) kind: Kind,
    pub(super) text: Text,
    /// End of the namespace in `text`; it starts after the type and the attachment count. Empty means `/`.
    pub(super) namespace: (usize, usize),
    pub(super) id: Option<u64>,
    /// Where the JSON starts; the end of the text if there is none.
    pub(super) payload: usize,
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

    /// The packet's text, the offset at which its payload starts, and its attachments.
    pub fn into_parts(self) -> (Text, usize, Vec<Bytes>) {
        (self.text, self.payload, self.attachments)
    }
}
