//! `SocketCore`: one client in one namespace, as the runtime shares it, from the CONNECT packet to the end.
//!
//! ```text
//! Pending --accepted--> Connected --left, or connection ended--> Closed
//!    |                                                             ^
//!    +--refused, or connection ended-------------------------------+
//! ```
//! While pending, joins and emits are kept; they take effect right after the CONNECT answer, or never.
//! Not here: the user's handle; see `socket`.

use super::{
    ack::{AckTable, Waiter},
    emit::EmitError,
    namespace::NamespaceCore,
};
use crate::{
    contract::AckData,
    engine::{Bundle, ConnectionHandle, Frame, Handshake, Urgency},
    id::SocketId,
    parser::{Body, Encoded, encode_ack, encode_connect, encode_disconnect},
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

/// One client in one namespace, as the runtime shares it.
pub(crate) struct SocketCore {
    id: SocketId,
    namespace: Arc<NamespaceCore>,
    link: Arc<Link>,
    /// The JSON text of the CONNECT payload.
    auth: Text,
    /// A copy of what `life` says, for the way of every packet.
    state: AtomicU8,
    /// Guards the transitions. A leaf: taken after `Members`, and nothing is taken under it but the outbox.
    life: Mutex<Life>,
    /// Guards what is kept for the client; held for single look-ups.
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// The acknowledgements that the client owes.
    acks: AckTable,
    /// The JSON text of its data. Boxed: most sockets have none, and then it is one pointer.
    data: Option<Box<Text>>,
}

enum Life {
    Pending { rooms: Vec<Room>, packets: Vec<Bundle> },
    Connected,
    Closed { rooms: Vec<Room>, reason: DisconnectReason },
}

impl fmt::Debug for SocketCore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketCore").field("id", &self.id).finish_non_exhaustive()
    }
}

pub(super) fn bundle(encoded: Encoded) -> Bundle {
    let rest = encoded.attachments.into_iter().map(Frame::binary).collect();
    Bundle { first: Frame::message_behind(encoded.buffer, encoded.start), rest }
}

impl SocketCore {
    pub(super) fn new(id: SocketId, namespace: Arc<NamespaceCore>, link: Arc<Link>, auth: Text) -> Arc<Self> {
        Arc::new(SocketCore {
            id,
            namespace,
            link,
            auth,
            state: AtomicU8::new(PENDING),
            life: Mutex::new(Life::Pending { rooms: Vec::new(), packets: Vec::new() }),
            kept: Mutex::default(),
        })
    }

    pub(crate) fn id(&self) -> SocketId {
        self.id
    }

    pub(crate) fn handshake(&self) -> &Handshake {
        &self.link.handshake
    }

    pub(crate) fn path(&self) -> &str {
        &self.namespace.path
    }

    pub(super) fn namespace(&self) -> &Arc<NamespaceCore> {
        &self.namespace
    }

