//! The Engine.IO protocol, sans-IO: bytes and time go in by argument, orders and events come out by return.
//! Spec: Engine.IO protocol, revision 4; what differs in revision 3 is in `revision` and `v3`.
//!
//! Not here: sockets, HTTP and clocks; see `engine::connection` and `engine::transport`.

#[cfg(any(test, feature = "client"))]
pub(crate) mod client;
mod handshake;
mod heartbeat;
mod packet;
pub(crate) mod payload;
mod queue;
mod revision;
mod server;
mod shared;
#[cfg(test)]
mod tests;
mod transport;
pub(crate) mod v3;

pub(crate) use handshake::open_packet;
pub use packet::Message;
pub(crate) use packet::{Frame, FrameData, Packet};

pub(crate) use queue::Queue;
pub(crate) use revision::{Payload, Revision};
pub(crate) use server::{Input, Output, Path, ServerSession, Timing, UNSENT_PONGS};
pub use transport::Transport;

use std::time::Duration;

/// What a time that does not fit into the clock becomes: thirty years, as good as never.
pub(crate) const FAR_FUTURE: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
