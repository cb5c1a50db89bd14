//! What touches the network: connections, TLS, HTTP requests, and the WebSockets that begin as one.

mod address;
mod cookies;
mod dial;
mod request;
mod tls;

pub(super) use address::Address;
pub(super) use cookies::Jar;
pub(super) use dial::Wire;
pub(super) use request::{Answer, Dialer};
pub(super) use tls::connector;
