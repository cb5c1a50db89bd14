//! `Cors`: which web pages may read answers of this server, with the bytes of the npm package `cors`.
//!
//! ```text
//! request headers --> preflight() --> 204, complete           (OPTIONS)
//!                 --> apply()     --> headers of the answer   (all else: open, poll, post, errors, 101, client files)
//! ```
//!
//! `tower_http::cors` is not used: its preflight is a 200 without `Content-Length`, `Vary` is one fixed list for every
//! answer, `Access-Control-Expose-Headers` is missing from preflights, and misuse panics.
//! Only a refused upgrade gets no headers, as the reference writes that answer by hand.
//! Not here: refusing a session because of its `Origin`. CORS does not restrict WebSocket; that is a check of the handshake.

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, CONTENT_LENGTH, ORIGIN, VARY,
    },
};
use std::{fmt, sync::Arc, time::Duration};

const DEFAULT_METHODS: &str = "GET,HEAD,PUT,PATCH,POST,DELETE";

/// Which web pages of other origins may use the server over HTTP. The reference's option `cors`.
///
/// One of [`allow_origin`](Self::allow_origin), [`allow_origin_if`](Self::allow_origin_if),
/// [`allow_any_origin`](Self::allow_any_origin) and [`mirror_origin`](Self::mirror_origin) has to be chosen; the reference
/// takes none of them as any origin. Mistakes are kept and reported when the server is built.
///
/// CORS is enforced by browsers, for long polling and the client files. It does not restrict WebSocket connections: refuse
/// those by their `Origin` header when the session is opened.
///
/// Spec: <https://fetch.spec.whatwg.org/#http-cors-protocol>
///
/// ```
/// use socketio::Cors;
///
/// let cors = Cors::new()
///     .allow_origin("https://app.example")
///     .allow_origin("http://localhost:5173")
///     .allow_credentials(true);
/// # let _ = cors;
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Cors {
    origins: Origins,
    credentials: bool,
    methods: Option<HeaderValue>,
    request_headers: RequestHeaders,
    exposed_headers: Option<HeaderValue>,
    max_age: Option<HeaderValue>,
    error: Option<CorsError>,
}

/// What is wrong with a [`Cors`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CorsError {
    /// No origin was allowed.
    #[error("no origin is allowed: call `allow_origin`, `allow_origin_if`, `mirror_origin` or `allow_any_origin`")]
    NoOrigin,
    /// A browser would never send this text as an origin.
    #[error("`{0}` is not an origin: expected `scheme://host` or `scheme://host:port` without a path, or `null`")]
    InvalidOrigin(String),
    /// Any origin, the mirrored origin and chosen origins exclude each other.
    #[error("any origin, the mirrored origin and chosen origins exclude each other: keep one")]
    ConflictingOrigins,
    /// Browsers ignore `*` for requests with credentials.
    #[error("browsers refuse credentials with any origin: name the origins, or call `mirror_origin`")]
    CredentialsWithAnyOrigin,
    /// This text is not the name of a header.
    #[error("`{0}` is not the name of a header")]
    InvalidHeaderName(String),
}

#[derive(Clone)]
enum Origins {
    Unset,
    Any,
    Mirror,
    Chosen { listed: Vec<HeaderValue>, predicate: Option<Predicate> },
}

type Predicate = Arc<dyn Fn(&HeaderValue) -> bool + Send + Sync>;

#[derive(Debug, Clone)]
enum RequestHeaders {
    Mirror,
    Fixed(Option<HeaderValue>),
}

impl Cors {
    /// No origin yet, no credentials, the methods `GET,HEAD,PUT,PATCH,POST,DELETE`, the headers that are asked for.
    pub fn new() -> Self {
        Cors {
            origins: Origins::Unset,
            credentials: false,
            methods: Some(HeaderValue::from_static(DEFAULT_METHODS)),
            request_headers: RequestHeaders::Mirror,
            exposed_headers: None,
            max_age: None,
            error: None,
        }
    }

    /// Allows an origin such as `https://app.example` or `http://localhost:5173`. May be called again for further ones.
    ///
    /// Without a path, not even `/`. A single origin is sent whatever the request's `Origin` is; of several, the one that
    /// asks. `"*"` means [`allow_any_origin`](Self::allow_any_origin). The reference's `cors.origin` as string or array.
    pub fn allow_origin(mut self, origin: impl AsRef<str>) -> Self {
        let origin = origin.as_ref();
        if origin == "*" {
            return self.allow_any_origin();
        }
        match parse_origin(origin) {
            Some(origin) => match self.chosen() {
                Some((listed, _)) => listed.push(origin),
                None => return self.refuse(CorsError::ConflictingOrigins),
            },
            None => return self.refuse(CorsError::InvalidOrigin(origin.to_owned())),
        }
        self
    }

