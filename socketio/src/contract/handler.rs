//! The handler of a client's events, with its type erased.

use super::{BoxFuture, Incoming, Outcome, Serve};
use std::sync::Arc;

/// Handles whatever the server emits.
pub(crate) type Handler = Arc<dyn Fn(Incoming) -> BoxFuture<'static, Outcome> + Send + Sync>;

/// The handler of the events `N`.
pub(crate) fn handler<N: Serve<H> + ?Sized, H: Send + Sync + 'static>(handler: H) -> Handler {
    let handler = Arc::new(handler);
    Arc::new(move |event| N::dispatch(&handler, event))
}
