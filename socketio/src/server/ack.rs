//! Acknowledgements that the server waits for: the table of a socket, and the futures that emitters return.
//!
//! An entry leaves the table when its acknowledgement arrives, when its future is dropped (after a timeout, for example)
//! and when the socket ends; nothing else can stay behind.

use super::{
    cluster::{Ended, Inquiry, Told, acknowledgement},
    core::SocketCore,
};
use crate::{
    adapter::cluster::Finding,
    contract::{AckData, CallError, Decode},
    engine::FAR_FUTURE,
    id::{Quick, SocketId},
};
use futures_util::Stream;
use std::{
    collections::HashMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, Sleep},
};

/// Who waits for an acknowledgement.
#[derive(Debug)]
pub(super) enum Waiter {
    One(oneshot::Sender<AckData>),
    /// `None` says that the socket ended.
    Many(mpsc::UnboundedSender<(SocketId, Option<AckData>)>),
}

/// The acknowledgements that one socket owes.
#[derive(Debug, Default)]
pub(super) struct AckTable {
    /// With the time from which on they are waited for, if anybody measures.
    waiting: HashMap<u64, (Waiter, Option<std::time::Instant>), Quick>,
}

impl AckTable {
    pub(super) fn insert(&mut self, id: u64, waiter: Waiter, start: Option<std::time::Instant>) {
        self.waiting.insert(id, (waiter, start));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<(Waiter, Option<std::time::Instant>)> {
        let waiter = self.waiting.remove(&id);
        if self.waiting.is_empty() && self.waiting.capacity() > 64 {
            self.waiting = HashMap::default();
        }
        waiter
    }

    pub(super) fn take_all(&mut self) -> Vec<Waiter> {
        std::mem::take(&mut self.waiting).into_values().map(|(waiter, _)| waiter).collect()
    }
}

impl Waiter {
    /// Delivers an acknowledgement, or its absence. A receiver that has gone does not want it any more.
    pub(super) fn tell(self, socket: SocketId, data: Option<AckData>) {
        match (self, data) {
            (Waiter::One(waiter), Some(data)) => drop(waiter.send(data)),
            (Waiter::One(_), None) => {}
            (Waiter::Many(waiter), data) => drop(waiter.send((socket, data))),
        }
    }
}

/// The acknowledgement of one socket. The event was sent when the emitter's method was called; awaiting only waits.
///
/// # Cancel safety
/// Dropping it gives up the acknowledgement, not the event.
/// ```
/// use socketio::{CallError, Reply, Socket, events, namespace};
/// # use socketio::{SocketIo, test::Client};
/// use std::time::Duration;
///
/// #[events]
/// trait GuideEvents {
///     #[event]
///     async fn agree(&self, text: &str) -> bool;
/// }
/// #[namespace("/guide", emits = GuideEvents)]
/// trait Guide {}
/// # struct Session;
/// # impl Guide for Session {}
/// # struct Page;
/// # impl GuideEvents for Page { async fn agree(&self, text: &str) -> bool { text == "to the terms" } }
///
/// async fn ask(socket: &Socket<dyn Guide>) -> Result<bool, CallError> {
///     let reply: Reply<bool, _> = socket.timeout(Duration::from_secs(5)).emit().agree("to the terms"); // it is on its way
///     reply.await
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(async {
/// # let io = SocketIo::builder().shared::<dyn Guide>(Session).build();
/// # let socket = async || io.of::<dyn Guide>().sockets().remove(0);
/// # let willing = Client::<dyn Guide>::connect(&io).handler(Page).await.unwrap();
/// # assert_eq!(ask(&socket().await).await, Ok(true));
/// # willing.disconnect().await;
/// # let _silent = Client::<dyn Guide>::connect(&io).await.unwrap();
/// # assert_eq!(ask(&socket().await).await, Err(CallError::Timeout));
/// # });
/// ```
pub struct Reply<T, E> {
    state: ReplyState,
    decode: Decode<T, E>,
}

enum ReplyState {
    Failed(Failure),
    Waiting {
        socket: Arc<SocketCore>,
        id: u64,
        data: oneshot::Receiver<AckData>,
        timeout: Timeout,
    },
    /// Of a client of another server, which has its own clock.
    Elsewhere(Inquiry),
}

#[derive(Debug, Clone)]
pub(super) enum Failure {
    Disconnected,
    Encode(String),
}

impl<E> From<Failure> for CallError<E> {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Disconnected => CallError::Disconnected,
            Failure::Encode(error) => CallError::Encode(error),
        }
    }
}

impl<T, E> Reply<T, E> {
    pub(super) fn failed(failure: Failure, decode: Decode<T, E>) -> Self {
        Reply { state: ReplyState::Failed(failure), decode }
    }

    /// Of a client of another server.
    pub(super) fn elsewhere(inquiry: Inquiry, decode: Decode<T, E>) -> Self {
        Reply { state: ReplyState::Elsewhere(inquiry), decode }
    }

