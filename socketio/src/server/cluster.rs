//! The other servers of the cluster, as the target of a typed emitter.
//!
//! A server that nothing connects to others is alone: its events reach nobody, and nobody answers.
//! Not here: how the events of other servers are handled, which needs such a connection.

use crate::{
    contract::{CallError, Decode, Events, Namespace, Target},
    parser::{Body, EncodeError},
};
use futures_util::Stream;
use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

/// The typed caller of the events that the servers of namespace `N` send each other.
pub type ClusterEmitterOf<N> = <<N as Namespace>::Cluster as Events>::Emitter<OtherServers>;

/// Where an emitter sends to: every other server of the cluster.
#[derive(Debug)]
pub struct OtherServers(());

impl OtherServers {
    pub(super) fn new() -> Self {
        OtherServers(())
    }
}

impl Target for OtherServers {
    type Sent = ();
    type Reply<T: Send + 'static, E: Send + 'static> = ServerReplies<T, E>;

    fn send(&self, event: Result<Body, EncodeError>) {
        if let Err(error) = event {
            tracing::error!(%error, "an event was not sent to the other servers");
        }
    }

    fn ask<T: Send + 'static, E: Send + 'static>(&self, event: Result<Body, EncodeError>, _: Decode<T, E>) -> ServerReplies<T, E> {
        self.send(event);
        ServerReplies { results: PhantomData }
    }
}

/// The acknowledgements of the other servers: one result for each, in order of arrival. Also a `Stream` of these results.
///
/// The event was sent when the emitter's method was called; awaiting only waits.
///
/// # Cancel safety
/// Dropping it gives up the acknowledgements, not the event.
///
/// ```
/// use socketio::{ServerReplies, SocketIo, events, namespace};
///
/// #[events]
/// trait Nodes {
///     #[event]
///     async fn games(&self) -> u32;
/// }
/// #[namespace("/game", cluster = Nodes)]
/// trait Game {}
/// # struct Player;
/// # impl Game for Player {}
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let io = SocketIo::builder().shared::<dyn Game>(Player).build();
/// let replies: ServerReplies<u32, _> = io.of::<dyn Game>().server_side_emit().games(); // it is on its way
/// let games: u32 = replies.await.into_iter().filter_map(Result::ok).sum();
/// assert_eq!(games, 0, "no other server, no other game");
/// # });
/// ```
pub struct ServerReplies<T, E> {
    results: PhantomData<fn() -> (T, E)>,
}

impl<T, E> fmt::Debug for ServerReplies<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerReplies").finish_non_exhaustive()
    }
}

impl<T, E> Future for ServerReplies<T, E> {
    type Output = Vec<Result<T, CallError<E>>>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Vec::new())
    }
}

/// As a stream, it gives each result as soon as it is there.
impl<T, E> Stream for ServerReplies<T, E> {
    type Item = Result<T, CallError<E>>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(None)
    }
}
