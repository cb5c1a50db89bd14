//! Timeouts, limits and paths of the engine, with the reference's names and defaults; validated once, when it is built.

pub(super) use super::proto::Transport;
use super::{
    admission::{ClientAddress, Rules},
    cookie::Cookie,
    cors::Cors,
    proto::{FAR_FUTURE, Timing},
};
use crate::{
    id::is_mark,
    metrics::{Meter, Metrics},
    websocket::deflate::PerMessageDeflate,
};
use http::{HeaderMap, request::Parts};
use std::{fmt, future::Future, net::IpAddr, pin::Pin, sync::Arc, time::Duration};

/// What happens to a client for which [`max_buffered`](Config::max_buffered) bytes wait, and more is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SlowConsumer {
    /// It is disconnected, and can come back and ask for what it needs: what it did receive is complete.
    #[default]
    Disconnect,
    /// The oldest messages that wait are dropped, until a quarter of the limit is free; a packet always goes with its
    /// attachments. Acknowledgements that the server gives and packets of the protocol are kept. An acknowledgement that a
    /// dropped event asked for times out. What is dropped is also lost to a client that recovers its connection. A client that reads nothing at all is disconnected by its heartbeat, later.
    DropOldest,
}

pub(crate) type AllowRequest = dyn Fn(&Parts) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync;
pub(crate) type HeadersHook = dyn Fn(&mut HeaderMap, &Parts) + Send + Sync;

/// The settings of an engine. Every setter names the option of the JavaScript server and its default.
#[derive(Clone)]
pub struct Config {
    pub(crate) path: String,
    pub(crate) ping_interval: Duration,
    pub(crate) ping_timeout: Duration,
    pub(crate) upgrade_timeout: Duration,
    pub(crate) max_payload_bytes: usize,
    pub(crate) max_buffered_bytes: usize,
    pub(crate) transports: Vec<Transport>,
    pub(crate) allow_upgrades: bool,
    pub(crate) allow_eio3: bool,
    pub(crate) compression_threshold_bytes: Option<usize>,
    pub(crate) per_message_deflate: Option<PerMessageDeflate>,
    pub(crate) cookie: Option<Cookie>,
    pub(crate) cors: Option<Cors>,
    pub(crate) allow_request: Option<Arc<AllowRequest>>,
    pub(crate) initial_headers: Option<Arc<HeadersHook>>,
    pub(crate) response_headers: Option<Arc<HeadersHook>>,
    pub(crate) admission: Rules,
    pub(crate) slow_consumer: SlowConsumer,
    pub(crate) meter: Meter,
    pub(crate) session_mark: String,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("path", &self.path).field("transports", &self.transports).finish_non_exhaustive()
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            path: "/engine.io".into(),
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            upgrade_timeout: Duration::from_secs(10),
            max_payload_bytes: 1_000_000,
            max_buffered_bytes: 16 << 20,
            transports: vec![Transport::Polling, Transport::WebSocket],
            allow_upgrades: true,
            allow_eio3: false,
            compression_threshold_bytes: Some(1024),
            per_message_deflate: None,
            cookie: None,
            cors: None,
            allow_request: None,
            initial_headers: None,
            response_headers: None,
            admission: Rules::default(),
            slow_consumer: SlowConsumer::default(),
            meter: Meter::default(),
            session_mark: String::new(),
        }
    }
}

