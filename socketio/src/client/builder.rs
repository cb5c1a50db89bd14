//! `Connect` and `Join`: what a client says of itself before it connects, or joins one more namespace.

use super::{
    handle::{Client, Membership, Owner},
    link::Beginning,
    manager::{ConnectError, Limits, Reconnect, Settings, Status},
    shared::{AuthSource, Plan, Shared},
    task::Task,
    transport::{Address, Dialer, Jar, connector},
    untyped::by_name,
};
use crate::{
    contract::{self, BoxFuture, Handler, Namespace, Rejection, Serve},
    engine::{FAR_FUTURE, Transport},
    parser,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use parking_lot::Mutex;
use serde::Serialize;
use std::{
    collections::HashMap,
    fmt,
    future::{Future, IntoFuture},
    marker::PhantomData,
    sync::Arc,
    time::Duration,
};

/// How long a close waits for what is queued; then the connection is dropped.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// A client that is about to connect: awaiting it does. Made by [`Client::connect`].
///
/// A setting that cannot be used, such as an illegal header, is reported when this is awaited.
///
/// ```
/// # use socketio::{SocketIo, client::Reconnect, namespace};
/// # use std::time::Duration;
/// # #[namespace("/")]
/// # trait Main {
/// #     #[event]
/// #     async fn double(&self, number: u32) -> u32;
/// # }
/// # struct Session;
/// # impl Main for Session { async fn double(&self, number: u32) -> u32 { 2 * number } }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let io = SocketIo::builder().shared::<dyn Main>(Session).build();
/// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
/// # let url = format!("http://{}", listener.local_addr().unwrap());
/// # tokio::spawn(async move { axum::serve(listener, axum::Router::new().layer(io.layer())).await });
/// let client = socketio::Client::<dyn Main>::connect(url)
///     .header("user-agent", "counter/1.0")
///     .query("room", "7")
///     .timeout(Duration::from_secs(5))
///     .reconnect(Reconnect::new().max_delay(Duration::from_secs(60)))
///     .await
///     .unwrap();
/// assert_eq!(client.emit().double(4).await, Ok(8));
/// # }
/// ```
#[must_use = "a client connects when this is awaited"]
pub struct Connect<N: ?Sized> {
    url: String,
    path: String,
    headers: HeaderMap,
    query: Vec<(String, String)>,
    cookies: bool,
    roots: Vec<Vec<u8>>,
    transports: Vec<Transport>,
    timeout: Duration,
    max_payload_bytes: usize,
    settings: Settings,
    join: Join<N>,
}

impl<N: ?Sized> fmt::Debug for Connect<N> {
    /// Shows neither payloads nor headers nor the query: they can hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect").field("path", &self.path).field("transports", &self.transports).finish_non_exhaustive()
    }
}

impl<N: Namespace + ?Sized> Connect<N> {
    pub(super) fn new(url: String) -> Self {
        let settings = Settings {
            reconnect: Reconnect::default(),
            retry_first: false,
            retries: None,
            ack_timeout: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(20),
            close_timeout: CLOSE_TIMEOUT,
            buffer: Limits { items: 10_000, bytes: 16 << 20 },
            packets: parser::Limits::default(),
        };
        Connect {
            url,
            path: "/socket.io".to_owned(),
            headers: HeaderMap::new(),
            query: Vec::new(),
            cookies: true,
            roots: Vec::new(),
            transports: vec![Transport::Polling, Transport::WebSocket],
            timeout: Duration::from_secs(20),
            max_payload_bytes: 64 << 20,
            settings,
            join: Join::new(None),
        }
    }

    /// The `auth` payload, a JSON object. Default none. `auth`.
    pub fn auth(mut self, auth: N::Auth) -> Self {
        self.join = self.join.auth(auth);
        self
    }

    /// An `auth` payload of any type that is a JSON object.
    pub fn auth_raw(mut self, auth: impl Serialize) -> Self {
        self.join = self.join.auth_raw(auth);
        self
    }

