//! The pipe of `@socket.io/redis-streams-adapter` 0.3: what servers tell each other is an entry of a stream, what they ask each other
//! is published.
//!
//! | where | carries |
//! |---|---|
//! | stream `S`, or `S-i` by the namespace's name | broadcasts, rooms, disconnects, events for servers; read by `feed` |
//! | channel `P#nsp#` | questions; whoever subscribes to it counts as a server |
//! | channel `P#nsp#uid#` | answers |
//! | keys `K<pid>` | sessions that wait; see `journal` |
//!
//! An entry that was on its way when the connection broke is looked for in the stream, by a field `n` that the reference ignores, and
//! written again only if it is not there.

mod entry;
mod feed;
mod journal;
mod pending;

use super::{
    CENSUS_PATIENCE, hand_over,
    link::{Asker, Attachment, Failed, Kind, Link, Order, Outcome, Port, Route, Verdict},
    unsendable,
};
use crate::{
    adapter::{
        broker::{Appended, Health, Inbox, Journal, Liveness, Loss, Pipe, Refused, Unreachable},
        message::{EMITTER, Message, NodeId},
        wire::{Unsupported, cluster, stream},
    },
    contract::BoxFuture,
    room::Room,
};
use entry::{Entry, Position};
use feed::{Feed, Readers};
use parking_lot::Mutex;
use pending::Pending;
use std::{collections::HashMap, fmt, sync::Arc, time::Duration};
use tokio::task::JoinHandle;

/// How long one look into a stream may take while it is found out what is in it.
const LOOK_PATIENCE: Duration = Duration::from_secs(4);
/// The pause before another look, if there was no answer.
const LOOK_PAUSE: Duration = Duration::from_millis(100);
/// Entries that are looked at, at once.
const LOOK: usize = 500;

/// Settings of [`RedisBuilder::streams`](super::RedisBuilder::streams). All servers must use the same names and count.
///
/// ```no_run
/// use socketio::adapter::{Redis, StreamOptions};
///
/// # async fn run() -> Result<(), socketio::adapter::RedisError> {
/// let streams = StreamOptions::new().name("chat").max_len(50_000);
/// let redis = Redis::builder("redis://127.0.0.1").streams(streams).connect().await?;
/// # let _ = redis;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "they are given to `RedisBuilder::streams`"]
pub struct StreamOptions {
    pub(super) name: String,
    pub(super) count: u32,
    pub(super) max_len: u64,
    pub(super) session_prefix: String,
    pub(super) sharded: bool,
}

impl Default for StreamOptions {
    fn default() -> Self {
        StreamOptions {
            name: "socket.io".to_owned(),
            count: 1,
            max_len: 10_000,
            session_prefix: "sio:session:".to_owned(),
            sharded: false,
        }
    }
}

impl StreamOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The key of the stream: the reference's `streamName`. Default: `socket.io`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Over how many streams namespaces are spread, for Redis Cluster: the reference's `streamCount`. From 1 on; default: 1.
    ///
    /// About half of all names of namespaces hash to a negative number. The reference writes those to a stream that it does not read;
    /// servers of this crate read it as well.
    pub fn count(mut self, count: u32) -> Self {
        self.count = count.clamp(1, i32::MAX as u32);
        self
    }

    /// About how many entries a stream keeps: the reference's `maxLen`. A server that is away while more are written misses some,
    /// and says so; clients are recovered as far back. At least 1000; default: 10 000.
    pub fn max_len(mut self, entries: u64) -> Self {
        self.max_len = entries.max(1000);
        self
    }

    /// What keys of sessions that wait begin with: the reference's `sessionKeyPrefix`. Default: `sio:session:`.
    pub fn session_key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.session_prefix = prefix.into();
        self
    }

    /// Questions among servers go through sharded channels: the reference's `useShardedPubSub`. Needs Redis 7. Default: `false`.
    pub fn sharded_pubsub(mut self, sharded: bool) -> Self {
        self.sharded = sharded;
        self
    }

    /// The stream of a namespace, as the reference computes it, sign included.
    pub(super) fn stream(&self, namespace: &str) -> String {
        if self.count == 1 { self.name.clone() } else { format!("{}-{}", self.name, self.index(namespace)) }
    }

    /// The streams that messages for a namespace may be in: where the reference writes, and where it reads.
    fn streams(&self, namespace: &str) -> Vec<String> {
        let mut streams = vec![self.stream(namespace)];
        if self.count > 1 && self.index(namespace) < 0 {
            streams.push(format!("{}-{}", self.name, -self.index(namespace)));
        }
        streams
    }

    fn index(&self, namespace: &str) -> i32 {
        let hash = namespace.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(unit.into()));
        // The remainder has the sign of the hash, here as in JavaScript.
        hash.wrapping_rem(i32::try_from(self.count).unwrap_or(i32::MAX))
    }

    /// The order that appends an entry.
    pub(super) fn append(&self, stream: &str, fields: &stream::Fields, number: u64) -> Order {
        let mut command = redis::cmd("XADD");
        command.arg(stream).arg("MAXLEN").arg("~").arg(self.max_len).arg("*");
        for (name, value) in fields {
            command.arg(*name).arg(value);
        }
        command.arg(NUMBER).arg(number);
        Order { command, route: Route::Key(stream.as_bytes().to_vec()), token: Some(number) }
    }
}

