//! `Client`: what a user holds. The last one of a namespace leaves it, the last one of all closes the connection.

use super::{
    builder::{Connect, Join, verdict},
    call::{ToServer, TryToServer},
    manager::{ConnectError, End, Input, Status},
    shared::{Shared, Space},
};
use crate::{
    contract::{AckData, Answer, EmitError, Events, Namespace, raw_event},
    text::Text,
};
use serde::Serialize;
use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};
use tokio::{
    sync::broadcast::{self, error::RecvError},
    task::JoinHandle,
};

/// The connection, as long as a handle needs it.
pub(super) struct Owner {
    pub(super) shared: Arc<Shared>,
    /// Ends by itself once everything is sent, at the latest when the time for that is over.
    task: tokio::sync::Mutex<Option<JoinHandle<()>>>,
    ack_timeout: Duration,
}

impl Owner {
    pub(super) fn new(shared: Arc<Shared>, task: JoinHandle<()>, ack_timeout: Duration) -> Arc<Self> {
        Arc::new(Owner { shared, task: tokio::sync::Mutex::new(Some(task)), ack_timeout })
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.handle(Input::Close);
    }
}

/// A stay in a namespace, as long as a handle needs it. Its fields are dropped in this order: first the stay, then the
/// connection.
pub(super) struct Membership {
    space: Arc<Space>,
    owner: Arc<Owner>,
}

impl Membership {
    pub(super) fn new(owner: Arc<Owner>, space: Arc<Space>) -> Self {
        Membership { space, owner }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.owner.shared.handle(Input::Leave(self.space.key));
    }
}

/// A client in the namespace `N`. Cheap to clone; when the last clone is dropped, the client leaves the namespace, and when
/// there is no client of that connection left, what is queued is sent and the connection closed.
///
/// Everything here may be called from any task. Sending needs no `await`: an event is on its way when the emitter's method
/// returns, or waits for the connection to come back, in order. See the [guide](super).
///
/// ```
/// use socketio::{Client, Socket, SocketIo, events, namespace};
///
/// #[namespace("/game", emits = GameEvents)]
/// trait Game {
///     #[event]
///     async fn roll(&self) -> Result<u8, String>;
/// }
/// #[events]
/// trait GameEvents {
///     #[event]
///     async fn again(&self) -> bool;
/// }
///
/// struct Player(Socket<dyn Game>);
/// impl Game for Player {
///     async fn roll(&self) -> Result<u8, String> {
///         match self.0.emit().again().await {
///             Ok(true) => Ok(4),
///             _ => Err("enough".into()),
///         }
///     }
/// }
///
/// struct Bot;
/// impl GameEvents for Bot {
///     async fn again(&self) -> bool { true }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let io = SocketIo::builder().namespace::<dyn Game, _>(async |socket: Socket<dyn Game>| {
/// #     Ok::<_, std::convert::Infallible>(Player(socket))
/// # }).build();
/// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
/// # let url = format!("http://{}", listener.local_addr().unwrap());
/// # tokio::spawn(async move { axum::serve(listener, axum::Router::new().layer(io.layer())).await });
/// let client = Client::<dyn Game>::connect(url).handler(Bot).await.unwrap();
/// assert_eq!(client.emit().roll().await, Ok(4));
/// client.close().await;
/// # }
/// ```
pub struct Client<N: ?Sized> {
    member: Arc<Membership>,
    name: PhantomData<fn(&N)>,
}

impl<N: ?Sized> Clone for Client<N> {
    fn clone(&self) -> Self {
        Client { member: Arc::clone(&self.member), name: PhantomData }
    }
}

impl<N: ?Sized> fmt::Debug for Client<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Space { plan, standing, .. } = &*self.member.space;
        f.debug_struct("Client").field("path", &plan.path).field("status", &standing.borrow().status).finish_non_exhaustive()
    }
}

impl<N: Namespace + ?Sized> Client<N> {
    /// Starts to connect to `http://host:port` (`https`, `ws` and `wss` are understood as well); the builder is awaited.
    pub fn connect(url: impl Into<String>) -> Connect<N> {
        Connect::new(url.into())
    }

    /// The events that the server handles. One that can be sent neither now nor later is dropped, and logged.
    pub fn emit(&self) -> <N as Events>::Emitter<ToServer> {
        N::emitter(self.to_server())
    }

    /// Like [`emit`](Self::emit); an event without acknowledgement gives `Result<(), EmitError>`.
    pub fn try_emit(&self) -> <N as Events>::Emitter<TryToServer> {
        N::emitter(TryToServer(self.to_server()))
    }

    /// Waits at most so long for acknowledgements: `client.timeout(limit).emit().join("lobby")`. The time runs from the moment of
    /// the call, also while there is no connection; with [`Connect::retries`] it is that of each try.
    pub fn timeout(&self, timeout: Duration) -> Sending<N> {
        Sending { to: self.to_server(), name: PhantomData }.timeout(timeout)
    }

    /// Drops the event if it cannot leave at once: `client.volatile().emit().typing()`.
    pub fn volatile(&self) -> Sending<N> {
        Sending { to: self.to_server(), name: PhantomData }.volatile()
    }
}

impl<N: ?Sized> Client<N> {
    pub(super) fn new(member: Membership) -> Self {
        Client { member: Arc::new(member), name: PhantomData }
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.member.owner.shared
    }

    fn to_server(&self) -> ToServer {
        let Membership { owner, space } = &*self.member;
        ToServer { shared: Arc::clone(&owner.shared), key: space.key, timeout: owner.ack_timeout, volatile: false }
    }

