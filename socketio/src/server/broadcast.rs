//! `Broadcast`: an address of many clients with options, and what can be done with it. An event is encoded once, whatever
//! the number of receivers.

use super::{
    ack::{Asked, BroadcastReply, Failure, Waiter},
    core::SocketCore,
    emit::{EmitError, EmitterOf, raw_event},
    mounts::Scope,
    namespace::NamespaceCore,
    observe::Addressed,
    recovery::Audience,
    remote::RemoteSocket,
};
use crate::{
    contract::{AckData, Decode, Events, Namespace, Target as EmitTarget},
    engine::{Bundle, SendError, Urgency},
    id::{Quick, SocketId},
    parser::{Body, EncodeError, encode_event},
    room::{Room, Target},
};
use serde::Serialize;
use std::{collections::HashMap, convert::Infallible, fmt, marker::PhantomData, sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// Clients of namespace `N`, addressed by rooms and options. Every method gives a narrower address.
///
/// ```
/// # use socketio::{Socket, SocketIo, events, namespace};
/// # use std::time::Duration;
/// # #[events] trait GameEvents {
/// #     #[event] async fn scored(&self, points: u32);
/// #     #[event] async fn ready(&self) -> bool;
/// # }
/// # #[namespace("/game", emits = GameEvents)] trait Game {}
/// async fn start(io: &SocketIo, player: &Socket<dyn Game>) -> bool {
///     let game = io.of::<dyn Game>();
///     game.to("team red").to("team blue").except("spectators").emit().scored(0);
///     player.to("team red").volatile().emit().scored(0); // without the player itself
///
///     let answers = game.except("spectators").timeout(Duration::from_secs(5)).emit().ready().await;
///     answers.into_iter().all(|(_, ready)| ready == Ok(true))
/// }
/// ```
///
/// An address also moves its clients, and takes events that are known only at run time:
///
/// ```
/// use socketio::{Body, Broadcast, EmitError, namespace};
/// # use socketio::{SocketIo, test::Client};
/// # #[namespace("/game")] trait Game {}
/// # struct Player;
/// # impl Game for Player {}
///
/// async fn close_table(table: Broadcast<dyn Game>) -> Result<usize, EmitError> {
///     let players = table.clone().fetch_sockets().await.len();
///     table.clone().compress(false).emit_raw("closing", (players,))?;
///     table.clone().local().emit_body(Body::event("bye", &())?); // only clients of this server
///     let answers = table.clone().ask_raw("rate us", ())?;
///     table.clone().sockets_join("lobby");
///     table.sockets_leave("table 1");
///     Ok(answers.await.iter().filter(|(_, answer)| answer.is_ok()).count())
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(async {
/// # let io = SocketIo::builder().shared::<dyn Game>(Player).build();
/// # let client = Client::<dyn Game>::connect(&io).await.unwrap();
/// # io.of::<dyn Game>().sockets_join("table 1");
/// let table = io.of::<dyn Game>().to("table 1");
/// # assert_eq!(close_table(table.clone()).await, Ok(0));
/// # client.expect("closing", [1]).await;
/// # assert_eq!((table.fetch_sockets().await.len(), io.of::<dyn Game>().to("lobby").fetch_sockets().await.len()), (0, 1));
/// io.of::<dyn Game>().to("lobby").disconnect_sockets(false);
/// # client.disconnected().await;
/// # });
/// ```
#[must_use = "an address does nothing: end with `.emit().event(..)` or another action"]
pub struct Broadcast<N: ?Sized> {
    many: Many,
    name: PhantomData<fn(&N)>,
}

impl<N: ?Sized> Clone for Broadcast<N> {
    fn clone(&self) -> Self {
        Broadcast { many: self.many.clone(), name: PhantomData }
    }
}

impl<N: ?Sized> fmt::Debug for Broadcast<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broadcast").field("target", &self.many.target).finish_non_exhaustive()
    }
}

impl<N: Namespace + ?Sized> Broadcast<N> {
    pub(super) fn new(many: Many) -> Self {
        Broadcast { many, name: PhantomData }
    }

    /// Adds a room. A client in several of the rooms gets the event once.
    pub fn to(mut self, room: impl Into<Room>) -> Self {
        self.many.target.rooms.push(room.into());
        self
    }

    /// Leaves out the members of a room, or one client by its id.
    pub fn except(mut self, room: impl Into<Room>) -> Self {
        self.many.target.except.push(room.into());
        self
    }

    /// Waits at most so long for acknowledgements.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.many.timeout = timeout;
        self
    }

    /// Drops the event for clients whose connection cannot take it at once.
    pub fn volatile(mut self) -> Self {
        self.many.target.flags.volatile = true;
        self
    }

    /// Drops the last event with this key for clients to whom it was not sent yet; see
    /// [`Socket::conflate`](super::Socket::conflate).
    pub fn conflate(mut self, key: impl Into<String>) -> Self {
        self.many.conflate = Some(key.into().into());
        self
    }

    /// Only clients of this server.
    pub fn local(mut self) -> Self {
        self.many.target.flags.local = true;
        self
    }

    /// Whether the event is worth compressing, on transports that compress; see
    /// [`Socket::compress`](super::Socket::compress).
    pub fn compress(mut self, compress: bool) -> Self {
        self.many.target.flags.uncompressed = !compress;
        self
    }

    /// The events that can be emitted to these clients.
    pub fn emit(self) -> EmitterOf<N, Many> {
        N::Emits::emitter(self.many)
    }

    /// Emits an event whose name and arguments are known only at run time; see
    /// [`Socket::emit_raw`](super::Socket::emit_raw).
    ///
    /// # Errors
    /// An argument could not be serialized.
    pub fn emit_raw(self, event: &str, args: impl Serialize) -> Result<(), EmitError> {
        self.many.emit(raw_event(event, args)?);
        Ok(())
    }

    /// Emits an event whose name and arguments are known only at run time, and asks every client for an acknowledgement; see
    /// [`Socket::ask_raw`](super::Socket::ask_raw).
    ///
    /// # Errors
    /// The name is reserved or an argument could not be serialized: nothing was sent.
    pub fn ask_raw(self, event: &str, args: impl Serialize) -> Result<BroadcastReply<AckData, Infallible>, EmitError> {
        Ok(self.ask_body(raw_event(event, args)?))
    }

    /// Emits an event that is encoded already.
    pub fn emit_body(self, event: Body) {
        self.many.emit(event);
    }

    /// Emits an event that is encoded already and asks every client for an acknowledgement.
    pub fn ask_body(self, event: Body) -> BroadcastReply<AckData, Infallible> {
        self.many.ask(Ok(event), |data| Ok(data.clone()))
    }

    /// The addressed clients.
    pub async fn fetch_sockets(self) -> Vec<RemoteSocket<N>> {
        self.many.sockets().into_iter().map(RemoteSocket::new).collect()
    }

    /// Makes the addressed clients join a room.
    pub fn sockets_join(self, room: impl Into<Room>) {
        let room = room.into();
        self.many.all().iter().for_each(|socket| socket.join(room.clone()));
    }

    /// Makes the addressed clients leave a room.
    pub fn sockets_leave(self, room: impl AsRef<str>) {
        self.many.all().iter().for_each(|socket| socket.leave(room.as_ref()));
    }

    /// Disconnects the addressed clients from the namespace, or (`close`) closes their connections.
    pub fn disconnect_sockets(self, close: bool) {
        self.many.all().iter().for_each(|socket| socket.disconnect(close));
    }
}