/// The field with the number of an entry among those of its sender. The reference ignores it.
const NUMBER: &str = "n";

/// The streams of one link.
#[derive(Debug)]
pub(super) struct Streams {
    link: Arc<Link>,
    /// What channels begin with.
    prefix: Arc<str>,
    options: Arc<StreamOptions>,
    /// By stream. Locked to find one, or to begin.
    feeds: Mutex<HashMap<String, Feed>>,
}

impl Streams {
    pub(super) fn new(link: Arc<Link>, prefix: &str, options: StreamOptions) -> Arc<Self> {
        Arc::new(Streams { link, prefix: prefix.into(), options: Arc::new(options), feeds: Mutex::default() })
    }

    /// Connects a namespace.
    pub(super) fn open(self: &Arc<Self>, namespace: &str, inbox: Arc<dyn Inbox>) -> Arc<dyn Pipe> {
        let node = NodeId::from(format!("{:016x}", rand::random::<u64>()));
        let streams = self.options.streams(namespace);
        let feeds: Vec<Arc<Readers>> = streams.iter().map(|stream| self.feed(stream)).collect();
        let pipe = self.pipe(node, namespace, feeds, Pending::reading(), inbox);
        let Writer { end, attachment, feeds, .. } = &*pipe.writer;
        feeds.iter().for_each(|feed| feed.add(end.clone()));
        attachment.subscribe(self.kind(), &end.channel_of(&end.node));
        // By this one servers are counted: it comes last.
        attachment.subscribe(self.kind(), &end.channel);
        Arc::new(pipe)
    }

    /// Speaks in a namespace as an emitter, and does not listen.
    pub(super) fn speak(self: &Arc<Self>, namespace: &str, inbox: Arc<dyn Inbox>) -> Arc<dyn Pipe> {
        // All emitters have one name: their entries are told apart by numbers that begin anywhere.
        let pending = Pending::from(rand::random::<u64>() >> 1);
        Arc::new(self.pipe(NodeId::from(EMITTER), namespace, Vec::new(), pending, inbox))
    }

    fn pipe(
        self: &Arc<Self>,
        node: NodeId,
        namespace: &str,
        feeds: Vec<Arc<Readers>>,
        pending: Pending,
        inbox: Arc<dyn Inbox>,
    ) -> StreamPipe {
        let end = Arc::new(End {
            node,
            namespace: namespace.into(),
            stream: self.options.stream(namespace),
            channel: format!("{}#{namespace}#", self.prefix),
            position: feeds.first().cloned(),
            inbox,
            pending,
        });
        let attachment = self.link.attach(end.clone());
        let teller = tokio::spawn(tell(end.clone()));
        StreamPipe { streams: self.clone(), writer: Arc::new(Writer { end, attachment, order: Mutex::default(), teller, feeds }) }
    }

    fn feed(&self, stream: &str) -> Arc<Readers> {
        let mut feeds = self.feeds.lock();
        feeds.entry(stream.to_owned()).or_insert_with(|| Feed::new(&self.link, stream)).readers.clone()
    }

    fn kind(&self) -> Kind {
        if self.options.sharded { Kind::Shard } else { Kind::Channel }
    }

