//! `Broker`: the pipe between servers, and `Pipe`: its end in one namespace. Thin: a broker moves messages, counts servers where
//! its wire can, and tells how it is. It decides nothing; see `cluster`.

use super::message::{Envelope, Message, NodeId, SessionRecord};
use crate::{contract::BoxFuture, room::Room};
use std::{fmt, sync::Arc, time::Duration};

/// Connects the namespaces of one server to those of others.
///
/// None of its methods waits: what has to, is done by tasks of the broker. It is opened within a runtime.
pub(crate) trait Broker: Send + Sync + fmt::Debug {
    /// Connects a namespace. Messages for it reach the inbox from now on, or as soon as the broker is connected.
    fn open(&self, namespace: &str, inbox: Arc<dyn Inbox>) -> Arc<dyn Pipe>;

    /// How it is.
    fn health(&self) -> Health;

    /// Sends what waits, as far as that is possible until the deadline, and lets go.
    fn close(&self, patience: Duration) -> BoxFuture<'static, ()>;
}

/// Where a broker delivers. Called by tasks of the broker: it must not block for long.
pub(crate) trait Inbox: Send + Sync {
    /// A message for this namespace, of another server or an emitter. A broker may also deliver what this server itself has sent:
    /// whoever receives looks at the sender.
    fn received(&self, envelope: Envelope);

    /// The broker is connected, or not any more.
    fn health(&self, health: Health);

    /// Messages were lost, and the broker knows it.
    fn lost(&self, loss: Loss);
}

/// One namespace's end of a broker. Dropping it leaves.
pub(crate) trait Pipe: Send + Sync + fmt::Debug {
    /// Who this server is in this namespace.
    fn node(&self) -> &NodeId;

    /// How servers know of each other.
    fn liveness(&self) -> Liveness;

    /// Queues a message for all other servers; the broker chooses channels by what it is. Never waits; a full queue drops the
    /// oldest and counts.
    fn publish(&self, message: Message) -> Result<(), Refused>;

    /// Queues an answer for the server that asked.
    fn respond(&self, to: Option<&NodeId>, message: Message) -> Result<(), Refused>;

    /// How many servers there are, this one included. Only with [`Liveness::Census`]. Ends within the broker's patience, if
    /// only with an error.
    fn census(&self) -> BoxFuture<'static, Result<usize, Unreachable>>;

    /// A room has its first member here.
    fn joined(&self, room: &Room);

    /// A socket has come, and is alone in the room of its id.
    fn came(&self, own: &Room) {
        self.joined(own);
    }

    /// The last member of a room has left.
    fn left(&self, room: &Room);

    /// It has gone.
    fn went(&self, own: &Room) {
        self.left(own);
    }

    /// Ends when messages for all rooms joined so far reach this server.
    fn settled(&self) -> BoxFuture<'static, ()>;

    /// Where broadcasts and sessions are kept, if this broker keeps them.
    fn journal(&self) -> Option<Arc<dyn Journal>>;
}

/// How servers know of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Liveness {
    /// The wire counts its readers: [`Pipe::census`].
    Census,
    /// They tell each other: `Hello`, `Alive`, `Bye`.
    Heartbeat {
        /// Silence after which a server says that it is alive.
        interval: Duration,
        /// Silence after which another one is given up.
        timeout: Duration,
    },
}

/// How a broker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Health {
    /// It has not been connected yet.
    #[default]
    Connecting,
    /// Messages go in and out.
    Connected,
    /// The connection was lost, and it tries to come back.
    Disconnected,
}

/// What a broker knows to be lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Loss {
    /// So many messages of this server, because the queue was full or they grew too old.
    Unsent(u64),
    /// Messages of others may be missing, for example because a stream was trimmed before it was read, or while a subscription
    /// was interrupted.
    Unread,
    /// One message of another could not be understood, for this reason, and was skipped.
    Poison(&'static str),
}

/// A message was not queued: the broker is closed, or the message is one that its wire cannot carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message was not queued for the other servers")]
pub(crate) struct Refused;

/// The broker did not answer in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the broker between the servers did not answer in time")]
pub(crate) struct Unreachable;

/// Called once, in the order of [`Journal::append`]: the offset that the event got, or none if it was given up.
pub(crate) type Appended = Box<dyn FnOnce(Option<Arc<str>>) + Send>;

/// A place where broadcasts and sessions outlive a server.
pub(crate) trait Journal: Send + Sync + fmt::Debug {
    /// Publishes a broadcast, and tells its offset at its place among what others have appended: broadcasts of all servers come in
    /// one order, that of their offsets. One that was given up is told when that is known.
    fn append(&self, message: Message, done: Appended);

    /// How far this server has got: everything up to there was delivered. `None` if that is not known yet.
    fn position(&self) -> Option<Arc<str>>;

    /// Keeps a session for so long.
    fn keep(&self, session: SessionRecord, ttl: Duration) -> BoxFuture<'static, Result<(), Unreachable>>;

    /// Takes a session out: at most one caller of all servers gets it.
    fn take(&self, pid: &str) -> BoxFuture<'static, Result<Option<SessionRecord>, Unreachable>>;

    /// Looks at a session, and leaves it there.
    fn peek(&self, pid: &str) -> BoxFuture<'static, Result<Option<SessionRecord>, Unreachable>>;

    /// The broadcasts of this namespace after an offset, at most `limit` of them, and about so many bytes; `None` if the offset is not
    /// there (any more), is not one of this journal, or there are more.
    fn after(&self, offset: &str, limit: usize, bytes: usize) -> BoxFuture<'static, Result<Option<Vec<Envelope>>, Unreachable>>;
}
