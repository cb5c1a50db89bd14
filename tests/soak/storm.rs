//! The storm: many clients lose their connections at the same moment and come back at once; the server is a process of its own.

use crate::{
    leaks::{descriptor_limit, memory_kib},
    number,
    process::Process,
    say,
};
use futures_util::{SinkExt as _, StreamExt as _};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{net::TcpStream, task::JoinSet};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

/// What a connection may cost the server at the peak of a storm: its buffers, its task and its handshake.
const KIB_EACH: u64 = 32;
/// What the process needs by itself, built for debugging.
const KIB_BASE: u64 = 24 << 10;
/// Nobody waits longer than that; a client that would is an error.
const PATIENCE: Duration = Duration::from_secs(60);

type Connection = WebSocketStream<TcpStream>;

/// Connects and joins `/`; whatever is not as it should be is an error.
async fn join(addr: SocketAddr) -> Result<Connection, String> {
    let text = |message: Option<Result<Message, _>>| match message {
        Some(Ok(Message::Text(text))) => Ok(text.to_string()),
        other => Err(format!("{other:?}")),
    };
    let attempt = async {
        let stream = TcpStream::connect(addr).await.map_err(|error| error.to_string())?;
        let url = "ws://localhost/socket.io/?EIO=4&transport=websocket";
        let (mut websocket, _) = client_async(url, stream).await.map_err(|error| error.to_string())?;
        let open = text(websocket.next().await)?;
        websocket.send(Message::text("40")).await.map_err(|error| error.to_string())?;
        let joined = text(websocket.next().await)?;
        if open.starts_with('0') && joined.starts_with("40{") { Ok(websocket) } else { Err(format!("{open} {joined}")) }
    };
    tokio::time::timeout(PATIENCE, attempt).await.map_err(|_| "too late".to_owned())?
}

/// Everybody at once.
async fn storm(addr: SocketAddr, clients: u64) -> (Vec<Connection>, Vec<String>, Duration) {
    let start = Instant::now();
    let mut attempts: JoinSet<_> = (0..clients).map(|_| join(addr)).collect();
    let (mut connections, mut errors) = (Vec::new(), Vec::new());
    while let Some(attempt) = attempts.join_next().await {
        match attempt.expect("no panic") {
            Ok(connection) => connections.push(connection),
            Err(error) => errors.push(error),
        }
    }
    (connections, errors, start.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_comes_back_at_once() {
    let clients = number("STORM_CLIENTS", 400);
    assert!(descriptor_limit() > clients + 200, "{clients} clients need as many descriptors: raise `ulimit -n`");
    let process = Process::start();
    let addr = process.addr;
    let mut all = Vec::new();
    for storms in 1..=3 {
        // All connections are cut, and nobody waits until the server has noticed.
        for connection in &all {
            let connection: &Connection = connection;
            connection.get_ref().set_zero_linger().expect("open");
        }
        all.clear();
        let (connections, errors, time) = storm(addr, clients).await;
        let peak = memory_kib(process.id(), "VmHWM");
        say(format_args!("storm {storms}: {clients} clients, {} errors, {} ms, peak {peak:?} KiB", errors.len(), time.as_millis()));
        assert!(errors.is_empty(), "{} errors, such as {:?}", errors.len(), errors.first());
        if let Some(peak) = peak {
            assert!(peak <= KIB_BASE + clients * KIB_EACH, "{peak} KiB for {clients} clients");
        }
        all = connections;
    }
    // They are all served.
    for connection in all.iter_mut().step_by(50) {
        connection.send(Message::text("2")).await.expect("open");
    }
}
