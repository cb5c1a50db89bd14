//! The client of the crate against its server, over every transport.

mod calls;
mod faults;
mod proxy;
mod tls;
mod world;
