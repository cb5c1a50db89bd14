//! `Builder`: settings, state and namespaces of a server. It checks everything once and starts nothing.

mod admission;
mod cluster;
mod error;
mod looks;
mod wire;

use cluster::ServerEvents;
pub use error::BuildError;

use super::{
    client_files::ClientFiles,
    cluster::Plug,
    connection::{self, Shared},
    handle::SocketIo,
    hooks::Hooks,
    mounts::{Accept, Mount, Mounts, Pattern},
    namespace::Settings,
    observe::Watch,
    recovery::Recovery,
    shutdown::Tally,
    spelling::Spelling,
};
use crate::{
    contract::Namespace,
    engine::{self, Config, Cookie, Cors, Transport},
    extract::{ConnectArgs, ConnectFn, ConnectFuture, ConnectSig, Session},
    layer::EventLayer,
    parser::Limits,
};
use http::{HeaderMap, request::Parts};
use std::{
    collections::HashSet,
    fmt,
    future::Future,
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

/// Settings, state and namespaces of a server; ends with [`build`](Self::build).
///
/// Every setter names the option of the JavaScript server and its default.
///
#[doc = include_str!("builder/examples.md")]
#[must_use = "nothing is served before `.build()`"]
pub struct Builder<S> {
    state: S,
    config: Config,
    mounts: Vec<Mount>,
    /// The first mistake of a layer.
    misplaced: Option<BuildError>,
    hooks: Hooks,
    pub(crate) watch: Option<Arc<dyn Watch>>,
    connect_timeout: Duration,
    ack_timeout: Duration,
    cluster_timeout: Duration,
    adapter: Option<Plug>,
    server_events: Vec<ServerEvents>,
    handlers_per_socket: usize,
    namespaces_per_connection: usize,
    max_attachments: usize,
    max_attachment_bytes: Option<usize>,
    client_files: Option<PathBuf>,
    recovery: Option<Recovery>,
    spelling: Spelling,
}

impl<S> fmt::Debug for Builder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("config", &self.config).field("namespaces", &self.mounts.len()).finish_non_exhaustive()
    }
}

impl Builder<()> {
    pub(super) fn new() -> Self {
        Builder {
            state: (),
            config: Config::default().path("/socket.io"),
            mounts: Vec::new(),
            misplaced: None,
            hooks: Hooks::default(),
            watch: None,
            connect_timeout: Duration::from_secs(45),
            ack_timeout: Duration::from_secs(20),
            cluster_timeout: Duration::from_secs(5),
            adapter: None,
            server_events: Vec::new(),
            handlers_per_socket: 256,
            namespaces_per_connection: 1000,
            max_attachments: Limits::default().max_attachments,
            max_attachment_bytes: None,
            client_files: None,
            recovery: None,
            spelling: Spelling::default(),
        }
    }

    /// The state that connect handlers extract with axum's `State`, or a part of it with `FromRef`. Comes before the namespaces that
    /// use it; without it the state is `()`.
    pub fn with_state<S: Clone + Send + Sync + 'static>(self, state: S) -> Builder<S> {
        Builder {
            state,
            config: self.config,
            mounts: self.mounts,
            misplaced: self.misplaced,
            hooks: self.hooks,
            watch: self.watch,
            connect_timeout: self.connect_timeout,
            ack_timeout: self.ack_timeout,
            cluster_timeout: self.cluster_timeout,
            adapter: self.adapter,
            server_events: self.server_events,
            handlers_per_socket: self.handlers_per_socket,
            namespaces_per_connection: self.namespaces_per_connection,
            max_attachments: self.max_attachments,
            max_attachment_bytes: self.max_attachment_bytes,
            client_files: self.client_files,
            recovery: self.recovery,
            spelling: self.spelling,
        }
    }
}

