//! What all admins of a server share: what they are told, and the task that sends statistics while one of them is there.

use super::{
    Address,
    login::Gate,
    wire::{self, Aggregated, NamespaceStats, Stats},
};
use crate::{
    contract::{Incoming, Untyped},
    engine::Handshake,
    id::SocketId,
    metrics::{Measured, Metrics},
    parser::Body,
    reason::DisconnectReason,
    room::Room,
    server::{NamespaceHandle, Socket, SocketIo, Watch, WeakIo},
    text::Text,
};
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashSet},
    net::SocketAddr,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::task::JoinHandle;

/// How often statistics are sent. The reference's constant; the page takes a server for dead after 10 s.
const STATS_INTERVAL: Duration = Duration::from_secs(2);

type Counted = BTreeMap<(u64, &'static str, Option<&'static str>), u64>;

pub(super) struct Desk {
    path: String,
    read_only: bool,
    production: bool,
    server_id: String,
    hostname: String,
    start: Instant,
    address: Option<Box<Address>>,
    gate: Arc<Gate>,
    /// In front of the numbers of connections, so that they differ between servers.
    prefix: u32,
    io: OnceLock<WeakIo>,
    admins: AtomicUsize,
    polling: AtomicUsize,
    /// What happened since the last statistics: by second, kind and detail. A leaf lock.
    events: Mutex<Counted>,
    /// Sends statistics. Locked to start it and while it decides to end.
    ticker: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Desk {
    fn drop(&mut self) {
        if let Some(ticker) = self.ticker.get_mut() {
            ticker.abort();
        }
    }
}

impl Desk {
    pub(super) fn new(
        path: String,
        read_only: bool,
        production: bool,
        server_id: Option<String>,
        address: Option<Box<Address>>,
        gate: Arc<Gate>,
    ) -> Arc<Self> {
        let hostname = hostname();
        Arc::new(Desk {
            path,
            read_only,
            production,
            server_id: server_id.unwrap_or_else(|| format!("{hostname}#{}", std::process::id())),
            hostname,
            start: Instant::now(),
            address,
            gate,
            prefix: rand::random(),
            io: OnceLock::new(),
            admins: AtomicUsize::new(0),
            polling: AtomicUsize::new(0),
            events: Mutex::default(),
            ticker: Mutex::default(),
        })
    }

    pub(super) fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// An admin has come.
    pub(super) fn enter(self: &Arc<Self>) {
        let mut ticker = self.ticker.lock();
        self.admins.fetch_add(1, Ordering::AcqRel);
        if ticker.as_ref().is_none_or(JoinHandle::is_finished) {
            *ticker = Some(tokio::spawn(tick(Arc::downgrade(self))));
        }
    }

    /// An admin has gone.
    pub(super) fn leave(&self) {
        self.admins.fetch_sub(1, Ordering::AcqRel);
    }

    fn is_watched(&self) -> bool {
        self.admins.load(Ordering::Acquire) > 0
    }

    fn io(&self) -> Option<SocketIo> {
        self.io.get().and_then(WeakIo::upgrade)
    }

    /// A namespace of the server, whatever its contract.
    pub(super) fn namespace(&self, path: &str) -> Option<NamespaceHandle<Untyped>> {
        self.io()?.at_untyped(path)
    }

    /// Tells every admin.
    fn tell(&self, event: &str, args: impl Serialize) {
        if let Some(admins) = self.namespace(&self.path)
            && let Err(error) = admins.emit_raw(event, args)
        {
            tracing::error!(%error, event, "admins were not told");
        }
    }

    /// Tells every admin of a single socket or event, if there is one who wants to know.
    fn tell_all(&self, event: &str, args: impl FnOnce() -> Value) {
        if self.is_watched() && !self.production {
            self.tell(event, args());
        }
    }

    fn show(&self, socket: &Socket<Untyped>) -> Value {
        let client = format!("{:08x}{:04x}", self.prefix, socket.connection());
        wire::socket(socket, client, self.address_of(socket.handshake()))
    }

