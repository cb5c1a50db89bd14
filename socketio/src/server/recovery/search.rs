//! How `Clustered` finds the session of a client that comes back, and what that client missed: here, or in the journal.

use super::{
    Claim, Clustered, Lane, Pid, Position, Restored, Store, Tracked, cluster::PATIENCE, keeper::go_quietly, kept::Whereabouts,
    tracked::Arrival,
};
use crate::{
    adapter::{
        broker::Journal,
        message::{Message, SessionRecord},
    },
    id::SocketId,
    parser::encode_event,
    server::{core::SocketCore, joined::Joined},
};
use std::{sync::Arc, time::Duration};

/// When a session is looked for again that is not there.
const AGAIN: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(200)];

/// Where to look for what a client missed.
enum Way {
    /// Here, behind that event.
    Number(u64),
    /// In the journal, behind that offset.
    Journal(String),
}

impl Clustered {
    /// Where a client that comes back to a session of this server goes on. `None`: nobody knows.
    fn way(&self, lane: &Lane, tracked: &Tracked, offset: Option<String>) -> Option<Way> {
        let began = tracked.began_at();
        let arrived = tracked.arrived();
        let Some(offset) = offset else {
            return match arrived {
                None => Some(Way::Number(tracked.start)),
                Some(_) => began.map(|start| Way::Journal(start.to_string())),
            };
        };
        let start = arrived.map_or(tracked.start, |(_, number)| number);
        let Some(position) = Position::parse(&offset) else {
            return self.memory.locate(Some(&offset), start).map(Way::Number);
        };
        match arrived {
            Some((seen, _)) if position < seen => return Some(Way::Journal(offset)),
            Some((seen, number)) if position == seen => return Some(Way::Number(number)),
            _ => {}
        }
        if let Some(number) = self.memory.find(lane, position) {
            return Some(Way::Number(number.max(start)));
        }
        let is_before = began.and_then(|start| Position::parse(&start)).is_some_and(|start| position <= start);
        // An offset from before this session: no event of it has reached the client.
        Some(if is_before && arrived.is_none() { Way::Number(start) } else { Way::Journal(offset) })
    }

    /// A session that this server has.
    pub(super) async fn found_here(&self, fresh: &SocketCore, joined: Joined, claim: Claim) -> Option<Restored> {
        let core = Arc::clone(&joined.core);
        let tracked = core.tracked()?;
        if let Some(mut kept) = tracked.keeps(None) {
            match kept.take_out().await {
                Whereabouts::Here => {}
                Whereabouts::Unknown => {
                    // It goes on here, and is not to be on offer when the journal is back.
                    tokio::spawn(kept.end_at_last());
                }
                Whereabouts::Elsewhere => {
                    go_quietly(joined);
                    return self.found_elsewhere(fresh, claim).await;
                }
                Whereabouts::Behind(record) => {
                    go_quietly(joined);
                    return match self.is_ready(fresh, &claim).await {
                        true => self.arrive(fresh, record, claim).await,
                        false => {
                            self.put_back(fresh, record);
                            None
                        }
                    };
                }
            }
        }
        let offset = claim.offset;
        let lane = core.namespace().lane.as_ref()?;
        let after = match self.way(lane, tracked, offset) {
            None => None,
            Some(Way::Number(number)) => Some(number),
            Some(Way::Journal(offset)) => {
                let journal = Self::journal(core.namespace()).map(|(_, journal)| journal);
                match journal {
                    Some(journal) => self.catch_up(&core, &*journal, &offset).await,
                    None => None,
                }
            }
        };
        Some(Restored { joined, after })
    }

    /// Takes a session from the journal. A client may be faster than the server that writes it there.
    async fn record(journal: &dyn Journal, pid: &Pid) -> Option<SessionRecord> {
        for pause in AGAIN {
            if let Some(record) = journal.take(pid.expose()).await.ok()? {
                return Some(record);
            }
            tokio::time::sleep(pause).await;
        }
        journal.take(pid.expose()).await.ok()?
    }

    /// A session that another server had.
    pub(super) async fn found_elsewhere(&self, fresh: &SocketCore, claim: Claim) -> Option<Restored> {
        let (_, journal) = Self::journal(fresh.namespace())?;
        // What is taken out is on offer to nobody: not before it is of use here.
        if !self.is_ready(fresh, &claim).await {
            return None;
        }
        let record = Self::record(&*journal, &claim.pid).await?;
        self.arrive(fresh, record, claim).await
    }

