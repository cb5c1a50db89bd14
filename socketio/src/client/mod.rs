//! The client: typed by the same contracts as the server, over long polling and WebSocket, with TLS.
//!
//! A [`Client`] calls what a `#[namespace]` trait declares, and hands what the server emits to anything that implements the
//! `#[events]` trait. It connects again when the connection is lost, keeps what is emitted meanwhile, and asks the server
//! to recover what it missed. Nothing of it needs feature `server`.
//!
//! ```text
//!  Client --emit()--> Shared: Manager (what to do when) <--- task ---> Link: session and transports ---> server
//!    ^                                                        |
//!    +------- acknowledgements, changes of status ------------+----> handlers
//! ```
//!
//! Not here: clients in the process of the server, for tests; see `test`.

mod builder;
mod call;
mod handle;
mod link;
mod manager;
mod shared;
mod task;
mod transport;
mod untyped;

pub use builder::{Connect, Join};
pub use call::{ToServer, TryToServer};
pub use handle::{Changes, Client, Sending};
pub use manager::{ConnectError, End, Reconnect, Status};
