//! `Keeper`: the task that keeps a link connected. After a loss it finds the nodes, dials those that are missing, restores all
//! subscriptions, and only then lets a `Session` publish what has waited.

use super::{
    Backoff, RedisError, Route, Shared, Wires,
    dial::{Line, Pushed},
    session::{End, Session},
    subscriptions::{Key, Kind},
    topology::Topology,
};
use crate::adapter::broker::{Health, Loss};
use futures_util::future::try_join_all;
use parking_lot::Mutex;
use redis::{PushInfo, PushKind, Value};
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// A session that ends sooner did not help: the pauses grow.
const SHORT: Duration = Duration::from_secs(1);

/// What is connected.
#[derive(Debug)]
pub(super) struct World {
    pub(super) topology: Topology,
    /// For each node the connection for commands.
    pub(super) commands: HashMap<String, Line>,
    /// And one for subscriptions, if there are any: Redis delivers on it, and answers nothing else but pings.
    pub(super) subscribers: HashMap<String, Line>,
    /// What Redis has confirmed, and on which node. A leaf.
    pub(super) applied: Mutex<HashMap<Key, String>>,
}

impl World {
    pub(super) fn lines(&self) -> impl Iterator<Item = (&String, &Line)> {
        self.commands.iter().chain(&self.subscribers)
    }

    /// The address of a connection that has ended.
    pub(super) fn dead(&self) -> Option<&str> {
        self.lines().find(|(_, line)| !line.is_alive()).map(|(address, _)| address.as_str())
    }

    /// Lets go what has ended or is not needed any more. Whether subscriptions went with it.
    fn prune(&mut self) -> bool {
        let known = self.topology.nodes();
        for lines in [&mut self.commands, &mut self.subscribers] {
            lines.retain(|address, line| known.contains(address) && line.is_alive());
        }
        let (subscribers, topology) = (&self.subscribers, &self.topology);
        let mut interrupted = false;
        self.applied.lock().retain(|key, address| {
            let stays = subscribers.contains_key(address) && topology.node(&key.route()) == Some(address);
            interrupted |= !stays;
            stays
        });
        interrupted
    }
}

impl Key {
    pub(super) fn route(&self) -> Route {
        match self.kind {
            Kind::Shard => Route::Key(self.name.as_bytes().to_vec()),
            Kind::Channel | Kind::Pattern => Route::Any,
        }
    }
}

pub(super) struct Keeper {
    shared: Arc<Shared>,
    world: World,
    /// Subscriptions were interrupted, and ports do not know it yet.
    gap: bool,
}

