//! `Broadcast`: an address of many clients with options, and what can be done with it. An event is encoded once, whatever
//! the number of receivers.

use super::{
    ack::BroadcastReply,
    emit::{EmitError, EmitterOf, raw_event},
    fetch::FetchError,
    many::Many,
    remote::RemoteSocket,
};
use crate::{
    contract::{AckData, Events, Namespace},
    parser::Body,
    room::Room,
};
use serde::Serialize;
use std::{convert::Infallible, fmt, marker::PhantomData, time::Duration};

/// Clients of namespace `N`, addressed by rooms and options. Every method gives a narrower address.
///
/// ```
/// # use socketio::{Socket, SocketIo, events, namespace};
/// # use std::time::Duration;
/// # #[events] trait GameEvents {
/// #     #[event] async fn scored(&self, points: u32);
/// #     #[event] async fn ready(&self) -> bool;
/// # }
/// # #[namespace("/game", emits = GameEvents)] trait Game {}
/// async fn start(io: &SocketIo, player: &Socket<dyn Game>) -> bool {
///     let game = io.of::<dyn Game>();
///     game.to("team red").to("team blue").except("spectators").emit().scored(0);
///     player.to("team red").volatile().emit().scored(0); // without the player itself
///
///     let answers = game.except("spectators").timeout(Duration::from_secs(5)).emit().ready().await;
///     answers.into_iter().all(|(_, ready)| ready == Ok(true))
/// }
/// ```
///
/// An address also moves its clients, and takes events that are known only at run time:
///
/// ```
/// use socketio::{Body, Broadcast, EmitError, namespace};
/// # use socketio::{SocketIo, test::Client};
/// # #[namespace("/game")] trait Game {}
/// # struct Player;
/// # impl Game for Player {}
///
/// async fn close_table(table: Broadcast<dyn Game>) -> Result<usize, EmitError> {
///     let players = table.clone().fetch_sockets().await.map_or(0, |players| players.len());
///     table.clone().compress(false).emit_raw("closing", (players,))?;
///     table.clone().local().emit_body(Body::event("bye", &())?); // only clients of this server
///     let answers = table.clone().ask_raw("rate us", ())?;
///     table.clone().sockets_join("lobby");
///     table.sockets_leave("table 1");
///     Ok(answers.await.iter().filter(|(_, answer)| answer.is_ok()).count())
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(async {
/// # let io = SocketIo::builder().shared::<dyn Game>(Player).build();
/// # let client = Client::<dyn Game>::connect(&io).await.unwrap();
/// # io.of::<dyn Game>().sockets_join("table 1");
/// let table = io.of::<dyn Game>().to("table 1");
/// # assert_eq!(close_table(table.clone()).await, Ok(0));
/// # client.expect("closing", [1]).await;
/// # assert_eq!((table.fetch_sockets().await.unwrap().len(), io.of::<dyn Game>().to("lobby").fetch_sockets().await.unwrap().len()), (0, 1));
/// io.of::<dyn Game>().to("lobby").disconnect_sockets(false);
/// # client.disconnected().await;
/// # });
/// ```
#[must_use = "an address does nothing: end with `.emit().event(..)` or another action"]
pub struct Broadcast<N: ?Sized> {
    many: Many,
    name: PhantomData<fn(&N)>,
}

impl<N: ?Sized> Clone for Broadcast<N> {
    fn clone(&self) -> Self {
        Broadcast { many: self.many.clone(), name: PhantomData }
    }
}

impl<N: ?Sized> fmt::Debug for Broadcast<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broadcast").field("target", &self.many.target).finish_non_exhaustive()
    }
}

impl<N: Namespace + ?Sized> Broadcast<N> {
    pub(super) fn new(many: Many) -> Self {
        Broadcast { many, name: PhantomData }
    }

    /// Adds a room. A client in several of the rooms gets the event once.
    pub fn to(mut self, room: impl Into<Room>) -> Self {
        self.many.target.rooms.push(room.into());
        self
    }

    /// Leaves out the members of a room, or one client by its id.
    pub fn except(mut self, room: impl Into<Room>) -> Self {
        self.many.target.except.push(room.into());
        self
    }

    /// Waits at most so long for acknowledgements, and for other servers that are asked for their sockets.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.many = self.many.timeout(timeout);
        self
    }

    /// Drops the event for clients whose connection cannot take it at once.
    pub fn volatile(mut self) -> Self {
        self.many.target.flags.volatile = true;
        self
    }

    /// Drops the last event with this key for clients to whom it was not sent yet; see
    /// [`Socket::conflate`](super::Socket::conflate). Clients of other servers get every one: the key does not travel.
    pub fn conflate(mut self, key: impl Into<String>) -> Self {
        self.many.conflate = Some(key.into().into());
        self
    }

    /// Only clients of this server.
    pub fn local(mut self) -> Self {
        self.many.target.flags.local = true;
        self
    }

    /// Whether the event is worth compressing, on transports that compress; see
    /// [`Socket::compress`](super::Socket::compress).
    pub fn compress(mut self, compress: bool) -> Self {
        self.many.target.flags.uncompressed = !compress;
        self
    }

    /// The events that can be emitted to these clients.
    pub fn emit(self) -> EmitterOf<N, Many> {
        N::Emits::emitter(self.many)
    }

    /// Emits an event whose name and arguments are known only at run time; see
    /// [`Socket::emit_raw`](super::Socket::emit_raw).
    ///
    /// # Errors
    /// An argument could not be serialized.
    pub fn emit_raw(self, event: &str, args: impl Serialize) -> Result<(), EmitError> {
        self.many.emit(raw_event(event, args)?);
        Ok(())
    }

    /// Emits an event whose name and arguments are known only at run time, and asks every client for an acknowledgement; see
    /// [`Socket::ask_raw`](super::Socket::ask_raw).
    ///
    /// # Errors
    /// The name is reserved or an argument could not be serialized: nothing was sent.
    pub fn ask_raw(self, event: &str, args: impl Serialize) -> Result<BroadcastReply<AckData, Infallible>, EmitError> {
        Ok(self.ask_body(raw_event(event, args)?))
    }

    /// Emits an event that is encoded already.
    pub fn emit_body(self, event: Body) {
        self.many.emit(event);
    }

    /// Emits an event that is encoded already and asks every client for an acknowledgement.
    pub fn ask_body(self, event: Body) -> BroadcastReply<AckData, Infallible> {
        self.many.ask_body(event)
    }

    /// The addressed clients, those of other servers included.
    ///
    /// # Errors
    /// Not every server has answered [in time](Self::timeout); by default 5 s, see
    /// [`cluster_timeout`](super::Builder::cluster_timeout). The error has the clients that were found nevertheless. Never without
    /// an adapter.
    ///
    /// # Cancel safety
    /// Dropping it gives up the question.
    pub async fn fetch_sockets(self) -> Result<Vec<RemoteSocket<N>>, FetchError<N>> {
        self.many.fetch().await
    }

    /// Makes the addressed clients join a room: those of this server at once, others when their servers hear of it.
    pub fn sockets_join(self, room: impl Into<Room>) {
        self.many.join(&[room.into()]);
    }

    /// Makes the addressed clients leave a room.
    pub fn sockets_leave(self, room: impl AsRef<str>) {
        self.many.leave(&[room.as_ref().into()]);
    }

    /// Disconnects the addressed clients from the namespace, or (`close`) closes their connections.
    pub fn disconnect_sockets(self, close: bool) {
        self.many.disconnect(close);
    }
}