    /// Makes the `auth` payload for each connection, such as one with a token that expires. `auth` as a function.
    ///
    /// An `Err` ends the attempt to join for good: [`ConnectError::AuthPayload`].
    pub fn auth_with<F, Fut, E>(mut self, auth: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<N::Auth, E>> + Send + 'static,
        E: fmt::Display,
    {
        self.join = self.join.auth_with(auth);
        self
    }

    /// Handles the events of the server; what it returns is the acknowledgement. Handlers start in the order in which the
    /// events arrived. Default none: events are ignored.
    pub fn handler<H>(mut self, handler: H) -> Self
    where
        N::Emits: Serve<H>,
        H: Send + Sync + 'static,
    {
        self.join = self.join.handler(handler);
        self
    }

    /// Sees events that did not fit, and handlers that panicked. Default: they are logged.
    pub fn on_rejection(mut self, hook: impl Fn(&Rejection) + Send + Sync + 'static) -> Self {
        self.join = self.join.on_rejection(hook);
        self
    }

    /// The path of the namespace, needed for a dynamic one: `/org/acme` for `/org/{id}`. Default the path of `N`.
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.join = self.join.at(path);
        self
    }

    pub(super) fn with_join(mut self, change: impl FnOnce(Join<N>) -> Join<N>) -> Self {
        self.join = change(self.join);
        self
    }
}

impl<N: ?Sized> Connect<N> {
    /// Adds a header to every HTTP request, those that open a WebSocket included. `extraHeaders`.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            (Ok(name), Ok(value)) => drop(self.headers.append(name, value)),
            // Not the value: it may be a secret.
            _ => self.join.complain(ConnectError::Setting(format!("HTTP does not allow the header `{name}` or its value"))),
        }
        self
    }

    /// Adds a parameter to the query of every HTTP request. `query`.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Whether cookies of the server are sent back, as sticky load balancers want it. They live as long as the client. Default
    /// true; `withCredentials`, whose default is false.
    pub fn cookies(mut self, keep: bool) -> Self {
        self.cookies = keep;
        self
    }

    /// The path of the endpoint. `path`, default `/socket.io`.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// The transports, in the order in which they are used: the first one opens the session, and polling is left for a
    /// WebSocket if that is listed too. `transports`, default polling, then WebSocket.
    pub fn transports(mut self, transports: impl IntoIterator<Item = Transport>) -> Self {
        self.transports = transports.into_iter().collect();
        self
    }

    /// Trusts these certificates too, in PEM form, such as that of a private authority. Default only those of Mozilla's
    /// list. `ca`.
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// When a lost connection is tried again. `reconnection`, `reconnectionDelay` and so on; default [`Reconnect::new`].
    pub fn reconnect(mut self, policy: Reconnect) -> Self {
        self.settings.reconnect = policy;
        self
    }

    /// Whether a first attempt that fails is repeated like any later one. Default false: awaiting this fails. The JavaScript
    /// client repeats it.
    pub fn retry_first(mut self, retry: bool) -> Self {
        self.settings.retry_first = retry;
        self
    }

    /// How long each attempt to connect may take, and each answer of a namespace. `timeout`, default 20 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        let timeout = timeout.min(FAR_FUTURE);
        (self.timeout, self.settings.connect_timeout) = (timeout, timeout);
        self
    }

    /// How long to wait for each acknowledgement, unless [`Client::timeout`] says something else. `ackTimeout`, default 20 s;
    /// none in JavaScript.
    pub fn ack_timeout(mut self, timeout: Duration) -> Self {
        self.settings.ack_timeout = timeout.min(FAR_FUTURE);
        self
    }

    /// Sends each event until it is acknowledged, one after the other, and up to so many times again: *at least once*. A
    /// handler on the server may then run twice. Each try waits for [`ack_timeout`](Self::ack_timeout). Volatile events are sent
    /// once. `retries`, default off.
    pub fn retries(mut self, retries: u32) -> Self {
        self.settings.retries = Some(retries);
        self
    }

    /// How much may wait to be sent, for each namespace, while there is no connection; as many bytes may wait for a server
    /// that does not read. More is refused with [`EmitError::Full`](crate::EmitError::Full). Default 10 000 events and
    /// 16 MiB; no limit in JavaScript.
    pub fn buffer_limit(mut self, events: usize, bytes: usize) -> Self {
        self.settings.buffer = Limits { items: events, bytes };
        self
    }

    /// The largest message of the server, and the largest answer to a poll. Default 64 MiB; no limit in JavaScript.
    pub fn max_payload(mut self, bytes: usize) -> Self {
        self.max_payload_bytes = bytes;
        self
    }

    /// How many attachments an event of the server may have. Default 10, as in JavaScript.
    pub fn max_attachments(mut self, attachments: usize) -> Self {
        self.settings.packets.max_attachments = attachments;
        self
    }

    fn dialer(&self) -> Result<(Dialer, Beginning), ConnectError> {
        let setting = |what: &str| ConnectError::Setting(what.to_owned());
        let address = Address::parse(&self.url)?;
        let transport = *self.transports.first().ok_or_else(|| setting("at least one transport is needed"))?;
        let upgrade = self.transports.contains(&Transport::WebSocket);
        if !self.path.starts_with('/') {
            return Err(setting(&format!("the path `{0}` does not start with `/`: write `/{0}`", self.path)));
        }
        let tls = if address.secure { Some(connector(&self.roots)?) } else { None };
        let path = self.path.trim_end_matches('/');
        let given = address.query.as_deref().map(|query| format!("&{query}")).unwrap_or_default();
        // What is in front of the new parameters is kept as it is.
        let mut target = form_urlencoded::Serializer::new(format!("{path}/?EIO=4{given}"));
        target.extend_pairs(&self.query);
        let dialer = Dialer {
            address,
            tls,
            target: target.finish(),
            headers: self.headers.clone(),
            jar: self.cookies.then(|| Mutex::new(Jar::default())),
            max_payload_bytes: self.max_payload_bytes,
        };
        Ok((dialer, Beginning { transport, upgrade, timeout: self.timeout }))
    }
}

