//! `Subscriptions`: who wants the messages of which channels. What of it Redis knows is the business of `session`.

use super::Port;
use parking_lot::Mutex;
use redis::{PushInfo, PushKind, Value};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};
use tokio::sync::{Notify, futures::Notified, watch};

/// What is subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A channel, in all of a cluster.
    Channel,
    /// All channels that match a pattern, in all of a cluster.
    Pattern,
    /// A channel on the node that has it as a key. Redis 7.
    Shard,
}

impl Kind {
    pub(super) fn subscribe(self) -> &'static str {
        match self {
            Kind::Channel => "SUBSCRIBE",
            Kind::Pattern => "PSUBSCRIBE",
            Kind::Shard => "SSUBSCRIBE",
        }
    }

    pub(super) fn unsubscribe(self) -> &'static str {
        match self {
            Kind::Channel => "UNSUBSCRIBE",
            Kind::Pattern => "PUNSUBSCRIBE",
            Kind::Shard => "SUNSUBSCRIBE",
        }
    }
}

/// A channel or a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) kind: Kind,
    pub(super) name: Arc<str>,
}

/// Who wants it. Copied when it changes, so that a message only counts a reference.
type Ports = Arc<[(u64, Arc<dyn Port>)]>;

#[derive(Default)]
struct State {
    wanted: HashMap<Kind, HashMap<Arc<str>, Ports>>,
    /// What Redis has not been told yet.
    dirty: HashSet<Key>,
    /// Sharded channels that Redis has been told to leave out, and has not confirmed.
    leaving: HashSet<Arc<str>>,
    /// How many changes there were.
    version: u64,
    /// Channels that tell how many servers there are, and how many there were, by the port that named them.
    others: HashMap<(u64, Key), usize>,
}

#[derive(Default)]
pub(super) struct Subscriptions {
    /// Held for a lookup or a change, never while a port is called. A leaf.
    state: Mutex<State>,
    changed: Notify,
    /// The version that Redis has confirmed.
    confirmed: watch::Sender<u64>,
}

impl Subscriptions {
    pub(super) fn want(&self, kind: Kind, name: &str, id: u64, port: Arc<dyn Port>) {
        let mut state = self.state.lock();
        let (name, ports): (Arc<str>, Ports) = match state.wanted.get(&kind).and_then(|names| names.get_key_value(name)) {
            Some((_, ports)) if ports.iter().any(|(other, _)| *other == id) => return,
            Some((name, ports)) => (name.clone(), ports.iter().cloned().chain([(id, port)]).collect()),
            None => (name.into(), Arc::new([(id, port)])),
        };
        if ports.len() == 1 {
            state.dirty.insert(Key { kind, name: name.clone() });
            state.version += 1;
        }
        state.wanted.entry(kind).or_default().insert(name, ports);
        drop(state);
        self.changed.notify_one();
    }

    pub(super) fn forget(&self, kind: Kind, name: &str, id: u64) {
        let mut state = self.state.lock();
        let Some(names) = state.wanted.get_mut(&kind) else { return };
        let Some(ports) = names.get_mut(name) else { return };
        let rest: Ports = ports.iter().filter(|(other, _)| *other != id).cloned().collect();
        if !rest.is_empty() {
            *ports = rest;
            return;
        }
        let Some((name, _)) = names.remove_entry(name) else { return };
        state.dirty.insert(Key { kind, name });
        state.version += 1;
        drop(state);
        self.changed.notify_one();
    }

    pub(super) fn forget_all(&self, id: u64) {
        let mut state = self.state.lock();
        state.others.retain(|(owner, _), _| *owner != id);
        let mut mine = Vec::new();
        for (kind, names) in &state.wanted {
            let of_id = names.iter().filter(|(_, ports)| ports.iter().any(|(other, _)| *other == id));
            mine.extend(of_id.map(|(name, _)| Key { kind: *kind, name: name.clone() }));
        }
        drop(state);
        mine.iter().for_each(|key| self.forget(key.kind, &key.name, id));
    }

    /// Everything that is wanted, with its version, as if nothing had been told to Redis.
    pub(super) fn all(&self) -> (HashSet<Key>, u64) {
        let mut state = self.state.lock();
        state.dirty.clear();
        let keys = state.wanted.iter().flat_map(|(kind, names)| names.keys().map(|name| Key { kind: *kind, name: name.clone() }));
        (keys.collect(), state.version)
    }

    /// What changed since: each with whether it is wanted now, and the version with which that is told.
    pub(super) fn take_changes(&self) -> (Vec<(Key, bool)>, u64) {
        let mut state = self.state.lock();
        let dirty = std::mem::take(&mut state.dirty);
        let is_wanted = |key: &Key| state.wanted.get(&key.kind).is_some_and(|names| names.contains_key(&key.name));
        (dirty.into_iter().map(|key| (key.clone(), is_wanted(&key))).collect(), state.version)
    }

