//! `Tracked`: what a socket remembers so that its client can come back: its private id, its present connection, and when it
//! joined and left rooms.

use super::{Pid, Position, kept::Kept};
use crate::{
    engine::{Bundle, Handshake},
    room::Room,
    server::{core::Link, joined::Joined},
};
use parking_lot::{Mutex, RwLock};
use std::{
    collections::HashSet,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};
use tokio::sync::oneshot;

/// Changes of rooms that are remembered before those are looked for that no kept event needs.
const CHANGES: usize = 32;

pub(in crate::server) struct Tracked {
    pub(in crate::server) pid: Pid,
    /// The request that the session began with.
    pub(in crate::server) handshake: Arc<Handshake>,
    /// The present connection, or the last one. A leaf: held to look or to replace.
    pub(in crate::server) link: RwLock<Arc<Link>>,
    /// The last event before the session began.
    pub(in crate::server) start: u64,
    /// Guards the memory of rooms. A leaf, taken after `Members` and `life`.
    history: Mutex<History>,
    /// A new connection that asks the present one for the session. A leaf.
    heir: Mutex<Option<oneshot::Sender<Joined>>>,
    /// Handlers in flight that the tasks of former connections still run.
    elsewhere: AtomicUsize,
    recovered: AtomicBool,
    /// What concerns other servers, too. A leaf.
    abroad: Mutex<Abroad>,
    /// Whether it came from another server: others are not asked for more.
    from_abroad: AtomicBool,
}

/// What a socket of a cluster remembers.
#[derive(Default)]
struct Abroad {
    /// The offset of the last event before its session began, wherever that was.
    start: Option<Arc<str>>,
    arrival: Option<Arrival>,
    /// What other servers have of it while its client is away.
    kept: Option<Kept>,
}

/// What the client was found to have missed elsewhere.
pub(super) struct Arrival {
    /// The events, until they are delivered.
    pub(super) missed: Vec<Bundle>,
    /// How far they reach.
    pub(super) seen: Position,
    /// The last event here before they were looked for.
    pub(super) number: u64,
}

impl fmt::Debug for Tracked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracked").field("start", &self.start).finish_non_exhaustive()
    }
}

/// When a socket joined and left rooms.
#[derive(Debug, Default)]
pub(super) struct History {
    /// The last event before the client was taken in: broadcasts up to it were not for this client.
    accepted: Option<u64>,
    /// Oldest first.
    changes: Vec<Change>,
    /// Set while a client that came back is taken in: what it has seen.
    after: Option<u64>,
}

#[derive(Debug)]
struct Change {
    /// The last event before it.
    number: u64,
    room: Room,
    joined: bool,
}

impl Tracked {
    pub(in crate::server) fn new(link: Arc<Link>, start: u64) -> Self {
        Self::with(Pid::random(), link, start)
    }

    /// Of a socket that was connected to another server, where its session began at `start`.
    pub(in crate::server) fn arriving(pid: Pid, link: Arc<Link>, number: u64, start: Option<Arc<str>>) -> Self {
        let tracked = Self::with(pid, link, number);
        tracked.abroad.lock().start = start;
        tracked.from_abroad.store(true, Ordering::Release);
        // It was taken in long ago.
        tracked.history.lock().accept(number);
        tracked
    }

    fn with(pid: Pid, link: Arc<Link>, start: u64) -> Self {
        Tracked {
            pid,
            handshake: Arc::clone(&link.handshake),
            link: RwLock::new(link),
            start,
            history: Mutex::default(),
            heir: Mutex::default(),
            elsewhere: AtomicUsize::new(0),
            recovered: AtomicBool::new(false),
            abroad: Mutex::default(),
            from_abroad: AtomicBool::new(false),
        }
    }

    /// The offset of the last event before the client was taken in; kept the first time.
    pub(in crate::server) fn began(&self, offset: Option<Arc<str>>) {
        if !self.recovered() && !self.from_abroad.load(Ordering::Acquire) {
            let mut abroad = self.abroad.lock();
            abroad.start = abroad.start.take().or(offset);
        }
    }

    pub(super) fn began_at(&self) -> Option<Arc<str>> {
        self.abroad.lock().start.clone()
    }

    /// What was missed was found elsewhere.
    pub(super) fn arrives(&self, arrival: Arrival) {
        self.abroad.lock().arrival = Some(arrival);
        self.from_abroad.store(true, Ordering::Release);
    }

    /// How far the events reach that were found elsewhere, and the last event here before that.
    pub(super) fn arrived(&self) -> Option<(Position, u64)> {
        if !self.from_abroad.load(Ordering::Acquire) {
            return None;
        }
        self.abroad.lock().arrival.as_ref().map(|arrival| (arrival.seen, arrival.number))
    }

    /// Takes them out.
    pub(super) fn missed_elsewhere(&self) -> Vec<Bundle> {
        if !self.from_abroad.load(Ordering::Acquire) {
            return Vec::new();
        }
        self.abroad.lock().arrival.as_mut().map(|arrival| std::mem::take(&mut arrival.missed)).unwrap_or_default()
    }

