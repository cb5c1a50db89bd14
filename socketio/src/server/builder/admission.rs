//! The setters that limit who may connect, and say what becomes of those who do not read.

use super::Builder;
use crate::engine::SlowConsumer;
use http::request::Parts;
use std::{net::IpAddr, time::Duration};

impl<S: Clone + Send + Sync + 'static> Builder<S> {
    /// How many connections there may be at a time; a handshake beyond that is refused with 503 and `Retry-After`. Default no
    /// limit. Take what the machine can carry: file descriptors and memory; see `docs/operations.md`.
    pub fn max_connections(self, connections: usize) -> Self {
        self.config(|config| config.max_connections(connections))
    }

    /// How many handshakes may be in progress at a time; one more is refused with 503 and `Retry-After`. Default no limit. A
    /// handshake begins before [`allow_request`](Self::allow_request), whose work this bounds, and ends when the session is
    /// open, over WebSocket with its upgrade. Namespaces are joined later.
    pub fn max_concurrent_handshakes(self, handshakes: usize) -> Self {
        self.config(|config| config.max_concurrent_handshakes(handshakes))
    }

    /// How many connections one [address](Self::client_address) may have at a time; a handshake beyond that is refused with
    /// 429 and `Retry-After`. Default no limit. Many people can share an address: be generous.
    pub fn max_connections_per_address(self, connections: usize) -> Self {
        self.config(|config| config.max_connections_per_address(connections))
    }

    /// How many handshakes one [address](Self::client_address) may make in such a time, in a burst or spread; one more is
    /// refused with 429 and `Retry-After`. Default no limit. At most 131 072 addresses are remembered.
    pub fn max_handshakes_per_address(self, handshakes: u32, time: Duration) -> Self {
        self.config(|config| config.max_handshakes_per_address(handshakes, time))
    }

    /// Tells the address of a client, for the limits per address. Only you know whether there is a proxy in front whose word
    /// counts, so there is no default, and a limit per address without it is an error. All addresses of one IPv6 network of 64
    /// bits count as one. Handshakes without an address (`None`) are not limited by address; that is logged once.
    ///
    /// Without a proxy, from axum, if the router is served with connect info:
    ///
    /// ```
    /// # use axum::{Router, extract::ConnectInfo};
    /// # use socketio::SocketIo;
    /// # use std::net::SocketAddr;
    /// let io = SocketIo::builder()
    ///     .client_address(|parts| Some(parts.extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip()))
    ///     .max_connections_per_address(20)
    ///     .build();
    /// let app = Router::new().layer(io.layer()).into_make_service_with_connect_info::<SocketAddr>();
    /// ```
    ///
    /// Behind a proxy, with [`forwarded_for`](crate::engine::forwarded_for).
    pub fn client_address(self, address: impl Fn(&Parts) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        self.config(|config| config.client_address(address))
    }

    /// What happens to a client that has [`max_buffered`](Self::max_buffered) bytes waiting and is to get more. Default: it is
    /// disconnected. The JavaScript server has no limit, hence no choice. For single events, see
    /// [`Socket::conflate`](crate::Socket::conflate) and [`Socket::volatile`](crate::Socket::volatile), and for senders that
    /// can wait [`Socket::ready`](crate::Socket::ready).
    pub fn slow_consumer(self, policy: SlowConsumer) -> Self {
        self.config(|config| config.slow_consumer(policy))
    }
}
