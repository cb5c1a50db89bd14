//! `HandshakeRecord`: what a server tells others of the request that opened a connection.

use crate::{date, server::core::SocketCore, text::Text};
use serde_json::{Map, Value, json};
use std::{
    fmt,
    sync::LazyLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The request that opened a client's connection, as every server of a cluster gets to see it: `handshake` of the JavaScript server.
/// What a server of another make leaves out is empty here.
///
/// All of it goes through the broker whenever sockets are fetched, cookies and credentials included.
///
/// ```
/// use socketio::{NamespaceHandle, namespace};
/// # use socketio::{SocketIo, test::Client};
/// # #[namespace("/shop")] trait Shop {}
/// # struct Customer;
/// # impl Shop for Customer {}
///
/// async fn languages(shop: &NamespaceHandle<dyn Shop>) -> Vec<String> {
///     let customers = shop.fetch_sockets().await.unwrap_or_else(|partial| partial.into_sockets());
///     customers.iter().filter_map(|customer| customer.handshake().header("accept-language").map(str::to_owned)).collect()
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let io = SocketIo::builder().shared::<dyn Shop>(Customer).build();
/// let shop = io.of::<dyn Shop>();
/// let client = Client::<dyn Shop>::connect(&io).header("accept-language", "no").query("from", "mail").await.unwrap();
/// assert_eq!(languages(&shop).await, ["no"]);
/// let handshake = shop.fetch_sockets().await?[0].handshake();
/// assert_eq!((handshake.query("from"), handshake.query("to")), (Some("mail"), None));
/// assert!(handshake.url().starts_with("/socket.io/?"));
/// assert_eq!((handshake.is_secure(), handshake.is_cross_domain(), handshake.address()), (false, false, ""));
/// assert_eq!(handshake.auth_json(), "{}");
/// assert!(handshake.issued().elapsed().is_ok() && handshake.time().ends_with("(Coordinated Universal Time)"));
/// assert_eq!(handshake.headers()["accept-language"], "no");
/// # drop(client);
/// # Ok::<(), socketio::FetchError<dyn Shop>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct HandshakeRecord(Map<String, Value>);

impl HandshakeRecord {
    /// As this server tells of it.
    pub(in crate::server) fn of(socket: &SocketCore) -> Self {
        let request = socket.handshake();
        let mut headers = Map::new();
        for (name, value) in &request.headers() {
            let value = String::from_utf8_lossy(value.as_bytes());
            match headers.get_mut(name.as_str()) {
                Some(Value::String(before)) => *before = format!("{before}, {value}"),
                _ => drop(headers.insert(name.as_str().to_owned(), value.into())),
            }
        }
        let query: Map<String, Value> = request.query().into_iter().map(|(name, value)| (name, value.into())).collect();
        let since = request.received_at().duration_since(UNIX_EPOCH).unwrap_or_default();
        let address = socket.namespace().settings.address_of(request).map_or_else(String::new, |address| address.to_string());
        let secure = headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https");
        HandshakeRecord(Map::from_iter([
            ("xdomain".to_owned(), headers.contains_key("origin").into()),
            ("headers".to_owned(), headers.into()),
            ("time".to_owned(), date::javascript(since).into()),
            ("address".to_owned(), address.into()),
            ("secure".to_owned(), secure.into()),
            ("issued".to_owned(), u64::try_from(since.as_millis()).unwrap_or(u64::MAX).into()),
            ("url".to_owned(), request.uri().to_string().into()),
            ("query".to_owned(), query.into()),
            ("auth".to_owned(), serde_json::from_str(socket.auth()).unwrap_or_else(|_| json!({}))),
        ]))
    }

    /// As another server tells of it.
    pub(super) fn parse(json: &str) -> Self {
        HandshakeRecord(serde_json::from_str(json).unwrap_or_default())
    }

    pub(in crate::server) fn to_json(&self) -> Text {
        serde_json::to_string(&self.0).map_or_else(|_| Text::from_static("{}"), Text::from)
    }

    fn text(&self, field: &str) -> &str {
        self.0.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    fn is(&self, field: &str) -> bool {
        self.0.get(field).and_then(Value::as_bool).unwrap_or_default()
    }

    fn map(&self, field: &str) -> &Map<String, Value> {
        static NOTHING: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
        self.0.get(field).and_then(Value::as_object).unwrap_or(&NOTHING)
    }

    /// The headers, by lower-case name. One that was sent several times is a list between commas, or (from other servers) an array.
    pub fn headers(&self) -> &Map<String, Value> {
        self.map("headers")
    }

    /// One header; the name is compared without regard to case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).and_then(|(_, value)| value.as_str())
    }

    /// One parameter of the query.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.queries().get(name).and_then(Value::as_str)
    }

    /// All parameters of the query.
    pub fn queries(&self) -> &Map<String, Value> {
        self.map("query")
    }

    /// Where the request came from; empty if its server does not know. One of this crate knows if it has a
    /// [`client_address`](crate::Builder::client_address).
    pub fn address(&self) -> &str {
        self.text("address")
    }

    /// The path and query of the request.
    pub fn url(&self) -> &str {
        self.text("url")
    }

    /// Whether it came over TLS, as far as its server knows.
    pub fn is_secure(&self) -> bool {
        self.is("secure")
    }

    /// Whether it was a cross-origin request.
    pub fn is_cross_domain(&self) -> bool {
        self.is("xdomain")
    }

    /// When it arrived.
    pub fn issued(&self) -> SystemTime {
        let milliseconds = self.0.get("issued").and_then(Value::as_u64).unwrap_or_default();
        UNIX_EPOCH.checked_add(Duration::from_millis(milliseconds)).unwrap_or(UNIX_EPOCH)
    }

    /// The same, as a text for people.
    pub fn time(&self) -> &str {
        self.text("time")
    }

    /// The JSON text of the `auth` payload; `{}` if the client sent none.
    pub fn auth_json(&self) -> String {
        self.0.get("auth").map_or_else(|| "{}".to_owned(), Value::to_string)
    }
}

impl fmt::Debug for HandshakeRecord {
    /// Shows neither the query nor headers nor `auth`: they can hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandshakeRecord").field("address", &self.address()).field("time", &self.time()).finish_non_exhaustive()
    }
}
