//! `Pending`: the entries that were queued and whose fate is not known yet, in order, and whom to tell of it.

use super::entry::Position;
use crate::adapter::broker::Appended;
use parking_lot::Mutex;
use std::{collections::VecDeque, mem::take};
use tokio::sync::Notify;

#[derive(Default)]
pub(super) struct Pending {
    /// Held for a look, never while anybody is called. A leaf.
    state: Mutex<State>,
    /// The oldest is settled, or something was lost.
    changed: Notify,
}

#[derive(Default)]
struct State {
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
        Pending { state: Mutex::new(State { next, ..State::default() }), changed: Notify::new() }
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
            let Some(Waiting { appended, fate, .. }) = state.waiting.pop_front() else { break };
            let position = match fate {
                Some(Fate::Written(at)) => Some(at),
                _ => None,
            };
            told.appended.extend(appended.map(|appended| (appended, position)));
        }
        told
    }

    /// Takes out everybody who waits.
    pub(super) fn close(&self) -> Vec<Appended> {
        take(&mut self.state.lock().waiting).into_iter().filter_map(|waiting| waiting.appended).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

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
