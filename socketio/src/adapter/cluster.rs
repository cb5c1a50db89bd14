//! `Cluster`: one server among those of a namespace, sans-IO. It hands out what others ask for, collects the answers to its own
//! questions, and knows who is there.
//!
//! ```text
//!          Ask --> Publish, Census --> waiting --all have answered--> Finished(Complete)
//!                                        | |  +--time, Close--------> Finished(TimedOut)
//!     Counted, Received, given up -------+ +--Forget--> nothing
//! ```
//!
//! Verbs as in the other cores: [`handle`](Cluster::handle) takes an input and the time, [`poll`](Cluster::poll) gives what is to be
//! done, [`deadline`](Cluster::deadline) tells when to call with [`Input::Time`].
//! Not here: sockets, which the caller has, and bytes, which the broker has; what goes in and comes out (`exchange`),
//! who has answered (`question`), who is there (`nodes`).

mod exchange;
mod nodes;
mod question;

pub(crate) use exchange::{Answer, Deed, Ending, Finding, Input, Output, Question};

use crate::adapter::{
    broker::Liveness,
    message::{EMITTER, Envelope, Message, NodeId, RequestId},
};
use nodes::Nodes;
use question::Pending;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{Duration, Instant},
};

/// No question of this server takes longer.
const LONGEST_QUESTION: Duration = Duration::from_secs(24 * 3600);

/// For how long clients may acknowledge what another server asks for, if it does not say so. Twice what its own questions take
/// in the reference, which keeps such an acknowledgement as long as the client is there.
const ASKED: Duration = Duration::from_secs(10);

/// And at most, whatever it says: the time comes from the network.
const LONGEST_ASKED: Duration = Duration::from_secs(3600);

/// More servers than these are not told apart. Far more than any cluster has; a bound on what the network can make us remember.
const MOST_SERVERS: usize = 10_000;

/// One server in one namespace of a cluster.
///
/// With [`Liveness::Census`], a question is published at once and then the servers are counted: a fast answer is not lost, and an event
/// that clients are to acknowledge never waits for a count. It is complete when as many have answered.
///
/// With [`Liveness::Heartbeat`], a question waits for those that are known when it is asked, less those that go meanwhile. A server
/// that has just come knows nobody: its questions find the others only when they have answered its `Hello`, a round trip later.
///
/// An acknowledgement does not say which client it is of. Those of one server are taken up to the number of clients that it has told; if
/// the wire duplicates one, it takes the place of another.
#[derive(Debug)]
pub(crate) struct Cluster {
    me: NodeId,
    /// With heartbeats only.
    nodes: Option<Nodes>,
    questions: BTreeMap<RequestId, Pending>,
    /// When questions end, soonest first.
    ends: BTreeSet<(Instant, RequestId)>,
    outputs: VecDeque<Output>,
    closed: bool,
}

impl Cluster {
    pub(crate) fn new(me: NodeId, liveness: Liveness) -> Self {
        let nodes = match liveness {
            Liveness::Census => None,
            Liveness::Heartbeat { interval, timeout } => Some(Nodes::new(interval, timeout)),
        };
        let (questions, ends, outputs) = (BTreeMap::new(), BTreeSet::new(), VecDeque::new());
        Cluster { me, nodes, questions, ends, outputs, closed: false }
    }

    pub(crate) fn handle(&mut self, input: Input, now: Instant) {
        // Whatever comes after the end of a question comes too late for it, even if the caller's timer is later still.
        self.expire(now);
        match input {
            Input::Ask { id, question, timeout } => self.ask(id, question, timeout.min(LONGEST_QUESTION), now),
            Input::Forget(id) => drop(self.take(&id)),
            Input::Counted { id, servers } => self.update(&id, |question| question.counted(servers)),
            _ if self.closed => {}
            Input::Opened if self.nodes.is_some() => self.publish(Message::Hello, now),
            Input::Opened => {}
            Input::Tell(message) => self.publish(message, now),
            Input::Received(envelope) => self.receive(envelope, now),
            Input::Answer { id, to, answer } => self.outputs.push_back(Output::Respond(to, answer.into_message(id))),
            Input::Time => self.look_around(now),
            Input::Close => self.close(now),
        }
    }

