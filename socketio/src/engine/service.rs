//! `Server`: one HTTP request becomes a new session, a poll, a post, an upgrade or a refusal.

mod switch;

use super::{
    admission::{Admission, Denial, Seat},
    body::{self, Body, ReadError, full},
    compression::compress,
    config::{Config, ConfigError, Transport},
    connection::{Connection, Start},
    handshake::Handshake,
    jsonp,
    layer::Layer,
    proto::{Frame, Payload, Revision, Timing, open_packet, v3},
    refuse::{Refusal, empty},
    registry::{ConnectionHandle, Registry},
    request::{Query, has_legal_origin, is_extended_connect, is_upgrade},
    transport::{
        deflate::Contexts,
        polling::{Answer, Command},
    },
};
use crate::{id::SessionId, metrics::Measured, text::Text};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Version, header, request::Parts};
use http_body::Body as HttpBody;
use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::Poll,
};
use tokio::sync::oneshot;

type Owner = dyn Fn(Connection) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync;

/// An Engine.IO server: gives every connection that opens to one async function. Cheap to clone.
#[derive(Clone)]
pub struct Server {
    inner: Arc<Inner>,
}

struct Inner {
    config: Config,
    registry: Arc<Registry>,
    admission: Arc<Admission>,
    timing: Arc<Timing>,
    /// What permessage-deflate may take for its contexts.
    contexts: Arc<Contexts>,
    owner: Box<Owner>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("config", &self.inner.config).field("connections", &self.connections()).finish()
    }
}

