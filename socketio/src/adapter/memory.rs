//! `Memory`: several servers of one process as a cluster, for tests and for a process that serves several ports.
//!
//! ```text
//!  Pipe --publish--> Hub: one lock, one order --+--> seat: letters --task--> Inbox
//!  (of a seat)                                  +--> seat: letters --task--> Inbox
//! ```
//! Here: what users see, and the ends of the pipes. Not here: who sits where (`hub`, `seat`), and what is kept (`journal`).

mod hub;
mod journal;
mod seat;

use super::{
    broker::{Appended, Broker, Health, Inbox, Journal, Liveness, Pipe, Refused, Unreachable},
    message::{Envelope, Message, NodeId, SessionRecord},
    sealed::{Connect, Connection},
};
use crate::{contract::BoxFuture, room::Room};
use hub::{Hub, Place};
use seat::{Done, Item, Link};
use std::{future::ready, sync::Arc, time::Duration};
use tokio::{sync::Notify, time::Instant};

/// So many messages a task delivers before others have their turn.
const TURN: usize = 32;

/// Connects servers of the same process: every server that is given a clone is another server of one cluster.
///
/// For tests of what happens between servers, without anything to install. It loses nothing and keeps the order: what all servers say
/// is one sequence, and each gets it from a task of its own, so that a slow one does not hold up others. A server that does not keep
/// up at all loses its oldest messages beyond 16 MiB for each namespace, and logs it. What clients need to come back to another server
/// is kept here, too: of each namespace the last 10 000 events, up to 16 MiB.
///
/// ```
/// use socketio::adapter::Memory;
///
/// let cluster = Memory::new();
/// let (of_one_server, of_another) = (cluster.clone(), cluster);
/// # let _ = (of_one_server, of_another);
/// ```
#[derive(Debug, Clone)]
pub struct Memory {
    hub: Arc<Hub>,
}

impl Memory {
    /// A cluster without servers.
    pub fn new() -> Self {
        Memory { hub: Hub::new(Liveness::Census) }
    }

    /// A cluster whose servers find each other by telling that they are alive, as over brokers that cannot count: after `interval`
    /// (of the reference: 5 s) of saying nothing else, and given up after a silence of `timeout` (10 s). Otherwise the servers are
    /// simply counted. A server that has just started finds itself alone until the others have answered.
    pub fn with_heartbeat(interval: Duration, timeout: Duration) -> Self {
        Memory { hub: Hub::new(Liveness::Heartbeat { interval, timeout }) }
    }

    /// An adapter for one server whose connection to the others can be cut.
    pub fn link(&self) -> MemoryLink {
        MemoryLink { hub: self.hub.clone(), link: Arc::new(Link::new()) }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Connect for Memory {
    fn connect(self) -> Connection {
        self.link().connect()
    }

    fn has_journal(&self) -> bool {
        true
    }
}

/// The connection of one server to the others of a [`Memory`], to be cut and mended by a test. A clone is the same connection: give one
/// to the server and keep the other.
///
/// ```
/// use socketio::adapter::Memory;
///
/// let cluster = Memory::new();
/// let link = cluster.link();
/// let of_this_server = link.clone();
/// link.disconnect(); // nothing in, nothing out
/// link.reconnect(); // and what waited goes on its way
/// # let _ = of_this_server;
/// ```
#[derive(Debug, Clone)]
pub struct MemoryLink {
    hub: Arc<Hub>,
    link: Arc<Link>,
}

impl MemoryLink {
    /// Cuts the connection. The server goes on alone. What it sends to other servers waits, and so does what they send, up to 16 MiB
    /// for each namespace and direction; the oldest is given up first. An event that is to be kept for clients that come back is given
    /// up after two seconds: this server's clients wait for it. Other servers do not count it any more. A message that is on its way
    /// already may still arrive.
    pub fn disconnect(&self) {
        self.hub.cut(&self.link);
    }

    /// Mends it. What waited arrives, in order.
    pub fn reconnect(&self) {
        self.hub.mend(&self.link);
    }
}

impl Connect for MemoryLink {
    fn connect(self) -> Connection {
        let server = self.hub.number();
        Connection(Arc::new(Server { hub: self.hub, link: self.link, server }))
    }

    fn has_journal(&self) -> bool {
        true
    }
}

/// What one server has of the hub.
#[derive(Debug)]
struct Server {
    hub: Arc<Hub>,
    link: Arc<Link>,
    server: u64,
}

impl Broker for Server {
    fn open(&self, namespace: &str, inbox: Arc<dyn Inbox>) -> Arc<dyn Pipe> {
        let node = NodeId::from(format!("{:016x}", rand::random::<u64>()));
        let wake = Arc::new(Notify::new());
        let place = self.hub.sit(namespace, self.server, node.clone(), self.link.clone(), wake.clone());
        tokio::spawn(deliver(self.hub.clone(), place.clone(), wake, inbox));
        Arc::new(End { hub: self.hub.clone(), place, node })
    }

    fn health(&self) -> Health {
        self.link.health()
    }

    fn close(&self, patience: Duration) -> BoxFuture<'static, ()> {
        let (hub, server) = (self.hub.clone(), self.server);
        Box::pin(async move {
            // What is still here when the patience ends is given up.
            let _ = tokio::time::timeout(patience, hub.sent(server)).await;
            hub.dismiss(server);
        })
    }
}

/// Carries what arrives at one seat to its server, until the seat is empty. Owned by the seat: it ends when that is given up.
async fn deliver(hub: Arc<Hub>, place: Place, wake: Arc<Notify>, inbox: Arc<dyn Inbox>) {
    let mut delivered = 0;
    while let Some(next) = hub.next(&place) {
        match next {
            Item::Letter(letter) => inbox.received((*letter).clone()),
            Item::Health(health) => inbox.health(health),
            Item::Lost(loss) => inbox.lost(loss),
            Item::Appended(Done(done), offset) => done(offset),
            Item::Nothing(until) => {
                match until {
                    // Either way there is something to do.
                    Some(until) => drop(tokio::time::timeout_at(until, wake.notified()).await),
                    None => wake.notified().await,
                }
                delivered = 0;
            }
        }
        delivered += 1;
        if delivered % TURN == 0 {
            tokio::task::yield_now().await;
        }
    }
}

/// One namespace of one server.
#[derive(Debug)]
struct End {
    hub: Arc<Hub>,
    place: Place,
    node: NodeId,
}

impl Pipe for End {
    fn node(&self) -> &NodeId {
        &self.node
    }

