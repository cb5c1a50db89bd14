//! This server among others: `Hub`, which all namespaces share, and how well it is connected.
//!
//! ```text
//!  emit, fetch, ask --act here first, then--> Node --Input--> adapter::Cluster --Output--> Pipe ~~~~ other servers
//!  members, handlers <------- deeds --------- Node <--Input------------------------------ Inbox <~~~~
//! ```
//! `node` drives one namespace's `Cluster`; `deeds` carries out what others ask for; `inquiry` is a question on its way; `servers`
//! is how other servers are addressed, `events` how what they emit is handled. Without an adapter none of it exists.
//! Not here: what servers tell each other, and the pipes; see `adapter`.

mod deeds;
mod events;
mod inquiry;
mod node;
mod servers;

pub(super) use deeds::acknowledgement;
pub(super) use events::{ServerHandler, server_handler};
pub(super) use inquiry::{Ended, Inquiry, Part, Told};
pub(super) use node::Node;
pub(super) use servers::reserved;
pub use servers::{ClusterEmitterOf, OtherServers, ServerReplies};

use super::namespace::NamespaceCore;
use crate::{
    adapter::{
        broker::{Broker, Health, Inbox, Loss, Pipe},
        sealed::{Connect, Connection},
    },
    metrics::{Measured, Meter},
};
use parking_lot::Mutex;
use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// What has become of a question to the other servers.
///
/// ```
/// use socketio::{ClusterError, NamespaceHandle, namespace};
/// # #[namespace("/game")] trait Game {}
///
/// async fn is_alone(game: &NamespaceHandle<dyn Game>) -> Option<bool> {
///     match game.server_count().await {
///         Ok(servers) => Some(servers == 1),
///         Err(ClusterError::Unreachable) => None, // the broker is down
///         Err(error) => panic!("{error}"),
///     }
/// }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # struct Player;
/// # impl Game for Player {}
/// # let io = socketio::SocketIo::builder().shared::<dyn Game>(Player).build();
/// # assert_eq!(is_alone(&io.of::<dyn Game>()).await, Some(true));
/// # });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// So many servers have not answered in time.
    #[error("{servers} of the other servers did not answer in time")]
    Silent {
        /// At least so many.
        servers: usize,
    },
    /// The broker between the servers does not say who is there: nobody knows how many answers are missing.
    #[error("the other servers cannot be reached")]
    Unreachable,
}

/// Whether a server is connected to the others; see [`SocketIo::cluster_health`](crate::SocketIo::cluster_health).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ClusterState {
    /// Not yet.
    #[default]
    Connecting,
    /// Messages go in and out.
    Connected,
    /// The connection was lost; it is tried again and again.
    Disconnected,
}

impl ClusterState {
    /// One word: `connecting`, `connected` or `disconnected`.
    pub fn as_str(self) -> &'static str {
        match self {
            ClusterState::Connecting => "connecting",
            ClusterState::Connected => "connected",
            ClusterState::Disconnected => "disconnected",
        }
    }
}

impl From<Health> for ClusterState {
    fn from(health: Health) -> Self {
        match health {
            Health::Connecting => ClusterState::Connecting,
            Health::Connected => ClusterState::Connected,
            Health::Disconnected => ClusterState::Disconnected,
        }
    }
}

/// How well a server is connected to the others, and what went wrong since its start; see
/// [`SocketIo::cluster_health`](crate::SocketIo::cluster_health).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ClusterHealth {
    /// Whether it is connected.
    pub state: ClusterState,
    /// Messages to other servers that were queued.
    pub published: u64,
    /// Messages of other servers that arrived.
    pub received: u64,
    /// Messages to other servers that were lost: not queued, thrown away because too much waited, or grown too old.
    pub unsent: u64,
    /// How often messages of other servers may have been missed.
    pub gaps: u64,
    /// Messages of other servers that could not be understood, and were skipped.
    pub poison: u64,
}

/// What all namespaces of a server share to be part of a cluster.
pub(super) struct Hub {
    /// What connects the server, until it does: that needs a runtime, which the builder may not have.
    plug: Mutex<Option<Plug>>,
    broker: OnceLock<Arc<dyn Broker>>,
    /// Whether clients may come back to another server.
    pub(super) has_journal: bool,
    meter: Meter,
    counts: Counts,
    /// The state that was told last. A leaf.
    told: Mutex<ClusterState>,
}

/// Makes the connection.
pub(super) struct Plug {
    connect: Box<dyn FnOnce() -> Connection + Send>,
    has_journal: bool,
}

