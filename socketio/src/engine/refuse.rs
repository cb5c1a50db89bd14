//! Refusals: the HTTP answers that carry the error codes of the reference.

use super::body::{Body, full};
use http::{HeaderValue, Response, StatusCode, header};

/// Why a request was refused. The numbers are the `code` of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    UnknownTransport,
    UnknownSession,
    BadHandshakeMethod,
    BadRequest,
    Forbidden(String),
    UnsupportedVersion,
}

impl Refusal {
    fn code(&self) -> u8 {
        match self {
            Refusal::UnknownTransport => 0,
            Refusal::UnknownSession => 1,
            Refusal::BadHandshakeMethod => 2,
            Refusal::BadRequest => 3,
            Refusal::Forbidden(_) => 4,
            Refusal::UnsupportedVersion => 5,
        }
    }

    fn message(&self) -> &str {
        match self {
            Refusal::UnknownTransport => "Transport unknown",
            Refusal::UnknownSession => "Session ID unknown",
            Refusal::BadHandshakeMethod => "Bad handshake method",
            Refusal::BadRequest => "Bad request",
            Refusal::Forbidden(message) if message.is_empty() => "Forbidden",
            Refusal::Forbidden(message) => message,
            Refusal::UnsupportedVersion => "Unsupported protocol version",
        }
    }

    /// The answer. A WebSocket client is told in plain text, and the connection is closed.
    pub(super) fn response(&self, websocket: bool) -> Response<Body> {
        if websocket {
            let mut response = Response::new(full(self.message().to_owned()));
            *response.status_mut() = StatusCode::BAD_REQUEST;
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            return response;
        }
        let message = serde_json::to_string(self.message()).unwrap_or_default();
        let mut response = Response::new(full(format!("{{\"code\":{},\"message\":{message}}}", self.code())));
        *response.status_mut() = if let Refusal::Forbidden(_) = self { StatusCode::FORBIDDEN } else { StatusCode::BAD_REQUEST };
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(full(""));
    *response.status_mut() = status;
    response
}
