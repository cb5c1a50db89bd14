//! `Socket<N>`: the user's typed handle on one client of a namespace.

use super::{
    ack::Reply,
    broadcast::Broadcast,
    core::SocketCore,
    data::{self, DataError},
    emit::{EmitError, EmitterOf, One, Single, Try, raw_event},
    namespace::NamespaceHandle,
    recovery::Tracked,
};
use crate::{
    contract::{AckData, Events, Incoming, Namespace},
    engine::{Handshake, Transport, network},
    id::SocketId,
    parser::Body,
    room::Room,
};
use http::request::Parts;
use serde::Serialize;
use std::{convert::Infallible, fmt, marker::PhantomData, net::IpAddr, sync::Arc, time::Duration};

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
///
/// Rooms, the connection, and what is only known at run time:
///
/// ```
/// use socketio::{EmitError, Socket, SocketId, Transport, events, namespace};
/// # use socketio::{ConnectError, SocketIo, test::Client};
///
/// # #[events] trait GameEvents { #[event] async fn moved(&self, field: u32); #[event] async fn over(&self); }
/// #[namespace("/game", emits = GameEvents)]
/// trait Game {}
/// # struct Player;
/// # impl Game for Player {}
///
/// fn change_table(socket: &Socket<dyn Game>, from: &str, to: &str) -> Result<(), EmitError> {
///     socket.leave(from);
///     socket.join(to);
///     assert!(socket.in_room(to) && socket.in_room(socket.id().as_str()), "its own room is always there");
///     socket.to(to).except("watchers").emit().moved(1); // the others at the table
///     socket.except("watchers").emit().moved(2); // all others but those who watch
///     socket.namespace().emit().moved(3); // everybody, this client included
///     socket.volatile().emit().moved(4); // lost rather than late
///     socket.try_emit().moved(5)?; // tells whether it left
///     socket.emit_raw("table", (to, 4))
/// }
///
/// fn end(socket: &Socket<dyn Game>) -> SocketId {
///     socket.emit().over(); // arrives before the end
///     socket.disconnect(false); // `true`: its whole connection
///     socket.id()
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let io = SocketIo::builder().shared::<dyn Game>(Player).build();
/// # let client = Client::<dyn Game>::connect(&io).await.unwrap();
/// # let socket = io.of::<dyn Game>().sockets().remove(0);
/// assert_eq!((socket.path(), socket.auth_json(), socket.transport()), ("/game", "{}", Transport::Polling));
/// assert!(socket.is_connected());
/// # socket.join("red");
/// change_table(&socket, "red", "blue")?;
/// assert_eq!(socket.rooms(), [socket.id().into(), "blue".into()]);
/// # client.expect("moved", [3]).await;
/// # client.expect("moved", [5]).await;
/// # client.expect("table", serde_json::json!(["blue", 4])).await;
/// assert_eq!(end(&socket), socket.id());
/// # client.expect("over", ()).await;
/// # client.disconnected().await;
/// assert!(!socket.is_connected());
/// # Ok::<(), EmitError>(())
/// # }).unwrap();
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
        self.core.id()
    }

    /// The path of its namespace.
    pub fn path(&self) -> &str {
        self.core.path()
    }

    /// Whether the client is connected: it was accepted and has not left.
    pub fn is_connected(&self) -> bool {
        self.core.is_connected()
    }

    /// Whether the client has lost its connection at least once and came back to this session; see
    /// [`Recovery`](crate::Recovery). Also true while it comes back, for a connect function that runs again.
    pub fn recovered(&self) -> bool {
        self.core.tracked().is_some_and(Tracked::recovered)
    }

    /// Joins a room. In a connect handler it takes effect when the client is accepted.
    pub fn join(&self, room: impl Into<Room>) {
        self.core.join(room.into());
    }

    /// Waits until what other servers emit to the rooms joined so far reaches this server; see [`NamespaceHandle::settled`].
    ///
    /// ```
    /// # use socketio::{ConnectError, Socket, namespace};
    /// # #[namespace("/chat")] trait Chat { #[event] async fn enter(&self, room: &str) -> bool; }
    /// # struct Session { socket: Socket<dyn Chat> }
    /// impl Chat for Session {
    ///     async fn enter(&self, room: &str) -> bool {
    ///         self.socket.join(room);
    ///         self.socket.settled().await;
    ///         true // from here on nothing is missed
    ///     }
    /// }
    /// ```
    ///
    /// # Cancel safety
    /// It only waits.
    pub async fn settled(&self) {
        if let Some(node) = self.core.namespace().node() {
            node.settled().await;
        }
    }

    /// Leaves a room. The socket's own room cannot be left.
    pub fn leave(&self, room: impl AsRef<str>) {
        self.core.leave(room.as_ref());
    }

    /// The rooms this socket is in, its own first. In a `#[disconnect]` method: the rooms it was in.
    pub fn rooms(&self) -> Vec<Room> {
        self.core.rooms()
    }

    /// Whether this socket is in the room, as [`rooms`](Self::rooms) would tell.
    ///
    /// ```
    /// # use socketio::Socket;
    /// fn may_write<N: ?Sized>(socket: &Socket<N>, room: &str) -> bool {
    ///     socket.in_room(room) && !socket.in_room("muted")
    /// }
    /// ```
    pub fn in_room(&self, room: impl AsRef<str>) -> bool {
        self.core.is_in(room.as_ref())
    }

    /// Disconnects the client from this namespace, or (`close`) closes its whole connection. What was emitted before is
    /// delivered first. A stock client does not reconnect by itself.
    pub fn disconnect(&self, close: bool) {
        self.core.disconnect(close);
    }

    /// The HTTP request that opened the connection; of a session that was recovered, the connection it began with.
    pub fn handshake(&self) -> &Handshake {
        self.core.handshake()
    }

    /// What its connection is called where its id, a secret, must not be shown.
    pub(crate) fn connection(&self) -> u64 {
        self.core.on_link(|link| link.engine.number)
    }

    /// The network of its address, as admission counts them.
    pub(crate) fn network(&self, address: impl Fn(&Parts) -> Option<IpAddr>) -> Option<IpAddr> {
        address(&self.handshake().to_parts()).map(network)
    }

    /// How the client is connected at this moment.
    pub fn transport(&self) -> Transport {
        self.core.on_link(|link| link.engine.transport())
    }

    /// The JSON text of the `auth` payload; `{}` if the client sent none. Prefer the [`Auth`](crate::Auth) extractor.
    pub fn auth_json(&self) -> &str {
        self.core.auth()
    }

    /// Emits an event whose name and arguments are known only at run time. `args` is a tuple or a list: each element
    /// becomes one argument.
    ///
    /// # Errors
    /// The event did not leave the server.
    pub fn emit_raw(&self, event: &str, args: impl Serialize) -> Result<(), EmitError> {
        self.one().emit_raw(event, args)
    }

    /// Emits an event whose name and arguments are known only at run time, and asks for an acknowledgement: of any number of
    /// arguments of any type. `args` is as for [`emit_raw`](Self::emit_raw).
    ///
    /// ```
    /// # use socketio::{Socket, Untyped};
    /// async fn version(socket: &Socket<Untyped>) -> Option<String> {
    ///     let answer = socket.ask_raw("version", ()).ok()?.await.ok()?;
    ///     answer.raw_args().get(0).ok()
    /// }
    /// ```
    ///
    /// # Errors
    /// The name is reserved or an argument could not be serialized: nothing was sent. What goes wrong later, the reply tells.
    pub fn ask_raw(&self, event: &str, args: impl Serialize) -> Result<Reply<AckData, Infallible>, EmitError> {
        Ok(self.one().ask_body(raw_event(event, args)?))
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
        One::new(Arc::clone(&self.core))
    }
}

