//! `Link`: everything between this process and Redis. It dials, notices that a connection is dead, dials again for ever, restores
//! subscriptions, and only then sends what has waited.
//!
//! ```text
//!  Attachment --publish--> Queue --batches--> Line (commands)   \
//!  Attachment --subscribe-> Subscriptions --> Line (subscriber)  } one pair for each node in use
//!  Port <---received, health, lost, done------ /                /
//!  Link::ask ----question with a deadline----> Line (commands)
//!  Link::reader ----------------------------> Line of its own, for what blocks
//! ```
//! One server of Redis, one behind sentinels, or a cluster: the difference is in `topology`, and which node a command goes to.
//! Not here: what is said on channels; see the brokers.

mod ask;
mod dial;
mod error;
mod flight;
mod keeper;
mod queue;
mod session;
mod subscriptions;
mod topology;

pub(crate) use ask::{Asker, Failed, Reader};
pub use error::RedisError;
pub(crate) use queue::{Order, Outcome, Route};
pub(crate) use subscriptions::Kind;

use crate::{
    adapter::broker::{Health, Loss, Refused},
    contract::BoxFuture,
};
use dial::Dialer;
use flight::Flight;
use keeper::Keeper;
use parking_lot::{Mutex, RwLock};
use queue::Queue;
use redis::Value;
use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use subscriptions::Subscriptions;
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
    time::{timeout, timeout_at},
};
use topology::Topology;

/// Nothing is looked at more often: no pause at all would keep a processor busy.
const SHORTEST: Duration = Duration::from_millis(10);

/// Where Redis is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// One server.
    Server(String),
    /// Some servers of a Redis Cluster; it tells where the others are.
    Cluster(Vec<String>),
    /// Sentinels, and the name of what they watch. User, password and database are those of the first one's URL, for the server
    /// and the sentinels alike.
    Sentinel { service: String, urls: Vec<String> },
}

/// What a link is made of. The defaults are in [`Settings::new`].
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) place: Place,
    /// Certificates in PEM form that are trusted beside those of Mozilla.
    pub(crate) roots: Vec<Vec<u8>>,
    /// How long one attempt to connect may take, from the name to the answer of Redis.
    pub(crate) connect_timeout: Duration,
    /// The pause between two looks at a connection.
    pub(crate) ping_interval: Duration,
    /// How long its answer may take before it counts as dead.
    pub(crate) ping_timeout: Duration,
    /// The first and the longest pause between attempts to connect; they are spread by chance.
    pub(crate) backoff: (Duration, Duration),
    /// What may wait to be published, in bytes.
    pub(crate) queue_bytes: usize,
    /// How long it may wait.
    pub(crate) queue_age: Duration,
    /// After a reconnection: how long to wait for the other servers to be back before publishing what has waited.
    pub(crate) patience_for_others: Duration,
}

impl Settings {
    pub(crate) fn new(place: Place) -> Self {
        Settings {
            place,
            roots: Vec::new(),
            connect_timeout: Duration::from_secs(5),
            ping_interval: Duration::from_secs(1),
            ping_timeout: Duration::from_secs(3),
            backoff: (Duration::from_millis(50), Duration::from_millis(500)),
            queue_bytes: 16 * 1024 * 1024,
            queue_age: Duration::from_secs(30),
            patience_for_others: Duration::from_secs(3),
        }
    }

    /// The same without pauses and deadlines that nobody could keep.
    fn kept(mut self) -> Self {
        for time in [&mut self.ping_interval, &mut self.ping_timeout, &mut self.queue_age] {
            *time = SHORTEST.max(*time);
        }
        self
    }
}

/// What the link calls. Called by tasks of the link, without any of its locks: it must not block for long.
pub(crate) trait Port: Send + Sync {
    /// A message on a channel that this port has subscribed to, in the order of its connection.
    fn received(&self, channel: &[u8], payload: &[u8]);

    /// The link is connected, or not any more.
    fn health(&self, health: Health);