    /// Emits an event whose name and arguments are known only at run time. `args` is a tuple or a sequence, each element of
    /// which becomes one argument.
    ///
    /// # Errors
    /// The event was neither sent nor kept.
    pub fn emit_raw(&self, event: &str, args: impl Serialize) -> Result<(), EmitError> {
        self.to_server().emit(raw_event(event, args)?)
    }

    /// Emits an event whose name and arguments are known only at run time, and asks for an acknowledgement. `emitWithAck`.
    pub fn call_raw(&self, event: &str, args: impl Serialize) -> Answer<AckData> {
        self.to_server().call(raw_event(event, args), |data| Ok(data.clone()))
    }

    /// One more namespace over the same connection: `client.of::<dyn Admin>().auth(..).await`.
    pub fn of<M: Namespace + ?Sized>(&self) -> Join<M> {
        Join::new(Some(Arc::clone(&self.member.owner)))
    }

    /// The id of the socket, as the server knows it; of the last stay if the client is not connected, and `None` before the
    /// first. It changes with each connection that the server does not recover.
    pub fn id(&self) -> Option<Text> {
        self.member.space.standing.borrow().id.clone()
    }

    /// Whether the client is in its namespace, as far as it knows.
    pub fn is_connected(&self) -> bool {
        matches!(self.status(), Status::Connected { .. })
    }

    /// Where the client stands.
    pub fn status(&self) -> Status {
        self.member.space.standing.borrow().status.clone()
    }

    /// Where the client will stand from now on.
    pub fn changes(&self) -> Changes {
        let (changes, status) = self.member.space.subscribe();
        Changes { changes, over: is_last(&status) }
    }

    /// Joins the namespace again after the server had disconnected or refused the client, which ends its stay for good
    /// otherwise. Returns at once if it is connected. `socket.connect()`.
    ///
    /// # Errors
    /// As when it connected first.
    pub async fn rejoin(&self) -> Result<(), ConnectError> {
        let space = &self.member.space;
        self.shared().with(|manager| {
            // The task sees what comes of it later than this.
            manager.rejoin(space.key).map(|anew| {
                if anew {
                    let id = space.standing.borrow().id.clone();
                    space.change(Status::Connecting, id);
                }
            })
        })?;
        self.settled().await
    }

    /// Waits until it is known whether the client gets into its namespace.
    pub(super) async fn settled(&self) -> Result<(), ConnectError> {
        let mut standing = self.member.space.standing.subscribe();
        match standing.wait_for(|standing| verdict(&standing.status).is_some()).await {
            Ok(standing) => verdict(&standing.status).unwrap_or(Err(ConnectError::Closed)),
            Err(_) => Err(ConnectError::Closed),
        }
    }

    /// Leaves all namespaces of the connection, sends what is queued, and closes it. Returns when that is done, after 7 s at the
    /// latest. Acknowledgements that are still to come, come as [`Disconnected`](crate::CallError::Disconnected).
    ///
    /// # Cancel safety
    /// The connection closes even if the future is dropped.
    pub async fn close(&self) {
        self.shared().handle(Input::Close);
        let mut task = self.member.owner.task.lock().await;
        if let Some(running) = &mut *task {
            // It may have been cancelled with the runtime: then it has ended as well.
            let _ = running.await;
            *task = None;
        }
    }
}

/// A client's emitter with options.
pub struct Sending<N: ?Sized> {
    to: ToServer,
    name: PhantomData<fn(&N)>,
}

impl<N: ?Sized> fmt::Debug for Sending<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending").field("to", &self.to).finish()
    }
}

impl<N: Namespace + ?Sized> Sending<N> {
    /// See [`Client::timeout`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.to.timeout = timeout;
        self
    }

    /// See [`Client::volatile`].
    pub fn volatile(mut self) -> Self {
        self.to.volatile = true;
        self
    }

    /// See [`Client::emit`].
    pub fn emit(self) -> <N as Events>::Emitter<ToServer> {
        N::emitter(self.to)
    }

    /// See [`Client::try_emit`].
    pub fn try_emit(self) -> <N as Events>::Emitter<TryToServer> {
        N::emitter(TryToServer(self.to))
    }

    /// See [`Client::emit_raw`].
    ///
    /// # Errors
    /// The event was neither sent nor kept.
    pub fn emit_raw(self, event: &str, args: impl Serialize) -> Result<(), EmitError> {
        self.to.emit(raw_event(event, args)?)
    }

    /// See [`Client::call_raw`].
    pub fn call_raw(self, event: &str, args: impl Serialize) -> Answer<AckData> {
        self.to.call(raw_event(event, args), |data| Ok(data.clone()))
    }
}

/// The changes of a client's [`Status`], from the moment on that it was asked for. A reader who falls 64 changes behind misses
/// the oldest.
#[derive(Debug)]
pub struct Changes {
    changes: broadcast::Receiver<Status>,
    over: bool,
}

/// Nothing follows.
fn is_last(status: &Status) -> bool {
    matches!(status, Status::GaveUp(_) | Status::Disconnected(End::ByClient))
}

impl Changes {
    /// The next change; `None` once the client is closed.
    ///
    /// # Cancel safety
    /// No change is lost if the future is dropped.
    pub async fn next(&mut self) -> Option<Status> {
        while !self.over {
            match self.changes.recv().await {
                Ok(status) => {
                    self.over = is_last(&status);
                    return Some(status);
                }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => self.over = true,
            }
        }
        None
    }
}
