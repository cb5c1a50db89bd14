//! The attribute macros of the `socketio` crate, which re-exports them. Use them from there.
//!
//! The crate is a small compiler, and its phases are files:
//!
//! ```text
//! attr, casing      what the user wrote in attributes
//! model             what it means: events, arguments, acknowledgements, hooks
//! check             rules between items: names, paths, order
//! expand            one file per generated item
//! errors            every mistake, reported together
//! ```
//!
//! A trait with mistakes still yields the trait and all that can be made of it, so that a mistake is shown once, where it
//! is, and not again wherever the trait is used. `tests/output` holds the expansions of `tests/input`.

mod attr;
mod casing;
mod check;
mod errors;
mod expand;
mod model;
mod recover;
#[cfg(test)]
mod tests;

use attr::{Kind, TraitAttr};
use errors::Errors;
use model::Model;
use proc_macro::TokenStream;
use proc_macro2::{Span, TokenStream as TokenStream2};
use quote::quote;

/// Declares a namespace: the events that clients send to the server.
///
/// ```
/// # use socketio::{DisconnectReason, events, namespace};
/// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)] pub struct Login { token: String }
/// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)] pub struct ChatError;
/// # #[events] pub trait ChatEvents {}
/// #[namespace("/chat", emits = ChatEvents, auth = Login, rename_all = "camelCase")]
/// pub trait Chat {
///     /// Join a room; answers with the number of people in it.
///     #[event]
///     async fn join(&self, room: &str) -> Result<u32, ChatError>;
///     #[event("chat message")]
///     async fn say(&self, room: &str, text: &str) -> Result<(), ChatError>;
///     #[disconnect]
///     async fn left(&self, reason: DisconnectReason);
/// }
/// ```
///
/// The server implements the trait for the *session* of one connected socket. Clients, and the server's TypeScript, get a
/// typed caller with the same methods. `dyn Chat` is the namespace's name in types, as in `Socket<dyn Chat>`; no such object
/// is ever made, and nothing is dispatched dynamically.
///
/// # Options
///
/// | option | meaning | default |
/// |---|---|---|
/// | `"/path"` | the path, given first. `"/org/{id}"` matches every value of that segment; `Namespace::PATH` is the pattern | required |
/// | `emits = Trait` | the [`events`](macro@events) that the server sends here | none |
/// | `auth = Type` | the payload with which clients connect: `Serialize + DeserializeOwned` | `()` |
/// | `data = Type` | what the server keeps for a socket and shows to the whole cluster: `Serialize + DeserializeOwned`, as JSON; see `Socket::set_data`. Clients do not see it | `()` |
/// | `cluster = Trait` | the [`events`](macro@events) that servers send each other about this namespace; see `NamespaceHandle::server_side_emit` | none |
/// | `rename_all = ".."` | the casing of event names: `camelCase`, `PascalCase`, `kebab-case`, `snake_case`, `SCREAMING_SNAKE_CASE` | as the method |
/// | `schema = false` | payload types need no `schemars::JsonSchema`; no TypeScript is generated for them | `true` |
/// | `crate = path` | where the `socketio` crate is | `::socketio` |
///
/// # Methods
///
/// | attribute | meaning |
/// |---|---|
/// | [`#[event]`](macro@event) | an event; with a default body, one that handlers may leave out |
/// | [`#[middleware]`](macro@middleware) | asked before each event |
/// | [`#[fallback]`](macro@fallback) | gets events that the trait does not name |
/// | [`#[disconnect]`](macro@disconnect) | told when the socket has closed |
/// | none | a plain helper; it needs a default body |
///
/// `#[cfg]`, `#[deprecated]` and documentation of an event also apply to its caller and to its description.
///
/// # What is generated
///
/// The trait itself, with `Send + Sync + 'static` as supertraits and with futures that are `Send`; implement it with plain
/// `async fn`. The struct `ChatEmitter` with a method per event, which `.emit()` returns. Implementations of `Events`,
/// `Namespace` and `Serve` for `dyn Chat`.
#[proc_macro_attribute]
pub fn namespace(attr: TokenStream, item: TokenStream) -> TokenStream {
    run(Kind::Namespace, attr, item)
}