    /// Something was lost: [`Loss::Unread`] after an interruption of subscriptions, [`Loss::Unsent`] for orders without a token.
    fn lost(&self, loss: Loss);

    /// What became of an order with a token. In the order of publishing, for orders to one node. An order that had to go for another
    /// one is told by whoever gave that, who may hold locks.
    fn done(&self, token: u64, outcome: Outcome) {
        let _ = (token, outcome);
    }

    /// Which of these orders, sent when the connection broke, were carried out? Asked after a reconnection, with subscriptions
    /// restored and before anything else is sent; one verdict for each, in order. Only orders with tokens, and again if the
    /// connection breaks meanwhile. The default gives all of them up: nothing arrives twice.
    fn settle(&self, asker: Asker, orders: Vec<Order>) -> BoxFuture<'static, Vec<Verdict>> {
        let verdicts = orders.iter().map(|_| Verdict::GiveUp).collect();
        let _ = asker;
        Box::pin(async move { verdicts })
    }
}

/// What is to become of an order that may or may not have been carried out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// It was, with this reply.
    Done(Value),
    /// It was not: it is sent again, before all that waits.
    Again,
    /// Nobody knows: [`Outcome::Uncertain`].
    GiveUp,
}

/// What a link has done, since it was made.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Orders that Redis has carried out.
    pub(crate) published: AtomicU64,
    /// Messages of subscriptions.
    pub(crate) received: AtomicU64,
    /// Orders that were never sent: the queue was full, or they grew too old.
    pub(crate) dropped: AtomicU64,
    /// Orders that were sent when the connection broke, and given up.
    pub(crate) uncertain: AtomicU64,
    /// Orders and subscriptions that Redis refused, for lack of memory or of permission.
    pub(crate) refused: AtomicU64,
    /// How often the link was lost.
    pub(crate) losses: AtomicU64,
}

/// What the keeper and everybody else share.
pub(super) struct Shared {
    settings: Settings,
    dialer: Dialer,
    queue: Queue,
    subscriptions: Subscriptions,
    counters: Counters,
    health: watch::Sender<Health>,
    /// Whom to tell. Guards itself only; ports are called without it.
    ports: RwLock<HashMap<u64, Arc<dyn Port>>>,
    /// Where questions go: the connections of the session that is, or none.
    wires: watch::Sender<Option<Arc<Wires>>>,
    /// Orders on their way to Redis, or in doubt since a connection broke. A leaf.
    flight: Mutex<Flight>,
    /// A connection has ended, or Redis has moved something.
    changed: Notify,
    next_port: AtomicU64,
    /// How many orders without a token had to go for others, by port, until that is told. A leaf.
    untold: Mutex<HashMap<u64, u64>>,
    displaced: Notify,
}

/// The connections for commands of one session.
pub(super) struct Wires {
    topology: Topology,
    lines: HashMap<String, redis::aio::MultiplexedConnection>,
}

impl Wires {
    fn of(&self, route: &Route) -> Option<redis::aio::MultiplexedConnection> {
        self.lines.get(self.topology.node(route)?).cloned()
    }
}

impl Shared {
    fn ports(&self) -> Vec<Arc<dyn Port>> {
        self.ports.read().values().cloned().collect()
    }

    fn port(&self, id: u64) -> Option<Arc<dyn Port>> {
        self.ports.read().get(&id).cloned()
    }

    /// Tells who gave an order what became of it.
    fn finish(&self, port: u64, token: Option<u64>, outcome: Outcome) {
        let counter = match &outcome {
            Outcome::Done(_) => &self.counters.published,
            Outcome::Refused(_) => &self.counters.refused,
            Outcome::Uncertain => &self.counters.uncertain,
            Outcome::Dropped => &self.counters.dropped,
        };
        counter.fetch_add(1, Relaxed);
        let done = matches!(outcome, Outcome::Done(_));
        let Some(port) = (token.is_some() || !done).then(|| self.port(port)).flatten() else { return };
        match token {
            Some(token) => port.done(token, outcome),
            None => port.lost(Loss::Unsent(1)),
        }
    }