impl<N: Namespace + ?Sized> IntoFuture for Connect<N> {
    type Output = Result<Client<N>, ConnectError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    /// # Panics
    /// There is no tokio runtime.
    ///
    /// # Cancel safety
    /// Dropping the future ends the attempt.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (dialer, beginning) = self.dialer()?;
            let plan = self.join.plan()?;
            let shared = Shared::new(self.settings.clone());
            let task = Task::new(Arc::clone(&shared), Arc::new(dialer), beginning);
            let owner = Owner::new(shared, tokio::spawn(task.run()), self.settings.ack_timeout);
            joined(owner, plan).await
        })
    }
}

/// A namespace that is about to be joined over a connection that exists: awaiting it does. Made by [`Client::of`].
#[must_use = "a namespace is joined when this is awaited"]
pub struct Join<N: ?Sized> {
    owner: Option<Arc<Owner>>,
    plan: Plan,
    /// Handlers by name, of a namespace without a contract.
    pub(super) named: HashMap<String, Handler>,
    problem: Option<ConnectError>,
    name: PhantomData<fn(&N)>,
}

impl<N: ?Sized> fmt::Debug for Join<N> {
    /// Does not show the payload: it can hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Join").field("path", &self.plan.path).finish_non_exhaustive()
    }
}

impl<N: ?Sized> Join<N> {
    /// The first problem is the one to tell.
    fn complain(&mut self, problem: ConnectError) {
        self.problem.get_or_insert(problem);
    }

