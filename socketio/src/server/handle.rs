//! `SocketIo`: the handle on a running server. Cheap to clone; usable from any HTTP handler or task.

use super::{
    builder::Builder,
    client_files::ClientFiles,
    cluster::ClusterHealth,
    connection::Shared,
    mounts::Scope,
    namespace::NamespaceHandle,
    recovery::RecoveryMetrics,
    shutdown::{Shutdown, Tally},
    spelling::Spelling,
};
use crate::{
    contract::{Namespace, Untyped},
    engine::{
        self, Farewell, Intercept, Layer, Registry,
        body::{Body, full},
    },
};
use bytes::Bytes;
use http::{Response, request::Parts};
use http_body::Body as HttpBody;
use std::{
    any::TypeId,
    fmt,
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

/// How long the last messages to other servers may take when the server closes without a limit of time.
const LEAVE_PATIENCE: Duration = Duration::from_secs(5);

/// A Socket.IO server.
///
/// ```
/// use axum::{Router, extract::State, routing::get};
/// use socketio::{SocketIo, events, namespace};
///
/// #[namespace("/", emits = News)]
/// trait Main {}
///
/// #[events]
/// trait News {
///     #[event]
///     async fn headline(&self, text: &str);
/// }
///
/// struct Reader;
/// impl Main for Reader {}
///
/// async fn publish(State(io): State<SocketIo>) {
///     io.of::<dyn Main>().emit().headline("it works");
/// }
///
/// let io = SocketIo::builder().shared::<dyn Main>(Reader).build();
/// let app: Router = Router::new().route("/publish", get(publish)).with_state(io.clone()).layer(io.layer());
/// ```
///
/// What it can say about itself, and how it ends:
///
/// ```
/// use socketio::{SocketIo, namespace};
/// # use socketio::test::Client;
/// # #[namespace("/main")] trait Main {}
/// # #[namespace("/org/{id}")] trait Org {}
/// # #[namespace("/elsewhere")] trait Elsewhere {}
/// # struct Reader;
/// # impl Main for Reader {}
/// # impl Org for Reader {}
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let io = SocketIo::builder().shared::<dyn Main>(Reader).shared::<dyn Org>(Reader).build();
/// # let client = Client::<dyn Main>::connect(&io).await.unwrap();
/// # let visitor = Client::<dyn Org>::connect(&io).path("/org/7").await.unwrap();
/// assert_eq!(io.namespaces(), ["/main", "/org/7"]); // with the children that are in use
/// assert_eq!((io.connections(), io.of::<dyn Main>().len()), (2, 1));
/// assert!(io.try_of::<dyn Elsewhere>().is_none(), "it was not registered");
/// assert!(io.at::<dyn Org>(format!("/org/{}", 8)).is_some_and(|org| org.is_empty()));
/// assert!(io.at::<dyn Org>("/main").is_none(), "that is another trait");
///
/// let bare = io.service(); // a tower service for hyper, without axum
/// # drop(bare);
/// io.close().await; // tells every client, and waits for handlers
/// assert_eq!(io.connections(), 0);
/// # drop((client, visitor));
/// # });
/// ```
#[derive(Clone)]
pub struct SocketIo {
    inner: Arc<Inner>,
}

/// A server that lives as long as others want it to.
pub(crate) struct WeakIo(Weak<Inner>);

impl WeakIo {
    pub(crate) fn upgrade(&self) -> Option<SocketIo> {
        self.0.upgrade().map(|inner| SocketIo { inner })
    }
}

struct Inner {
    engine: engine::Server,
    shared: Arc<Shared>,
    files: Option<ClientFiles>,
}

impl fmt::Debug for SocketIo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketIo").field("mounts", &self.inner.shared.mounts).field("connections", &self.connections()).finish()
    }
}

impl SocketIo {
    /// Starts to build a server.
    pub fn builder() -> Builder<()> {
        Builder::new()
    }

