//! What the macros generate code against: the traits that tie a user's trait to the runtime, and the values that pass
//! between generated code and the runtime.
//!
//! `dyn Chat` is the *name* of a namespace in types. No such object is ever made.
//! Not here: connections, rooms and delivery; see `server`.

mod emit;
mod handler;
mod incoming;
mod nothing;
mod outcome;
mod raw;
mod rejection;
mod reply;
mod untyped;

pub use emit::EmitError;
pub(crate) use emit::raw_event;
pub(crate) use handler::{Handler, handler};
pub use incoming::{AckRequested, Args, CowStr, FromEvent, Incoming};
pub use nothing::{NamespaceWithoutCluster, NamespaceWithoutEmits, NoEvents, NoServerEvents};
pub use outcome::{Outcome, ack_args, ack_err, ack_none, ack_ok, ack_value};
pub use raw::{Raw, RawArgs};
pub(crate) use rejection::without_payload;
pub use rejection::{Rejection, RejectionKind};
pub use reply::{AckData, Answer, CallError, Decode, decode_empty, decode_result, decode_value};
pub use untyped::{Service, Untyped};

use crate::{
    describe::{Describe, EventSpec},
    parser::{Body, EncodeError},
    reason::DisconnectReason,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{future::Future, pin::Pin, sync::Arc};

/// A boxed future that can be sent between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Return type of an event whose acknowledgement carries no value.
///
/// ```
/// # use socketio::{Ack, SocketIo, namespace, test::Client};
/// #[namespace("/door")]
/// trait Door {
///     #[event]
///     async fn open(&self) -> Ack;
/// }
///
/// struct Opener;
///
/// impl Door for Opener {
///     async fn open(&self) -> Ack {
///         Ack // the client knows that it is open
///     }
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let io = SocketIo::builder().shared::<dyn Door>(Opener).build();
/// # let client = Client::<dyn Door>::connect(&io).await.unwrap();
/// # assert_eq!(client.emit().open().await, Ok(Ack));
/// # });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ack;

/// A set of events that one side handles. `#[namespace]` and `#[events]` implement it for `dyn Trait`.
///
/// ```
/// use socketio::{Ack, Events, events};
///
/// /// What the server tells its clients.
/// #[events(rename_all = "camelCase")]
/// pub trait ChatEvents {
///     /// Somebody wrote a message.
///     #[event]
///     async fn message(&self, room: &str, text: &str);
///     /// Lost rather than late.
///     #[event(volatile)]
///     async fn user_typing(&self, user: &str);
///     /// The client answers once it has drawn everything.
///     #[event]
///     async fn flush(&self) -> Ack;
/// }
///
/// /// A client that handles them.
/// struct Bot;
///
/// impl ChatEvents for Bot {
///     async fn message(&self, _room: &str, _text: &str) {}
///     async fn user_typing(&self, _user: &str) {}
///     async fn flush(&self) -> Ack {
///         Ack
///     }
/// }
///
/// assert_eq!(<dyn ChatEvents as Events>::NAME, "ChatEvents");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a set of Socket.IO events",
    label = "not declared with `#[socketio::namespace]` or `#[socketio::events]`",
    note = "annotate the trait with `#[socketio::events]` (server to client, server to server) or `#[socketio::namespace(\"/path\")]` (client to server)"
)]
pub trait Events: 'static {
    /// The name of the trait.
    const NAME: &'static str;
    /// The typed caller of these events.
    type Emitter<T: Target>;
    #[doc(hidden)]
    fn emitter<T: Target>(target: T) -> Self::Emitter<T>;
    #[doc(hidden)]
    fn describe(describe: &mut Describe) -> Vec<EventSpec>;
}