    pub(super) fn new(
        socket: Arc<SocketCore>,
        id: u64,
        data: oneshot::Receiver<AckData>,
        timeout: Duration,
        decode: Decode<T, E>,
    ) -> Self {
        Reply { state: ReplyState::Waiting { socket, id, data, timeout: Timeout::new(timeout) }, decode }
    }
}

impl<T, E> fmt::Debug for Reply<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").finish_non_exhaustive()
    }
}

impl<T, E> Future for Reply<T, E> {
    type Output = Result<T, CallError<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        match &mut this.state {
            ReplyState::Failed(failure) => Poll::Ready(Err(failure.clone().into())),
            ReplyState::Waiting { data, timeout, .. } => match Pin::new(data).poll(cx) {
                Poll::Ready(Ok(data)) => Poll::Ready((this.decode)(&data)),
                Poll::Ready(Err(_)) => Poll::Ready(Err(CallError::Disconnected)),
                Poll::Pending => timeout.poll(cx).map(|()| Err(CallError::Timeout)),
            },
            ReplyState::Elsewhere(inquiry) => loop {
                match ready!(inquiry.poll(cx)) {
                    Some(Told::Found(Finding::Acknowledged(answer))) => {
                        return Poll::Ready((this.decode)(&acknowledgement(&answer)));
                    }
                    Some(Told::Found(_)) => {}
                    Some(Told::Ended(Ended::Missing { .. })) => return Poll::Ready(Err(CallError::Timeout)),
                    // Every server was asked, and none has that client.
                    Some(Told::Ended(Ended::Complete(_))) | None => return Poll::Ready(Err(CallError::Disconnected)),
                }
            },
        }
    }
}

impl<T, E> Drop for Reply<T, E> {
    fn drop(&mut self) {
        if let ReplyState::Waiting { socket, id, .. } = &self.state {
            socket.forget_ack(*id);
        }
    }
}

/// The acknowledgements of all sockets that an event was broadcast to: one result for each, in order of arrival.
/// Sockets that did not answer in time come last, with [`CallError::Timeout`]. Also a `Stream` of these results.
///
/// The id is `None` for a client of another server: servers do not tell each other who answers. With `(None, Err(Timeout))`
/// end those of them that did not answer in time, and servers that did not say how many clients they have asked.
///
/// # Cancel safety
/// Dropping it gives up the acknowledgements, not the event.
/// ```
/// use futures_util::StreamExt as _;
/// use socketio::{CallError, NamespaceHandle, events, namespace};
/// # use socketio::{SocketIo, test::Client};
///
/// #[events]
/// trait VoteEvents {
///     #[event]
///     async fn vote(&self, question: &str) -> bool;
/// }
/// #[namespace("/vote", emits = VoteEvents)]
/// trait Vote {}
/// # struct Session;
/// # impl Vote for Session {}
/// # struct Voter(bool);
/// # impl VoteEvents for Voter { async fn vote(&self, _: &str) -> bool { self.0 } }
///
/// /// Waits for all of them.
/// async fn count(all: &NamespaceHandle<dyn Vote>) -> usize {
///     let answers = all.emit().vote("tea?").await;
///     answers.iter().filter(|(_, answer)| *answer == Ok(true)).count()
/// }
///
/// /// As a stream: does not wait for the others.
/// async fn does_anybody(all: &NamespaceHandle<dyn Vote>) -> bool {
///     let mut answers = all.emit().vote("tea?");
///     while let Some((voter, answer)) = answers.next().await {
///         match answer {
///             Ok(true) => return true,
///             Ok(false) | Err(CallError::Timeout | CallError::Disconnected) => {}
///             Err(error) => eprintln!("{voter:?}: {error}"),
///         }
///     }
///     false
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let io = SocketIo::builder().shared::<dyn Vote>(Session).build();
/// # let all = io.of::<dyn Vote>();
/// # let _no = Client::<dyn Vote>::connect(&io).handler(Voter(false)).await.unwrap();
/// # assert_eq!((count(&all).await, does_anybody(&all).await), (0, false));
/// # let _yes = Client::<dyn Vote>::connect(&io).handler(Voter(true)).await.unwrap();
/// # assert_eq!((count(&all).await, does_anybody(&all).await), (1, true));
/// # });
/// ```
pub struct BroadcastReply<T, E> {
    failure: Option<Failure>,
    missing: HashMap<SocketId, Asked, Quick>,
    answers: mpsc::UnboundedReceiver<(SocketId, Option<AckData>)>,
    /// What other servers were asked.
    others: Vec<Inquiry>,
    /// Clients and servers elsewhere that have not answered, and are still to be told of.
    silent: usize,
    results: Vec<Heard<Option<SocketId>, T, E>>,
    timeout: Timeout,
    timed_out: bool,
    decode: Decode<T, E>,
}

/// Who has answered, and what.
type Heard<I, T, E> = (I, Result<T, CallError<E>>);

