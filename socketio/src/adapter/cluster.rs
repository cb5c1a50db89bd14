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
//! Not here: sockets, which the caller has, and bytes, which the broker has; who has answered (`question`), who is there (`nodes`).

mod nodes;
mod question;

use crate::{
    adapter::{
        broker::Liveness,
        message::{EMITTER, Envelope, Message, NodeId, RequestId, SocketRecord},
    },
    parser::Body,
    room::{Room, Target},
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

/// What happens to a server of a cluster.
#[derive(Debug)]
pub(crate) enum Input {
    /// The pipe was opened, or has come back.
    Opened,
    /// Tell the others; nobody answers: `Broadcast`, `Join`, `Leave`, `Disconnect`, `Emit`.
    Tell(Message),
    /// Ask the others. The id is fresh and random, and names the question in outputs.
    Ask { id: RequestId, question: Question, timeout: Duration },
    /// Whoever asked does not want to know any more.
    Forget(RequestId),
    /// The count of servers that [`Output::Census`] asked for; `None`: the broker does not tell.
    Counted { id: RequestId, servers: Option<usize> },
    /// A message arrived.
    Received(Envelope),
    /// This server has something to say to a question of another: what [`Output::Perform`] asked for.
    Answer { id: RequestId, to: Option<NodeId>, answer: Answer },
    /// The deadline has come.
    Time,
    /// The namespace ends.
    Close,
}

/// What a server asks the others.
#[derive(Debug)]
pub(crate) enum Question {
    /// To acknowledge an event; also what is published. `single`: one client, wherever it is.
    Clients { target: Target, event: Body, single: bool },
    /// Which sockets match.
    Sockets { target: Target },
    /// To acknowledge an event themselves.
    Servers { event: Body },
    /// How many servers there are, this one included.
    Count,
}

/// What this server has to say to the question of another.
#[derive(Debug)]
pub(crate) enum Answer {
    /// So many clients were asked.
    Clients(u64),
    /// One of them has acknowledged: its first argument, or none.
    Acknowledged(Body),
    Sockets(Vec<SocketRecord>),
    /// This server's handler has acknowledged.
    Server(Body),
    Ids(Vec<String>),
    Rooms(Vec<Room>),
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Output {
    /// Publish it to all others.
    Publish(Message),
    /// Send it to the one who asked.
    Respond(Option<NodeId>, Message),
    /// Count the servers, for this question.
    Census(RequestId),
    /// Carry out what another asks for.
    Perform(Deed),
    /// A part of the answer to a question.
    Found(RequestId, Finding),
    /// A question is over, complete or not.
    Finished(RequestId, Ending),
}

/// What another server wants to be done to the sockets of this one.
#[derive(Debug)]
pub(crate) enum Deed {
    Broadcast {
        target: Target,
        event: Body,
        offset: Option<std::sync::Arc<str>>,
    },
    /// To be answered with [`Answer::Clients`] at once, then one [`Answer::Acknowledged`] for each client until the time is over.
    Ask {
        id: RequestId,
        from: Option<NodeId>,
        target: Target,
        event: Body,
        timeout: Option<Duration>,
    },
    Join {
        target: Target,
        rooms: Vec<Room>,
    },
    Leave {
        target: Target,
        rooms: Vec<Room>,
    },
    Disconnect {
        target: Target,
        close: bool,
    },
    Fetch {
        id: RequestId,
        from: Option<NodeId>,
        target: Target,
    },
    /// `ask`: whom to answer.
    Emit {
        event: Body,
        ask: Option<(RequestId, Option<NodeId>)>,
    },
    FetchIds {
        id: RequestId,
        from: Option<NodeId>,
        rooms: Vec<Room>,
    },
    FetchRooms {
        id: RequestId,
        from: Option<NodeId>,
    },
}

/// A part of the answer to a question.
#[derive(Debug)]
pub(crate) enum Finding {
    /// A client elsewhere has acknowledged.
    Acknowledged(Body),
    /// Sockets of one server.
    Sockets(Vec<SocketRecord>),
    /// A server has acknowledged.
    Server(Body),
}

/// How a question ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Everybody has answered who was there to the end, or one client for an event that goes to one. With the number of servers, this
    /// one included; in the latter case, of those who have answered so far.
    Complete { servers: usize },
    /// The time was over, or the namespace has ended, or nobody could count the servers who were only to be counted.
    TimedOut {
        /// Servers that have not answered, or not said how many clients they asked; at least one if nobody could tell.
        servers: usize,
        /// Clients elsewhere that were asked and have not acknowledged.
        clients: usize,
    },
}

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
                        self.gone(&[node.clone()]);
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

impl Answer {
    fn into_message(self, id: RequestId) -> Message {
        match self {
            Answer::Clients(clients) => Message::Asked { id, clients },
            Answer::Acknowledged(answer) => Message::Acknowledged { id, answer },
            Answer::Sockets(sockets) => Message::Fetched { id, sockets },
            Answer::Server(answer) => Message::ServerAnswered { id, answer },
            Answer::Ids(ids) => Message::FetchedIds { id, ids },
            Answer::Rooms(rooms) => Message::FetchedRooms { id, rooms },
        }
    }
}

#[cfg(test)]
mod tests;
