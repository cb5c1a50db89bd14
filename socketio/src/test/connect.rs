//! `Connect`: how a client introduces itself.

use super::{
    client::Client,
    link::{Link, Status},
    task::Task,
    wire::{Wire, packets},
};
use crate::{
    contract::{self, BoxFuture, Handler, Namespace, Serve},
    engine::FAR_FUTURE,
    extract::ConnectError,
    parser::encode_connect,
    server::SocketIo,
};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use std::{fmt, future::IntoFuture, marker::PhantomData, sync::Arc, time::Duration};
use tokio::{task::JoinHandle, time::timeout};

/// How long a client waits for anything, unless [`Connect::timeout`] says something else.
const PATIENCE: Duration = Duration::from_secs(5);

/// A client that is about to connect: awaiting it does. Made by [`Client::connect`].
///
/// ```
/// # use socketio::{Auth, ConnectError, SocketIo, namespace, test::Client};
/// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
/// # struct Login { name: String }
/// # #[namespace("/", auth = Login)]
/// # trait Main {}
/// # struct Session;
/// # impl Main for Session {}
/// async fn connect(Auth(login): Auth<Login>) -> Result<Session, ConnectError> {
///     if login.name.is_empty() { Err(ConnectError::new("who are you?")) } else { Ok(Session) }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let io = SocketIo::builder().namespace::<dyn Main, _>(connect).build();
/// let login = |name: &str| Login { name: name.into() };
/// let ann = Client::<dyn Main>::connect(&io).auth(login("ann")).header("user-agent", "test").query("v", "1").await;
/// assert!(ann.unwrap().is_connected());
/// let refused = Client::<dyn Main>::connect(&io).auth(login("")).await.unwrap_err();
/// assert_eq!(refused.message(), "who are you?");
/// # }
/// ```
#[must_use = "a client connects when this is awaited"]
pub struct Connect<N: ?Sized> {
    io: SocketIo,
    path: String,
    auth: Option<String>,
    headers: HeaderMap,
    query: Vec<(String, String)>,
    extensions: Extensions,
    handler: Option<Handler>,
    patience: Duration,
    name: PhantomData<fn(&N)>,
}

impl<N: ?Sized> fmt::Debug for Connect<N> {
    /// Shows neither the payload nor the headers: they can hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect").field("path", &self.path).finish_non_exhaustive()
    }
}

impl<N: Namespace + ?Sized> Connect<N> {
    pub(super) fn new(io: &SocketIo) -> Self {
        Connect {
            io: io.clone(),
            path: N::PATH.to_owned(),
            auth: None,
            headers: HeaderMap::new(),
            query: Vec::new(),
            extensions: Extensions::new(),
            handler: None,
            patience: PATIENCE,
            name: PhantomData,
        }
    }

    /// The `auth` payload. Default none.
    ///
    /// # Panics
    /// It cannot be serialized.
    #[track_caller]
    pub fn auth(self, auth: N::Auth) -> Self {
        self.auth_raw(auth)
    }

    /// An `auth` payload of any type, such as one that the server is to refuse.
    ///
    /// # Panics
    /// It cannot be serialized.
    #[track_caller]
    pub fn auth_raw(mut self, auth: impl Serialize) -> Self {
        self.auth = Some(serde_json::to_string(&auth).expect("the `auth` payload can be serialized"));
        self
    }

    /// The path of the namespace, needed for a dynamic one: `/org/acme` for `/org/{id}`. Default the path of `N`.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Adds a header to every HTTP request.
    ///
    /// # Panics
    /// HTTP does not allow the name or the value.
    #[track_caller]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("the header has a legal name");
        self.headers.append(name, HeaderValue::from_str(value).expect("the header has a legal value"));
        self
    }

    /// Adds a parameter to the query of every HTTP request.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds what an HTTP layer in front of the server would attach to every request, for `axum::Extension` and the like.
    pub fn extension<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.extensions.insert(value);
        self
    }

    /// Handles the events of the server; what it returns is the acknowledgement. Events are recorded all the same.
    ///
    /// A handler that panics, or an event that does not fit, makes the next wait of the client panic, and its drop at the
    /// latest. Default no handler: events are recorded and not acknowledged.
    pub fn handler<H>(mut self, handler: H) -> Self
    where
        N::Emits: Serve<H>,
        H: Send + Sync + 'static,
    {
        self.handler = Some(contract::handler::<N::Emits, H>(handler));
        self
    }

    /// How long to wait for the connection, for each acknowledgement and for each event. Default 5 s of tokio's time.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.patience = timeout.min(FAR_FUTURE);
        self
    }

    fn plan(self) -> (Plan, Arc<Link>) {
        let mut target = form_urlencoded::Serializer::new(format!("{}?EIO=4&transport=polling", self.io.path()));
        // What is in front of the query is kept as it is.
        target.extend_pairs(&self.query);
        let wire = Wire { service: self.io.service(), target: target.finish(), headers: self.headers, extensions: self.extensions };
        let link = Arc::new(Link::new(self.path, self.patience, self.io.spelling().clone()));
        (Plan { wire: Arc::new(wire), auth: self.auth, handler: self.handler }, link)
    }
}

impl<N: Namespace + ?Sized> IntoFuture for Connect<N> {
    type Output = Result<Client<N>, ConnectError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (plan, link) = self.plan();
            let running = plan.connect(&link).await?;
            Ok(Client::new(plan, link, running))
        })
    }
}

/// What is needed to connect, once and again.
pub(super) struct Plan {
    wire: Arc<Wire>,
    /// JSON text.
    auth: Option<String>,
    handler: Option<Handler>,
}

impl Plan {
    /// Opens a session and joins the namespace.
    pub(super) async fn connect(&self, link: &Arc<Link>) -> Result<Running, ConnectError> {
        let late = || ConnectError::new(format!("the server did not answer within {:?}", link.patience));
        let session = timeout(link.patience, self.wire.open()).await.map_err(|_| late())??;
        let connect = packets(&link.spelling, encode_connect(&link.path, self.auth.as_deref()));
        link.change(|state| state.begin(connect));
        let task = Task::new(Arc::clone(link), Arc::clone(&self.wire), session, self.handler.clone());
        let running = Running(tokio::spawn(task.run()));
        let answered = link.wait(|state| match &state.status {
            Status::Connecting => None,
            status => Some(status.clone()),
        });
        match answered.await {
            Some(Status::Connected) => Ok(running),
            Some(Status::Refused(error)) => Err(error),
            Some(_) => Err(ConnectError::new("the server closed the connection")),
            None => Err(late()),
        }
    }
}

/// The task of a client, which ends with its owner.
pub(super) struct Running(pub(super) JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}
