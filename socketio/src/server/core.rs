//! `SocketCore`: one client in one namespace, as the runtime shares it, from the CONNECT packet to the end.
//!
//! ```text
//! Pending --accepted--> Connected --left, or connection ended--> Closed
//!    | ^                    |                                      ^
//!    | |                    | connection lost (with recovery)      |
//!    | +----came back---- Absent --nobody came back----------------+
//!    +--refused, or connection ended-------------------------------+
//! ```
//! While pending, joins and emits are kept; they take effect right after the CONNECT answer, or never. While absent, the
//! socket keeps its rooms, and what is emitted to it waits in the log of `recovery`.
//! Not here: the user's handle; see `socket`.

mod kept;
mod rooms;

use self::kept::Kept;
use super::{
    emit::EmitError,
    namespace::NamespaceCore,
    recovery::{Lane, Pid, Tracked},
    socket::Socket,
};
use crate::{
    engine::{Bundle, ConnectionHandle, Handshake, Urgency},
    id::SocketId,
    metrics::Measured,
    parser::{Encoded, encode_disconnect},
    reason::DisconnectReason,
    room::Room,
    text::Text,
};
use parking_lot::Mutex;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
};

/// What the sockets of one connection share.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) engine: Arc<ConnectionHandle>,
    pub(super) handshake: Arc<Handshake>,
    /// One of them has ended since the connection's task looked last.
    pub(super) ended: AtomicBool,
    /// Somebody asked to close the whole connection.
    pub(super) close: AtomicBool,
}

const PENDING: u8 = 0;
const CONNECTED: u8 = 1;
const CLOSED: u8 = 2;
const ABSENT: u8 = 3;

/// What became of taking a client in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Accepted {
    Taken,
    /// The socket has ended already.
    Ended,
    /// Not everything that the client missed is there.
    Gap,
}

/// Where a socket finds its connection.
enum Carrier {
    Fixed(Arc<Link>),
    /// With recovery, it changes.
    Tracked(Box<Tracked>),
}

/// One client in one namespace, as the runtime shares it.
pub(crate) struct SocketCore {
    id: SocketId,
    namespace: Arc<NamespaceCore>,
    carrier: Carrier,
    /// The JSON text of the CONNECT payload.
    auth: Text,
    /// A copy of what `life` says, for the way of every packet.
    state: AtomicU8,
    /// It was taken in at least once, and not told of as ended.
    known: AtomicBool,
    /// Guards the transitions. A leaf: taken after `Members`, and nothing is taken under it but the outbox.
    life: Mutex<Life>,
    /// Guards what is kept for the client; held for single look-ups.
    kept: Mutex<Kept>,
}

enum Life {
    Pending { rooms: Vec<Room>, packets: Vec<Bundle> },
    Connected,
    Absent { rooms: Vec<Room>, reason: DisconnectReason },
    Closed { rooms: Vec<Room>, reason: DisconnectReason },
}

impl fmt::Debug for SocketCore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketCore").field("id", &self.id).finish_non_exhaustive()
    }
}

impl SocketCore {
    pub(super) fn new(id: SocketId, namespace: Arc<NamespaceCore>, link: Arc<Link>, auth: Text) -> Arc<Self> {
        let carrier = match &namespace.lane {
            None => Carrier::Fixed(link),
            Some(lane) => Carrier::Tracked(Box::new(Tracked::new(link, lane.store.position()))),
        };
        Arc::new(SocketCore {
            id,
            namespace,
            carrier,
            auth,
            state: AtomicU8::new(PENDING),
            known: AtomicBool::new(false),
            life: Mutex::new(Life::Pending { rooms: Vec::new(), packets: Vec::new() }),
            kept: Mutex::default(),
        })
    }