impl<S: Clone + Send + Sync + 'static> Builder<S> {
    /// Serves namespace `N`: `connect` runs for each client and returns its session, a value that implements the trait.
    /// `Underscore` is inferred: write `_`.
    ///
    /// ```
    /// # use socketio::{ConnectError, Socket, SocketIo, namespace};
    /// #[namespace("/greeter")]
    /// trait Greeter {
    ///     #[event]
    ///     async fn greet(&self, name: &str) -> String;
    /// }
    ///
    /// struct Session { socket: Socket<dyn Greeter> }
    ///
    /// impl Greeter for Session {
    ///     async fn greet(&self, name: &str) -> String {
    ///         format!("hello {name}, you are {}", self.socket.id())
    ///     }
    /// }
    ///
    /// async fn connect(socket: Socket<dyn Greeter>) -> Result<Session, ConnectError> {
    ///     Ok(Session { socket })
    /// }
    ///
    /// let io = SocketIo::builder().namespace::<dyn Greeter, _>(connect).build();
    /// ```
    pub fn namespace<N, Underscore>(
        self,
        connect: impl ConnectFn<Underscore, Sig: ConnectArgs<N, S>, Future: ConnectFuture<N> + Send> + Clone + Send + Sync + 'static,
    ) -> Self
    where
        N: Namespace + ?Sized,
        Underscore: ConnectSig + 'static,
    {
        self.mount::<N, Underscore, _>(Pattern::parse(N::PATH), connect)
    }

    /// Serves namespace `N` at this path instead of its own. For [`Untyped`](crate::Untyped), which has none.
    pub fn namespace_at<N, Underscore>(
        self,
        path: impl Into<String>,
        connect: impl ConnectFn<Underscore, Sig: ConnectArgs<N, S>, Future: ConnectFuture<N> + Send> + Clone + Send + Sync + 'static,
    ) -> Self
    where
        N: Namespace + ?Sized,
        Underscore: ConnectSig + 'static,
    {
        self.mount::<N, Underscore, _>(Pattern::Path(path.into()), connect)
    }

    /// Serves namespace `N` at every path for which `matches` holds: a dynamic namespace whose children come and go with
    /// their clients. Namespaces with a path of their own go first, then these in the order of registration.
    ///
    /// ```
    /// # use socketio::{ConnectError, Socket, SocketIo, namespace};
    /// # mod regex {
    /// #     pub struct Regex(&'static str);
    /// #     impl Regex {
    /// #         pub fn new(pattern: &'static str) -> Result<Self, ()> { Ok(Regex(pattern)) }
    /// #         pub fn is_match(&self, path: &str) -> bool {
    /// #             assert_eq!(self.0, r"^/feed-\d+$");
    /// #             path.strip_prefix("/feed-").is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    /// #         }
    /// #     }
    /// # }
    /// # use regex::Regex;
    /// #[namespace("/feed")]
    /// trait Feed {}
    /// # struct Reader;
    /// # impl Feed for Reader {}
    ///
    /// async fn connect(socket: Socket<dyn Feed>) -> Result<Reader, ConnectError> {
    ///     println!("somebody reads {}", socket.path());
    ///     Ok(Reader)
    /// }
    ///
    /// let regex = Regex::new(r"^/feed-\d+$").unwrap();
    /// let io = SocketIo::builder().namespace_matching::<dyn Feed, _>(move |path| regex.is_match(path), connect).build();
    /// assert!(io.at::<dyn Feed>("/feed-7").is_some());
    /// assert!(io.at::<dyn Feed>("/feed-x").is_none());
    /// ```
    pub fn namespace_matching<N, Underscore>(
        self,
        matches: impl Fn(&str) -> bool + Send + Sync + 'static,
        connect: impl ConnectFn<Underscore, Sig: ConnectArgs<N, S>, Future: ConnectFuture<N> + Send> + Clone + Send + Sync + 'static,
    ) -> Self
    where
        N: Namespace + ?Sized,
        Underscore: ConnectSig + 'static,
    {
        self.mount::<N, Underscore, _>(Pattern::Predicate(Box::new(matches)), connect)
    }

    /// Serves namespace `N` with one handler for all clients, for handlers that need nothing of a single client.
    pub fn shared<N>(mut self, handler: impl Session<N> + Send + Sync + 'static) -> Self
    where
        N: Namespace + ?Sized,
    {
        let handler = Arc::new(handler);
        let accept: Box<Accept> = Box::new(move |_| {
            let session = Arc::clone(&handler).erase().0;
            Box::pin(std::future::ready(Ok(session)))
        });
        self.mounts.push(Mount::new::<N>(Pattern::parse(N::PATH), accept));
        self
    }

    /// Puts a layer around every event of the namespaces that were added *before*: one, several or all of them, shared and untyped
    /// ones too. As with axum's `layer`, one that is added later is further out: it sees events earlier and outcomes later.
    /// `socket.use`, for whole namespaces. See [`layer`](crate::layer).
    ///
    /// A namespace without layers costs nothing for them; a layer costs one allocation for each event.
    ///
    /// ```
    /// use socketio::{SocketIo, layer::{RateLimit, Trace}, namespace};
    /// use std::time::Duration;
    /// # #[namespace("/chat")] trait Chat {}
    /// # #[namespace("/admin")] trait Admin {}
    /// # struct Session;
    /// # impl Chat for Session {}
    /// # impl Admin for Session {}
    ///
    /// let io = SocketIo::builder()
    ///     .shared::<dyn Chat>(Session)
    ///     .event_layer(RateLimit::new(20, Duration::from_secs(1))) // around `/chat`
    ///     .shared::<dyn Admin>(Session)
    ///     .event_layer(Trace::new()) // around both, and in `/chat` around the limit
    ///     .build();
    /// ```
    pub fn event_layer(mut self, layer: impl EventLayer) -> Self {
        let declared = |event: &str| self.mounts.iter().any(|mount| (mount.declares)(event));
        let mistake = match layer.events().into_iter().find(|event| !declared(event)) {
            _ if self.mounts.is_empty() => Some(BuildError::LayerWithoutNamespace),
            unknown => unknown.map(|event| BuildError::UnknownEvent(event.to_owned())),
        };
        self.misplaced = self.misplaced.or(mistake);
        let layer = Arc::new(layer);
        self.mounts = self.mounts.into_iter().map(|mount| mount.layered(Arc::clone(&layer))).collect();
        self
    }

    fn mount<N, X, F>(mut self, pattern: Pattern, connect: F) -> Self
    where
        N: Namespace + ?Sized,
        X: ConnectSig + 'static,
        F: ConnectFn<X, Sig: ConnectArgs<N, S>, Future: ConnectFuture<N> + Send> + Clone + Send + Sync + 'static,
    {
        let state = self.state.clone();
        let accept: Box<Accept> = Box::new(move |mut parts| {
            let (connect, state) = (connect.clone(), state.clone());
            Box::pin(async move {
                let args = F::Sig::extract(&mut parts, &state).await?;
                drop(parts);
                Ok(connect.call(args).session().await?.0)
            })
        });
        self.mounts.push(Mount::new::<N>(pattern, accept));
        self
    }

    fn config(mut self, change: impl FnOnce(Config) -> Config) -> Self {
        self.config = change(self.config);
        self
    }

    /// The path of the endpoint. `path`, default `/socket.io`.
    pub fn path(self, path: impl Into<String>) -> Self {
        self.config(|config| config.path(path))
    }

    /// The time between a pong (or the handshake) and the next ping. `pingInterval`, default 25 s.
    pub fn ping_interval(self, interval: Duration) -> Self {
        self.config(|config| config.ping_interval(interval))
    }

    /// How long a client may take to answer a ping. `pingTimeout`, default 20 s.
    pub fn ping_timeout(self, timeout: Duration) -> Self {
        self.config(|config| config.ping_timeout(timeout))
    }

    /// How long an upgrade to WebSocket may take. `upgradeTimeout`, default 10 s.
    pub fn upgrade_timeout(self, timeout: Duration) -> Self {
        self.config(|config| config.upgrade_timeout(timeout))
    }

    /// The largest message that a client may send, on both transports. `maxHttpBufferSize`, default 1 000 000 bytes.
    pub fn max_payload(self, bytes: usize) -> Self {
        self.config(|config| config.max_payload(bytes))
    }

    /// How many bytes may wait to be sent to one client before it is disconnected as a slow consumer. Default 16 MiB; the
    /// JavaScript server has no limit. A single larger message is sent to a client that has nothing else waiting.
    pub fn max_buffered(self, bytes: usize) -> Self {
        self.config(|config| config.max_buffered(bytes))
    }

    /// The transports that clients may use. `transports`, default polling and WebSocket.
    pub fn transports(self, transports: impl IntoIterator<Item = Transport>) -> Self {
        self.config(|config| config.transports(transports))
    }

    /// Whether polling clients are offered the upgrade to WebSocket. `allowUpgrades`, default true.
    pub fn allow_upgrades(self, allow: bool) -> Self {
        self.config(|config| config.allow_upgrades(allow))
    }

    /// How long a connection may be without any namespace, once, from its start. `connectTimeout`, default 45 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long an acknowledgement is waited for where an emit does not say. Default 20 s; the JavaScript server waits forever.
    pub fn ack_timeout(mut self, timeout: Duration) -> Self {
        self.ack_timeout = timeout;
        self
    }

    /// How many handlers of one socket may be in flight. Further events wait, and when 64 of them do (or 4 MiB of them, while
    /// a handler waits for an acknowledgement of that client), nothing more is read from that client until one is done: no
    /// event is lost. A client that is not read from for four times the interval and timeout of its heartbeat counts as dead. 1 makes a socket's handlers run one after the other. Default 256.
    pub fn handlers_per_socket(mut self, handlers: usize) -> Self {
        self.handlers_per_socket = handlers.max(1);
        self
    }

    /// How many namespaces one connection may be in at a time; further ones are refused with `too many namespaces`. Default
    /// 1000; the JavaScript server has no limit, but dynamic namespaces cost their visitor nothing.
    pub fn namespaces_per_connection(mut self, namespaces: usize) -> Self {
        self.namespaces_per_connection = namespaces.max(1);
        self
    }

    /// Lets clients that lost their connection come back to their session, and gives them what they missed; see
    /// [`Recovery`]. `connectionStateRecovery`, default off. Every event without acknowledgement that is not volatile then
    /// carries one more argument, its offset, as with the JavaScript server.
    pub fn connection_state_recovery(mut self, recovery: Recovery) -> Self {
        self.recovery = Some(recovery);
        self
    }

    /// Decides on each handshake, before a session exists. `allowRequest`, default all allowed. An `Err` is the message of
    /// the 403 (polling) or 400 (WebSocket).
    pub fn allow_request<F, Fut>(self, allow: F) -> Self
    where
        F: Fn(&Parts) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.config(|config| config.allow_request(allow))
    }

    /// Answers cross-origin requests. `cors`, default none. Does not restrict WebSockets: browsers do not ask for them.
    pub fn cors(self, cors: Cors) -> Self {
        self.config(|config| config.cors(cors))
    }

    /// Sets a cookie on the polling handshake, for sticky load balancers. `cookie`, default none.
    pub fn cookie(self, cookie: Cookie) -> Self {
        self.config(|config| config.cookie(cookie))
    }

    /// The size from which a polling answer is compressed; `None` switches it off. `httpCompression`, default 1024 bytes.
    pub fn http_compression(self, threshold_bytes: Option<usize>) -> Self {
        self.config(|config| config.http_compression(threshold_bytes))
    }

    /// Edits the headers of the first answer of each session. The `initial_headers` event.
    pub fn initial_headers(self, edit: impl Fn(&mut HeaderMap, &Parts) + Send + Sync + 'static) -> Self {
        self.config(|config| config.initial_headers(edit))
    }

    /// Edits the headers of every answer. The `headers` event.
    pub fn response_headers(self, edit: impl Fn(&mut HeaderMap, &Parts) + Send + Sync + 'static) -> Self {
        self.config(|config| config.response_headers(edit))
    }

    /// Serves the stock client bundle under the path, from the `dist` folder of the npm package `socket.io-client`.
    /// `serveClient`, default off: the JavaScript server brings the files along, this crate does not.
    ///
    /// After `npm install socket.io-client` that folder is `node_modules/socket.io-client/dist`, and a page loads
    /// `/socket.io/socket.io.js`. The files are read once, at [`build`](Self::build), which fails if one is missing: see
    /// [`ClientFilesError`](crate::ClientFilesError).
    pub fn serve_client(mut self, dist: impl Into<PathBuf>) -> Self {
        self.client_files = Some(dist.into());
        self
    }

    /// Checks the settings and makes the server. Nothing runs before the first request.
    ///
    /// # Panics
    /// A setting cannot work; [`try_build`](Self::try_build) returns the error.
    pub fn build(self) -> SocketIo {
        match self.try_build() {
            Ok(io) => io,
            Err(error) => panic!("the Socket.IO server cannot be built: {error}"),
        }
    }

    /// Checks the settings and makes the server.
    ///
    /// # Errors
    /// A setting cannot work.
    pub fn try_build(self) -> Result<SocketIo, BuildError> {
        if let Some(mistake) = self.misplaced {
            return Err(mistake);
        }
        let mut paths = HashSet::new();
        for mount in &self.mounts {
            if let Pattern::Path(path) = &mount.pattern
                && (!path.starts_with('/') || path.contains([',', '?']))
            {
                return Err(BuildError::NamespacePath(path.clone()));
            }
            if let Some(key) = mount.pattern.key()
                && !paths.insert(key.clone())
            {
                return Err(BuildError::DuplicateNamespace(key));
            }
            if !(mount.can_send_auth)() {
                return Err(BuildError::UnsendableAuth(mount.name.to_owned()));
            }
        }
        let (mounts, hub) = cluster::prepare(self.mounts, self.server_events, self.adapter, self.config.meter())?;
        let files = self.client_files.as_deref().map(ClientFiles::load).transpose()?;
        let noticed = self.config.notices_within();
        let recovery = self
            .recovery
            .map(|recovery| cluster::store(recovery, hub.as_deref(), (noticed, self.cluster_timeout), &self.spelling))
            .transpose()?;
        let settings = Arc::new(Settings {
            ack_timeout: self.ack_timeout,
            cluster_timeout: self.cluster_timeout,
            hub,
            address: self.config.address(),
            handlers_per_socket: self.handlers_per_socket,
            hooks: self.hooks,
            meter: self.config.meter(),
            watch: self.watch,
            recovery,
            spelling: self.spelling,
            deflated_from: self.config.deflated_from(),
        });
        let shared = Arc::new(Shared {
            mounts: Mounts::new(mounts, Arc::clone(&settings)),
            settings,
            connect_timeout: self.connect_timeout,
            limits: Limits {
                max_attachments: self.max_attachments,
                // Each attachment is a message of its own.
                max_attachment_bytes: self
                    .max_attachment_bytes
                    .unwrap_or(self.config.max_payload_bytes().saturating_mul(self.max_attachments)),
            },
            namespaces_per_connection: self.namespaces_per_connection,
            closing: AtomicBool::new(false),
            tally: Tally::default(),
        });
        let watch = shared.settings.watch.clone();
        let owner = Arc::clone(&shared);
        let engine =
            engine::Server::with_owner(self.config, move |connection| Box::pin(connection::run(connection, Arc::clone(&owner))))?;
        // Within a runtime it is a part of the cluster from the start.
        shared.mounts.open();
        let io = SocketIo::new(engine, shared, files);
        if let Some(watch) = watch {
            watch.built(io.downgrade()).map_err(BuildError::Admin)?;
        }
        Ok(io)
    }
}
