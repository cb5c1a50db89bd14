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
///
/// ```
/// use socketio::{Incoming, Outcome, Rejection, layer::Next};
/// use std::time::Duration;
///
/// /// For [`from_fn`](super::from_fn): no event may take longer.
/// async fn in_time(event: Incoming, next: Next) -> Outcome {
///     let (name, who) = (event.name().to_owned(), next.socket().id());
///     tokio::time::timeout(Duration::from_secs(5), next.run(event)).await.unwrap_or_else(|_| {
///         eprintln!("{name} of {who} takes too long");
///         Rejection::new("this takes too long").with_code("timeout").into()
///     })
/// }
/// # use socketio::{CallError, SocketIo, layer::from_fn, namespace, test::Client};
/// # #[namespace("/slow")] trait Slow { #[event] async fn work(&self, seconds: u64) -> Result<(), Rejection>; }
/// # struct Worker;
/// # impl Slow for Worker {
/// #     async fn work(&self, seconds: u64) -> Result<(), Rejection> { tokio::time::sleep(Duration::from_secs(seconds)).await; Ok(()) }
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(async {
/// # let io = SocketIo::builder().shared::<dyn Slow>(Worker).event_layer(from_fn(in_time)).build();
/// # let client = Client::<dyn Slow>::connect(&io).timeout(Duration::from_secs(60)).await.unwrap();
/// # assert_eq!(client.emit().work(4).await, Ok(()));
/// # let Err(CallError::Rejected(late)) = client.emit().work(6).await else { panic!("in time") };
/// # assert_eq!(late.code(), Some("timeout"));
/// # });
/// ```
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
