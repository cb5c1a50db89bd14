//! What other servers emit to this one: handlers start in the order of arrival, each goes on in a task of its own.

use super::{
    Node,
    deeds::{acknowledgement, first_argument},
};
use crate::{
    adapter::{
        broker::Loss,
        cluster::Answer,
        message::{NodeId, RequestId},
    },
    contract::{BoxFuture, Incoming, Namespace, Outcome, Rejection, Serve},
    parser::{Body, Packet, encode_event},
    server::{
        namespace::{NamespaceCore, NamespaceHandle},
        session::{Panicked, caught, poll_caught},
    },
};
use std::{
    sync::{Arc, OnceLock},
    task::{Context, Poll, Waker},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Events that may wait for a free handler. More are lost, and counted: whoever asked waits in vain.
const WAITING: usize = 4096;
/// Handlers in flight. Further events wait.
const RUNNING: usize = 256;

/// Handles an event of another server.
pub(in crate::server) type ServerHandler = dyn Fn(Arc<NamespaceCore>, Incoming) -> BoxFuture<'static, Outcome> + Send + Sync;

/// The handlers of `N`, with their types erased.
pub(in crate::server) fn server_handler<N, H>(make: impl Fn(NamespaceHandle<N>) -> H + Send + Sync + 'static) -> Arc<ServerHandler>
where
    N: Namespace<Cluster: Serve<H>> + ?Sized,
    H: Send + Sync + 'static,
{
    Arc::new(move |namespace, event| N::Cluster::dispatch(&Arc::new(make(NamespaceHandle::new(namespace))), event))
}

/// Who asked, if somebody did.
type Asker = Option<(RequestId, Option<NodeId>)>;

struct ServerEvent {
    namespace: Arc<NamespaceCore>,
    event: Incoming,
    asker: Asker,
}

/// The queue of events, and the task that takes from it. It starts with the first of them.
#[derive(Default)]
pub(in crate::server) struct Worker(OnceLock<mpsc::Sender<ServerEvent>>);

impl Worker {
    pub(super) fn push(&self, node: &Arc<Node>, namespace: Arc<NamespaceCore>, event: Body, asker: Asker) {
        if namespace.server_events.is_none() {
            return tracing::debug!(namespace = namespace.path, "nobody handles the events of other servers");
        }
        // The id says that an answer is wanted; which one, only the asker knows.
        let packet = Packet::of_encoded(encode_event("/", asker.as_ref().map(|_| 0), event));
        let Some(event) = Incoming::new(packet) else { return node.lost(&Loss::Poison("an event without a name")) };
        let queue = self.0.get_or_init(|| {
            let (queue, events) = mpsc::channel(WAITING);
            node.runtime.spawn(work(events));
            queue
        });
        if queue.try_send(ServerEvent { namespace, event, asker }).is_err() {
            tracing::warn!("too many events of other servers wait for their handlers: one was dropped");
            node.lost(&Loss::Unread);
        }
    }
}

async fn work(mut events: mpsc::Receiver<ServerEvent>) {
    let running = Arc::new(Semaphore::new(RUNNING));
    while let Some(ServerEvent { namespace, event, asker }) = events.recv().await {
        let Ok(permit) = Arc::clone(&running).acquire_owned().await else { return };
        start(namespace, event, asker, permit);
    }
}

/// Polls the handler once, so that handlers start in order. What stays pending goes on by itself.
fn start(namespace: Arc<NamespaceCore>, event: Incoming, asker: Asker, permit: OwnedSemaphorePermit) {
    let Some(handler) = namespace.server_events.clone() else { return };
    let called = caught(|| handler(Arc::clone(&namespace), event));
    let mut future = match called {
        Ok(future) => future,
        Err(panicked) => return finish(&namespace, asker, Err(panicked)),
    };
    match poll_caught(future.as_mut(), &mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => finish(&namespace, asker, outcome),
        Poll::Pending => {
            tokio::spawn(async move {
                let outcome = std::future::poll_fn(|cx| poll_caught(future.as_mut(), cx)).await;
                finish(&namespace, asker, outcome);
                drop(permit);
            });
        }
    }
}

fn finish(namespace: &NamespaceCore, asker: Asker, outcome: Result<Outcome, Panicked>) {
    let (answer, rejection) = match outcome {
        Ok(Outcome::Done(body)) => (Some(body.unwrap_or_else(Body::empty)), None),
        Ok(Outcome::Answered) => (None, None),
        Ok(Outcome::Unanswerable(error)) => (None, Some(Rejection::unanswerable(&error))),
        Ok(Outcome::Unhandled(event)) => {
            return tracing::debug!(event = event.name(), "nobody handles this event of another server");
        }
        Ok(Outcome::Rejected(rejection)) => (None, Some(rejection)),
        Ok(Outcome::RejectedWith(rejection, body)) => (Some(body), Some(*rejection)),
        Err(Panicked) => (None, Some(Rejection::panicked())),
    };
    if let Some(rejection) = rejection {
        tracing::warn!(%rejection, namespace = namespace.path, "an event of another server was rejected");
    }
    if let (Some(answer), Some((id, from)), Some(node)) = (answer, asker, namespace.node()) {
        node.answer(id, from, Answer::Server(first_argument(&acknowledgement(&answer))));
    }
}
