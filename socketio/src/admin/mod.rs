//! The server's side of the official [Admin UI](https://socket.io/docs/v4/admin-ui/): a namespace that shows what happens.
//!
//! ```text
//!  server --Watch----> Desk --socket_connected, room_joined, event_sent ...--> admins (namespace `/admin`)
//!  server --Measured-> Desk --server_stats, every 2 s while an admin is there--> admins
//!  admins --emit, join, leave, _disconnect--> Panel --> the namespaces of the server
//! ```
//! `Admin`: what users set. `desk`: what all admins share. `panel`: one of them. `login`: who may come in. `wire`: the shapes.
//! Not here: the page itself, which is the npm package `@socket.io/admin-ui`. The guide is `docs/admin.md`.

mod desk;
mod login;
mod panel;
mod wire;

pub use login::{Credentials, SessionStore};

use crate::{
    contract::Untyped,
    engine::Handshake,
    extract::ConnectError,
    server::{Builder, Socket},
};
use desk::Desk;
use login::{Gate, Login, Sessions};
use panel::Panel;
use std::{fmt, future::Future, sync::Arc};

type Address = dyn Fn(&Handshake) -> Option<String> + Send + Sync;

/// Lets the official Admin UI look at the server, and act on it; see [`Builder::admin`].
///
/// ```
/// use socketio::{Cors, SocketIo, admin::Admin};
/// # #[socketio::namespace("/")] trait Main {}
/// # struct Session;
/// # impl Main for Session {}
///
/// let io = SocketIo::builder()
///     .shared::<dyn Main>(Session)
///     // "changeit"; made with `htpasswd -nbB admin changeit`, for example.
///     .admin(Admin::basic_auth("admin", "$2b$10$heqvAkYMez.Va6Et2uXInOnkCT6/uQj1brkrbyG3LpopDklcq7ZOS"))
///     // Only for the page that socket.io hosts; your own copy of it needs nothing, if it has the server's origin.
///     .cors(Cors::new().allow_origin("https://admin.socket.io").allow_credentials(true))
///     .build();
/// assert_eq!(io.namespaces(), ["/", "/admin"]);
/// ```
#[must_use = "hand it to `Builder::admin`"]
pub struct Admin {
    login: Login,
    namespace: String,
    read_only: bool,
    production: bool,
    server_id: Option<String>,
    sessions: Sessions,
    address: Option<Box<Address>>,
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin")
            .field("namespace", &self.namespace)
            .field("read_only", &self.read_only)
            .field("production", &self.production)
            .finish_non_exhaustive()
    }
}

impl Admin {
    fn new(login: Login) -> Self {
        Admin {
            login,
            namespace: "/admin".into(),
            read_only: false,
            production: false,
            server_id: None,
            sessions: Sessions::default(),
            address: None,
        }
    }

    /// For who knows this name and the password of this bcrypt hash (`$2a$`, `$2b$` or `$2y$`). `auth: { type: "basic" }`; the hashes
    /// are those of the JavaScript server. What is no hash is an error of [`Builder::try_build`].
    pub fn basic_auth(username: impl Into<String>, bcrypt_hash: impl Into<String>) -> Self {
        Admin::new(Login::Basic { username: username.into(), hash: bcrypt_hash.into() })
    }

    /// For whom this function lets in: another hash, a directory, a database. A panic lets nobody in.
    ///
    /// ```
    /// use socketio::admin::{Admin, Credentials};
    ///
    /// # async fn is_operator(_: &str, _: &str) -> bool { true }
    /// let admin = Admin::checked_by(|login: Credentials| async move {
    ///     is_operator(&login.username, &login.password).await
    /// });
    /// # let _ = admin;
    /// ```
    pub fn checked_by<F, Fut>(check: F) -> Self
    where
        F: Fn(Credentials) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = bool> + Send + 'static,
    {
        Admin::new(Login::Check(Box::new(move |credentials| Box::pin(check(credentials)))))
    }

    /// For everybody who reaches the server. `auth: false`.
    pub fn without_auth() -> Self {
        Admin::new(Login::Open)
    }

    /// The path of the namespace. `namespaceName`, default `/admin`.
    pub fn namespace(mut self, path: impl Into<String>) -> Self {
        self.namespace = path.into();
        self
    }

    /// Admins may look and nothing else. `readonly`, default false.
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }

    /// Sends statistics only: neither sockets and rooms nor events, which cost something for each of them. `mode: "production"`,
    /// default false: everything.
    pub fn production(mut self, production: bool) -> Self {
        self.production = production;
        self
    }

    /// What this server is called. `serverId`, default the name of its host with the number of its process.
    pub fn server_id(mut self, id: impl Into<String>) -> Self {
        self.server_id = Some(id.into());
        self
    }

    /// Where the sessions of admins who have logged in are kept, so that they need not do it again when they reconnect. `store`,
    /// default in this process, for a day and for 1000 of them.
    pub fn session_store(mut self, store: impl SessionStore) -> Self {
        self.sessions = Sessions::Elsewhere(Box::new(store));
        self
    }

    /// How to tell the address of a client. Default the headers `cf-connecting-ip` and `x-forwarded-for`, then a
    /// [`SocketAddr`](std::net::SocketAddr) that a layer has put into the request's extensions.
    ///
    /// ```
    /// use axum::extract::ConnectInfo;
    /// use socketio::admin::Admin;
    /// use std::net::SocketAddr;
    ///
    /// // With `into_make_service_with_connect_info::<SocketAddr>()`.
    /// let admin = Admin::without_auth()
    ///     .address(|request| request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.to_string()));
    /// # let _ = admin;
    /// ```
    pub fn address(mut self, address: impl Fn(&Handshake) -> Option<String> + Send + Sync + 'static) -> Self {
        self.address = Some(Box::new(address));
        self
    }
}

impl<S: Clone + Send + Sync + 'static> Builder<S> {
    /// Adds a namespace that the official Admin UI understands. `instrument(io, ..)`. Needs the feature `admin`. Once for each
    /// server: of several, the last one is told what happens.
    ///
    /// While no admin is connected, each event costs a look at that; while one is, and not in [production mode](Admin::production),
    /// admins are told of every event, with its arguments.
    pub fn admin(mut self, admin: Admin) -> Self {
        let Admin { login, namespace, read_only, production, server_id, sessions, address } = admin;
        let gate = Arc::new(Gate::new(login, sessions));
        let desk = Desk::new(namespace.clone(), read_only, production, server_id, address, Arc::clone(&gate));
        self.watch = Some(Arc::clone(&desk) as _);
        let metrics = Arc::clone(&desk);
        let connect = move |socket: Socket<Untyped>| {
            let (gate, desk) = (Arc::clone(&gate), Arc::clone(&desk));
            async move {
                let Some(session) = gate.admits(socket.auth_json()).await else {
                    return Err(ConnectError::new("invalid credentials"));
                };
                if let Some(session) = session {
                    // Kept for a client that is not accepted yet; one that has gone needs none.
                    let _ = socket.emit_raw("session", (session,));
                }
                Ok(Panel::new(desk))
            }
        };
        self.metrics(desk::Counts(metrics)).namespace_at::<Untyped, _>(namespace, connect)
    }
}
