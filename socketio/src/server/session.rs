//! A user's session with its type erased, and the polling of user code: panics end here.

use crate::{
    contract::{BoxFuture, Incoming, Outcome, Rejection, Serve},
    reason::DisconnectReason,
};
use std::{
    any::Any,
    future::Future,
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// A session whose namespace and type the runtime need not know.
pub(crate) trait ErasedSession: Send + Sync {
    fn dispatch(&self, event: Incoming) -> BoxFuture<'static, Outcome>;
    /// The contract's answer to an event that a layer keeps from being dispatched.
    fn reject(&self, event: &Incoming, rejection: Rejection) -> Outcome;
    fn disconnect(&self, reason: DisconnectReason) -> Option<BoxFuture<'static, ()>>;
    /// The session value itself, for `Recovered`.
    fn value(&self) -> Arc<dyn Any + Send + Sync>;
}

struct Typed<N: ?Sized, H> {
    handler: Arc<H>,
    name: PhantomData<fn(&N)>,
}

impl<N: Serve<H> + ?Sized, H: Send + Sync + 'static> ErasedSession for Typed<N, H> {
    fn dispatch(&self, event: Incoming) -> BoxFuture<'static, Outcome> {
        N::dispatch(&self.handler, event)
    }

    fn reject(&self, event: &Incoming, rejection: Rejection) -> Outcome {
        N::reject(&self.handler, event, rejection)
    }

    fn disconnect(&self, reason: DisconnectReason) -> Option<BoxFuture<'static, ()>> {
        N::on_disconnect(&self.handler, reason)
    }

    fn value(&self) -> Arc<dyn Any + Send + Sync> {
        Arc::clone(&self.handler) as Arc<dyn Any + Send + Sync>
    }
}

pub(crate) fn erase<N: Serve<H> + ?Sized, H: Send + Sync + 'static>(handler: Arc<H>) -> Box<dyn ErasedSession> {
    Box::new(Typed::<N, H> { handler, name: PhantomData })
}

/// User code panicked. The payload is not kept: the panic hook has reported it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Panicked;

/// Runs user code.
pub(super) fn caught<T>(run: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|_| Panicked)
}

/// Polls user code. After a panic the future must not be polled again.
pub(super) fn poll_caught<F: Future + ?Sized>(future: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<Result<F::Output, Panicked>> {
    match caught(|| future.poll(cx)) {
        Ok(poll) => poll.map(Ok),
        Err(panicked) => Poll::Ready(Err(panicked)),
    }
}

/// Drops user values; a panic in their `Drop` stays here.
pub(super) fn drop_caught<T>(value: T) {
    let _ = caught(|| drop(value));
}