impl<N: Namespace + ?Sized> Socket<N> {
    /// Sets the data of this socket, in place of what was set before. It is serialized at once, and every server of a cluster
    /// sees it through [`fetch_sockets`](NamespaceHandle::fetch_sockets). Clients do not see it, and it goes with the socket.
    ///
    /// Data is JSON, without [`Binary`](crate::Binary). What only this server needs is better kept in the session: in fields of
    /// the type that implements the namespace.
    ///
    /// ```
    /// # use socketio::{DataError, FetchError, Socket, SocketIo, namespace};
    /// #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    /// struct Profile {
    ///     name: String,
    /// }
    ///
    /// #[namespace("/chat", data = Profile)]
    /// trait Chat {}
    ///
    /// async fn greet(io: &SocketIo, socket: Socket<dyn Chat>) -> Result<(), DataError> {
    ///     socket.set_data(&Profile { name: "ann".to_owned() })?;
    ///     for other in io.of::<dyn Chat>().to("lobby").fetch_sockets().await.unwrap_or_else(FetchError::into_sockets) {
    ///         if let Some(profile) = other.data()? {
    ///             println!("{} is here, too", profile.name);
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// # use socketio::{ConnectError, test::Client};
    /// # struct Session;
    /// # impl Chat for Session {}
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let connect = async |socket: Socket<dyn Chat>| { socket.join("lobby"); Ok::<_, ConnectError>(Session) };
    /// # let io = SocketIo::builder().namespace::<dyn Chat, _>(connect).build();
    /// # let _client = Client::<dyn Chat>::connect(&io).await.unwrap();
    /// # let socket = io.of::<dyn Chat>().sockets().remove(0);
    /// # assert_eq!(socket.data(), Ok(None));
    /// # greet(&io, socket.clone()).await.unwrap();
    /// # assert_eq!(socket.data(), Ok(Some(Profile { name: "ann".to_owned() })));
    /// # });
    /// ```
    ///
    /// # Errors
    /// [`DataError::Encode`]: it cannot be serialized; what was set before stays.
    pub fn set_data(&self, data: &N::Data) -> Result<(), DataError> {
        self.core.set_data(data::encode(data)?);
        Ok(())
    }

