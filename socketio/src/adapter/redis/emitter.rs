//! `Emitter`: reaches the clients of a cluster from a process that is no server: a worker, a cron job.
//!
//! It speaks on the pipes of servers under the name that the reference's emitters have, and never listens.

use super::{Redis, Style, pubsub, sharded};
use crate::{
    adapter::{
        broker::{Health, Inbox, Loss, Pipe},
        message::{Envelope, Message},
    },
    contract::{Decode, EmitError, Events, Namespace, Target as EmitTarget, raw_event},
    parser::{Body, EncodeError},
    room::{Room, Target},
};
use serde::Serialize;
use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};

/// Clients of namespace `N` on all servers of a cluster, addressed from a process without a server: the reference's
/// `@socket.io/redis-emitter` and `redis-streams-emitter`, and the same for sharded channels. Its servers understand it.
///
/// It goes by the settings of its [`Redis`], which must be those of the servers. Nothing waits: what is emitted is queued, as on a
/// server, and a [`RedisMonitor`](super::RedisMonitor) tells what became of it. A process that ends awaits [`close`](Self::close)
/// before.
///
/// ```no_run
/// use socketio::{adapter::{Emitter, Redis}, events, namespace};
/// use std::time::Duration;
///
/// #[events]
/// trait ChatEvents {
///     #[event]
///     async fn message(&self, text: &str);
/// }
/// #[namespace("/chat", emits = ChatEvents)]
/// trait Chat {}
///
/// # async fn run() -> Result<(), socketio::adapter::RedisError> {
/// let redis = Redis::connect("redis://127.0.0.1").await?;
/// let chat = Emitter::<dyn Chat>::new(&redis);
/// chat.emit().message("to everybody");
/// chat.to("lobby").to("bar").except("muted").emit().message("to some");
/// chat.to("lobby").sockets_join("annex");
/// chat.to("guests").disconnect_sockets(true);
/// chat.close(Duration::from_secs(5)).await;
/// # Ok(())
/// # }
/// ```
pub struct Emitter<N: ?Sized> {
    speaker: Arc<Speaker>,
    target: Target,
    namespace: PhantomData<fn(&N)>,
}

/// The pipe, and the link to be closed.
struct Speaker {
    pipe: Arc<dyn Pipe>,
    link: Arc<super::link::Link>,
}

impl<N: Namespace + ?Sized> Emitter<N> {
    /// Addresses all clients of the namespace. Several emitters may share one connection.
    ///
    /// # Panics
    /// The path of the namespace is a pattern, such as `/org/{id}`: see [`at`](Self::at). Or this is called outside of a tokio
    /// runtime.
    pub fn new(redis: &Redis) -> Self {
        assert!(!N::PATH.contains('{'), "the path {} is a pattern: use `Emitter::at`", N::PATH);
        Self::at(redis, N::PATH)
    }

    /// Addresses all clients of one namespace among those of a pattern. Nobody checks the path: where it matches nothing, nobody hears.
    ///
    /// # Panics
    /// This is called outside of a tokio runtime.
    pub fn at(redis: &Redis, path: &str) -> Self {
        let inbox = Arc::new(Deaf(path.into()));
        let pipe = match &redis.style {
            Style::PubSub(options) => pubsub::speak(&redis.link, options, path, inbox),
            Style::Sharded(options) => sharded::speak(&redis.link, options, path, inbox),
            Style::Streams(streams) => streams.speak(path, inbox),
        };
        let speaker = Arc::new(Speaker { pipe, link: redis.link.clone() });
        Emitter { speaker, target: Target::default(), namespace: PhantomData }
    }

    /// Addresses the sockets in a room, beside those in rooms that are addressed already. A socket's id is a room.
    #[must_use = "it gives another address, and changes nothing here"]
    pub fn to(&self, room: impl Into<Room>) -> Self {
        self.with(|target| target.rooms.push(room.into()))
    }

    /// Leaves out the sockets in a room.
    #[must_use = "it gives another address, and changes nothing here"]
    pub fn except(&self, room: impl Into<Room>) -> Self {
        self.with(|target| target.except.push(room.into()))
    }

    /// Clients whose connection cannot take an event at once do not get it.
    #[must_use = "it gives another address, and changes nothing here"]
    pub fn volatile(&self) -> Self {
        self.with(|target| target.flags.volatile = true)
    }

