//! `Layered`: a session with a service around its events, and `Next`, the way on from there.
//!
//! Without layers nothing of this exists. With them, each costs one box and two reference counts for an event.

use super::{EventLayer, EventService};
use crate::{
    contract::{BoxFuture, Incoming, Outcome, Rejection, Untyped},
    reason::DisconnectReason,
    server::{ErasedSession, Socket},
};
use futures_util::FutureExt as _;
use std::{any::Any, fmt, panic::AssertUnwindSafe, sync::Arc};

/// A session and the layers inside of this one.
struct Inner {
    session: Box<dyn ErasedSession>,
    socket: Socket<Untyped>,
}

struct Layered<S> {
    service: Arc<S>,
    inner: Arc<Inner>,
}

/// Puts a layer around a session.
pub(crate) fn wrap<L: EventLayer>(layer: &L, socket: Socket<Untyped>, session: Box<dyn ErasedSession>) -> Box<dyn ErasedSession> {
    let service = Arc::new(layer.layer(&socket));
    Box::new(Layered { service, inner: Arc::new(Inner { session, socket }) })
}

impl<S: EventService> ErasedSession for Layered<S> {
    fn dispatch(&self, event: Incoming) -> BoxFuture<'static, Outcome> {
        let (service, inner) = (Arc::clone(&self.service), Arc::clone(&self.inner));
        Box::pin(async move {
            // Text and attachments are shared, not copied.
            let asked = event.clone();
            let next = Next { inner: Arc::clone(&inner) };
            let called = AssertUnwindSafe(async { service.call(event, next).await }).catch_unwind().await;
            match called.unwrap_or_else(|_| Rejection::panicked().into()) {
                Outcome::Rejected(rejection) => inner.session.reject(&asked, rejection),
                outcome => outcome,
            }
        })
    }

    fn reject(&self, event: &Incoming, rejection: Rejection) -> Outcome {
        self.inner.session.reject(event, rejection)
    }

    fn disconnect(&self, reason: DisconnectReason) -> Option<BoxFuture<'static, ()>> {
        self.inner.session.disconnect(reason)
    }

    fn value(&self) -> Arc<dyn Any + Send + Sync> {
        self.inner.session.value()
    }
}

/// The way on: the layers inside of this one, then the handler.
pub struct Next {
    inner: Arc<Inner>,
}

impl Next {
    /// Handles the event. A handler that panics is an [`Outcome::Rejected`] here.
    ///
    /// # Cancel safety
    /// Dropping the future drops the handler at the `.await` where it stands.
    pub async fn run(self, event: Incoming) -> Outcome {
        let handled = AssertUnwindSafe(async { self.inner.session.dispatch(event).await }).catch_unwind().await;
        handled.unwrap_or_else(|_| Rejection::panicked().into())
    }

    /// Whose event it is.
    pub fn socket(&self) -> &Socket<Untyped> {
        &self.inner.socket
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").field("socket", &self.inner.socket).finish_non_exhaustive()
    }
}
