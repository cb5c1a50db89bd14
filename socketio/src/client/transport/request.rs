//! `Dialer`: the requests of one client, polling and opening WebSockets.

use super::{
    address::Address,
    cookies::Jar,
    dial::{Failed, Wire},
};
use crate::{
    client::manager::ConnectError,
    engine::{
        Transport,
        transport::websocket::{Opening, WebSocket, accept_key},
    },
    text::Text,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode,
    header::{CONNECTION, CONTENT_TYPE, COOKIE, HOST, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE},
};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use parking_lot::Mutex;
use std::{future::poll_fn, sync::Arc};
use tokio_rustls::TlsConnector;

/// How much of the text of a refusal is kept.
const REFUSAL_BYTES: usize = 1024;

/// What all requests of a client have in common.
pub(in crate::client) struct Dialer {
    pub(in crate::client) address: Address,
    pub(in crate::client) tls: Option<TlsConnector>,
    /// Path and query, without transport and session.
    pub(in crate::client) target: String,
    pub(in crate::client) headers: HeaderMap,
    /// Guards the cookies of the server, for a moment each time.
    pub(in crate::client) jar: Option<Mutex<Jar>>,
    /// The largest answer, and the largest message of a WebSocket.
    pub(in crate::client) max_payload_bytes: usize,
}

/// What a request was answered with.
pub(in crate::client) struct Answer {
    pub(in crate::client) status: StatusCode,
    pub(in crate::client) body: Bytes,
}

impl Answer {
    /// The body of a good answer.
    pub(in crate::client) fn text(self) -> Result<Text, ConnectError> {
        if self.status != StatusCode::OK {
            return Err(self.refusal());
        }
        Text::from_utf8(self.body).map_err(|_| ConnectError::Protocol("the answer is not UTF-8".to_owned()))
    }

    /// What a refusal says.
    fn refusal(&self) -> ConnectError {
        #[derive(serde::Deserialize)]
        struct Refusal {
            code: u8,
            message: String,
        }
        /// The code of Engine.IO for a version that the server does not speak.
        const UNSUPPORTED_VERSION: u8 = 5;
        let status = self.status.as_u16();
        match serde_json::from_slice::<Refusal>(&self.body) {
            Ok(Refusal { code: UNSUPPORTED_VERSION, message }) => ConnectError::ProtocolVersion(message),
            Ok(Refusal { message, .. }) => ConnectError::Http { status, message },
            Err(_) => {
                let text = String::from_utf8_lossy(&self.body[..self.body.len().min(REFUSAL_BYTES)]);
                let reason = self.status.canonical_reason().unwrap_or_default();
                match text.trim() {
                    // A refused upgrade says in text what a refused poll says in JSON.
                    "Unsupported protocol version" => ConnectError::ProtocolVersion(text.trim().to_owned()),
                    "" => ConnectError::Http { status, message: reason.to_owned() },
                    text => ConnectError::Http { status, message: text.to_owned() },
                }
            }
        }
    }
}