    pub(super) fn link(&self) -> &Arc<Link> {
        &self.link
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

    /// Queues a packet for the client, or keeps it until the client is accepted.
    pub(super) fn push(&self, packet: Bundle, urgency: Urgency) -> Result<(), EmitError> {
        match self.state.load(Ordering::Acquire) {
            CONNECTED => return self.link.engine.outbox.push(packet, urgency).map_err(EmitError::from),
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
            Life::Connected => self.link.engine.outbox.push(packet, urgency).map_err(EmitError::from),
            Life::Closed { .. } => Err(EmitError::Disconnected),
        }
    }

    /// Takes the client in: the CONNECT answer, then what was emitted before. `false`: it has ended already.
    pub(super) fn accept(self: &Arc<Self>) -> bool {
        let mut members = self.namespace.members.write();
        let mut life = self.life.lock();
        let Life::Pending { rooms, packets } = &mut *life else { return false };
        let (rooms, packets) = (std::mem::take(rooms), std::mem::take(packets));
        *life = Life::Connected;
        let answer = encode_connect(&self.namespace.path, Some(&["{\"sid\":\"", self.id.as_str(), "\"}"].concat()));
        let outbox = &self.link.engine.outbox;
        // A connection that ended in between is noticed by its own task.
        let _ = outbox.push(bundle(answer), Urgency::Answer);
        for packet in packets {
            let _ = outbox.push(packet, Urgency::Normal);
        }
        self.state.store(CONNECTED, Ordering::Release);
        members.insert(Arc::clone(self), rooms);
        true
    }

    /// Ends the socket once and for all: members, rooms and acknowledgements. `false`: it has ended already.
    /// `tell`: the client is told with a DISCONNECT packet.
    pub(super) fn end(&self, reason: DisconnectReason, tell: bool) -> bool {
        {
            let mut members = self.namespace.members.write();
            let mut life = self.life.lock();
            let (accepted, rooms) = match &*life {
                Life::Closed { .. } => return false,
                // A client that was not taken in yet hears of it in the answer to its CONNECT.
                Life::Pending { .. } => (false, Vec::new()),
                Life::Connected => (true, members.remove(&self.id).unwrap_or_default()),
            };
            if tell && accepted {
                let _ = self.link.engine.outbox.push(bundle(encode_disconnect(&self.namespace.path)), Urgency::Answer);
            }
            *life = Life::Closed { rooms, reason };
            self.state.store(CLOSED, Ordering::Release);
            self.link.ended.store(true, Ordering::Release);
        }
        let waiting = self.kept.lock().acks.take_all();
        waiting.into_iter().for_each(|waiter| waiter.tell(self.id, None));
        true
    }

    pub(super) fn join(&self, room: Room) {
        {
            let mut life = self.life.lock();
            match &mut *life {
                Life::Pending { rooms, .. } if rooms.contains(&room) => return,
                Life::Pending { rooms, .. } => return rooms.push(room),
                Life::Closed { .. } => return,
                Life::Connected => {}
            }
        }
        self.namespace.members.write().join(&self.id, room);
    }

    pub(super) fn leave(&self, room: &str) {
        {
            let mut life = self.life.lock();
            match &mut *life {
                Life::Pending { rooms, .. } => return rooms.retain(|joined| joined.as_str() != room),
                Life::Closed { .. } => return,
                Life::Connected => {}
            }
        }
        self.namespace.members.write().leave(&self.id, room);
    }

    /// The rooms of the socket, its own first. Once it has ended: the rooms it was in.
    pub(super) fn rooms(&self) -> Vec<Room> {
        let own = std::iter::once(Room::from(self.id));
        if self.state.load(Ordering::Acquire) == CONNECTED
            && let Some(rooms) = self.namespace.members.read().rooms_of(&self.id)
        {
            return own.chain(rooms.iter().cloned()).collect();
        }
        match &*self.life.lock() {
            Life::Pending { rooms, .. } | Life::Closed { rooms, .. } => own.chain(rooms.iter().cloned()).collect(),
            Life::Connected => own.collect(),
        }
    }

    /// Whether `room` is one of [`rooms`](Self::rooms).
    pub(super) fn is_in(&self, room: &str) -> bool {
        let joined = |rooms: &[Room]| rooms.iter().any(|joined| joined.as_str() == room);
        if self.id.as_str() == room {
            return true;
        }
        if self.state.load(Ordering::Acquire) == CONNECTED
            && let Some(rooms) = self.namespace.members.read().rooms_of(&self.id)
        {
            return joined(rooms);
        }
        match &*self.life.lock() {
            Life::Pending { rooms, .. } | Life::Closed { rooms, .. } => joined(rooms),
            Life::Connected => false,
        }
    }

    /// Keeps the JSON text of the socket's data, in place of what was kept before.
    pub(super) fn set_data(&self, json: Text) {
        let before = self.kept.lock().data.replace(Box::new(json));
        drop(before);
    }

    /// The JSON text of the socket's data, if it was ever set.
    pub(super) fn data(&self) -> Option<Text> {
        self.kept.lock().data.as_deref().cloned()
    }

    pub(super) fn disconnect(&self, close: bool) {
        let ended = self.end(DisconnectReason::ServerNamespace, true);
        if close {
            self.link.close.store(true, Ordering::Release);
        }
        if ended || close {
            self.link.engine.outbox.call_attention();
        }
    }

    /// Registers for the acknowledgement of `id`. `false`: the socket has ended, and the waiter was told.
    pub(super) fn expect_ack(&self, id: u64, waiter: Waiter) -> bool {
        let mut kept = self.kept.lock();
        if self.state.load(Ordering::Acquire) == CLOSED {
            drop(kept);
            waiter.tell(self.id, None);
            return false;
        }
        kept.acks.insert(id, waiter);
        true
    }

    /// Whether an acknowledgement of the client is waited for.
    pub(super) fn awaits_ack(&self) -> bool {
        !self.kept.lock().acks.is_empty()
    }

    pub(super) fn forget_ack(&self, id: u64) {
        let waiter = self.kept.lock().acks.remove(id);
        drop(waiter);
    }

    /// An acknowledgement arrived. One that nobody waits for (any more) is ignored.
    pub(super) fn resolve_ack(&self, id: u64, data: AckData) {
        let waiter = self.kept.lock().acks.remove(id);
        if let Some(waiter) = waiter {
            waiter.tell(self.id, Some(data));
        }
    }

    pub(super) fn answer(&self, id: u64, body: Body) -> Result<(), EmitError> {
        self.push(bundle(encode_ack(&self.namespace.path, id, body)), Urgency::Answer)
    }
}

/// Packets that are kept for a client which is not accepted yet. More are refused: its connect handler emits in a loop.
const PENDING_PACKETS: usize = 16_384;
