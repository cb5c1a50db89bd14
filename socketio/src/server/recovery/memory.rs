//! `Memory`: events and sessions in this process, and the keeper, a task that ends what nobody came back for.
//!
//! ```text
//!          enter                 park                  deadline, close, disconnect()
//!  (none) ------> Live(weak) ----------> Parked --------------------------------------> ending --> (none)
//!                   ^  |                   |
//!                   |  +--- forget --> (none)
//!                   +---------- take ------+
//! ```
//! A session that is taken counts as live at once, so it cannot be taken twice: who asks next asks its new connection.

use super::{
    Audience, Claim, Lane, Pid, Position, Posted, Recovery, RecoveryMetrics, Restored, Store, Tracked, keeper::keeper, log::Log,
};
use crate::{
    contract::BoxFuture,
    engine::{Bundle, FAR_FUTURE},
    id::SocketId,
    room::Room,
    server::{core::SocketCore, joined::Joined, members::Members, namespace::NamespaceCore, spelling::Spelling},
};
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Notify, oneshot},
    task::JoinHandle,
    time::Instant,
};

pub(in crate::server) struct Memory {
    me: Weak<Memory>,
    settings: Recovery,
    /// Guards the log; held to append one event or to look for what one client missed.
    log: Mutex<Log>,
    /// A copy of the log's last number, for those who only want to know where they are.
    last: AtomicU64,
    /// The same of the last event that it has dropped.
    floor: AtomicU64,
    /// Guards the sessions. A leaf, and no user code runs under it.
    table: Mutex<Table>,
    /// Wakes the keeper.
    wake: Arc<Notify>,
    /// Wakes who waits for the sessions to end.
    idle: Notify,
    recovered: AtomicU64,
    unrecovered: AtomicU64,
    expired: AtomicU64,
}

#[derive(Default)]
struct Table {
    slots: HashMap<Pid, Slot>,
    /// By the order in which they were parked, which is that of their deadlines.
    parked: BTreeMap<u64, Parked>,
    next: u64,
    /// Over, and not told yet.
    ending: Vec<Joined>,
    /// Taken out of `ending`, and being told.
    telling: usize,
    closing: bool,
    keeper: Option<JoinHandle<()>>,
}

enum Slot {
    Live(Weak<SocketCore>),
    Parked(u64),
}

struct Parked {
    joined: Joined,
    deadline: Instant,
}

/// Where a session is.
pub(super) enum Found {
    Nothing,
    Session(Joined),
    /// With a connection that seems to live, and hands it over.
    Asked(oneshot::Receiver<Joined>, Arc<SocketCore>),
}

impl Found {
    pub(super) async fn session(self) -> Option<Joined> {
        match self {
            Found::Nothing => None,
            Found::Session(joined) => Some(joined),
            Found::Asked(session, _) => session.await.ok(),
        }
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // The keeper finds that there is nothing left to keep.
        self.wake.notify_one();
    }
}

impl Memory {
    /// `noticed`: the longest time in which a dead connection is noticed.
    pub(in crate::server) fn new(settings: Recovery, noticed: Duration, spelling: Spelling) -> Arc<Self> {
        let max_age = settings.max_disconnection.saturating_add(noticed);
        let log = Log::new(rand::random(), spelling, settings.max_events, settings.max_bytes, max_age);
        Arc::new_cyclic(|me| Memory {
            me: Weak::clone(me),
            settings,
            log: Mutex::new(log),
            last: AtomicU64::new(0),
            floor: AtomicU64::new(0),
            table: Mutex::default(),
            wake: Arc::new(Notify::new()),
            idle: Notify::new(),
            recovered: AtomicU64::new(0),
            unrecovered: AtomicU64::new(0),
            expired: AtomicU64::new(0),
        })
    }

    /// Starts the keeper, if there is a runtime to start it on and it does not run.
    fn keep(&self, table: &mut Table) {
        let runs = table.keeper.as_ref().is_some_and(|keeper| !keeper.is_finished());
        if !runs && let Ok(runtime) = tokio::runtime::Handle::try_current() {
            table.keeper = Some(runtime.spawn(keeper(Weak::clone(&self.me), Arc::clone(&self.wake))));
        }
    }

    /// Sessions that are over, and when to look again.
    pub(super) fn due(&self) -> (Vec<Joined>, Option<Instant>) {
        let now = Instant::now();
        let log = {
            let mut log = self.log.lock();
            let next = log.expire(now);
            self.floor.store(log.floor(), Ordering::Release);
            next
        };
        let mut table = self.table.lock();
        while let Some(first) = table.parked.first_entry() {
            if first.get().deadline > now {
                break;
            }
            let joined = first.remove().joined;
            self.expired.fetch_add(1, Ordering::Relaxed);
            table.ending.push(joined);
        }
        let due = std::mem::take(&mut table.ending);
        for joined in &due {
            forget(&mut table, &joined.core);
        }
        table.telling += due.len();
        let parked = table.parked.values().next().map(|parked| parked.deadline);
        (due, parked.into_iter().chain(log).min())
    }

