//! `Session`: a link while it is connected. Three things run beside each other until the first of them fails: what is published,
//! what is subscribed to, and the watchdog. Cancelling it loses nothing: what was on its way stays in `Flight`, and a connection with
//! subscriptions on their way is given up.

use super::{
    Asker, Outcome, Shared, Verdict,
    dial::Line,
    flight::Group,
    keeper::World,
    queue::Waiting,
    subscriptions::{Key, Kind},
    topology::{self, Topology},
};
use futures_util::future::{join, join_all};
use redis::{ErrorKind, Pipeline, ServerErrorKind, Value};
use std::{
    collections::{HashMap, HashSet},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{sync::watch, time::timeout};

/// So many subscriptions are told to Redis at once.
const SUBSCRIPTIONS_AT_ONCE: usize = 512;
/// Every so many looks at the connections, a cluster is asked whether keys have moved.
const ROUNDS_PER_SURVEY: u32 = 5;
/// The pause between two counts of servers while waiting for them.
const COUNT_PAUSE: Duration = Duration::from_millis(25);
/// How long a session that ends waits for the answers to what is on its way.
const LANDING: Duration = Duration::from_millis(250);

/// Why a session ended.
#[derive(Debug)]
pub(super) enum End {
    /// A connection is dead.
    Lost(String),
    /// All connections are well, but Redis refused because keys are elsewhere, or nowhere.
    Moved,
    /// All connections are well: there are other nodes, or a connection that is needed now.
    Changed,
}

/// Whether this is an answer of Redis, though an unwelcome one: the connection is well.
pub(super) fn is_answer(error: &redis::RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension | ErrorKind::UnexpectedReturnType)
}

/// Whether Redis refused because another node is to be asked, or later: nothing was carried out.
pub(super) fn is_elsewhere(error: &redis::RedisError) -> bool {
    use ServerErrorKind::{Ask, BusyLoading, ClusterDown, MasterDown, Moved, ReadOnly, TryAgain};
    matches!(error.kind(), ErrorKind::Server(Moved | Ask | ClusterDown | TryAgain | BusyLoading | MasterDown | ReadOnly))
}

/// The error among the answers, if this is one.
fn error_of(value: Value) -> Result<Value, redis::RedisError> {
    match value {
        Value::ServerError(error) => Err(error.into()),
        value => Ok(value),
    }
}

pub(super) struct Session<'a> {
    shared: &'a Arc<Shared>,
    world: &'a World,
    /// Whether subscriptions were interrupted before it.
    after_a_gap: bool,
    /// Whether the other servers have had time to come back, and it publishes.
    open: AtomicBool,
}

impl<'a> Session<'a> {
    pub(super) fn new(shared: &'a Arc<Shared>, world: &'a World, after_a_gap: bool) -> Self {
        Session { shared, world, after_a_gap, open: AtomicBool::new(false) }
    }

    /// Whether it has begun to publish.
    pub(super) fn is_open(&self) -> bool {
        self.open.load(Relaxed)
    }

    pub(super) async fn run(&self) -> End {
        let stop = watch::Sender::new(false);
        let others = self.shared.subscriptions.others();
        let mut publishing = pin!(self.publish(&others, stop.subscribe()));
        let mut subscribing = pin!(self.subscribe(stop.subscribe()));
        let (end, published, subscribed) = tokio::select! {
            end = &mut publishing => (end, true, false),
            end = &mut subscribing => (end, false, true),
            end = self.watch() => (end, false, false),
            end = self.look_at_changes() => (end, false, false),
        };
        // What is on its way lands, unless it is on the connection that is dead: nothing is in doubt without need.
        stop.send_replace(true);
        let publishing = async {
            if !published {
                publishing.await;
            }
        };
        let subscribing = async {
            if !subscribed {
                subscribing.await;
            }
        };
        let _ = timeout(LANDING, join(publishing, subscribing)).await;
        end
    }

    async fn look_at_changes(&self) -> End {
        self.shared.changed.notified().await;
        match self.world.dead() {
            Some(address) => End::Lost(format!("the connection to {address} was closed")),
            None => End::Changed,
        }
    }

