//! Engine.IO: one session is an ordered stream of messages. Knows no namespaces.

#[allow(dead_code, reason = "called by the service")]
pub mod compression;
#[allow(dead_code, reason = "called by the service")]
pub mod cookie;
#[allow(dead_code, reason = "called by the service")]
pub mod cors;
