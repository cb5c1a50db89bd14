//! Emitting to one client: with options (`Single`), and as the targets of typed emitters (`One`, `Try`).

use super::{
    ack::{Failure, Reply, Waiter},
    core::SocketCore,
    many::Many,
    observe::Addressed,
    recovery::Audience,
    remote::Place,
};
pub(super) use crate::contract::{EmitError, raw_event};
use crate::{
    adapter::cluster::Question,
    contract::{AckData, Decode, Events, Namespace, Target as EmitTarget},
    engine::{Bundle, SendError, Urgency},
    parser::{Body, EncodeError, encode_event},
    room::Flags,
};
use serde::Serialize;
use std::{convert::Infallible, fmt, marker::PhantomData, sync::Arc, time::Duration};
use tokio::sync::oneshot;

impl From<SendError> for EmitError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Closed => EmitError::Disconnected,
            SendError::Full => EmitError::Full,
            SendError::NotWritable => EmitError::NotWritable,
        }
    }
}

/// The typed caller of what namespace `N` emits, through target `T`: [`One`] client, [`Try`] the same, [`Many`](crate::Many).
///
/// ```
/// use socketio::{EmitterOf, Many, NamespaceHandle, One, Socket, events, namespace};
/// # #[events] trait GameEvents { #[event] async fn moved(&self, x: u32); }
/// # #[namespace("/game", emits = GameEvents)] trait Game {}
///
/// struct Table { everybody: EmitterOf<dyn Game, Many>, dealer: EmitterOf<dyn Game, One> }
///
/// fn table(game: &NamespaceHandle<dyn Game>, dealer: &Socket<dyn Game>) -> Table {
///     Table { everybody: game.to("table").emit(), dealer: dealer.emit() }
/// }
///
/// fn deal(table: &Table) {
///     table.dealer.moved(0);
///     table.everybody.moved(1); // whoever is in the room by now
/// }
/// # let _ = (table, deal);
/// ```
pub type EmitterOf<N, T> = <<N as Namespace>::Emits as Events>::Emitter<T>;

/// One client, addressed with options.
///
/// ```
/// # use socketio::{CallError, EmitError, Socket, events, namespace};
/// # use std::time::Duration;
/// # #[events] trait GameEvents {
/// #     #[event] async fn moved(&self, x: u32);
/// #     #[event] async fn your_turn(&self) -> u32;
/// # }
/// # #[namespace("/game", emits = GameEvents)] trait Game {}
/// async fn turn(player: &Socket<dyn Game>) -> u32 {
///     player.volatile().emit().moved(7); // lost rather than late
///     match player.timeout(Duration::from_secs(30)).emit().your_turn().await {
///         Ok(field) => field,
///         Err(CallError::Timeout | CallError::Disconnected) => 0,
///         Err(error) => panic!("{error}"),
///     }
/// }
/// ```
///
/// What is known only at run time goes the same ways:
///
/// ```
/// use socketio::{Body, EmitError, Socket, Untyped};
/// # use socketio::{Incoming, Outcome, Service, SocketIo, ConnectError, test::Client};
/// # use std::{sync::Arc, time::Duration};
///
/// async fn ask(socket: &Socket<Untyped>, event: Body) -> Result<Option<String>, EmitError> {
///     socket.compress(false).emit_raw("asked", ("version", 2))?;
///     match socket.volatile().emit_body(event.clone()) {
///         Ok(()) | Err(EmitError::NotWritable) => {} // lost rather than late
///         Err(error) => return Err(error),
///     }
///     let by_body = socket.timeout(Duration::from_secs(1)).ask_body(event);
///     let by_name = socket.timeout(Duration::from_secs(1)).ask_raw("version", ())?;
///     let (by_body, by_name) = (by_body.await.ok(), by_name.await.ok());
///     Ok(by_body.or(by_name).and_then(|answer| answer.raw_args().get(0).ok()))
/// }
/// # struct Quiet;
/// # impl Service for Quiet { async fn event(self: Arc<Self>, _: Incoming) -> Outcome { Outcome::Done(None) } }
/// # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(async {
/// # let connect = async |_: Socket<Untyped>| Ok::<_, ConnectError>(Quiet);
/// # let io = SocketIo::builder().namespace_at::<Untyped, _>("/", connect).build();
/// # let client = Client::<Untyped>::connect(&io).path("/").await.unwrap();
/// # let socket = io.at::<Untyped>("/").unwrap().sockets().remove(0);
/// # assert_eq!(ask(&socket, Body::event("version", &[true]).unwrap()).await, Ok(None), "nobody answers");
/// # client.expect("asked", serde_json::json!(["version", 2])).await;
/// # });
/// ```
pub struct Single<N: ?Sized> {
    one: One,
    name: PhantomData<fn(&N)>,
}