    /// Other servers have it from now on, or not any more.
    pub(super) fn keeps(&self, kept: Option<Kept>) -> Option<Kept> {
        std::mem::replace(&mut self.abroad.lock().kept, kept)
    }

    /// What other servers have of it is to be taken back, and whom to tell if one of them has taken it. `None`: nothing is.
    pub(super) fn withdraws(&self) -> Option<(Kept, oneshot::Sender<bool>)> {
        Kept::withdraw(&mut self.abroad.lock().kept)
    }

    /// The client was taken in, for the first time or again.
    pub(in crate::server) fn accepted(&self, number: u64) {
        let mut history = self.history.lock();
        history.accept(number);
        if history.after.take().is_some() {
            self.recovered.store(true, Ordering::Release);
        }
    }

    /// The client comes back on another connection.
    pub(in crate::server) fn returns(&self, link: Arc<Link>, after: u64) {
        *self.link.write() = link;
        self.history.lock().after = Some(after);
        // The connect function may ask before the client is taken in.
        self.recovered.store(true, Ordering::Release);
    }

    /// What the client has seen, while it is coming back.
    pub(in crate::server) fn after(&self) -> Option<u64> {
        self.history.lock().after
    }

    /// The connection was lost again. `false`: the client was not coming back.
    pub(in crate::server) fn turns_back(&self) -> bool {
        self.history.lock().after.take().is_some()
    }

    pub(in crate::server) fn recovered(&self) -> bool {
        self.recovered.load(Ordering::Acquire)
    }

    /// The socket joined or left a room after that event. `dropped`: the last one that is not kept any more.
    pub(in crate::server) fn moved(&self, number: u64, dropped: u64, room: Room, joined: bool) {
        self.history.lock().change(number, dropped, room, joined);
    }

    /// The rooms at earlier times, going back from `rooms`, which are those of now.
    pub(super) fn look_back(&self, rooms: &[Room]) -> LookBack {
        self.history.lock().look_back(rooms)
    }

    /// A new connection wants the session; whoever wanted it before is refused.
    pub(super) fn ask(&self) -> oneshot::Receiver<Joined> {
        let (heir, session) = oneshot::channel();
        *self.heir.lock() = Some(heir);
        session
    }

    pub(in crate::server) fn heir(&self) -> Option<oneshot::Sender<Joined>> {
        self.heir.lock().take()
    }

    /// Handlers that the tasks of former connections run.
    pub(in crate::server) fn elsewhere(&self) -> usize {
        self.elsewhere.load(Ordering::Acquire)
    }

    /// The task with so many handlers of this socket in flight gives it away.
    pub(in crate::server) fn left_behind(&self, handlers: usize) {
        self.elsewhere.fetch_add(handlers, Ordering::AcqRel);
    }

    /// One of them is done. The present connection may have events that waited for it.
    pub(in crate::server) fn done_elsewhere(&self) {
        let one_less = |handlers: usize| handlers.checked_sub(1);
        if self.elsewhere.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_less).is_ok() {
            let link = Arc::clone(&self.link.read());
            link.engine.outbox.call_attention();
        }
    }
}

impl History {
    pub(super) fn accept(&mut self, number: u64) {
        self.accepted.get_or_insert(number);
    }

    pub(super) fn change(&mut self, number: u64, dropped: u64, room: Room, joined: bool) {
        // In and out between two events: as if nothing had happened.
        let last = self.changes.iter().rposition(|change| change.room == room);
        if let Some(at) = last.filter(|at| self.changes[*at].number == number) {
            self.changes.remove(at);
            return;
        }
        if self.changes.len() >= CHANGES && self.changes.len().is_power_of_two() {
            self.changes.retain(|change| change.number > dropped);
        }
        self.changes.push(Change { number, room, joined });
    }

    pub(super) fn look_back(&self, rooms: &[Room]) -> LookBack {
        let changes = self.changes.iter().map(|change| (change.number, change.room.clone(), change.joined)).collect();
        LookBack { rooms: rooms.iter().cloned().collect(), changes, accepted: self.accepted }
    }

    #[cfg(test)]
    pub(super) fn changes(&self) -> usize {
        self.changes.len()
    }
}

/// The rooms of a socket at earlier and earlier times.
pub(super) struct LookBack {
    rooms: HashSet<Room>,
    changes: Vec<(u64, Room, bool)>,
    accepted: Option<u64>,
}

impl LookBack {
    /// The rooms when that event was posted; none if the client was not in the namespace. To be asked newest first.
    pub(super) fn at(&mut self, number: u64) -> Option<&HashSet<Room>> {
        while let Some((_, room, joined)) = self.changes.pop_if(|(after, ..)| *after >= number) {
            if joined {
                self.rooms.remove(&room);
            } else {
                self.rooms.insert(room);
            }
        }
        self.accepted.is_some_and(|accepted| number > accepted).then_some(&self.rooms)
    }
}