/// Declares the events that the server sends to clients, or to the other servers of its cluster.
///
/// ```
/// # use socketio::events;
/// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)] pub struct Message;
/// #[events(rename_all = "camelCase")]
/// pub trait ChatEvents {
///     #[event]
///     async fn message(&self, room: &str, message: &Message);
///     /// Lost rather than late.
///     #[event(volatile)]
///     async fn user_typing(&self, user: &str);
///     #[event]
///     async fn are_you_there(&self) -> bool;
/// }
/// ```
///
/// A namespace names the trait as `emits = ChatEvents`; the server then calls `socket.emit().message(..)`. A Rust client
/// implements the trait to handle the events. Events between servers are named as `cluster = ..`.
///
/// # Options
///
/// | option | meaning | default |
/// |---|---|---|
/// | `rename_all = ".."` | the casing of event names, as for [`namespace`](macro@namespace) | as the method |
/// | `schema = false` | payload types need no `schemars::JsonSchema`; no TypeScript is generated for them | `true` |
/// | `crate = path` | where the `socketio` crate is | `::socketio` |
///
/// Methods are as in a [`namespace`](macro@namespace), except that there is no `#[disconnect]`.
#[proc_macro_attribute]
pub fn events(attr: TokenStream, item: TokenStream) -> TokenStream {
    run(Kind::Events, attr, item)
}

/// Marks a method of a [`namespace`](macro@namespace) or [`events`](macro@events) trait as an event.
///
/// ```
/// # use socketio::namespace;
/// #[namespace("/chat")]
/// trait Chat {
///     #[event("chat message")]
///     async fn say(&self, room: &str, text: &str, #[rest] tags: Vec<String>) -> Result<u32, String>;
///     /// Sessions may leave it out.
///     #[event]
///     async fn typing(&self, room: &str) {}
/// }
/// ```
///
/// | written | name on the wire |
/// |---|---|
/// | `#[event]` | the method's name, in the casing of `rename_all` |
/// | `#[event("chat message")]`, `#[event(name = "chat message")]` | as given |
/// | `#[event(volatile)]` | as above; in an `#[events]` trait only: the event may be dropped if the client cannot take it at once. It has no acknowledgement |
///
/// # Parameters
///
/// Every parameter is an argument on the wire.
///
/// | type | decoded as |
/// |---|---|
/// | `T` | `T: Deserialize`, which may borrow from the packet |
/// | `&T`, `&[T]` | `T`, `Vec<T>`, then lent; the caller takes references, too |
/// | `&str`, `Option<&str>`, `Cow<'_, str>` | a string, copied only if it has escapes |
/// | `Option<T>` at the end | may be missing; `null` and missing are `None` |
/// | `#[rest] Vec<T>` at the end | all remaining arguments |
/// | `#[extract] T` | not on the wire: made on the receiving side by `FromEvent` |
///
/// Arguments that the method does not name are ignored.
///
/// # Return types
///
/// | type | acknowledgement |
/// |---|---|
/// | none | none; a peer that asks for one gets an empty one |
/// | `Ack` | without a value |
/// | `T` | `T` |
/// | `Result<T, E>` | `{ ok: true, data }` or `{ ok: false, error }` |
///
/// If `E: From<Rejection>`, as `String` and `Rejection` itself are, an event that is rejected is answered with that error: one
/// whose arguments cannot be decoded, that a middleware or a layer refuses, or whose handler panics. Else it is not answered.
///
/// # Receiver
///
/// `&self`, or `self: Arc<Self>` to keep the session alive in a spawned task. Handlers of one socket may run concurrently.
#[proc_macro_attribute]
pub fn event(_: TokenStream, item: TokenStream) -> TokenStream {
    misplaced("event", "`#[namespace(..)]` or `#[events]`", item)
}