    /// Takes a session out, or asks the connection that has it.
    pub(super) fn look_for(&self, namespace: &Arc<NamespaceCore>, pid: &Pid) -> Found {
        let found = {
            let mut table = self.table.lock();
            let table = &mut *table;
            match table.slots.get_mut(pid) {
                None => Found::Nothing,
                // Its connection seems to live: the client knows better. Asked under this lock, so that it is not parked unasked.
                Some(Slot::Live(core)) => {
                    let core = core.upgrade().filter(|core| Arc::ptr_eq(core.namespace(), namespace));
                    let asked = core.and_then(|core| Some((core.tracked()?.ask(), core)));
                    asked.map_or(Found::Nothing, |(session, core)| Found::Asked(session, core))
                }
                Some(slot @ Slot::Parked(_)) => {
                    let Slot::Parked(at) = &*slot else { return Found::Nothing };
                    match table.parked.get(at) {
                        Some(parked) if Arc::ptr_eq(parked.joined.core.namespace(), namespace) => {
                            let live = Slot::Live(Arc::downgrade(&parked.joined.core));
                            let parked = table.parked.remove(at);
                            *slot = live;
                            parked.map_or(Found::Nothing, |parked| Found::Session(parked.joined))
                        }
                        _ => Found::Nothing,
                    }
                }
            }
        };
        if let Found::Asked(_, core) = &found {
            core.call_owner();
        }
        found
    }

    /// Keeps the session of a client that is away. Whether it waits now.
    pub(super) fn keep_session(&self, mut absent: Joined) -> bool {
        let core = Arc::clone(&absent.core);
        let Some(tracked) = core.tracked() else { return false };
        let mut table = self.table.lock();
        if let Some(heir) = tracked.heir() {
            match heir.send(absent) {
                Ok(()) => return false,
                // It has given up meanwhile.
                Err(back) => absent = back,
            }
        }
        let over = table.closing || absent.core.closed().is_some() || !table.slots.contains_key(&tracked.pid);
        if !over {
            let now = Instant::now();
            let deadline = now.checked_add(self.settings.max_disconnection).unwrap_or(now + FAR_FUTURE);
            let at = table.next;
            table.next += 1;
            table.slots.insert(tracked.pid, Slot::Parked(at));
            table.parked.insert(at, Parked { joined: absent, deadline });
        } else {
            table.ending.push(absent);
        }
        while table.parked.len() > self.settings.max_sessions
            && let Some((_, first)) = table.parked.pop_first()
        {
            self.expired.fetch_add(1, Ordering::Relaxed);
            table.ending.push(first.joined);
        }
        self.keep(&mut table);
        self.wake.notify_one();
        !over
    }

    /// Gives an event its number, keeps it and delivers it. `offset`: its place in the journal of the cluster. The caller holds the lock
    /// of the members, and that of the lane's order.
    pub(super) fn deliver(&self, members: &Members, event: Posted<'_>, offset: Option<&str>) {
        let Posted { namespace, socket, audience, body, compress } = event;
        let Some(lane) = &namespace.lane else { return };
        let position = offset.and_then(Position::parse);
        let target = match &audience {
            Audience::One(_) => None,
            Audience::Many(target) => Some(target.clone()),
        };
        let packet = {
            let mut log = self.log.lock();
            let packet = log.append(&namespace.path, offset, &lane.dropped, audience, body, compress);
            self.last.store(log.last(), Ordering::Release);
            self.floor.store(log.floor(), Ordering::Release);
            packet
        };
        // Who came from another server may have it from there.
        let is_new = |socket: &SocketCore| {
            position.is_none_or(|position| socket.tracked().and_then(Tracked::arrived).is_none_or(|(seen, _)| position > seen))
        };
        if let Some(socket) = socket.filter(|socket| is_new(socket)) {
            socket.deliver(packet.clone());
        }
        if let Some(target) = target {
            // The log keeps it as it is: it would hold compressed forms for longer than anybody reads them.
            let packet = packet.for_many(namespace.settings.deflated_from);
            members.visit(&target, |socket| {
                if is_new(socket) {
                    socket.deliver(packet.clone());
                }
            });
        }
    }

    /// Events of a namespace are missing.
    pub(super) fn gap(&self, lane: &Lane) {
        let mut log = self.log.lock();
        log.gap(&lane.dropped);
        self.last.store(log.last(), Ordering::Release);
    }

    /// The number of the event that has this place in the journal of the cluster.
    pub(super) fn find(&self, lane: &Lane, position: Position) -> Option<u64> {
        self.log.lock().find(&lane.dropped, position)
    }

    /// What the client with that offset has seen. `start`: where its session starts.
    pub(super) fn locate(&self, offset: Option<&str>, start: u64) -> Option<u64> {
        self.log.lock().locate(offset, start)
    }