    /// Reads no more.
    pub(super) fn stop(&self) {
        self.feeds.lock().values().for_each(Feed::stop);
    }
}

/// What the link and the feeds call.
pub(super) struct End {
    node: NodeId,
    namespace: Box<str>,
    stream: String,
    channel: String,
    /// How far the stream that is written to was read.
    position: Option<Arc<Readers>>,
    inbox: Arc<dyn Inbox>,
    pending: Pending,
}

impl End {
    fn channel_of(&self, node: &NodeId) -> String {
        format!("{}{node}#", self.channel)
    }

    /// An entry for this namespace.
    fn entry(&self, entry: &Entry) {
        // Those of this server were carried out before they were sent, but for those whose clients wait for an offset.
        if entry.field("uid") == Some(self.node.as_str().as_bytes()) {
            let number = entry.field(NUMBER).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
            for (appended, at) in number.map(|number| self.pending.read(number, entry.at)).unwrap_or_default() {
                appended(Some(at.to_string().into()));
            }
            return;
        }
        let mut read = stream::read_entry(|name| entry.field(name)).map(|found| found.map(|(_, envelope)| envelope));
        if let Ok(Some(envelope)) = &mut read
            && matches!(envelope.message, Message::Broadcast { .. })
        {
            envelope.offset = Some(entry.at.to_string().into());
        }
        hand_over(read, &self.node, &*self.inbox);
    }
}

impl Port for End {
    fn received(&self, _: &[u8], payload: &[u8]) {
        hand_over(cluster::decode(payload, &self.namespace), &self.node, &*self.inbox);
    }

    fn health(&self, health: Health) {
        self.inbox.health(health);
    }

    fn lost(&self, loss: Loss) {
        // Only questions and answers are published: who asks learns by the time what is missing.
        if loss != Loss::Unread {
            self.inbox.lost(loss);
        }
    }

    fn done(&self, token: u64, outcome: Outcome) {
        let position = match &outcome {
            Outcome::Done(value) => Position::of(value),
            _ => None,
        };
        self.pending.done(token, position);
    }

    fn settle(&self, asker: Asker, orders: Vec<Order>) -> BoxFuture<'static, Vec<Verdict>> {
        let from = orders.first().and_then(|order| self.pending.written_after(order.token?)).unwrap_or_default();
        let (node, stream) = (self.node.clone(), self.stream.clone());
        Box::pin(async move {
            let found = loop {
                match journal::find(&asker, &stream, &node, from).await {
                    Ok(found) => break found,
                    // Redis does not let this server look.
                    Err(Failed::Error(_)) => return orders.iter().map(|_| Verdict::GiveUp).collect(),
                    // Either it was slow, or the connection broke: then the link is about to end this, and asks again later.
                    Err(Failed::Unanswered) => tokio::time::sleep(LOOK_PAUSE).await,
                }
            };
            let verdict = |order: &Order| match found.numbers.get(&order.token?) {
                Some(at) => Some(Verdict::Done(redis::Value::BulkString(at.to_string().into_bytes()))),
                None if found.is_complete => Some(Verdict::Again),
                None => None,
            };
            orders.iter().map(|order| verdict(order).unwrap_or(Verdict::GiveUp)).collect()
        })
    }
}

/// Tells who appended what became of it. On a task of its own, because the link tells while who publishes may hold locks.
async fn tell(end: Arc<End>) {
    loop {
        let told = end.pending.settled().await;
        if told.lost > 0 {
            end.inbox.lost(Loss::Unsent(told.lost));
        }
        for (appended, position) in told.appended {
            appended(position.map(|at| at.to_string().into()));
        }
    }
}

/// What writes for one namespace.
struct Writer {
    end: Arc<End>,
    attachment: Attachment,
    /// Held while an entry gets its number and its place in the queue, so that these are the same order.
    order: Mutex<()>,
    teller: JoinHandle<()>,
    feeds: Vec<Arc<Readers>>,
}

impl Writer {
    fn append(&self, options: &StreamOptions, message: &Message, appended: Option<Appended>) -> Result<(), Refused> {
        let end = &self.end;
        let fields = match stream::entry(message, &end.node, &end.namespace) {
            Ok(fields) => fields,
            Err(unsupported) => return Err(refused(unsupported, end, appended)),
        };
        let _order = self.order.lock();
        let position = end.position.as_ref().and_then(|feed| feed.position()).unwrap_or_default();
        let number = end.pending.begin(position, appended);
        let queued = self.attachment.publish(options.append(&end.stream, &fields, number));
        if queued.is_err() {
            end.pending.refuse(number);
        }
        queued
    }
}