    fn address_of(&self, request: &Handshake) -> String {
        if let Some(address) = &self.address {
            return address(request).unwrap_or_default();
        }
        let header = |name| request.header(name).map(|value| String::from_utf8_lossy(value).into_owned());
        let forwarded = header("cf-connecting-ip").or_else(|| header("x-forwarded-for"));
        let peer = || request.extensions().get::<SocketAddr>().map(ToString::to_string);
        forwarded.or_else(peer).unwrap_or_default()
    }

    /// Every socket of the server.
    fn sockets(&self) -> Vec<Socket<Untyped>> {
        let Some(io) = self.io() else { return Vec::new() };
        io.namespaces().iter().filter_map(|path| io.at_untyped(path)).flat_map(|namespace| namespace.sockets()).collect()
    }

    /// Tells a new admin what there is. It is in the namespace already, so nothing that changes from now on escapes it.
    fn welcome(&self, admin: &Socket<Untyped>) {
        let mut features = match self.read_only {
            true => vec![],
            false => vec!["EMIT", "JOIN", "LEAVE", "DISCONNECT", "MJOIN", "MLEAVE", "MDISCONNECT"],
        };
        features.push("AGGREGATED_EVENTS");
        if !self.production {
            features.push("ALL_EVENTS");
        }
        // One that has gone meanwhile need not be told.
        let _ = admin.emit_raw("config", (json!({ "supportedFeatures": features }),));
        if !self.production {
            let sockets = self.sockets();
            let shown: Vec<Value> = sockets.iter().map(|socket| self.show(socket)).collect();
            let _ = admin.emit_raw("all_sockets", (shown,));
            // The page has forgotten what it was told before the list, of sockets that came while it was made.
            let listed: HashSet<SocketId> = sockets.iter().map(Socket::id).collect();
            for late in self.sockets().iter().filter(|socket| !listed.contains(&socket.id())) {
                let _ = admin.emit_raw("socket_connected", (self.show(late), wire::now()));
            }
        }
        // The page shows a server once it has heard of it.
        let _ = admin.emit_raw("server_stats", (self.stats(Vec::new()),));
    }

    fn stats(&self, aggregated_events: Vec<Aggregated>) -> Value {
        let io = self.io();
        let namespaces = io.iter().flat_map(|io| {
            let named = |path: String| io.at_untyped(&path).map(|namespace| (path, namespace.len()));
            io.namespaces().into_iter().filter_map(named).collect::<Vec<_>>()
        });
        let stats = Stats {
            server_id: &self.server_id,
            hostname: &self.hostname,
            pid: std::process::id(),
            uptime: self.start.elapsed().as_secs_f64(),
            clients_count: io.as_ref().map_or(0, SocketIo::connections),
            polling_clients_count: self.polling.load(Ordering::Acquire),
            aggregated_events,
            namespaces: namespaces.map(|(name, sockets_count)| NamespaceStats { name, sockets_count }).collect(),
        };
        serde_json::to_value(stats).unwrap_or_default()
    }

    fn count(&self, kind: &'static str, detail: Option<&'static str>, times: usize) {
        if self.is_watched() {
            let second = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            *self.events.lock().entry((second, kind, detail)).or_default() += times as u64;
        }
    }
}

/// The name of this machine.
fn hostname() -> String {
    let name = std::env::var("HOSTNAME").ok().or_else(|| std::fs::read_to_string("/etc/hostname").ok());
    name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).unwrap_or_else(|| "localhost".to_owned())
}

