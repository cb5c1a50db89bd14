//! The client of the crate against its server, over every transport.

// These tests ask for one thing after the other; what an unwrap says is where it went wrong.
#![allow(clippy::unwrap_used)]

mod calls;
mod faults;
mod proxy;
mod requests;
mod tls;
mod world;
