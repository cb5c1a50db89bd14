//! The server as clients meet it: real TCP connections on the loopback interface, over every transport.
//!
//! `client` speaks the protocols as text, so that a test sees and sends exactly what is on the wire. Each module proves one
//! subject; `over_all_transports!` runs a test over polling, WebSocket and an upgraded connection.
//! Not here: the stock JavaScript clients and the reference's own suites; see the fixtures.

/// Runs each test over polling, WebSocket and an upgraded connection.
macro_rules! over_all_transports {
    ($($(#[$meta:meta])* async fn $name:ident($transport:ident) $body:block)*) => { $(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn run($transport: crate::client::Transport) $body

            #[tokio::test]
            async fn polling() {
                run(crate::client::Transport::Polling).await;
            }

            #[tokio::test]
            async fn websocket() {
                run(crate::client::Transport::WebSocket).await;
            }

            #[tokio::test]
            async fn upgraded() {
                run(crate::client::Transport::Upgraded).await;
            }
        }
    )* };
}

mod acks;
mod admin;
mod admission;
mod binary;
mod cleanup;
mod client;
mod cluster;
mod cluster_recovery;
mod data;
mod deflate;
mod dynamic;
mod expiry;
mod extractors;
mod frames;
mod hooks;
mod http;
mod http1;
mod http2;
mod layers;
mod legacy;
mod lifecycle;
mod limits;
mod macros;
mod namespaces;
mod observability;
mod order;
mod parsers;
mod recovery;
mod recovery_schedules;
mod rejections;
mod returning;
mod rooms;
mod rust_client;
mod script;
mod secrets;
mod server;
mod shutdown;
mod slow;
