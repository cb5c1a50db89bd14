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
pub(crate) mod message;
#[cfg(feature = "redis")]
pub(crate) mod redis;
