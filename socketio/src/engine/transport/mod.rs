//! The only places that touch the network: long polling and WebSocket.

pub(crate) mod deflate;
#[cfg(feature = "server")]
pub(crate) mod polling;
pub(crate) mod websocket;