    /// An order had to go for another one. Whoever gave that may hold locks, and what ports do with a loss is not ours: they are told
    /// by [`tell_displaced`](Self::tell_displaced).
    fn displace(&self, port: u64, token: Option<u64>) {
        if token.is_some() {
            return self.finish(port, token, Outcome::Dropped);
        }
        self.counters.dropped.fetch_add(1, Relaxed);
        *self.untold.lock().entry(port).or_default() += 1;
        self.displaced.notify_one();
    }

    fn tell_displaced(&self) {
        let untold = std::mem::take(&mut *self.untold.lock());
        for (id, orders) in untold {
            if let Some(port) = self.port(id) {
                port.lost(Loss::Unsent(orders));
            }
        }
    }

    /// Says how the link is, to everybody and only if it changed.
    fn set_health(&self, health: Health) {
        if self.health.send_replace(health) != health {
            self.ports().iter().for_each(|port| port.health(health));
        }
    }
}

/// A connection to Redis that heals itself. Dropping it closes it.
pub(crate) struct Link {
    shared: Arc<Shared>,
    keeper: JoinHandle<()>,
    expiry: JoinHandle<()>,
}

impl Link {
    /// Connects.
    ///
    /// # Errors
    /// A URL cannot be used, nobody answers there, or Redis refuses. Later losses are no errors: they are healed.
    pub(crate) async fn connect(settings: Settings) -> Result<Arc<Link>, RedisError> {
        let settings = settings.kept();
        let shared = Arc::new(Shared {
            dialer: Dialer::new(&settings)?,
            queue: Queue::new(settings.queue_bytes, settings.queue_age),
            settings,
            subscriptions: Subscriptions::default(),
            counters: Counters::default(),
            health: watch::Sender::new(Health::Connecting),
            ports: RwLock::default(),
            wires: watch::Sender::new(None),
            flight: Mutex::default(),
            changed: Notify::new(),
            next_port: AtomicU64::new(0),
            untold: Mutex::default(),
            displaced: Notify::new(),
        });
        let keeper = Keeper::connect(shared.clone()).await?;
        let expiry = tokio::spawn(expire(shared.clone()));
        Ok(Arc::new(Link { shared, keeper: tokio::spawn(keeper.run()), expiry }))
    }

    /// Connects a port. It is told the health at once, if there is any but [`Health::Connecting`].
    pub(crate) fn attach(self: &Arc<Self>, port: Arc<dyn Port>) -> Attachment {
        let id = self.shared.next_port.fetch_add(1, Relaxed);
        self.shared.ports.write().insert(id, port.clone());
        let health = self.health();
        if health != Health::Connecting {
            port.health(health);
        }
        Attachment { link: self.clone(), id }
    }

    /// How it is.
    pub(crate) fn health(&self) -> Health {
        self.asker().health()
    }

    /// Changes of that.
    pub(crate) fn watch(&self) -> watch::Receiver<Health> {
        self.shared.health.subscribe()
    }

    /// What it has done.
    pub(crate) fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// Whoever asks questions, without the link's life.
    pub(crate) fn asker(&self) -> Asker {
        Asker(self.shared.clone())
    }

    /// Another connection to the node that has this key, for commands that block. It does not heal: ask for another one.
    ///
    /// # Errors
    /// The link is not connected until the time is over, or the node does not answer.
    pub(crate) async fn reader(&self, route: &Route, patience: Duration) -> Result<Reader, Failed> {
        let until = tokio::time::Instant::now() + patience;
        let wires = self.asker().wires(until).await?;
        let node = wires.topology.node(route).ok_or(Failed::Unanswered)?;
        let line = timeout_at(until, self.shared.dialer.dial(node, None)).await.map_err(|_| Failed::Unanswered)?;
        Ok(Reader { line: line.map_err(|error| Failed::Error(error.to_string()))? })
    }

