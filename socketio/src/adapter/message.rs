//! What the servers of a cluster tell each other about one namespace, whatever carries it. The messages of the reference's
//! `ClusterAdapter`, and those that its older pub/sub adapter has beside them.
//!
//! Values of applications are `Body`s: a JSON array with its attachments. Not here: bytes; see `wire`.

use crate::{
    parser::Body,
    room::{Room, Target},
    text::Text,
};
use std::{fmt, sync::Arc, time::Duration};

/// A server in one namespace. Of the reference: six characters in the pub/sub adapter, sixteen hex digits in others.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NodeId(Arc<str>);

/// What `NodeId` processes have that emit without being a server.
pub(crate) const EMITTER: &str = "emitter";

/// A question that waits for answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RequestId(Arc<str>);

macro_rules! name {
    ($($name:ident)*) => { $(
        impl $name {
            pub(crate) fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<T: Into<Arc<str>>> From<T> for $name {
            fn from(text: T) -> Self {
                $name(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )* };
}
name! { NodeId RequestId }

/// A message as it arrives.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    /// Who sent it; `None` where the wire does not tell.
    pub(crate) sender: Option<NodeId>,
    pub(crate) message: Message,
    /// Where it stands in the journal that it was read from.
    pub(crate) offset: Option<Arc<str>>,
}

/// One message.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// An event for clients: name and arguments.
    Broadcast {
        target: Target,
        event: Body,
    },
    /// An event that clients are to acknowledge.
    Ask {
        id: RequestId,
        target: Target,
        event: Body,
        timeout: Option<Duration>,
        single: bool,
    },
    /// So many clients of the answering server were asked.
    Asked {
        id: RequestId,
        clients: u64,
    },
    /// The acknowledgement of one of them: its first argument, or none.
    Acknowledged {
        id: RequestId,
        answer: Body,
    },
    /// Sockets join rooms.
    Join {
        target: Target,
        rooms: Vec<Room>,
    },
    /// Sockets leave rooms.
    Leave {
        target: Target,
        rooms: Vec<Room>,
    },
    /// Sockets are disconnected, with their whole connection or not.
    Disconnect {
        target: Target,
        close: bool,
    },
    /// Which sockets are there?
    Fetch {
        id: RequestId,
        target: Target,
    },
    /// These.
    Fetched {
        id: RequestId,
        sockets: Vec<SocketRecord>,
    },
    /// An event for the other servers.
    Emit {
        event: Body,
    },
    /// An event for the other servers, which each of them is to acknowledge.
    AskServers {
        id: RequestId,
        event: Body,
    },
    /// The acknowledgement of one server: its first argument, or none.
    ServerAnswered {
        id: RequestId,
        answer: Body,
    },
    /// The ids of which sockets match? Of old servers.
    FetchIds {
        id: RequestId,
        rooms: Vec<Room>,
    },
    FetchedIds {
        id: RequestId,
        ids: Vec<String>,
    },
    /// Which rooms are there? Of the pub/sub adapter.
    FetchRooms {
        id: RequestId,
    },
    FetchedRooms {
        id: RequestId,
        rooms: Vec<Room>,
    },
    /// A server has come: every other one answers with `Alive`.
    Hello,
    /// It is still there.
    Alive,
    /// It leaves.
    Bye,
}

impl Message {
    /// The question that this message belongs to.
    pub(crate) fn request(&self) -> Option<&RequestId> {
        match self {
            Message::Ask { id, .. }
            | Message::Asked { id, .. }
            | Message::Acknowledged { id, .. }
            | Message::Fetch { id, .. }
            | Message::Fetched { id, .. }
            | Message::AskServers { id, .. }
            | Message::ServerAnswered { id, .. }
            | Message::FetchIds { id, .. }
            | Message::FetchedIds { id, .. }
            | Message::FetchRooms { id }
            | Message::FetchedRooms { id, .. } => Some(id),
            _ => None,
        }
    }

    /// What it takes of a byte limit while it waits.
    pub(crate) fn cost(&self) -> usize {
        const OVERHEAD: usize = 128;
        let of_rooms = |rooms: &[Room]| rooms.iter().map(|room| OVERHEAD / 4 + room.len()).sum::<usize>();
        let of_target = |target: &Target| of_rooms(&target.rooms) + of_rooms(&target.except);
        OVERHEAD
            + match self {
                Message::Broadcast { target, event } | Message::Ask { target, event, .. } => of_target(target) + event.cost(),
                Message::Acknowledged { answer: body, .. }
                | Message::ServerAnswered { answer: body, .. }
                | Message::Emit { event: body }
                | Message::AskServers { event: body, .. } => body.cost(),
                Message::Join { target, rooms } | Message::Leave { target, rooms } => of_target(target) + of_rooms(rooms),
                Message::Disconnect { target, .. } | Message::Fetch { target, .. } => of_target(target),
                Message::Fetched { sockets, .. } => sockets.iter().map(SocketRecord::cost).sum(),
                Message::FetchIds { rooms, .. } | Message::FetchedRooms { rooms, .. } => of_rooms(rooms),
                Message::FetchedIds { ids, .. } => ids.iter().map(|id| OVERHEAD / 4 + id.len()).sum(),
                Message::Asked { .. } | Message::FetchRooms { .. } | Message::Hello | Message::Alive | Message::Bye => 0,
            }
    }

    /// Whether this is the answer to a question.
    pub(crate) fn is_answer(&self) -> bool {
        matches!(
            self,
            Message::Asked { .. }
                | Message::Acknowledged { .. }
                | Message::Fetched { .. }
                | Message::ServerAnswered { .. }
                | Message::FetchedIds { .. }
                | Message::FetchedRooms { .. }
        )
    }
}

/// A socket as another server describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SocketRecord {
    /// Usually that of a `SocketId`; servers of other makes may have other ids.
    pub(crate) id: String,
    /// The JSON text of the reference's `handshake`: headers, time, address, xdomain, secure, issued, url, query, auth.
    pub(crate) handshake: Text,
    /// Its own first.
    pub(crate) rooms: Vec<Room>,
    /// The JSON text of its data; `{}` if it was never set, as in the reference.
    pub(crate) data: Text,
}

impl SocketRecord {
    fn cost(&self) -> usize {
        const OVERHEAD: usize = 128;
        let rooms = self.rooms.iter().map(|room| OVERHEAD / 4 + room.len()).sum::<usize>();
        OVERHEAD + self.id.len() + self.handshake.len() + self.data.len() + rooms
    }
}

/// A session that waits for its client, as another server can take it over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionRecord {
    pub(crate) sid: String,
    /// A secret.
    pub(crate) pid: String,
    pub(crate) rooms: Vec<Room>,
    /// The JSON text of its data.
    pub(crate) data: Text,
    /// The namespace it belongs to. Servers of other makes do not say, and do not look.
    pub(crate) namespace: Option<String>,
    /// Where the session began: what a client has seen to which no event was sent. Ours only.
    pub(crate) start: Option<String>,
    /// Tells it from others with its `pid`, of the same session at another time. Ours only.
    pub(crate) mark: Option<String>,
}
