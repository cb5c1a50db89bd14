//! `Address`: what a URL says about where to connect.

use crate::client::manager::ConnectError;
use http::{Uri, uri::Authority};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::client) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
    pub(in crate::client) secure: bool,
    /// As the `Host` header says it.
    pub(super) authority: Authority,
    /// What the URL itself asks for.
    pub(in crate::client) query: Option<String>,
}

impl Address {
    /// Reads `http://host:port`, `https`, `ws` or `wss`, perhaps with a query.
    ///
    /// # Errors
    /// It is something else.
    pub(in crate::client) fn parse(url: &str) -> Result<Self, ConnectError> {
        let wrong = |what: &str| ConnectError::Setting(format!("the URL `{url}` {what}"));
        let uri: Uri = url.parse().map_err(|error| wrong(&format!("is none: {error}")))?;
        let secure = match uri.scheme_str() {
            Some("http" | "ws") => false,
            Some("https" | "wss") => true,
            _ => return Err(wrong("starts with none of http://, https://, ws:// and wss://")),
        };
        if !matches!(uri.path(), "" | "/") {
            return Err(wrong(
                "has a path: give that of the endpoint with `.path(..)`, and that of a dynamic namespace with `.at(..)`",
            ));
        }
        let authority = uri.authority().ok_or_else(|| wrong("has no host"))?.clone();
        if authority.as_str().contains('@') {
            return Err(wrong("has a user name: give it with `.header(\"authorization\", ..)`"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(wrong("has no host"));
        }
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        Ok(Address { host, port, secure, query: uri.query().map(str::to_owned), authority })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let check = |url: &str, host: &str, port: u16, secure: bool| {
            let address = Address::parse(url).expect(url);
            assert_eq!((&*address.host, address.port, address.secure), (host, port, secure), "{url}");
        };
        check("http://localhost:3000", "localhost", 3000, false);
        check("https://example.com/", "example.com", 443, true);
        check("ws://example.com", "example.com", 80, false);
        check("wss://[::1]:8443", "::1", 8443, true);
        assert_eq!(Address::parse("http://a?x=1").expect("an address").query.as_deref(), Some("x=1"));
    }

    #[test]
    fn what_is_no_address() {
        for url in ["", "localhost:3000", "/chat", "ftp://a", "http://", "http://a/chat", "http://u:p@a", "http://a b"] {
            assert!(matches!(Address::parse(url), Err(ConnectError::Setting(_))), "{url}");
        }
    }
}