    /// Whether a session of another server can go on here, as far as that is known without it.
    async fn is_ready(&self, fresh: &SocketCore, claim: &Claim) -> bool {
        let Some((node, _)) = Self::journal(fresh.namespace()) else { return false };
        // From here on, this server misses nothing of what comes behind what the journal has.
        tokio::time::timeout(self.patience, node.settled()).await.is_ok()
            && claim.offset.as_deref().is_none_or(|offset| Position::parse(offset).is_some())
            && fresh.namespace().lane.as_ref().is_some_and(|lane| !lane.order.lock().is_unsure())
    }

    async fn arrive(&self, fresh: &SocketCore, record: SessionRecord, claim: Claim) -> Option<Restored> {
        let restored = self.restore(fresh, record.clone(), claim).await;
        if restored.is_none() {
            // The server that had it is to find it, and to end it.
            self.put_back(fresh, record);
        }
        restored
    }

    fn put_back(&self, fresh: &SocketCore, record: SessionRecord) {
        if let Some((node, journal)) = Self::journal(fresh.namespace()) {
            self.write(node, journal, record, |_| {});
        }
    }

    async fn restore(&self, fresh: &SocketCore, record: SessionRecord, claim: Claim) -> Option<Restored> {
        let namespace = fresh.namespace();
        let (_, journal) = Self::journal(namespace)?;
        if record.namespace.is_some_and(|path| path != namespace.path) || record.pid != claim.pid.expose() {
            return None;
        }
        let start: Option<Arc<str>> = record.start.map(Arc::from);
        let position = |offset: &str| Position::parse(offset);
        let offset = match (&claim.offset, &start) {
            // One from before this session.
            (Some(offset), Some(start)) if position(offset)? < position(start)? => start.to_string(),
            (Some(offset), _) => offset.clone(),
            (None, start) => start.as_deref()?.to_owned(),
        };
        let id: SocketId = record.sid.parse().ok()?;
        let core = SocketCore::arriving(id, fresh, claim.pid, record.rooms, self.memory.position(), start);
        if record.data.as_str() != "{}" {
            core.set_data(record.data);
        }
        let after = self.catch_up(&core, &*journal, &offset).await?;
        Some(Restored { joined: Joined::new(core), after: Some(after) })
    }

    /// Finds what a socket missed in the journal. The last event of this server before that.
    async fn catch_up(&self, core: &SocketCore, journal: &dyn Journal, offset: &str) -> Option<u64> {
        let mut seen = Position::parse(offset)?;
        let lane = core.namespace().lane.as_ref()?;
        // After a restart of a server, all its clients come at once.
        let reads = self.readers.acquire().await.ok()?;
        let number = {
            let line = lane.order.lock();
            if line.is_unsure() {
                return None;
            }
            self.memory.position()
        };
        let found = journal.after(offset, self.max_events, self.max_bytes).await.ok()??;
        let (rooms, path) = (core.rooms(), &core.namespace().path);
        let mut missed = Vec::new();
        for envelope in found {
            let (Message::Broadcast { target, event: mut body }, Some(offset)) = (envelope.message, envelope.offset) else {
                continue;
            };
            let Some(position) = Position::parse(&offset) else { continue };
            seen = seen.max(position);
            if !target.flags.volatile && target.addresses(|room| rooms.contains(room)) {
                body.push_token(&offset);
                missed.push(self.spelling.bundle(encode_event(path, None, body)).compress(!target.flags.uncompressed));
            }
        }
        drop(reads);
        // What waits here may be among them already: it has to come with that offset, or not at all.
        tokio::time::timeout(PATIENCE, passed(lane)).await.ok()?;
        if lane.order.lock().is_unsure() {
            return None;
        }
        core.tracked()?.arrives(Arrival { missed, seen, number });
        Some(number)
    }
}

/// Waits until everything is out that stands in the line now.
async fn passed(lane: &Lane) {
    let (last, moved) = lane.order.lock().end();
    loop {
        let moves = moved.notified();
        if !lane.order.lock().holds(last) {
            return;
        }
        moves.await;
    }
}
