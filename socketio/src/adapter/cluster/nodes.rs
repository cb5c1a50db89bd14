//! `Nodes`: who is there, for servers that tell each other.
//!
//! Not here: what is asked of them (`question`).

use super::MOST_SERVERS;
use crate::adapter::message::NodeId;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// Neither a shorter nor a longer time makes sense between servers; the clock always holds it.
const TIMES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(24 * 3600));

#[derive(Debug)]
pub(super) struct Nodes {
    interval: Duration,
    timeout: Duration,
    /// When the others were last heard.
    heard: BTreeMap<NodeId, Instant>,
    /// When this server has to say something; from its first word on.
    speak: Option<Instant>,
    /// When to look for silent ones. Nobody is silent for too long before.
    look: Option<Instant>,
}

impl Nodes {
    pub(super) fn new(interval: Duration, timeout: Duration) -> Self {
        let (interval, timeout) = (interval.clamp(TIMES.0, TIMES.1), timeout.clamp(TIMES.0, TIMES.1));
        Nodes { interval, timeout, heard: BTreeMap::new(), speak: None, look: None }
    }

    /// Everybody else.
    pub(super) fn known(&self) -> BTreeSet<NodeId> {
        self.heard.keys().cloned().collect()
    }

    pub(super) fn heard(&mut self, node: &NodeId, now: Instant) {
        if let Some(heard) = self.heard.get_mut(node) {
            *heard = now;
        } else if self.heard.len() < MOST_SERVERS {
            self.heard.insert(node.clone(), now);
            self.look.get_or_insert(now + self.timeout);
        }
    }

    /// Whether it was there.
    pub(super) fn left(&mut self, node: &NodeId) -> bool {
        self.heard.remove(node).is_some()
    }

    pub(super) fn spoke(&mut self, now: Instant) {
        self.speak = Some(now + self.interval);
    }

    pub(super) fn is_to_speak(&self, now: Instant) -> bool {
        self.speak.is_some_and(|speak| speak <= now)
    }

    /// Takes out who was silent for too long.
    ///
    /// If this server itself was late to look, it was asleep or overloaded, and what others have said meanwhile may still wait to be
    /// read: then they have another interval.
    pub(super) fn give_up(&mut self, now: Instant) -> Vec<NodeId> {
        let Some(late) = self.look.and_then(|look| now.checked_duration_since(look)) else { return Vec::new() };
        if late > self.interval {
            self.look = Some(now + self.interval);
            return Vec::new();
        }
        let mut silent = Vec::new();
        self.heard.retain(|node, heard| {
            let is_silent = *heard + self.timeout <= now;
            if is_silent {
                silent.push(node.clone());
            }
            !is_silent
        });
        self.look = self.heard.values().min().map(|heard| *heard + self.timeout);
        silent
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.speak.into_iter().chain(self.look).min()
    }
}
