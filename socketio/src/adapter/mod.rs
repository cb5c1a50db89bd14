//! Many servers as one: what they tell each other (`message`), what is to be done about it (`cluster`, sans-IO), and the pipes that
//! carry it (`broker`, and those who implement it).
//!
//! ```text
//!  server ----ask, tell----> Cluster ----Output::Publish----> Pipe ~~~~ Redis, memory ~~~~ other servers
//!  server <---Output::Perform-- Cluster <---Input::Received---- Inbox <~~~~~
//! ```
//! Not here: sockets and rooms, on which `server` carries out what others ask for.

pub(crate) mod broker;
pub(crate) mod cluster;
mod memory;
pub(crate) mod message;
#[cfg(feature = "redis")]
mod redis;
pub(crate) mod wire;

pub use memory::{Memory, MemoryLink};
#[cfg(feature = "redis")]
pub use redis::{Elsewhere, Emitter, Redis, RedisBuilder, RedisError, RedisMonitor, RedisStats, StreamOptions, SubscriptionMode};

/// What connects a server to others, so that together they are one: broadcasts, rooms, fetched sockets and the rest then span all of
/// them, and no handler changes.
///
/// [`Memory`] connects servers of one process. The trait is sealed: what an adapter has to do may grow.
pub trait Adapter: sealed::Connect {}

impl<A: sealed::Connect> Adapter for A {}

pub(crate) mod sealed {
    //! What the server asks of an adapter, and nobody else may.

    use super::broker::Broker;
    use std::{fmt, sync::Arc};

    /// Becomes the pipe of one server.
    pub trait Connect: fmt::Debug + Send + 'static {
        /// Connects one server. Within a runtime.
        fn connect(self) -> Connection;

        /// Whether it keeps events and sessions for clients that come back.
        fn has_journal(&self) -> bool;
    }

    /// A broker, without its name.
    #[derive(Debug)]
    pub struct Connection(pub(crate) Arc<dyn Broker>);
}
