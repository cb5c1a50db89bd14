//! `Inquiry`: a question to the other servers, on its way. Dropping it forgets the question.

use super::{ClusterError, Node};
use crate::{
    adapter::{
        cluster::{Ending, Finding, Question},
        message::RequestId,
    },
    server::namespace::NamespaceCore,
};
use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::sync::mpsc;

/// No more than so many are told of one by one, whatever number comes from the network.
const MOST: usize = 1 << 20;

/// What is heard of a question.
#[derive(Debug)]
pub(in crate::server) enum Part {
    Found(Finding),
    /// The broker does not say how many servers there are.
    Uncounted,
    Ended(Ending),
}

/// A question on its way.
pub(in crate::server) struct Inquiry {
    /// The child of a dynamic namespace lives as long as somebody waits for answers there.
    _namespace: Arc<NamespaceCore>,
    node: Arc<Node>,
    id: RequestId,
    parts: mpsc::UnboundedReceiver<Part>,
    uncounted: bool,
    ended: bool,
}

/// What a question has come to.
#[derive(Debug)]
pub(in crate::server) enum Told {
    Found(Finding),
    /// It is over.
    Ended(Ended),
}

/// How a question ended.
#[derive(Debug, Clone, Copy)]
pub(in crate::server) enum Ended {
    /// With so many servers, this one included.
    Complete(usize),
    /// Without so many servers and clients.
    Missing { servers: usize, clients: usize, error: ClusterError },
}

impl fmt::Debug for Inquiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inquiry").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Inquiry {
    /// Asks all other servers; `None` if nothing connects this one to any.
    pub(in crate::server) fn start(namespace: &Arc<NamespaceCore>, question: Question, timeout: Duration) -> Option<Self> {
        let node = Arc::clone(namespace.node()?);
        let (id, parts) = node.ask(question, timeout);
        Some(Inquiry { _namespace: Arc::clone(namespace), node, id, parts, uncounted: false, ended: false })
    }

    /// What is told next; nothing after the end.
    pub(in crate::server) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Told>> {
        while !self.ended {
            match ready!(self.parts.poll_recv(cx)) {
                Some(Part::Found(finding)) => return Poll::Ready(Some(Told::Found(finding))),
                Some(Part::Uncounted) => self.uncounted = true,
                Some(Part::Ended(Ending::Complete { servers })) => {
                    self.ended = true;
                    return Poll::Ready(Some(Told::Ended(Ended::Complete(servers))));
                }
                // The namespace has ended before the question was asked.
                None => return Poll::Ready(Some(self.missing(1, 0))),
                Some(Part::Ended(Ending::TimedOut { servers, clients })) => {
                    return Poll::Ready(Some(self.missing(servers, clients)));
                }
            }
        }
        Poll::Ready(None)
    }

    fn missing(&mut self, servers: usize, clients: usize) -> Told {
        self.ended = true;
        let (servers, clients) = (servers.min(MOST), clients.min(MOST));
        let error = if self.uncounted { ClusterError::Unreachable } else { ClusterError::Silent { servers } };
        Told::Ended(Ended::Missing { servers, clients, error })
    }

    pub(in crate::server) async fn next(&mut self) -> Option<Told> {
        std::future::poll_fn(|cx| self.poll(cx)).await
    }
}

impl Drop for Inquiry {
    fn drop(&mut self) {
        if !self.ended {
            self.node.forget(&self.id);
        }
    }
}
