//! `Redis`: servers that find each other on Redis, compatible with the adapters of the JavaScript server, so that both may be in one
//! cluster.
//!
//! ```text
//! Redis --connect--> Server (a Broker) --open--> a pipe for each namespace: pubsub, sharded, streams
//!                       +-- Link (connections, subscriptions, queue) <----+
//! ```
//! Here: what users see. `link` is the connection; `pubsub`, `sharded` and `streams` know the names of channels, `wire` the bytes on them.

mod emitter;
pub(crate) mod link;
mod pubsub;
mod sharded;
mod streams;

pub use emitter::{Elsewhere, Emitter};
pub use link::RedisError;
pub use sharded::SubscriptionMode;
pub use streams::StreamOptions;

use super::{
    broker::{Broker, Health, Inbox, Loss, Pipe, Refused},
    message::{Envelope, NodeId},
    sealed::{Connect, Connection},
    wire::{Malformed, Unsupported},
};
use crate::contract::BoxFuture;
use link::{Asker, Link, Place, Settings};
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

/// What channels begin with unless it is said otherwise.
const PREFIX: &str = "socket.io";
/// How long Redis may take to count the servers.
const CENSUS_PATIENCE: Duration = Duration::from_secs(2);

/// Passes on what was read. What this server itself has said comes back on some channels; what makes no sense is counted.
fn hand_over(read: Result<Option<Envelope>, Malformed>, me: &NodeId, inbox: &dyn Inbox) {
    match read {
        Ok(Some(envelope)) if envelope.sender.as_ref() != Some(me) => inbox.received(envelope),
        Ok(_) => {}
        Err(Malformed(reason)) => inbox.lost(Loss::Poison(reason)),
    }
}

/// A message that servers of the reference could not read is not sent.
fn unsendable(Unsupported(reason): Unsupported) -> Refused {
    tracing::warn!(reason, "a message cannot be sent to other servers");
    Refused
}

/// Connects servers through Redis.
///
/// Without further settings as `@socket.io/redis-adapter` does (its `createAdapter`), by publishing and subscribing;
/// [`RedisBuilder::sharded`] is its `createShardedAdapter`. Servers in JavaScript may take part; all must use the same one.
/// Needs Redis 6, or Valkey; sharded Redis 7.
///
/// A lost connection heals itself, also one that is merely silent: it is pinged every second and given up after three. Local clients
/// never wait for Redis. What is meant for other servers waits meanwhile, up to 16 MiB and 30 s, and is sent when subscriptions
/// are restored here, and on the other servers if they were interrupted as well, or had three seconds for it. What other servers
/// publish while this one is away is lost, as publishing is in Redis. Nothing arrives twice.
///
/// ```no_run
/// use socketio::adapter::Redis;
///
/// # async fn run() -> Result<(), socketio::adapter::RedisError> {
/// let redis = Redis::connect("redis://127.0.0.1").await?;
/// # let _ = redis;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Redis {
    link: Arc<Link>,
    style: Style,
}

/// How servers talk.
#[derive(Debug, Clone)]
enum Style {
    PubSub(pubsub::Options),
    Sharded(sharded::Options),
    Streams(Arc<streams::Streams>),
}

impl Redis {
    /// Connects to one Redis server with the defaults: `redis://[user:password@]host[:port][/database]`, `rediss://..` for TLS,
    /// `unix:///path`.
    ///
    /// # Errors
    /// The URL cannot be used, nobody answers there within 5 s, or Redis refuses.
    ///
    /// # Cancel safety
    /// Dropping it gives up the connection.
    pub async fn connect(url: impl Into<String>) -> Result<Redis, RedisError> {
        Redis::builder(url).connect().await
    }

    /// Settings for one Redis server.
    pub fn builder(url: impl Into<String>) -> RedisBuilder {
        RedisBuilder::new(Place::Server(url.into()))
    }

    /// Settings for a Redis Cluster, of which some nodes are named. User and password are those of the first.
    pub fn cluster<U: Into<String>>(urls: impl IntoIterator<Item = U>) -> RedisBuilder {
        RedisBuilder::new(Place::Cluster(urls.into_iter().map(Into::into).collect()))
    }