    /// Ends when there are changes since it last did.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Redis has confirmed everything up to this version.
    pub(super) fn confirm(&self, version: u64) {
        self.confirmed.send_replace(version);
    }

    /// Waits for what is wanted now.
    pub(super) fn settled(&self) -> Settled {
        let version = self.state.lock().version;
        Settled { version, confirmed: self.confirmed.subscribe() }
    }

    /// Redis is told to leave out a sharded channel.
    pub(super) fn leaves(&self, name: &Arc<str>) {
        self.state.lock().leaving.insert(name.clone());
    }

    /// The connection that would have confirmed that is gone.
    pub(super) fn forget_leaving(&self) {
        self.state.lock().leaving.clear();
    }

    /// Redis has left out a sharded channel. Whether it was told to: if not, the channel's slot has moved to another node.
    pub(super) fn has_left(&self, name: &str) -> bool {
        self.state.lock().leaving.remove(name)
    }

    /// Hands a message to those who want it, and tells how many they are.
    pub(super) fn deliver(&self, info: &PushInfo) -> usize {
        let (kind, name, channel, payload) = match (&info.kind, info.data.as_slice()) {
            (PushKind::Message, [Value::BulkString(channel), Value::BulkString(payload)]) => {
                (Kind::Channel, channel, channel, payload)
            }
            (PushKind::SMessage, [Value::BulkString(channel), Value::BulkString(payload)]) => {
                (Kind::Shard, channel, channel, payload)
            }
            (PushKind::PMessage, [Value::BulkString(pattern), Value::BulkString(channel), Value::BulkString(payload)]) => {
                (Kind::Pattern, pattern, channel, payload)
            }
            _ => return 0,
        };
        let Ok(name) = std::str::from_utf8(name) else { return 0 };
        let Some(ports) = self.state.lock().wanted.get(&kind).and_then(|names| names.get(name)).cloned() else { return 0 };
        ports.iter().for_each(|(_, port)| port.received(channel, payload));
        ports.len()
    }

    pub(super) fn expect_others(&self, kind: Kind, name: &str, id: u64) {
        self.state.lock().others.insert((id, Key { kind, name: name.into() }), 0);
    }

    /// The channels that tell how many servers there are, and how many there were.
    pub(super) fn others(&self) -> Vec<(Key, usize)> {
        self.state.lock().others.iter().map(|((_, key), count)| (key.clone(), *count)).collect()
    }

    /// Whoever asked has found so many: not less than before, because that would be for the session to say.
    pub(super) fn count_other(&self, kind: Kind, name: &str, now: usize) {
        for ((_, key), count) in &mut self.state.lock().others {
            if key.kind == kind && &*key.name == name {
                *count = now.max(*count);
            }
        }
    }

    /// So many there are now.
    pub(super) fn count_others(&self, counts: &[(Key, usize)]) {
        // Sorted out before the lock is taken: messages are delivered under it.
        let counts: HashMap<&Key, usize> = counts.iter().map(|(key, now)| (key, *now)).collect();
        for ((_, key), count) in &mut self.state.lock().others {
            if let Some(now) = counts.get(key) {
                *count = *now;
            }
        }
    }
}

/// Waits until Redis has confirmed a version.
pub(super) struct Settled {
    version: u64,
    confirmed: watch::Receiver<u64>,
}

impl Settled {
    pub(super) async fn wait(&mut self) {
        // An error means that the link is gone: nothing is to be waited for.
        let _ = self.confirmed.wait_for(|confirmed| *confirmed >= self.version).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_are_counted_by_channel() {
        let subscriptions = Subscriptions::default();
        for id in 0..1000 {
            subscriptions.expect_others(Kind::Shard, &format!("of {}", id / 2), id);
        }
        let key = |at: usize| Key { kind: Kind::Shard, name: format!("of {at}").into() };
        let counts: Vec<_> = (0..499).map(|at| (key(at), at)).collect();
        subscriptions.count_others(&counts);
        let others = subscriptions.others();
        for (at, expected) in [(0, 0), (7, 7), (498, 498), (499, 0)] {
            let found: Vec<_> = others.iter().filter(|(other, _)| *other == key(at)).map(|(_, count)| *count).collect();
            assert_eq!(found, [expected; 2], "{at}");
        }
        // The same name is another channel.
        subscriptions.count_others(&[(Key { kind: Kind::Channel, ..key(7) }, 9)]);
        assert!(subscriptions.others().contains(&(key(7), 7)));
    }
}
