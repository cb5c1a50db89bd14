//! The smallest server: one event with an answer, one handler for everybody. Start it with `cargo run -p hello-example`.
//!
//! A client, with the npm package `socket.io-client`:
//!
//! ```js
//! import { io } from "socket.io-client";
//!
//! const socket = io("http://127.0.0.1:3000/hello");
//! console.log(await socket.emitWithAck("greet", "Ann")); // Hello, Ann!
//! socket.disconnect();
//! ```

use socketio::{SocketIo, namespace};

#[namespace("/hello")]
trait Hello {
    /// Answers with a greeting.
    #[event]
    async fn greet(&self, name: &str) -> String;
}

struct Greeter;

impl Hello for Greeter {
    async fn greet(&self, name: &str) -> String {
        format!("Hello, {name}!")
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let io = SocketIo::builder().shared::<dyn Hello>(Greeter).build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, axum::Router::new().layer(io.layer())).await
}