/// A namespace: the events the server handles, and what it emits. `#[namespace]` implements it for `dyn Trait`.
///
/// ```
/// use socketio::{AckRequested, Binary, DisconnectReason, Incoming, Namespace, RawArgs, Rejection, events, namespace};
///
/// #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
/// pub struct Login {
///     token: String,
/// }
///
/// #[events]
/// pub trait OrgEvents {
///     #[event]
///     async fn renamed(&self, name: &str);
/// }
///
/// #[events]
/// pub trait OrgServers {
///     #[event]
///     async fn forget(&self, org: &str);
/// }
///
/// /// One namespace per organization.
/// #[namespace("/org/{id}", emits = OrgEvents, auth = Login, data = String, cluster = OrgServers)]
/// pub trait Org {
///     /// Asked before every event.
///     #[middleware]
///     async fn allow(&self, event: &Incoming) -> Result<(), Rejection>;
///     /// Answers `{ ok: true, data }` or `{ ok: false, error }`.
///     #[event]
///     async fn rename(&self, name: &str, note: Option<&str>) -> Result<u32, String>;
///     #[event("upload logo")]
///     async fn upload_logo(&self, logo: Binary);
///     /// `asked` is not on the wire; `tags` are all remaining arguments.
///     #[event]
///     async fn tag(&self, #[extract] asked: AckRequested, #[rest] tags: Vec<String>) -> usize {
///         tags.len()
///     }
///     #[fallback]
///     async fn unknown(&self, event: &str, args: RawArgs<'_>);
///     #[disconnect]
///     async fn left(&self, reason: DisconnectReason);
/// }
///
/// assert_eq!(<dyn Org as Namespace>::PATH, "/org/{id}");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a Socket.IO namespace",
    label = "not declared with `#[socketio::namespace]`",
    note = "annotate the trait: `#[socketio::namespace(\"/path\")] pub trait ...`",
    note = "an `#[events]` trait has no clients of its own: a namespace names it with `emits = ...`, and is then what to address"
)]
pub trait Namespace: Events {
    /// The path, such as `/chat`, or a pattern, such as `/org/{id}`.
    const PATH: &'static str;
    /// The doc comment of the trait.
    const DOCS: &'static str;
    /// The events that the server emits here.
    type Emits: Events + ?Sized;
    /// The `auth` payload of a connecting client.
    type Auth: DeserializeOwned + Serialize + Send + 'static;
    /// What the server keeps for a socket, as JSON, so that every server of a cluster can read it.
    type Data: DeserializeOwned + Serialize + Send + 'static;
    /// The events that the servers of a cluster send each other.
    type Cluster: Events + ?Sized;
    #[doc(hidden)]
    fn describe_auth(_describe: &mut Describe) -> Option<schemars::Schema> {
        None
    }
    /// Whether an event of this name has a handler; true without a list of them, as with a fallback.
    #[doc(hidden)]
    fn declares(_event: &str) -> bool {
        true
    }
}

/// `dyn Chat: Serve<H>` holds exactly when `H: Chat`.
#[diagnostic::on_unimplemented(message = "`{H}` does not implement the events of `{Self}`")]
pub trait Serve<H>: Events {
    #[doc(hidden)]
    fn dispatch(handler: &Arc<H>, event: Incoming) -> BoxFuture<'static, Outcome>;
    /// What becomes of an event that never got as far as `dispatch`: the answer that its contract has for a rejection.
    #[doc(hidden)]
    fn reject(_handler: &Arc<H>, event: &Incoming, rejection: Rejection) -> Outcome {
        Outcome::Rejected(rejection.of(event))
    }
    #[doc(hidden)]
    fn on_disconnect(_handler: &Arc<H>, _reason: DisconnectReason) -> Option<BoxFuture<'static, ()>> {
        None
    }
}

/// Where an emitter sends to; decides what emitting returns.
pub trait Target {
    /// What emitting an event without an acknowledgement returns.
    type Sent;
    /// What emitting an event with an acknowledgement returns.
    type Reply<T: Send + 'static, E: Send + 'static>;
    #[doc(hidden)]
    fn send(&self, event: Result<Body, EncodeError>) -> Self::Sent;
    #[doc(hidden)]
    fn ask<T: Send + 'static, E: Send + 'static>(
        &self,
        event: Result<Body, EncodeError>,
        decode: Decode<T, E>,
    ) -> Self::Reply<T, E>;
}

#[cfg(test)]
mod tests;
