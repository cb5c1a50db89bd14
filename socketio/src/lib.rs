//! Socket.IO for Rust.
pub mod contract;
pub mod describe;
pub mod id;
pub mod parser;
pub mod reason;
pub mod room;
pub mod text;