    /// Whether events may be compressed. Default: `true`.
    #[must_use = "it gives another address, and changes nothing here"]
    pub fn compress(&self, compress: bool) -> Self {
        self.with(|target| target.flags.uncompressed = !compress)
    }

    /// The typed caller of the clients addressed. Acknowledgements are not asked for: there is nobody to hear them.
    pub fn emit(&self) -> <N::Emits as Events>::Emitter<Elsewhere> {
        let target = self.target.clone();
        self.events::<N::Emits>(move |event| Message::Broadcast { target: target.clone(), event })
    }

    /// Emits an event that is known only at run time.
    ///
    /// # Errors
    /// The name is reserved, or an argument cannot be serialized.
    pub fn emit_raw(&self, event: &str, args: impl Serialize) -> Result<(), EmitError> {
        let event = raw_event(event, args)?;
        self.tell(Message::Broadcast { target: self.target.clone(), event });
        Ok(())
    }

    /// The typed caller of the servers of the cluster, whoever is addressed. They are not asked to acknowledge, either.
    pub fn server_side_emit(&self) -> <N::Cluster as Events>::Emitter<Elsewhere> {
        self.events::<N::Cluster>(|event| Message::Emit { event })
    }

    /// The sockets addressed join a room.
    pub fn sockets_join(&self, room: impl Into<Room>) {
        self.tell(Message::Join { target: self.target.clone(), rooms: vec![room.into()] });
    }

    /// The sockets addressed leave a room.
    pub fn sockets_leave(&self, room: impl Into<Room>) {
        self.tell(Message::Leave { target: self.target.clone(), rooms: vec![room.into()] });
    }

    /// The sockets addressed are disconnected: from this namespace, or with `close` their whole connection is closed.
    pub fn disconnect_sockets(&self, close: bool) {
        self.tell(Message::Disconnect { target: self.target.clone(), close });
    }

    /// Sends what waits, as far as possible in this time, and closes the connection: for all who share it.
    ///
    /// # Cancel safety
    /// Dropping it leaves the connection closed to what is new, and what waits unsent.
    pub async fn close(self, patience: Duration) {
        self.speaker.link.close(patience).await;
    }

    fn with(&self, change: impl FnOnce(&mut Target)) -> Self {
        let mut other = self.clone();
        change(&mut other.target);
        other
    }

    fn tell(&self, message: Message) {
        self.speaker.tell(message);
    }

    fn events<E: Events + ?Sized>(&self, message: impl Fn(Body) -> Message + Send + Sync + 'static) -> E::Emitter<Elsewhere> {
        let speaker = self.speaker.clone();
        E::emitter(Elsewhere { tell: Arc::new(move |event| speaker.tell(message(event))) })
    }
}

impl Speaker {
    fn tell(&self, message: Message) {
        if self.pipe.publish(message).is_err() {
            tracing::error!("what was emitted to a cluster was not queued");
        }
    }
}

impl<N: ?Sized> Clone for Emitter<N> {
    fn clone(&self) -> Self {
        Emitter { speaker: self.speaker.clone(), target: self.target.clone(), namespace: PhantomData }
    }
}

impl<N: ?Sized> fmt::Debug for Emitter<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emitter").field("pipe", &self.speaker.pipe).field("target", &self.target).finish()
    }
}

/// Where an [`Emitter`] sends to: clients, or servers, of a cluster that it is no part of.
pub struct Elsewhere {
    tell: Arc<dyn Fn(Body) + Send + Sync>,
}

impl fmt::Debug for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Elsewhere").finish_non_exhaustive()
    }
}

impl EmitTarget for Elsewhere {
    type Sent = ();
    type Reply<T: Send + 'static, E: Send + 'static> = ();

    fn send(&self, event: Result<Body, EncodeError>) {
        match event {
            Ok(event) => (self.tell)(event),
            Err(error) => tracing::error!(%error, "an event was not emitted to a cluster"),
        }
    }

    fn ask<T: Send + 'static, E: Send + 'static>(&self, event: Result<Body, EncodeError>, _: Decode<T, E>) {
        self.send(event);
    }
}

/// Hears nothing, for it listens to nothing. The path is for the log.
struct Deaf(Box<str>);

impl Inbox for Deaf {
    fn received(&self, _: Envelope) {}

    fn health(&self, _: Health) {}

    fn lost(&self, loss: Loss) {
        if let Loss::Unsent(count) = loss {
            tracing::warn!(namespace = %self.0, count, "what was emitted to a cluster is lost");
        }
    }
}
