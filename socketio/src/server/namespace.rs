//! One namespace at run time: `NamespaceCore`, and `NamespaceHandle<N>`, the user's typed handle.

use super::{
    ack::BroadcastReply,
    broadcast::Broadcast,
    cluster::{ClusterEmitterOf, ClusterError, Hub, Node, OtherServers, ServerHandler, ServerReplies},
    core::SocketCore,
    emit::{EmitError, EmitterOf},
    fetch::FetchError,
    hooks::Hooks,
    many::Many,
    members::Members,
    mounts::{Mount, Scope},
    observe::Watch,
    recovery::{Audience, Lane, Posted, Store},
    remote::RemoteSocket,
    session::caught,
    socket::Socket,
    spelling::Spelling,
};
use crate::{
    contract::{AckData, Events, Namespace},
    engine::{ClientAddress, Handshake},
    metrics::Meter,
    parser::Body,
    room::Room,
};
use parking_lot::RwLock;
use serde::Serialize;
use std::{
    convert::Infallible,
    fmt,
    marker::PhantomData,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// What all namespaces of a server share.
pub(super) struct Settings {
    pub(super) ack_timeout: Duration,
    /// How long other servers may take to answer.
    pub(super) cluster_timeout: Duration,
    /// Set if there are other servers.
    pub(super) hub: Option<Arc<Hub>>,
    /// Tells where a request comes from.
    pub(super) address: Option<Arc<ClientAddress>>,
    pub(super) handlers_per_socket: usize,
    pub(super) hooks: Hooks,
    pub(super) meter: Meter,
    /// Set if somebody looks at every socket.
    pub(super) watch: Option<Arc<dyn Watch>>,
    /// Set if connections are recovered.
    pub(super) recovery: Option<Arc<dyn Store>>,
    pub(super) spelling: Spelling,
    /// The size from which WebSockets may compress.
    pub(super) deflated_from: Option<usize>,
}

impl Settings {
    /// Where a request came from, if anybody can tell.
    pub(super) fn address_of(&self, request: &Handshake) -> Option<IpAddr> {
        match &self.address {
            // User code; what it does wrong is no reason to hide a socket.
            Some(address) => caught(|| address(&request.to_parts())).ok().flatten(),
            None => request.extensions().get::<SocketAddr>().map(SocketAddr::ip),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("hooks", &self.hooks).field("meter", &self.meter).finish_non_exhaustive()
    }
}

/// Who is told that a dynamic namespace has ended.
pub(super) trait Parent: Send + Sync {
    fn forget(&self, path: &str);
}

/// One namespace: its members and its acknowledgement ids.
pub(super) struct NamespaceCore {
    pub(super) path: String,
    /// What it is called in metrics: children of a dynamic namespace have one name.
    pub(super) label: Arc<str>,
    /// Guards membership and rooms: read to fan out, written to join and leave. Taken before every other lock, and never
    /// held while user code runs.
    pub(super) members: RwLock<Members>,
    /// One counter for the namespace, as in the reference: a broadcast is encoded once, with one id for all.
    ack_ids: AtomicU64,
    /// Set if connections are recovered.
    pub(super) lane: Option<Box<Lane>>,
    /// Its end of the cluster, once it was used within a runtime.
    pub(super) node: OnceLock<Arc<Node>>,
    /// Who handles what other servers emit.
    pub(super) server_events: Option<Arc<ServerHandler>>,
    pub(super) me: Weak<NamespaceCore>,
    pub(super) settings: Arc<Settings>,
    /// Set for a child of a dynamic namespace, which lives as long as somebody uses it.
    parent: Option<Weak<dyn Parent>>,
}

impl fmt::Debug for NamespaceCore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NamespaceCore").field("path", &self.path).finish_non_exhaustive()
    }
}

impl NamespaceCore {
    pub(super) fn new(path: String, mount: &Mount, settings: Arc<Settings>, parent: Option<Weak<dyn Parent>>) -> Arc<Self> {
        let (label, server_events) = (mount.pattern.label(), mount.server_events.clone());
        let looks = settings.watch.as_ref().is_some_and(|watch| watch.path() == path);
        let lane = settings.recovery.as_ref().filter(|_| !looks).map(|store| Box::new(Lane::new(Arc::clone(store))));
        Arc::new_cyclic(|me| NamespaceCore {
            path,
            label,
            members: RwLock::default(),
            ack_ids: AtomicU64::new(0),
            lane,
            node: OnceLock::new(),
            server_events,
            me: Weak::clone(me),
            settings,
            parent,
        })
    }

