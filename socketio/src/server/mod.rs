//! The Socket.IO server: namespaces, sockets, rooms, acknowledgements, on top of `engine`.

mod ack;
mod broadcast;
mod builder;
mod client_files;
mod cluster;
mod connection;
mod core;
mod data;
mod emit;
mod handle;
mod hooks;
mod joined;
mod legacy;
mod members;
mod mounts;
mod namespace;
mod recovery;
mod remote;
mod running;
mod session;
mod socket;

pub(crate) use self::core::SocketCore;
pub use ack::{BroadcastReply, Reply};
pub use broadcast::{Broadcast, Many};
pub use builder::{BuildError, Builder};
pub use client_files::ClientFilesError;
pub use cluster::{ClusterEmitterOf, OtherServers, ServerReplies};
pub use data::DataError;
pub use emit::{EmitterOf, One, Single, Try};
pub use handle::SocketIo;
pub use hooks::Outgoing;
pub use namespace::NamespaceHandle;
pub use recovery::{Recovery, RecoveryMetrics};
pub use remote::RemoteSocket;
pub(crate) use session::{ErasedSession, erase};
pub use socket::Socket;
