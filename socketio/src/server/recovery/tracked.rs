//! `Tracked`: what a socket remembers so that its client can come back: its private id, its present connection, and when it
//! joined and left rooms.

use super::Pid;
use crate::{
    engine::Handshake,
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
        Tracked {
            pid: Pid::random(),
            handshake: Arc::clone(&link.handshake),
            link: RwLock::new(link),
            start,
            history: Mutex::default(),
            heir: Mutex::default(),
            elsewhere: AtomicUsize::new(0),
            recovered: AtomicBool::new(false),
        }
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
