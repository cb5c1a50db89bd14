//! `Client`: what a test holds.

use super::{
    call::ToServer,
    connect::{Connect, Plan, Running},
    event::{End, Event},
    link::{Link, Status},
    wire::packets,
};
use crate::{
    contract::{AckData, Answer, BoxFuture, Events, Namespace, Target as _},
    extract::ConnectError,
    id::SocketId,
    parser::{Body, encode_disconnect},
    server::SocketIo,
};
use serde::Serialize;
use serde_json::Value;
use std::{fmt, marker::PhantomData, panic::Location, sync::Arc};
use tokio::time::timeout;

/// A client of namespace `N`, in the process of the server. Dropping it is a client that goes away without a
/// word, as [`drop_connection`](Self::drop_connection) does.
///
/// Everything that waits does so for 5 s of tokio's time, or as long as [`Connect::timeout`] says, and then panics with what
/// was expected and everything that came. A server sends to one client in order: what it emitted before an acknowledgement
/// has arrived when the acknowledgement does.
///
/// ```
/// use serde_json::json;
/// use socketio::{Socket, SocketIo, events, namespace, test::{Client, End}};
///
/// #[namespace("/game", emits = GameEvents)]
/// trait Game {
///     #[event]
///     async fn roll(&self) -> Result<u8, String>;
///     #[event]
///     async fn resign(&self);
/// }
/// #[events]
/// trait GameEvents {
///     #[event]
///     async fn rolled(&self, number: u8);
///     #[event]
///     async fn again(&self) -> bool;
/// }
///
/// struct Player(Socket<dyn Game>);
/// impl Game for Player {
///     async fn roll(&self) -> Result<u8, String> {
///         self.0.emit().rolled(4);
///         match self.0.emit().again().await {
///             Ok(true) => Ok(4),
///             _ => Err("enough".into()),
///         }
///     }
///     async fn resign(&self) { self.0.disconnect(false) }
/// }
///
/// struct Bot;
/// impl GameEvents for Bot {
///     async fn rolled(&self, _: u8) {}
///     async fn again(&self) -> bool { true }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let io = SocketIo::builder().namespace::<dyn Game, _>(async |socket: Socket<dyn Game>| {
///     Ok::<_, std::convert::Infallible>(Player(socket))
/// }).build();
/// let mut client = Client::<dyn Game>::connect(&io).handler(Bot).await.unwrap();
/// let first = client.id();
/// assert_eq!(client.emit().roll().await, Ok(4));
/// client.expect("rolled", [4]).await;
/// assert_eq!(client.next_event().await.name(), "again");
///
/// // Hostile input: too many arguments are ignored, unknown events too.
/// assert_eq!(client.call_raw("roll", [1, 2, 3]).await.unwrap().json(), r#"[{"ok":true,"data":4}]"#);
/// client.emit_raw("no such event", json!([null]));
///
/// client.emit().resign();
/// assert_eq!(client.disconnected().await, End::ByServer);
/// client.reconnect().await.unwrap();
/// assert!(client.is_connected() && client.id() != first);
/// client.disconnect().await;
/// assert_eq!(io.connections(), 0);
/// # }
/// ```
pub struct Client<N: ?Sized> {
    plan: Plan,
    link: Arc<Link>,
    running: Running,
    name: PhantomData<fn(&N)>,
}

impl<N: ?Sized> fmt::Debug for Client<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, status) = self.link.look(|state| (state.id, state.status.clone()));
        f.debug_struct("Client").field("path", &self.link.path).field("id", &id).field("status", &status).finish_non_exhaustive()
    }
}

impl<N: Namespace + ?Sized> Client<N> {
    /// Starts to connect; the builder is awaited.
    pub fn connect(io: &SocketIo) -> Connect<N> {
        Connect::new(io)
    }

    pub(super) fn new(plan: Plan, link: Arc<Link>, running: Running) -> Self {
        Client { plan, link, running, name: PhantomData }
    }

    /// The events that the server handles. An event that is emitted while the client is not connected is dropped.
    pub fn emit(&self) -> <N as Events>::Emitter<ToServer> {
        N::emitter(ToServer(Arc::clone(&self.link)))
    }
}

impl<N: ?Sized> Client<N> {
    /// Emits anything, legal or not. `args` is a tuple or a sequence, each element of which becomes one argument.
    ///
    /// # Panics
    /// `args` is something else, or cannot be serialized.
    pub fn emit_raw(&self, name: &str, args: impl Serialize) {
        ToServer(Arc::clone(&self.link)).send(Body::event(name, &args));
    }

    /// Emits anything and asks for an acknowledgement; see [`emit_raw`](Self::emit_raw).
    pub fn call_raw(&self, name: &str, args: impl Serialize) -> Answer<AckData> {
        ToServer(Arc::clone(&self.link)).ask(Body::event(name, &args), |data| Ok(data.clone()))
    }

    /// The id of the socket; of the last one if the client is not connected.
    pub fn id(&self) -> SocketId {
        self.link.look(|state| state.id).expect("invariant: a client exists once it has been connected")
    }

    /// Whether the client is in its namespace, as far as it knows.
    pub fn is_connected(&self) -> bool {
        self.link.look(|state| matches!(state.status, Status::Connected))
    }