    // ---------------------------------------------------------------------------------------------------- publishing

    /// Stops between two batches, if it is told to.
    async fn publish(&self, others: &[(Key, usize)], mut stop: watch::Receiver<bool>) -> End {
        let beforehand = async {
            self.settle().await;
            if self.after_a_gap {
                self.wait_for_others(others).await;
            }
            self.open.store(true, Relaxed);
        };
        tokio::select! {
            () = beforehand => {}
            _ = stop.wait_for(|stop| *stop) => return End::Changed,
        }
        let queue = &self.shared.queue;
        loop {
            if *stop.borrow() {
                return End::Changed;
            }
            let batch = queue.take();
            if batch.is_empty() {
                tokio::select! {
                    () = queue.filled() => {}
                    _ = stop.changed() => {}
                }
                continue;
            }
            let node = |order: &super::Order| self.world.topology.node(&order.route).map(str::to_owned);
            let (groups, homeless) = self.shared.flight.lock().depart(batch, node);
            let mut again = homeless;
            let mut finished = 0;
            let mut broken = None;
            for (group, values) in join_all(groups.iter().map(|group| self.send(group))).await {
                let landed = match values {
                    Ok(values) => self.shared.flight.lock().land(group, values),
                    Err(error) => {
                        broken = Some(End::Lost(format!("{}: {error}", group.node)));
                        continue;
                    }
                };
                let Some(landed) = landed else {
                    broken = Some(End::Lost(format!("{}: another number of answers than of commands", group.node)));
                    continue;
                };
                for (waiting, value) in landed.answered {
                    match error_of(value) {
                        Err(error) if is_elsewhere(&error) => again.push(waiting),
                        Err(error) => {
                            finished += 1;
                            self.refused(&waiting, error.to_string());
                        }
                        Ok(value) => {
                            finished += 1;
                            self.shared.finish(waiting.port, waiting.order.token, Outcome::Done(value));
                        }
                    }
                }
            }
            let moved = !again.is_empty();
            queue.finish(again, finished);
            match broken {
                Some(end) => return end,
                None if moved => return End::Moved,
                None => {}
            }
        }
    }

