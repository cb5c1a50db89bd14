//! `Clustered`: recovery across the servers of a cluster. Wraps `Memory`: sessions whose server is still there, and events that it has,
//! are found there as ever; what is not, is found in the `Journal` that all servers share.
//!
//! ```text
//!  emit ----append----> Journal ----offset, in one order for all servers----> log, connected members
//!    +----- a second without an offset: delivered here with one that only this server knows --^
//!
//!  connection lost: Memory --park, and a SessionRecord--> Journal (until somebody takes it)
//!  CONNECT {pid, offset}: from Memory, and the record taken out; else the record, and what came after the offset
//! ```
//! An event that was delivered without the journal is not in it, or at another place: a client that may have missed it can only come
//! back to this server. So nothing is kept for others for a while (`Line::unsure_until`).

use super::{
    Claim, Lane, Memory, Position, Posted, Recovery, RecoveryMetrics, Restored, Store, Tracked,
    keeper::go_quietly,
    kept::{Kept, Whereabouts},
    line::{Line, Waiting},
};
use crate::{
    adapter::{
        broker::{Journal, Unreachable},
        message::{Message, SessionRecord},
    },
    contract::BoxFuture,
    engine::{Bundle, FAR_FUTURE},
    id::SocketId,
    parser::{Body, encode_event},
    room::Room,
    server::{cluster::Node, core::SocketCore, joined::Joined, members::Members, namespace::NamespaceCore, spelling::Spelling},
};
use futures_util::{StreamExt, stream};
use std::{
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::{
    sync::{Semaphore, oneshot, watch},
    time::{Instant, sleep_until},
};

/// How long clients of this server wait for the offset of an event. Longer than a broker takes, even a busy one.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// So much longer than here are sessions kept for other servers: who comes last finds out whether somebody was there.
const MARGIN: Duration = Duration::from_secs(10);

/// So many sessions are taken back at the same time.
const AT_ONCE: usize = 64;

/// So many events are looked at for one client, whatever the settings say.
const MOST_MISSED: usize = 20_000;

/// For so many clients the journal is read at the same time: what was read is held until it is sifted.
const READERS: usize = 16;

pub(in crate::server) struct Clustered {
    me: Weak<Clustered>,
    pub(super) memory: Arc<Memory>,
    ttl: Duration,
    pub(super) max_events: usize,
    pub(super) max_bytes: usize,
    /// The longest time in which a dead connection is noticed.
    noticed: Duration,
    /// How long to wait until this server hears of everything.
    pub(super) patience: Duration,
    pub(super) spelling: Spelling,
    /// Who may read the journal for a client.
    pub(super) readers: Semaphore,
    /// Records on their way to the journal.
    keeping: watch::Sender<usize>,
}

impl fmt::Debug for Clustered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clustered").field("memory", &self.memory).finish_non_exhaustive()
    }
}

impl Clustered {
    /// `patience`: how long to wait until this server hears of everything that others emit.
    pub(in crate::server) fn new(settings: Recovery, noticed: Duration, patience: Duration, spelling: Spelling) -> Arc<Self> {
        let ttl = settings.max_disconnection.saturating_add(MARGIN).min(FAR_FUTURE);
        let (max_events, max_bytes) = (settings.max_events.min(MOST_MISSED), settings.max_bytes);
        let memory = Memory::new(settings, noticed, spelling.clone());
        Arc::new_cyclic(|me| Clustered {
            me: Weak::clone(me),
            memory,
            ttl,
            max_events,
            max_bytes,
            noticed,
            patience,
            spelling,
            readers: Semaphore::new(READERS),
            keeping: watch::Sender::new(0),
        })
    }

    pub(super) fn journal(namespace: &NamespaceCore) -> Option<(&Arc<Node>, Arc<dyn Journal>)> {
        let node = namespace.node()?;
        Some((node, node.journal()?))
    }

    /// The journal has taken an event, and here is its place; or it was given up.
    fn appended(&self, namespace: &NamespaceCore, key: u64, offset: Option<Arc<str>>) {
        let Some(lane) = &namespace.lane else { return };
        let members = namespace.members.read();
        let mut line = lane.order.lock();
        let has_offset = offset.is_some();
        let (before, it) = line.up_to(key);
        line.astray += before.len();
        self.deliver_without(&members, &mut line, namespace, before);
        if it.is_none() {
            line.astray = line.astray.saturating_sub(1);
        }
        match (it, offset) {
            (Some(it), Some(offset)) => {
                self.memory.deliver(&members, it.posted(&mut None, namespace), Some(&offset));
                line.last = Some(offset);
            }
            (Some(it), None) => self.deliver_without(&members, &mut line, namespace, vec![it]),
            // It was delivered before, and is in the journal only now.
            (None, Some(_)) => self.is_unsure(&mut line),
            (None, None) => {}
        }
        let is_back = has_offset && std::mem::replace(&mut line.adrift, false);
        if is_back {
            tracing::info!(namespace = namespace.path, "events have offsets for other servers again");
        }
        // Others may have sessions that missed this event, and will never have the event.
        if (is_back || !has_offset) && std::mem::replace(&mut line.has_offers, false) {
            drop((line, members));
            self.withdraw(namespace);
        }
    }

