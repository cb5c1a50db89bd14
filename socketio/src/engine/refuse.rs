//! Refusals: the HTTP answers that carry the error codes of the reference.

use super::{
    admission::Denial,
    body::{Body, full},
};
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
    /// There is no room for the client; not known to the reference.
    Denied(Denial),
}

impl Refusal {
    fn code(&self) -> u16 {
        match self {
            Refusal::UnknownTransport => 0,
            Refusal::UnknownSession => 1,
            Refusal::BadHandshakeMethod => 2,
            Refusal::BadRequest => 3,
            Refusal::Forbidden(_) => 4,
            Refusal::UnsupportedVersion => 5,
            // The status, which no code of the reference will ever be.
            Refusal::Denied(denial) => denial.status().as_u16(),
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
            Refusal::Denied(denial) => denial.message(),
        }
    }

    fn status(&self, websocket: bool) -> StatusCode {
        match self {
            Refusal::Denied(denial) => denial.status(),
            Refusal::Forbidden(_) if !websocket => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// The answer. A WebSocket client is told in plain text, and the connection is closed.
    pub(super) fn response(&self, websocket: bool) -> Response<Body> {
        let (kind, body) = if websocket {
            ("text/html", self.message().to_owned())
        } else {
            let message = serde_json::to_string(self.message()).unwrap_or_default();
            ("application/json", format!("{{\"code\":{},\"message\":{message}}}", self.code()))
        };
        let mut response = Response::new(full(body));
        *response.status_mut() = self.status(websocket);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        if let Refusal::Denied(denial) = self {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(denial.retry_after_seconds()));
        }
        // The next attempt should be free to reach another server.
        if websocket || matches!(self, Refusal::Denied(_)) {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(full(""));
    *response.status_mut() = status;
    response
}
