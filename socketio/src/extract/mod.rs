//! Extractors of connect handlers: `Socket`, `Auth`, `NsPath`, and every axum `FromRequestParts`.
//!
//! The requirements on a handler are separate bounds, so that each mistake has its own message:
//! [`ConnectFn`] (is it a function), [`ConnectArgs`] (is every argument an extractor), [`ConnectFuture`] (is it async),
//! [`ConnectOutput`] (does it return a `Result`), [`ConnectRefusal`] (of what error), [`Session`] (does what it returns implement
//! the namespace trait). Each is asked through the function's own type, so that the compiler underlines the function.

mod error;
mod handler;
mod ns_path;

pub use error::ConnectError;
pub use handler::{ConnectArgs, ConnectFn, ConnectFuture, ConnectOutput, ConnectRefusal, ConnectSig, Session};
pub use ns_path::NsPath;

use crate::{
    contract::{Namespace, without_payload},
    engine::Handshake,
    server::{Socket, SocketCore},
    text::Text,
};
use axum_core::{extract::FromRequestParts, response::IntoResponse};
use http::request::Parts;
use serde::de::DeserializeOwned;
use std::{any::Any, fmt, future::Future, sync::Arc};

/// A connection attempt to a namespace, as extractors see it.
///
/// ```
/// use socketio::{ConnectError, ConnectParts, FromConnect};
/// # use socketio::{SocketIo, namespace, test::Client};
/// use http::HeaderValue;
///
/// /// Where the client comes from, from one of several places.
/// struct Origin(String);
///
/// impl<N: ?Sized, S: Sync> FromConnect<N, S> for Origin {
///     async fn from_connect(parts: &mut ConnectParts, _: &S) -> Result<Self, ConnectError> {
///         if parts.path() == "/open" {
///             parts.socket::<N>().join("visitors");
///         }
///         if parts.auth().contains("guest") {
///             return Ok(Origin("guest".to_owned()));
///         }
///         let header = parts.handshake().header("x-from").ok_or("say where you come from")?;
///         let origin = String::from_utf8_lossy(header).into_owned();
///         // The extractors that follow see it, axum's included.
///         parts.request_mut().headers.insert("x-checked", HeaderValue::from_static("yes"));
///         Ok(Origin(origin))
///     }
/// }
///
/// #[namespace("/open", auth = serde_json::Value)]
/// trait Open { #[event] async fn origin(&self) -> String; }
/// # struct Session(String);
/// # impl Open for Session { async fn origin(&self) -> String { self.0.clone() } }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let connect = async |Origin(origin): Origin, headers: http::HeaderMap| {
/// #     Ok::<_, ConnectError>(Session(format!("{origin} {}", headers.contains_key("x-checked"))))
/// # };
/// # let io = SocketIo::builder().namespace::<dyn Open, _>(connect).build();
/// # let guest = Client::<dyn Open>::connect(&io).auth_raw(serde_json::json!({ "as": "guest" })).await.unwrap();
/// # assert_eq!(guest.emit().origin().await.as_deref(), Ok("guest false"));
/// # let other = Client::<dyn Open>::connect(&io).header("x-from", "home").await.unwrap();
/// # assert_eq!(other.emit().origin().await.as_deref(), Ok("home true"));
/// # assert!(Client::<dyn Open>::connect(&io).await.is_err());
/// # assert_eq!(io.of::<dyn Open>().to("visitors").fetch_sockets().await.unwrap().len(), 2);
/// # });
/// ```
pub struct ConnectParts {
    socket: Arc<SocketCore>,
    /// Set for a client that comes back: its new connection, and its session so far.
    again: Option<Box<Again>>,
    /// The handshake request, made when the first extractor asks for it.
    request: Option<Parts>,
}

struct Again {
    handshake: Arc<Handshake>,
    auth: Text,
    session: Option<Arc<dyn Any + Send + Sync>>,
}

impl fmt::Debug for ConnectParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectParts").field("socket", &self.socket).finish_non_exhaustive()
    }
}

impl ConnectParts {
    pub(crate) fn new(socket: Arc<SocketCore>) -> Self {
        ConnectParts { socket, again: None, request: None }
    }

