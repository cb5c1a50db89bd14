//! `Queue`: orders that wait to be sent, bounded in bytes and in age. The oldest go first, in both senses.

use crate::adapter::broker::Refused;
use parking_lot::Mutex;
use redis::{Cmd, Value};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};
use tokio::sync::{Notify, futures::Notified};

/// At most so many orders are on their way at once: what a connection that breaks leaves in doubt.
const BATCH_ORDERS: usize = 256;
/// And so many bytes, or one order.
const BATCH_BYTES: usize = 1024 * 1024;
/// What an order costs beside its bytes.
const ORDER_OVERHEAD: usize = 128;

/// Which node of a cluster a command is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Route {
    /// Any; always the same one as long as it is there.
    Any,
    /// The one that has this key, or sharded channel.
    Key(Vec<u8>),
}

/// A command that changes something, to be sent in order.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) command: Cmd,
    pub(crate) route: Route,
    /// Whoever wants to know what became of it. See [`Port::done`](super::Port::done).
    pub(crate) token: Option<u64>,
}

impl Order {
    /// `PUBLISH`. If the connection breaks before its answer, it is not sent again: it may be lost, and does not arrive twice.
    pub(crate) fn publish(channel: &str, payload: &[u8]) -> Self {
        let mut command = redis::cmd("PUBLISH");
        command.arg(channel).arg(payload);
        Order { command, route: Route::Any, token: None }
    }

    /// `SPUBLISH`; otherwise as [`Order::publish`].
    pub(crate) fn publish_sharded(channel: &str, payload: &[u8]) -> Self {
        let mut command = redis::cmd("SPUBLISH");
        command.arg(channel).arg(payload);
        Order { command, route: Route::Key(channel.as_bytes().to_vec()), token: None }
    }

    fn cost(&self) -> usize {
        let arguments = self.command.args_iter().map(|argument| match argument {
            redis::Arg::Simple(bytes) => bytes.len(),
            _ => 0,
        });
        arguments.sum::<usize>() + ORDER_OVERHEAD
    }
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// Redis has carried it out.
    Done(Value),
    /// Redis does not want it: out of memory, no permission.
    Refused(String),
    /// It was sent, and the connection broke before the answer.
    Uncertain,
    /// It was never sent.
    Dropped,
}

/// An order, and who gave it when.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) port: u64,
    pub(super) order: Order,
    since: Instant,
    cost: usize,
}

/// Who gave an order: the port, and the token that it wanted.
pub(super) type Giver = (u64, Option<u64>);

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// Orders that were taken and are not finished.
    taken: usize,
    closed: bool,
}

#[derive(Debug)]
pub(super) struct Queue {
    /// Held for a push or a batch, never while anything is told to anybody. A leaf.
    state: Mutex<State>,
    filled: Notify,
    emptied: Notify,
    max_bytes: usize,
    max_age: Duration,
}

impl Queue {
    pub(super) fn new(max_bytes: usize, max_age: Duration) -> Self {
        Queue { state: Mutex::default(), filled: Notify::new(), emptied: Notify::new(), max_bytes, max_age }
    }

    /// Puts an order at the end, and gives back whose orders had to go for it.
    pub(super) fn push(&self, port: u64, order: Order, now: Instant) -> Result<Vec<Giver>, Refused> {
        let cost = order.cost();
        let mut state = self.state.lock();
        if state.closed || cost > self.max_bytes {
            return Err(Refused);
        }
        let mut dropped = Vec::new();
        while state.bytes + cost > self.max_bytes {
            let Some(oldest) = state.pop() else { break };
            dropped.push((oldest.port, oldest.order.token));
        }
        state.bytes += cost;
        state.waiting.push_back(Waiting { port, order, since: now, cost });
        drop(state);
        self.filled.notify_one();
        Ok(dropped)
    }

    /// The oldest orders, as many as are sent at once; none if there are none.
    pub(super) fn take(&self) -> Vec<Waiting> {
        let mut state = self.state.lock();
        let mut batch = Vec::new();
        let mut bytes = 0;
        while let Some(next) = state.waiting.front() {
            if batch.len() == BATCH_ORDERS || !batch.is_empty() && bytes + next.cost > BATCH_BYTES {
                break;
            }
            bytes += next.cost;
            batch.extend(state.pop());
        }
        state.taken += batch.len();
        batch
    }

    /// So many of those taken are finished, and the others are to be sent again, before all that waits.
    pub(super) fn finish(&self, again: Vec<Waiting>, finished: usize) {
        let mut state = self.state.lock();
        state.taken = state.taken.saturating_sub(again.len() + finished);
        for waiting in again.into_iter().rev() {
            state.bytes += waiting.cost;
            state.waiting.push_front(waiting);
        }
        let empty = state.waiting.is_empty() && state.taken == 0;
        drop(state);
        if empty {
            self.emptied.notify_waiters();
        }
    }

    /// Ends when something was pushed since it was last called.
    pub(super) fn filled(&self) -> Notified<'_> {
        self.filled.notified()
    }

    /// Removes what is too old, and gives back whose it was.
    pub(super) fn expire(&self, now: Instant) -> Vec<Giver> {
        let mut state = self.state.lock();
        let mut dropped = Vec::new();
        while state.waiting.front().is_some_and(|oldest| now.saturating_duration_since(oldest.since) > self.max_age) {
            dropped.extend(state.pop().map(|oldest| (oldest.port, oldest.order.token)));
        }
        let empty = state.waiting.is_empty() && state.taken == 0;
        drop(state);
        if empty {
            self.emptied.notify_waiters();
        }
        dropped
    }

    pub(super) fn bytes(&self) -> usize {
        self.state.lock().bytes
    }

    /// Takes no more.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
    }

    /// Removes all that waits, and gives back whose it was.
    pub(super) fn clear(&self) -> Vec<Giver> {
        let mut state = self.state.lock();
        state.bytes = 0;
        state.waiting.drain(..).map(|waiting| (waiting.port, waiting.order.token)).collect()
    }

    /// Ends when nothing waits and everything that was taken is finished.
    pub(super) async fn drained(&self) {
        loop {
            let emptied = self.emptied.notified();
            {
                let state = self.state.lock();
                if state.waiting.is_empty() && state.taken == 0 {
                    return;
                }
            }
            emptied.await;
        }
    }
}

impl State {
    fn pop(&mut self) -> Option<Waiting> {
        let oldest = self.waiting.pop_front()?;
        self.bytes -= oldest.cost;
        Some(oldest)
    }
}

impl Waiting {
    /// The same without its command.
    pub(super) fn copy(&self) -> Self {
        let order = Order { command: Cmd::new(), route: self.order.route.clone(), token: self.order.token };
        Waiting { port: self.port, order, since: self.since, cost: self.cost }
    }

    /// The same with this command.
    pub(super) fn with(mut self, command: Cmd) -> Self {
        self.order.command = command;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_grew_too_old_is_not_waited_for() {
        let queue = Queue::new(1024, Duration::from_millis(10));
        let now = Instant::now();
        queue.push(1, Order::publish("channel", b"payload"), now).expect("there is room");
        let expiring = async { queue.expire(now + Duration::from_secs(1)) };
        let both = async { tokio::join!(queue.drained(), expiring) };
        let ((), dropped) = tokio::time::timeout(Duration::from_secs(10), both).await.expect("nothing waits any more");
        assert_eq!(dropped, [(1, None)]);
    }
}
