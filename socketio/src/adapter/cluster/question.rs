//! `Pending`: a question of this server, and who has answered it.
//!
//! Not here: when it is asked and given up; see `Cluster`. What it remembers is bounded by the number of servers; answers themselves are
//! handed on at once.

use super::{Ending, Finding, MOST_SERVERS, Question};
use crate::adapter::message::{Message, NodeId};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

#[derive(Debug)]
pub(super) struct Pending {
    ends: Instant,
    kind: Kind,
    others: Others,
    /// How many answers that each server gives once have come.
    answered: usize,
    /// By server. All that do not tell who they are share one.
    tallies: BTreeMap<Option<NodeId>, Tally>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Clients {
        single: bool,
    },
    Sockets,
    Servers,
    Count,
    /// What one client was to answer, and has.
    Settled,
    /// How many servers there are, which nobody tells.
    Unknown,
}

/// Who is to answer.
#[derive(Debug)]
enum Others {
    /// Not known yet, or never.
    Uncounted,
    /// Any so many.
    Counted(usize),
    /// These have not answered yet.
    Missing(BTreeSet<NodeId>),
}

/// What one server has said.
#[derive(Debug, Default)]
struct Tally {
    /// What it says once, it has said.
    answered: bool,
    /// So many clients it has asked.
    clients: u64,
    /// And so many have acknowledged.
    acknowledged: u64,
}

impl Tally {
    fn owed(&self) -> u64 {
        self.clients.saturating_sub(self.acknowledged)
    }
}

impl Pending {
    /// `others`: if they are known.
    pub(super) fn new(question: &Question, ends: Instant, others: Option<BTreeSet<NodeId>>) -> Self {
        let kind = match question {
            Question::Clients { single, .. } => Kind::Clients { single: *single },
            Question::Sockets { .. } => Kind::Sockets,
            Question::Servers { .. } => Kind::Servers,
            Question::Count => Kind::Count,
        };
        let others = match others {
            // They need not be asked to be counted.
            Some(others) if kind == Kind::Count => Others::Counted(others.len()),
            Some(others) => Others::Missing(others),
            None => Others::Uncounted,
        };
        Pending { ends, kind, others, answered: 0, tallies: BTreeMap::new() }
    }

    pub(super) fn ends(&self) -> Instant {
        self.ends
    }

    /// The servers have been counted, this one included; or cannot be.
    pub(super) fn counted(&mut self, servers: Option<usize>) {
        if let (Others::Uncounted, Some(servers)) = (&self.others, servers) {
            self.others = Others::Counted(servers.saturating_sub(1));
        } else if let (Kind::Count, None) = (self.kind, servers) {
            // Nothing else is going to come. Other questions may still be answered in part.
            self.kind = Kind::Unknown;
        }
    }

    /// These do not answer any more. Whether that changes anything.
    pub(super) fn gone(&mut self, nodes: &[NodeId]) -> bool {
        let Others::Missing(missing) = &mut self.others else { return false };
        let mut changes = false;
        for node in nodes {
            changes |= missing.remove(node);
            // Its clients are gone, too.
            if let Some(tally) = self.tallies.get_mut(&Some(node.clone())) {
                changes |= tally.owed() > 0;
                tally.clients = tally.clients.min(tally.acknowledged);
            }
        }
        changes
    }

    /// Takes an answer; gives what is new in it.
    pub(super) fn answered(&mut self, sender: Option<NodeId>, message: Message) -> Option<Finding> {
        match (self.kind, message) {
            (Kind::Clients { .. }, Message::Asked { clients, .. }) => {
                self.first(sender, clients);
                None
            }
            (Kind::Clients { single }, Message::Acknowledged { answer, .. }) => {
                let is_named = sender.is_some();
                let tally = self.tally(sender)?;
                // Who does not tell its name shares the tally with others, whose clients may come later.
                if is_named && tally.answered && tally.owed() == 0 {
                    return None;
                }
                tally.acknowledged += 1;
                if single {
                    self.kind = Kind::Settled;
                }
                Some(Finding::Acknowledged(answer))
            }
            (Kind::Sockets, Message::Fetched { sockets, .. }) => self.first(sender, 0).then(|| Finding::Sockets(sockets)),
            (Kind::Servers, Message::ServerAnswered { answer, .. }) => self.first(sender, 0).then(|| Finding::Server(answer)),
            _ => None,
        }
    }

    /// How it ends, if nothing is missing.
    pub(super) fn ending(&self) -> Option<Ending> {
        let complete = match (&self.others, self.kind) {
            (_, Kind::Settled) => true,
            (_, Kind::Unknown) => return Some(self.timed_out()),
            (Others::Uncounted, _) => false,
            (Others::Counted(_), Kind::Count) => true,
            (Others::Counted(others), _) => self.answered >= *others && self.owed() == 0,
            (Others::Missing(missing), _) => missing.is_empty() && self.owed() == 0,
        };
        let servers = match self.others {
            Others::Counted(others) => others,
            Others::Uncounted | Others::Missing(_) => self.answered,
        };
        complete.then(|| Ending::Complete { servers: servers.saturating_add(1) })
    }

    /// How it ends if nothing more comes.
    pub(super) fn timed_out(&self) -> Ending {
        let servers = match &self.others {
            Others::Uncounted => 1,
            Others::Counted(others) => others.saturating_sub(self.answered),
            Others::Missing(missing) => missing.len(),
        };
        Ending::TimedOut { servers, clients: self.owed().try_into().unwrap_or(usize::MAX) }
    }

    /// How many servers it remembers.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.tallies.len()
    }

    fn owed(&self) -> u64 {
        self.tallies.values().map(Tally::owed).fold(0, u64::saturating_add)
    }

    /// Notes what a server says once, with the number of clients that it has asked. Whether it had not said so already.
    fn first(&mut self, sender: Option<NodeId>, clients: u64) -> bool {
        if let (Others::Missing(missing), Some(node)) = (&mut self.others, &sender) {
            missing.remove(node);
        }
        let is_named = sender.is_some();
        let Some(tally) = self.tally(sender) else { return false };
        if is_named && tally.answered {
            return false;
        }
        tally.answered = true;
        tally.clients = tally.clients.saturating_add(clients);
        self.answered = self.answered.saturating_add(1);
        true
    }

    fn tally(&mut self, sender: Option<NodeId>) -> Option<&mut Tally> {
        if self.tallies.len() >= MOST_SERVERS && !self.tallies.contains_key(&sender) {
            return None;
        }
        Some(self.tallies.entry(sender).or_default())
    }
}