    async fn send<'g>(&self, group: &'g Arc<Group>) -> (&'g Arc<Group>, Result<Vec<Value>, redis::RedisError>) {
        let Some(line) = self.world.commands.get(&group.node) else {
            return (group, Err((ErrorKind::Io, "the node is not connected").into()));
        };
        let answer = group.pipeline.query_async::<Value>(&mut line.connection.clone()).await;
        let values = answer.and_then(|answer| match answer {
            Value::Array(values) => Ok(values),
            _ => Err((ErrorKind::Io, "no array of answers").into()),
        });
        (group, values)
    }

    fn refused(&self, waiting: &Waiting, reason: String) {
        tracing::error!(%reason, "Redis refused a message for other servers");
        self.shared.finish(waiting.port, waiting.order.token, Outcome::Refused(reason));
    }

    /// Asks what became of the orders that were on their way when the connection broke.
    async fn settle(&self) {
        loop {
            let Some((id, orders)) = self.shared.flight.lock().doubts() else { return };
            let verdicts = match self.shared.port(id) {
                Some(port) => port.settle(Asker(self.shared.clone()), orders).await,
                None => Vec::new(),
            };
            let settled = self.shared.flight.lock().settled(id);
            let mut verdicts = verdicts.into_iter();
            let (mut again, mut finished) = (Vec::new(), 0);
            for waiting in settled {
                let outcome = match verdicts.next() {
                    Some(Verdict::Again) => {
                        again.push(waiting);
                        continue;
                    }
                    Some(Verdict::Done(value)) => Outcome::Done(value),
                    Some(Verdict::GiveUp) | None => Outcome::Uncertain,
                };
                finished += 1;
                self.shared.finish(waiting.port, waiting.order.token, outcome);
            }
            self.shared.queue.finish(again, finished);
        }
    }

    /// The other servers have lost Redis, too, and publishing to those that have not subscribed again is publishing to nobody.
    async fn wait_for_others(&self, before: &[(Key, usize)]) {
        let all_there = async {
            loop {
                let Ok(now) = self.count(before).await else { return };
                if before.iter().zip(&now).all(|((_, count), (_, now))| now >= count) {
                    return;
                }
                tokio::time::sleep(COUNT_PAUSE).await;
            }
        };
        let patience = self.shared.settings.patience_for_others;
        if self.shared.dialer.seeds().is_cluster() && before.iter().any(|(key, _)| key.kind == Kind::Shard) {
            // The channel by which they are counted may have been on another node than the one that was lost, and then their number
            // says nothing about the rest.
            return tokio::time::sleep(patience).await;
        }
        if timeout(patience, all_there).await.is_err() {
            tracing::info!(?patience, "not as many servers are on Redis as there were before it was lost");
        }
    }

    /// How many connections have subscribed to these channels, asked at once. In the order of the channels.
    async fn count(&self, keys: &[(Key, usize)]) -> Result<Vec<(Key, usize)>, redis::RedisError> {
        let mut counts: Vec<(Key, usize)> = keys.iter().map(|(key, _)| (key.clone(), 0)).collect();
        let mut pipeline = Pipeline::new();
        for (key, _) in keys {
            let command = if key.kind == Kind::Shard { "SHARDNUMSUB" } else { "NUMSUB" };
            pipeline.cmd("PUBSUB").arg(command).arg(&*key.name);
        }
        if counts.is_empty() {
            return Ok(counts);
        }
        for line in self.world.commands.values() {
            let answers = pipeline.query_async::<Vec<Value>>(&mut line.connection.clone()).await?;
            counts.iter_mut().zip(&answers).for_each(|((_, count), answer)| *count += topology::count(answer));
        }
        Ok(counts)
    }

    // ---------------------------------------------------------------------------------------------------- subscribing

    /// Stops between two rounds of changes, if it is told to.
    async fn subscribe(&self, mut stop: watch::Receiver<bool>) -> End {
        loop {
            if *stop.borrow() {
                return End::Changed;
            }
            let (changes, version) = self.shared.subscriptions.take_changes();
            if let Err(end) = self.world.apply(self.shared, changes).await {
                return end;
            }
            self.shared.subscriptions.confirm(version);
            tokio::select! {
                () = self.shared.subscriptions.changed() => {}
                _ = stop.changed() => {}
            }
        }
    }

    // ---------------------------------------------------------------------------------------------------- the watchdog

    async fn watch(&self) -> End {
        for round in 0_u32.. {
            let pings = self.world.lines().map(|(address, line)| async move {
                let alive = self.ping(line).await;
                if !alive {
                    line.give_up();
                }
                (address, alive)
            });
            if let Some((address, _)) = join_all(pings).await.into_iter().find(|(_, alive)| !alive) {
                return End::Lost(format!("{address} did not answer within {:?}", self.shared.settings.ping_timeout));
            }
            self.count_others().await;
            if round % ROUNDS_PER_SURVEY == 0 && self.has_changed().await {
                return End::Changed;
            }
            tokio::time::sleep(self.shared.settings.ping_interval).await;
        }
        End::Changed
    }

    async fn ping(&self, line: &Line) -> bool {
        let mut connection = line.connection.clone();
        let ping = redis::cmd("PING");
        match timeout(self.shared.settings.ping_timeout, ping.query_async::<Value>(&mut connection)).await {
            Ok(Ok(_)) => true,
            Ok(Err(error)) => is_answer(&error),
            Err(_) => false,
        }
    }

    /// Counts the servers, for the next time that they have to be waited for.
    async fn count_others(&self) {
        let counting = async { self.count(&self.shared.subscriptions.others()).await };
        if self.is_open()
            && let Ok(Ok(counts)) = timeout(self.shared.settings.ping_timeout, counting).await
        {
            self.shared.subscriptions.count_others(&counts);
        }
    }

    /// Whether the cluster is another one by now.
    async fn has_changed(&self) -> bool {
        if !self.shared.dialer.seeds().is_cluster() {
            return false;
        }
        let Some((address, line)) = self.world.commands.iter().next() else { return true };
        let asking = timeout(self.shared.settings.ping_timeout, Topology::ask(address, line));
        matches!(asking.await, Ok(Ok(topology)) if !topology.is_like(&self.world.topology))
    }
}