    /// Sends what waits until the time is over, and closes. What waits then is dropped.
    pub(crate) async fn close(&self, patience: Duration) {
        self.shared.queue.close();
        let _ = timeout(patience, self.shared.queue.drained()).await;
        self.keeper.abort();
        self.expiry.abort();
        for waiting in self.shared.flight.lock().take() {
            self.shared.finish(waiting.port, waiting.order.token, Outcome::Uncertain);
        }
        self.shared.tell_displaced();
        for (port, token) in self.shared.queue.clear() {
            self.shared.finish(port, token, Outcome::Dropped);
        }
        self.shared.wires.send_replace(None);
        self.shared.set_health(Health::Disconnected);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.keeper.abort();
        self.expiry.abort();
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counters = self.counters();
        f.debug_struct("Link").field("health", &self.health()).field("counters", counters).finish_non_exhaustive()
    }
}

/// Drops what has waited too long, and tells what had to go for others.
async fn expire(shared: Arc<Shared>) {
    loop {
        let _ = timeout(Duration::from_secs(1).min(shared.settings.queue_age), shared.displaced.notified()).await;
        shared.tell_displaced();
        for (port, token) in shared.queue.expire(Instant::now()) {
            shared.finish(port, token, Outcome::Dropped);
        }
    }
}

/// One end of a link. Dropping it unsubscribes.
pub(crate) struct Attachment {
    link: Arc<Link>,
    id: u64,
}

impl Attachment {
    /// The link.
    pub(crate) fn link(&self) -> &Arc<Link> {
        &self.link
    }

    /// Wants the messages of a channel or a pattern, until [`unsubscribe`](Attachment::unsubscribe). Again is the same as once.
    pub(crate) fn subscribe(&self, kind: Kind, name: &str) {
        if let Some(port) = self.link.shared.port(self.id) {
            self.link.shared.subscriptions.want(kind, name, self.id, port);
        }
    }

    /// Does not want them any more.
    pub(crate) fn unsubscribe(&self, kind: Kind, name: &str) {
        self.link.shared.subscriptions.forget(kind, name, self.id);
    }

    /// Ends when all that was subscribed to so far is confirmed; or when the link is lost, because then nothing arrives anyway,
    /// and its health says so.
    pub(crate) fn settled(&self) -> BoxFuture<'static, ()> {
        let mut settled = self.link.shared.subscriptions.settled();
        let mut health = self.link.watch();
        Box::pin(async move {
            tokio::select! {
                () = settled.wait() => {}
                _ = health.wait_for(|health| *health == Health::Disconnected) => {}
            }
        })
    }

    /// Names a channel that every server of this kind subscribes to last. After a loss, what waits is published when as many are
    /// there as were before, or when they had enough time.
    pub(crate) fn expect_others(&self, kind: Kind, channel: &str) {
        self.link.shared.subscriptions.expect_others(kind, channel, self.id);
    }

    /// Queues an order. Never waits. A full queue drops the oldest; [`Port::done`] or [`Port::lost`] tell, also of this one.
    ///
    /// # Errors
    /// The link is closed, or the order is larger than the queue.
    pub(crate) fn publish(&self, order: Order) -> Result<(), Refused> {
        let shared = &self.link.shared;
        let dropped = shared.queue.push(self.id, order, Instant::now())?;
        for (port, token) in dropped {
            shared.displace(port, token);
        }
        Ok(())
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.link.shared.subscriptions.forget_all(self.id);
        self.link.shared.ports.write().remove(&self.id);
    }
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Attachment").field(&self.id).field(&self.link).finish()
    }
}

/// The pauses between attempts: each twice as long as the one before, half of it by chance.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
    bounds: (Duration, Duration),
}

impl Backoff {
    pub(crate) fn new(bounds: (Duration, Duration)) -> Self {
        Backoff { next: bounds.0, bounds }
    }

    /// The next pause.
    pub(crate) fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(self.bounds.1);
        pause.mul_f64(0.5 + rand::random::<f64>() / 2.0)
    }

    /// It worked.
    pub(crate) fn reset(&mut self) {
        self.next = self.bounds.0;
    }
}
