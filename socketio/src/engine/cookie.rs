//! `Cookie`: the `Set-Cookie` header of the polling handshake, with the bytes of the npm package `cookie`.
//!
//! ```text
//! io=<sid>; Max-Age=100; Domain=x.example; Path=/; HttpOnly; Secure; Partitioned; SameSite=Lax
//! ```
//!
//! Not here: when it is sent (`service`: the answer to a polling request without a `sid`, never on a websocket handshake).

use http::HeaderValue;
use std::{fmt::Write as _, time::Duration};

/// A cookie with the session's id, for load balancers that keep a client on one server. The reference's option `cookie`.
///
/// The server never reads it. It hands the session id, which is a secret, to the browser's cookie store; `HttpOnly` keeps
/// it from scripts. Mistakes are kept and reported when the server is built.
///
/// Spec: RFC 6265, section 4.1
///
/// ```
/// use socketio::{Cookie, SameSite};
///
/// let cookie = Cookie::new().name("sticky").same_site(SameSite::None).secure(true);
/// # let _ = cookie;
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Cookie {
    name: String,
    max_age: Option<Duration>,
    domain: Option<String>,
    path: String,
    http_only: bool,
    secure: bool,
    partitioned: bool,
    same_site: SameSite,
    error: Option<CookieError>,
}

/// On which requests of other sites a browser sends the cookie. The standard has these three, so the list is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    /// On none.
    Strict,
    /// Only when a page of this site is opened.
    Lax,
    /// On all. Needs [`Cookie::secure`].
    None,
}

/// What is wrong with a [`Cookie`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CookieError {
    /// The name is empty or has a character that is not allowed.
    #[error("`{0}` is not a cookie name")]
    InvalidName(String),
    /// The domain is not a host name.
    #[error("`{0}` is not a cookie domain")]
    InvalidDomain(String),
    /// The path has a character that is not allowed.
    #[error("`{0}` is not a cookie path")]
    InvalidPath(String),
    /// Browsers drop such a cookie unless it is secure.
    #[error("browsers drop a cookie with `SameSite=None` or `Partitioned` that is not secure: call `secure(true)`")]
    NotSecure,
}

impl Cookie {
    /// `io=<sid>; Path=/; HttpOnly; SameSite=Lax`: a cookie that lives as long as the browser.
    pub fn new() -> Self {
        Cookie {
            name: "io".to_owned(),
            max_age: None,
            domain: None,
            path: "/".to_owned(),
            http_only: true,
            secure: false,
            partitioned: false,
            same_site: SameSite::Lax,
            error: None,
        }
    }

    /// The name. Default `io`. The reference's `cookie.name`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if name.is_empty() || !name.bytes().all(is_token) {
            return self.refuse(CookieError::InvalidName(name));
        }
        self.name = name;
        self
    }

    /// How long the browser keeps the cookie, in whole seconds. Default: until it is closed. The reference's `cookie.maxAge`.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// The domain it is sent to, with its subdomains. Default: this host only. The reference's `cookie.domain`.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        let domain = domain.into();
        if !domain.strip_prefix('.').unwrap_or(&domain).split('.').all(is_label) {
            return self.refuse(CookieError::InvalidDomain(domain));
        }
        self.domain = Some(domain);
        self
    }

    /// The path below which it is sent. Default `/`; empty sends no path. The reference's `cookie.path`.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        let path = path.into();
        if !path.bytes().all(|b| matches!(b, b' '..=b':' | b'='..=b'~')) {
            return self.refuse(CookieError::InvalidPath(path));
        }
        self.path = path;
        self
    }

    /// Whether scripts cannot read it. Default `true`. The reference's `cookie.httpOnly`.
    pub fn http_only(mut self, http_only: bool) -> Self {
        self.http_only = http_only;
        self
    }

    /// Whether it is sent over HTTPS only. Default `false`. The reference's `cookie.secure`.
    pub fn secure(mut self, secure: bool) -> Self {
        self.secure = secure;
        self
    }

    /// Whether a page that embeds this site gets a jar of its own. Default `false`. The reference's `cookie.partitioned`.
    pub fn partitioned(mut self, partitioned: bool) -> Self {
        self.partitioned = partitioned;
        self
    }

    /// On which requests of other sites it is sent. Default [`SameSite::Lax`]. The reference's `cookie.sameSite`.
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    /// The first mistake of the setters, or what is wrong with the whole.
    pub(crate) fn check(&self) -> Result<(), CookieError> {
        match &self.error {
            Some(error) => Err(error.clone()),
            None if !self.secure && (self.partitioned || self.same_site == SameSite::None) => Err(CookieError::NotSecure),
            None => Ok(()),
        }
    }

    /// The value of `Set-Cookie`, marked as sensitive: its `Debug` does not show the session id.
    pub(crate) fn header(&self, sid: &str) -> HeaderValue {
        let mut text = format!("{}=", self.name);
        encode_value(sid, &mut text);
        if let Some(age) = self.max_age {
            let _ = write!(text, "; Max-Age={}", age.as_secs());
        }
        if let Some(domain) = &self.domain {
            let _ = write!(text, "; Domain={domain}");
        }
        if !self.path.is_empty() {
            let _ = write!(text, "; Path={}", self.path);
        }
        for (present, attribute) in [(self.http_only, "; HttpOnly"), (self.secure, "; Secure"), (self.partitioned, "; Partitioned")]
        {
            if present {
                text.push_str(attribute);
            }
        }
        text.push_str(match self.same_site {
            SameSite::Strict => "; SameSite=Strict",
            SameSite::Lax => "; SameSite=Lax",
            SameSite::None => "; SameSite=None",
        });
        let mut value = HeaderValue::try_from(text).expect("invariant: every part was checked when it was set");
        value.set_sensitive(true);
        value
    }

    fn refuse(mut self, error: CookieError) -> Self {
        self.error.get_or_insert(error);
        self
    }
}