    /// The next event from the server that has not been taken yet.
    ///
    /// # Panics
    /// None comes in time or before the client is disconnected, or a handler of the client's own failed.
    ///
    /// # Cancel safety
    /// No event is lost if the future is dropped.
    #[track_caller]
    pub fn next_event(&self) -> BoxFuture<'_, Event> {
        let at = Location::caller();
        Box::pin(self.hear(at, "an event"))
    }

    /// Takes the next event, which has to be this one. Arguments are compared as JSON: `("lobby", 1)`, `json!(["lobby", 1])`.
    ///
    /// # Panics
    /// Another event comes, or none; see [`next_event`](Self::next_event). The arguments cannot be serialized.
    #[track_caller]
    pub fn expect(&self, name: &str, args: impl Serialize) -> BoxFuture<'_, Event> {
        let at = Location::caller();
        let args = match serde_json::to_value(args).expect("the expected arguments can be serialized") {
            Value::Null => Value::Array(Vec::new()),
            args => args,
        };
        let name = name.to_owned();
        Box::pin(async move {
            let expected = format!("{name} {args}");
            let event = self.hear(at, &expected).await;
            if !event.is(&name, &args) {
                self.panic(at, &format!("expected\n    {expected}\n  but received\n    {event}"));
            }
            event
        })
    }

    /// The events that have arrived and have not been taken. Does not wait: to show that an event is *not* sent, first wait
    /// for something that the server sends later, such as an acknowledgement.
    pub fn unread(&self) -> Vec<Event> {
        self.link.look(|state| state.unread.iter().cloned().collect())
    }

    /// Waits until the client is not connected, and tells how that came. At once if it is not.
    ///
    /// # Panics
    /// It stays connected for longer than the client waits.
    #[track_caller]
    pub fn disconnected(&self) -> BoxFuture<'_, End> {
        let at = Location::caller();
        Box::pin(async move {
            let ended = self.link.wait(|state| match state.status {
                Status::Ended(end) => Some(end),
                Status::Refused(_) => Some(End::ByServer),
                Status::Connecting | Status::Connected => None,
            });
            match ended.await {
                Some(end) => end,
                None => self.panic(at, &format!("expected to be disconnected, but was not within {:?}", self.link.patience)),
            }
        })
    }

    /// Leaves the namespace, and keeps the connection open. Returns when the server has received that.
    ///
    /// # Panics
    /// The server does not take it in time.
    #[track_caller]
    pub fn leave(&self) -> BoxFuture<'_, ()> {
        let at = Location::caller();
        Box::pin(async move {
            let posted = self.link.post(self.end());
            // An error says that the session is over: then there is nothing to leave.
            if timeout(self.link.patience, posted).await.is_err() {
                self.panic(at, &format!("expected to leave, but could not within {:?}", self.link.patience));
            }
        })
    }

    /// Leaves the namespace and closes the connection. Returns when the server has closed it too.
    ///
    /// # Panics
    /// The server does not close it in time.
    #[track_caller]
    pub fn disconnect(&self) -> BoxFuture<'_, ()> {
        let at = Location::caller();
        Box::pin(async move {
            let mut packets = self.end();
            packets.push("1".to_owned());
            drop(self.link.post(packets));
            if self.link.wait(|state| (!state.open).then_some(())).await.is_none() {
                self.panic(at, &format!("expected the connection to close, but it did not within {:?}", self.link.patience));
            }
        })
    }

    /// The connection is gone without a word, as if the network had died. The server notices when its tasks next run, and
    /// sees [`TransportError`](crate::DisconnectReason::TransportError), as with any request that is cut off.
    pub fn drop_connection(&self) {
        self.link.change(|state| state.end(End::ConnectionLost));
        self.running.0.abort();
    }

    /// Opens a new connection and joins the same namespace with the same `auth` payload. An old one is dropped. Events that
    /// were not taken yet stay.
    ///
    /// # Errors
    /// The server refuses the client.
    pub async fn reconnect(&mut self) -> Result<(), ConnectError> {
        self.running.0.abort();
        // Its hanging GET is dropped by then, so the server hears of the old end before the new beginning.
        self.link.wait(|state| (!state.open).then_some(())).await;
        self.link.note("(reconnecting)".to_owned());
        self.running = self.plan.connect(&self.link).await?;
        Ok(())
    }

    /// Ends the stay in the namespace, and returns what tells the server.
    fn end(&self) -> Vec<String> {
        let was_connected = self.link.change(|state| {
            let was_connected = matches!(state.status, Status::Connected);
            state.end(End::ByClient);
            was_connected
        });
        if was_connected { packets(&self.link.spelling, encode_disconnect(&self.link.path)) } else { Vec::new() }
    }

    async fn hear(&self, at: &'static Location<'static>, expected: &str) -> Event {
        enum Heard {
            Event(Event),
            Failure(String),
            Silence(String),
        }
        let heard = self.link.wait(|state| {
            if let Some(failure) = state.failure.take() {
                return Some(Heard::Failure(failure));
            }
            match (state.unread.pop_front(), &state.status) {
                (Some(event), _) => Some(Heard::Event(event)),
                (None, Status::Connected) => None,
                (None, Status::Ended(end)) => Some(Heard::Silence(format!("the client was disconnected: {end}"))),
                (None, status) => Some(Heard::Silence(format!("the client is not connected: {status:?}"))),
            }
        });
        match heard.await {
            Some(Heard::Event(event)) => event,
            Some(Heard::Failure(failure)) => self.panic(at, &failure),
            Some(Heard::Silence(why)) => self.panic(at, &format!("expected\n    {expected}\n  but {why}")),
            None => self.panic(at, &format!("expected\n    {expected}\n  but nothing arrived within {:?}", self.link.patience)),
        }
    }

    fn panic(&self, at: &Location<'_>, what: &str) -> ! {
        panic!("{}\n  asked for at {at}", self.link.failed(what))
    }
}

/// A failed handler does not pass unseen, even if the test asks for nothing more.
impl<N: ?Sized> Drop for Client<N> {
    fn drop(&mut self) {
        let failure = self.link.change(|state| state.failure.take());
        if let (Some(failure), false) = (failure, std::thread::panicking()) {
            panic!("{}", self.link.failed(&failure));
        }
    }
}
