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

pub(crate) mod body;
mod compression;
mod config;
mod connection;
mod cookie;
mod cors;
mod handshake;
mod layer;
mod outbox;
pub(crate) mod proto;
mod refuse;
mod registry;
mod request;
mod service;
mod transport;

pub use body::ResponseBody;
pub(crate) use compression::{deflate, gzip, negotiate};
pub use config::{Config, ConfigError, Transport};
pub(crate) use connection::Event;
pub use connection::{Connection, Sender};
pub use cookie::{Cookie, CookieError, SameSite};
pub use cors::{Cors, CorsError};
pub use handshake::Handshake;
pub(crate) use layer::Intercept;
pub use layer::{Layer, NotFound, Service};
pub use outbox::SendError;
pub(crate) use outbox::{Bundle, Urgency};
pub(crate) use proto::Frame;
pub use proto::Message;
pub(crate) use registry::ConnectionHandle;
pub use service::Server;