impl<N: ?Sized> fmt::Debug for Single<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Single").field("one", &self.one).finish()
    }
}

impl<N: ?Sized> Single<N> {
    pub(super) fn new(one: One) -> Self {
        Single { one, name: PhantomData }
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

    /// Drops the last event with this key if it was not sent yet; see [`Socket::conflate`](super::Socket::conflate).
    pub fn conflate(mut self, key: impl Into<String>) -> Self {
        self.one.conflate = Some(key.into().into());
        self
    }

    /// Whether the event is worth compressing, on transports that compress; it is by default. Over polling, an answer is
    /// compressed if it is large enough and any packet in it is worth it.
    pub fn compress(mut self, compress: bool) -> Self {
        self.one.flags.uncompressed = !compress;
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

    /// Emits an event whose name and arguments are known only at run time; see [`Socket::emit_raw`](super::Socket::emit_raw).
    ///
    /// # Errors
    /// The event did not leave the server.
    pub fn emit_raw(self, event: &str, args: impl Serialize) -> Result<(), EmitError> {
        self.one.emit_raw(event, args)
    }

    /// Emits an event whose name and arguments are known only at run time, and asks for an acknowledgement; see
    /// [`Socket::ask_raw`](super::Socket::ask_raw).
    ///
    /// # Errors
    /// The name is reserved or an argument could not be serialized: nothing was sent.
    pub fn ask_raw(self, event: &str, args: impl Serialize) -> Result<Reply<AckData, Infallible>, EmitError> {
        Ok(self.one.ask_body(raw_event(event, args)?))
    }

    /// Emits an event that is encoded already.
    ///
    /// # Errors
    /// The event did not leave the server.
    pub fn emit_body(self, event: Body) -> Result<(), EmitError> {
        self.one.emit(event)
    }

    /// Emits an event that is encoded already and asks for an acknowledgement.
    pub fn ask_body(self, event: Body) -> Reply<AckData, Infallible> {
        self.one.ask_body(event)
    }
}

/// Where an emitter sends to: one client.
pub struct One {
    place: Place,
    timeout: Duration,
    flags: Flags,
    /// The key of what the event replaces.
    conflate: Option<Arc<str>>,
}

impl fmt::Debug for One {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("One").field("id", &self.place.id()).field("flags", &self.flags).finish_non_exhaustive()
    }
}

impl One {
    pub(super) fn new(core: Arc<SocketCore>) -> Self {
        Self::at(Place::Here(core))
    }

    pub(super) fn at(place: Place) -> Self {
        let timeout = place.namespace().settings.ack_timeout;
        One { place, timeout, flags: Flags::default(), conflate: None }
    }

    /// The socket; an error if it is connected to another server: then it is addressed as a room.
    fn here(&self) -> Result<&Arc<SocketCore>, Many> {
        match &self.place {
            Place::Here(core) => Ok(core),
            elsewhere => {
                let mut many = elsewhere.many();
                many.target.flags = self.flags;
                many.conflate.clone_from(&self.conflate);
                Err(many)
            }
        }
    }