    fn liveness(&self) -> Liveness {
        self.hub.liveness()
    }

    fn publish(&self, message: Message) -> Result<(), Refused> {
        self.hub.publish(&self.place, None, message)
    }

    fn respond(&self, to: Option<&NodeId>, message: Message) -> Result<(), Refused> {
        self.hub.publish(&self.place, to.cloned(), message)
    }

    fn census(&self) -> BoxFuture<'static, Result<usize, Unreachable>> {
        Box::pin(ready(self.hub.census(&self.place)))
    }

    fn joined(&self, _: &Room) {}

    fn left(&self, _: &Room) {}

    fn settled(&self) -> BoxFuture<'static, ()> {
        // Everything reaches everybody.
        Box::pin(ready(()))
    }

    fn journal(&self) -> Option<Arc<dyn Journal>> {
        Some(Arc::new(Records { hub: self.hub.clone(), place: self.place.clone() }))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.hub.leave(&self.place);
    }
}

/// What is kept for one namespace, as one server sees it.
#[derive(Debug)]
struct Records {
    hub: Arc<Hub>,
    place: Place,
}

impl Journal for Records {
    fn append(&self, message: Message, done: Appended) {
        if let Err(Done(done)) = self.hub.append(&self.place, message, Done(done)) {
            // There is no task any more that could do it.
            done(None);
        }
    }

    fn position(&self) -> Option<Arc<str>> {
        self.hub.position(&self.place)
    }

    fn keep(&self, session: SessionRecord, ttl: Duration) -> BoxFuture<'static, Result<(), Unreachable>> {
        let kept = self.hub.kept(&self.place, |_, sessions| sessions.keep(session, ttl, Instant::now()));
        Box::pin(ready(kept.and_then(|kept| kept)))
    }

    fn take(&self, pid: &str) -> BoxFuture<'static, Result<Option<SessionRecord>, Unreachable>> {
        Box::pin(ready(self.hub.kept(&self.place, |_, sessions| sessions.take(pid, Instant::now()))))
    }

    fn peek(&self, pid: &str) -> BoxFuture<'static, Result<Option<SessionRecord>, Unreachable>> {
        Box::pin(ready(self.hub.kept(&self.place, |_, sessions| sessions.peek(pid, Instant::now()))))
    }

    fn after(&self, offset: &str, limit: usize, bytes: usize) -> BoxFuture<'static, Result<Option<Vec<Envelope>>, Unreachable>> {
        let found = self.hub.kept(&self.place, |log, _| log.after(offset, limit, bytes));
        let copied = |found: Vec<Arc<Envelope>>| found.iter().map(|envelope| (**envelope).clone()).collect();
        Box::pin(ready(found.map(|found| found.map(copied))))
    }
}

#[cfg(test)]
mod tests;