/// A setting that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The path does not start with `/`.
    #[error("the path `{0}` does not start with `/`: write `/{0}`")]
    Path(String),
    /// No transport is left.
    #[error("at least one transport is needed")]
    NoTransport,
    /// A time or size is zero.
    #[error("`{0}` is zero")]
    Zero(&'static str),
    /// A limit per address is set, and nothing tells the address of a client.
    #[error("a limit per address needs `client_address`, which tells where a request comes from")]
    NoClientAddress,
    /// Session ids cannot begin like that.
    #[error("session_mark: `{0}` is not at most 4 characters out of A-Z, a-z, 0-9, `-` and `_`")]
    SessionMark(String),
    /// The CORS settings contradict each other or hold an illegal header value.
    #[error("cors: {0}")]
    Cors(String),
    /// A setting of permessage-deflate is out of range.
    #[error("per_message_deflate: {0}")]
    PerMessageDeflate(&'static str),
    /// The cookie holds an illegal header value.
    #[error("cookie: {0}")]
    Cookie(String),
}

impl Config {
    /// The path of the endpoint. `path`, default `/engine.io` (Socket.IO: `/socket.io`). A trailing slash makes no difference.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// The time between a pong (or the handshake) and the next ping. `pingInterval`, default 25 s.
    pub fn ping_interval(mut self, interval: Duration) -> Self {
        self.ping_interval = interval;
        self
    }

    /// How long a client may take to answer a ping. `pingTimeout`, default 20 s.
    pub fn ping_timeout(mut self, timeout: Duration) -> Self {
        self.ping_timeout = timeout;
        self
    }

    /// How long an upgrade may take. `upgradeTimeout`, default 10 s.
    pub fn upgrade_timeout(mut self, timeout: Duration) -> Self {
        self.upgrade_timeout = timeout;
        self
    }

    /// The largest message that a client may send, on both transports, and the largest body of a POST.
    /// `maxHttpBufferSize`, default 1 000 000 bytes. What the server sends is not limited.
    pub fn max_payload(mut self, bytes: usize) -> Self {
        self.max_payload_bytes = bytes;
        self
    }

    /// How many bytes may wait to be sent to one client. A client that has this much waiting and gets more does not read,
    /// and is disconnected as a slow consumer. Default 16 MiB; the JavaScript server has no limit.
    pub fn max_buffered(mut self, bytes: usize) -> Self {
        self.max_buffered_bytes = bytes;
        self
    }

    /// What happens to a client that has [`max_buffered`](Self::max_buffered) bytes waiting. Default: it is disconnected.
    pub fn slow_consumer(mut self, policy: SlowConsumer) -> Self {
        self.slow_consumer = policy;
        self
    }

    /// The transports that clients may use. `transports`, default polling and WebSocket.
    pub fn transports(mut self, transports: impl IntoIterator<Item = Transport>) -> Self {
        self.transports = transports.into_iter().collect();
        self
    }

    /// Whether the handshake offers the upgrade to WebSocket. `allowUpgrades`, default true.
    pub fn allow_upgrades(mut self, allow: bool) -> Self {
        self.allow_upgrades = allow;
        self
    }

    /// Also serves clients of Socket.IO 1 and 2, which speak revision 3 of the protocol, and JSONP polling. `allowEIO3`, default
    /// false. Clients of the current revision do not notice.
    pub fn allow_eio3(mut self, allow: bool) -> Self {
        self.allow_eio3 = allow;
        self
    }

    /// The size from which a polling answer is compressed if the client accepts it; `None` switches compression off.
    /// `httpCompression`, default 1024 bytes.
    pub fn http_compression(mut self, threshold_bytes: Option<usize>) -> Self {
        self.compression_threshold_bytes = threshold_bytes;
        self
    }

    /// Compresses WebSocket messages of clients that offer permessage-deflate, and takes theirs compressed. `perMessageDeflate`,
    /// default off.
    pub fn per_message_deflate(mut self, deflate: PerMessageDeflate) -> Self {
        self.per_message_deflate = Some(deflate);
        self
    }

    /// Sets a cookie with the session id on the polling handshake, for sticky load balancers. `cookie`, default none.
    pub fn cookie(mut self, cookie: Cookie) -> Self {
        self.cookie = Some(cookie);
        self
    }

    /// Answers cross-origin requests. `cors`, default none. Does not restrict WebSockets: browsers do not ask for them.
    pub fn cors(mut self, cors: Cors) -> Self {
        self.cors = Some(cors);
        self
    }

    /// Decides on each handshake. An `Err` is shown to the client as the message of a 403 (polling) or 400 (WebSocket).
    /// `allowRequest`, default all allowed.
    pub fn allow_request<F, Fut>(mut self, allow: F) -> Self
    where
        F: Fn(&Parts) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.allow_request = Some(Arc::new(move |parts| Box::pin(allow(parts))));
        self
    }

    /// Edits the headers of the first answer of each session. `initial_headers` event.
    pub fn initial_headers(mut self, edit: impl Fn(&mut HeaderMap, &Parts) + Send + Sync + 'static) -> Self {
        self.initial_headers = Some(Arc::new(edit));
        self
    }

    /// Edits the headers of every answer, the one that opens a WebSocket included. `headers` event.
    pub fn response_headers(mut self, edit: impl Fn(&mut HeaderMap, &Parts) + Send + Sync + 'static) -> Self {
        self.response_headers = Some(Arc::new(edit));
        self
    }

    /// How many connections there may be at a time; a handshake beyond that is refused with 503. Default no limit.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.admission.connections = Some(connections);
        self
    }

    /// How many handshakes may be in progress at a time; one more is refused with 503. Default no limit. A handshake begins
    /// before [`allow_request`](Self::allow_request) and ends when the session is open, over WebSocket with its upgrade.
    pub fn max_concurrent_handshakes(mut self, handshakes: usize) -> Self {
        self.admission.handshakes = Some(handshakes);
        self
    }

    /// How many connections one [address](Self::client_address) may have at a time; a handshake beyond that is refused with
    /// 429. Default no limit.
    pub fn max_connections_per_address(mut self, connections: usize) -> Self {
        self.admission.connections_per_address = Some(connections);
        self
    }

    /// How many handshakes one [address](Self::client_address) may make in such a time, in a burst or spread; one more is
    /// refused with 429. Default no limit.
    pub fn max_handshakes_per_address(mut self, handshakes: u32, time: Duration) -> Self {
        self.admission.rate_per_address = Some((handshakes, time));
        self
    }

    /// What tells the address of a client.
    pub(crate) fn address(&self) -> Option<Arc<ClientAddress>> {
        self.admission.address.clone()
    }

    /// Tells the address of a client, for the limits per address. The addresses of one IPv6 network of 64 bits count as one.
    /// A handshake without an address (`None`) is not limited by address. Default none, and then such limits are an error.
    pub fn client_address(mut self, address: impl Fn(&Parts) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        self.admission.address = Some(Arc::new(address));
        self
    }

    /// Is told what the engine measures, beside those that were added before. Default nobody: then it costs nothing.
    pub fn metrics(mut self, metrics: impl Metrics) -> Self {
        self.meter = self.meter.and(metrics);
        self
    }

    /// The path with its trailing slash, once validated.
    pub(crate) fn path_prefix(&self) -> &str {
        &self.path
    }

    pub(crate) fn meter(&self) -> Meter {
        self.meter.clone()
    }

    /// What the ids of sessions begin with: at most 4 characters of base64url, different for each server behind a load balancer,
    /// which then finds the server of a request in its `sid`. Default nothing.
    pub fn session_mark(mut self, mark: impl Into<String>) -> Self {
        self.session_mark = mark.into();
        self
    }

    /// The size from which a message may be compressed for WebSocket.
    pub(crate) fn deflated_from(&self) -> Option<usize> {
        self.per_message_deflate.as_ref().map(|deflate| deflate.threshold_bytes)
    }

    pub(crate) fn max_payload_bytes(&self) -> usize {
        self.max_payload_bytes
    }

    pub(crate) fn cors_rules(&self) -> Option<&Cors> {
        self.cors.as_ref()
    }

    /// The longest time for which a dead connection is taken for a living one.
    pub(crate) fn notices_within(&self) -> Duration {
        self.ping_interval.saturating_add(self.ping_timeout).min(FAR_FUTURE)
    }

    pub(crate) fn timing(&self) -> Timing {
        Timing {
            ping_interval: self.ping_interval.min(FAR_FUTURE),
            ping_timeout: self.ping_timeout.min(FAR_FUTURE),
            upgrade_timeout: self.upgrade_timeout.min(FAR_FUTURE),
            close_timeout: CLOSE_TIMEOUT,
        }
    }

    pub(crate) fn validate(&mut self) -> Result<(), ConfigError> {
        if !self.path.starts_with('/') {
            return Err(ConfigError::Path(self.path.clone()));
        }
        self.path = format!("{}/", self.path.trim_end_matches('/'));
        if self.transports.is_empty() {
            return Err(ConfigError::NoTransport);
        }
        if let Some(Err(error)) = self.cors.as_ref().map(Cors::check) {
            return Err(ConfigError::Cors(error.to_string()));
        }
        if let Some(Err(error)) = self.cookie.as_ref().map(Cookie::check) {
            return Err(ConfigError::Cookie(error.to_string()));
        }
        if !is_mark(&self.session_mark) {
            return Err(ConfigError::SessionMark(self.session_mark.clone()));
        }
        if let Some(mistake) = self.per_message_deflate.as_ref().and_then(PerMessageDeflate::mistake) {
            return Err(ConfigError::PerMessageDeflate(mistake));
        }
        if self.admission.lack_address() {
            return Err(ConfigError::NoClientAddress);
        }
        if let Some(name) = self.admission.zero() {
            return Err(ConfigError::Zero(name));
        }
        let zero = [
            ("ping_interval", self.ping_interval.is_zero()),
            ("ping_timeout", self.ping_timeout.is_zero()),
            ("upgrade_timeout", self.upgrade_timeout.is_zero()),
            ("max_payload", self.max_payload_bytes == 0),
            ("max_buffered", self.max_buffered_bytes == 0),
        ];
        zero.into_iter().find(|(_, zero)| *zero).map_or(Ok(()), |(name, _)| Err(ConfigError::Zero(name)))
    }
}

/// How long a closing session waits for the client to take its last messages. The reference's constant.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(30);