impl Plug {
    pub(super) fn new(adapter: impl Connect) -> Self {
        Plug { has_journal: adapter.has_journal(), connect: Box::new(|| adapter.connect()) }
    }
}

#[derive(Default)]
struct Counts {
    published: AtomicU64,
    received: AtomicU64,
    unsent: AtomicU64,
    gaps: AtomicU64,
    poison: AtomicU64,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("broker", &self.broker).field("health", &self.health()).finish_non_exhaustive()
    }
}

impl Hub {
    pub(super) fn new(plug: Plug, meter: Meter) -> Arc<Self> {
        let (counts, told) = (Counts::default(), Mutex::default());
        let (has_journal, plug, broker) = (plug.has_journal, Mutex::new(Some(plug)), OnceLock::new());
        Arc::new(Hub { plug, broker, has_journal, meter, counts, told })
    }

    /// Connects a namespace, and with the first one the server. Within a runtime.
    fn open(&self, path: &str, inbox: Arc<dyn Inbox>) -> Arc<dyn Pipe> {
        let broker = self.broker.get_or_init(|| {
            let plug = self.plug.lock().take();
            let Plug { connect, .. } = plug.expect("invariant: only the first one comes here");
            connect().0
        });
        broker.open(path, inbox)
    }

    fn state(&self) -> Health {
        self.broker.get().map_or(Health::Connecting, |broker| broker.health())
    }

    pub(super) fn health(&self) -> ClusterHealth {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        ClusterHealth {
            state: self.state().into(),
            published: count(&self.counts.published),
            received: count(&self.counts.received),
            unsent: count(&self.counts.unsent),
            gaps: count(&self.counts.gaps),
            poison: count(&self.counts.poison),
        }
    }

    /// Lets go of the other servers, once everything that was queued is sent or the time is over.
    pub(super) async fn close(&self, patience: Duration) {
        if let Some(broker) = self.broker.get() {
            broker.close(patience).await;
        }
    }

    /// The broker has something to say about its connection: to each namespace the same.
    fn is(&self, health: Health) {
        let state = ClusterState::from(health);
        if std::mem::replace(&mut *self.told.lock(), state) == state {
            return;
        }
        match state {
            ClusterState::Disconnected => tracing::warn!("the connection to the other servers is lost"),
            _ => tracing::info!(state = state.as_str(), "the connection to the other servers"),
        }
        self.meter.record(Measured::ClusterState { state: state.as_str() });
    }

    fn published(&self, namespace: &str) {
        self.counts.published.fetch_add(1, Ordering::Relaxed);
        self.meter.record(Measured::ClusterPublished { namespace });
    }

    fn received(&self, namespace: &str) {
        self.counts.received.fetch_add(1, Ordering::Relaxed);
        self.meter.record(Measured::ClusterReceived { namespace });
    }

    fn lost(&self, namespace: &str, path: &str, loss: &Loss) {
        let (count, messages, why) = match loss {
            Loss::Unsent(messages) => (&self.counts.unsent, *messages, "unsent"),
            Loss::Unread => (&self.counts.gaps, 1, "unread"),
            Loss::Poison(_) => (&self.counts.poison, 1, "poison"),
        };
        match loss {
            Loss::Unsent(_) => tracing::debug!(namespace = path, messages, "messages to other servers are lost"),
            Loss::Unread => tracing::warn!(namespace = path, "messages of other servers may have been missed"),
            Loss::Poison(reason) => tracing::warn!(namespace = path, reason, "a message of another server was skipped"),
        }
        count.fetch_add(messages, Ordering::Relaxed);
        self.meter.record(Measured::ClusterLost { namespace, why, messages });
    }
}

impl NamespaceCore {
    /// Its end of the cluster; `None` without an adapter, and as long as nobody has used the server within a runtime.
    #[inline]
    pub(super) fn node(&self) -> Option<&Arc<Node>> {
        let hub = self.settings.hub.as_ref()?;
        self.node.get().or_else(|| self.open(hub))
    }

    #[cold]
    fn open(&self, hub: &Arc<Hub>) -> Option<&Arc<Node>> {
        let runtime = tokio::runtime::Handle::try_current().ok()?;
        let mut queued = None;
        let node = self.node.get_or_init(|| {
            let (node, said) = Node::open(self, Arc::clone(hub), runtime);
            queued = Some(said);
            node
        });
        if let Some(queued) = queued {
            node.opened(queued);
        }
        Some(node)
    }

    /// Says goodbye to the other servers.
    pub(super) fn close_node(&self) {
        if let Some(node) = self.node.get() {
            node.close();
        }
    }
}
