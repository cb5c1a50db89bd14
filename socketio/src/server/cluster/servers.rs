//! The other servers of the cluster, as the target of a typed emitter.
//!
//! A server that nothing connects to others is alone: its events reach nobody, and nobody answers.
//! Not here: how the events of other servers are handled; see `events`.

use super::{
    deeds::acknowledgement,
    inquiry::{Ended, Inquiry, Told},
};
use crate::{
    adapter::{
        cluster::{Finding, Question},
        message::Message,
    },
    contract::{AckData, CallError, Decode, EmitError, Events, Namespace, Target, raw_event},
    describe::Describe,
    parser::{Body, EncodeError},
    server::mounts::Scope,
};
use futures_util::Stream;
use serde::Serialize;
use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

/// The typed caller of the events that the servers of namespace `N` send each other.
pub type ClusterEmitterOf<N> = <<N as Namespace>::Cluster as Events>::Emitter<OtherServers>;

/// Where an emitter sends to: every other server of the cluster.
pub struct OtherServers {
    scope: Scope,
    timeout: Duration,
}

impl fmt::Debug for OtherServers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtherServers").finish_non_exhaustive()
    }
}

/// What the JavaScript server emits to itself: events of these names would be taken for its own.
const RESERVED: [&str; 3] = ["connect", "connection", "new_namespace"];

/// The trait that names such an event between the servers of `N`, and the event.
pub(in crate::server) fn reserved<N: Namespace + ?Sized>() -> Option<(&'static str, String)> {
    let events = N::Cluster::describe(&mut Describe::default());
    let found = events.iter().find(|event| RESERVED.contains(&event.name))?;
    Some((N::Cluster::NAME, found.name.to_owned()))
}

impl OtherServers {
    pub(in crate::server) fn new(scope: Scope) -> Self {
        let timeout = scope.settings().cluster_timeout;
        OtherServers { scope, timeout }
    }

    fn named(event: &str, args: impl Serialize) -> Result<Body, EmitError> {
        if RESERVED.contains(&event) { Err(EmitError::Reserved(event.to_owned())) } else { raw_event(event, args) }
    }

    pub(in crate::server) fn emit_raw(&self, event: &str, args: impl Serialize) -> Result<(), EmitError> {
        self.publish(Self::named(event, args)?);
        Ok(())
    }

    pub(in crate::server) fn ask_raw(
        &self,
        event: &str,
        args: impl Serialize,
    ) -> Result<ServerReplies<AckData, Infallible>, EmitError> {
        Ok(self.question(Self::named(event, args)?, |data| Ok(data.clone())))
    }

    fn publish(&self, event: Body) {
        for namespace in self.scope.namespaces() {
            if let Some(node) = namespace.node() {
                node.tell(Message::Emit { event: event.clone() });
            }
        }
    }

    fn question<T, E>(&self, event: Body, decode: Decode<T, E>) -> ServerReplies<T, E> {
        let ask = |namespace| Inquiry::start(namespace, Question::Servers { event: event.clone() }, self.timeout);
        let inquiries = self.scope.namespaces().iter().filter_map(ask).collect();
        ServerReplies { inquiries, silent: 0, results: Vec::new(), decode }
    }
}

impl Target for OtherServers {
    type Sent = ();
    type Reply<T: Send + 'static, E: Send + 'static> = ServerReplies<T, E>;

    fn send(&self, event: Result<Body, EncodeError>) {
        match event {
            Ok(event) => self.publish(event),
            Err(error) => tracing::error!(%error, "an event was not sent to the other servers"),
        }
    }

    fn ask<T: Send + 'static, E: Send + 'static>(
        &self,
        event: Result<Body, EncodeError>,
        decode: Decode<T, E>,
    ) -> ServerReplies<T, E> {
        match event {
            Ok(event) => self.question(event, decode),
            Err(error) => {
                tracing::error!(%error, "an event was not sent to the other servers");
                ServerReplies { inquiries: Vec::new(), silent: 0, results: Vec::new(), decode }
            }
        }
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
    inquiries: Vec<Inquiry>,
    /// Servers that have not answered, and are still to be told of.
    silent: usize,
    results: Vec<Result<T, CallError<E>>>,
    decode: Decode<T, E>,
}

impl<T, E> fmt::Debug for ServerReplies<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerReplies").finish_non_exhaustive()
    }
}

impl<T, E> Unpin for ServerReplies<T, E> {}

impl<T, E> Future for ServerReplies<T, E> {
    type Output = Vec<Result<T, CallError<E>>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        while let Some(result) = ready!(self.as_mut().poll_next(cx)) {
            self.results.push(result);
        }
        Poll::Ready(std::mem::take(&mut self.results))
    }
}

/// As a stream, it gives each result as soon as it is there.
impl<T, E> Stream for ServerReplies<T, E> {
    type Item = Result<T, CallError<E>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let mut next = 0;
        while let Some(inquiry) = this.inquiries.get_mut(next) {
            match inquiry.poll(cx) {
                Poll::Ready(Some(Told::Found(Finding::Server(answer)))) => {
                    return Poll::Ready(Some((this.decode)(&acknowledgement(&answer))));
                }
                Poll::Ready(Some(Told::Found(_))) => {}
                Poll::Ready(Some(Told::Ended(Ended::Missing { servers, .. }))) => {
                    this.silent = this.silent.saturating_add(servers);
                }
                Poll::Ready(Some(Told::Ended(Ended::Complete(_)))) => {}
                Poll::Ready(None) => drop(this.inquiries.swap_remove(next)),
                Poll::Pending => next += 1,
            }
        }
        if this.silent > 0 {
            this.silent -= 1;
            return Poll::Ready(Some(Err(CallError::Timeout)));
        }
        if this.inquiries.is_empty() { Poll::Ready(None) } else { Poll::Pending }
    }
}
