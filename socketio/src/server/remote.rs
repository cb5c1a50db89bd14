//! `RemoteSocket`: a client as `fetch_sockets` reports it, which in a cluster may be connected to another server.

use super::{
    ack::Reply,
    core::SocketCore,
    data::{self, DataError},
    emit::{EmitError, EmitterOf, One, Single, Try},
    socket::Socket,
};
use crate::{
    contract::{AckData, Namespace},
    id::SocketId,
    room::Room,
    text::Text,
};
use serde::Serialize;
use std::{convert::Infallible, fmt, sync::Arc, time::Duration};

/// A client of namespace `N` that may be connected to another server of the cluster.
/// ```
/// use socketio::{NamespaceHandle, namespace};
/// # use socketio::{ConnectError, Socket, SocketIo, events, test::Client};
/// # use std::time::Duration;
///
/// # #[events] trait ChatEvents { #[event] async fn warned(&self, times: u32); #[event] async fn busy(&self) -> bool; }
/// #[namespace("/chat", emits = ChatEvents, data = u32)] // the data: how often somebody was warned
/// trait Chat {}
///
/// async fn moderate(chat: &NamespaceHandle<dyn Chat>) -> Result<(), Box<dyn std::error::Error>> {
///     for member in chat.to("noisy").fetch_sockets().await {
///         match member.data()?.unwrap_or(0) {
///             3.. => member.disconnect(true),
///             times => {
///                 member.emit().warned(times + 1);
///                 member.leave("noisy");
///                 member.join("warned");
///             }
///         }
///     }
///     Ok(())
/// }
/// # struct Session;
/// # impl Chat for Session {}
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let connect = async |socket: Socket<dyn Chat>| { socket.join("noisy"); socket.set_data(&2)?; Ok::<_, ConnectError>(Session) };
/// # let io = SocketIo::builder().namespace::<dyn Chat, _>(connect).build();
/// # let client = Client::<dyn Chat>::connect(&io).await.unwrap();
/// # moderate(&io.of::<dyn Chat>()).await.unwrap();
/// # client.expect("warned", [3]).await;
/// # let member = io.of::<dyn Chat>().fetch_sockets().await.remove(0);
/// # assert_eq!(member.id(), client.id());
/// # assert!(member.rooms().iter().any(|room| room.as_str() == "warned"));
/// # assert!(!member.rooms().iter().any(|room| room.as_str() == "noisy"));
/// assert!(member.try_emit().warned(4).is_ok());
/// member.compress(false).emit().warned(5);
/// member.emit_raw("debug", ("warned", 5))?;
/// let version = member.ask_raw("version", ())?; // a reply to await
/// drop(member.timeout(Duration::from_secs(1)).emit().busy());
/// # drop(version);
/// # Ok::<(), socketio::EmitError>(())
/// # }).unwrap();
/// ```
pub struct RemoteSocket<N: ?Sized> {
    socket: Socket<N>,
    rooms: Vec<Room>,
    /// The JSON text of its data.
    data: Option<Text>,
}

impl<N: ?Sized> fmt::Debug for RemoteSocket<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteSocket").field("id", &self.socket.id()).field("rooms", &self.rooms).finish_non_exhaustive()
    }
}

impl<N: Namespace + ?Sized> RemoteSocket<N> {
    pub(super) fn new(core: Arc<SocketCore>) -> Self {
        RemoteSocket { rooms: core.rooms(), data: core.data(), socket: Socket::new(core) }
    }

    /// The public id.
    pub fn id(&self) -> SocketId {
        self.socket.id()
    }

    /// The rooms it was in when it was fetched, its own first.
    pub fn rooms(&self) -> &[Room] {
        &self.rooms
    }

    /// The data it had when it was fetched; `None` if it was never set. See [`Socket::set_data`].
    ///
    /// # Errors
    /// [`DataError::Decode`]: it has another shape than the type of this server's contract, for example because the client is
    /// connected to a server of another version.
    pub fn data(&self) -> Result<Option<N::Data>, DataError> {
        data::decode(self.data.as_ref())
    }

    /// The events that can be emitted to this client.
    pub fn emit(&self) -> EmitterOf<N, One> {
        self.socket.emit()
    }

    /// Like [`emit`](Self::emit), with a `Result` for events without acknowledgement.
    pub fn try_emit(&self) -> EmitterOf<N, Try> {
        self.socket.try_emit()
    }

    /// Waits at most so long for acknowledgements.
    pub fn timeout(&self, timeout: Duration) -> Single<N> {
        self.socket.timeout(timeout)
    }

    /// Whether the event is worth compressing, on transports that compress; see [`Socket::compress`].
    pub fn compress(&self, compress: bool) -> Single<N> {
        self.socket.compress(compress)
    }

    /// Emits an event whose name and arguments are known only at run time; see [`Socket::emit_raw`].
    ///
    /// # Errors
    /// The event did not leave the server.
    pub fn emit_raw(&self, event: &str, args: impl Serialize) -> Result<(), EmitError> {
        self.socket.emit_raw(event, args)
    }

    /// Emits an event whose name and arguments are known only at run time, and asks for an acknowledgement; see
    /// [`Socket::ask_raw`].
    ///
    /// # Errors
    /// The name is reserved or an argument could not be serialized: nothing was sent.
    pub fn ask_raw(&self, event: &str, args: impl Serialize) -> Result<Reply<AckData, Infallible>, EmitError> {
        self.socket.ask_raw(event, args)
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