    /// Settings for a Redis server that sentinels watch under a name. User, password and database are those of the first URL,
    /// for the sentinels as well as the server.
    pub fn sentinel<U: Into<String>>(service: impl Into<String>, urls: impl IntoIterator<Item = U>) -> RedisBuilder {
        RedisBuilder::new(Place::Sentinel { service: service.into(), urls: urls.into_iter().map(Into::into).collect() })
    }

    /// Looks at the connection from now on, also when a server has the rest.
    pub fn monitor(&self) -> RedisMonitor {
        RedisMonitor { asker: self.link.asker() }
    }
}

impl Connect for Redis {
    fn connect(self) -> Connection {
        Connection(Arc::new(Server { link: self.link, style: self.style }))
    }

    fn has_journal(&self) -> bool {
        matches!(self.style, Style::Streams(_))
    }
}

/// Settings of [`Redis`].
///
/// ```no_run
/// use socketio::adapter::{Redis, SubscriptionMode};
///
/// # async fn run() -> Result<(), socketio::adapter::RedisError> {
/// let nodes = ["redis://10.0.0.1", "redis://10.0.0.2"];
/// let redis = Redis::cluster(nodes).key("shop").sharded(SubscriptionMode::Dynamic).connect().await?;
/// # let _ = redis;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing happens until `connect` is awaited"]
pub struct RedisBuilder {
    settings: Settings,
    key: String,
    specific_responses: bool,
    sharded: Option<SubscriptionMode>,
    streams: Option<StreamOptions>,
}

impl RedisBuilder {
    fn new(place: Place) -> Self {
        RedisBuilder {
            settings: Settings::new(place),
            key: PREFIX.to_owned(),
            specific_responses: false,
            sharded: None,
            streams: None,
        }
    }

    /// What the names of all channels begin with: the reference's `key`, or `channelPrefix` if sharded. Default: `socket.io`.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self
    }

    /// Answers go to the server that has asked, and not to all: the reference's `publishOnSpecificResponseChannel`. Each server may
    /// decide for itself, and sharded ones always do. Default: `false`, as for the reference; servers before 8.0 of its adapter
    /// do not hear such answers.
    pub fn specific_response_channel(mut self, specific: bool) -> Self {
        self.specific_responses = specific;
        self
    }

    /// Uses sharded channels, as the reference's `createShardedAdapter`: in a Redis Cluster each channel is the business of one node.
    /// Needs Redis 7. All servers must use the same mode.
    pub fn sharded(mut self, mode: SubscriptionMode) -> Self {
        self.sharded = Some(mode);
        self
    }

    /// Writes what servers tell each other into a stream, as `@socket.io/redis-streams-adapter` 0.3, and publishes only what they ask
    /// each other. Nothing is lost or arrives twice while a connection is interrupted, and clients may come back to another
    /// server. Goes before [`sharded`](Self::sharded). Needs Redis 5; 7 to tell exactly whether a server that was away too long has
    /// missed something.
    pub fn streams(mut self, options: StreamOptions) -> Self {
        self.streams = Some(options);
        self
    }

    /// Trusts the certificates in this PEM text, beside those of Mozilla, for `rediss://`. Again adds more.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.settings.roots.push(pem.into());
        self
    }

    /// How long one attempt to connect may take. Default: 5 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connect_timeout = timeout;
        self
    }

    /// How often connections are looked at, and how long the answer may take before one counts as dead: within the sum of both it is
    /// noticed that bytes vanish. Default: 1 s and 3 s; at least 10 ms each. A Redis that is busy with one command for longer is taken for dead.
    pub fn watchdog(mut self, interval: Duration, timeout: Duration) -> Self {
        (self.settings.ping_interval, self.settings.ping_timeout) = (interval, timeout);
        self
    }

    /// What may wait for Redis to be sent to other servers, in bytes and in time. The oldest goes first. Default: 16 MiB and 30 s;
    /// at least 10 ms.
    pub fn queue(mut self, bytes: usize, age: Duration) -> Self {
        (self.settings.queue_bytes, self.settings.queue_age) = (bytes, age);
        self
    }

    /// How long to wait after a reconnection for the other servers to be back before what has waited is published. It ends as soon as
    /// they are; with sharded channels in a Redis Cluster nobody can tell, and all of it is waited. Default: 3 s.
    pub fn patience_for_others(mut self, patience: Duration) -> Self {
        self.settings.patience_for_others = patience;
        self
    }

    /// Connects.
    ///
    /// # Errors
    /// A URL or a certificate cannot be used, nobody answers, or Redis refuses. Later losses heal themselves.
    ///
    /// # Cancel safety
    /// Dropping it gives up the connection.
    pub async fn connect(self) -> Result<Redis, RedisError> {
        if self.key.contains(['\r', '\n']) || self.key.is_empty() {
            return Err(RedisError::Setting("the key must not be empty, nor have line breaks".to_owned()));
        }
        let link = Link::connect(self.settings).await?;
        let style = match (self.streams, self.sharded) {
            (Some(options), _) => Style::Streams(streams::Streams::new(link.clone(), &self.key, options)),
            (None, Some(mode)) => Style::Sharded(sharded::Options { prefix: self.key.into(), mode }),
            (None, None) => Style::PubSub(pubsub::Options { prefix: self.key.into(), specific_responses: self.specific_responses }),
        };
        Ok(Redis { link, style })
    }
}