/// A socket that was asked, and the id of the acknowledgement it owes.
pub(super) struct Asked {
    pub(super) socket: Arc<SocketCore>,
    pub(super) id: u64,
}

impl Asked {
    fn forget(&self) {
        self.socket.forget_ack(self.id);
    }
}

impl<T, E> BroadcastReply<T, E> {
    pub(super) fn new(
        failure: Option<Failure>,
        missing: HashMap<SocketId, Asked, Quick>,
        answers: mpsc::UnboundedReceiver<(SocketId, Option<AckData>)>,
        others: Vec<Inquiry>,
        timeout: Duration,
        decode: Decode<T, E>,
    ) -> Self {
        let (timeout, results) = (Timeout::new(timeout), Vec::new());
        BroadcastReply { failure, missing, answers, others, silent: 0, results, timeout, timed_out: false, decode }
    }

    /// How many clients of this server were asked, and have not answered yet.
    pub(super) fn asked(&self) -> usize {
        self.missing.len()
    }

    /// The next result of another server; `None`: there are no more to come.
    fn poll_others(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, CallError<E>>>> {
        let mut next = 0;
        while let Some(inquiry) = self.others.get_mut(next) {
            match inquiry.poll(cx) {
                Poll::Ready(Some(Told::Found(Finding::Acknowledged(answer)))) => {
                    return Poll::Ready(Some((self.decode)(&acknowledgement(&answer))));
                }
                Poll::Ready(Some(Told::Found(_) | Told::Ended(Ended::Complete(_)))) => {}
                Poll::Ready(Some(Told::Ended(Ended::Missing { servers, clients, .. }))) => {
                    self.silent = self.silent.saturating_add(servers).saturating_add(clients);
                }
                Poll::Ready(None) => drop(self.others.swap_remove(next)),
                Poll::Pending => next += 1,
            }
        }
        if self.silent > 0 {
            self.silent -= 1;
            return Poll::Ready(Some(Err(CallError::Timeout)));
        }
        if self.others.is_empty() { Poll::Ready(None) } else { Poll::Pending }
    }

    /// The next result of this server; `None`: there are no more to come.
    fn poll_here(&mut self, cx: &mut Context<'_>) -> Poll<Option<Heard<SocketId, T, E>>> {
        if self.missing.is_empty() {
            return Poll::Ready(None);
        }
        if !self.timed_out {
            if let Poll::Ready(Some((socket, data))) = self.answers.poll_recv(cx) {
                self.missing.remove(&socket);
                return Poll::Ready(Some((socket, data.map_or(Err(CallError::Disconnected), |data| (self.decode)(&data)))));
            }
            ready!(self.timeout.poll(cx));
            self.timed_out = true;
        }
        let silent = self.missing.keys().next().copied();
        let asked = silent.and_then(|id| Some((id, self.missing.remove(&id)?)));
        Poll::Ready(asked.map(|(id, asked)| {
            asked.forget();
            (id, Err(CallError::Timeout))
        }))
    }
}

impl<T, E> fmt::Debug for BroadcastReply<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BroadcastReply").field("missing", &self.missing.len()).finish_non_exhaustive()
    }
}

impl<T, E> Unpin for Reply<T, E> {}
impl<T, E> Unpin for BroadcastReply<T, E> {}

impl<T, E> Future for BroadcastReply<T, E> {
    type Output = Vec<(Option<SocketId>, Result<T, CallError<E>>)>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        while let Some(result) = ready!(self.as_mut().poll_next(cx)) {
            self.results.push(result);
        }
        Poll::Ready(std::mem::take(&mut self.results))
    }
}

/// As a stream, it gives each result as soon as it is there.
impl<T, E> Stream for BroadcastReply<T, E> {
    type Item = (Option<SocketId>, Result<T, CallError<E>>);

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Some(failure) = this.failure.take() {
            tracing::warn!(?failure, "a broadcast was not sent");
        }
        let here = this.poll_here(cx);
        if let Poll::Ready(Some((socket, result))) = here {
            return Poll::Ready(Some((Some(socket), result)));
        }
        match this.poll_others(cx) {
            Poll::Ready(Some(result)) => Poll::Ready(Some((None, result))),
            Poll::Ready(None) if here.is_ready() => Poll::Ready(None),
            _ => Poll::Pending,
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.missing.len(), self.others.is_empty().then(|| self.missing.len() + self.silent))
    }
}

impl<T, E> Drop for BroadcastReply<T, E> {
    fn drop(&mut self) {
        self.missing.values().for_each(Asked::forget);
    }
}

/// A time limit that starts now; its timer is made when somebody waits for it, because emitting needs no runtime.
struct Timeout {
    deadline: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Timeout {
    fn new(limit: Duration) -> Self {
        let now = Instant::now();
        Timeout { deadline: now.checked_add(limit).unwrap_or(now + FAR_FUTURE), timer: None }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = self.deadline;
        self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline))).as_mut().poll(cx)
    }
}