    /// Whether all sessions end.
    pub(super) fn is_closing(&self) -> bool {
        self.table.lock().closing
    }

    pub(super) fn told(&self) {
        let mut table = self.table.lock();
        table.telling -= 1;
        if table.telling == 0 {
            self.idle.notify_waiters();
        }
    }
}

fn forget(table: &mut Table, core: &SocketCore) {
    let Some(tracked) = core.tracked() else { return };
    // The session may have gone on elsewhere and be back, as another socket.
    let is_its_own = match table.slots.get(&tracked.pid) {
        None => false,
        Some(Slot::Live(of)) => std::ptr::eq(of.as_ptr(), core),
        // One that is out already is about to end.
        Some(Slot::Parked(at)) => table.parked.get(at).is_none_or(|parked| std::ptr::eq(&*parked.joined.core, core)),
    };
    if is_its_own
        && let Some(Slot::Parked(at)) = table.slots.remove(&tracked.pid)
        && let Some(parked) = table.parked.remove(&at)
    {
        table.ending.push(parked.joined);
    }
}

impl Store for Memory {
    fn position(&self) -> u64 {
        self.last.load(Ordering::Acquire)
    }

    fn floor(&self) -> u64 {
        self.floor.load(Ordering::Acquire)
    }

    fn post(&self, event: Posted<'_>) {
        let namespace = event.namespace;
        let Some(lane) = &namespace.lane else { return };
        let members = namespace.members.read();
        let order = lane.order.lock();
        self.deliver(&members, event, None);
        drop(order);
    }

    fn enter(&self, core: &Arc<SocketCore>) {
        let Some(tracked) = core.tracked() else { return };
        let mut table = self.table.lock();
        table.slots.insert(tracked.pid, Slot::Live(Arc::downgrade(core)));
        self.keep(&mut table);
    }

    fn forget(&self, core: &SocketCore) {
        let mut table = self.table.lock();
        forget(&mut table, core);
        if !table.ending.is_empty() {
            self.wake.notify_one();
        }
    }

    fn park(&self, absent: Joined) {
        self.keep_session(absent);
    }

    fn take(self: Arc<Self>, fresh: Arc<SocketCore>, claim: Claim) -> BoxFuture<'static, Option<Restored>> {
        let found = self.look_for(fresh.namespace(), &claim.pid);
        Box::pin(async move {
            let joined = found.session().await?;
            let start = joined.core.tracked()?.start;
            let after = self.locate(claim.offset.as_deref(), start);
            Some(Restored { joined, after })
        })
    }

    fn missed(&self, lane: &Lane, id: SocketId, tracked: &Tracked, rooms: &[Room], after: u64) -> Option<Vec<Bundle>> {
        let rooms = tracked.look_back(rooms);
        let seen = tracked.arrived().map(|(seen, _)| seen);
        self.log.lock().missed(&lane.dropped, id, rooms, after, seen)
    }

    fn absent(&self, namespace: &NamespaceCore) -> Vec<Arc<SocketCore>> {
        let table = self.table.lock();
        let core = |slot: &Slot| match slot {
            Slot::Live(core) => core.upgrade(),
            Slot::Parked(at) => table.parked.get(at).map(|parked| Arc::clone(&parked.joined.core)),
        };
        let cores = table.slots.values().filter_map(core);
        cores.filter(|core| core.is_absent() && std::ptr::eq(&**core.namespace(), namespace)).collect()
    }

    fn connects_again(&self) -> bool {
        self.settings.connect_again
    }

    fn count(&self, recovered: bool) {
        let counter = if recovered { &self.recovered } else { &self.unrecovered };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn metrics(&self) -> RecoveryMetrics {
        let (events, bytes, crowded_out) = {
            let log = self.log.lock();
            (log.len(), log.bytes(), log.crowded_out())
        };
        RecoveryMetrics {
            events,
            bytes,
            crowded_out,
            sessions: self.table.lock().parked.len(),
            recovered: self.recovered.load(Ordering::Relaxed),
            unrecovered: self.unrecovered.load(Ordering::Relaxed),
            expired: self.expired.load(Ordering::Relaxed),
        }
    }

    fn close(self: Arc<Self>) -> BoxFuture<'static, ()> {
        {
            let mut table = self.table.lock();
            table.closing = true;
            let parked = std::mem::take(&mut table.parked);
            table.ending.extend(parked.into_values().map(|parked| parked.joined));
            if !table.ending.is_empty() {
                self.keep(&mut table);
            }
            self.wake.notify_one();
        }
        Box::pin(async move {
            loop {
                let mut idle = std::pin::pin!(self.idle.notified());
                idle.as_mut().enable();
                {
                    let table = self.table.lock();
                    if table.ending.is_empty() && table.telling == 0 {
                        return;
                    }
                }
                idle.await;
            }
        })
    }
}
