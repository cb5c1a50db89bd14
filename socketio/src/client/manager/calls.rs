//! `Calls`: the acknowledgements that the server owes, and when each is given up.

use super::Key;
use crate::id::Quick;
use std::{
    collections::{BTreeSet, HashMap},
    time::Instant,
};

/// One acknowledgement to come.
#[derive(Debug)]
pub(super) struct Call<W> {
    pub(super) namespace: Key,
    /// Who wants it; nobody, if the event is sent again until it is acknowledged.
    pub(super) waiter: Option<W>,
    /// It is on its way, and would be lost with the connection.
    pub(super) sent: bool,
    /// It belongs to the head of the queue of what is sent again.
    pub(super) queued: bool,
    deadline: Option<Instant>,
}

#[derive(Debug)]
pub(super) struct Calls<W> {
    calls: HashMap<u64, Call<W>, Quick>,
    deadlines: BTreeSet<(Instant, u64)>,
    next: u64,
}

impl<W> Calls<W> {
    pub(super) fn new() -> Self {
        Calls { calls: HashMap::default(), deadlines: BTreeSet::new(), next: 0 }
    }

    /// A new call; its id is that of the packet.
    pub(super) fn insert(&mut self, namespace: Key, waiter: Option<W>, queued: bool, deadline: Option<Instant>) -> u64 {
        let id = self.next;
        self.next += 1;
        self.calls.insert(id, Call { namespace, waiter, sent: false, queued, deadline: None });
        self.set_deadline(id, deadline);
        id
    }

    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut Call<W>> {
        self.calls.get_mut(&id)
    }

    pub(super) fn set_deadline(&mut self, id: u64, deadline: Option<Instant>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Some(old) = std::mem::replace(&mut call.deadline, deadline) {
            self.deadlines.remove(&(old, id));
        }
        self.deadlines.extend(deadline.map(|at| (at, id)));
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<Call<W>> {
        let call = self.calls.remove(&id)?;
        if let Some(deadline) = call.deadline {
            self.deadlines.remove(&(deadline, id));
        }
        Some(call)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// A call whose time is over.
    pub(super) fn expired(&self, now: Instant) -> Option<u64> {
        self.deadlines.first().filter(|(at, _)| *at <= now).map(|(_, id)| *id)
    }

    /// The calls of a namespace for which `wanted` holds, in order.
    pub(super) fn of(&self, namespace: Key, wanted: impl Fn(&Call<W>) -> bool) -> Vec<u64> {
        let all = self.calls.iter().filter(|(_, call)| call.namespace == namespace && wanted(call));
        let mut ids: Vec<u64> = all.map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert!(self.deadlines.len() <= self.calls.len());
        self.calls.len()
    }
}
