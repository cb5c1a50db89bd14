//! The Socket.IO server.

#[allow(dead_code, reason = "called by the service")]
pub mod client_files;
