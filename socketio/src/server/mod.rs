//! The Socket.IO server: namespaces, sockets, rooms, acknowledgements, on top of `engine`.

mod ack;
mod broadcast;
mod builder;
mod client_files;
mod connection;
mod handle;
mod hooks;
mod members;
mod mounts;
mod namespace;
mod remote;
mod session;
mod socket;
mod untyped;

pub use ack::{BroadcastReply, Reply};
pub use broadcast::{Broadcast, Many};
pub use builder::{BuildError, Builder};
pub use client_files::ClientFilesError;
pub use handle::SocketIo;
pub use hooks::Outgoing;
pub use namespace::NamespaceHandle;
pub use remote::RemoteSocket;
pub(crate) use session::{ErasedSession, erase};
pub(crate) use socket::SocketCore;
pub use socket::{EmitError, EmitterOf, One, Single, Socket, Try};
pub use untyped::{Service, Untyped};