impl Default for Cookie {
    fn default() -> Self {
        Cookie::new()
    }
}

fn is_label(label: &str) -> bool {
    let bytes = label.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// JavaScript's `encodeURIComponent`. Ids of this crate pass unchanged.
fn encode_value(value: &str, text: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(cookie: &Cookie, expected: &str) {
        assert_eq!(cookie.check(), Ok(()));
        assert_eq!(cookie.header("UHk51AOsL4J2PfGWAAAA"), expected);
    }

    #[test]
    fn layout() {
        check(&Cookie::new(), "io=UHk51AOsL4J2PfGWAAAA; Path=/; HttpOnly; SameSite=Lax");
        check(
            &Cookie::new()
                .name("my")
                .max_age(Duration::from_millis(100_900))
                .domain("x.example")
                .secure(true)
                .same_site(SameSite::None),
            "my=UHk51AOsL4J2PfGWAAAA; Max-Age=100; Domain=x.example; Path=/; HttpOnly; Secure; SameSite=None",
        );
        check(&Cookie::new().same_site(SameSite::Strict).http_only(false).path(""), "io=UHk51AOsL4J2PfGWAAAA; SameSite=Strict");
        check(
            &Cookie::new().max_age(Duration::ZERO).domain("a").secure(true).partitioned(true).same_site(SameSite::None),
            "io=UHk51AOsL4J2PfGWAAAA; Max-Age=0; Domain=a; Path=/; HttpOnly; Secure; Partitioned; SameSite=None",
        );
    }

    #[test]
    fn the_value_is_encoded() {
        let cookie = Cookie::new().http_only(false);
        assert_eq!(cookie.header("a b~!*'()/é\""), "io=a%20b~!*'()%2F%C3%A9%22; Path=/; SameSite=Lax");
    }

    #[test]
    fn the_session_id_is_not_logged() {
        assert_eq!(format!("{:?}", Cookie::new().header("secret")), "Sensitive");
    }

    #[test]
    fn mistakes_are_reported() {
        for name in ["", "a b", "a=b", "a;b", "é"] {
            assert_eq!(Cookie::new().name(name).check(), Err(CookieError::InvalidName(name.to_owned())));
        }
        for domain in ["x..y", "-a.b", "a-.b", "a.", ".", "", "a_b.c", "a b"] {
            assert_eq!(Cookie::new().domain(domain).check(), Err(CookieError::InvalidDomain(domain.to_owned())), "{domain}");
        }
        for path in ["/a<b", "/a;b", "/é", "/\r\n"] {
            assert_eq!(Cookie::new().path(path).check(), Err(CookieError::InvalidPath(path.to_owned())));
        }
        assert_eq!(Cookie::new().domain(".x.y").path("x").check(), Ok(()));
        assert_eq!(Cookie::new().same_site(SameSite::None).check(), Err(CookieError::NotSecure));
        assert_eq!(Cookie::new().partitioned(true).check(), Err(CookieError::NotSecure));
        let two = Cookie::new().name("a b").path("/;");
        assert_eq!(two.check(), Err(CookieError::InvalidName("a b".to_owned())), "the first mistake");
        assert_eq!(two.header("x"), "io=x; Path=/; HttpOnly; SameSite=Lax", "an invalid part is never used");
    }
}