/// Subscriptions on their way. Dropped before they are answered, nobody knows what is subscribed to: then the connection is given up,
/// and everything on it told anew.
struct Unanswered<'a>(&'a Line);

impl Unanswered<'_> {
    fn are_answered(self) {
        std::mem::forget(self);
    }
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

impl World {
    /// Tells Redis what is wanted and what is not any more. What is told already is not told again. The channels by which servers are
    /// counted come last: whoever finds one there finds a server that has all.
    pub(super) async fn apply(&self, shared: &Shared, changes: Vec<(Key, bool)>) -> Result<(), End> {
        let counted: HashSet<Key> = shared.subscriptions.others().into_iter().map(|(key, _)| key).collect();
        let (last, first): (Vec<_>, Vec<_>) = changes.into_iter().partition(|(key, _)| counted.contains(key));
        for changes in [first, last] {
            let mut by_node: HashMap<String, Vec<(Key, bool)>> = HashMap::new();
            {
                let applied = self.applied.lock();
                for (key, wanted) in changes {
                    let node = match (wanted, applied.get(&key)) {
                        (true, Some(_)) | (false, None) => continue,
                        (true, None) => self.topology.node(&key.route()).ok_or(End::Moved)?.to_owned(),
                        (false, Some(node)) => node.clone(),
                    };
                    by_node.entry(node).or_default().push((key, wanted));
                }
            }
            let told = by_node.iter().map(|(node, changes)| self.tell(shared, node, changes));
            join_all(told).await.into_iter().collect::<Result<(), End>>()?;
        }
        Ok(())
    }

    async fn tell(&self, shared: &Shared, node: &str, changes: &[(Key, bool)]) -> Result<(), End> {
        // A node that had nothing to subscribe to so far has no connection for it: making one is the keeper's business.
        let line = self.subscribers.get(node).ok_or(End::Changed)?;
        for chunk in changes.chunks(SUBSCRIPTIONS_AT_ONCE) {
            let mut pipeline = Pipeline::new();
            pipeline.ignore_errors();
            for (key, wanted) in chunk {
                if !wanted && key.kind == Kind::Shard {
                    shared.subscriptions.leaves(&key.name);
                }
                pipeline.cmd(if *wanted { key.kind.subscribe() } else { key.kind.unsubscribe() }).arg(&*key.name);
            }
            let lost = |reason: &dyn std::fmt::Display| End::Lost(format!("{node}: {reason}"));
            let unanswered = Unanswered(line);
            let answers =
                timeout(shared.settings.connect_timeout, pipeline.query_async::<Value>(&mut line.connection.clone())).await;
            let answers = answers.map_err(|_| lost(&"no answer to subscriptions"))?.map_err(|error| lost(&error))?;
            let Value::Array(answers) = answers else { return Err(lost(&"no array of answers")) };
            if answers.len() != chunk.len() {
                return Err(lost(&"another number of answers than of subscriptions"));
            }
            unanswered.are_answered();
            let mut moved = false;
            let mut applied = self.applied.lock();
            for ((key, wanted), answer) in chunk.iter().zip(answers) {
                let answer = error_of(answer);
                if answer.is_err() && !wanted && key.kind == Kind::Shard {
                    // Nothing but the error was said about it.
                    shared.subscriptions.has_left(&key.name);
                }
                match answer {
                    Err(error) if is_elsewhere(&error) => {
                        moved = true;
                        continue;
                    }
                    // Asking again would not help: it is for the administrator.
                    Err(error) => {
                        shared.counters.refused.fetch_add(1, Relaxed);
                        tracing::error!(channel = %key.name, %error, "Redis refused a subscription");
                    }
                    Ok(_) => {}
                }
                match wanted {
                    true => drop(applied.insert(key.clone(), node.to_owned())),
                    false => drop(applied.remove(key)),
                }
            }
            if moved {
                return Err(End::Moved);
            }
        }
        Ok(())
    }
}
