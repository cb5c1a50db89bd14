//! `Outbox`: the frames that wait to be sent to one client. Any task pushes; the connection's own task drains.
//!
//! It is bounded in bytes. A push that finds the limit reached marks the outbox as overflowed, which ends the connection:
//! a client that does not read costs at most the limit plus one message, and nobody else notices. Acknowledgements and
//! heartbeats are not refused; what bounds them is that a connection with a full outbox is not read from.
//!
//! Where the application says so, the oldest messages are dropped instead, or all but the newest of a kind; and a sender may
//! wait until there is room.

mod expendable;

use super::{config::SlowConsumer, proto::Frame};
use crate::metrics::Meter;
use expendable::Expendable;
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    sync::Arc,
    task::{Context, Poll, Waker},
};

/// The message was not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The session is closed or closing.
    #[error("the connection is closed")]
    Closed,
    /// The client does not read: its buffer is full, and it is being disconnected, unless
    /// [the oldest messages are dropped](SlowConsumer::DropOldest): then there was none to drop.
    #[error("the client's send buffer is full")]
    Full,
    /// A volatile message met a connection that cannot take it now.
    #[error("a volatile message was dropped")]
    NotWritable,
}

/// How a message is queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// An overflow ends the connection.
    Normal,
    /// An answer to the client: never refused.
    Answer,
    /// Only if it can leave at once.
    Volatile,
}

/// Frames that belong together, such as a packet and its attachments: queued all or none, and without others in between.
#[derive(Debug, Clone)]
pub(crate) struct Bundle {
    pub(crate) first: Frame,
    pub(crate) rest: Vec<Frame>,
}

impl Bundle {
    /// Says of every frame whether it wants to be compressed.
    pub(crate) fn compress(mut self, compress: bool) -> Self {
        self.first.compress = compress;
        self.rest.iter_mut().for_each(|frame| frame.compress = compress);
        self
    }

    /// Says that many send it: what is large enough to be compressed is then compressed once for all who can share that.
    pub(crate) fn for_many(mut self, deflated_from: Option<usize>) -> Self {
        if let Some(threshold) = deflated_from {
            let frames = std::iter::once(&mut self.first).chain(&mut self.rest);
            frames.filter(|frame| frame.compress && frame.size() >= threshold).for_each(Frame::share);
        }
        self
    }

    fn cost(&self) -> usize {
        self.first.cost() + self.rest.iter().map(Frame::cost).sum::<usize>()
    }
}

impl From<Frame> for Bundle {
    fn from(first: Frame) -> Self {
        Bundle { first, rest: Vec::new() }
    }
}

#[derive(Debug)]
pub(crate) struct Outbox {
    limit_bytes: usize,
    policy: SlowConsumer,
    /// Guards the queue and the way to wake its reader. Held for pushes and swaps only, hence a plain lock.
    state: Mutex<State>,
    meter: Meter,
}

#[derive(Debug, Default)]
struct State {
    frames: VecDeque<Frame>,
    /// Cost of all frames that were pushed and have not been handed to the transport yet.
    bytes: usize,
    /// The reader's waker, and whether the reader sleeps; awake, it looks into the outbox before it sleeps again.
    waker: Option<Waker>,
    asleep: bool,
    /// The reader has frames of its own that the transport does not take: new ones need not wake it.
    blocked: bool,
    writable: bool,
    closed: bool,
    overflowed: bool,
    attention: bool,
    /// See [`Readiness`]; each holds for one request.
    polls_may_wait: bool,
    posts_are_welcome: bool,
    /// Boxed: most connections never have any.
    extras: Option<Box<Extras>>,
}

/// What only some connections need.
#[derive(Debug, Default)]
struct Extras {
    expendable: Expendable,
    /// Who waits until there is room.
    waiting: Vec<Waker>,
}

impl State {
    fn extras(&mut self) -> &mut Extras {
        self.extras.get_or_insert_default()
    }

    /// There is room again, or there will never be.
    fn wake_waiting(&mut self) {
        if let Some(extras) = &mut self.extras {
            extras.waiting.drain(..).for_each(Waker::wake);
        }
    }

