//! Event layers: code of the application around every event of a namespace, in the shape of tower's layers.
//!
//! ```text
//!   event ---> Trace ---> RateLimit ---> #[middleware] ---> handler
//!                |            |                                |
//!   answer <-----+<-----------+<-------------------------------+
//! ```
//! A layer knows no contract, so it fits any namespace: typed, shared, dynamic or untyped. What belongs to one contract is a
//! `#[middleware]` method of its trait; what concerns connections is an extractor of the connect handler, or a tower layer around
//! [`SocketIo::layer`](crate::SocketIo::layer).
//!
//! ```
//! use socketio::{CallError, ConnectError, Rejection, Socket, SocketIo, layer, namespace, test::Client};
//! use std::time::Duration;
//!
//! #[namespace("/chat")]
//! trait Chat {
//!     #[event]
//!     async fn say(&self, text: &str) -> Result<(), String>;
//! }
//! struct Session;
//! impl Chat for Session {
//!     async fn say(&self, _: &str) -> Result<(), String> { Ok(()) }
//! }
//! async fn connect(_: Socket<dyn Chat>) -> Result<Session, ConnectError> { Ok(Session) }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let io = SocketIo::builder()
//!     .namespace::<dyn Chat, _>(connect)
//!     // Around the namespaces above; the last one is the outermost.
//!     .event_layer(layer::RateLimit::new(2, Duration::from_secs(1)))
//!     .event_layer(layer::Trace::new())
//!     .build();
//!
//! let client = Client::<dyn Chat>::connect(&io).await.unwrap();
//! assert_eq!(client.emit().say("one").await, Ok(()));
//! assert_eq!(client.emit().say("two").await, Ok(()));
//! // The event's own error says so, because `String` is `From<Rejection>`.
//! assert_eq!(client.emit().say("three").await, Err(CallError::Rejected("too many events, try again in 500 ms".to_owned())));
//! # }
//! ```
//!
//! Not here: how a refusal becomes the event's own error, which only its contract knows; see `private`.

mod from_fn;
mod rate_limit;
mod stack;
#[cfg(test)]
mod tests;
mod trace;

pub use from_fn::{FromFn, from_fn};
pub use rate_limit::{RateLimit, RateLimited};
pub use stack::Next;
pub(crate) use stack::wrap;
pub use trace::{Trace, Traced};

use crate::{
    contract::{Incoming, Outcome, Untyped},
    server::Socket,
};
use std::{future::Future, sync::Arc};

/// Makes, for each socket that is taken in, the service that is called around its events. See [`from_fn`] for those that need
/// nothing but a function, and [`Builder::event_layer`](crate::Builder::event_layer) for where layers go.
///
/// ```
/// use socketio::{Incoming, Outcome, Rejection, Socket, Untyped, layer::{EventLayer, EventService, Next}};
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// /// Takes so many events of each socket and no more.
/// struct Trial(usize);
///
/// struct TrialOf { left: AtomicUsize }
///
/// impl EventLayer for Trial {
///     type Service = TrialOf;
///     fn layer(&self, _: &Socket<Untyped>) -> TrialOf {
///         TrialOf { left: AtomicUsize::new(self.0) }
///     }
/// }
///
/// impl EventService for TrialOf {
///     async fn call(&self, event: Incoming, next: Next) -> Outcome {
///         let one_less = |left: usize| left.checked_sub(1);
///         match self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less) {
///             Ok(_) => next.run(event).await,
///             Err(_) => Rejection::new("the trial is over").into(),
///         }
///     }
/// }
/// # let _ = Trial(10);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event layer",
    label = "does not implement `EventLayer`",
    note = "an `async fn(Incoming, Next) -> Outcome` becomes one with `socketio::layer::from_fn(..)`",
    note = "a tower layer goes around `io.layer()`: it sees requests, not events"
)]
pub trait EventLayer: Send + Sync + 'static {
    /// What is called around each event; holds the state of one socket, and is dropped with its session.
    type Service: EventService;

    /// Makes the service of a socket. Runs once, after its connect handler has accepted the client. A panic refuses the client.
    fn layer(&self, socket: &Socket<Untyped>) -> Self::Service;

    /// The events that this layer names, by their names on the wire. One that no namespace inside of it declares is a spelling
    /// mistake, and [`try_build`](crate::Builder::try_build) reports it. Default: none.
    fn events(&self) -> Vec<&str> {
        Vec::new()
    }
}

impl<L: EventLayer> EventLayer for Arc<L> {
    type Service = L::Service;

    fn events(&self) -> Vec<&str> {
        L::events(self)
    }

    fn layer(&self, socket: &Socket<Untyped>) -> L::Service {
        L::layer(self, socket)
    }
}

/// Called around each event of one socket, in the order of arrival up to its first `.await`.
pub trait EventService: Send + Sync + 'static {
    /// Handles the event by [`next.run(event)`](Next::run), or refuses it by returning a [`Rejection`](crate::Rejection) as
    /// [`Outcome`]: the client receives that as the event's own typed error if its contract can say so, exactly as from a
    /// `#[middleware]`. So it does if this panics. What it returns without running the event is the answer.
    ///
    /// The event may be one that the contract does not know, and its arguments may be anything:
    /// [`validate`](Incoming::validate) tells whether they are JSON at all.
    fn call(&self, event: Incoming, next: Next) -> impl Future<Output = Outcome> + Send;
}
