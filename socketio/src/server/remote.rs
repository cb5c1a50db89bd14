//! `RemoteSocket`: a client as `fetch_sockets` reports it, which in a cluster may be connected to another server.

use super::{
    core::SocketCore,
    emit::{EmitterOf, One},
    socket::Socket,
};
use crate::{contract::Namespace, id::SocketId, room::Room};
use std::{fmt, sync::Arc};

/// A client of namespace `N` that may be connected to another server of the cluster.
pub struct RemoteSocket<N: ?Sized> {
    socket: Socket<N>,
    rooms: Vec<Room>,
}

impl<N: ?Sized> fmt::Debug for RemoteSocket<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteSocket").field("id", &self.socket.id()).field("rooms", &self.rooms).finish_non_exhaustive()
    }
}

impl<N: Namespace + ?Sized> RemoteSocket<N> {
    pub(super) fn new(core: Arc<SocketCore>) -> Self {
        RemoteSocket { rooms: core.rooms(), socket: Socket::new(core) }
    }

    /// The public id.
    pub fn id(&self) -> SocketId {
        self.socket.id()
    }

    /// The rooms it was in when it was fetched, its own first.
    pub fn rooms(&self) -> &[Room] {
        &self.rooms
    }

    /// The events that can be emitted to this client.
    pub fn emit(&self) -> EmitterOf<N, One> {
        self.socket.emit()
    }

    /// Makes the client join a room.
    pub fn join(&self, room: impl Into<Room>) {
        self.socket.join(room);
    }

    /// Makes the client leave a room.
    pub fn leave(&self, room: impl AsRef<str>) {
        self.socket.leave(room);
    }

    /// Disconnects the client from the namespace, or (`close`) closes its connection.
    pub fn disconnect(&self, close: bool) {
        self.socket.disconnect(close);
    }
}
