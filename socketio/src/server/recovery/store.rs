//! `Store`: what keeps events and sessions for clients that come back. `Memory` does so in this process; a store that writes
//! elsewhere as well wraps it, because the session value itself cannot leave the process.

use super::{Claim, RecoveryMetrics, Tracked, line::Line};
use crate::{
    contract::BoxFuture,
    engine::Bundle,
    id::SocketId,
    parser::Body,
    room::{Flags, Room, Target},
    server::{core::SocketCore, joined::Joined, namespace::NamespaceCore},
};
use parking_lot::Mutex;
use std::{
    fmt,
    sync::{Arc, atomic::AtomicU64},
};

/// An event on its way into the log and to its receivers: no event that asks for an acknowledgement, and none that is volatile.
pub(in crate::server) struct Posted<'a> {
    pub(in crate::server) namespace: &'a NamespaceCore,
    /// The socket of [`Audience::One`].
    pub(in crate::server) socket: Option<&'a Arc<SocketCore>>,
    pub(in crate::server) audience: Audience,
    pub(in crate::server) body: Body,
    /// Whether it is worth compressing.
    pub(in crate::server) compress: bool,
}

impl Posted<'_> {
    /// Whom the other servers are to deliver it to.
    pub(super) fn target(&self) -> Target {
        match &self.audience {
            Audience::Many(target) => target.clone(),
            Audience::One(id) => {
                let flags = Flags { uncompressed: !self.compress, ..Flags::default() };
                Target { rooms: vec![Room::from(*id)], except: Vec::new(), flags }
            }
        }
    }
}

/// Whom an event was for.
#[derive(Debug, Clone)]
pub(in crate::server) enum Audience {
    One(SocketId),
    Many(Target),
}

/// A session that its client may have back.
pub(in crate::server) struct Restored {
    /// The socket, absent, with its id, its rooms, its data, events that have not been handled, and the session value. Without
    /// the latter (another server has it) the connect function runs, and is told.
    pub(in crate::server) joined: Joined,
    /// The client has seen everything up to here; `None` if that cannot be known: then the session ends.
    pub(in crate::server) after: Option<u64>,
}

/// What recovery adds to a namespace.
pub(in crate::server) struct Lane {
    pub(in crate::server) store: Arc<dyn Store>,
    /// The order of offsets is the order of delivery; in a cluster, what waits for its offset. Taken after `Members`, before the
    /// outboxes.
    pub(in crate::server) order: Mutex<Line>,
    /// Held while an event of this server gets its place in the line and in the journal, so that these are the same order. Taken before
    /// `Members`.
    pub(in crate::server) posting: Mutex<()>,
    /// The last event of this namespace that is not kept any more.
    pub(in crate::server) dropped: Arc<AtomicU64>,
}

impl Lane {
    pub(in crate::server) fn new(store: Arc<dyn Store>) -> Self {
        Lane { store, order: Mutex::default(), posting: Mutex::default(), dropped: Arc::default() }
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane").field("store", &self.store).finish_non_exhaustive()
    }
}

/// A place for events and sessions.
///
/// Events are numbered in this process, and a socket remembers its rooms by these numbers. Offsets are text that the store
/// makes up: clients repeat it, and only the store reads it. A store whose offsets come from elsewhere (the ids of a stream)
/// delivers when it has them: [`post`](Self::post) need not have delivered when it returns.
pub(in crate::server) trait Store: Send + Sync + fmt::Debug {
    /// The number of the last event.
    fn position(&self) -> u64;

    /// The number of the last event that is not kept any more, of whatever namespace: nobody asks for what was before.
    fn floor(&self) -> u64;

    /// Gives the event the next offset, keeps it, and delivers it to those who are connected.
    fn post(&self, event: Posted<'_>);

    /// Whether [`post`](Self::post) tells the other servers, too. What only clients of this server are to get is not posted then.
    fn spans_servers(&self) -> bool {
        false
    }

    /// An event of another server, with its offset: keeps it, and delivers it here.
    fn receive(&self, event: Posted<'_>, _offset: &str) {
        self.post(event);
    }

    /// Events of other servers are missing.
    fn lost(&self, _namespace: &NamespaceCore) {}

    /// The offset of the last event of a namespace, if it is one for other servers.
    fn offset(&self, _namespace: &NamespaceCore) -> Option<Arc<str>> {
        None
    }

    /// Events that wait for their offsets and are for this socket, which is to be told that it ends. The caller holds the lock of the
    /// members for writing.
    fn last_words(&self, _core: &SocketCore, _rooms: &[Room]) -> Vec<Bundle> {
        Vec::new()
    }

    /// The server shuts down, and with it the connection of this socket: its client may go on at another server.
    fn leave(&self, _core: &SocketCore) {}

    /// A client was taken in: from now on it may be asked for.
    fn enter(&self, core: &Arc<SocketCore>);

    /// The socket has ended for good.
    fn forget(&self, core: &SocketCore);

    /// The connection of a session was lost; nothing of it is left to be done. It is ended when nobody comes back.
    fn park(&self, absent: Joined);

    /// Hands out a session, at most once for each time it is parked. If its connection seems to live, it is taken from there.
    /// `fresh`: the socket that asks.
    fn take(self: Arc<Self>, fresh: Arc<SocketCore>, claim: Claim) -> BoxFuture<'static, Option<Restored>>;

    /// The events after that number which the socket would have received, if all of them are still there. The caller holds
    /// the lock of the members for writing: nothing is posted meanwhile.
    fn missed(&self, lane: &Lane, id: SocketId, tracked: &Tracked, rooms: &[Room], after: u64) -> Option<Vec<Bundle>>;

    /// The sockets of a namespace whose clients may come back.
    fn absent(&self, namespace: &NamespaceCore) -> Vec<Arc<SocketCore>>;

    /// Whether connect functions run for clients that come back.
    fn connects_again(&self) -> bool;

    /// A client that asked for its session got it, or not.
    fn count(&self, recovered: bool);

    fn metrics(&self) -> RecoveryMetrics;

    /// Ends all sessions that wait, and waits for their last calls.
    fn close(self: Arc<Self>) -> BoxFuture<'static, ()>;
}