    /// Makes room for one more message by dropping older ones: a quarter of the limit at once, so that it is seldom needed.
    fn drop_oldest(&mut self, limit_bytes: usize, meter: &Meter) {
        let wanted = self.bytes.saturating_sub(limit_bytes - limit_bytes / 4);
        if let Some(extras) = &mut self.extras {
            let before = extras.expendable.len();
            let bytes = extras.expendable.drop_oldest(&mut self.frames, wanted);
            self.bytes -= bytes;
            meter.unqueue(bytes);
            meter.drop_oldest(before - extras.expendable.len());
        }
    }

    fn wake(&mut self) {
        if std::mem::take(&mut self.asleep)
            && let Some(waker) = &self.waker
        {
            waker.wake_by_ref();
        }
    }
}

/// How the reader falls asleep.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Readiness {
    /// It has frames of its own that cannot leave: new ones need not wake it.
    pub(crate) blocked: bool,
    /// A frame could leave at once.
    pub(crate) writable: bool,
    /// A GET that finds nothing to take need not wake it.
    pub(crate) polls_may_wait: bool,
    /// It takes the messages of the next POST as soon as it wakes: their sender need not wait for that.
    pub(crate) posts_are_welcome: bool,
}

/// What the reader finds when it looks into the outbox.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    pub(crate) attention: bool,
    pub(crate) overflowed: bool,
    /// So much waits that the client should not be read from.
    pub(crate) congested: bool,
}

impl Outbox {
    pub(crate) fn new(limit_bytes: usize, policy: SlowConsumer) -> Self {
        // Mostly there is one frame at a time, and the first to come would make room for four.
        let state = State { frames: VecDeque::with_capacity(1), ..State::default() };
        Outbox { limit_bytes, policy, state: Mutex::new(state), meter: Meter::default() }
    }

    /// What waits in it is counted.
    pub(crate) fn metered(mut self, meter: Meter) -> Self {
        self.meter = meter;
        self
    }

    /// Queues a message.
    pub(crate) fn push(&self, bundle: Bundle, urgency: Urgency) -> Result<(), SendError> {
        self.push_keyed(bundle, urgency, None)
    }

