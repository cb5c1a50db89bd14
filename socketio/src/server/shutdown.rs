//! `Shutdown`: how a server ends within a time, in order and without a stampede.
//!
//! ```text
//!  0          spread (half)        3/4                deadline
//!  |--batch--batch--batch--|--------|---------------------|
//!  |                                |                     `-- abort: what still runs is dropped
//!  |                                `-- close: the rest is closed, whatever its handlers do
//!  `-- 503 for new clients; each batch finishes what it has begun, is told, and closed
//! ```
//! Not here: how one connection finishes; see `connection`.

use super::handle::SocketIo;
use crate::{
    contract::BoxFuture,
    engine::{FAR_FUTURE, Farewell},
};
use std::{
    fmt,
    future::IntoFuture,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

/// The time between two batches.
const TICK: Duration = Duration::from_millis(100);
/// So many connections are no stampede: fewer are not worth a batch, unless [`Shutdown::spread`] asks for it.
const BATCH: usize = 50;
/// How long dropped tasks may take to be gone. What takes longer holds its thread.
const ABORT_PATIENCE: Duration = Duration::from_secs(1);

/// A shutdown with a deadline: awaiting it does the work. Made by [`SocketIo::shutdown`].
///
/// | when | what |
/// |---|---|
/// | at once | handshakes are refused with 503 and `Retry-After`; those who are connected notice nothing |
/// | the first half of the time, or [`spread`](Self::spread) | batch after batch ends: a connection starts nothing new, lets its handlers finish, its acknowledgements included, sends what is queued, ends its sockets with [`ServerShuttingDown`](crate::DisconnectReason::ServerShuttingDown) and closes. Its client reconnects, to another server |
/// | after three quarters | what is left is closed: sockets end, what is queued is sent; handlers may go on |
/// | at the deadline | what is left is aborted: handlers are dropped where they await, connections cut |
///
/// It ends as soon as nobody is left. Up to 500 connections in ten batches of a second together: a small server is down at once.
///
/// Handlers that wait for the end of their socket see it at three quarters of the time. Code that never awaits cannot be aborted;
/// such connections are counted in [`ShutdownReport::stuck`].
///
/// ```
/// # use socketio::{Socket, SocketIo, namespace, test::Client};
/// # use std::time::Duration;
/// # #[namespace("/")]
/// # trait Main {}
/// # struct Session;
/// # impl Main for Session {}
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let io = SocketIo::builder().shared::<dyn Main>(Session).build();
/// let client = Client::<dyn Main>::connect(&io).await.unwrap();
///
/// let report = io.shutdown(Duration::from_secs(30)).await;
/// assert_eq!((report.sockets, report.handlers_aborted, report.unsent_bytes), (1, 0, 0));
/// client.disconnected().await;
/// # }
/// ```
///
/// # Cancel safety
/// Dropped half-way it stops where it stands: new clients are refused, those who have not been told stay. A further call goes on.
#[must_use = "a server shuts down when this is awaited"]
pub struct Shutdown {
    io: SocketIo,
    deadline: Duration,
    spread: Option<Duration>,
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shutdown").field("deadline", &self.deadline).field("spread", &self.spread).finish_non_exhaustive()
    }
}

impl Shutdown {
    pub(super) fn new(io: SocketIo, deadline: Duration) -> Self {
        Shutdown { io, deadline: deadline.min(FAR_FUTURE), spread: None }
    }

    /// Closes the connections evenly over this time, however few they are. Default: over half of the deadline at most, and at
    /// least 50 at a time. It is cut to three quarters of the deadline; zero closes all at once.
    pub fn spread(mut self, time: Duration) -> Self {
        self.spread = Some(time);
        self
    }