impl Dialer {
    fn request(
        &self,
        method: Method,
        transport: Transport,
        sid: Option<&str>,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, ConnectError> {
        let mut target = format!("{}&transport={transport}", self.target);
        if let Some(sid) = sid {
            target.push_str("&sid=");
            target.extend(form_urlencoded::byte_serialize(sid.as_bytes()));
        }
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = target.parse().map_err(|_| ConnectError::Setting(format!("`{}` is no path", self.target)))?;
        *request.headers_mut() = self.headers.clone();
        let headers = request.headers_mut();
        let host = HeaderValue::from_str(self.address.authority.as_str());
        headers.entry(HOST).or_insert(host.map_err(|_| ConnectError::Setting("the host is no header value".to_owned()))?);
        if let Some(cookies) = self.jar.as_ref().and_then(|jar| jar.lock().header()) {
            headers.append(COOKIE, cookies);
        }
        Ok(request)
    }

    /// One polling request, over a connection that is left from another, or a new one.
    pub(in crate::client) async fn poll(
        self: Arc<Self>,
        mut wire: Option<Wire>,
        sid: Option<String>,
        post: Option<Bytes>,
    ) -> (Result<Answer, ConnectError>, Option<Wire>) {
        let method = if post.is_some() { Method::POST } else { Method::GET };
        let request = self.request(method, Transport::Polling, sid.as_deref(), post.clone().unwrap_or_default());
        let answer = match request {
            Ok(mut request) => {
                if post.is_some() {
                    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain;charset=UTF-8"));
                }
                self.exchange(&mut wire, request).await
            }
            Err(error) => Err(error),
        };
        (answer, wire)
    }

    async fn exchange(&self, slot: &mut Option<Wire>, request: Request<Full<Bytes>>) -> Result<Answer, ConnectError> {
        let mut request = request;
        if let Some(mut wire) = slot.take() {
            match wire.send(request).await {
                Ok(response) => {
                    let answer = self.read(&mut wire, response).await;
                    *slot = Some(wire);
                    return answer;
                }
                Err(Failed::NotSent(back)) => request = *back,
                Err(Failed::Lost(error)) => return Err(error),
            }
        }
        let mut wire = Wire::open(&self.address, self.tls.as_ref()).await?;
        let response = wire.send(request).await.map_err(lost)?;
        let answer = self.read(&mut wire, response).await;
        *slot = Some(wire);
        answer
    }

    async fn read(&self, wire: &mut Wire, response: Response<Incoming>) -> Result<Answer, ConnectError> {
        let (parts, mut body) = response.into_parts();
        if let Some(jar) = &self.jar {
            jar.lock().keep(&parts.headers);
        }
        let limit = if parts.status == StatusCode::OK { self.max_payload_bytes } else { REFUSAL_BYTES };
        let collected = wire.drive(async {
            let mut bytes = BytesMut::new();
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|error| ConnectError::Network(error.to_string()))?;
                if let Some(data) = frame.data_ref() {
                    if bytes.len() + data.len() > limit {
                        return Ok(None);
                    }
                    bytes.extend_from_slice(data);
                }
            }
            Ok(Some(bytes.freeze()))
        });
        match collected.await? {
            Some(body) => Ok(Answer { status: parts.status, body }),
            None if parts.status == StatusCode::OK => Err(ConnectError::Protocol("the answer is too large".to_owned())),
            None => Ok(Answer { status: parts.status, body: Bytes::new() }),
        }
    }

    /// Opens a WebSocket: with a session id, as the upgrade of that session.
    pub(in crate::client) async fn websocket(self: Arc<Self>, sid: Option<String>) -> Result<WebSocket, ConnectError> {
        let mut request = self.request(Method::GET, Transport::WebSocket, sid.as_deref(), Bytes::new())?;
        let key = STANDARD.encode(rand::random::<[u8; 16]>());
        let headers = request.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from_str(&key).expect("invariant: base64 is a header value"));
        let mut wire = Wire::open(&self.address, self.tls.as_ref()).await?;
        let response = wire.send(request).await.map_err(lost)?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            let answer = self.read(&mut wire, response).await?;
            return Err(answer.refusal());
        }
        let accepted = response
            .headers()
            .get(SEC_WEBSOCKET_ACCEPT)
            .is_some_and(|accept| accept.as_bytes() == accept_key(key.as_bytes()).as_bytes());
        if !accepted {
            return Err(ConnectError::Protocol("the WebSocket was not accepted with its key".to_owned()));
        }
        if let Some(jar) = &self.jar {
            jar.lock().keep(response.headers());
        }
        let mut opening = Opening::new(hyper::upgrade::on(response), true, self.max_payload_bytes);
        let opened = wire.drive(poll_fn(|cx| opening.poll(cx))).await;
        opened.ok_or_else(|| ConnectError::Network("the connection was lost".to_owned()))
    }
}

/// A new connection that takes no request is no connection.
fn lost(failed: Failed) -> ConnectError {
    match failed {
        Failed::NotSent(_) => ConnectError::Network("the connection was closed".to_owned()),
        Failed::Lost(error) => error,
    }
}
