//! `Line`: the events of one namespace that wait for their offsets, in the order in which they were emitted. Empty without a cluster.
//!
//! Not here: who gives offsets, and what is done with an event when it has one; see `cluster`.

use super::{Audience, Posted};
use crate::{
    id::SocketId,
    parser::Body,
    room::Room,
    server::{core::SocketCore, namespace::NamespaceCore},
};
use std::{collections::VecDeque, sync::Arc};
use tokio::{sync::Notify, time::Instant};

#[derive(Default)]
pub(in crate::server) struct Line {
    waiting: VecDeque<Waiting>,
    next: u64,
    /// The offset of the last event that was delivered with one.
    pub(super) last: Option<Arc<str>>,
    /// Offsets did not come in time: until one comes, nobody waits for them.
    pub(super) adrift: bool,
    /// Until then, a client may have missed an event that is not in the journal, or may get one twice if it goes by that.
    pub(super) unsure_until: Option<Instant>,
    /// Events that were delivered without offsets, and may still get some.
    pub(super) astray: usize,
    /// Other servers may have sessions of this one.
    pub(super) has_offers: bool,
    /// A task looks after those that wait for too long.
    pub(super) is_watched: bool,
    /// Events were taken out.
    moved: Arc<Notify>,
}

/// An event that has no offset yet.
pub(super) struct Waiting {
    key: u64,
    until: Instant,
    socket: Option<Arc<SocketCore>>,
    audience: Audience,
    body: Body,
    compress: bool,
}

impl Waiting {
    pub(super) fn posted<'a>(self, socket: &'a mut Option<Arc<SocketCore>>, namespace: &'a NamespaceCore) -> Posted<'a> {
        let Waiting { audience, body, compress, .. } = self;
        *socket = self.socket;
        Posted { namespace, socket: socket.as_ref(), audience, body, compress }
    }
}

impl Line {
    /// An event waits until then at most. Its number here.
    pub(super) fn push(&mut self, event: Posted<'_>, until: Instant) -> u64 {
        let key = self.skip();
        let Posted { namespace: _, socket, audience, body, compress } = event;
        self.waiting.push_back(Waiting { key, until, socket: socket.cloned(), audience, body, compress });
        key
    }

    /// The number of an event that does not wait.
    pub(super) fn skip(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Takes out an event, and first those in front of it.
    pub(super) fn up_to(&mut self, key: u64) -> (Vec<Waiting>, Option<Waiting>) {
        let behind = self.waiting.partition_point(|waiting| waiting.key <= key);
        let mut taken: Vec<Waiting> = self.waiting.drain(..behind).collect();
        self.moved.notify_waiters();
        let it = taken.pop_if(|waiting| waiting.key == key);
        (taken, it)
    }

    /// Takes out everything, if the first has waited for too long.
    pub(super) fn overdue(&mut self, now: Instant) -> Vec<Waiting> {
        let is_over = self.waiting.front().is_some_and(|first| first.until <= now);
        if !is_over {
            return Vec::new();
        }
        self.moved.notify_waiters();
        self.waiting.drain(..).collect()
    }

    /// Whether what was delivered here may differ from what is in the journal.
    pub(super) fn is_unsure(&self) -> bool {
        (self.adrift && self.astray > 0) || self.unsure_until.is_some_and(|until| Instant::now() < until)
    }

    /// The number of the last event, and what tells when events are taken out.
    pub(super) fn end(&self) -> (u64, Arc<Notify>) {
        (self.next, Arc::clone(&self.moved))
    }

    /// Whether an event with that number or an earlier one waits.
    pub(super) fn holds(&self, key: u64) -> bool {
        self.waiting.front().is_some_and(|first| first.key <= key)
    }

    /// What waits for a client with that id and these rooms.
    pub(super) fn waiting_for(&self, id: SocketId, rooms: &[Room]) -> impl Iterator<Item = (&Body, bool)> {
        let is_for = move |audience: &Audience| match audience {
            Audience::One(one) => *one == id,
            Audience::Many(target) => target.addresses(|room| room.as_str() == id.as_str() || rooms.contains(room)),
        };
        self.waiting.iter().filter(move |waiting| is_for(&waiting.audience)).map(|waiting| (&waiting.body, waiting.compress))
    }

    /// When the first has waited for too long.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.waiting.front().map(|first| first.until)
    }
}
