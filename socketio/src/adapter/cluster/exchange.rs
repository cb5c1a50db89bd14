//! What goes into a `Cluster` and what comes out.
//!
//! Not here: what becomes of it; see `Cluster`.

use crate::{
    adapter::message::{Envelope, Message, NodeId, RequestId, SocketRecord},
    parser::Body,
    room::{Room, Target},
};
use std::time::Duration;

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

impl Answer {
    /// The message that says it.
    pub(super) fn into_message(self, id: RequestId) -> Message {
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
