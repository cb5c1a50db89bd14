//! Engine.IO requests, handed to the server's tower service as values: no socket is involved.

use crate::{
    engine::{Bundle, Frame, NotFound, Service, proto::FrameData},
    extract::ConnectError,
    parser::Encoded,
    server::{SocketIo, Spelling},
    text::Text,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Extensions, HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use std::future::Future;
use tower_service::Service as _;

/// What all requests of a client have in common.
pub(super) struct Wire {
    pub(super) service: Service<SocketIo, NotFound>,
    /// Path and query, without a session.
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) extensions: Extensions,
}

/// What came back.
pub(super) struct Response {
    pub(super) status: StatusCode,
    pub(super) body: Text,
}

/// The handshake, as far as it matters here.
#[derive(serde::Deserialize)]
pub(super) struct Open {
    pub(super) sid: String,
    #[serde(rename = "maxPayload")]
    pub(super) max_payload: usize,
}

impl Wire {
    /// Opens a session.
    pub(super) async fn open(&self) -> Result<Open, ConnectError> {
        let answer = self.request(Method::GET, None, String::new()).await;
        if answer.status != StatusCode::OK {
            return Err(refused(&answer));
        }
        let open = answer.body.strip_prefix('0').and_then(|json| serde_json::from_str(json).ok());
        open.ok_or_else(|| ConnectError::new("the server did not answer with a handshake"))
    }

    pub(super) fn request(&self, method: Method, sid: Option<&str>, body: String) -> impl Future<Output = Response> + Send + use<> {
        let mut request = Request::new(Full::new(Bytes::from(body)));
        let target = sid.map_or_else(|| self.target.clone(), |sid| format!("{}&sid={sid}", self.target));
        *request.method_mut() = method;
        *request.uri_mut() = target.parse().expect("invariant: the builder encodes the query");
        *request.headers_mut() = self.headers.clone();
        *request.extensions_mut() = self.extensions.clone();
        let response = self.service.clone().call(request);
        async move {
            let response = response.await.unwrap_or_else(|never| match never {});
            let (parts, body) = response.into_parts();
            let body = body.collect().await.unwrap_or_else(|never| match never {}).to_bytes();
            Response { status: parts.status, body: Text::from_utf8(body).unwrap_or_default() }
        }
    }
}

/// A refusal of the HTTP request, in the form of the one that a connect handler makes.
fn refused(answer: &Response) -> ConnectError {
    #[derive(serde::Deserialize)]
    struct Refusal {
        message: String,
    }
    let message = serde_json::from_str::<Refusal>(&answer.body).map(|refusal| refusal.message);
    let message = message.unwrap_or_else(|_| answer.status.canonical_reason().unwrap_or("refused").to_owned());
    ConnectError::new(message).with_data(serde_json::json!({ "status": answer.status.as_u16() }))
}

/// The Engine.IO packets of a Socket.IO packet, binary ones in base64.
pub(super) fn packets(spelling: &Spelling, packet: Encoded) -> Vec<String> {
    let Bundle { first, rest } = spelling.bundle(packet);
    let text = |frame: Frame| match frame.into_data() {
        FrameData::Text(framed) => String::from_utf8_lossy(framed.as_payload()).into_owned(),
        FrameData::Binary(bytes) => format!("b{}", STANDARD.encode(bytes)),
    };
    std::iter::once(first).chain(rest).map(text).collect()
}
