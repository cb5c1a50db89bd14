//! ENGINE.IO: one session is an ordered stream of messages, over long polling or WebSocket. Knows no namespaces.
//!
//! Usable alone, as engine.io is:
//!
//! ```no_run
//! use socketio::engine;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! // Echoes every message, text and binary.
//! let server = engine::Server::new(engine::Config::default(), |connection| Box::pin(async move {
//!     while let Some(message) = connection.next().await {
//!         if connection.send(message).is_err() {
//!             break;
//!         }
//!     }
//! }))?;
//! let app = axum::Router::new().layer(server.layer());
//! axum::serve(tokio::net::TcpListener::bind("127.0.0.1:3000").await?, app).await?;
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "server")]
mod admission;
#[cfg(feature = "server")]
pub(crate) mod body;
#[cfg(feature = "server")]
mod compression;
#[cfg(feature = "server")]
mod config;
#[cfg(feature = "server")]
mod connection;
#[cfg(feature = "server")]
mod cookie;
#[cfg(feature = "server")]
mod cors;
#[cfg(feature = "server")]
mod handshake;
#[cfg(feature = "server")]
mod jsonp;
#[cfg(feature = "server")]
mod layer;
#[cfg(feature = "server")]
mod outbox;
pub(crate) mod proto;
#[cfg(feature = "server")]
mod refuse;
#[cfg(feature = "server")]
mod registry;
#[cfg(feature = "server")]
mod request;
#[cfg(feature = "server")]
mod service;
pub(crate) mod transport;

#[cfg(feature = "server")]
pub use crate::websocket::deflate::PerMessageDeflate;
#[cfg(feature = "server")]
pub(crate) use admission::ClientAddress;
#[cfg(feature = "server")]
pub use admission::forwarded_for;
#[cfg(feature = "server")]
pub(crate) use admission::network;
#[cfg(feature = "server")]
pub use body::ResponseBody;
#[cfg(feature = "server")]
pub(crate) use compression::{deflate, gzip, negotiate};
#[cfg(feature = "server")]
pub use config::{Config, ConfigError, SlowConsumer};
#[cfg(feature = "server")]
pub(crate) use connection::Event;
#[cfg(feature = "server")]
pub use connection::{Connection, Sender};
#[cfg(feature = "server")]
pub use cookie::{Cookie, CookieError, SameSite};
#[cfg(feature = "server")]
pub use cors::{Cors, CorsError};
#[cfg(feature = "server")]
pub use handshake::Handshake;
#[cfg(feature = "server")]
pub(crate) use layer::Intercept;
#[cfg(feature = "server")]
pub use layer::{Layer, NotFound, Service};
#[cfg(feature = "server")]
pub use outbox::SendError;
#[cfg(feature = "server")]
pub(crate) use outbox::{Bundle, Urgency};
pub(crate) use proto::{FAR_FUTURE, Frame};
pub use proto::{Message, Transport};
#[cfg(feature = "server")]
pub(crate) use registry::{ConnectionHandle, Farewell, Registry};
#[cfg(feature = "server")]
pub use service::Server;