impl Server {
    /// A server that runs `on_connection` for each connection, in a task of its own. When the function returns, the
    /// connection is closed.
    ///
    /// # Errors
    /// A setting cannot work.
    pub fn new<F>(config: Config, on_connection: F) -> Result<Self, ConfigError>
    where
        F: for<'a> Fn(&'a mut Connection) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> + Send + Sync + 'static,
    {
        let on_connection = Arc::new(on_connection);
        Self::with_owner(config, move |mut connection| {
            let on_connection = Arc::clone(&on_connection);
            Box::pin(async move {
                on_connection(&mut connection).await;
                connection.close();
                while connection.next().await.is_some() {}
                std::future::poll_fn(|cx| connection.poll_finish(cx)).await;
            })
        })
    }

    /// A server whose connections are owned by the future that `owner` makes.
    pub(crate) fn with_owner(
        mut config: Config,
        owner: impl Fn(Connection) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync + 'static,
    ) -> Result<Self, ConfigError> {
        config.validate()?;
        let admission = Admission::new(config.admission.clone());
        let timing = Arc::new(config.timing());
        let contexts = Contexts::new(config.per_message_deflate.as_ref().map_or(0, |deflate| deflate.context_memory_bytes));
        let owner = Box::new(owner);
        Ok(Server { inner: Arc::new(Inner { config, registry: Arc::default(), admission, timing, contexts, owner }) })
    }

    /// A layer that answers requests to the configured path and passes on all others.
    pub fn layer(&self) -> Layer<Self> {
        Layer::new(self.clone())
    }

    /// Number of open connections.
    pub fn connections(&self) -> usize {
        self.inner.registry.live()
    }

    pub(crate) fn config(&self) -> &Config {
        &self.inner.config
    }

    pub(crate) fn registry(&self) -> &Arc<Registry> {
        &self.inner.registry
    }

    /// Whether the path is this server's: everything that starts with the configured path.
    pub(crate) fn takes(&self, path: &str) -> bool {
        path.starts_with(&self.inner.config.path)
    }

    /// Answers one request.
    pub(crate) async fn respond<B: HttpBody<Data: Send, Error: Send> + Send + 'static>(
        &self,
        parts: &mut Parts,
        body: B,
    ) -> Response<Body> {
        let config = &self.inner.config;
        if let Some(cors) = config.cors.as_ref().filter(|_| parts.method == Method::OPTIONS) {
            return cors.preflight(&parts.headers).map(|()| full(""));
        }
        let upgrade = is_upgrade(parts);
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        let handshake = query.asks_for_session();
        let mut response = match self.route(parts, body, query, upgrade).await {
            Ok(response) => response,
            Err(refusal) => {
                tracing::debug!(?refusal, "an Engine.IO request was refused");
                config.meter.record(match handshake {
                    true => Measured::HandshakeRefused { reason: refusal.word() },
                    false => Measured::RequestRefused { reason: refusal.word() },
                });
                refusal.response(upgrade)
            }
        };
        if parts.version == Version::HTTP_2 {
            // A stream says nothing about the connection that it shares. Spec: RFC 9113, section 8.2.2.
            response.headers_mut().remove(header::CONNECTION);
        }
        if let Some(cors) = &config.cors {
            cors.apply(&parts.headers, response.headers_mut());
        }
        if let Some(edit) = &config.response_headers {
            edit(response.headers_mut(), parts);
        }
        response
    }

    async fn route<B: HttpBody<Data: Send, Error: Send> + Send + 'static>(
        &self,
        parts: &mut Parts,
        body: B,
        query: Query,
        upgrade: bool,
    ) -> Result<Response<Body>, Refusal> {
        let config = &self.inner.config;
        let transport = query.transport(config)?;
        if !has_legal_origin(&parts.headers) {
            return Err(Refusal::BadRequest);
        }
        if let Some(id) = query.session()? {
            let handle = self.inner.registry.get(&id).ok_or(Refusal::UnknownSession)?;
            if !upgrade && handle.transport() != transport {
                return Err(Refusal::BadRequest);
            }
            let revision = query.revision();
            if revision.number() != handle.revision.number() {
                return Err(Refusal::BadRequest);
            }
            if upgrade {
                return self.probe(parts, transport, revision, &handle);
            }
            return match (transport, &parts.method) {
                (Transport::WebSocket, _) => Err(Refusal::BadRequest),
                (_, &Method::GET) => Ok(self.poll(&handle, &parts.headers).await),
                (_, &Method::POST) => Ok(self.post(&handle, parts, body).await),
                _ => Ok(empty(StatusCode::INTERNAL_SERVER_ERROR)),
            };
        }
        if parts.method != Method::GET && !is_extended_connect(parts) {
            return Err(Refusal::BadHandshakeMethod);
        }
        if (transport == Transport::WebSocket) != upgrade {
            return Err(Refusal::BadRequest);
        }
        if self.inner.registry.is_closed() {
            return Err(Refusal::Denied(Denial::ShuttingDown));
        }
        let seat = self.inner.admission.admit(parts).map_err(Refusal::Denied)?;
        if let Some(allow) = &config.allow_request {
            allow(parts).await.map_err(Refusal::Forbidden)?;
        }
        if query.revision() != Revision::Four && !config.allow_eio3 {
            return Err(Refusal::UnsupportedVersion);
        }
        // Boxed: a session opens once and is polled often.
        Box::pin(self.open(parts, transport, query, seat)).await
    }

    /// A handshake: a new session.
    async fn open(&self, parts: &mut Parts, transport: Transport, query: Query, seat: Seat) -> Result<Response<Body>, Refusal> {
        let config = &self.inner.config;
        let revision = query.revision();
        let switch = if transport == Transport::WebSocket { Some(self.switch_protocols(parts, revision)?) } else { None };
        let id = SessionId::marked(&config.session_mark, rand::random());
        let offered: &[&str] = match transport {
            Transport::Polling if config.allow_upgrades && config.transports.contains(&Transport::WebSocket) => &["websocket"],
            _ => &[],
        };
        let jsonp = query.jsonp().filter(|_| config.allow_eio3 && transport == Transport::Polling);
        let handle = ConnectionHandle::new(id, transport, revision, jsonp, config);
        let registration = self.inner.registry.insert(Arc::clone(&handle), seat);
        let mut registration = registration.ok_or(Refusal::Denied(Denial::ShuttingDown))?;
        let open = open_packet(&id, offered, &self.inner.timing, config.max_payload_bytes);
        let (mut response, start) = match switch {
            Some((response, opening)) => (response, Start::WebSocket(opening, open)),
            None => {
                registration.opened();
                let payload = revision.encode_payload(std::iter::once(&Frame::control(&open)));
                (self.payload(&handle, payload, true, &parts.headers).await, Start::Polling)
            }
        };
        let extensions = std::mem::take(&mut parts.extensions);
        let handshake = Handshake::new(parts, extensions, transport);
        let timing = Arc::clone(&self.inner.timing);
        let connection = Connection::new(Arc::clone(&handle), registration, handshake, start, timing);
        // Nobody waits for the task; the registry counts it, and aborts it if a shutdown comes to that.
        handle.owned_by(tokio::spawn((self.inner.owner)(connection)).abort_handle());
        if let (Some(cookie), Transport::Polling) = (&config.cookie, transport) {
            response.headers_mut().append(header::SET_COOKIE, cookie.header(id.expose()));
        }
        if let Some(edit) = &config.initial_headers {
            edit(response.headers_mut(), parts);
        }
        Ok(response)
    }

    /// A WebSocket for a session that exists.
    fn probe(
        &self,
        parts: &mut Parts,
        transport: Transport,
        revision: Revision,
        handle: &ConnectionHandle,
    ) -> Result<Response<Body>, Refusal> {
        if transport != Transport::WebSocket {
            return Err(Refusal::BadRequest);
        }
        let (response, opening) = self.switch_protocols(parts, revision)?;
        if !handle.command(Command::WebSocket(opening)) {
            return Err(Refusal::BadRequest);
        }
        Ok(response)
    }

    async fn poll(&self, handle: &Arc<ConnectionHandle>, headers: &HeaderMap) -> Response<Body> {
        let (responder, answer) = oneshot::channel();
        if !handle.command(Command::Poll(responder)) {
            return empty(StatusCode::BAD_REQUEST);
        }
        match InFlight::new(handle, Command::PollAborted).wait(answer).await {
            Some(Answer::Payload { payload, compress }) => self.payload(handle, payload, compress, headers).await,
            _ => empty(StatusCode::BAD_REQUEST),
        }
    }

    async fn post<B: HttpBody<Data: Send, Error: Send> + Send + 'static>(
        &self,
        handle: &Arc<ConnectionHandle>,
        parts: &Parts,
        body: B,
    ) -> Response<Body> {
        let is_binary = parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| *kind == BYTES);
        if is_binary && handle.revision == Revision::Four {
            handle.command(Command::PostUnacceptable(oneshot::channel().0));
            return empty(StatusCode::BAD_REQUEST);
        }
        let mut read = Box::pin(body::read(body, self.inner.config.max_payload_bytes));
        // A small body came with its head: then the session hears of the request once, and mostly need not be waited for.
        let content = match poll_fn(|cx| Poll::Ready(read.as_mut().poll(cx))).await {
            Poll::Ready(Ok(bytes)) => match handle.post_at_once(decode(handle, is_binary, bytes)) {
                Ok(()) => return accepted(&parts.headers),
                Err(text) => Content::Whole(text),
            },
            Poll::Ready(Err(error)) => Content::Failed(error),
            Poll::Pending => Content::Coming(read),
        };
        // Boxed, so that the common case above does not carry its weight.
        Box::pin(post_in_steps(handle, &parts.headers, is_binary, content)).await
    }

    /// `wanted`: a packet in it wants to be compressed, which concerns all of it.
    async fn payload(&self, handle: &ConnectionHandle, payload: Payload, wanted: bool, request: &HeaderMap) -> Response<Body> {
        let (payload, kind) = match (payload, &handle.jsonp) {
            (Payload::Text(text), None) => (text, &TEXT),
            (Payload::Text(text), Some(jsonp)) => (jsonp.script(&text), &TEXT),
            (Payload::Binary(bytes), _) => (bytes, &BYTES),
        };
        let threshold = self.inner.config.compression_threshold_bytes.filter(|_| wanted);
        let (payload, encoding) = match threshold {
            Some(threshold) if payload.len() >= COMPRESSED_APART_BYTES => {
                let (plain, headers) = (payload.clone(), request.clone());
                let compressed = tokio::task::spawn_blocking(move || compress(plain, &headers, threshold));
                Box::pin(compressed).await.unwrap_or((payload, None))
            }
            Some(threshold) => compress(payload, request, threshold),
            None => (payload, None),
        };
        let mut response = success(full(payload), kind, request);
        if let Some(encoding) = encoding {
            response.headers_mut().insert(header::CONTENT_ENCODING, encoding);
        }
        response
    }
}

