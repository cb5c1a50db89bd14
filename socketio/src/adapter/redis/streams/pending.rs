//! `Pending`: the entries that were queued and whose fate is not known yet, in order, and whom to tell of it. Where the stream is read,
//! an entry that was written is told of when it is read: so it has the same place among the entries of others on every server.

use super::entry::Position;
use crate::adapter::broker::Appended;
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, VecDeque},
    mem::take,
};
use tokio::sync::Notify;

/// So many entries may be written and not read. Then the reader is far behind, and the oldest is told of without it.
const UNREAD: usize = 100_000;

#[derive(Default)]
pub(super) struct Pending {
    /// Held for a look, never while anybody is called. A leaf.
    state: Mutex<State>,
    /// The oldest is settled, or something was lost.
    changed: Notify,
    /// Somebody reads the stream, and calls `read`.
    reads: bool,
}

#[derive(Default)]
struct State {
    /// Written, and not read yet.
    unread: BTreeMap<u64, (Appended, Position)>,
    next: u64,
    waiting: VecDeque<Waiting>,
    /// The last entry that Redis has taken.
    last: Position,
    lost: u64,
}

struct Waiting {
    number: u64,
    /// What was read before it was queued: it comes behind that.
    after: Position,
    appended: Option<Appended>,
    fate: Option<Fate>,
}

enum Fate {
    Written(Position),
    Lost,
    Refused,
}

/// What is to be told.
pub(super) struct Told {
    pub(super) appended: Vec<(Appended, Option<Position>)>,
    /// Entries that were accepted and given up.
    pub(super) lost: u64,
}

impl Pending {
    /// With the number of the first entry.
    pub(super) fn from(next: u64) -> Self {
        Pending { state: Mutex::new(State { next, ..State::default() }), ..Pending::default() }
    }

    /// Where entries are told of when they are read.
    pub(super) fn reading() -> Self {
        Pending { reads: true, ..Pending::default() }
    }

    /// The number of a new entry.
    pub(super) fn begin(&self, after: Position, appended: Option<Appended>) -> u64 {
        let mut state = self.state.lock();
        let number = state.next;
        state.next += 1;
        state.waiting.push_back(Waiting { number, after, appended, fate: None });
        number
    }

    /// It was written there, or given up.
    pub(super) fn done(&self, number: u64, at: Option<Position>) {
        self.settle(number, at.map_or(Fate::Lost, Fate::Written));
    }

    /// It was never accepted, and its sender knows.
    pub(super) fn refuse(&self, number: u64) {
        self.settle(number, Fate::Refused);
    }

    /// It was read there. Whom to tell of it, and of those in front of it that were written and will not be read any more.
    pub(super) fn read(&self, number: u64, at: Position) -> Vec<(Appended, Position)> {
        let mut state = self.state.lock();
        let later = state.unread.split_off(&(number.saturating_add(1)));
        let mut read: Vec<_> = std::mem::replace(&mut state.unread, later).into_values().collect();
        // The reader may be faster than the answer.
        if let Ok(found) = state.waiting.binary_search_by_key(&number, |waiting| waiting.number) {
            read.extend(state.waiting[found].appended.take().map(|appended| (appended, at)));
        }
        read
    }

    fn settle(&self, number: u64, fate: Fate) {
        let mut state = self.state.lock();
        match fate {
            Fate::Written(at) => state.last = state.last.max(at),
            Fate::Lost => state.lost += 1,
            Fate::Refused => {}
        }
        let Ok(found) = state.waiting.binary_search_by_key(&number, |waiting| waiting.number) else { return };
        state.waiting[found].fate = Some(fate);
        drop(state);
        self.changed.notify_one();
    }

    /// Something that comes before this entry, as far as is known.
    pub(super) fn written_after(&self, number: u64) -> Option<Position> {
        let state = self.state.lock();
        let found = state.waiting.binary_search_by_key(&number, |waiting| waiting.number).ok()?;
        Some(state.waiting[found].after.max(state.last))
    }

