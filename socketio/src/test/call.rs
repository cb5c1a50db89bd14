//! `ToServer`: where a client's typed emitter sends to, and the acknowledgements that it waits for.

use super::link::Link;
use crate::{
    contract::{AckData, Answer, CallError, Decode, Target},
    parser::{Body, EncodeError},
};
use std::{fmt, sync::Arc};
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
            Ok(event) => Answer::new(answer(self.0.ask(event), Arc::clone(&self.0), decode)),
            Err(EncodeError(error)) => Answer::new(std::future::ready(Err(CallError::Encode(error)))),
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