    pub(super) fn new(engine: engine::Server, shared: Arc<Shared>, files: Option<ClientFiles>) -> Self {
        SocketIo { inner: Arc::new(Inner { engine, shared, files }) }
    }

    /// A layer that answers requests to the server's path and passes on all others: for `axum::Router::layer`.
    pub fn layer(&self) -> Layer<Self> {
        self.inner.shared.mounts.open();
        Layer::new(self.clone())
    }

    /// A tower service that answers requests to the server's path, and others with 404: for bare hyper.
    pub fn service(&self) -> engine::Service<Self, engine::NotFound> {
        self.inner.shared.mounts.open();
        engine::Service::alone(self.clone())
    }

    /// The clients of namespace `N`; if it is dynamic, those of all its children, see [`NamespaceHandle::at`].
    ///
    /// # Panics
    /// `N` is not registered under its own path; [`try_of`](Self::try_of) tells without a panic.
    pub fn of<N: Namespace + ?Sized>(&self) -> NamespaceHandle<N> {
        match self.try_of::<N>() {
            Some(namespace) => namespace,
            None => panic!(
                "the namespace `{}` ({}) is not registered: add `.namespace::<dyn {}, _>(..)` to the builder",
                N::PATH,
                N::NAME,
                N::NAME
            ),
        }
    }

    /// The clients of namespace `N`; `None` if it is not registered under its own path.
    pub fn try_of<N: Namespace + ?Sized>(&self) -> Option<NamespaceHandle<N>> {
        let mounts = &self.inner.shared.mounts;
        if let Some((mount, core)) = mounts.fixed(N::PATH) {
            return (mount.contract == TypeId::of::<N>()).then(|| NamespaceHandle::new(core));
        }
        let family = mounts.family(TypeId::of::<N>())?;
        Some(NamespaceHandle::scoped(Scope::Family(Arc::clone(mounts), family)))
    }

    /// The clients of namespace `N` at this path; `None` if it is not registered there. A child of a dynamic namespace is
    /// made if it does not exist, so `Some` does not mean that it has clients.
    pub fn at<N: Namespace + ?Sized>(&self, path: impl AsRef<str>) -> Option<NamespaceHandle<N>> {
        let (mount, core) = self.inner.shared.mounts.find(path.as_ref())?;
        (mount.contract == TypeId::of::<N>()).then(|| NamespaceHandle::new(core))
    }

    pub(super) fn downgrade(&self) -> WeakIo {
        WeakIo(Arc::downgrade(&self.inner))
    }

    /// The clients of the namespace that is in use at this path, whatever its contract.
    pub(crate) fn at_untyped(&self, path: &str) -> Option<NamespaceHandle<Untyped>> {
        self.inner.shared.mounts.in_use(path).map(NamespaceHandle::new)
    }

    /// The paths of all namespaces, children of dynamic ones included while they are in use.
    pub fn namespaces(&self) -> Vec<String> {
        let mut paths: Vec<String> = self.inner.shared.mounts.live().iter().map(|core| core.path.clone()).collect();
        paths.sort();
        paths
    }

    /// The path of the endpoint, with its trailing slash.
    pub(crate) fn path(&self) -> &str {
        self.inner.engine.config().path_prefix()
    }

    /// How packets are spelled.
    pub(crate) fn spelling(&self) -> &Spelling {
        &self.inner.shared.settings.spelling
    }

    /// Number of connections, whatever the number of namespaces each has joined.
    pub fn connections(&self) -> usize {
        self.inner.engine.connections()
    }

    /// Shuts the server down within a time, without a stampede: new clients are refused, those who are here are told and
    /// closed in batches, and what they had begun is finished first. See [`Shutdown`] for what happens when.
    ///
    /// Awaiting it does the work; it resolves when the last connection has gone, at the latest a moment after `deadline`.
    pub fn shutdown(&self, deadline: Duration) -> Shutdown {
        Shutdown::new(self.clone(), deadline)
    }

