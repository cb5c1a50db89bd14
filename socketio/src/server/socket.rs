//! One client in one namespace: `SocketCore`, what the runtime shares of it, and `Socket<N>`, the user's typed handle.
//!
//! ```text
//! Pending --accepted--> Connected --left, or connection ended--> Closed
//!    |                                                             ^
//!    +--refused, or connection ended-------------------------------+
//! ```
//! While pending, joins and emits are kept; they take effect right after the CONNECT answer, or never.

use super::{
    ack::{AckTable, Failure, Reply, Waiter},
    broadcast::Broadcast,
    hooks::Outgoing,
    namespace::{NamespaceCore, NamespaceHandle},
};
use crate::{
    contract::{AckData, CallError, Decode, Events, Incoming, Namespace, Target as EmitTarget},
    engine::{Bundle, ConnectionHandle, Frame, Handshake, SendError, Transport, Urgency},
    id::SocketId,
    parser::{Body, BodyWriter, EncodeError, Encoded, encode_ack, encode_connect, encode_disconnect, encode_event},
    reason::DisconnectReason,
    room::{Flags, Room},
    text::Text,
};
use parking_lot::Mutex;
use serde::Serialize;
use std::{
    fmt,
    marker::PhantomData,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    time::Duration,
};
use tokio::sync::oneshot;

/// What the sockets of one connection share.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) engine: Arc<ConnectionHandle>,
    pub(super) handshake: Arc<Handshake>,
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
    /// Guards the acknowledgements that the client owes; held for single look-ups.
    acks: Mutex<AckTable>,
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
    let rest = encoded.attachments.into_iter().map(Frame::Binary).collect();
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
            acks: Mutex::default(),
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
        let Life::Pending { rooms, packets } = std::mem::replace(&mut *life, Life::Connected) else {
            return false;
        };
        let answer = encode_connect(&self.namespace.path, Some(&format!("{{\"sid\":\"{}\"}}", self.id)));
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
            let rooms = match &*life {
                Life::Closed { .. } => return false,
                Life::Pending { .. } => Vec::new(),
                Life::Connected => members.remove(&self.id).unwrap_or_default(),
            };
            if tell {
                let _ = self.link.engine.outbox.push(bundle(encode_disconnect(&self.namespace.path)), Urgency::Answer);
            }
            *life = Life::Closed { rooms, reason };
            self.state.store(CLOSED, Ordering::Release);
        }
        let waiting = self.acks.lock().take_all();
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
        let mut acks = self.acks.lock();
        if self.state.load(Ordering::Acquire) == CLOSED {
            drop(acks);
            waiter.tell(self.id, None);
            return false;
        }
        acks.insert(id, waiter);
        true
    }

    pub(super) fn forget_ack(&self, id: u64) {
        drop(self.acks.lock().remove(id));
    }

    /// An acknowledgement arrived. One that nobody waits for (any more) is ignored.
    pub(super) fn resolve_ack(&self, id: u64, data: AckData) {
        let waiter = self.acks.lock().remove(id);
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

/// An event did not leave the server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EmitError {
    /// The socket has been disconnected.
    #[error("the socket is disconnected")]
    Disconnected,
    /// The client does not read: its send buffer is full, and it is being disconnected.
    #[error("the client's send buffer is full")]
    Full,
    /// The event is volatile and the connection could not take it at once.
    #[error("a volatile event was dropped")]
    NotWritable,
    /// An argument could not be serialized.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

impl From<SendError> for EmitError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Closed => EmitError::Disconnected,
            SendError::Full => EmitError::Full,
            SendError::NotWritable => EmitError::NotWritable,
        }
    }
}

/// The typed caller of what namespace `N` emits, through target `T`.
pub type EmitterOf<N, T> = <<N as Namespace>::Emits as Events>::Emitter<T>;

/// Server-side handle on one client of namespace `N`, such as `Socket<dyn Chat>`. Cheap to clone.
///
/// ```
/// # use socketio::{Socket, namespace, events};
/// # #[events] trait News { #[event] async fn headline(&self, text: &str); }
/// # #[namespace("/news", emits = News)] trait NewsRoom {}
/// fn welcome(socket: &Socket<dyn NewsRoom>) {
///     socket.join("readers");
///     socket.emit().headline("hello");                 // to this client
///     socket.to("readers").emit().headline("one more"); // to everyone else in the room
/// }
/// ```
pub struct Socket<N: ?Sized> {
    core: Arc<SocketCore>,
    name: PhantomData<fn(&N)>,
}

impl<N: ?Sized> Clone for Socket<N> {
    fn clone(&self) -> Self {
        Socket::new(Arc::clone(&self.core))
    }
}

impl<N: ?Sized> fmt::Debug for Socket<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("id", &self.id()).field("namespace", &self.path()).finish_non_exhaustive()
    }
}