    /// A client comes back to `socket`, with a connection and an `auth` payload of now; those of `socket` are of its first
    /// connection.
    pub(crate) fn again(
        socket: Arc<SocketCore>,
        handshake: Arc<Handshake>,
        auth: Text,
        session: Option<Arc<dyn Any + Send + Sync>>,
    ) -> Self {
        ConnectParts { socket, again: Some(Box::new(Again { handshake, auth, session })), request: None }
    }

    pub(crate) fn core(&self) -> &Arc<SocketCore> {
        &self.socket
    }

    /// The HTTP request that opened the connection.
    pub fn handshake(&self) -> &Handshake {
        self.again.as_ref().map_or_else(|| self.socket.handshake(), |again| &again.handshake)
    }

    /// The same request in the form that axum's extractors take. Changes are seen by the extractors that follow.
    pub fn request_mut(&mut self) -> &mut Parts {
        let handshake = self.again.as_ref().map_or_else(|| self.socket.handshake(), |again| &again.handshake);
        self.request.get_or_insert_with(|| handshake.to_parts())
    }

    /// The path of the namespace, as the client spelled it.
    pub fn path(&self) -> &str {
        self.socket.path()
    }

    /// The JSON text of the `auth` payload; `{}` if the client sent none.
    pub fn auth(&self) -> &Text {
        self.again.as_ref().map_or_else(|| self.socket.auth(), |again| &again.auth)
    }

    /// The socket that is being connected.
    pub fn socket<N: ?Sized>(&self) -> Socket<N> {
        Socket::new(Arc::clone(&self.socket))
    }
}

/// The session of a client that comes back, for connect functions that run again; see
/// [`Recovery::connect_again`](crate::Recovery::connect_again). `None` for a new client, and for one whose session was of
/// another type.
///
/// ```
/// use socketio::{ConnectError, Recovered, Recovery, Socket, SocketIo, namespace};
/// use std::sync::{Arc, Mutex};
///
/// #[namespace("/")]
/// trait Cart {
///     #[event]
///     async fn add(&self, item: String) -> usize;
/// }
///
/// struct Session { items: Arc<Mutex<Vec<String>>> }
///
/// impl Cart for Session {
///     async fn add(&self, item: String) -> usize {
///         let mut items = self.items.lock().unwrap();
///         items.push(item);
///         items.len()
///     }
/// }
///
/// async fn connect(socket: Socket<dyn Cart>, Recovered(so_far): Recovered<Session>) -> Result<Session, ConnectError> {
///     assert_eq!(socket.recovered(), so_far.is_some());
///     Ok(Session { items: so_far.map(|session| Arc::clone(&session.items)).unwrap_or_default() })
/// }
///
/// let recovery = Recovery::new().connect_again(true);
/// let io = SocketIo::builder().connection_state_recovery(recovery).namespace::<dyn Cart, _>(connect).build();
/// ```
#[derive(Debug, Clone)]
pub struct Recovered<T>(pub Option<Arc<T>>);

impl<N: ?Sized, S: Sync, T: Send + Sync + 'static> FromConnect<N, S> for Recovered<T> {
    async fn from_connect(parts: &mut ConnectParts, _: &S) -> Result<Self, ConnectError> {
        let session = parts.again.as_ref().and_then(|again| again.session.clone());
        Ok(Recovered(session.and_then(|session| session.downcast().ok())))
    }
}

mod via {
    #[derive(Debug)]
    pub enum Own {}
    #[derive(Debug)]
    pub enum Axum {}
}