    pub(super) fn emit(&self, event: Body) -> Result<(), EmitError> {
        let core = match self.here() {
            Ok(core) => core,
            Err(many) => {
                many.emit(event);
                return Ok(());
            }
        };
        let volatile = self.flags.volatile || event.is_volatile();
        let namespace = core.namespace();
        namespace.outgoing(&event, Addressed::One(core.id()));
        let (event, urgency) = if volatile {
            (namespace.unposted(event), Urgency::Volatile)
        } else if self.conflate.is_some() {
            (namespace.unposted(event), Urgency::Normal)
        } else if namespace.lane.is_some() && core.has_ended() {
            return Err(EmitError::Disconnected);
        } else if namespace.lane.is_some() && core.is_full() {
            return Err(EmitError::Full);
        } else {
            match namespace.post(Some(core), || Audience::One(core.id()), event, !self.flags.uncompressed) {
                Some(event) => (event, Urgency::Normal),
                None => return Ok(()),
            }
        };
        self.push(core, self.packet(core, None, event), urgency, self.conflate.as_ref())
    }

    fn push(&self, core: &SocketCore, packet: Bundle, urgency: Urgency, key: Option<&Arc<str>>) -> Result<(), EmitError> {
        let pushed = core.push(packet, urgency, key);
        match pushed {
            Err(EmitError::NotWritable) => core.namespace().dropped(1, 0),
            Err(EmitError::Full) => core.namespace().dropped(0, 1),
            _ => {}
        }
        pushed
    }

    pub(super) fn ask_body(&self, event: Body) -> Reply<AckData, Infallible> {
        self.ask(Ok(event), |data| Ok(data.clone()))
    }

    fn packet(&self, core: &SocketCore, ack_id: Option<u64>, event: Body) -> Bundle {
        let namespace = core.namespace();
        let packet = namespace.settings.spelling.bundle(encode_event(&namespace.path, ack_id, event));
        packet.compress(!self.flags.uncompressed)
    }

    pub(super) fn emit_raw(&self, event: &str, args: impl Serialize) -> Result<(), EmitError> {
        self.emit(raw_event(event, args)?)
    }
}

impl EmitTarget for One {
    type Sent = ();
    type Reply<T: Send + 'static, E: Send + 'static> = Reply<T, E>;

    fn send(&self, event: Result<Body, EncodeError>) {
        match event.map_err(EmitError::from).and_then(|event| self.emit(event)) {
            Ok(()) | Err(EmitError::Disconnected | EmitError::NotWritable | EmitError::Full) => {}
            Err(error) => tracing::error!(%error, socket = self.place.id(), "an event was not sent"),
        }
    }

    fn ask<T: Send + 'static, E: Send + 'static>(&self, event: Result<Body, EncodeError>, decode: Decode<T, E>) -> Reply<T, E> {
        let event = match event {
            Ok(event) => event,
            Err(error) => return Reply::failed(Failure::Encode(error.to_string()), decode),
        };
        let core = match self.here() {
            Ok(core) => core,
            Err(many) => {
                let target = many.target_of(&event);
                let mut asked =
                    many.inquire(self.timeout, || Question::Clients { target: target.clone(), event: event.clone(), single: true });
                return match asked.pop() {
                    Some((_, inquiry)) => Reply::elsewhere(inquiry, decode),
                    None => Reply::failed(Failure::Disconnected, decode),
                };
            }
        };
        let namespace = core.namespace();
        let id = namespace.next_ack_id();
        let (waiter, data) = oneshot::channel();
        if !core.expect_ack(id, Waiter::One(waiter)) {
            return Reply::failed(Failure::Disconnected, decode);
        }
        let reply = Reply::new(Arc::clone(core), id, data, self.timeout, decode);
        let urgency = if self.flags.volatile || event.is_volatile() { Urgency::Volatile } else { Urgency::Normal };
        namespace.outgoing(&event, Addressed::One(core.id()));
        match self.push(core, self.packet(core, Some(id), event), urgency, None) {
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