    fn plan(mut self) -> Result<Plan, ConnectError> {
        if !self.named.is_empty() {
            self.plan.handler = Some(by_name(self.named, self.plan.handler));
        }
        match self.problem {
            Some(problem) => Err(problem),
            None if !self.plan.path.starts_with('/') => {
                Err(ConnectError::Setting("a namespace without a contract needs a path: `.at(\"/path\")`".to_owned()))
            }
            None if self.plan.path.contains(['{', ',', '?']) => {
                let path = self.plan.path;
                Err(ConnectError::Setting(format!("`{path}` is no path of a namespace: give one with `.at(\"/path\")`")))
            }
            None => Ok(self.plan),
        }
    }
}

impl<N: Namespace + ?Sized> Join<N> {
    pub(super) fn new(owner: Option<Arc<Owner>>) -> Self {
        let path = if N::PATH.is_empty() { "/" } else { N::PATH };
        let plan = Plan { path: path.to_owned(), auth: AuthSource::Fixed(None), handler: None, on_rejection: None };
        Join { owner, plan, named: HashMap::new(), problem: None, name: PhantomData }
    }

    /// See [`Connect::auth`].
    pub fn auth(self, auth: N::Auth) -> Self {
        self.auth_raw(auth)
    }

    /// See [`Connect::auth_raw`].
    pub fn auth_raw(mut self, auth: impl Serialize) -> Self {
        match serde_json::to_string(&auth) {
            Ok(json) => self.plan.auth = AuthSource::Fixed(Some(json)),
            Err(error) => self.complain(ConnectError::AuthPayload(error.to_string())),
        }
        self
    }

    /// See [`Connect::auth_with`].
    pub fn auth_with<F, Fut, E>(mut self, auth: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<N::Auth, E>> + Send + 'static,
        E: fmt::Display,
    {
        self.plan.auth = AuthSource::Fresh(Arc::new(move || {
            let auth = auth();
            Box::pin(async move {
                let auth = auth.await.map_err(|error| error.to_string())?;
                serde_json::to_string(&auth).map(Some).map_err(|error| error.to_string())
            })
        }));
        self
    }

    /// See [`Connect::handler`].
    pub fn handler<H>(mut self, handler: H) -> Self
    where
        N::Emits: Serve<H>,
        H: Send + Sync + 'static,
    {
        self.plan.handler = Some(contract::handler::<N::Emits, H>(handler));
        self
    }

    /// See [`Connect::on_rejection`].
    pub fn on_rejection(mut self, hook: impl Fn(&Rejection) + Send + Sync + 'static) -> Self {
        self.plan.on_rejection = Some(Arc::new(hook));
        self
    }

    /// See [`Connect::at`].
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.plan.path = path.into();
        self
    }
}

impl<N: Namespace + ?Sized> IntoFuture for Join<N> {
    type Output = Result<Client<N>, ConnectError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    /// # Cancel safety
    /// Dropping the future leaves the namespace.
    fn into_future(mut self) -> Self::IntoFuture {
        Box::pin(async move {
            let owner = self.owner.take().expect("invariant: only `Client::of` hands out joins to be awaited");
            let plan = self.plan()?;
            joined(owner, plan).await
        })
    }
}

/// Joins, and waits for the answer.
async fn joined<N: ?Sized>(owner: Arc<Owner>, plan: Plan) -> Result<Client<N>, ConnectError> {
    let space = owner.shared.join(plan)?;
    let client = Client::new(Membership::new(owner, space));
    client.settled().await?;
    Ok(client)
}

/// What a status says of an attempt to join; `None`: nothing yet.
pub(super) fn verdict(status: &Status) -> Option<Result<(), ConnectError>> {
    match status {
        Status::Connecting | Status::Reconnecting { .. } => None,
        Status::Connected { .. } => Some(Ok(())),
        Status::Refused(error) | Status::GaveUp(error) => Some(Err(error.clone())),
        Status::Disconnected(end) if end.is_final() => Some(Err(ConnectError::Closed)),
        Status::Disconnected(_) => None,
    }
}
