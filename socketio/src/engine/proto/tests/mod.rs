//! The protocol without a network and without a clock: see each file.

mod audit;
mod client_audit;
mod handshake;
mod pair;
mod payload;
mod property;
mod server;
mod v3;
mod world;
