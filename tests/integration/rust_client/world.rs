//! A contract with everything that travels, a server for it, and clients.

use crate::{client::Transport, server::Server};
use socketio::{
    Ack, Auth, Binary, Builder, Client, ConnectError, DisconnectReason, Socket, SocketIo,
    client::{Connect, Reconnect},
    events, namespace,
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;

#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub(crate) struct Login {
    pub(crate) name: String,
}

#[namespace("/desk", emits = DeskEvents, auth = Login)]
pub(crate) trait Desk {
    #[event]
    async fn whoami(&self) -> String;
    #[event]
    async fn half(&self, number: u32) -> Result<u32, String>;
    #[event]
    async fn echo(&self, bytes: Binary) -> Binary;
    /// Counts, so that a test sees what arrived, and how often.
    #[event]
    async fn note(&self, number: u32);
    #[event]
    async fn notes(&self) -> Vec<u32>;
    #[event]
    async fn never(&self) -> u32;
    /// Notes, and answers with the number of notes.
    #[event]
    async fn count(&self, number: u32) -> usize;
    #[event]
    async fn ask_me(&self, number: u32) -> u32;
    #[event]
    async fn tell(&self, count: u32);
    #[event]
    async fn leave_me(&self, close: bool);
    #[disconnect]
    async fn gone(&self, reason: DisconnectReason);
}

#[events]
pub(crate) trait DeskEvents {
    #[event]
    async fn told(&self, number: u32);
    #[event]
    async fn double(&self, number: u32) -> u32;
    #[event]
    async fn ready(&self) -> Ack;
}

#[namespace("/room/{id}")]
pub(crate) trait Room {
    #[event]
    async fn path(&self) -> String;
}

/// What the server has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) notes: Mutex<Vec<u32>>,
    pub(crate) gone: Mutex<Vec<DisconnectReason>>,
}

pub(crate) struct Session {
    socket: Socket<dyn Desk>,
    name: String,
    seen: Arc<Seen>,
    left: Notify,
}

impl Desk for Session {
    async fn whoami(&self) -> String {
        self.name.clone()
    }
    async fn half(&self, number: u32) -> Result<u32, String> {
        if number.is_multiple_of(2) { Ok(number / 2) } else { Err(format!("{number} is odd")) }
    }
    async fn echo(&self, bytes: Binary) -> Binary {
        bytes
    }
    async fn note(&self, number: u32) {
        self.seen.notes.lock().unwrap().push(number);
    }
    async fn notes(&self) -> Vec<u32> {
        self.seen.notes.lock().unwrap().clone()
    }
    async fn never(&self) -> u32 {
        // Not for ever: a server keeps a connection whose handlers run.
        self.left.notified().await;
        0
    }
    async fn count(&self, number: u32) -> usize {
        let mut notes = self.seen.notes.lock().unwrap();
        notes.push(number);
        notes.len()
    }
    async fn ask_me(&self, number: u32) -> u32 {
        self.socket.emit().double(number).await.unwrap_or_default()
    }
    async fn tell(&self, count: u32) {
        for number in 0..count {
            self.socket.emit().told(number);
        }
    }
    async fn leave_me(&self, close: bool) {
        self.socket.disconnect(close);
    }
    async fn gone(&self, reason: DisconnectReason) {
        self.seen.gone.lock().unwrap().push(reason);
        self.left.notify_waiters();
    }
}

pub(crate) struct RoomSession(Socket<dyn Room>);

impl Room for RoomSession {
    async fn path(&self) -> String {
        self.0.namespace().path().to_owned()
    }
}

/// A server of [`Desk`], [`Room`] and nothing else. An empty name is refused.
pub(crate) fn io(seen: &Arc<Seen>) -> SocketIo {
    builder(seen).build()
}

pub(crate) fn builder(seen: &Arc<Seen>) -> Builder<()> {
    let seen = Arc::clone(seen);
    SocketIo::builder()
        .namespace::<dyn Desk, _>(move |socket: Socket<dyn Desk>, Auth(Login { name }): Auth<Login>| {
            let seen = Arc::clone(&seen);
            async move {
                if name.is_empty() {
                    return Err(ConnectError::new("who are you?").with_data(7));
                }
                Ok(Session { socket, name, seen, left: Notify::new() })
            }
        })
        .namespace::<dyn Room, _>(async |socket: Socket<dyn Room>| Ok::<_, ConnectError>(RoomSession(socket)))
}

pub(crate) struct World {
    pub(crate) io: SocketIo,
    pub(crate) server: Server,
    pub(crate) seen: Arc<Seen>,
}

impl World {
    pub(crate) fn start() -> Self {
        let seen = Arc::default();
        let io = io(&seen);
        World { server: Server::start(&io), io, seen }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.server.addr)
    }

    pub(crate) fn connect(&self, transport: Transport) -> Connect<dyn Desk> {
        connect(&self.url(), transport)
    }
}

pub(crate) fn login(name: &str) -> Login {
    Login { name: name.to_owned() }
}

/// A client that comes back quickly.
pub(crate) fn connect(url: &str, transport: Transport) -> Connect<dyn Desk> {
    let quick = Reconnect::new().delay(Duration::from_millis(20)).max_delay(Duration::from_millis(100));
    Client::<dyn Desk>::connect(url).auth(login("ann")).reconnect(quick).transports(transports(transport))
}

pub(crate) fn transports(transport: Transport) -> Vec<socketio::Transport> {
    use socketio::Transport as T;
    match transport {
        Transport::Polling => vec![T::Polling],
        Transport::WebSocket => vec![T::WebSocket],
        Transport::Upgraded => vec![T::Polling, T::WebSocket],
    }
}

/// Keeps what it is told.
#[derive(Debug, Default)]
pub(crate) struct Bot {
    pub(crate) told: Mutex<Vec<u32>>,
    pub(crate) dropped: Option<Arc<AtomicUsize>>,
}

impl DeskEvents for Arc<Bot> {
    async fn told(&self, number: u32) {
        self.told.lock().unwrap().push(number);
    }
    async fn double(&self, number: u32) -> u32 {
        tokio::task::yield_now().await;
        2 * number
    }
    async fn ready(&self) -> Ack {
        Ack
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        if let Some(dropped) = &self.dropped {
            dropped.fetch_add(1, Ordering::SeqCst);
        }
    }
}