    /// A socket that was connected to another server, and is absent here. `fresh`: the one that asks for it.
    pub(super) fn arriving(
        id: SocketId,
        fresh: &SocketCore,
        pid: Pid,
        mut rooms: Vec<Room>,
        number: u64,
        start: Option<Arc<str>>,
    ) -> Arc<Self> {
        let link = match &fresh.carrier {
            Carrier::Fixed(link) => Arc::clone(link),
            Carrier::Tracked(tracked) => Arc::clone(&tracked.link.read()),
        };
        rooms.retain(|room| room.as_str() != id.as_str());
        Arc::new(SocketCore {
            id,
            namespace: Arc::clone(&fresh.namespace),
            carrier: Carrier::Tracked(Box::new(Tracked::arriving(pid, link, number, start))),
            auth: fresh.auth.clone(),
            state: AtomicU8::new(ABSENT),
            known: AtomicBool::new(false),
            life: Mutex::new(Life::Absent { rooms, reason: DisconnectReason::TransportClose }),
            kept: Mutex::default(),
        })
    }

    pub(crate) fn id(&self) -> SocketId {
        self.id
    }

    pub(super) fn id_str(&self) -> &str {
        self.id.as_str()
    }

    pub(crate) fn handshake(&self) -> &Handshake {
        match &self.carrier {
            Carrier::Fixed(link) => &link.handshake,
            Carrier::Tracked(tracked) => &tracked.handshake,
        }
    }

    pub(crate) fn path(&self) -> &str {
        &self.namespace.path
    }

    pub(super) fn namespace(&self) -> &Arc<NamespaceCore> {
        &self.namespace
    }

    /// Looks at the present connection, or the last one.
    pub(super) fn on_link<T>(&self, look: impl FnOnce(&Link) -> T) -> T {
        match &self.carrier {
            Carrier::Fixed(link) => look(link),
            Carrier::Tracked(tracked) => look(&tracked.link.read()),
        }
    }

    /// What the socket remembers to come back; `None` without recovery.
    pub(super) fn tracked(&self) -> Option<&Tracked> {
        match &self.carrier {
            Carrier::Fixed(_) => None,
            Carrier::Tracked(tracked) => Some(tracked),
        }
    }

    fn lane(&self) -> Option<(&Lane, &Tracked)> {
        self.namespace.lane.as_deref().zip(self.tracked())
    }

    /// Makes the task of its connection look at it.
    pub(super) fn call_owner(&self) {
        self.on_link(|link| {
            link.ended.store(true, Ordering::Release);
            link.engine.outbox.call_attention();
        });
    }

    pub(super) fn is_absent(&self) -> bool {
        self.state.load(Ordering::Acquire) == ABSENT
    }

    pub(super) fn has_ended(&self) -> bool {
        self.state.load(Ordering::Acquire) == CLOSED
    }

    /// Why the connection of an absent socket was lost.
    pub(super) fn absent(&self) -> Option<DisconnectReason> {
        match *self.life.lock() {
            Life::Absent { reason, .. } => Some(reason),
            _ => None,
        }
    }

    pub(crate) fn auth(&self) -> &Text {
        &self.auth
    }

    pub(super) fn is_connected(&self) -> bool {
        self.state.load(Ordering::Acquire) == CONNECTED
    }

    /// Why the socket ended, once it has.
    pub(super) fn closed(&self) -> Option<DisconnectReason> {
        if self.state.load(Ordering::Acquire) != CLOSED {
            return None;
        }
        match *self.life.lock() {
            Life::Closed { reason, .. } => Some(reason),
            _ => None,
        }
    }

    /// Queues a packet for the client, in place of the last one with this key, or keeps it until the client is accepted.
    pub(super) fn push(&self, packet: Bundle, urgency: Urgency, key: Option<&Arc<str>>) -> Result<(), EmitError> {
        let push = |packet| self.on_link(|link| link.engine.outbox.push_keyed(packet, urgency, key)).map_err(EmitError::from);
        match self.state.load(Ordering::Acquire) {
            CONNECTED => return push(packet),
            CLOSED => return Err(EmitError::Disconnected),
            _ => {}
        }
        let mut life = self.life.lock();
        match &mut *life {
            Life::Pending { packets, .. } if packets.len() < PENDING_PACKETS => {
                packets.push(packet);
                Ok(())
            }
            Life::Pending { .. } => Err(EmitError::Full),
            Life::Connected => push(packet),
            Life::Absent { .. } if urgency == Urgency::Volatile => Err(EmitError::NotWritable),
            Life::Absent { .. } | Life::Closed { .. } => Err(EmitError::Disconnected),
        }
    }

