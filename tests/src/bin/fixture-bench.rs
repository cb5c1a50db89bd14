//! `fixture-bench PORT`: the server that the benchmark harness measures.
//!
//! Port 0 takes a free one; the first line of output tells it. Namespaces `/` and `/ns0` to `/ns9`, all with `echo`, `echob`, `join` and `broadcast`. `BENCH_PING_MS` is the ping interval.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use socketio::{Ack, Binary, ConnectError, Socket, SocketIo, events, namespace};
use socketio_tests::listen;
use std::time::Duration;

#[derive(Serialize, Deserialize)]
struct Broadcast {
    data: Value,
    room: String,
}

#[namespace("/", emits = BenchEvents, schema = false)]
trait Bench {
    #[event]
    async fn echo(&self, value: Value) -> Value;
    #[event]
    async fn echob(&self, bytes: Binary) -> Binary;
    #[event]
    async fn join(&self, room: &str) -> Ack;
    #[event]
    async fn broadcast(&self, message: Broadcast);
}

#[events(schema = false)]
trait BenchEvents {
    #[event]
    async fn msg(&self, data: &Value);
}

struct Session(Socket<dyn Bench>);

async fn connect(socket: Socket<dyn Bench>) -> Result<Session, ConnectError> {
    Ok(Session(socket))
}

impl Bench for Session {
    async fn echo(&self, value: Value) -> Value {
        value
    }
    async fn echob(&self, bytes: Binary) -> Binary {
        bytes
    }
    async fn join(&self, room: &str) -> Ack {
        self.0.join(room);
        Ack
    }
    async fn broadcast(&self, message: Broadcast) {
        self.0.namespace().to(message.room).emit().msg(&message.data);
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).ok_or("usage: fixture-bench PORT")?;
    let ping = std::env::var("BENCH_PING_MS").ok().and_then(|millis| millis.parse().ok()).unwrap_or(25_000);
    let mut builder =
        SocketIo::builder().ping_interval(Duration::from_millis(ping)).max_payload(10_000_000).namespace::<dyn Bench, _>(connect);
    for i in 0..10 {
        builder = builder.namespace_at::<dyn Bench, _>(format!("/ns{i}"), connect);
    }
    let app = axum::Router::new().layer(builder.build().layer());
    let listener = listen::bind(port)?;
    #[allow(clippy::print_stdout)]
    {
        println!("listening on {}", listener.local_addr()?);
    }
    listen::serve(listener, app).await?;
    Ok(())
}
