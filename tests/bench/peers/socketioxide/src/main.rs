//! `peer-socketioxide PORT [typed|value]`: the events of the benchmark on socketioxide, with the types that its documentation names.
//! Nagle's algorithm is off, as with the other servers.

use axum::{body::Bytes, serve::ListenerExt as _};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use socketioxide::{
    SocketIo,
    extract::{AckSender, Data, SocketRef},
};
use std::{error::Error, time::Duration};
use tokio::net::TcpSocket;

#[allow(dead_code, reason = "only the type is needed")]
#[path = "../../../../src/load/types.rs"]
mod types;

#[derive(Deserialize)]
struct Broadcast<T> {
    data: T,
    room: String,
}

async fn connect<T: Serialize + DeserializeOwned + Send + Sync + 'static>(socket: SocketRef) {
    // A client that has gone meanwhile gets no answer.
    socket.on("echo", async |Data::<T>(data), ack: AckSender| {
        let _ = ack.send(&data);
    });
    socket.on("echob", async |Data::<Bytes>(data), ack: AckSender| {
        let _ = ack.send(&data);
    });
    socket.on("join", async |socket: SocketRef, Data::<String>(room), ack: AckSender| {
        socket.join(room);
        let _ = ack.send(&());
    });
    socket.on("broadcast", async |socket: SocketRef, Data::<Broadcast<T>>(message)| {
        let _ = socket.within(message.room).emit("msg", &message.data).await;
    });
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 =
        std::env::args().nth(1).and_then(|port| port.parse().ok()).ok_or("usage: peer-socketioxide PORT [typed|value]")?;
    let ping = std::env::var("BENCH_PING_MS").ok().and_then(|millis| millis.parse().ok()).unwrap_or(25_000);
    let (layer, io) = SocketIo::builder().ping_interval(Duration::from_millis(ping)).max_payload(10_000_000).build_layer();
    let paths = std::iter::once("/".to_owned()).chain((0..10).map(|i| format!("/ns{i}")));
    for path in paths {
        match std::env::args().nth(2).as_deref() {
            Some("value") => io.ns(path, connect::<Value>),
            _ => io.ns(path, connect::<types::Typed>),
        };
    }
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(([127, 0, 0, 1], port).into())?;
    let listener = socket.listen(4096)?;
    println!("listening on {}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, axum::Router::new().layer(layer)).await?;
    Ok(())
}
