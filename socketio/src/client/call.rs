//! `ToServer` and `TryToServer`: where a client's typed emitter sends to.

use super::{
    manager::{Key, Unanswered},
    shared::Shared,
};
use crate::{
    contract::{AckData, Answer, CallError, Decode, EmitError, Target},
    parser::{Body, EncodeError},
};
use std::{fmt, sync::Arc, time::Duration};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep},
};

/// Where the emitter of a [`Client`](super::Client) sends to: an event without acknowledgement is sent and forgotten, one with
/// gives an [`Answer`].
///
/// An emitter keeps no connection open.
#[derive(Clone)]
pub struct ToServer {
    pub(super) shared: Arc<Shared>,
    pub(super) key: Key,
    pub(super) timeout: Duration,
    pub(super) volatile: bool,
}

impl fmt::Debug for ToServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToServer").field("timeout", &self.timeout).field("volatile", &self.volatile).finish_non_exhaustive()
    }
}

impl ToServer {
    pub(super) fn emit(&self, event: Body) -> Result<(), EmitError> {
        let volatile = self.volatile || event.is_volatile();
        let now = Instant::now().into_std();
        self.shared.with(|manager| manager.emit(self.key, event, None, volatile, now)).map(drop)
    }

    pub(super) fn call<T: Send + 'static, E: Send + 'static>(
        &self,
        event: Result<Body, EmitError>,
        decode: Decode<T, E>,
    ) -> Answer<T, E> {
        let (waiter, answer) = oneshot::channel();
        let now = Instant::now().into_std();
        let sent = event.and_then(|event| {
            let volatile = self.volatile || event.is_volatile();
            self.shared.with(|manager| manager.emit(self.key, event, Some((waiter, self.timeout)), volatile, now))
        });
        match sent {
            Ok(call) => Answer::new(answered(answer, Forget { shared: Arc::clone(&self.shared), call }, decode)),
            // A volatile event that was dropped times out, as on the server and in the reference.
            Err(EmitError::NotWritable) => Answer::new(never(self.timeout)),
            Err(error) => Answer::new(std::future::ready(Err(error.into()))),
        }
    }
}

async fn never<T, E>(timeout: Duration) -> Result<T, CallError<E>> {
    sleep(timeout).await;
    Err(CallError::Timeout)
}

/// Nobody waits for an answer whose future is gone.
struct Forget {
    shared: Arc<Shared>,
    call: Option<u64>,
}

impl Drop for Forget {
    fn drop(&mut self) {
        if let Some(call) = self.call {
            self.shared.look(|manager| manager.forget(call));
        }
    }
}

async fn answered<T, E>(
    answer: oneshot::Receiver<Result<AckData, Unanswered>>,
    forget: Forget,
    decode: Decode<T, E>,
) -> Result<T, CallError<E>> {
    let answer = answer.await;
    drop(forget);
    match answer {
        Ok(Ok(data)) => decode(&data),
        Ok(Err(Unanswered::Timeout)) => Err(CallError::Timeout),
        Ok(Err(Unanswered::Disconnected)) | Err(_) => Err(CallError::Disconnected),
    }
}

impl Target for ToServer {
    type Sent = ();
    type Reply<T: Send + 'static, E: Send + 'static> = Answer<T, E>;

    fn send(&self, event: Result<Body, EncodeError>) {
        match event.map_err(EmitError::from).and_then(|event| self.emit(event)) {
            Ok(()) | Err(EmitError::Disconnected | EmitError::NotWritable) => {}
            Err(error) => tracing::error!(%error, "an event was not sent"),
        }
    }

    fn ask<T: Send + 'static, E: Send + 'static>(&self, event: Result<Body, EncodeError>, decode: Decode<T, E>) -> Answer<T, E> {
        self.call(event.map_err(EmitError::from), decode)
    }
}

/// Like [`ToServer`], but an event without acknowledgement says whether it was taken.
#[derive(Debug, Clone)]
pub struct TryToServer(pub(super) ToServer);

impl Target for TryToServer {
    type Sent = Result<(), EmitError>;
    type Reply<T: Send + 'static, E: Send + 'static> = Answer<T, E>;

    fn send(&self, event: Result<Body, EncodeError>) -> Result<(), EmitError> {
        self.0.emit(event?)
    }

    fn ask<T: Send + 'static, E: Send + 'static>(&self, event: Result<Body, EncodeError>, decode: Decode<T, E>) -> Answer<T, E> {
        self.0.ask(event, decode)
    }
}