impl Keeper {
    /// The first connection.
    pub(super) async fn connect(shared: Arc<Shared>) -> Result<Self, RedisError> {
        let weak = Arc::downgrade(&shared);
        shared.dialer.on_end(Arc::new(move || {
            if let Some(shared) = weak.upgrade() {
                shared.changed.notify_one();
            }
        }));
        let topology = Topology::find(&shared.dialer, &[]).await?;
        let world = World { topology, commands: HashMap::new(), subscribers: HashMap::new(), applied: Mutex::default() };
        let mut keeper = Keeper { shared, world, gap: false };
        keeper.establish().await?;
        keeper.open();
        Ok(keeper)
    }

    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::new(self.shared.settings.backoff);
        let mut after_a_gap = false;
        loop {
            let since = Instant::now();
            let session = Session::new(&self.shared, &self.world, after_a_gap);
            let end = session.run().await;
            // It may have ended before it was done with waiting for the others.
            let still = after_a_gap && !session.is_open();
            let short = since.elapsed() < SHORT;
            if !short {
                backoff.reset();
            }
            // Nothing is wrong with what there is: then there is nothing to wait for.
            let mut pause = (!matches!(end, End::Changed)).then(|| backoff.pause());
            self.part(end, short);
            loop {
                if let Some(pause) = pause {
                    tokio::time::sleep(pause).await;
                }
                let Err(error) = self.again().await else { break };
                tracing::debug!(%error, "Redis is still out of reach");
                self.shared.wires.send_replace(None);
                self.shared.set_health(Health::Disconnected);
                pause = Some(backoff.pause());
            }
            after_a_gap = self.open() || still;
        }
    }

    /// A session has ended.
    fn part(&mut self, end: End, short: bool) {
        for waiting in self.shared.flight.lock().crash() {
            self.shared.queue.finish(Vec::new(), 1);
            self.shared.finish(waiting.port, waiting.order.token, super::Outcome::Uncertain);
        }
        match end {
            End::Lost(reason) => {
                self.shared.counters.losses.fetch_add(1, Relaxed);
                tracing::warn!(%reason, "the connection to Redis is lost");
            }
            End::Changed => return,
            End::Moved if !short => return,
            End::Moved => tracing::warn!("Redis is there, but does not serve all keys"),
        }
        self.shared.wires.send_replace(None);
        self.shared.set_health(Health::Disconnected);
    }

    async fn again(&mut self) -> Result<(), RedisError> {
        let known: Vec<String> = self.world.commands.keys().cloned().collect();
        self.world.topology = Topology::find(&self.shared.dialer, &known).await?.at_home_in(&self.world.topology);
        self.establish().await
    }

    /// Dials what is missing, and restores what is subscribed to.
    async fn establish(&mut self) -> Result<(), RedisError> {
        if self.world.prune() {
            self.gap = true;
        }
        // On the connections that are left, everything was answered.
        self.shared.subscriptions.forget_leaving();
        let (shared, world) = (&self.shared, &self.world);
        let missing = world.topology.nodes().iter().filter(|address| !world.commands.contains_key(*address));
        let dialed =
            missing.map(|address| async move { Ok::<_, RedisError>((address.clone(), shared.dialer.dial(address, None).await?)) });
        let dialed = try_join_all(dialed).await?;
        self.world.commands.extend(dialed);

        let (wanted, version) = shared.subscriptions.all();
        let world = &self.world;
        let homes: HashSet<&str> = wanted.iter().filter_map(|key| world.topology.node(&key.route())).collect();
        let missing = homes.into_iter().filter(|home| !world.subscribers.contains_key(*home));
        let dialed = missing.map(|address| async move {
            Ok::<_, RedisError>((address.to_owned(), shared.dialer.dial(address, Some(deliver(shared))).await?))
        });
        let dialed = try_join_all(dialed).await?;
        self.world.subscribers.extend(dialed);

        let mut changes: Vec<(Key, bool)> =
            self.world.applied.lock().keys().filter(|key| !wanted.contains(*key)).map(|key| (key.clone(), false)).collect();
        changes.extend(wanted.into_iter().map(|key| (key, true)));
        match self.world.apply(&self.shared, changes).await {
            Ok(()) => {}
            Err(End::Lost(reason)) => return Err(RedisError::unreachable("a subscriber", reason)),
            Err(End::Moved | End::Changed) => return Err(RedisError::unreachable("a subscriber", "keys are elsewhere")),
        }
        self.shared.subscriptions.confirm(version);
        Ok(())
    }

    /// Everything is restored: questions may be asked, and everybody is told. Whether there was a gap.
    fn open(&mut self) -> bool {
        let lines = self.world.commands.iter().map(|(address, line)| (address.clone(), line.connection.clone()));
        let wires = Wires { topology: self.world.topology.clone(), lines: lines.collect() };
        self.shared.wires.send_replace(Some(Arc::new(wires)));
        if *self.shared.health.borrow() == Health::Disconnected {
            tracing::info!("Redis is connected again");
        }
        self.shared.set_health(Health::Connected);
        let gap = std::mem::take(&mut self.gap);
        if gap {
            self.shared.ports().iter().for_each(|port| port.lost(Loss::Unread));
        }
        gap
    }
}

/// What happens to what Redis pushes.
fn deliver(shared: &Arc<Shared>) -> Pushed {
    let weak = Arc::downgrade(shared);
    Arc::new(move |info: PushInfo, alive: &AtomicBool| {
        let Some(shared) = weak.upgrade() else { return };
        match (&info.kind, info.data.first()) {
            (PushKind::SUnsubscribe, Some(Value::BulkString(name))) => {
                let name = String::from_utf8_lossy(name);
                if !shared.subscriptions.has_left(&name) {
                    // The slot has moved. The library has taken this for the answer to something: the connection is confused.
                    alive.store(false, Relaxed);
                    shared.changed.notify_one();
                }
            }
            _ => {
                if shared.subscriptions.deliver(&info) > 0 {
                    shared.counters.received.fetch_add(1, Relaxed);
                }
            }
        }
    })
}
