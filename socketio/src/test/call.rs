//! `ToServer`: where a client's typed emitter sends to, and the acknowledgements that it waits for.

use super::link::Link;
use crate::{
    contract::{AckData, BoxFuture, CallError, Decode, Target},
    parser::{Body, EncodeError},
};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::{sync::oneshot, time::timeout};

/// Where the emitter of a [`Client`](super::Client) sends to.
///
/// ```
/// # use socketio::{SocketIo, namespace, test::{Answer, Client}};
/// #[namespace("/")]
/// trait Main {
///     #[event]
///     async fn double(&self, number: u32) -> u32;
///     #[event]
///     async fn forget(&self, number: u32);
/// }
/// # struct Session;
/// # impl Main for Session {
/// #     async fn double(&self, number: u32) -> u32 { 2 * number }
/// #     async fn forget(&self, _: u32) {}
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let io = SocketIo::builder().shared::<dyn Main>(Session).build();
/// # let client = Client::<dyn Main>::connect(&io).await.unwrap();
/// client.emit().forget(1); // sent
/// let answer: Answer<u32> = client.emit().double(2); // sent as well; awaiting it waits for the acknowledgement
/// assert_eq!(answer.await, Ok(4));
/// # }
/// ```
#[derive(Clone)]
pub struct ToServer(pub(super) Arc<Link>);

impl fmt::Debug for ToServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToServer").field("path", &self.0.path).finish_non_exhaustive()
    }
}

impl Target for ToServer {
    type Sent = ();
    type Reply<T: Send + 'static, E: Send + 'static> = Answer<T, E>;

    /// # Panics
    /// An argument cannot be serialized.
    fn send(&self, event: Result<Body, EncodeError>) {
        match event {
            Ok(event) => drop(self.0.emit(None, event)),
            Err(error) => panic!("{}", self.0.failed(&error.to_string())),
        }
    }

    fn ask<T: Send + 'static, E: Send + 'static>(&self, event: Result<Body, EncodeError>, decode: Decode<T, E>) -> Answer<T, E> {
        match event {
            Ok(event) => Answer(Box::pin(answer(self.0.ask(event), Arc::clone(&self.0), decode))),
            Err(EncodeError(error)) => Answer(Box::pin(std::future::ready(Err(CallError::Encode(error))))),
        }
    }
}

async fn answer<T, E>(data: oneshot::Receiver<AckData>, link: Arc<Link>, decode: Decode<T, E>) -> Result<T, CallError<E>> {
    match timeout(link.patience, data).await {
        Ok(Ok(data)) => decode(&data),
        Ok(Err(_)) => Err(CallError::Disconnected),
        Err(_) => Err(CallError::Timeout),
    }
}

/// The server's acknowledgement. The event was sent when the emitter's method was called; awaiting only waits, as long as
/// [`Connect::timeout`](super::Connect::timeout) says.
///
/// # Cancel safety
/// Dropping it gives up the acknowledgement, not the event.
///
/// ```
/// # use socketio::{CallError, SocketIo, namespace, test::Client};
/// #[namespace("/")]
/// trait Main {
///     #[event]
///     async fn half(&self, number: u32) -> Result<u32, String>;
/// }
/// # struct Session;
/// # impl Main for Session {
/// #     async fn half(&self, number: u32) -> Result<u32, String> {
/// #         if number % 2 == 0 { Ok(number / 2) } else { Err("odd".into()) }
/// #     }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let io = SocketIo::builder().shared::<dyn Main>(Session).build();
/// # let client = Client::<dyn Main>::connect(&io).await.unwrap();
/// // Both are on their way before the first is waited for.
/// let (four, three) = (client.emit().half(4), client.emit().half(3));
/// assert_eq!(four.await, Ok(2));
/// assert_eq!(three.await, Err(CallError::Rejected("odd".into())));
/// # }
/// ```
pub struct Answer<T, E = std::convert::Infallible>(BoxFuture<'static, Result<T, CallError<E>>>);

impl<T, E> fmt::Debug for Answer<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").finish_non_exhaustive()
    }
}

impl<T, E> Future for Answer<T, E> {
    type Output = Result<T, CallError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}