    /// Delivers an event that is in the log as well. The caller holds the lock of the members.
    pub(super) fn deliver(&self, packet: Bundle) {
        match self.state.load(Ordering::Acquire) {
            // A connection that cannot take it ends; then the log has it.
            CONNECTED => drop(self.on_link(|link| link.engine.outbox.push(packet, Urgency::Normal))),
            // Who comes back misses it, and gets it with the rest.
            PENDING if self.tracked().and_then(Tracked::after).is_none() => {
                if let Life::Pending { packets, .. } = &mut *self.life.lock() {
                    packets.push(packet);
                }
            }
            _ => {}
        }
    }

    /// Whether the socket keeps so much for a client which is not accepted yet that it takes no more.
    pub(super) fn is_full(&self) -> bool {
        self.state.load(Ordering::Acquire) == PENDING
            && matches!(&*self.life.lock(), Life::Pending { packets, .. } if packets.len() >= PENDING_PACKETS)
    }

    /// Takes the client in: what it missed if it comes back, the CONNECT answer, then what was emitted before.
    pub(super) fn accept(self: &Arc<Self>) -> Accepted {
        // Before the locks: the parser may be the user's.
        let answer = self.answer_to_connect();
        let mut members = self.namespace.members.write();
        let offset = self.lane().and_then(|(lane, _)| lane.store.offset(&self.namespace));
        let mut life = self.life.lock();
        let Life::Pending { rooms, packets } = &mut *life else { return Accepted::Ended };
        let mut missed = Vec::new();
        if let Some((lane, tracked)) = self.lane() {
            if let Some(after) = tracked.after() {
                match lane.store.missed(lane, self.id, tracked, rooms, after) {
                    Some(events) if self.on_link(|link| link.engine.outbox.has_room_for(&events)) => missed = events,
                    _ => return Accepted::Gap,
                }
            }
            // What was emitted to it before is yet to reach it.
            tracked.began(offset.filter(|_| packets.is_empty()));
            tracked.accepted(lane.store.position());
            lane.store.enter(self);
        }
        let (rooms, packets) = (std::mem::take(rooms), std::mem::take(packets));
        let first = !self.known.swap(true, Ordering::AcqRel);
        if first {
            self.entered(&rooms);
        }
        *life = Life::Connected;
        self.on_link(|link| {
            // A connection that ended in between is noticed by its own task.
            for packet in missed.into_iter().chain([answer]) {
                let _ = link.engine.outbox.push(packet, Urgency::Answer);
            }
            for packet in packets {
                let _ = link.engine.outbox.push(packet, Urgency::Normal);
            }
        });
        self.state.store(CONNECTED, Ordering::Release);
        members.insert(Arc::clone(self), rooms);
        drop(life);
        drop(members);
        if first {
            self.was_accepted();
        }
        Accepted::Taken
    }

    /// The connection was lost, but the client may come back: the socket leaves the members and keeps its rooms.
    /// Acknowledgements are not waited for any longer. `false`: it was neither connected nor on its way back.
    pub(super) fn suspend(&self, reason: DisconnectReason) -> bool {
        {
            let mut members = self.namespace.members.write();
            let mut life = self.life.lock();
            let rooms = match &mut *life {
                Life::Connected => members.remove(&self.id).unwrap_or_default(),
                Life::Pending { rooms, .. } if self.tracked().is_some_and(Tracked::turns_back) => std::mem::take(rooms),
                _ => return false,
            };
            *life = Life::Absent { rooms, reason };
            self.state.store(ABSENT, Ordering::Release);
        }
        self.on_link(|link| link.ended.store(true, Ordering::Release));
        self.give_up_acks();
        true
    }