    /// Posts an event that must reach its receivers, later if not now. Without recovery it comes back, to be sent.
    pub(super) fn post(
        &self,
        socket: Option<&Arc<SocketCore>>,
        audience: impl FnOnce() -> Audience,
        body: Body,
        compress: bool,
    ) -> Option<Body> {
        match &self.lane {
            None => Some(body),
            Some(lane) => {
                lane.store.post(Posted { namespace: self, socket, audience: audience(), body, compress });
                None
            }
        }
    }

    /// An event that goes to those who are there, and to nobody later.
    pub(super) fn unposted(&self, mut body: Body) -> Body {
        if self.lane.is_some() {
            body.hide_last_string();
        }
        body
    }

    pub(super) fn next_ack_id(&self) -> u64 {
        self.ack_ids.fetch_add(1, Ordering::Relaxed)
    }
}

impl Drop for NamespaceCore {
    fn drop(&mut self) {
        if let Some(parent) = self.parent.as_ref().and_then(Weak::upgrade) {
            parent.forget(&self.path);
        }
    }
}

/// Handle on all clients of a namespace, such as `NamespaceHandle<dyn Chat>`, or of all children of a dynamic one. Cheap to
/// clone.
/// ```
/// use socketio::{NamespaceHandle, SocketIo, events, namespace};
/// use std::time::Duration;
/// # use socketio::test::Client;
///
/// #[events]
/// trait GameEvents {
///     #[event]
///     async fn begins(&self, round: u32);
///     #[event]
///     async fn ready(&self) -> bool;
/// }
/// #[namespace("/game", emits = GameEvents)]
/// trait Game {}
/// # struct Player;
/// # impl Game for Player {}
/// # struct Page;
/// # impl GameEvents for Page {
/// #     async fn begins(&self, _: u32) {}
/// #     async fn ready(&self) -> bool { true }
/// # }
///
/// /// Begins a round with everybody who is ready, and tells how many that are.
/// async fn round(game: &NamespaceHandle<dyn Game>) -> usize {
///     game.sockets_leave("round");
///     let answers = game.except("spectators").timeout(Duration::from_secs(5)).emit().ready().await;
///     let ready: Vec<_> = answers.into_iter().filter(|(_, ready)| *ready == Ok(true)).filter_map(|(id, _)| id).collect();
///     for player in game.sockets().iter().filter(|player| ready.contains(&player.id())) {
///         player.join("round");
///     }
///     game.to("round").emit().begins(1);
///     game.to("round").fetch_sockets().await.map_or(0, |players| players.len())
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let io = SocketIo::builder().shared::<dyn Game>(Player).build();
/// let game = io.of::<dyn Game>();
/// assert!(game.is_empty());
/// # let ann = Client::<dyn Game>::connect(&io).handler(Page).await.unwrap();
/// # let bob = Client::<dyn Game>::connect(&io).handler(Page).await.unwrap();
/// # game.to(bob.id()).sockets_join("spectators");
/// assert_eq!(round(&game).await, 1);
/// assert_eq!((game.len(), game.path()), (2, "/game"));
/// game.volatile().emit().begins(2); // lost rather than late
/// game.compress(false).emit().begins(3);
/// game.local().emit().begins(4); // only clients of this server
/// game.emit_raw("debug", ("round", 1))?;
/// game.sockets_join("winners");
/// game.disconnect_sockets(true);
/// # assert!(game.is_empty());
/// # Ok::<(), socketio::EmitError>(())
/// # }).unwrap();
/// ```
pub struct NamespaceHandle<N: ?Sized> {
    scope: Scope,
    name: PhantomData<fn(&N)>,
}

impl<N: ?Sized> Clone for NamespaceHandle<N> {
    fn clone(&self) -> Self {
        NamespaceHandle { scope: self.scope.clone(), name: PhantomData }
    }
}

impl<N: ?Sized> fmt::Debug for NamespaceHandle<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut paths: Vec<_> = self.scope.namespaces().iter().map(|core| core.path.clone()).collect();
        paths.sort();
        f.debug_struct("NamespaceHandle").field("paths", &paths).finish()
    }
}

impl<N: ?Sized> NamespaceHandle<N> {
    pub(super) fn new(core: Arc<NamespaceCore>) -> Self {
        Self::scoped(Scope::One(core))
    }

    pub(super) fn scoped(scope: Scope) -> Self {
        NamespaceHandle { scope, name: PhantomData }
    }
}

impl<N: Namespace + ?Sized> NamespaceHandle<N> {
    /// The path of the namespace; of a dynamic one, its pattern.
    pub fn path(&self) -> &str {
        match &self.scope {
            Scope::One(core) => &core.path,
            Scope::Family(..) => N::PATH,
        }
    }

