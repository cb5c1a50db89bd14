//! Sockets of all servers: how they are fetched, and `FetchError`, when not all servers have answered.

use super::{
    cluster::{ClusterError, Ended, Told},
    many::Many,
    remote::RemoteSocket,
};
use crate::{
    adapter::cluster::{Finding, Question},
    contract::Namespace,
};
use std::fmt;

/// Not every server of the cluster has told which sockets it has. Those of the others are here.
///
/// ```
/// use socketio::{FetchError, NamespaceHandle, namespace};
/// # use socketio::SocketIo;
/// # #[namespace("/game")] trait Game {}
///
/// /// At least so many play; an error only if nobody plays as far as one can see.
/// async fn players(game: &NamespaceHandle<dyn Game>) -> Result<usize, FetchError<dyn Game>> {
///     match game.fetch_sockets().await {
///         Ok(all) => Ok(all.len()),
///         Err(partial) if partial.sockets().is_empty() => Err(partial),
///         Err(partial) => {
///             eprintln!("{partial}"); // "1 of the other servers did not answer in time"
///             Ok(partial.into_sockets().len())
///         }
///     }
/// }
/// # struct Player;
/// # impl Game for Player {}
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let io = SocketIo::builder().shared::<dyn Game>(Player).build();
/// # assert_eq!(players(&io.of::<dyn Game>()).await.unwrap(), 0);
/// # });
/// ```
pub struct FetchError<N: ?Sized> {
    sockets: Vec<RemoteSocket<N>>,
    error: ClusterError,
}

impl<N: ?Sized> FetchError<N> {
    /// The sockets of this server, and of all that have answered.
    pub fn sockets(&self) -> &[RemoteSocket<N>] {
        &self.sockets
    }

    /// The same, to keep.
    pub fn into_sockets(self) -> Vec<RemoteSocket<N>> {
        self.sockets
    }

    /// Why some may be missing.
    pub fn error(&self) -> ClusterError {
        self.error
    }
}

impl<N: ?Sized> fmt::Debug for FetchError<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchError").field("sockets", &self.sockets).field("error", &self.error).finish()
    }
}

impl<N: ?Sized> fmt::Display for FetchError<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<N: ?Sized> std::error::Error for FetchError<N> {}

impl Many {
    pub(super) async fn fetch<N: Namespace + ?Sized>(self) -> Result<Vec<RemoteSocket<N>>, FetchError<N>> {
        let mut sockets: Vec<RemoteSocket<N>> = self.sockets().into_iter().map(RemoteSocket::here).collect();
        let question = || Question::Sockets { target: self.target.clone() };
        // All of them are on their way before the first is waited for.
        let inquiries = self.inquire(self.fetch_timeout(), question);
        let mut error: Option<ClusterError> = None;
        for (namespace, mut inquiry) in inquiries {
            while let Some(told) = inquiry.next().await {
                match told {
                    Told::Found(Finding::Sockets(records)) => {
                        sockets.extend(records.into_iter().map(|record| RemoteSocket::elsewhere(&namespace, record)));
                    }
                    Told::Found(_) | Told::Ended(Ended::Complete(_)) => {}
                    Told::Ended(Ended::Missing { error: why, .. }) => error = Some(why.and(error)),
                }
            }
        }
        match error {
            None => Ok(sockets),
            Some(error) => Err(FetchError { sockets, error }),
        }
    }

    /// How many servers there are, this one included: of several namespaces, where there are most.
    pub(super) async fn servers(&self) -> Result<usize, ClusterError> {
        let (mut servers, mut error) = (1, None);
        for (_, mut inquiry) in self.inquire(self.fetch_timeout(), || Question::Count) {
            while let Some(told) = inquiry.next().await {
                match told {
                    Told::Ended(Ended::Complete(counted)) => servers = servers.max(counted),
                    Told::Ended(Ended::Missing { error: why, .. }) => error = Some(why.and(error)),
                    Told::Found(_) => {}
                }
            }
        }
        error.map_or(Ok(servers), Err)
    }
}

impl ClusterError {
    /// Of two, what says more: servers are the same in all namespaces, mostly.
    fn and(self, other: Option<ClusterError>) -> ClusterError {
        match (self, other) {
            (ClusterError::Silent { servers }, Some(ClusterError::Silent { servers: others })) => {
                ClusterError::Silent { servers: servers.max(others) }
            }
            (ClusterError::Unreachable, _) | (_, Some(ClusterError::Unreachable)) => ClusterError::Unreachable,
            (error, _) => error,
        }
    }
}