    /// Shuts the server down at once and without a limit of time: refuses new connections with 503, ends every socket with
    /// [`ServerShuttingDown`](crate::DisconnectReason::ServerShuttingDown), sends what is queued, closes the connections and
    /// waits until the handlers in flight have ended. Clients see a closed transport, and reconnect when they can: all of them
    /// at the same moment. Sessions that wait for clients to come back end as well: they live in this process.
    /// [`shutdown`](Self::shutdown) is gentler with them, and with a deployment that has to end.
    ///
    /// # Cancel safety
    /// The shutdown goes on if the future is dropped.
    pub async fn close(&self) {
        let registry = self.refuse_new();
        registry.handles().iter().for_each(|handle| handle.bid(Farewell::Close));
        registry.emptied().await;
        self.end_absent().await;
        self.leave_cluster(LEAVE_PATIENCE).await;
    }

    /// Nobody gets in any more, nor comes back.
    pub(super) fn refuse_new(&self) -> &Registry {
        let registry = self.inner.engine.registry();
        registry.close();
        self.inner.shared.closing.store(true, Ordering::Release);
        registry
    }

    /// Ends the sessions that wait for clients to come back.
    pub(super) async fn end_absent(&self) {
        if let Some(recovery) = &self.inner.shared.settings.recovery {
            Arc::clone(recovery).close().await;
        }
    }

    /// Says goodbye to the other servers, once everything that waits for them is sent or the time is over.
    pub(super) async fn leave_cluster(&self, patience: Duration) {
        if let Some(hub) = &self.inner.shared.settings.hub {
            self.inner.shared.mounts.live().iter().for_each(|namespace| namespace.close_node());
            hub.close(patience).await;
        }
    }

    /// How well the server is connected to the others of its cluster; `None` without an [adapter](Builder::adapter).
    ///
    /// ```
    /// use socketio::{ClusterState, SocketIo, adapter::Memory};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let io = SocketIo::builder().adapter(Memory::new()).build();
    /// let health = io.cluster_health().expect("it has an adapter");
    /// assert_ne!(health.state, ClusterState::Disconnected);
    /// assert_eq!((health.unsent, health.gaps, health.poison), (0, 0, 0));
    /// assert_eq!(SocketIo::builder().build().cluster_health(), None);
    /// # }
    /// ```
    pub fn cluster_health(&self) -> Option<ClusterHealth> {
        self.inner.shared.settings.hub.as_ref().map(|hub| hub.health())
    }

    /// What connection state recovery keeps at the moment; `None` if it is off.
    pub fn recovery_metrics(&self) -> Option<RecoveryMetrics> {
        self.inner.shared.settings.recovery.as_ref().map(|recovery| recovery.metrics())
    }

    pub(super) fn tally(&self) -> &Tally {
        &self.inner.shared.tally
    }
}

impl Intercept for SocketIo {
    fn takes(&self, path: &str) -> bool {
        self.inner.engine.takes(path)
    }

    async fn respond<B>(&self, parts: &mut Parts, body: B) -> Response<Body>
    where
        B: HttpBody + Send + 'static,
        B::Data: Send,
        B::Error: Send,
    {
        if let Some(response) = self.client_file(parts) {
            return response.map(full);
        }
        self.inner.engine.respond(parts, body).await
    }
}

impl SocketIo {
    fn client_file(&self, request: &Parts) -> Option<Response<Bytes>> {
        let files = self.inner.files.as_ref()?;
        let config = self.inner.engine.config();
        let name = request.uri.path().strip_prefix(config.path_prefix())?;
        let cors = config.cors_rules();
        if cors.is_some() && request.method == http::Method::OPTIONS {
            return None;
        }
        let mut response = files.respond(name, &request.method, &request.headers)?;
        if let Some(cors) = cors {
            cors.apply(&request.headers, response.headers_mut());
        }
        Some(response)
    }
}