/// The body of a POST at its first look.
enum Content<B, R> {
    Whole(Text),
    Failed(ReadError<B>),
    Coming(Pin<Box<R>>),
}

/// A POST that cannot be answered at once: its body is still coming, or its session is busy.
async fn post_in_steps<B, R>(
    handle: &ConnectionHandle,
    headers: &HeaderMap,
    is_binary: bool,
    content: Content<B, R>,
) -> Response<Body>
where
    B: HttpBody<Data: Send, Error: Send> + Send + 'static,
    R: Future<Output = Result<Bytes, ReadError<B>>>,
{
    let refused = || empty(StatusCode::BAD_REQUEST);
    let (responder, mut answer) = oneshot::channel();
    let (command, read) = match content {
        Content::Whole(text) => (Command::PostComplete(responder, text), None),
        Content::Failed(error) => (Command::PostStarted(responder), Some(Err(error))),
        Content::Coming(read) => (Command::PostStarted(responder), Some(Ok(read))),
    };
    if !handle.command(command) {
        return refused();
    }
    let in_flight = InFlight::new(handle, Command::PostAborted);
    let body = match read {
        None => None,
        Some(Err(error)) => Some(Err(error)),
        Some(Ok(read)) => tokio::select! {
            biased;
            // An answer before the body is complete is a refusal, or the end of the session.
            _ = &mut answer => {
                in_flight.done();
                return cut();
            }
            body = read => Some(body),
        },
    };
    match body {
        None => {}
        Some(Ok(bytes)) => {
            handle.command(Command::Post(decode(handle, is_binary, bytes)));
        }
        Some(Err(ReadError::TooLarge(rest))) => {
            in_flight.done();
            handle.command(Command::PostDropped);
            tokio::spawn(body::discard(rest));
            return empty(StatusCode::PAYLOAD_TOO_LARGE);
        }
        // The guard tells the session.
        Some(Err(ReadError::Aborted)) => return refused(),
    }
    match in_flight.wait(answer).await {
        Some(Answer::Accepted) => accepted(headers),
        _ => cut(),
    }
}