    /// The client comes back on another connection, having seen the events up to `after`. `false`: the socket has ended.
    pub(super) fn resume(&self, link: Arc<Link>, after: u64) -> bool {
        let mut life = self.life.lock();
        let (Life::Absent { rooms, .. }, Some(tracked)) = (&mut *life, self.tracked()) else { return false };
        let rooms = std::mem::take(rooms);
        tracked.returns(link, after);
        *life = Life::Pending { rooms, packets: Vec::new() };
        self.state.store(PENDING, Ordering::Release);
        true
    }

    /// Ends the socket once and for all: members, rooms and acknowledgements. `false`: it has ended already.
    /// `tell`: the client is told with a DISCONNECT packet.
    pub(super) fn end(&self, reason: DisconnectReason, tell: bool) -> bool {
        let farewell = tell.then(|| self.bundle(encode_disconnect(&self.namespace.path)));
        {
            let mut members = self.namespace.members.write();
            let mut life = self.life.lock();
            let (accepted, rooms) = match &mut *life {
                Life::Closed { .. } => return false,
                // A client that was not taken in yet hears of it in the answer to its CONNECT.
                Life::Pending { .. } if self.tracked().and_then(Tracked::after).is_none() => (false, Vec::new()),
                Life::Pending { rooms, .. } | Life::Absent { rooms, .. } => (false, std::mem::take(rooms)),
                Life::Connected => (true, members.remove(&self.id).unwrap_or_default()),
            };
            self.left(&rooms);
            let last_words = match self.lane() {
                Some((lane, _)) if tell && accepted => lane.store.last_words(self, &rooms),
                _ => Vec::new(),
            };
            self.on_link(|link| {
                if let (Some(farewell), true) = (farewell, accepted) {
                    for packet in last_words {
                        let _ = link.engine.outbox.push(packet, Urgency::Normal);
                    }
                    let _ = link.engine.outbox.push(farewell, Urgency::Answer);
                }
            });
            *life = Life::Closed { rooms, reason };
            self.state.store(CLOSED, Ordering::Release);
        }
        self.was_ended(reason);
        self.on_link(|link| link.ended.store(true, Ordering::Release));
        if let Some((lane, tracked)) = self.lane() {
            drop(tracked.heir());
            lane.store.forget(self);
        }
        self.give_up_acks();
        true
    }

    /// Tells those who look at it that the client is in; called once, however often it comes back.
    fn was_accepted(self: &Arc<Self>) {
        self.namespace.record(|namespace| Measured::SocketConnected { namespace });
        if let Some(watch) = &self.namespace.settings.watch {
            watch.connected(Socket::new(Arc::clone(self)));
        }
    }

    fn was_ended(&self, reason: DisconnectReason) {
        if !self.known.load(Ordering::Acquire) {
            return;
        }
        self.namespace.record(|namespace| Measured::SocketDisconnected { namespace, reason });
        if let Some(watch) = &self.namespace.settings.watch {
            watch.ended(&self.namespace.path, self.id, &self.rooms(), reason);
        }
    }

    fn was_moved(&self, room: &Room, joined: bool) {
        if let Some(watch) = &self.namespace.settings.watch {
            watch.moved(&self.namespace.path, self.id, room, joined);
        }
    }

    pub(super) fn disconnect(&self, close: bool) {
        let ended = self.end(DisconnectReason::ServerNamespace, true);
        self.on_link(|link| {
            if close {
                link.close.store(true, Ordering::Release);
            }
            if ended || close {
                link.engine.outbox.call_attention();
            }
        });
    }

    pub(super) fn bundle(&self, packet: Encoded) -> Bundle {
        self.namespace.settings.spelling.bundle(packet)
    }
}

/// Packets that are kept for a client which is not accepted yet. More are refused: its connect handler emits in a loop.
const PENDING_PACKETS: usize = 16_384;
