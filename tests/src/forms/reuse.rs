//! One contract, many sessions: several impls at several paths, a generic session, a decorator, one that all clients share.

use super::Builder;
use socketio::{Ack, ConnectError, Socket, events, namespace};
use std::sync::atomic::{AtomicU32, Ordering};

#[namespace("/reuse", emits = GreeterEvents)]
trait Greeter: std::fmt::Debug {
    #[event]
    async fn greet(&self, name: &str) -> String;
    #[event]
    async fn count(&self) -> u32 {
        0
    }
    #[event]
    async fn all(&self) -> Ack {
        Ack
    }
}

#[events]
trait GreeterEvents {
    #[event]
    async fn greeted(&self, name: &str);
}

/// At the contract's own path: one for all clients.
#[derive(Debug, Default)]
struct Shared(AtomicU32);

impl Greeter for Shared {
    async fn greet(&self, name: &str) -> String {
        self.0.fetch_add(1, Ordering::SeqCst);
        format!("hello {name}")
    }
    async fn count(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Another impl, at another path.
#[derive(Debug)]
struct French(Socket<dyn Greeter>);

impl Greeter for French {
    async fn greet(&self, name: &str) -> String {
        format!("bonjour {name}")
    }
    async fn all(&self) -> Ack {
        // The namespace is that of the path it is mounted at.
        self.0.namespace().emit().greeted(self.0.path());
        Ack
    }
}

/// What a generic session is generic over.
trait Words: std::fmt::Debug + Send + Sync + 'static {
    fn hello(&self) -> &str;
}

#[derive(Debug)]
struct German;

impl Words for German {
    fn hello(&self) -> &str {
        "guten Tag"
    }
}

#[derive(Debug)]
struct Generic<W>(W);

impl<W: Words> Greeter for Generic<W> {
    async fn greet(&self, name: &str) -> String {
        format!("{} {name}", self.0.hello())
    }
}

/// Around any session of the contract.
#[derive(Debug)]
struct Counted<G> {
    inner: G,
    count: AtomicU32,
}

impl<G: Greeter> Greeter for Counted<G> {
    async fn greet(&self, name: &str) -> String {
        self.count.fetch_add(1, Ordering::SeqCst);
        let greeting = self.inner.greet(name).await;
        format!("{greeting}!")
    }
    async fn count(&self) -> u32 {
        self.count.load(Ordering::SeqCst)
    }
}

pub(super) fn mount(builder: Builder) -> Builder {
    builder
        .shared::<dyn Greeter>(Shared::default())
        .namespace_at::<dyn Greeter, _>("/reuse/fr", async |socket: Socket<dyn Greeter>| Ok::<_, ConnectError>(French(socket)))
        .namespace_at::<dyn Greeter, _>("/reuse/fr-too", async |socket: Socket<dyn Greeter>| Ok::<_, ConnectError>(French(socket)))
        .namespace_at::<dyn Greeter, _>("/reuse/de", async || Ok::<_, ConnectError>(Generic(German)))
        .namespace_at::<dyn Greeter, _>("/reuse/counted", async || {
            Ok::<_, ConnectError>(Counted { inner: Generic(German), count: AtomicU32::new(0) })
        })
}