/// An argument of a connect handler for namespace `N` with state `S`.
///
/// For your own extractors prefer axum's `FromRequestParts`; implement this trait if you need the socket or the `auth`
/// payload. `M` tells the two apart and is always inferred.
///
/// ```
/// # use socketio::{SocketIo, namespace, test::Client};
/// use socketio::{ConnectError, ConnectParts, FromConnect, Socket};
///
/// /// The language that the client names in its `auth` payload; English otherwise.
/// struct Language(String);
///
/// impl<N: ?Sized, S: Sync> FromConnect<N, S> for Language {
///     async fn from_connect(parts: &mut ConnectParts, _: &S) -> Result<Self, ConnectError> {
///         let auth: serde_json::Value = serde_json::from_str(parts.auth()).map_err(|_| ConnectError::new("no JSON"))?;
///         let language = auth["language"].as_str().unwrap_or("en");
///         parts.socket::<N>().join(format!("language {language}"));
///         Ok(Language(language.to_owned()))
///     }
/// }
///
/// #[namespace("/news", auth = serde_json::Value)]
/// trait News {
///     #[event]
///     async fn language(&self) -> String;
/// }
///
/// struct Reader(String);
///
/// impl News for Reader {
///     async fn language(&self) -> String {
///         self.0.clone()
///     }
/// }
///
/// async fn connect(Language(language): Language) -> Result<Reader, ConnectError> {
///     Ok(Reader(language))
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let io = SocketIo::builder().namespace::<dyn News, _>(connect).build();
/// # let client = Client::<dyn News>::connect(&io).auth(serde_json::json!({ "language": "no" })).await.unwrap();
/// # assert_eq!(client.emit().language().await.as_deref(), Ok("no"));
/// # assert_eq!(io.of::<dyn News>().to("language no").fetch_sockets().await.unwrap().len(), 1);
/// # });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a connect extractor for `{N}`",
    label = "an argument of this connect handler is not an extractor",
    note = "connect handlers take `Socket<{N}>`, `Auth<T>` if the namespace declares `auth = T`, `NsPath<T>` for `T: DeserializeOwned`, `Recovered<T>` for the session of a client that comes back, and any axum `FromRequestParts` extractor (`State`, `HeaderMap`, `Query`, `Extension`, ...), but none that reads a body",
    note = "`State<T>` takes what `.with_state(..)` was given before this namespace, here `{S}` (`()` without one): `T` is that type, or a part of it with `impl FromRef<{S}> for T`"
)]
pub trait FromConnect<N: ?Sized, S, M = via::Own>: Sized {
    /// Extracts the value, or refuses the client.
    fn from_connect(parts: &mut ConnectParts, state: &S) -> impl Future<Output = Result<Self, ConnectError>> + Send;
}

impl<N: ?Sized, S: Sync> FromConnect<N, S> for Socket<N> {
    async fn from_connect(parts: &mut ConnectParts, _: &S) -> Result<Self, ConnectError> {
        Ok(parts.socket())
    }
}

/// The typed `auth` payload of the CONNECT packet. A payload of another shape refuses the client.
///
/// ```
/// # use socketio::{SocketIo, test::Client};
/// use socketio::{Auth, ConnectError, namespace};
///
/// #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
/// struct Login {
///     name: String,
/// }
///
/// #[namespace("/me", auth = Login)]
/// trait Me {
///     #[event]
///     async fn name(&self) -> String;
/// }
///
/// struct User(String);
///
/// impl Me for User {
///     async fn name(&self) -> String {
///         self.0.clone()
///     }
/// }
///
/// async fn connect(Auth(login): Auth<Login>) -> Result<User, ConnectError> {
///     Ok(User(login.name))
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let io = SocketIo::builder().namespace::<dyn Me, _>(connect).build();
/// # let client = Client::<dyn Me>::connect(&io).auth(Login { name: "ann".to_owned() }).await.unwrap();
/// # assert_eq!(client.emit().name().await.as_deref(), Ok("ann"));
/// # assert!(Client::<dyn Me>::connect(&io).auth_raw("7").await.is_err());
/// # });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Auth<T>(pub T);

impl<N, S, T> FromConnect<N, S> for Auth<T>
where
    N: Namespace<Auth = T> + ?Sized,
    S: Sync,
    T: DeserializeOwned,
{
    async fn from_connect(parts: &mut ConnectParts, _: &S) -> Result<Self, ConnectError> {
        let decoded = serde_json::from_str(parts.auth()).or_else(|error| match parts.auth().as_str() {
            // A payload that was left out reads as `{}`; for an optional type it is `None`.
            "{}" => serde_json::from_str("null").map_err(|_| error),
            _ => Err(error),
        });
        decoded.map(Auth).map_err(|error| ConnectError::new(format!("invalid auth: {}", without_payload(&error))))
    }
}

#[diagnostic::do_not_recommend]
impl<N: ?Sized, S: Send + Sync, T: FromRequestParts<S>> FromConnect<N, S, via::Axum> for T {
    async fn from_connect(parts: &mut ConnectParts, state: &S) -> Result<Self, ConnectError> {
        let refused = match T::from_request_parts(parts.request_mut(), state).await {
            Ok(value) => return Ok(value),
            Err(rejection) => rejection.into_response(),
        };
        Err(ConnectError::from_response(refused).await)
    }
}
