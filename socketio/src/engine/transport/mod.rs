//! The only places that touch the network: long polling and WebSocket.

#[cfg(feature = "server")]
pub(crate) mod polling;
pub(crate) mod websocket;
