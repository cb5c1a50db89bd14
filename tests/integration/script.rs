//! A namespace whose handler is one closure, for tests that care about the runtime and not about contracts.

use serde::Serialize;
use serde_json::Value;
use socketio::{Body, ConnectError, DisconnectReason, Incoming, Outcome, Service, Socket, SocketId, Untyped};
use std::{future::Ready, pin::Pin, sync::Arc};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

type Handler = dyn Fn(Socket<Untyped>, Incoming) -> Pin<Box<dyn Future<Output = Outcome> + Send>> + Send + Sync;

/// What the disconnect hook of a socket saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) id: SocketId,
    pub(crate) path: String,
    pub(crate) reason: DisconnectReason,
    /// Without the socket's own.
    pub(crate) rooms: Vec<String>,
}

/// The session.
pub(crate) struct Script {
    pub(crate) socket: Socket<Untyped>,
    handler: Arc<Handler>,
    ended: UnboundedSender<Ended>,
}

impl Service for Script {
    async fn event(self: Arc<Self>, event: Incoming) -> Outcome {
        (self.handler)(self.socket.clone(), event).await
    }

    async fn disconnected(self: Arc<Self>, reason: DisconnectReason) {
        let rooms = rooms(&self.socket);
        // Not every test listens.
        let _ = self.ended.send(Ended { id: self.socket.id(), path: self.socket.path().to_owned(), reason, rooms });
    }
}

/// The rooms of a socket, sorted, without its own.
pub(crate) fn rooms(socket: &Socket<Untyped>) -> Vec<String> {
    let mut rooms: Vec<String> = socket.rooms().iter().skip(1).map(ToString::to_string).collect();
    rooms.sort();
    rooms
}

/// A maker of sessions: how a connect handler with more to do gets one.
#[derive(Clone)]
pub(crate) struct Scripts {
    handler: Arc<Handler>,
    ended: UnboundedSender<Ended>,
}

impl Scripts {
    pub(crate) fn new<Fut: Future<Output = Outcome> + Send + 'static>(
        handler: impl Fn(Socket<Untyped>, Incoming) -> Fut + Send + Sync + 'static,
    ) -> (Self, UnboundedReceiver<Ended>) {
        let (ended, reports) = unbounded_channel();
        (Scripts { handler: Arc::new(move |socket, event| Box::pin(handler(socket, event))), ended }, reports)
    }

    pub(crate) fn session(&self, socket: Socket<Untyped>) -> Script {
        Script { socket, handler: Arc::clone(&self.handler), ended: self.ended.clone() }
    }

    /// A connect handler that takes every client in.
    pub(crate) fn connect(
        &self,
    ) -> impl Fn(Socket<Untyped>) -> Ready<Result<Script, ConnectError>> + Clone + Send + Sync + use<> + 'static {
        let scripts = self.clone();
        move |socket| std::future::ready(Ok(scripts.session(socket)))
    }
}

/// A connect handler around a closure, and what its disconnect hooks saw.
#[allow(clippy::type_complexity)]
pub(crate) fn script<Fut: Future<Output = Outcome> + Send + 'static>(
    handler: impl Fn(Socket<Untyped>, Incoming) -> Fut + Send + Sync + 'static,
) -> (impl Fn(Socket<Untyped>) -> Ready<Result<Script, ConnectError>> + Clone + Send + Sync + 'static, UnboundedReceiver<Ended>) {
    let (scripts, reports) = Scripts::new(handler);
    (scripts.connect(), reports)
}

/// An acknowledgement of one value.
pub(crate) fn ack<T: Serialize>(value: &T) -> Outcome {
    Outcome::Done(Some(Body::ack(&(value,)).expect("JSON")))
}

/// The first argument of an event.
pub(crate) fn first(event: &Incoming) -> Value {
    event.raw_args().get(0).unwrap_or_default()
}

/// `join`, `leave`, `echo` (as acknowledgement), `rooms`; anything else is acknowledged without a value.
pub(crate) async fn basic(socket: Socket<Untyped>, event: Incoming) -> Outcome {
    match event.name() {
        "join" => socket.join(first(&event).as_str().expect("a room")),
        "leave" => socket.leave(first(&event).as_str().expect("a room")),
        "echo" => return Outcome::Done(Some(event.raw_args().to_body())),
        "rooms" => return ack(&rooms(&socket)),
        _ => {}
    }
    Outcome::Done(None)
}