/// Where an emitter sends to: many clients.
#[derive(Clone)]
pub struct Many {
    scope: Scope,
    target: Target,
    timeout: Duration,
    /// The key of what the event replaces.
    conflate: Option<Arc<str>>,
}

impl fmt::Debug for Many {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Many").field("target", &self.target).finish_non_exhaustive()
    }
}

impl Many {
    pub(super) fn new(scope: Scope) -> Self {
        let timeout = scope.settings().ack_timeout;
        Many { scope, target: Target::default(), timeout, conflate: None }
    }

    pub(super) fn sockets(&self) -> Vec<Arc<SocketCore>> {
        let mut sockets = Vec::new();
        for namespace in self.scope.namespaces() {
            namespace.members.read().visit(&self.target, |socket| sockets.push(Arc::clone(socket)));
        }
        sockets
    }

    /// Also those whose clients are away, and may come back.
    fn all(&self) -> Vec<Arc<SocketCore>> {
        let mut sockets = self.sockets();
        for namespace in self.scope.namespaces() {
            if let Some(lane) = &namespace.lane {
                let absent = lane.store.absent(&namespace);
                let addressed = |socket: &Arc<SocketCore>| {
                    let rooms = socket.rooms();
                    self.target.addresses(|room| rooms.contains(room))
                };
                sockets.extend(absent.into_iter().filter(addressed));
            }
        }
        sockets
    }

