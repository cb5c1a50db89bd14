//! What outlives a server of a `Memory`: broadcasts in their order, and sessions that wait for their clients.
//!
//! Not here: who may read it when; see `hub`.

use crate::adapter::{
    broker::Unreachable,
    message::{Envelope, SessionRecord},
};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;

/// How many broadcasts of a namespace are kept, as in the reference's streams.
const MOST_ENTRIES: usize = 10_000;
/// And how much of them.
const MOST_BYTES: usize = 16 << 20;
/// How many sessions wait in a namespace; further ones are refused.
const MOST_SESSIONS: usize = 100_000;

/// A place in a log: milliseconds of the clock on the wall, and a number within these.
type Id = (u64, u64);

#[derive(Debug, Default)]
pub(super) struct Log {
    last: Id,
    entries: VecDeque<(Id, Arc<Envelope>, usize)>,
    bytes: usize,
    /// Something is not there any more.
    is_cut: bool,
}

impl Log {
    /// The offset of the next entry: later than all others, even if the clock goes back.
    pub(super) fn next(&mut self, milliseconds: u64) -> Arc<str> {
        self.last = if milliseconds > self.last.0 { (milliseconds, 0) } else { (self.last.0, self.last.1 + 1) };
        format!("{}-{}", self.last.0, self.last.1).into()
    }

    /// Keeps what has the offset that was given last, and forgets the oldest if there is too much.
    pub(super) fn keep(&mut self, envelope: Arc<Envelope>, cost: usize) {
        self.entries.push_back((self.last, envelope, cost));
        self.bytes += cost;
        while self.entries.len() > MOST_ENTRIES || self.bytes > MOST_BYTES {
            let Some((_, _, cost)) = self.entries.pop_front() else { return };
            self.bytes -= cost;
            self.is_cut = true;
        }
    }

    /// The offset of the last entry; before the first one a place in front of it.
    pub(super) fn position(&self) -> Arc<str> {
        format!("{}-{}", self.last.0, self.last.1).into()
    }

    /// What came after an offset; `None` if that is not here or too much came.
    pub(super) fn after(&self, offset: &str, limit: usize, bytes: usize) -> Option<Vec<Arc<Envelope>>> {
        let id = parse(offset)?;
        let from = match self.entries.binary_search_by_key(&id, |(id, ..)| *id) {
            Ok(at) => at + 1,
            Err(0) if id == Id::default() && !self.is_cut => 0,
            Err(_) => return None,
        };
        let missed = self.entries.range(from..);
        let cost: usize = missed.clone().map(|(.., cost)| cost).sum();
        (missed.len() <= limit && cost <= bytes).then(|| missed.map(|(_, envelope, _)| envelope.clone()).collect())
    }
}

fn parse(offset: &str) -> Option<Id> {
    let (milliseconds, number) = offset.split_once('-')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    Some((digits(milliseconds)?, digits(number)?))
}

#[derive(Debug, Default)]
pub(super) struct Sessions {
    by_pid: HashMap<String, (SessionRecord, Instant)>,
}

impl Sessions {
    pub(super) fn keep(&mut self, session: SessionRecord, ttl: Duration, now: Instant) -> Result<(), Unreachable> {
        if self.by_pid.len() >= MOST_SESSIONS {
            self.sweep(now);
        }
        // A time beyond the clock is no time.
        let until = now.checked_add(ttl).ok_or(Unreachable)?;
        if self.by_pid.len() >= MOST_SESSIONS && !self.by_pid.contains_key(&session.pid) {
            return Err(Unreachable);
        }
        self.by_pid.insert(session.pid.clone(), (session, until));
        Ok(())
    }

    pub(super) fn peek(&self, pid: &str, now: Instant) -> Option<SessionRecord> {
        self.by_pid.get(pid).filter(|(_, until)| *until > now).map(|(session, _)| session.clone())
    }

    pub(super) fn take(&mut self, pid: &str, now: Instant) -> Option<SessionRecord> {
        self.by_pid.remove(pid).filter(|(_, until)| *until > now).map(|(session, _)| session)
    }

    /// Whether nobody is waited for.
    pub(super) fn is_empty(&mut self, now: Instant) -> bool {
        self.sweep(now);
        self.by_pid.is_empty()
    }

    fn sweep(&mut self, now: Instant) {
        self.by_pid.retain(|_, (_, until)| *until > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::message::Message;

    #[test]
    fn offsets_only_grow_and_find_what_came_after() {
        let mut log = Log::default();
        let clock = [1000, 1000, 999, 1002];
        let offsets = clock.map(|now| {
            let offset = log.next(now);
            let letter = Envelope { sender: None, message: Message::Hello, offset: Some(offset.clone()) };
            log.keep(Arc::new(letter), 1);
            offset.to_string()
        });
        assert_eq!(offsets, ["1000-0", "1000-1", "1000-2", "1002-0"]);
        let after = |offset: &str, limit| log.after(offset, limit, 2).map(|found| found.len());
        assert_eq!(after("1000-1", 10), Some(2));
        assert_eq!(after("1002-0", 0), Some(0));
        assert_eq!(after("1000-0", 2), None, "too many");
        assert_eq!(after("1000-0", 10), None, "too much");
        for nonsense in ["1001-0", "1000-+1", "", "-", "1000", "1000-1-1", "99999999999999999999-0"] {
            assert_eq!(after(nonsense, 10), None, "{nonsense}");
        }
    }

    #[test]
    fn the_log_is_bounded() {
        let mut log = Log::default();
        let mut keep = |cost| {
            let offset = log.next(1);
            log.keep(Arc::new(Envelope { sender: None, message: Message::Hello, offset: None }), cost);
            (offset, log.entries.len(), log.bytes)
        };
        let (first, ..) = keep(1);
        assert_eq!(keep(MOST_BYTES - 1).1, 2);
        assert_eq!(keep(1).1, 2, "the first had to go");
        assert_eq!(keep(MOST_BYTES).1, 1);
        assert_eq!((keep(MOST_BYTES + 1).1, keep(0).2), (0, 0), "and what is too large alone");
        (0..2 * MOST_ENTRIES).for_each(|_| drop(keep(0)));
        assert_eq!(keep(0).1, MOST_ENTRIES);
        assert!(log.after(&first, usize::MAX, usize::MAX).is_none());
    }
}
