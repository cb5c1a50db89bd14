//! Brokers on real Redis servers: what arrives, in which order, and what an outage costs.

mod emitter;
mod faults;
mod orders;
mod pipes;
mod places;
mod server;
mod streams;

use super::{Redis, RedisBuilder, SubscriptionMode, link::Link};
use crate::{
    Room,
    adapter::{
        broker::{Broker, Health, Inbox, Loss, Pipe},
        message::{Envelope, Message},
        sealed::Connect as _,
    },
    room::Target,
};
use parking_lot::Mutex;
use server::{Mode, Proxy, Server, eventually, is_installed};
use std::sync::Arc;

/// What a server hears.
#[derive(Debug, Default)]
struct Ear {
    heard: Mutex<Vec<String>>,
    lost: Mutex<Vec<Loss>>,
}

impl Ear {
    fn heard(&self) -> Vec<String> {
        self.heard.lock().clone()
    }

    fn unread(&self) -> usize {
        self.lost.lock().iter().filter(|loss| **loss == Loss::Unread).count()
    }
}

impl Inbox for Ear {
    fn received(&self, envelope: Envelope) {
        self.heard.lock().push(match &envelope.message {
            Message::Broadcast { event, .. } | Message::Emit { event } => event.json().to_string(),
            other => format!("{other:?}"),
        });
    }

    fn health(&self, _: Health) {}

    fn lost(&self, loss: Loss) {
        self.lost.lock().push(loss);
    }
}

/// One server of a cluster, in one namespace.
struct Peer {
    ear: Arc<Ear>,
    pipe: Arc<dyn Pipe>,
    broker: Arc<dyn Broker>,
    link: Arc<Link>,
}

/// Which adapter.
#[derive(Debug, Clone, Copy)]
enum Adapter {
    PubSub,
    Sharded(SubscriptionMode),
}

const ADAPTERS: [Adapter; 2] = [Adapter::PubSub, Adapter::Sharded(SubscriptionMode::Dynamic)];

impl Adapter {
    fn of(self, builder: RedisBuilder) -> RedisBuilder {
        match self {
            Adapter::PubSub => builder,
            Adapter::Sharded(mode) => builder.sharded(mode),
        }
    }
}

impl Peer {
    async fn new(adapter: Adapter, url: String) -> Peer {
        Peer::of(adapter.of(Redis::builder(url))).await
    }

    async fn of(builder: RedisBuilder) -> Peer {
        let redis = builder.connect().await.expect("Redis is there");
        let link = redis.link.clone();
        let broker = redis.connect().0;
        let ear = Arc::new(Ear::default());
        let pipe = broker.open("/", ear.clone());
        Peer { ear, pipe, broker, link }
    }

    fn published(&self) -> u64 {
        self.link.counters().published.load(std::sync::atomic::Ordering::Relaxed)
    }

    fn uncertain(&self) -> u64 {
        self.link.counters().uncertain.load(std::sync::atomic::Ordering::Relaxed)
    }

    fn dropped(&self) -> u64 {
        self.link.counters().dropped.load(std::sync::atomic::Ordering::Relaxed)
    }

    fn losses(&self) -> u64 {
        self.link.counters().losses.load(std::sync::atomic::Ordering::Relaxed)
    }

    fn say(&self, number: usize) {
        self.pipe.publish(broadcast(&[], number)).expect("it is queued");
    }
}

/// Servers that know each other.
async fn together(peers: &[&Peer]) {
    for peer in peers {
        loop {
            peer.pipe.settled().await;
            if peer.pipe.census().await == Ok(peers.len()) {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
}

fn broadcast(rooms: &[&str], number: usize) -> Message {
    let target = Target { rooms: rooms.iter().map(|room| Room::from(*room)).collect(), ..Target::default() };
    Message::Broadcast { target, event: crate::Body::event("n", &(number,)).expect("a number") }
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| format!(r#"["n",{number}]"#)).collect()
}