/// Looks at the connection to Redis. Cheap to clone.
///
/// ```no_run
/// # async fn run() -> Result<(), socketio::adapter::RedisError> {
/// let redis = socketio::adapter::Redis::connect("redis://127.0.0.1").await?;
/// let monitor = redis.monitor();
/// assert!(monitor.is_connected());
/// let stats = monitor.stats();
/// println!("{} published, {} lost", stats.published, stats.dropped + stats.uncertain);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct RedisMonitor {
    asker: Asker,
}

/// What a connection to Redis has done since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RedisStats {
    /// Messages for other servers that Redis has taken.
    pub published: u64,
    /// Messages that Redis has delivered.
    pub received: u64,
    /// Messages that were never sent, because too many waited, or for too long.
    pub dropped: u64,
    /// Messages that were on their way when the connection broke: they may be lost.
    pub uncertain: u64,
    /// Messages and subscriptions that Redis did not want: no permission, no memory.
    pub refused: u64,
    /// How often the connection was lost.
    pub losses: u64,
    /// Bytes that wait to be sent.
    pub queued_bytes: usize,
}

impl RedisMonitor {
    /// Whether messages go in and out.
    pub fn is_connected(&self) -> bool {
        self.asker.health() == Health::Connected
    }

    /// What it has done.
    pub fn stats(&self) -> RedisStats {
        let counters = self.asker.counters();
        RedisStats {
            published: counters.published.load(Relaxed),
            received: counters.received.load(Relaxed),
            dropped: counters.dropped.load(Relaxed),
            uncertain: counters.uncertain.load(Relaxed),
            refused: counters.refused.load(Relaxed),
            losses: counters.losses.load(Relaxed),
            queued_bytes: self.asker.queued_bytes(),
        }
    }
}

/// The broker of one server.
#[derive(Debug)]
struct Server {
    link: Arc<Link>,
    style: Style,
}

impl Broker for Server {
    fn open(&self, namespace: &str, inbox: Arc<dyn Inbox>) -> Arc<dyn Pipe> {
        match &self.style {
            Style::PubSub(options) => pubsub::open(&self.link, options, namespace, inbox),
            Style::Sharded(options) => sharded::open(&self.link, options, namespace, inbox),
            Style::Streams(streams) => streams.open(namespace, inbox),
        }
    }

    fn health(&self) -> Health {
        self.link.health()
    }

    fn close(&self, patience: Duration) -> BoxFuture<'static, ()> {
        let (link, style) = (self.link.clone(), self.style.clone());
        Box::pin(async move {
            link.close(patience).await;
            if let Style::Streams(streams) = style {
                streams.stop();
            }
        })
    }
}

#[cfg(test)]
mod tests;
