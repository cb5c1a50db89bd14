//! A test kit for servers: typed clients in the same process, without a network, a thread or a port.
//!
//! A [`Client`] speaks Engine.IO long polling by handing requests to [`SocketIo::service`](crate::SocketIo::service), so
//! everything between a socket and a handler is exercised for real: limits, extractors, middleware, acknowledgements. It lives
//! in tasks of the test's own runtime, so it works with `tokio::time::pause()`, and ends with the [`Client`].
//!
//! ```
//! use serde_json::json;
//! use socketio::{Socket, SocketIo, events, namespace, test::Client};
//!
//! #[namespace("/chat", emits = ChatEvents)]
//! trait Chat {
//!     #[event]
//!     async fn say(&self, text: &str) -> usize;
//! }
//! #[events]
//! trait ChatEvents {
//!     #[event]
//!     async fn message(&self, text: &str);
//! }
//! struct Session(Socket<dyn Chat>);
//! impl Chat for Session {
//!     async fn say(&self, text: &str) -> usize {
//!         self.0.broadcast().emit().message(text);
//!         text.len()
//!     }
//! }
//! async fn connect(socket: Socket<dyn Chat>) -> Result<Session, socketio::ConnectError> {
//!     Ok(Session(socket))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let io = SocketIo::builder().namespace::<dyn Chat, _>(connect).build();
//! let ann = Client::<dyn Chat>::connect(&io).await.unwrap();
//! let bob = Client::<dyn Chat>::connect(&io).await.unwrap();
//! assert_eq!(ann.emit().say("hi").await, Ok(2));
//! bob.expect("message", json!(["hi"])).await;
//! # }
//! ```
//!
//! ```text
//!  Client --emit()--> ToServer --packets--> Link <--- task: one GET hanging, POSTs in order, pongs ---> SocketIo::service
//!    ^                                       |
//!    +------- events, acknowledgements ------+
//! ```
//!
//! Not here: WebSocket and upgrades, which a handler cannot tell from polling, and reconnecting by itself.

mod call;
mod client;
mod connect;
mod event;
mod link;
mod task;
#[cfg(test)]
mod tests;
mod wire;

pub use crate::contract::Answer;
pub use call::ToServer;
pub use client::Client;
pub use connect::Connect;
pub use event::{End, Event};
