//! `Handshake`: what is kept of the HTTP request that opened a session.
//!
//! Requests hold slices of the HTTP server's read buffer, 8 KiB and more for as long as one header lives. So the head is
//! copied into one small allocation, and made into `http::request::Parts` again for the few moments it is needed.

use super::config::Transport;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Uri, Version, request::Parts};
use std::{borrow::Cow, fmt, time::SystemTime};

/// The HTTP request that opened a session.
///
/// ```
/// use socketio::{Socket, Transport, namespace};
/// # use socketio::{ConnectError, SocketIo, test::Client};
///
/// #[namespace("/shop")]
/// trait Shop { #[event] async fn language(&self) -> String; }
/// struct Session { socket: Socket<dyn Shop> }
///
/// impl Shop for Session {
///     async fn language(&self) -> String {
///         let handshake = self.socket.handshake();
///         let chosen = handshake.query().into_iter().find(|(name, _)| name == "language").map(|(_, language)| language);
///         let header = handshake.header("accept-language").map(|value| String::from_utf8_lossy(value).into_owned());
///         chosen.or(header).unwrap_or_else(|| "en".to_owned())
///     }
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let connect = async |socket: Socket<dyn Shop>| Ok::<_, ConnectError>(Session { socket });
/// # let io = SocketIo::builder().namespace::<dyn Shop, _>(connect).build();
/// let client = Client::<dyn Shop>::connect(&io).header("accept-language", "no").extension(7_u32).await.unwrap();
/// assert_eq!(client.emit().language().await.as_deref(), Ok("no"));
/// let socket = io.of::<dyn Shop>().sockets().remove(0);
/// assert_eq!(socket.handshake().headers()["accept-language"], "no");
/// assert_eq!(socket.handshake().extensions().get::<u32>(), Some(&7)); // what a layer in front has attached
/// assert_eq!(socket.handshake().transport(), Transport::Polling);
/// assert!(socket.handshake().uri().path().ends_with("/socket.io/"));
/// assert!(socket.handshake().received_at().elapsed().is_ok());
/// assert_eq!(socket.handshake().version(), http::Version::HTTP_11);
/// assert_eq!(socket.handshake().to_parts().method, "GET");
/// let _chosen = Client::<dyn Shop>::connect(&io).query("language", "de").await.unwrap();
/// # assert_eq!(_chosen.emit().language().await.as_deref(), Ok("de"));
/// # });
/// ```
pub struct Handshake {
    /// The request target, then each header as name and value, every string preceded by its length.
    head: Box<[u8]>,
    version: Version,
    extensions: Extensions,
    received_at: SystemTime,
    transport: Transport,
}

impl Handshake {
    pub(crate) fn new(parts: &Parts, extensions: Extensions, transport: Transport) -> Self {
        let target = match parts.uri.path_and_query() {
            // As clients send it, except through some proxies.
            Some(target) if parts.uri.scheme().is_none() => Cow::Borrowed(target.as_str()),
            _ => Cow::Owned(parts.uri.to_string()),
        };
        let pairs = parts.headers.iter().map(|(name, value)| 8 + name.as_str().len() + value.len());
        let mut head = Vec::with_capacity(4 + target.len() + pairs.sum::<usize>());
        let mut put = |part: &[u8]| {
            head.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
            head.extend_from_slice(part);
        };
        put(target.as_bytes());
        for (name, value) in &parts.headers {
            put(name.as_str().as_bytes());
            put(value.as_bytes());
        }
        Handshake { head: head.into(), version: parts.version, extensions, received_at: SystemTime::now(), transport }
    }

    fn strings(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.head[..];
        std::iter::from_fn(move || {
            let (length, tail) = rest.split_first_chunk::<4>()?;
            let (part, tail) = tail.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            rest = tail;
            Some(part)
        })
    }

    fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut strings = self.strings().skip(1);
        std::iter::from_fn(move || Some((strings.next()?, strings.next()?)))
    }

    /// The request target. Over HTTP/2 with scheme and host, which is not among the headers then.
    pub fn uri(&self) -> Uri {
        self.strings().next().and_then(|target| Uri::try_from(target).ok()).unwrap_or_default()
    }

    /// The parameters of the query, decoded, in order.
    pub fn query(&self) -> Vec<(String, String)> {
        let uri = self.uri();
        form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect()
    }

    /// The first value of a header; the name is compared without regard to case.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.pairs().find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    /// All headers.
    pub fn headers(&self) -> HeaderMap {
        let pairs = self
            .pairs()
            .filter_map(|(name, value)| Some((HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?)));
        let mut headers = HeaderMap::new();
        pairs.for_each(|(name, value)| {
            headers.append(name, value);
        });
        headers
    }

    /// The version of HTTP.
    pub fn version(&self) -> Version {
        self.version
    }

    /// What HTTP layers attached to the request.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// When the request arrived.
    pub fn received_at(&self) -> SystemTime {
        self.received_at
    }

    /// The transport that the session started with.
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// The request as extractors want it.
    pub fn to_parts(&self) -> Parts {
        let mut parts = http::Request::new(()).into_parts().0;
        parts.method = match (self.version, self.transport) {
            // There is no other way to a WebSocket in it.
            (Version::HTTP_2, Transport::WebSocket) => Method::CONNECT,
            _ => Method::GET,
        };
        parts.uri = self.uri();
        parts.version = self.version;
        parts.headers = self.headers();
        parts.extensions = self.extensions.clone();
        parts
    }
}

impl fmt::Debug for Handshake {
    /// Shows neither the query nor headers: they can hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake").field("path", &self.uri().path()).field("transport", &self.transport).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_comes_back_as_it_was() {
        let request =
            http::Request::get("/socket.io/?EIO=4&token=a%20b").header("x-a", "1").header("x-a", "2").header("cookie", "k=v");
        let parts = request.body(()).unwrap().into_parts().0;
        let handshake = Handshake::new(&parts, Extensions::new(), Transport::Polling);
        let back = handshake.to_parts();
        assert_eq!((&back.uri, &back.headers, &back.method), (&parts.uri, &parts.headers, &parts.method));
        assert_eq!(handshake.query(), [("EIO".into(), "4".into()), ("token".into(), "a b".into())]);
        assert_eq!(handshake.header("Cookie"), Some(&b"k=v"[..]));
        assert!(!format!("{handshake:?}").contains("token"));
    }
}
