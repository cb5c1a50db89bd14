//! `BuildError`: what is wrong with the settings of a server.

use crate::{engine::ConfigError, server::ClientFilesError};

/// The server cannot be built.
///
/// ```
/// use socketio::{BuildError, SocketIo, layer::RateLimit, namespace};
/// use std::time::Duration;
///
/// #[namespace("/chat", auth = String)]
/// trait Chat {}
/// #[namespace("/news")]
/// trait News { #[event] async fn more(&self) -> String; }
/// # struct Session;
/// # impl Chat for Session {}
/// # impl News for Session { async fn more(&self) -> String { String::new() } }
///
/// // Socket.IO has room for an object there: `auth: { token }`, not `auth: token`.
/// let error = SocketIo::builder().shared::<dyn Chat>(Session).try_build().unwrap_err();
/// assert!(matches!(error, BuildError::UnsendableAuth(name) if name == "Chat"));
///
/// let limit = RateLimit::default().event("moer", 1, Duration::from_secs(1));
/// let error = SocketIo::builder().event_layer(limit.clone()).shared::<dyn News>(Session).try_build().unwrap_err();
/// assert!(matches!(error, BuildError::LayerWithoutNamespace));
/// let error = SocketIo::builder().shared::<dyn News>(Session).event_layer(limit).try_build().unwrap_err();
/// assert!(matches!(error, BuildError::UnknownEvent(name) if name == "moer"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A setting cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Two namespaces have the same path.
    #[error("the namespace `{0}` is registered twice")]
    DuplicateNamespace(String),
    /// The path of an untyped namespace is not one.
    #[error("`{0}` is no namespace path: it starts with `/` and has neither `,` nor `?`")]
    NamespacePath(String),
    /// Clients cannot connect with the `auth = ..` of this namespace: the protocol has room for an object or for none, and this is
    /// a string, a number, a list or the like. Found by its JSON Schema, so not with `schema = false`.
    #[error("clients cannot send the `auth` of `{0}`: in Socket.IO it is an object; use a struct with named fields")]
    UnsendableAuth(String),
    /// An event layer was added before any namespace, so it surrounds none.
    #[error(
        "an event layer surrounds the namespaces that are added before it, but there is none: move `.event_layer(..)` behind them"
    )]
    LayerWithoutNamespace,
    /// An event layer names an event that none of the namespaces inside of it declares.
    #[error("an event layer names the event `{0}`, which no namespace that is added before it declares")]
    UnknownEvent(String),
    /// Events of other servers are to be handled for a namespace that is not registered.
    #[error("the events that other servers send to `{0}` have a handler, but that namespace is not registered")]
    ClusterEventsWithoutNamespace(String),
    /// Servers would send each other an event that means something else to the JavaScript server.
    #[error("servers cannot send each other `{event}` (in `{contract}`): to the JavaScript server that name means something else")]
    ReservedClusterEvent {
        /// The trait that has the event.
        contract: String,
        /// Its name.
        event: String,
    },
    /// Sessions cannot be recovered in this cluster: its adapter keeps no events. Those of Redis other than streams do not.
    #[error(
        "connection state recovery needs an adapter that keeps events for clients that come back, and this one does not: use Redis streams"
    )]
    RecoveryWithoutJournal,
    /// The client bundle cannot be served.
    #[error(transparent)]
    ClientFiles(#[from] ClientFilesError),
    /// The namespace of the Admin UI cannot work.
    #[error("admin: {0}")]
    Admin(String),
}