    /// Queues a message in place of the one with the same key, if that still waits. It goes to the end all the same: it must
    /// not overtake what was queued in between.
    pub(crate) fn push_keyed(&self, bundle: Bundle, urgency: Urgency, key: Option<&Arc<str>>) -> Result<(), SendError> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(SendError::Closed);
        }
        if urgency == Urgency::Volatile && !state.writable {
            return Err(SendError::NotWritable);
        }
        if let (Some(key), State { frames, extras: Some(extras), bytes, .. }) = (key, &mut *state) {
            let dropped = extras.expendable.drop_key(frames, key);
            *bytes -= dropped;
            self.meter.unqueue(dropped);
            self.meter.conflate(usize::from(dropped > 0));
        }
        if urgency == Urgency::Normal && state.bytes >= self.limit_bytes {
            if self.policy == SlowConsumer::DropOldest {
                state.drop_oldest(self.limit_bytes, &self.meter);
            } else {
                state.overflowed = true;
                state.closed = true;
                state.wake();
                state.wake_waiting();
            }
            if state.closed || state.bytes >= self.limit_bytes {
                return Err(SendError::Full);
            }
        }
        if key.is_some() || (self.policy == SlowConsumer::DropOldest && urgency == Urgency::Normal) {
            let (at, count, bytes) = (state.frames.len(), 1 + bundle.rest.len(), bundle.cost());
            state.extras().expendable.note(at, count, bytes, key);
        }
        let cost = bundle.cost();
        state.bytes += cost;
        self.meter.queue(cost);
        state.frames.push_back(bundle.first);
        state.frames.extend(bundle.rest);
        state.writable = false;
        if !state.blocked {
            state.wake();
        }
        Ok(())
    }

    /// Makes the connection's task look at what concerns it beside frames.
    pub(crate) fn call_attention(&self) {
        let mut state = self.state.lock();
        state.attention = true;
        state.wake();
    }

    /// A GET arrived and waits among the requests. It wakes the reader only if there is something to do for it; else the
    /// reader finds it when it wakes for another reason, such as a frame to send.
    pub(crate) fn announce_poll(&self) {
        let mut state = self.state.lock();
        state.attention = true;
        if state.asleep && std::mem::take(&mut state.polls_may_wait) && state.frames.is_empty() {
            state.blocked = false;
            state.writable = true;
            return;
        }
        state.wake();
    }

    /// Whether a POST can be answered before the reader has taken it. Says so once, until the reader has slept again.
    pub(crate) fn welcomes_post(&self) -> bool {
        let mut state = self.state.lock();
        state.asleep && std::mem::take(&mut state.posts_are_welcome)
    }

    /// The reader is awake: pushes need not wake it until it sleeps again.
    pub(crate) fn awake(&self) -> Signals {
        let mut state = self.state.lock();
        state.asleep = false;
        Signals {
            attention: std::mem::take(&mut state.attention),
            overflowed: std::mem::take(&mut state.overflowed),
            congested: self.is_much(state.bytes),
        }
    }

    /// Reports the cost of frames that were handed on, and takes new frames if `queue` is empty. Returns whether so much
    /// waits that the client should not be read from.
    pub(crate) fn take(&self, queue: &mut VecDeque<Frame>, handed_on: &mut usize) -> bool {
        let mut state = self.state.lock();
        self.meter.unqueue(*handed_on);
        state.bytes -= std::mem::take(handed_on);
        if queue.is_empty() {
            std::mem::swap(queue, &mut state.frames);
            if let Some(extras) = &mut state.extras {
                extras.expendable.clear();
            }
        }
        let much = self.is_much(state.bytes);
        if !much {
            state.wake_waiting();
        }
        much
    }

    /// Waits until less than half of the limit waits to be sent.
    pub(crate) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let mut state = self.state.lock();
        if state.closed {
            return Poll::Ready(Err(SendError::Closed));
        }
        if !self.is_much(state.bytes) {
            return Poll::Ready(Ok(()));
        }
        let waiting = &mut state.extras().waiting;
        if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// The reader goes to sleep, unless there is something to do: then `false`, and it stays awake.
    pub(crate) fn sleep(&self, waker: &Waker, readiness: Readiness) -> bool {
        let Readiness { blocked, writable, polls_may_wait, posts_are_welcome } = readiness;
        let mut state = self.state.lock();
        if state.attention || state.overflowed || (!blocked && !state.frames.is_empty()) {
            return false;
        }
        if !state.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            state.waker = Some(waker.clone());
        }
        state.asleep = true;
        state.blocked = blocked;
        state.writable = writable;
        state.polls_may_wait = polls_may_wait;
        state.posts_are_welcome = posts_are_welcome;
        true
    }

    pub(crate) fn is_congested(&self) -> bool {
        self.is_much(self.state.lock().bytes)
    }

    fn is_much(&self, bytes: usize) -> bool {
        bytes >= self.limit_bytes.div_ceil(2)
    }

    /// Whether these can be queued for a client that comes back, without making it a slow consumer at once.
    pub(crate) fn has_room_for(&self, bundles: &[Bundle]) -> bool {
        let more: usize = bundles.iter().map(Bundle::cost).sum();
        !self.is_much(self.state.lock().bytes.saturating_add(more))
    }

    /// Nobody reads any more: what is queued is of no use.
    pub(crate) fn discard(&self) {
        let frames = {
            let mut state = self.state.lock();
            state.closed = true;
            state.wake_waiting();
            self.meter.unqueue(std::mem::take(&mut state.bytes));
            (std::mem::take(&mut state.frames), state.extras.take())
        };
        drop(frames);
    }

    /// The cost of what has not been handed to the transport yet, in bytes.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.state.lock().bytes
    }

    /// Nothing can be pushed any more; what is queued stays.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        state.wake_waiting();
    }
}

/// What waits in it will not be sent any more.
impl Drop for Outbox {
    fn drop(&mut self) {
        self.meter.unqueue(self.state.get_mut().bytes);
    }
}

#[cfg(test)]
mod policies;
#[cfg(test)]
mod tests;
