//! `from_fn`: a layer that is one async function.

use super::{EventLayer, EventService, Next};
use crate::{
    contract::{Incoming, Outcome, Untyped},
    server::Socket,
};
use std::{fmt, future::Future};

/// A layer of one async function or closure.
///
/// ```
/// use socketio::{Incoming, Outcome, Rejection, SocketIo, layer::{Next, from_fn}, namespace, test::Client};
/// # #[namespace("/shop")]
/// # trait Shop {
/// #   #[event] async fn buy(&self, item: u32) -> Result<(), String>;
/// #   #[event] async fn look(&self, item: u32) -> Result<String, String>;
/// # }
/// # struct Session;
/// # impl Shop for Session {
/// #     async fn buy(&self, _: u32) -> Result<(), String> { Ok(()) }
/// #     async fn look(&self, _: u32) -> Result<String, String> { Ok("a lamp".into()) }
/// # }
///
/// /// Guests look and do not touch.
/// async fn members_only(event: Incoming, next: Next) -> Outcome {
///     if event.name() == "buy" && !next.socket().rooms().iter().any(|room| room.as_str() == "members") {
///         return Rejection::new("members only").into();
///     }
///     next.run(event).await
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let io = SocketIo::builder().shared::<dyn Shop>(Session).event_layer(from_fn(members_only)).build();
/// let guest = Client::<dyn Shop>::connect(&io).await.unwrap();
/// assert_eq!(guest.emit().look(1).await, Ok("a lamp".to_owned()));
/// assert!(guest.emit().buy(1).await.is_err());
/// io.of::<dyn Shop>().sockets_join("members");
/// assert_eq!(guest.emit().buy(1).await, Ok(()));
/// # }
/// ```
pub fn from_fn<F, Fut>(function: F) -> FromFn<F>
where
    F: Fn(Incoming, Next) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Outcome> + Send,
{
    FromFn { function }
}

/// What [`from_fn`] makes.
#[derive(Clone, Copy)]
pub struct FromFn<F> {
    function: F,
}

impl<F> fmt::Debug for FromFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromFn").finish_non_exhaustive()
    }
}

impl<F, Fut> EventLayer for FromFn<F>
where
    F: Fn(Incoming, Next) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Outcome> + Send,
{
    type Service = FromFn<F>;

    fn layer(&self, _: &Socket<Untyped>) -> FromFn<F> {
        FromFn { function: self.function.clone() }
    }
}

impl<F, Fut> EventService for FromFn<F>
where
    F: Fn(Incoming, Next) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Outcome> + Send,
{
    fn call(&self, event: Incoming, next: Next) -> impl Future<Output = Outcome> + Send {
        (self.function)(event, next)
    }
}