    async fn run(self) -> ShutdownReport {
        let start = Instant::now();
        let (close_at, end) = (start + self.deadline * 3 / 4, start + self.deadline);
        let (registry, tally) = (self.io.refuse_new(), self.io.tally());
        let handles = registry.handles();
        let connections = handles.iter().filter(|handle| !handle.is_over()).count();
        let ticks = self.ticks();
        let even = handles.len().div_ceil(ticks);
        let size = if self.spread.is_some() { even } else { even.max(BATCH) };
        tracing::info!(connections, deadline = ?self.deadline, "the server shuts down");

        for (number, batch) in handles.chunks(size.max(1)).enumerate() {
            let at = start + TICK * u32::try_from(number).unwrap_or(u32::MAX);
            if timeout_at(at, registry.emptied()).await.is_ok() {
                break;
            }
            batch.iter().for_each(|handle| handle.bid(Farewell::Finish));
        }
        for (at, farewell) in [(close_at, Farewell::Close), (end, Farewell::Abort)] {
            if timeout_at(at, registry.emptied()).await.is_err() {
                handles.iter().for_each(|handle| handle.bid(farewell));
            }
        }
        // Tasks that were aborted are dropped by the threads of the runtime.
        let gone = timeout_at(Instant::now() + ABORT_PATIENCE, registry.emptied()).await;
        // Sessions without a connection, where clients may come back; their last call has what is left of the time.
        let last = end.max(Instant::now() + ABORT_PATIENCE);
        if timeout_at(last, self.io.end_absent()).await.is_err() {
            tracing::warn!("sessions that waited for their clients have not ended in time");
        }
        // Now that nobody is left whom they concern. Other servers hear of it, and what waits for them is sent.
        self.io.leave_cluster(last.saturating_duration_since(Instant::now())).await;
        let report = ShutdownReport {
            connections,
            sockets: tally.sockets.load(Ordering::Acquire),
            handlers_aborted: tally.handlers.load(Ordering::Acquire),
            unsent_bytes: tally.bytes.load(Ordering::Acquire),
            stuck: if gone.is_ok() { 0 } else { registry.live() },
        };
        tracing::info!(?report, took = ?start.elapsed(), "the server is down");
        report
    }

    /// How many batches there are at most.
    fn ticks(&self) -> usize {
        let spread = self.spread.unwrap_or(self.deadline / 2).min(self.deadline * 3 / 4);
        usize::try_from(spread.as_millis() / TICK.as_millis()).unwrap_or(usize::MAX).max(1)
    }
}

impl IntoFuture for Shutdown {
    type Output = ShutdownReport;
    type IntoFuture = BoxFuture<'static, ShutdownReport>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// How a [`Shutdown`] went. Several shutdowns of one server add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Connections that were open when it began.
    pub connections: usize,
    /// Sockets that it ended, of all namespaces together.
    pub sockets: usize,
    /// Handlers that had not finished at the deadline and were dropped, connect and disconnect handlers included.
    pub handlers_aborted: usize,
    /// Bytes that waited for clients which did not take them in time.
    pub unsent_bytes: usize,
    /// Connections whose task could not be aborted within a second, because a handler holds its thread.
    pub stuck: usize,
}

impl ShutdownReport {
    /// Whether everything that had begun was finished and sent.
    pub fn is_clean(&self) -> bool {
        self.handlers_aborted == 0 && self.unsent_bytes == 0 && self.stuck == 0
    }
}

/// What the tasks of connections report for [`ShutdownReport`].
#[derive(Debug, Default)]
pub(super) struct Tally {
    sockets: AtomicUsize,
    handlers: AtomicUsize,
    bytes: AtomicUsize,
}

impl Tally {
    pub(super) fn closed_socket(&self) {
        self.sockets.fetch_add(1, Ordering::AcqRel);
    }

    /// A connection has ended and leaves this undone.
    pub(super) fn ended(&self, handlers: usize, bytes: usize) {
        self.handlers.fetch_add(handlers, Ordering::AcqRel);
        self.bytes.fetch_add(bytes, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests;