    /// One child of a dynamic namespace; `None` if the path does not fit its pattern. A child lives as long as a client or a
    /// handle uses it, and is made if there is none: `Some` says that the path fits, not that somebody is connected
    /// ([`is_empty`](Self::is_empty) does).
    ///
    /// ```
    /// # use socketio::{SocketIo, events, namespace};
    /// # #[events] trait OrgEvents { #[event] async fn news(&self, text: &str); }
    /// #[namespace("/org/{id}", emits = OrgEvents)]
    /// trait Org {}
    /// # struct Member;
    /// # impl Org for Member {}
    ///
    /// let io = SocketIo::builder().shared::<dyn Org>(Member).build();
    /// io.of::<dyn Org>().emit().news("to the members of all organisations");
    /// if let Some(acme) = io.of::<dyn Org>().at("/org/acme") {
    ///     acme.emit().news("to those of one");
    /// }
    /// let globex = io.of::<dyn Org>().at(format!("/org/{}", "globex"));
    /// assert!(globex.is_some_and(|globex| globex.is_empty()), "nobody has come yet");
    /// assert!(io.of::<dyn Org>().at("/somewhere/else").is_none());
    /// ```
    pub fn at(&self, path: impl AsRef<str>) -> Option<NamespaceHandle<N>> {
        let path = path.as_ref();
        match &self.scope {
            Scope::One(core) => (core.path == path).then(|| self.clone()),
            Scope::Family(mounts, family) => {
                let (mount, core) = mounts.find(path)?;
                Arc::ptr_eq(&mount, family).then(|| NamespaceHandle::new(core))
            }
        }
    }

    /// Number of clients connected to this server.
    pub fn len(&self) -> usize {
        self.scope.namespaces().iter().map(|core| core.members.read().len()).sum()
    }

