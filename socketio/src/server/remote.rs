//! `RemoteSocket`: a client as `fetch_sockets` reports it, which in a cluster may be connected to another server.

mod handshake;

pub use handshake::HandshakeRecord;

use super::{
    ack::Reply,
    core::SocketCore,
    data::{self, DataError},
    emit::{EmitError, EmitterOf, One, Single, Try, raw_event},
    many::Many,
    mounts::Scope,
    namespace::NamespaceCore,
};
use crate::{
    adapter::message::SocketRecord,
    contract::{AckData, Events, Namespace},
    room::Room,
    text::Text,
};
use serde::Serialize;
use std::{convert::Infallible, fmt, marker::PhantomData, sync::Arc, time::Duration};

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
///     for member in chat.to("noisy").fetch_sockets().await? {
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
/// # let member = io.of::<dyn Chat>().fetch_sockets().await.unwrap().remove(0);
/// # assert_eq!(member.id(), client.id().as_str());
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
    place: Place,
    rooms: Vec<Room>,
    /// The JSON text of its data.
    data: Option<Text>,
    name: PhantomData<fn(&N)>,
}

/// Where a socket is.
#[derive(Clone)]
pub(super) enum Place {
    Here(Arc<SocketCore>),
    /// Reached as the room of its id.
    Elsewhere {
        namespace: Arc<NamespaceCore>,
        id: Room,
        handshake: Text,
    },
}

impl Place {
    pub(super) fn id(&self) -> &str {
        match self {
            Place::Here(core) => core.id_str(),
            Place::Elsewhere { id, .. } => id,
        }
    }

    pub(super) fn namespace(&self) -> &Arc<NamespaceCore> {
        match self {
            Place::Here(core) => core.namespace(),
            Place::Elsewhere { namespace, .. } => namespace,
        }
    }

    /// The socket alone, wherever it is by now.
    pub(super) fn many(&self) -> Many {
        let mut many = Many::new(Scope::One(Arc::clone(self.namespace())));
        many.target.rooms.push(self.id().into());
        many
    }
}

impl<N: ?Sized> fmt::Debug for RemoteSocket<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteSocket").field("id", &self.place.id()).field("rooms", &self.rooms).finish_non_exhaustive()
    }
}

impl<N: Namespace + ?Sized> RemoteSocket<N> {
    pub(super) fn here(core: Arc<SocketCore>) -> Self {
        RemoteSocket { rooms: core.rooms(), data: core.data(), place: Place::Here(core), name: PhantomData }
    }

    pub(super) fn elsewhere(namespace: &Arc<NamespaceCore>, record: SocketRecord) -> Self {
        let SocketRecord { id, handshake, rooms, data } = record;
        let place = Place::Elsewhere { namespace: Arc::clone(namespace), id: id.into(), handshake };
        // What other servers say of data that was never set.
        let data = (data.trim_ascii() != "{}" && data.trim_ascii() != "null").then_some(data);
        RemoteSocket { place, rooms, data, name: PhantomData }
    }

    /// The public id: the text of a [`SocketId`](crate::SocketId), unless the server it is connected to makes others.
    pub fn id(&self) -> &str {
        self.place.id()
    }

    /// Whether it is connected to this server, or was when it was fetched.
    pub fn is_local(&self) -> bool {
        matches!(self.place, Place::Here(_))
    }

    /// The request that opened its connection.
    pub fn handshake(&self) -> HandshakeRecord {
        match &self.place {
            Place::Here(core) => HandshakeRecord::of(core),
            Place::Elsewhere { handshake, .. } => HandshakeRecord::parse(handshake),
        }
    }

    /// The rooms it was in when it was fetched, its own first.
    pub fn rooms(&self) -> &[Room] {
        &self.rooms
    }

    /// The data it had when it was fetched; `None` if it was never set. Of a client of another server, data that is an empty object
    /// counts as never set: servers do not tell the difference. See [`Socket::set_data`](crate::Socket::set_data).
    ///
    /// # Errors
    /// [`DataError::Decode`]: it has another shape than the type of this server's contract, for example because the client is
    /// connected to a server of another version.
    pub fn data(&self) -> Result<Option<N::Data>, DataError> {
        data::decode(self.data.as_ref())
    }

    fn one(&self) -> One {
        One::at(self.place.clone())
    }

    fn single(&self) -> Single<N> {
        Single::new(self.one())
    }

    /// The events that can be emitted to this client.
    pub fn emit(&self) -> EmitterOf<N, One> {
        N::Emits::emitter(self.one())
    }

    /// Like [`emit`](Self::emit), with a `Result` for events without acknowledgement. Of a client of another server it tells
    /// whether the event is on its way to that server.
    pub fn try_emit(&self) -> EmitterOf<N, Try> {
        self.single().try_emit()
    }

    /// Waits at most so long for acknowledgements.
    pub fn timeout(&self, timeout: Duration) -> Single<N> {
        self.single().timeout(timeout)
    }

    /// Whether the event is worth compressing, on transports that compress; see [`Socket::compress`](crate::Socket::compress).
    pub fn compress(&self, compress: bool) -> Single<N> {
        self.single().compress(compress)
    }

    /// Emits an event whose name and arguments are known only at run time; see [`Socket::emit_raw`](crate::Socket::emit_raw).
    ///
    /// # Errors
    /// The event did not leave the server.
    pub fn emit_raw(&self, event: &str, args: impl Serialize) -> Result<(), EmitError> {
        self.one().emit_raw(event, args)
    }

    /// Emits an event whose name and arguments are known only at run time, and asks for an acknowledgement; see
    /// [`Socket::ask_raw`](crate::Socket::ask_raw).
    ///
    /// # Errors
    /// The name is reserved or an argument could not be serialized: nothing was sent.
    pub fn ask_raw(&self, event: &str, args: impl Serialize) -> Result<Reply<AckData, Infallible>, EmitError> {
        Ok(self.one().ask_body(raw_event(event, args)?))
    }

    /// Makes the client join a room.
    pub fn join(&self, room: impl Into<Room>) {
        match &self.place {
            Place::Here(core) => core.join(room.into()),
            elsewhere => elsewhere.many().join(&[room.into()]),
        }
    }

    /// Makes the client leave a room.
    pub fn leave(&self, room: impl AsRef<str>) {
        match &self.place {
            Place::Here(core) => core.leave(room.as_ref()),
            elsewhere => elsewhere.many().leave(&[room.as_ref().into()]),
        }
    }

    /// Disconnects the client from the namespace, or (`close`) closes its connection.
    pub fn disconnect(&self, close: bool) {
        match &self.place {
            Place::Here(core) => core.disconnect(close),
            elsewhere => elsewhere.many().disconnect(close),
        }
    }
}