    /// Allows every origin for which the function says `true`, besides those of [`allow_origin`](Self::allow_origin).
    /// A later function replaces an earlier one. The reference's `cors.origin` as regular expression.
    ///
    /// ```
    /// # use socketio::Cors;
    /// let cors = Cors::new().allow_origin_if(|origin| origin.as_bytes().ends_with(b".app.example"));
    /// # let _ = cors;
    /// ```
    pub fn allow_origin_if(mut self, allowed: impl Fn(&http::HeaderValue) -> bool + Send + Sync + 'static) -> Self {
        match self.chosen() {
            Some((_, predicate)) => *predicate = Some(Arc::new(allowed)),
            None => return self.refuse(CorsError::ConflictingOrigins),
        }
        self
    }

    /// Allows pages of every origin, by `*`. Excludes credentials. The reference's `cors.origin: "*"`.
    pub fn allow_any_origin(self) -> Self {
        self.set_origins(Origins::Any)
    }

    /// Allows every origin by sending back the one that asks. The reference's `cors.origin: true`.
    ///
    /// Together with [`allow_credentials`](Self::allow_credentials) any page may act in the name of a logged-in visitor.
    pub fn mirror_origin(self) -> Self {
        self.set_origins(Origins::Mirror)
    }

    /// Whether requests with cookies or HTTP authentication are allowed. Default `false`. The reference's `cors.credentials`.
    pub fn allow_credentials(mut self, allowed: bool) -> Self {
        self.credentials = allowed;
        self
    }

    /// The methods that a preflight allows. Default `GET,HEAD,PUT,PATCH,POST,DELETE`; none sends no such header.
    /// The reference's `cors.methods`.
    pub fn allow_methods(mut self, methods: impl IntoIterator<Item = http::Method>) -> Self {
        let methods: Vec<Method> = methods.into_iter().collect();
        let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
        self.methods = joined(&names);
        self
    }

    /// The request headers that a preflight allows. Default: those that are asked for; none sends no such header.
    /// The reference's `cors.allowedHeaders`.
    pub fn allow_headers<N: AsRef<str>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        match join_header_names(names) {
            Ok(names) => self.request_headers = RequestHeaders::Fixed(names),
            Err(error) => return self.refuse(error),
        }
        self
    }

    /// The answer headers that a page may read besides the safe ones. Default none. The reference's `cors.exposedHeaders`.
    pub fn expose_headers<N: AsRef<str>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        match join_header_names(names) {
            Ok(names) => self.exposed_headers = names,
            Err(error) => return self.refuse(error),
        }
        self
    }

    /// How long a browser may remember a preflight, in whole seconds. Default: not sent, browsers take 5 seconds.
    /// The reference's `cors.maxAge`.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(HeaderValue::from(age.as_secs()));
        self
    }

    /// The first mistake of the setters, or what is wrong with the whole.
    pub(crate) fn check(&self) -> Result<(), CorsError> {
        match (&self.error, &self.origins) {
            (Some(error), _) => Err(error.clone()),
            (None, Origins::Unset) => Err(CorsError::NoOrigin),
            (None, Origins::Any) if self.credentials => Err(CorsError::CredentialsWithAnyOrigin),
            (None, _) => Ok(()),
        }
    }

    /// The complete answer to a request with the method `OPTIONS`, with or without an `Origin`. `hyper` leaves out the
    /// `Content-Length: 0`, which RFC 9110, section 8.6 forbids in a 204.
    pub(crate) fn preflight(&self, request_headers: &HeaderMap) -> Response<()> {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        self.origin(request_headers, headers);
        insert(headers, ACCESS_CONTROL_ALLOW_METHODS, self.methods.clone());
        let allowed_headers = match &self.request_headers {
            RequestHeaders::Fixed(names) => names.clone(),
            RequestHeaders::Mirror => {
                vary(headers, &ACCESS_CONTROL_REQUEST_HEADERS, "Access-Control-Request-Headers");
                requested_headers(request_headers)
            }
        };
        insert(headers, ACCESS_CONTROL_ALLOW_HEADERS, allowed_headers);
        insert(headers, ACCESS_CONTROL_MAX_AGE, self.max_age.clone());
        insert(headers, ACCESS_CONTROL_EXPOSE_HEADERS, self.exposed_headers.clone());
        headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
        response
    }

    /// Adds the headers to any other answer. In the reference they are set first, so a user's hook may replace them.
    pub(crate) fn apply(&self, request_headers: &HeaderMap, response_headers: &mut HeaderMap) {
        self.origin(request_headers, response_headers);
        insert(response_headers, ACCESS_CONTROL_EXPOSE_HEADERS, self.exposed_headers.clone());
    }

    fn origin(&self, request_headers: &HeaderMap, headers: &mut HeaderMap) {
        let origin = request_headers.get(ORIGIN).filter(|origin| !origin.is_empty());
        let (allowed, varies) = match &self.origins {
            Origins::Unset => (None, true),
            Origins::Any => (Some(HeaderValue::from_static("*")), false),
            Origins::Mirror => (origin.cloned(), true),
            Origins::Chosen { listed, predicate: None } if listed.len() == 1 => (listed.first().cloned(), true),
            Origins::Chosen { listed, predicate } => {
                let chosen = |origin: &HeaderValue| listed.contains(origin) || predicate.as_ref().is_some_and(|p| p(origin));
                (origin.filter(|origin| chosen(origin)).cloned(), true)
            }
        };
        insert(headers, ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        if varies {
            vary(headers, &ORIGIN, "Origin");
        }
        insert(headers, ACCESS_CONTROL_ALLOW_CREDENTIALS, self.credentials.then(|| HeaderValue::from_static("true")));
    }

    fn chosen(&mut self) -> Option<(&mut Vec<HeaderValue>, &mut Option<Predicate>)> {
        if matches!(self.origins, Origins::Unset) {
            self.origins = Origins::Chosen { listed: Vec::new(), predicate: None };
        }
        match &mut self.origins {
            Origins::Chosen { listed, predicate } => Some((listed, predicate)),
            _ => None,
        }
    }

    fn set_origins(mut self, origins: Origins) -> Self {
        if !matches!(
            (&self.origins, &origins),
            (Origins::Unset, _) | (Origins::Any, Origins::Any) | (Origins::Mirror, Origins::Mirror)
        ) {
            return self.refuse(CorsError::ConflictingOrigins);
        }
        self.origins = origins;
        self
    }

    fn refuse(mut self, error: CorsError) -> Self {
        self.error.get_or_insert(error);
        self
    }
}