/// The text of a POST; what is no UTF-8 is replaced, as in the reference.
fn decode(handle: &ConnectionHandle, is_binary: bool, bytes: Bytes) -> Text {
    if handle.jsonp.is_some() {
        // A form without a payload is accepted, and nothing comes of it.
        return jsonp::payload_of_form(&bytes).map_or_else(|| handle.revision.nothing(), Text::from);
    }
    if is_binary {
        return v3::payload::text_of_binary(&bytes);
    }
    Text::from_utf8(bytes.clone()).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into_owned().into())
}

/// The answer to a POST that was taken in. Not plain text: old browsers would offer it as a download.
fn accepted(request: &HeaderMap) -> Response<Body> {
    success(full("ok"), &HTML, request)
}

// Checked once, not for every answer.
static TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=UTF-8");
static BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");
static HTML: HeaderValue = HeaderValue::from_static("text/html");
static NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// From this size on, compressing takes long enough to hold up the other tasks of a worker.
const COMPRESSED_APART_BYTES: usize = 64 << 10;

/// A 200, with the headers that the reference gives to every polling answer.
fn success(body: Body, kind: &HeaderValue, request: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, kind.clone());
    headers.insert(header::CACHE_CONTROL, NO_STORE.clone());
    let agent = request.get(header::USER_AGENT).map_or(&[][..], HeaderValue::as_bytes);
    if [&b";MSIE"[..], b"Trident/"].iter().any(|mark| agent.windows(mark.len()).any(|window| window == *mark)) {
        headers.insert(header::X_XSS_PROTECTION, HeaderValue::from_static("0"));
    }
    response
}

/// The answer to a POST whose session ended under it.
fn cut() -> Response<Body> {
    let mut response = empty(StatusCode::BAD_REQUEST);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// A request that waits for its session. If the HTTP server drops it, because the client has gone, the session hears of it.
struct InFlight<'a> {
    handle: &'a ConnectionHandle,
    aborted: Option<Command>,
}

impl<'a> InFlight<'a> {
    fn new(handle: &'a ConnectionHandle, aborted: Command) -> Self {
        InFlight { handle, aborted: Some(aborted) }
    }

    fn done(mut self) {
        self.aborted = None;
    }

    async fn wait(self, answer: oneshot::Receiver<Answer>) -> Option<Answer> {
        let answer = answer.await.ok();
        self.done();
        answer
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        if let Some(command) = self.aborted.take() {
            self.handle.command(command);
        }
    }
}