    fn urgency(&self, event: &Body) -> Urgency {
        if self.target.flags.volatile || event.is_volatile() { Urgency::Volatile } else { Urgency::Normal }
    }

    fn packet(&self, namespace: &NamespaceCore, ack_id: Option<u64>, event: Body) -> Bundle {
        let packet = namespace.settings.spelling.bundle(encode_event(&namespace.path, ack_id, event));
        packet.compress(!self.target.flags.uncompressed).for_many(namespace.settings.deflated_from)
    }

    fn emit(&self, event: Body) {
        match &self.scope {
            Scope::One(namespace) => self.emit_in(namespace, event),
            family => family.namespaces().iter().for_each(|namespace| self.emit_in(namespace, event.clone())),
        }
    }

    fn emit_in(&self, namespace: &NamespaceCore, event: Body) {
        let urgency = self.urgency(&event);
        namespace.outgoing(&event, Addressed::Many(&self.target));
        let event = match urgency {
            Urgency::Volatile => namespace.unposted(event),
            _ if self.conflate.is_some() => namespace.unposted(event),
            _ => match namespace.post(None, || Audience::Many(self.target.clone()), event, !self.target.flags.uncompressed) {
                Some(event) => event,
                None => return,
            },
        };
        let packet = self.packet(namespace, None, event);
        let (mut volatile, mut full) = (0, 0);
        namespace.members.read().visit(&self.target, |socket| {
            // A client that cannot take it does not concern the others, nor the caller.
            match socket.on_link(|link| link.engine.outbox.push_keyed(packet.clone(), urgency, self.conflate.as_ref())) {
                Err(SendError::NotWritable) => volatile += 1,
                Err(SendError::Full) => full += 1,
                _ => {}
            }
        });
        namespace.dropped(volatile, full);
    }
}

impl EmitTarget for Many {
    type Sent = ();
    type Reply<T: Send + 'static, E: Send + 'static> = BroadcastReply<T, E>;

    fn send(&self, event: Result<Body, EncodeError>) {
        match event {
            Ok(event) => self.emit(event),
            Err(error) => tracing::error!(%error, "a broadcast was not sent"),
        }
    }

    fn ask<T: Send + 'static, E: Send + 'static>(
        &self,
        event: Result<Body, EncodeError>,
        decode: Decode<T, E>,
    ) -> BroadcastReply<T, E> {
        let (waiter, answers) = mpsc::unbounded_channel();
        let mut missing: HashMap<SocketId, Asked, Quick> = HashMap::default();
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                let failure = Some(Failure::Encode(error.to_string()));
                return BroadcastReply::new(failure, missing, answers, self.timeout, decode);
            }
        };
        let urgency = self.urgency(&event);
        for namespace in self.scope.namespaces() {
            let id = namespace.next_ack_id();
            namespace.outgoing(&event, Addressed::Many(&self.target));
            let (mut volatile, mut full) = (0, 0);
            let packet = self.packet(&namespace, Some(id), event.clone());
            namespace.members.read().visit(&self.target, |socket| {
                missing.insert(socket.id(), Asked { socket: Arc::clone(socket), id });
                if socket.expect_ack(id, Waiter::Many(waiter.clone())) {
                    match socket.on_link(|link| link.engine.outbox.push(packet.clone(), urgency)) {
                        Err(SendError::NotWritable) => volatile += 1,
                        Err(SendError::Full) => full += 1,
                        _ => {}
                    }
                }
            });
            namespace.dropped(volatile, full);
        }
        BroadcastReply::new(None, missing, answers, self.timeout, decode)
    }
}