/// Says why, and whoever waits learns it in order.
fn refused(unsupported: Unsupported, end: &End, appended: Option<Appended>) -> Refused {
    if let Some(appended) = appended {
        let number = end.pending.begin(Position::START, Some(appended));
        end.pending.refuse(number);
    }
    unsendable(unsupported)
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.feeds.iter().for_each(|feed| feed.remove(&self.end));
        self.teller.abort();
        for appended in self.end.pending.close() {
            appended(None);
        }
    }
}

/// One namespace.
struct StreamPipe {
    streams: Arc<Streams>,
    writer: Arc<Writer>,
}

impl StreamPipe {
    fn send(&self, channel: &str, message: &Message) -> Result<(), Refused> {
        let end = &self.writer.end;
        let payload = cluster::encode(message, &end.node, &end.namespace, true).map_err(unsendable)?;
        let order = match self.streams.kind() {
            Kind::Shard => Order::publish_sharded(channel, &payload),
            _ => Order::publish(channel, &payload),
        };
        self.writer.attachment.publish(order)
    }
}

impl Pipe for StreamPipe {
    fn node(&self) -> &NodeId {
        &self.writer.end.node
    }

    fn liveness(&self) -> Liveness {
        Liveness::Census
    }

    fn publish(&self, message: Message) -> Result<(), Refused> {
        match message {
            // The reference publishes events for servers. It reads them here as well, where they are not lost.
            Message::Broadcast { .. }
            | Message::Join { .. }
            | Message::Leave { .. }
            | Message::Disconnect { .. }
            | Message::Emit { .. } => self.writer.append(&self.streams.options, &message, None),
            question => self.send(&self.writer.end.channel, &question),
        }
    }

    fn respond(&self, to: Option<&NodeId>, message: Message) -> Result<(), Refused> {
        match to {
            Some(to) => self.send(&self.writer.end.channel_of(to), &message),
            None => self.send(&self.writer.end.channel, &message),
        }
    }

    fn census(&self) -> BoxFuture<'static, Result<usize, Unreachable>> {
        let (asker, kind) = (self.streams.link.asker(), self.streams.kind());
        let channel = self.writer.end.channel.clone();
        Box::pin(async move { Ok(asker.subscribers(kind, &channel, CENSUS_PATIENCE).await?) })
    }

    fn joined(&self, _: &Room) {}

    fn left(&self, _: &Room) {}

    fn settled(&self) -> BoxFuture<'static, ()> {
        let subscribed = self.writer.attachment.settled();
        let mut positions: Vec<_> = self.writer.feeds.iter().map(|feed| feed.watch()).collect();
        let mut health = self.streams.link.watch();
        Box::pin(async move {
            subscribed.await;
            for position in &mut positions {
                tokio::select! {
                    _ = position.wait_for(Option::is_some) => {}
                    _ = health.wait_for(|health| *health == Health::Disconnected) => {}
                }
            }
        })
    }

    fn journal(&self) -> Option<Arc<dyn Journal>> {
        Some(Arc::new(journal::StreamJournal::new(&self.streams, &self.writer)))
    }
}

impl fmt::Debug for StreamPipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let End { node, namespace, stream, .. } = &*self.writer.end;
        f.debug_struct("StreamPipe")
            .field("node", node)
            .field("namespace", namespace)
            .field("stream", stream)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_namespaces() {
        let options = StreamOptions::new();
        assert_eq!((options.stream("/x"), options.streams("/notifications").len()), ("socket.io".to_owned(), 1));
        // As the reference computes it.
        let options = options.count(3);
        for (namespace, stream) in [("/", 2), ("/chat", 1), ("/orders", 2), ("/admin", 1), ("/notifications", -2), ("/ünï", 0)] {
            assert_eq!(options.stream(namespace), format!("socket.io-{stream}"), "{namespace}");
        }
        assert_eq!(options.streams("/notifications"), ["socket.io--2", "socket.io-2"]);
    }
}