    /// Whether no client is connected to this server.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn all(&self) -> Broadcast<N> {
        Broadcast::new(Many::new(self.scope.clone()))
    }

    /// Everyone in the room. Repeated, it adds rooms; a client in several of them gets the event once.
    pub fn to(&self, room: impl Into<Room>) -> Broadcast<N> {
        self.all().to(room)
    }

    /// Everyone but the members of the room.
    pub fn except(&self, room: impl Into<Room>) -> Broadcast<N> {
        self.all().except(room)
    }

    /// Waits at most so long for acknowledgements.
    pub fn timeout(&self, timeout: Duration) -> Broadcast<N> {
        self.all().timeout(timeout)
    }

    /// Drops the event for clients whose connection cannot take it at once.
    pub fn volatile(&self) -> Broadcast<N> {
        self.all().volatile()
    }

    /// Drops the last event with this key for clients to whom it was not sent yet; see [`Socket::conflate`].
    pub fn conflate(&self, key: impl Into<String>) -> Broadcast<N> {
        self.all().conflate(key)
    }

    /// Whether the event is worth compressing, on transports that compress; see [`Socket::compress`].
    pub fn compress(&self, compress: bool) -> Broadcast<N> {
        self.all().compress(compress)
    }

    /// Only clients of this server.
    pub fn local(&self) -> Broadcast<N> {
        self.all().local()
    }

    /// The events that can be emitted to all clients.
    pub fn emit(&self) -> EmitterOf<N, Many> {
        self.all().emit()
    }

    /// Emits an event whose name and arguments are known only at run time; see [`Socket::emit_raw`].
    ///
    /// # Errors
    /// An argument could not be serialized.
    pub fn emit_raw(&self, event: &str, args: impl Serialize) -> Result<(), EmitError> {
        self.all().emit_raw(event, args)
    }

    /// Emits an event whose name and arguments are known only at run time, and asks every client for an acknowledgement; see
    /// [`Socket::ask_raw`].
    ///
    /// ```
    /// # use socketio::{NamespaceHandle, Untyped};
    /// async fn versions(all: &NamespaceHandle<Untyped>) -> Result<Vec<String>, socketio::EmitError> {
    ///     let answers = all.ask_raw("version", ())?.await;
    ///     Ok(answers.iter().filter_map(|(_, answer)| answer.as_ref().ok()?.raw_args().get(0).ok()).collect())
    /// }
    /// ```
    ///
    /// # Errors
    /// The name is reserved or an argument could not be serialized: nothing was sent.
    pub fn ask_raw(&self, event: &str, args: impl Serialize) -> Result<BroadcastReply<AckData, Infallible>, EmitError> {
        self.all().ask_raw(event, args)
    }

    /// Emits an event that is encoded already.
    pub fn emit_body(&self, event: Body) {
        self.all().emit_body(event);
    }

    /// The events that can be emitted to the other servers of the cluster: not to clients, and not to this server. An event with
    /// an acknowledgement gives a list of results, one for each of these servers.
    ///
    /// A server is alone until an adapter connects it to others: then nobody gets the event, and the list is empty.
    ///
    /// ```
    /// # use socketio::{SocketIo, events, namespace};
    /// #[events]
    /// trait Nodes {
    ///     /// Read the settings again.
    ///     #[event]
    ///     async fn reload(&self, section: &str);
    ///     /// How many games are played on your server?
    ///     #[event]
    ///     async fn games(&self) -> u32;
    /// }
    ///
    /// #[namespace("/game", cluster = Nodes)]
    /// trait Game {}
    /// # struct Player;
    /// # impl Game for Player {}
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let io = SocketIo::builder().shared::<dyn Game>(Player).build();
    /// let game = io.of::<dyn Game>();
    /// game.server_side_emit().reload("limits");
    /// let elsewhere: u32 = game.server_side_emit().games().await.into_iter().flatten().sum();
    /// assert_eq!(elsewhere, 0, "no other server, no other game");
    /// # });
    /// ```
    pub fn server_side_emit(&self) -> ClusterEmitterOf<N> {
        N::Cluster::emitter(self.others())
    }

    /// Emits an event to the other servers whose name and arguments are known only at run time; `args` is as for
    /// [`Socket::emit_raw`].
    ///
    /// ```
    /// # use socketio::{NamespaceHandle, Untyped};
    /// async fn clocks(all: &NamespaceHandle<Untyped>) -> Result<Vec<u64>, socketio::EmitError> {
    ///     all.server_side_emit_raw("note", ("the time is", 12))?;
    ///     let answers = all.server_side_ask_raw("clock", ())?.await;
    ///     Ok(answers.iter().filter_map(|answer| answer.as_ref().ok()?.raw_args().get(0).ok()).collect())
    /// }
    /// ```
    ///
    /// # Errors
    /// The name is reserved (also `connect`, `connection` and `new_namespace`, which mean something to the JavaScript server), or an
    /// argument could not be serialized: nothing was sent.
    pub fn server_side_emit_raw(&self, event: &str, args: impl Serialize) -> Result<(), EmitError> {
        self.others().emit_raw(event, args)
    }

    /// The same, and asks every other server for an acknowledgement.
    ///
    /// # Errors
    /// As of [`server_side_emit_raw`](Self::server_side_emit_raw).
    pub fn server_side_ask_raw(&self, event: &str, args: impl Serialize) -> Result<ServerReplies<AckData, Infallible>, EmitError> {
        self.others().ask_raw(event, args)
    }

    fn others(&self) -> OtherServers {
        OtherServers::new(self.scope.clone())
    }

    /// How many servers of the cluster have this namespace, this one included; 1 without an adapter. Of a dynamic one: the most that
    /// have any of the children in use here.
    ///
    /// # Errors
    /// The broker between the servers did not tell within [`cluster_timeout`](super::Builder::cluster_timeout).
    pub async fn server_count(&self) -> Result<usize, ClusterError> {
        Many::new(self.scope.clone()).servers().await
    }

    /// Waits until what other servers emit to the rooms joined so far reaches this server. At once without an adapter, and with
    /// one that does not send rooms separately; else a room that nobody here was in before takes a moment.
    ///
    /// # Cancel safety
    /// It only waits.
    pub async fn settled(&self) {
        for namespace in self.scope.namespaces() {
            if let Some(node) = namespace.node() {
                node.settled().await;
            }
        }
    }

    /// The clients that are connected to this server.
    pub fn sockets(&self) -> Vec<Socket<N>> {
        Many::new(self.scope.clone()).sockets().into_iter().map(Socket::new).collect()
    }

    /// The clients of the namespace, those of other servers included.
    ///
    /// # Errors
    /// Not every server has answered in time; see [`Broadcast::fetch_sockets`].
    pub async fn fetch_sockets(&self) -> Result<Vec<RemoteSocket<N>>, FetchError<N>> {
        self.all().fetch_sockets().await
    }

    /// Makes every client join a room.
    pub fn sockets_join(&self, room: impl Into<Room>) {
        self.all().sockets_join(room);
    }

    /// Makes every client leave a room.
    pub fn sockets_leave(&self, room: impl AsRef<str>) {
        self.all().sockets_leave(room);
    }

    /// Disconnects every client from the namespace, or (`close`) closes their connections.
    pub fn disconnect_sockets(&self, close: bool) {
        self.all().disconnect_sockets(close);
    }
}