/// Sends statistics until the last admin has gone.
async fn tick(desk: Weak<Desk>) {
    loop {
        tokio::time::sleep(STATS_INTERVAL).await;
        let Some(desk) = desk.upgrade() else { return };
        let events = std::mem::take(&mut *desk.events.lock());
        let aggregated = events.into_iter().map(|((second, kind, sub_type), count)| Aggregated {
            timestamp: second * 1000,
            kind,
            sub_type,
            count,
        });
        let aggregated = aggregated.collect();
        desk.tell("server_stats", (desk.stats(aggregated),));
        let mut ticker = desk.ticker.lock();
        if !desk.is_watched() {
            *ticker = None;
            desk.events.lock().clear();
            return;
        }
    }
}

impl Watch for Desk {
    fn built(&self, io: WeakIo) -> Result<(), String> {
        // Set once: a builder builds one server.
        let _ = self.io.set(io);
        self.gate.check()
    }

    fn path(&self) -> &str {
        &self.path
    }

    fn connected(&self, socket: Socket<Untyped>) {
        // As in the reference: the rooms first, which the page lists as they happened, then the socket with all of them.
        for room in socket.rooms() {
            self.moved(socket.path(), socket.id(), &room, true);
        }
        self.tell_all("socket_connected", || json!([self.show(&socket), wire::now()]));
        if socket.path() == self.path {
            self.welcome(&socket);
        }
    }

    fn upgraded(&self, socket: Socket<Untyped>) {
        let transport = socket.transport().as_str();
        self.tell_all("socket_updated", || json!([{ "id": socket.id(), "nsp": socket.path(), "transport": transport }]));
    }

    fn updated(&self, namespace: &str, id: SocketId, data: &Text) {
        let data = || serde_json::from_str::<Value>(data).unwrap_or_default();
        self.tell_all("socket_updated", || json!([{ "id": id, "nsp": namespace, "data": data() }]));
    }

    fn ended(&self, namespace: &str, id: SocketId, rooms: &[Room], reason: DisconnectReason) {
        self.tell_all("socket_disconnected", || json!([namespace, id, reason.as_str(), wire::now()]));
        for room in rooms {
            self.moved(namespace, id, room, false);
        }
    }

    fn moved(&self, namespace: &str, id: SocketId, room: &Room, joined: bool) {
        let event = if joined { "room_joined" } else { "room_left" };
        self.tell_all(event, || json!([namespace, room.as_str(), id, wire::now()]));
    }

    fn received(&self, namespace: &str, id: SocketId, event: &Incoming) {
        if namespace != self.path {
            let shown = || wire::event(&event.raw_args().to_event(event.name()));
            self.tell_all("event_received", || json!([namespace, id, shown(), wire::now()]));
        }
    }

    fn sent(&self, namespace: &str, to: &[SocketId], event: &Body) {
        if namespace != self.path {
            to.iter().for_each(|id| self.tell_all("event_sent", || json!([namespace, id, wire::event(event), wire::now()])));
        }
    }

    fn wants_events(&self) -> bool {
        self.is_watched() && !self.production
    }
}

/// The statistics' source.
pub(super) struct Counts(pub(super) Arc<Desk>);

impl Metrics for Counts {
    fn record(&self, measured: Measured<'_>) {
        let Counts(desk) = self;
        match measured {
            Measured::ConnectionOpened { transport } => {
                if transport == "polling" {
                    desk.polling.fetch_add(1, Ordering::AcqRel);
                }
                desk.count("rawConnection", None, 1);
            }
            Measured::ConnectionUpgraded => {
                desk.polling.fetch_sub(1, Ordering::AcqRel);
            }
            Measured::ConnectionClosed { transport, reason } => {
                if transport == "polling" {
                    desk.polling.fetch_sub(1, Ordering::AcqRel);
                }
                desk.count("rawDisconnection", Some(reason.as_str()), 1);
            }
            Measured::Received { bytes, .. } => {
                desk.count("packetsIn", None, 1);
                desk.count("bytesIn", None, bytes);
            }
            Measured::Sent { packets, bytes, .. } => {
                desk.count("packetsOut", None, packets);
                desk.count("bytesOut", None, bytes);
            }
            _ => {}
        }
    }
}
