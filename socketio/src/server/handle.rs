//! `SocketIo`: the handle on a running server. Cheap to clone; usable from any HTTP handler or task.

use super::{
    builder::Builder, client_files::ClientFiles, connection::Shared, mounts::Scope, namespace::NamespaceHandle,
    recovery::RecoveryMetrics, spelling::Spelling,
};
use crate::{
    contract::Namespace,
    engine::{
        self, Intercept, Layer,
        body::{Body, full},
    },
};
use bytes::Bytes;
use http::{Response, request::Parts};
use http_body::Body as HttpBody;
use std::{
    any::TypeId,
    fmt,
    sync::{Arc, atomic::Ordering},
};

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
#[derive(Clone)]
pub struct SocketIo {
    inner: Arc<Inner>,
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
        Layer::new(self.clone())
    }

    /// A tower service that answers requests to the server's path, and others with 404: for bare hyper.
    pub fn service(&self) -> engine::Service<Self, engine::NotFound> {
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
    /// made if it does not exist.
    pub fn at<N: Namespace + ?Sized>(&self, path: &str) -> Option<NamespaceHandle<N>> {
        let (mount, core) = self.inner.shared.mounts.find(path)?;
        (mount.contract == TypeId::of::<N>()).then(|| NamespaceHandle::new(core))
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

    /// Shuts the server down: refuses new connections with 503, ends every socket with
    /// [`ServerShuttingDown`](crate::DisconnectReason::ServerShuttingDown), sends what is queued, closes the connections and
    /// waits until the handlers in flight have ended. Clients see a closed transport, and reconnect when they can. Sessions
    /// that wait for clients to come back end as well: they live in this process.
    ///
    /// # Cancel safety
    /// The shutdown goes on if the future is dropped.
    pub async fn close(&self) {
        let registry = self.inner.engine.registry();
        registry.close();
        self.inner.shared.closing.store(true, Ordering::Release);
        registry.handles().iter().for_each(|handle| handle.outbox.call_attention());
        registry.emptied().await;
        if let Some(recovery) = &self.inner.shared.settings.recovery {
            Arc::clone(recovery).close().await;
        }
    }

    /// What connection state recovery keeps at the moment; `None` if it is off.
    pub fn recovery_metrics(&self) -> Option<RecoveryMetrics> {
        self.inner.shared.settings.recovery.as_ref().map(|recovery| recovery.metrics())
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