    /// What is to be done next.
    pub(crate) fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call with [`Input::Time`], if nothing happens before.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let nodes = self.nodes.as_ref().filter(|_| !self.closed).and_then(Nodes::deadline);
        self.ends.first().map(|(ends, _)| *ends).into_iter().chain(nodes).min()
    }

    fn publish(&mut self, message: Message, now: Instant) {
        if let Some(nodes) = &mut self.nodes {
            nodes.spoke(now);
        }
        self.outputs.push_back(Output::Publish(message));
    }

    fn ask(&mut self, id: RequestId, question: Question, timeout: Duration, now: Instant) {
        drop(self.take(&id));
        let others = self.nodes.as_ref().map(Nodes::known);
        let ends = now + timeout;
        let pending = Pending::new(&question, ends, others);
        if !self.closed {
            // An event is published even if nobody is known: who has just come may not be.
            let alone = pending.ending().is_some();
            match question {
                Question::Clients { target, event, single } => {
                    self.publish(Message::Ask { id: id.clone(), target, event, timeout: Some(timeout), single }, now);
                }
                Question::Servers { event } => self.publish(Message::AskServers { id: id.clone(), event }, now),
                Question::Sockets { target } if !alone => self.publish(Message::Fetch { id: id.clone(), target }, now),
                Question::Sockets { .. } | Question::Count => {}
            }
            if self.nodes.is_none() {
                self.outputs.push_back(Output::Census(id.clone()));
            }
        }
        self.ends.insert((ends, id.clone()));
        self.questions.insert(id.clone(), pending);
        if self.closed {
            self.time_out(&id);
        } else {
            self.settle(&id);
        }
    }

    fn receive(&mut self, Envelope { sender, message, offset }: Envelope, now: Instant) {
        if sender.as_ref() == Some(&self.me) {
            return;
        }
        if let Some(nodes) = &mut self.nodes {
            match (&sender, &message) {
                (Some(node), Message::Bye) => {
                    if nodes.left(node) {
                        self.gone(std::slice::from_ref(node));
                    }
                    return;
                }
                (Some(node), _) if node.as_str() != EMITTER => nodes.heard(node, now),
                _ => {}
            }
            if let Message::Hello = message {
                return self.greet(now);
            }
        }
        if message.is_answer() {
            return self.answered(sender, message);
        }
        // The pub/sub adapter of the reference sends back some of our own questions without telling whose they are.
        if message.request().is_some_and(|id| self.questions.contains_key(id)) {
            return;
        }
        let deed = match message {
            Message::Broadcast { target, event } => Deed::Broadcast { target, event, offset },
            Message::Ask { id, target, event, timeout, single: _ } => {
                let timeout = Some(timeout.unwrap_or(ASKED).min(LONGEST_ASKED));
                Deed::Ask { id, from: sender, target, event, timeout }
            }
            Message::Join { target, rooms } => Deed::Join { target, rooms },
            Message::Leave { target, rooms } => Deed::Leave { target, rooms },
            Message::Disconnect { target, close } => Deed::Disconnect { target, close },
            Message::Fetch { id, target } => Deed::Fetch { id, from: sender, target },
            Message::Emit { event } => Deed::Emit { event, ask: None },
            Message::AskServers { id, event } => Deed::Emit { event, ask: Some((id, sender)) },
            Message::FetchIds { id, rooms } => Deed::FetchIds { id, from: sender, rooms },
            Message::FetchRooms { id } => Deed::FetchRooms { id, from: sender },
            // Where servers are counted, nobody needs them; and answers have been dealt with.
            Message::Hello | Message::Alive | Message::Bye => return,
            Message::Asked { .. }
            | Message::Acknowledged { .. }
            | Message::Fetched { .. }
            | Message::ServerAnswered { .. }
            | Message::FetchedIds { .. }
            | Message::FetchedRooms { .. } => return,
        };
        self.outputs.push_back(Output::Perform(deed));
    }

    /// Answers a `Hello`; many at once with one `Alive`.
    fn greet(&mut self, now: Instant) {
        if !matches!(self.outputs.back(), Some(Output::Publish(Message::Alive))) {
            self.publish(Message::Alive, now);
        }
    }

    fn answered(&mut self, sender: Option<NodeId>, message: Message) {
        let Some(id) = message.request().cloned() else { return };
        let Some(finding) = self.questions.get_mut(&id).map(|question| question.answered(sender, message)) else { return };
        self.outputs.extend(finding.map(|finding| Output::Found(id.clone(), finding)));
        self.settle(&id);
    }

    /// Changes a question, if it is still there, and ends it if that was all.
    fn update(&mut self, id: &RequestId, change: impl FnOnce(&mut Pending)) {
        if let Some(question) = self.questions.get_mut(id) {
            change(question);
            self.settle(id);
        }
    }

    /// Ends a question if nothing is missing.
    fn settle(&mut self, id: &RequestId) {
        if let Some(ending) = self.questions.get(id).and_then(Pending::ending) {
            self.take(id);
            self.outputs.push_back(Output::Finished(id.clone(), ending));
        }
    }

    fn time_out(&mut self, id: &RequestId) {
        if let Some(question) = self.take(id) {
            self.outputs.push_back(Output::Finished(id.clone(), question.timed_out()));
        }
    }

    fn take(&mut self, id: &RequestId) -> Option<Pending> {
        let question = self.questions.remove(id)?;
        self.ends.remove(&(question.ends(), id.clone()));
        Some(question)
    }

    fn expire(&mut self, now: Instant) {
        while let Some((_, id)) = self.ends.first().filter(|(ends, _)| *ends <= now).cloned() {
            self.time_out(&id);
        }
    }

    /// Gives up who has been silent for too long, and says that this server is there.
    fn look_around(&mut self, now: Instant) {
        let Some(nodes) = &mut self.nodes else { return };
        let silent = nodes.give_up(now);
        let speak = nodes.is_to_speak(now);
        self.gone(&silent);
        if speak {
            self.publish(Message::Alive, now);
        }
    }

    /// No question waits for these any more.
    fn gone(&mut self, nodes: &[NodeId]) {
        let waiting = self.questions.iter_mut().filter_map(|(id, question)| question.gone(nodes).then(|| id.clone()));
        for id in waiting.collect::<Vec<_>>() {
            self.settle(&id);
        }
    }

    fn close(&mut self, now: Instant) {
        self.closed = true;
        while let Some((_, id)) = self.ends.first().cloned() {
            self.time_out(&id);
        }
        if self.nodes.is_some() {
            self.publish(Message::Bye, now);
        }
    }
}

#[cfg(test)]
mod nonsense;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