    /// Delivers what the journal has not got.
    fn deliver_without(&self, members: &Members, line: &mut Line, namespace: &NamespaceCore, events: Vec<Waiting>) {
        if events.is_empty() {
            return;
        }
        self.is_unsure(line);
        for event in events {
            self.memory.deliver(members, event.posted(&mut None, namespace), None);
        }
    }

    fn is_unsure(&self, line: &mut Line) {
        let (now, unsure) = (Instant::now(), self.noticed.saturating_add(PATIENCE));
        line.unsure_until = Some(now.checked_add(unsure).unwrap_or(now + FAR_FUTURE));
    }

    /// Looks after events that wait, unless that is done already.
    fn watch(&self, namespace: &NamespaceCore, node: &Node, line: &mut Line) {
        if !std::mem::replace(&mut line.is_watched, true) {
            node.spawn(hurry(Weak::clone(&self.me), Weak::clone(&namespace.me)));
        }
    }

    /// Other servers cannot know what the clients of sessions missed that wait here: they are not to give them out.
    fn withdraw(&self, namespace: &NamespaceCore) {
        let Some(node) = namespace.node() else { return };
        let absent = self.memory.absent(namespace);
        let withdrawn: Vec<_> = absent.iter().filter_map(|core| core.tracked()?.withdraws()).collect();
        let take_back = async |(kept, told): (Kept, oneshot::Sender<bool>)| {
            if matches!(kept.end_at_last().await, Whereabouts::Elsewhere) {
                // Whoever looks next finds that out again.
                let _ = told.send(true);
            }
        };
        if !withdrawn.is_empty() {
            node.spawn(stream::iter(withdrawn).for_each_concurrent(AT_ONCE, take_back));
        }
    }

    /// Tells other servers of a session. `None`: they cannot have it.
    fn keep(&self, core: &SocketCore) -> Option<impl FnOnce() + use<>> {
        let namespace = core.namespace();
        let (lane, tracked) = (namespace.lane.as_ref()?, core.tracked()?);
        if lane.order.lock().is_unsure() {
            return None;
        }
        let (node, journal) = Self::journal(namespace)?;
        let mark = format!("{:016x}", rand::random::<u64>());
        let record = SessionRecord {
            mark: Some(mark.clone()),
            sid: core.id().to_string(),
            pid: tracked.pid.expose().to_owned(),
            rooms: core.rooms(),
            data: core.data().unwrap_or_else(|| crate::text::Text::from_static("{}")),
            namespace: Some(namespace.path.clone()),
            start: tracked.began_at().map(|start| start.to_string()),
        };
        let (kept, told) = Kept::new(Arc::clone(&journal), tracked.pid, mark, self.ttl);
        {
            // Either this comes first, and is withdrawn; or it finds what would have withdrawn it.
            let mut line = lane.order.lock();
            if line.is_unsure() {
                return None;
            }
            line.has_offers = true;
            tracked.keeps(Some(kept));
        }
        let (node, me) = (Arc::clone(node), Weak::clone(&self.me));
        Some(move || {
            if let Some(store) = me.upgrade() {
                store.write(&node, journal, record, |kept| {
                    let _ = told.send(kept);
                });
            }
        })
    }

    /// Writes a session into the journal, and tells whether it is there.
    pub(super) fn write(
        &self,
        node: &Node,
        journal: Arc<dyn Journal>,
        record: SessionRecord,
        told: impl FnOnce(bool) + Send + 'static,
    ) {
        let (ttl, keeping) = (self.ttl, self.keeping.clone());
        keeping.send_modify(|count| *count += 1);
        node.spawn(async move {
            let kept = journal.keep(record, ttl).await;
            if let Err(Unreachable) = kept {
                tracing::debug!("a session is not kept for other servers");
            }
            told(kept.is_ok());
            keeping.send_modify(|count| *count -= 1);
        });
    }
}

/// Delivers what has waited for too long.
async fn hurry(store: Weak<Clustered>, namespace: Weak<NamespaceCore>) {
    loop {
        let deadline = {
            let (Some(store), Some(namespace)) = (store.upgrade(), namespace.upgrade()) else { return };
            let Some(lane) = &namespace.lane else { return };
            let members = namespace.members.read();
            let mut line = lane.order.lock();
            let late = line.overdue(Instant::now());
            if !late.is_empty() && !std::mem::replace(&mut line.adrift, true) {
                tracing::warn!(namespace = namespace.path, "events get no offsets for other servers, and are delivered without");
            }
            line.astray += late.len();
            store.deliver_without(&members, &mut line, &namespace, late);
            let Some(deadline) = line.deadline() else {
                line.is_watched = false;
                return;
            };
            deadline
        };
        sleep_until(deadline).await;
    }
}

impl Store for Clustered {
    fn position(&self) -> u64 {
        self.memory.position()
    }

    fn floor(&self) -> u64 {
        self.memory.floor()
    }

