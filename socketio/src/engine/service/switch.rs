//! The answer that opens a WebSocket, with what is agreed on in it, and the way to get at the WebSocket.

use super::Server;
use crate::{
    engine::{
        body::Body,
        proto::Revision,
        refuse::{Refusal, empty},
        request::{
            is_extended_connect, is_websocket_connect, websocket_accept_key, websocket_deflate_offers, websocket_subprotocol,
        },
        transport::{
            deflate::{Deflating, Reserved},
            websocket::Opening,
        },
    },
    websocket::deflate,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header, request::Parts};
use hyper::upgrade::OnUpgrade;

impl Server {
    pub(super) fn switch_protocols(&self, parts: &mut Parts, revision: Revision) -> Result<(Response<Body>, Opening), Refusal> {
        let mut response = if is_extended_connect(parts) { accept_connect(parts) } else { accept_upgrade(parts) }?;
        let (deflating, extension) = self.deflating(&parts.headers)?.unzip();
        let upgrade = parts.extensions.remove::<OnUpgrade>().ok_or(Refusal::BadRequest)?;
        if let Some(protocol) = websocket_subprotocol(&parts.headers) {
            response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
        }
        if let Some(extension) = extension {
            response.headers_mut().insert(header::SEC_WEBSOCKET_EXTENSIONS, extension);
        }
        let opening = Opening::new(upgrade, false, self.inner.config.max_payload_bytes);
        Ok((response, opening.speaking(revision).deflating(deflating)))
    }

    /// permessage-deflate for a new WebSocket, and what its client is answered; `None`: not here, or not with this client.
    fn deflating(&self, headers: &HeaderMap) -> Result<Option<(Box<Deflating>, HeaderValue)>, Refusal> {
        let Some(settings) = &self.inner.config.per_message_deflate else { return Ok(None) };
        let offers = websocket_deflate_offers(headers).map_err(|_| Refusal::BadRequest)?;
        let with_contexts = deflate::agree(&offers, settings, true)
            .and_then(|(agreed, answer)| Some((agreed, answer, self.inner.contexts.reserve(agreed.context_bytes())?)));
        let without = || deflate::agree(&offers, settings, false).map(|(agreed, answer)| (agreed, answer, Reserved::default()));
        let Some((agreed, answer, contexts)) = with_contexts.or_else(without) else { return Ok(None) };
        let answer = HeaderValue::try_from(answer).map_err(|_| Refusal::BadRequest)?;
        Ok(Some((Box::new(Deflating::new(agreed, settings, contexts)), answer)))
    }
}

/// The whole connection becomes a WebSocket.
fn accept_upgrade(parts: &Parts) -> Result<Response<Body>, Refusal> {
    let key = websocket_accept_key(parts).ok_or(Refusal::BadRequest)?;
    let mut response = empty(StatusCode::SWITCHING_PROTOCOLS);
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, HeaderValue::try_from(key).map_err(|_| Refusal::BadRequest)?);
    Ok(response)
}

/// One stream of HTTP/2 becomes a WebSocket.
fn accept_connect(parts: &Parts) -> Result<Response<Body>, Refusal> {
    if is_websocket_connect(parts) { Ok(empty(StatusCode::OK)) } else { Err(Refusal::BadRequest) }
}