impl<N: ?Sized> Socket<N> {
    pub(crate) fn new(core: Arc<SocketCore>) -> Self {
        Socket { core, name: PhantomData }
    }

    /// The public id of this socket. Also the name of a room that only it is in.
    pub fn id(&self) -> SocketId {
        self.core.id
    }

    /// The path of its namespace.
    pub fn path(&self) -> &str {
        &self.core.namespace.path
    }

    /// Whether the client is connected: it was accepted and has not left.
    pub fn is_connected(&self) -> bool {
        self.core.is_connected()
    }

    /// Joins a room. In a connect handler it takes effect when the client is accepted.
    pub fn join(&self, room: impl Into<Room>) {
        self.core.join(room.into());
    }

    /// Leaves a room. The socket's own room cannot be left.
    pub fn leave(&self, room: impl AsRef<str>) {
        self.core.leave(room.as_ref());
    }

    /// The rooms this socket is in, its own first. In a `#[disconnect]` method: the rooms it was in.
    pub fn rooms(&self) -> Vec<Room> {
        self.core.rooms()
    }

    /// Disconnects the client from this namespace, or (`close`) closes its whole connection. What was emitted before is
    /// delivered first. A stock client does not reconnect by itself.
    pub fn disconnect(&self, close: bool) {
        self.core.disconnect(close);
    }

    /// The HTTP request that opened the connection.
    pub fn handshake(&self) -> &Handshake {
        &self.core.link.handshake
    }

    /// How the client is connected at this moment.
    pub fn transport(&self) -> Transport {
        self.core.link.engine.transport()
    }

    /// The JSON text of the `auth` payload; `{}` if the client sent none. Prefer the [`Auth`](crate::Auth) extractor.
    pub fn auth_json(&self) -> &str {
        &self.core.auth
    }

    /// Emits an event whose name and arguments are known only at run time. `args` is a tuple or a list: each element
    /// becomes one argument.
    ///
    /// # Errors
    /// The event did not leave the server.
    pub fn emit_raw(&self, event: &str, args: impl Serialize) -> Result<(), EmitError> {
        self.one().emit_raw(event, args)
    }

    /// Emits an event that is encoded already, such as one passed on by [`RawArgs`](crate::RawArgs).
    ///
    /// # Errors
    /// The event did not leave the server.
    pub fn emit_body(&self, event: Body) -> Result<(), EmitError> {
        self.one().emit(event)
    }

    /// Acknowledges an event before its handler returns, which then returns [`Outcome::Answered`](crate::Outcome). Does
    /// nothing if the client did not ask for an acknowledgement.
    ///
    /// # Errors
    /// The acknowledgement did not leave the server.
    pub fn answer(&self, event: &Incoming, body: Body) -> Result<(), EmitError> {
        event.ack_id().map_or(Ok(()), |id| self.core.answer(id, body))
    }

    fn one(&self) -> One {
        One { core: Arc::clone(&self.core), timeout: self.core.namespace.settings.ack_timeout, flags: Flags::default() }
    }
}

impl<N: Namespace + ?Sized> Socket<N> {
    /// The events that can be emitted to this client.
    ///
    /// Emitting is eager: the packet is queued when the event's method is called; awaiting only waits for the acknowledgement.
    pub fn emit(&self) -> EmitterOf<N, One> {
        N::Emits::emitter(self.one())
    }

    /// Like [`emit`](Self::emit), with a `Result` for events without acknowledgement.
    pub fn try_emit(&self) -> EmitterOf<N, Try> {
        N::Emits::emitter(Try(self.one()))
    }

    /// Waits at most so long for acknowledgements.
    pub fn timeout(&self, timeout: Duration) -> Single<N> {
        self.single().timeout(timeout)
    }

    /// Drops the event if the connection cannot take it at once.
    pub fn volatile(&self) -> Single<N> {
        self.single().volatile()
    }

    fn single(&self) -> Single<N> {
        Single { one: self.one(), name: PhantomData }
    }

    /// Everyone in the room except this client.
    pub fn to(&self, room: impl Into<Room>) -> Broadcast<N> {
        self.broadcast().to(room)
    }

    /// Everyone in the namespace except the members of the room and this client.
    pub fn except(&self, room: impl Into<Room>) -> Broadcast<N> {
        self.broadcast().except(room)
    }

    /// Everyone in the namespace except this client.
    pub fn broadcast(&self) -> Broadcast<N> {
        self.namespace().except(self.core.id)
    }

    /// The namespace this client is in.
    pub fn namespace(&self) -> NamespaceHandle<N> {
        NamespaceHandle::new(Arc::clone(&self.core.namespace))
    }
}

/// One client, addressed with options.
pub struct Single<N: ?Sized> {
    one: One,
    name: PhantomData<fn(&N)>,
}

impl<N: ?Sized> fmt::Debug for Single<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Single").field("one", &self.one).finish()
    }
}

