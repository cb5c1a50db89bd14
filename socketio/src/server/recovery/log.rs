//! `Log`: the last events of all namespaces, bounded by number, bytes and age.

use super::{Audience, Position, tracked::LookBack};
use crate::{
    engine::Bundle,
    id::SocketId,
    parser::{Body, encode_event},
    room::Room,
    server::Spelling,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// Bytes counted for an event beside its text, its attachments and its rooms.
const ENTRY: usize = size_of::<Entry>() + 64;

#[derive(Debug)]
pub(super) struct Log {
    /// Tells offsets of this log from those of others.
    tag: String,
    /// How its packets are spelled.
    spelling: Spelling,
    entries: VecDeque<Entry>,
    /// The number of the last event; the first has 1.
    last: u64,
    bytes: usize,
    max_events: usize,
    max_bytes: usize,
    max_age: Duration,
    crowded_out: u64,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    /// In the journal of the cluster, if it has one there.
    position: Option<Position>,
    at: Instant,
    /// `Lane::dropped` of its namespace, which also tells namespaces apart.
    dropped: Arc<AtomicU64>,
    audience: Audience,
    packet: Bundle,
    cost: usize,
}

impl Log {
    pub(super) fn new(tag: [u8; 6], spelling: Spelling, max_events: usize, max_bytes: usize, max_age: Duration) -> Self {
        Log {
            tag: URL_SAFE_NO_PAD.encode(tag),
            spelling,
            entries: VecDeque::new(),
            last: 0,
            bytes: 0,
            max_events,
            max_bytes,
            max_age,
            crowded_out: 0,
        }
    }

    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// The number of the last event that was dropped.
    pub(super) fn floor(&self) -> u64 {
        self.entries.front().map_or(self.last, |entry| entry.number - 1)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn crowded_out(&self) -> u64 {
        self.crowded_out
    }

    /// Numbers an event and keeps it. Its offset becomes its last argument: its place in a journal, or its number here.
    pub(super) fn append(
        &mut self,
        path: &str,
        offset: Option<&str>,
        dropped: &Arc<AtomicU64>,
        audience: Audience,
        mut body: Body,
        compress: bool,
    ) -> Bundle {
        self.last += 1;
        let position = offset.and_then(Position::parse);
        match offset.filter(|_| position.is_some()) {
            Some(offset) => body.push_token(offset),
            None => body.push_token(&format!("{}.{}", self.tag, self.last)),
        }
        let encoded = encode_event(path, None, body);
        let rooms = match &audience {
            Audience::One(_) => 0,
            Audience::Many(target) => target.rooms.len() + target.except.len(),
        };
        let attachments: usize = encoded.attachments.iter().map(|bytes| bytes.len() + size_of_val(bytes)).sum();
        let cost = ENTRY + encoded.buffer.capacity() + attachments + rooms * size_of::<Room>();
        let packet = self.spelling.bundle(encoded).compress(compress);
        let (number, at, dropped) = (self.last, Instant::now(), Arc::clone(dropped));
        self.entries.push_back(Entry { number, position, at, dropped, audience, packet: packet.clone(), cost });
        self.bytes += cost;
        self.trim();
        packet
    }

    fn trim(&mut self) {
        while self.entries.len() > self.max_events || self.bytes > self.max_bytes {
            self.crowded_out += 1;
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            self.bytes -= entry.cost;
            entry.dropped.store(entry.number, Ordering::Release);
        }
    }

    /// An event is missing here, which nobody can say more about.
    pub(super) fn gap(&mut self, dropped: &Arc<AtomicU64>) {
        self.last += 1;
        dropped.store(self.last, Ordering::Release);
    }

    /// The number of the event of a namespace that has this place in the journal.
    pub(super) fn find(&self, dropped: &Arc<AtomicU64>, position: Position) -> Option<u64> {
        let mut of_namespace = self.entries.iter().rev().filter(|entry| Arc::ptr_eq(&entry.dropped, dropped));
        of_namespace.find(|entry| entry.position == Some(position)).map(|entry| entry.number)
    }

    /// Drops what is too old. Returns when to look again.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Instant> {
        while let Some(first) = self.entries.front() {
            let end = first.at.checked_add(self.max_age)?;
            if end > now {
                return Some(end);
            }
            self.drop_first();
        }
        self.entries = VecDeque::new();
        None
    }

    /// The number of the last event that a client has seen, by the offset it repeats. `start`: where its session starts.
    /// `None`: no client can have got that offset.
    pub(super) fn locate(&self, offset: Option<&str>, start: u64) -> Option<u64> {
        let Some(offset) = offset else { return Some(start) };
        let (tag, number) = offset.split_once('.')?;
        let number: u64 = number.parse().ok()?;
        if tag == self.tag {
            // One from before this session: no event of this session has reached the client.
            return (number <= self.last).then_some(number.max(start));
        }
        // One of a server that was restarted meanwhile: likewise.
        (tag.len() == self.tag.len()).then_some(start)
    }

    /// See `Store::missed`. `seen`: up to there, the client has the events of the journal from elsewhere.
    pub(super) fn missed(
        &self,
        dropped: &Arc<AtomicU64>,
        id: SocketId,
        mut memory: LookBack,
        after: u64,
        seen: Option<Position>,
    ) -> Option<Vec<Bundle>> {
        if dropped.load(Ordering::Acquire) > after {
            return None;
        }
        let first = self.entries.partition_point(|entry| entry.number <= after);
        let mut missed = Vec::new();
        // Backwards, because the rooms are known as they are now.
        for entry in self.entries.range(first..).rev().filter(|entry| Arc::ptr_eq(&entry.dropped, dropped)) {
            let addressed = match &entry.audience {
                Audience::One(one) => *one == id,
                Audience::Many(target) => memory
                    .at(entry.number)
                    .is_some_and(|rooms| target.addresses(|room| room.as_str() == id.as_str() || rooms.contains(room))),
            };
            let is_new = entry.position.is_none_or(|position| seen.is_none_or(|seen| position > seen));
            if addressed && is_new {
                missed.push(entry.packet.clone());
            }
        }
        missed.reverse();
        Some(missed)
    }
}