    /// Waits for what is to be told next. In order: what is settled waits for what was queued before it.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub(super) async fn settled(&self) -> Told {
        loop {
            let told = self.take_settled();
            if told.lost > 0 || !told.appended.is_empty() {
                return told;
            }
            self.changed.notified().await;
        }
    }

    fn take_settled(&self) -> Told {
        let mut state = self.state.lock();
        let mut told = Told { appended: Vec::new(), lost: take(&mut state.lost) };
        while let Some(Waiting { fate: Some(_), .. }) = state.waiting.front() {
            let Some(Waiting { number, appended, fate, .. }) = state.waiting.pop_front() else { break };
            let position = match fate {
                Some(Fate::Written(at)) => Some(at),
                _ => None,
            };
            match (appended, position) {
                (Some(appended), Some(at)) if self.reads => {
                    state.unread.insert(number, (appended, at));
                }
                (appended, position) => told.appended.extend(appended.map(|appended| (appended, position))),
            }
        }
        while state.unread.len() > UNREAD
            && let Some((_, (appended, at))) = state.unread.pop_first()
        {
            told.appended.push((appended, Some(at)));
        }
        told
    }

    /// Takes out everybody who waits.
    pub(super) fn close(&self) -> Vec<Appended> {
        let mut state = self.state.lock();
        let unread = take(&mut state.unread).into_values().map(|(appended, _)| appended);
        unread.chain(take(&mut state.waiting).into_iter().filter_map(|waiting| waiting.appended)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test]
    async fn what_is_written_is_told_when_it_is_read() {
        let pending = Pending::reading();
        let told = Arc::new(Mutex::new(Vec::new()));
        let at = |text: &str| text.parse::<Position>().expect("a position");
        let begin = |name: &'static str| {
            let told = told.clone();
            pending.begin(at("5-0"), Some(Box::new(move |offset| told.lock().push((name, offset)))))
        };
        let (a, b, c, d) = (begin("a"), begin("b"), begin("c"), begin("d"));
        pending.done(a, Some(at("6-0")));
        pending.done(b, None);
        let told_now = pending.settled().await;
        assert_eq!((told_now.lost, told_now.appended.len()), (1, 1), "only what was given up");
        told_now.appended.into_iter().for_each(|(appended, _)| appended(None));
        // One is read before its answer has come, and one is never read.
        for number in [c, d] {
            for (appended, at) in pending.read(number, at("9-0")) {
                appended(Some(at.to_string().into()));
            }
        }
        pending.done(c, Some(at("9-0")));
        let offset = |text: &str| Some(Arc::from(text));
        assert_eq!(*told.lock(), [("b", None), ("a", offset("6-0")), ("c", offset("9-0")), ("d", offset("9-0"))]);
        assert!(pending.close().is_empty());
    }

    #[tokio::test]
    async fn it_is_told_in_order() {
        let pending = Pending::default();
        let told = Arc::new(Mutex::new(Vec::new()));
        let at = |text: &str| text.parse::<Position>().expect("a position");
        let begin = |name: &'static str| {
            let told = told.clone();
            pending.begin(at("5-0"), Some(Box::new(move |offset| told.lock().push((name, offset.is_some())))))
        };
        let (a, b, c) = (begin("a"), begin("b"), begin("c"));
        let quiet = pending.begin(at("6-0"), None);
        assert_eq!(pending.written_after(a), Some(at("5-0")));
        pending.done(b, None);
        pending.done(quiet, Some(at("9-0")));
        let first = pending.settled().await;
        assert_eq!((first.lost, first.appended.len()), (1, 0));
        assert_eq!(pending.written_after(c), Some(at("9-0")));
        pending.done(a, Some(at("7-0")));
        pending.refuse(c);
        for (appended, position) in pending.settled().await.appended {
            appended(position.map(|at| at.to_string().into()));
        }
        assert_eq!(*told.lock(), [("a", true), ("b", false), ("c", false)]);
        assert!(pending.close().is_empty());
        assert_eq!(pending.written_after(c), None);
    }
}