impl Default for Cors {
    fn default() -> Self {
        Cors::new()
    }
}

impl fmt::Debug for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origins::Unset => f.write_str("Unset"),
            Origins::Any => f.write_str("Any"),
            Origins::Mirror => f.write_str("Mirror"),
            Origins::Chosen { listed, predicate } => {
                f.debug_struct("Chosen").field("listed", listed).field("predicate", &predicate.is_some()).finish()
            }
        }
    }
}

/// An origin as browsers write it. Catches what would silently never match: a path, a missing scheme, capitals.
fn parse_origin(text: &str) -> Option<HeaderValue> {
    let is_origin = text == "null"
        || text.split_once("://").is_some_and(|(scheme, host)| {
            !scheme.is_empty() && !host.contains(['/', '?', '#', '@', '*']) && !text.contains(|c: char| c.is_ascii_uppercase())
        });
    let is_plain = text.bytes().all(|b| b.is_ascii_graphic());
    if is_origin && is_plain { HeaderValue::from_str(text).ok() } else { None }
}

fn join_header_names<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Result<Option<HeaderValue>, CorsError> {
    let names: Vec<N> = names.into_iter().collect();
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match names.iter().find(|name| HeaderName::from_bytes(name.as_bytes()).is_err()) {
        Some(name) => Err(CorsError::InvalidHeaderName((*name).to_owned())),
        None => Ok(joined(&names)),
    }
}

/// The tokens with commas, in the case the user wrote; `None` if there are none, as the header is then left out.
fn joined(tokens: &[&str]) -> Option<HeaderValue> {
    let value = tokens.join(",");
    (!value.is_empty()).then(|| HeaderValue::try_from(value).expect("invariant: tokens and commas are a header value"))
}

/// What the page asks to send. Repeated headers are one list, as Node.js reads them.
fn requested_headers(request_headers: &HeaderMap) -> Option<HeaderValue> {
    let values: Vec<&[u8]> = request_headers.get_all(ACCESS_CONTROL_REQUEST_HEADERS).iter().map(HeaderValue::as_bytes).collect();
    HeaderValue::from_bytes(&values.join(&b", "[..])).ok().filter(|value| !value.is_empty())
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) {
    if let Some(value) = value {
        headers.insert(name, value);
    }
}

/// Adds a name to `Vary` unless it is there or `Vary` is `*`. Several `Vary` headers become one, as in the npm package `vary`.
fn vary(headers: &mut HeaderMap, name: &HeaderName, spelled: &'static str) {
    let present: Vec<&[u8]> = headers.get_all(VARY).iter().map(HeaderValue::as_bytes).collect();
    let mut value = present.join(&b", "[..]);
    let mut names = value.split(|b| *b == b',').map(<[u8]>::trim_ascii);
    if names.any(|present| present == b"*" || present.eq_ignore_ascii_case(name.as_str().as_bytes())) {
        return;
    }
    if !value.is_empty() {
        value.extend_from_slice(b", ");
    }
    value.extend_from_slice(spelled.as_bytes());
    insert(headers, VARY, HeaderValue::from_bytes(&value).ok());
}

#[cfg(test)]
mod tests;
