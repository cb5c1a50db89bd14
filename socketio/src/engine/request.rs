//! The parameters of an Engine.IO request, and the checks on them in the reference's order.

use super::{
    config::{Config, Transport},
    jsonp::Jsonp,
    proto::Revision,
    refuse::Refusal,
    transport::websocket::accept_key,
};
use crate::{
    id::SessionId,
    websocket::deflate::{self, Malformed, Offer},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header, request::Parts};
use std::borrow::Cow;

/// The query parameters that the engine knows. The last of several wins, as in Node.
#[derive(Debug, Default)]
pub(super) struct Query {
    transport: Option<Transport>,
    sid: Sid,
    current_version: bool,
    /// The client cannot take bytes.
    base64: bool,
    jsonp: Option<Jsonp>,
}

#[derive(Debug, Default)]
enum Sid {
    /// None, or an empty one: asks for a handshake.
    #[default]
    None,
    Known(SessionId),
    /// No id of this server.
    Foreign,
}

impl Query {
    pub(super) fn parse(query: &str) -> Self {
        let mut known = Query::default();
        // Byte by byte: every poll comes here, and looking for a character in a short text costs more than reading the text.
        let mut rest = Some(query);
        while let Some(pairs) = rest {
            let (pair, behind) = cut(pairs, b'&');
            rest = behind;
            let (name, value) = cut(pair, b'=');
            let value = decode(value.unwrap_or_default());
            match &*decode(name) {
                "transport" => {
                    known.transport = [Transport::Polling, Transport::WebSocket].into_iter().find(|known| known.as_str() == value)
                }
                "sid" if value.is_empty() => known.sid = Sid::None,
                "sid" => known.sid = value.parse().map_or(Sid::Foreign, Sid::Known),
                "EIO" => known.current_version = value == "4",
                "b64" => known.base64 = !value.is_empty(),
                "j" => known.jsonp = Some(Jsonp::parse(&value)),
                _ => {}
            }
        }
        known
    }

    pub(super) fn transport(&self, config: &Config) -> Result<Transport, Refusal> {
        self.transport.filter(|transport| config.transports.contains(transport)).ok_or(Refusal::UnknownTransport)
    }

    /// Whether it is a handshake.
    pub(super) fn asks_for_session(&self) -> bool {
        matches!(self.sid, Sid::None)
    }

    /// The session that the request belongs to; `None` for a handshake.
    pub(super) fn session(&self) -> Result<Option<SessionId>, Refusal> {
        match self.sid {
            Sid::None => Ok(None),
            Sid::Known(id) => Ok(Some(id)),
            Sid::Foreign => Err(Refusal::UnknownSession),
        }
    }

    /// The revision of the protocol that the request asks for: as in the reference, all that is not 4 is 3.
    pub(super) fn revision(&self) -> Revision {
        if self.current_version { Revision::Four } else { Revision::Three { base64: self.base64 || self.jsonp.is_some() } }
    }

    /// The request asks for answers as scripts.
    pub(super) fn jsonp(self) -> Option<Jsonp> {
        self.jsonp
    }
}

/// What stands in front of the first `mark`, an ASCII character, and what stands behind it.
fn cut(text: &str, mark: u8) -> (&str, Option<&str>) {
    match text.bytes().position(|byte| byte == mark) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// Decodes a part of a query; most need it not.
fn decode(part: &str) -> Cow<'_, str> {
    if !part.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(part);
    }
    // With a name in front of it, an equals sign in the part is data.
    let pair = format!("v={part}");
    form_urlencoded::parse(pair.as_bytes()).next().map_or_else(Cow::default, |(_, value)| Cow::Owned(value.into_owned()))
}

/// Whether the request asks for a WebSocket, well or badly.
pub(super) fn is_upgrade(parts: &Parts) -> bool {
    let headers = &parts.headers;
    is_extended_connect(parts) || headers.contains_key(header::UPGRADE) && has_token(headers, header::CONNECTION, "upgrade")
}

/// Whether the request asks for a stream of HTTP/2 to itself. Only an extended CONNECT has a path to be found by.
/// Spec: RFC 8441, section 4.
pub(super) fn is_extended_connect(parts: &Parts) -> bool {
    parts.method == Method::CONNECT && parts.version == Version::HTTP_2
}

/// Whether an extended CONNECT is a valid request for a WebSocket. There is neither a key nor `Upgrade` in it: `:protocol` has
/// that meaning. Spec: RFC 8441, section 5.
pub(super) fn is_websocket_connect(parts: &Parts) -> bool {
    protocol(parts) == Some("websocket") && parts.headers.get(header::SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13")
}

/// What an extended CONNECT asks for.
#[cfg(feature = "http2")]
fn protocol(parts: &Parts) -> Option<&str> {
    parts.extensions.get::<hyper::ext::Protocol>().map(hyper::ext::Protocol::as_str)
}

/// Not to be seen without hyper's HTTP/2. Browsers do not try again with HTTP/1, so that is said.
#[cfg(not(feature = "http2"))]
fn protocol(_: &Parts) -> Option<&str> {
    static SAID: std::sync::Once = std::sync::Once::new();
    SAID.call_once(|| tracing::warn!("a WebSocket over HTTP/2 was refused: it needs the feature `http2` of `socketio`"));
    None
}

/// Whether the `Origin` header has only bytes that are legal in a header.
pub(super) fn has_legal_origin(headers: &HeaderMap) -> bool {
    headers
        .get(header::ORIGIN)
        .is_none_or(|origin| origin.as_bytes().iter().all(|byte| *byte == b'\t' || (*byte >= 0x20 && *byte != 0x7f)))
}

/// What a valid WebSocket request is answered with; `None` if it is not valid. Spec: RFC 6455, section 4.2.1.
pub(super) fn websocket_accept_key(parts: &Parts) -> Option<String> {
    let headers = &parts.headers;
    let key = headers.get(header::SEC_WEBSOCKET_KEY)?;
    let valid = parts.method == Method::GET
        && has_token(headers, header::UPGRADE, "websocket")
        && headers.get(header::SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13" || version == "8")
        && key.len() == 24
        && key.as_bytes().ends_with(b"==");
    valid.then(|| accept_key(key.as_bytes()))
}

/// The subprotocol that is agreed on: the first that the client offers, as the reference has it. A client that offers some
/// gives up if none is chosen.
pub(super) fn websocket_subprotocol(headers: &HeaderMap) -> Option<HeaderValue> {
    let offered = headers.get(header::SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?;
    let first = offered.split(',').next()?.trim();
    // Only a token of HTTP is one.
    HeaderName::from_bytes(first.as_bytes()).ok()?;
    HeaderValue::from_str(first).ok()
}

/// What is offered of permessage-deflate.
pub(super) fn websocket_deflate_offers(headers: &HeaderMap) -> Result<Vec<Offer>, Malformed> {
    let lines = headers.get_all(header::SEC_WEBSOCKET_EXTENSIONS).iter();
    let lines = lines.map(|line| line.to_str().map_err(|_| Malformed)).collect::<Result<Vec<_>, _>>()?;
    deflate::offers(lines.into_iter())
}

fn has_token(headers: &HeaderMap, name: header::HeaderName, token: &str) -> bool {
    let values = headers.get_all(name);
    let mut tokens = values.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    tokens.any(|found| found.trim().eq_ignore_ascii_case(token))
}
