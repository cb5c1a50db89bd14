//! The client of the crate against its server, over every transport.

mod calls;
mod world;
