//! What makes a server a part of a cluster.

use super::{BuildError, Builder};
use crate::{
    adapter::Adapter,
    contract::{Namespace, Serve},
    metrics::Meter,
    server::{
        cluster::{Hub, Plug, ServerHandler, server_handler},
        mounts::{Mount, Pattern},
        namespace::NamespaceHandle,
        recovery::{Clustered, Memory, Recovery, Store},
        spelling::Spelling,
    },
};
use std::{any::TypeId, sync::Arc, time::Duration};

/// Handlers of what other servers emit, and for which namespace they are.
pub(super) struct ServerEvents {
    contract: TypeId,
    name: &'static str,
    /// Of all paths of that contract, only this one.
    path: Option<String>,
    handler: Arc<ServerHandler>,
}

impl ServerEvents {
    fn concerns(&self, mount: &Mount) -> bool {
        let path = match &self.path {
            None => true,
            Some(own) => matches!(&mount.pattern, Pattern::Path(path) if path == own),
        };
        path && mount.contract == self.contract
    }
}

impl<S: Clone + Send + Sync + 'static> Builder<S> {
    /// Connects this server to others, so that together they are one: broadcasts, rooms, fetched sockets and the rest span all of
    /// them, and no handler changes. `adapter`, default none. Local clients never wait for it.
    ///
    /// The server joins when it is built within a runtime of tokio, else at its first use within one.
    ///
    /// ```
    /// use socketio::{SocketIo, adapter::Memory, events, namespace, test::Client};
    ///
    /// #[events]
    /// trait NewsEvents {
    ///     #[event]
    ///     async fn headline(&self, text: &str);
    /// }
    /// #[namespace("/news", emits = NewsEvents)]
    /// trait News {}
    /// struct Reader;
    /// impl News for Reader {}
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cluster = Memory::new(); // servers of this process; `Redis` connects those of many machines
    /// let server = || SocketIo::builder().adapter(cluster.clone()).shared::<dyn News>(Reader).build();
    /// let (here, there) = (server(), server());
    /// let reader = Client::<dyn News>::connect(&there).await.unwrap();
    /// here.of::<dyn News>().emit().headline("it works");
    /// reader.expect("headline", ["it works"]).await;
    /// # }
    /// ```
    pub fn adapter(mut self, adapter: impl Adapter) -> Self {
        self.adapter = Some(Plug::new(adapter));
        self
    }

    /// How long other servers may take to answer where a call does not say: fetched sockets, acknowledgements of servers, their
    /// count. `requestsTimeout`, default 5 s.
    pub fn cluster_timeout(mut self, timeout: Duration) -> Self {
        self.cluster_timeout = timeout;
        self
    }

    /// Handles what other servers emit to this one with [`server_side_emit`](NamespaceHandle::server_side_emit): the trait that
    /// namespace `N` names with `cluster = ..`. `make` gets the namespace (of a dynamic one: the child) and makes the handler, anew for
    /// each event; what is to stay belongs into what the closure holds. `H` is inferred: write `_`.
    ///
    /// Handlers start in the order in which the events of a server arrived, and run beside each other: 256 at a time, further events
    /// wait. A rejection or a panic is logged, and answered if the error type of the event can express it; else the other server
    /// waits in vain.
    ///
    /// ```
    /// use socketio::{NamespaceHandle, SocketIo, adapter::Memory, events, namespace};
    ///
    /// #[events]
    /// trait GameServers {
    ///     #[event]
    ///     async fn players(&self) -> usize;
    /// }
    /// #[namespace("/game", cluster = GameServers)]
    /// trait Game {}
    /// # struct Player;
    /// # impl Game for Player {}
    ///
    /// struct Node {
    ///     game: NamespaceHandle<dyn Game>,
    /// }
    /// impl GameServers for Node {
    ///     async fn players(&self) -> usize {
    ///         self.game.len()
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let cluster = Memory::new();
    /// let server = || {
    ///     SocketIo::builder()
    ///         .adapter(cluster.clone())
    ///         .shared::<dyn Game>(Player)
    ///         .cluster_events::<dyn Game, _>(|game| Node { game })
    ///         .build()
    /// };
    /// let (here, _there) = (server(), server());
    /// assert_eq!(here.of::<dyn Game>().server_side_emit().players().await, [Ok(0)]);
    /// # }
    /// ```
    pub fn cluster_events<N, H>(self, make: impl Fn(NamespaceHandle<N>) -> H + Send + Sync + 'static) -> Self
    where
        N: Namespace<Cluster: Serve<H>> + ?Sized,
        H: Send + Sync + 'static,
    {
        self.server_events::<N, H>(None, make)
    }

    /// The same for the namespace at one path, if the contract has several: for [`Untyped`](crate::Untyped).
    pub fn cluster_events_at<N, H>(
        self,
        path: impl Into<String>,
        make: impl Fn(NamespaceHandle<N>) -> H + Send + Sync + 'static,
    ) -> Self
    where
        N: Namespace<Cluster: Serve<H>> + ?Sized,
        H: Send + Sync + 'static,
    {
        self.server_events::<N, H>(Some(path.into()), make)
    }

    fn server_events<N, H>(mut self, path: Option<String>, make: impl Fn(NamespaceHandle<N>) -> H + Send + Sync + 'static) -> Self
    where
        N: Namespace<Cluster: Serve<H>> + ?Sized,
        H: Send + Sync + 'static,
    {
        let handler = server_handler::<N, H>(make);
        self.server_events.push(ServerEvents { contract: TypeId::of::<N>(), name: N::NAME, path, handler });
        self
    }
}

/// Where events and sessions are kept: in this server, or for all of them.
pub(super) fn store(
    recovery: Recovery,
    hub: Option<&Hub>,
    (noticed, patience): (Duration, Duration),
    spelling: &Spelling,
) -> Result<Arc<dyn Store>, BuildError> {
    match hub {
        None => Ok(Memory::new(recovery, noticed, spelling.clone())),
        Some(hub) if hub.has_journal => Ok(Clustered::new(recovery, noticed, patience, spelling.clone())),
        Some(_) => Err(BuildError::RecoveryWithoutJournal),
    }
}

/// Gives namespaces their handlers of server events, and checks what servers send each other.
pub(super) fn prepare(
    mut mounts: Vec<Mount>,
    handlers: Vec<ServerEvents>,
    adapter: Option<Plug>,
    meter: Meter,
) -> Result<(Vec<Mount>, Option<Arc<Hub>>), BuildError> {
    for events in handlers {
        let mut concerned = mounts.iter_mut().filter(|mount| events.concerns(mount)).peekable();
        if concerned.peek().is_none() {
            return Err(BuildError::ClusterEventsWithoutNamespace(events.path.unwrap_or_else(|| events.name.to_owned())));
        }
        concerned.for_each(|mount| mount.server_events = Some(Arc::clone(&events.handler)));
    }
    if adapter.is_some()
        && let Some((contract, event)) = mounts.iter().find_map(|mount| (mount.reserved)())
    {
        return Err(BuildError::ReservedClusterEvent { contract: contract.to_owned(), event });
    }
    Ok((mounts, adapter.map(|adapter| Hub::new(adapter, meter))))
}
