//! Connection state recovery: clients that lose their connection come back as the same socket, and miss nothing.
//!
//! ```text
//!  emit, broadcast --Posted--> Store --offset--> log (bounded) and, at once, the connected members
//!
//!  connection drops: Joined --park--> Store --max_disconnection--> the session ends
//!                                       |
//!  CONNECT {pid, offset} ----take-------+--> the new connection's task: missed events, CONNECT, live events
//! ```
//! `settings`: what users set and read. `store`: what a place to keep events and sessions must do. `memory`: the one in this
//! process, with its `log` and its `keeper`. `cluster`: the one that spans servers; `line` is what waits for it, `search` how it finds
//! sessions, `kept` what others have of them, `position` how its offsets are ordered. `tracked`: what a socket remembers so that it can come back. `claim`: how a client asks.
//! Not here: the life of a socket (`core`) and of its connection's task (`connection`).

mod claim;
mod cluster;
mod keeper;
mod kept;
mod line;
mod log;
mod memory;
mod position;
mod search;
mod settings;
mod store;
mod tracked;

pub(super) use claim::{Claim, Pid, claim};
pub(super) use cluster::Clustered;
pub(super) use memory::Memory;
pub(super) use position::Position;
pub use settings::{Recovery, RecoveryMetrics};
pub(super) use store::{Audience, Lane, Posted, Restored, Store};
pub(super) use tracked::Tracked;

#[cfg(test)]
mod tests;