    /// The data of this socket; `None` if it was never set. Also in a `#[disconnect]` method.
    ///
    /// # Errors
    /// [`DataError::Decode`]: the type does not read what it has written, or a hook has set the data of a `Socket<Untyped>`.
    pub fn data(&self) -> Result<Option<N::Data>, DataError> {
        data::decode(self.core.data().as_ref())
    }

    /// The events that can be emitted to this client.
    ///
    /// Emitting is eager: the packet is queued when the event's method is called; awaiting only waits for the acknowledgement.
    pub fn emit(&self) -> EmitterOf<N, One> {
        N::Emits::emitter(self.one())
    }

    /// Like [`emit`](Self::emit), with a `Result` for events without acknowledgement.
    pub fn try_emit(&self) -> EmitterOf<N, Try> {
        self.single().try_emit()
    }

    /// Waits at most so long for acknowledgements.
    pub fn timeout(&self, timeout: Duration) -> Single<N> {
        self.single().timeout(timeout)
    }

    /// Drops the event if the connection cannot take it at once.
    pub fn volatile(&self) -> Single<N> {
        self.single().volatile()
    }

    /// Whether the event is worth compressing, on transports that compress; it is by default. Over polling, an answer is
    /// compressed if it has at least [`http_compression`](super::Builder::http_compression) bytes and any packet in it is worth
    /// it. Frames over WebSocket are not compressed.
    ///
    /// ```
    /// # use socketio::{Binary, Socket, events, namespace};
    /// # #[events] trait Frames { #[event] async fn picture(&self, jpeg: Binary); }
    /// # #[namespace("/video", emits = Frames)] trait Video {}
    /// fn show(socket: &Socket<dyn Video>, jpeg: Binary) {
    ///     socket.compress(false).emit().picture(jpeg.clone()); // a JPEG is compressed already
    ///     socket.to("viewers").compress(false).emit().picture(jpeg);
    /// }
    /// ```
    pub fn compress(&self, compress: bool) -> Single<N> {
        self.single().compress(compress)
    }

    /// Drops the last event with this key, if it still waits to be sent, in favour of this one: for values of which only the
    /// newest counts, such as positions. The order of what is sent is that in which it was emitted. Keys are those of the
    /// connection, whatever the event and the namespace. An event that asks for an acknowledgement is sent in any case. With
    /// [recovery](super::Recovery), such an event is not kept for clients that come back.
    ///
    /// ```
    /// # use socketio::{Socket, events, namespace};
    /// # #[events] trait Moves { #[event] async fn cursor(&self, who: &str, x: u32, y: u32); }
    /// # #[namespace("/", emits = Moves)] trait Board {}
    /// fn moved(socket: &Socket<dyn Board>, who: &str, x: u32, y: u32) {
    ///     socket.to("board").conflate(format!("cursor:{who}")).emit().cursor(who, x, y);
    /// }
    /// ```
    pub fn conflate(&self, key: impl Into<String>) -> Single<N> {
        self.single().conflate(key)
    }

    /// Waits until less than half of [`max_buffered`](super::Builder::max_buffered) waits to be sent to this client: a sender
    /// of much that asks before each event makes no slow consumer of anybody.
    ///
    /// ```
    /// # use socketio::{EmitError, Socket, events, namespace};
    /// # #[events] trait Export { #[event] async fn row(&self, row: &str); }
    /// # #[namespace("/", emits = Export)] trait Main {}
    /// async fn export(socket: &Socket<dyn Main>, rows: &[String]) -> Result<(), EmitError> {
    ///     for row in rows {
    ///         socket.ready().await?;
    ///         socket.try_emit().row(row)?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// The client has gone, or its connection ends while this waits.
    ///
    /// # Cancel safety
    /// Nothing is lost if the future is dropped.
    pub async fn ready(&self) -> Result<(), EmitError> {
        std::future::poll_fn(|cx| self.core.on_link(|link| link.engine.outbox.poll_room(cx))).await?;
        if self.core.closed().is_some() { Err(EmitError::Disconnected) } else { Ok(()) }
    }

    fn single(&self) -> Single<N> {
        Single::new(self.one())
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
        self.namespace().except(self.core.id())
    }

    /// The namespace this client is in.
    pub fn namespace(&self) -> NamespaceHandle<N> {
        NamespaceHandle::new(Arc::clone(self.core.namespace()))
    }
}