/// Marks the method that gets the events which the trait does not name.
///
/// ```
/// # use socketio::{RawArgs, namespace};
/// #[namespace("/chat")]
/// trait Chat {
///     #[fallback]
///     async fn unknown(&self, event: &str, args: RawArgs<'_>);
/// }
/// ```
///
/// There is at most one per trait. An acknowledgement that the peer asks for is empty. Without a fallback, unknown events are
/// logged and counted.
#[proc_macro_attribute]
pub fn fallback(_: TokenStream, item: TokenStream) -> TokenStream {
    misplaced("fallback", "`#[namespace(..)]` or `#[events]`", item)
}

/// Marks the method that is called once after the socket has closed: the last call on its session.
///
/// ```
/// # use socketio::{DisconnectReason, namespace};
/// #[namespace("/chat")]
/// trait Chat {
///     #[disconnect]
///     async fn left(&self, reason: DisconnectReason);
/// }
/// ```
///
/// There is at most one per [`namespace`](macro@namespace), and none in [`events`](macro@events).
///
/// By then the socket has left: nobody reaches it, `is_connected()` is false, and what is emitted to it is dropped. `rooms()` still
/// are those it was in, and `data()` is what it was, so that the others can be told:
///
/// ```
/// # use socketio::{DisconnectReason, Socket, events, namespace};
/// # #[events] trait ChatEvents { #[event] async fn gone(&self, room: &str); }
/// # #[namespace("/chat", emits = ChatEvents)] trait Chat { #[disconnect] async fn left(&self, reason: DisconnectReason); }
/// # struct Session { socket: Socket<dyn Chat> }
/// impl Chat for Session {
///     async fn left(&self, _reason: DisconnectReason) {
///         for room in self.socket.rooms() {
///             self.socket.to(room.clone()).emit().gone(room.as_str());
///         }
///     }
/// }
/// ```
#[proc_macro_attribute]
pub fn disconnect(_: TokenStream, item: TokenStream) -> TokenStream {
    misplaced("disconnect", "`#[namespace(..)]`", item)
}

/// Marks the method that is asked before every event of the session, also before unknown ones.
///
/// ```
/// # use socketio::{Incoming, Rejection, namespace};
/// #[namespace("/chat")]
/// trait Chat {
///     #[middleware]
///     async fn allow(&self, event: &Incoming) -> Result<(), Rejection>;
/// }
/// ```
///
/// A refusal is acknowledged if the event returns `Result<_, E>` with `E: From<Rejection>`, which can tell refusals apart by the code
/// that `Rejection::with_code` gives them. `event.name()` is the name on the wire. There is at most one per trait.
#[proc_macro_attribute]
pub fn middleware(_: TokenStream, item: TokenStream) -> TokenStream {
    misplaced("middleware", "`#[namespace(..)]` or `#[events]`", item)
}

fn run(kind: Kind, attr: TokenStream, item: TokenStream) -> TokenStream {
    let (code, errors) = compile(kind, attr.into(), item.into());
    let errors = errors.into_tokens();
    quote!(#errors #code).into()
}

/// All phases: the code, and the mistakes found on the way.
fn compile(kind: Kind, attr: TokenStream2, item: TokenStream2) -> (TokenStream2, Errors) {
    let mut errors = Errors::default();
    let parsed = match syn::parse2::<syn::ItemTrait>(item.clone()) {
        Ok(parsed) => parsed,
        Err(error) => {
            errors.push(recover::explain(kind, &item, error));
            return (recover::without_markers(item), errors);
        }
    };
    let attr = TraitAttr::parse(attr, kind, &mut errors);
    let mut model = Model::new(kind, attr, parsed, &mut errors);
    check::check(&mut model, &mut errors);
    (expand::expand(&model), errors)
}

/// A marker is read, and removed, by the attribute of its trait; when it is expanded itself, it stands elsewhere.
fn misplaced(name: &str, traits: &str, item: TokenStream) -> TokenStream {
    let message = format!("`#[{name}]` belongs on a method inside a {traits} trait; the `impl` block needs no attributes");
    let error = syn::Error::new(Span::call_site(), message).to_compile_error();
    let item = TokenStream2::from(item);
    quote!(#item #error).into()
}
