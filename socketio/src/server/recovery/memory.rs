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

use super::{Audience, Claim, Lane, Pid, Posted, Recovery, RecoveryMetrics, Restored, Store, Tracked, log::Log};
use crate::{
    contract::BoxFuture,
    engine::{Bundle, FAR_FUTURE},
    id::SocketId,
    reason::DisconnectReason,
    room::Room,
    server::{
        core::SocketCore,
        joined::Joined,
        namespace::NamespaceCore,
        running::{Running, Work},
        session::{caught, drop_caught},
        spelling::Spelling,
    },
};
use futures_util::{StreamExt, stream::FuturesUnordered};
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
    sync::Notify,
    task::JoinHandle,
    time::{Instant, sleep_until},
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
    fn due(&self) -> (Vec<Joined>, Option<Instant>) {
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

    fn told(&self) {
        let mut table = self.table.lock();
        table.telling -= 1;
        if table.telling == 0 {
            self.idle.notify_waiters();
        }
    }
}

fn forget(table: &mut Table, core: &SocketCore) {
    let Some(tracked) = core.tracked() else { return };
    if let Some(Slot::Parked(at)) = table.slots.remove(&tracked.pid)
        && let Some(parked) = table.parked.remove(&at)
    {
        table.ending.push(parked.joined);
    }
}

/// Ends what nobody came back for, and lets the log grow old. It lives as long as its store.
async fn keeper(memory: Weak<Memory>, wake: Arc<Notify>) {
    let mut last_calls: FuturesUnordered<Running> = FuturesUnordered::new();
    loop {
        let deadline = {
            let Some(memory) = memory.upgrade() else { break };
            let (due, deadline) = memory.due();
            for joined in due {
                match last_call(joined) {
                    Some(running) => last_calls.push(running),
                    None => memory.told(),
                }
            }
            deadline
        };
        let late = async {
            match deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = wake.notified() => {}
            () = late => {}
            Some(_) = last_calls.next() => {
                if let Some(memory) = memory.upgrade() {
                    memory.told();
                }
            }
        }
    }
    while last_calls.next().await.is_some() {}
}

/// Ends a session; what is left to be done is to tell it.
fn last_call(joined: Joined) -> Option<Running> {
    let Joined { core, session, ended, .. } = joined;
    core.end(ended.unwrap_or(DisconnectReason::TransportClose), false);
    let session = session?;
    let reason = core.closed()?;
    let future = caught(|| session.disconnect(reason)).ok().flatten();
    drop_caught(session);
    Some(Running { core, work: Some(Work::Disconnect(future?)) })
}

impl Store for Memory {
    fn position(&self) -> u64 {
        self.last.load(Ordering::Acquire)
    }

    fn floor(&self) -> u64 {
        self.floor.load(Ordering::Acquire)
    }

    fn post(&self, event: Posted<'_>) {
        let Posted { namespace, socket, audience, body, compress } = event;
        let Some(lane) = &namespace.lane else { return };
        let target = match &audience {
            Audience::One(_) => None,
            Audience::Many(target) => Some(target.clone()),
        };
        let members = namespace.members.read();
        let order = lane.order.lock();
        let packet = {
            let mut log = self.log.lock();
            let packet = log.append(&namespace.path, &lane.dropped, audience, body, compress);
            self.last.store(log.last(), Ordering::Release);
            self.floor.store(log.floor(), Ordering::Release);
            packet
        };
        if let Some(socket) = socket {
            socket.deliver(packet.clone());
        }
        if let Some(target) = target {
            // The log keeps it as it is: it would hold compressed forms for longer than anybody reads them.
            let packet = packet.for_many(namespace.settings.deflated_from);
            members.visit(&target, |socket| socket.deliver(packet.clone()));
        }
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

    fn park(&self, mut absent: Joined) {
        let core = Arc::clone(&absent.core);
        let Some(tracked) = core.tracked() else { return };
        let mut table = self.table.lock();
        if let Some(heir) = tracked.heir() {
            match heir.send(absent) {
                Ok(()) => return,
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
    }

    fn take(self: Arc<Self>, namespace: Arc<NamespaceCore>, claim: Claim) -> BoxFuture<'static, Option<Restored>> {
        let found = {
            let mut table = self.table.lock();
            let table = &mut *table;
            match table.slots.get_mut(&claim.pid) {
                None => Err(None),
                // Its connection seems to live: the client knows better. Asked under this lock, so that it is not parked unasked.
                Some(Slot::Live(core)) => {
                    let core = core.upgrade().filter(|core| Arc::ptr_eq(core.namespace(), &namespace));
                    Err(core.and_then(|core| Some((core.tracked()?.ask(), core))))
                }
                Some(slot @ Slot::Parked(_)) => {
                    let Slot::Parked(at) = &*slot else { return Box::pin(std::future::ready(None)) };
                    match table.parked.get(at) {
                        Some(parked) if Arc::ptr_eq(parked.joined.core.namespace(), &namespace) => {
                            let live = Slot::Live(Arc::downgrade(&parked.joined.core));
                            let parked = table.parked.remove(at);
                            *slot = live;
                            parked.map(|parked| parked.joined).ok_or(None)
                        }
                        _ => Err(None),
                    }
                }
            }
        };
        if let Err(Some((_, core))) = &found {
            core.call_owner();
        }
        Box::pin(async move {
            let joined = match found {
                Ok(joined) => joined,
                Err(Some((session, _))) => session.await.ok()?,
                Err(None) => return None,
            };
            let start = joined.core.tracked()?.start;
            let after = self.log.lock().locate(claim.offset.as_deref(), start);
            Some(Restored { joined, after })
        })
    }

    fn missed(&self, lane: &Lane, id: SocketId, tracked: &Tracked, rooms: &[Room], after: u64) -> Option<Vec<Bundle>> {
        let rooms = tracked.look_back(rooms);
        self.log.lock().missed(&lane.dropped, id, rooms, after)
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