    fn post(&self, event: Posted<'_>) {
        let namespace = event.namespace;
        let Some(lane) = &namespace.lane else { return };
        let Some((node, journal)) = Self::journal(namespace) else {
            // It is not within a runtime: there are no other servers yet.
            return self.memory.post(event);
        };
        let message = Message::Broadcast { target: event.target(), event: event.body.clone() };
        // The order of the journal is that of the line.
        let _posting = lane.posting.lock();
        let key = {
            let members = namespace.members.read();
            let mut line = lane.order.lock();
            if line.adrift {
                line.astray += 1;
                self.is_unsure(&mut line);
                self.memory.deliver(&members, event, None);
                line.skip()
            } else {
                let key = line.push(event, Instant::now() + PATIENCE);
                self.watch(namespace, node, &mut line);
                key
            }
        };
        let (store, namespace) = (Weak::clone(&self.me), Weak::clone(&namespace.me));
        let done = move |offset| {
            if let (Some(store), Some(namespace)) = (store.upgrade(), namespace.upgrade()) {
                store.appended(&namespace, key, offset);
            }
        };
        journal.append(message, Box::new(done));
    }

    fn spans_servers(&self) -> bool {
        true
    }

    fn receive(&self, event: Posted<'_>, offset: &str) {
        let Some(lane) = &event.namespace.lane else { return };
        let members = event.namespace.members.read();
        let mut line = lane.order.lock();
        self.memory.deliver(&members, event, Some(offset));
        if Position::parse(offset).is_some() {
            line.last = Some(offset.into());
        }
    }

    fn lost(&self, namespace: &NamespaceCore) {
        if let Some(lane) = &namespace.lane {
            let _members = namespace.members.read();
            let _order = lane.order.lock();
            self.memory.gap(lane);
        }
    }

    fn offset(&self, namespace: &NamespaceCore) -> Option<Arc<str>> {
        let last = namespace.lane.as_ref()?.order.lock().last.clone();
        let position = |offset: &Option<Arc<str>>| offset.as_deref().and_then(Position::parse);
        let read = Self::journal(namespace).and_then(|(_, journal)| journal.position());
        if position(&last) < position(&read) { read } else { last }
    }

    fn last_words(&self, core: &SocketCore, rooms: &[Room]) -> Vec<Bundle> {
        let namespace = core.namespace();
        let Some(lane) = &namespace.lane else { return Vec::new() };
        let line = lane.order.lock();
        let packet = |(body, compress): (&Body, bool)| {
            // Nobody goes on from here: they need no offsets.
            let body = namespace.unposted(body.clone());
            self.spelling.bundle(encode_event(&namespace.path, None, body)).compress(compress)
        };
        line.waiting_for(core.id(), rooms).map(packet).collect()
    }

    fn leave(&self, core: &SocketCore) {
        if let Some(keep) = self.keep(core) {
            keep();
        }
    }

    fn enter(&self, core: &Arc<SocketCore>) {
        self.memory.enter(core);
    }

    fn forget(&self, core: &SocketCore) {
        self.memory.forget(core);
    }

    fn park(&self, absent: Joined) {
        let core = Arc::clone(&absent.core);
        let keep = self.keep(&core);
        if absent.session.is_none() {
            // It came from another server and was lost on the way: again, any server may have it.
            go_quietly(absent);
            return keep.into_iter().for_each(|keep| keep());
        }
        match (self.memory.keep_session(absent), keep) {
            (true, Some(keep)) => keep(),
            (false, Some(_)) => drop(core.tracked().and_then(|tracked| tracked.keeps(None))),
            (_, None) => {}
        }
    }

    fn take(self: Arc<Self>, fresh: Arc<SocketCore>, claim: Claim) -> BoxFuture<'static, Option<Restored>> {
        let found = self.memory.look_for(fresh.namespace(), &claim.pid);
        Box::pin(async move {
            match found.session().await {
                Some(joined) => self.found_here(&fresh, joined, claim).await,
                None => self.found_elsewhere(&fresh, claim).await,
            }
        })
    }

    fn missed(&self, lane: &Lane, id: SocketId, tracked: &Tracked, rooms: &[Room], after: u64) -> Option<Vec<Bundle>> {
        let since = self.memory.missed(lane, id, tracked, rooms, after)?;
        let mut missed = tracked.missed_elsewhere();
        missed.extend(since);
        Some(missed)
    }

    fn absent(&self, namespace: &NamespaceCore) -> Vec<Arc<SocketCore>> {
        self.memory.absent(namespace)
    }

    fn connects_again(&self) -> bool {
        self.memory.connects_again()
    }

    fn count(&self, recovered: bool) {
        self.memory.count(recovered);
    }

    fn metrics(&self) -> RecoveryMetrics {
        self.memory.metrics()
    }

    fn close(self: Arc<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            Arc::clone(&self.memory).close().await;
            let mut keeping = self.keeping.subscribe();
            // Its sender is here.
            let _ = keeping.wait_for(|count| *count == 0).await;
        })
    }
}