impl<N: Namespace + ?Sized> Single<N> {
    /// Waits at most so long for acknowledgements.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.one.timeout = timeout;
        self
    }

    /// Drops the event if the connection cannot take it at once.
    pub fn volatile(mut self) -> Self {
        self.one.flags.volatile = true;
        self
    }

    /// The events that can be emitted to this client.
    pub fn emit(self) -> EmitterOf<N, One> {
        N::Emits::emitter(self.one)
    }

    /// Like [`emit`](Self::emit), with a `Result` for events without acknowledgement.
    pub fn try_emit(self) -> EmitterOf<N, Try> {
        N::Emits::emitter(Try(self.one))
    }

    /// Emits an event whose name and arguments are known only at run time; see [`Socket::emit_raw`].
    ///
    /// # Errors
    /// The event did not leave the server.
    pub fn emit_raw(self, event: &str, args: impl Serialize) -> Result<(), EmitError> {
        self.one.emit_raw(event, args)
    }

    /// Emits an event that is encoded already.
    ///
    /// # Errors
    /// The event did not leave the server.
    pub fn emit_body(self, event: Body) -> Result<(), EmitError> {
        self.one.emit(event)
    }

    /// Emits an event that is encoded already and asks for an acknowledgement.
    pub fn ask_body(self, event: Body) -> Reply<AckData, std::convert::Infallible> {
        self.one.ask(Ok(event), |data| Ok(data.clone()))
    }
}

/// Where an emitter sends to: one client.
#[derive(Debug)]
pub struct One {
    core: Arc<SocketCore>,
    timeout: Duration,
    flags: Flags,
}

impl One {
    fn emit(&self, event: Body) -> Result<(), EmitError> {
        let volatile = self.flags.volatile || event.is_volatile();
        let namespace = &self.core.namespace;
        namespace.settings.hooks.outgoing(&Outgoing::new(&namespace.path, &event));
        let packet = bundle(encode_event(&namespace.path, None, event));
        self.core.push(packet, if volatile { Urgency::Volatile } else { Urgency::Normal })
    }

    fn emit_raw(&self, event: &str, args: impl Serialize) -> Result<(), EmitError> {
        let mut writer = BodyWriter::event(event);
        writer.args(&args);
        self.emit(writer.finish()?)
    }
}

impl EmitTarget for One {
    type Sent = ();
    type Reply<T: Send + 'static, E: Send + 'static> = Reply<T, E>;

    fn send(&self, event: Result<Body, EncodeError>) {
        match event.map_err(EmitError::from).and_then(|event| self.emit(event)) {
            Ok(()) | Err(EmitError::Disconnected | EmitError::NotWritable | EmitError::Full) => {}
            Err(error) => tracing::error!(%error, socket = %self.core.id, "an event was not sent"),
        }
    }

    fn ask<T: Send + 'static, E: Send + 'static>(&self, event: Result<Body, EncodeError>, decode: Decode<T, E>) -> Reply<T, E> {
        let event = match event {
            Ok(event) => event,
            Err(error) => return Reply::failed(Failure::Encode(error.to_string()), decode),
        };
        let namespace = &self.core.namespace;
        let id = namespace.next_ack_id();
        let (waiter, data) = oneshot::channel();
        if !self.core.expect_ack(id, Waiter::One(waiter)) {
            return Reply::failed(Failure::Disconnected, decode);
        }
        let reply = Reply::new(Arc::clone(&self.core), id, data, self.timeout, decode);
        let urgency = if self.flags.volatile || event.is_volatile() { Urgency::Volatile } else { Urgency::Normal };
        namespace.settings.hooks.outgoing(&Outgoing::new(&namespace.path, &event));
        match self.core.push(bundle(encode_event(&namespace.path, Some(id), event)), urgency) {
            // A volatile event that was dropped times out, as in the reference: the client may have been busy, not gone.
            Ok(()) | Err(EmitError::NotWritable) => reply,
            Err(_) => Reply::failed(Failure::Disconnected, decode),
        }
    }
}

/// Where an emitter sends to: one client, telling whether the event left.
#[derive(Debug)]
pub struct Try(One);

impl EmitTarget for Try {
    type Sent = Result<(), EmitError>;
    type Reply<T: Send + 'static, E: Send + 'static> = Reply<T, E>;

    fn send(&self, event: Result<Body, EncodeError>) -> Result<(), EmitError> {
        self.0.emit(event?)
    }

    fn ask<T: Send + 'static, E: Send + 'static>(&self, event: Result<Body, EncodeError>, decode: Decode<T, E>) -> Reply<T, E> {
        self.0.ask(event, decode)
    }
}

impl<E> From<EmitError> for CallError<E> {
    fn from(error: EmitError) -> Self {
        match error {
            EmitError::Encode(error) => CallError::Encode(error.to_string()),
            _ => CallError::Disconnected,
        }
    }
}
