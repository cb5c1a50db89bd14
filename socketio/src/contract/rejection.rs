//! Why an event never reached its handler, or the handler gave no answer.
//!
//! Rejections are logged and sent to the peer, so payload text is kept out of them: serde's messages quote what they found,
//! and only what they expected is kept.

use super::Incoming;
use crate::parser::{EXPECTED_BINARY, EncodeError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt, time::Duration};

/// What went wrong. On the wire in camel case: `"payload"`, `"rateLimited"`.
///
/// ```
/// use socketio::{Rejection, RejectionKind};
/// use std::time::Duration;
///
/// /// Whether the client has made a mistake, rather than this server.
/// fn is_theirs(rejection: &Rejection) -> bool {
///     match rejection.kind() {
///         RejectionKind::Payload | RejectionKind::Malformed | RejectionKind::Refused | RejectionKind::RateLimited => true,
///         RejectionKind::Panic | RejectionKind::Unanswerable => false,
///         _ => false, // kinds to come
///     }
/// }
/// assert!(is_theirs(&Rejection::rate_limited(Duration::from_secs(1))));
/// assert_eq!(serde_json::to_string(&RejectionKind::RateLimited)?, "\"rateLimited\"");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum RejectionKind {
    /// An argument is missing or has the wrong type.
    Payload,
    /// The event is not valid JSON or misuses its attachments; the connection is closed.
    Malformed,
    /// A middleware, a layer or an `#[extract]` parameter refused the event.
    Refused,
    /// There were too many events; [`Rejection::retry_after`] says when the next one is taken.
    RateLimited,
    /// The handler, or something around it, panicked.
    Panic,
    /// The handler ran, but its answer cannot be serialized.
    Unanswerable,
}

/// Why an event was not handled, or was and has no answer. If the event returns `Result<_, E>` and `E: From<Rejection>`, the
/// client receives it as that typed error; else the event is not acknowledged. Never carries payload text.
///
/// `String` and `Rejection` itself are such error types: `Result<T, Rejection>` is the choice of an event that has no errors of its
/// own. `docs/rejections.md` of the repository has the table of what a client receives for which rejection.
///
/// ```
/// use socketio::{Rejection, RejectionKind};
///
/// /// How a client hears of it.
/// #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
/// #[serde(tag = "code", rename_all = "camelCase")]
/// enum ChatError {
///     Full,
///     SlowDown { retry_after_ms: u128 },
///     Invalid { reason: String },
/// }
///
/// impl From<Rejection> for ChatError {
///     fn from(rejection: Rejection) -> Self {
///         match rejection.retry_after() {
///             Some(wait) => ChatError::SlowDown { retry_after_ms: wait.as_millis() },
///             None => ChatError::Invalid { reason: rejection.to_string() },
///         }
///     }
/// }
///
/// let rejection = Rejection::new("members only");
/// assert_eq!(rejection.kind(), RejectionKind::Refused);
/// assert_eq!(serde_json::to_string(&rejection)?, r#"{"kind":"refused","message":"members only"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rejection {
    pub(crate) kind: RejectionKind,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) event: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) argument: Option<(usize, Cow<'static, str>)>,
    pub(crate) message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<Box<str>>,
    /// Milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) retry_after_ms: Option<u64>,
}

impl Rejection {
    /// A refusal by a middleware, a layer or an extractor.
    pub fn new(message: impl Into<String>) -> Self {
        Rejection::of_kind(RejectionKind::Refused, message)
    }

    /// Adds a word for programs: what a typed error, a client or [`on_rejection`](crate::Builder::on_rejection) tells one refusal
    /// from another by. `code` on the wire.
    ///
    /// ```
    /// # use socketio::Rejection;
    /// let rejection = Rejection::new("only editors may do that").with_code("forbidden");
    /// assert_eq!(rejection.code(), Some("forbidden"));
    /// let json = r#"{"kind":"refused","message":"only editors may do that","code":"forbidden"}"#;
    /// assert_eq!(serde_json::to_string(&rejection)?, json);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn with_code(mut self, code: impl Into<Box<str>>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// A refusal of an event because there were too many, and how long it takes until the next one is taken, rounded up to full
    /// milliseconds: whoever waits so long is never too early.
    pub fn rate_limited(retry_after: Duration) -> Self {
        let millis = u64::try_from(retry_after.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
        let message = format!("too many events, try again in {millis} ms");
        Rejection { retry_after_ms: Some(millis), ..Rejection::of_kind(RejectionKind::RateLimited, message) }
    }

    pub(crate) fn of_kind(kind: RejectionKind, message: impl Into<String>) -> Self {
        Rejection { kind, event: String::new(), argument: None, message: message.into(), code: None, retry_after_ms: None }
    }

    /// The handler panicked.
    pub(crate) fn panicked() -> Self {
        Rejection::of_kind(RejectionKind::Panic, "the handler panicked")
    }

    /// The answer cannot be serialized. Only what serde itself has to say is kept: a type's own message may quote its value.
    pub(crate) fn unanswerable(error: &EncodeError) -> Self {
        const FIXED: [&str; 2] = ["key must be a string", "float key must be finite"];
        let text = error.to_string();
        let why = FIXED.iter().find(|fixed| text.contains(**fixed)).map_or_else(String::new, |fixed| format!(": {fixed}"));
        Rejection::of_kind(RejectionKind::Unanswerable, format!("the answer cannot be serialized{why}"))
    }

    /// Names the event, unless that is known already.
    pub(crate) fn of(mut self, event: &Incoming) -> Self {
        if self.event.is_empty() {
            event.name().clone_into(&mut self.event);
        }
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> RejectionKind {
        self.kind
    }

    /// The event's name; empty for a refusal made by hand which has not been given to the server yet.
    pub fn event(&self) -> &str {
        &self.event
    }

    /// Index and name of the argument at fault.
    pub fn argument(&self) -> Option<(usize, &str)> {
        self.argument.as_ref().map(|(index, name)| (*index, &**name))
    }

    /// The word that [`with_code`](Self::with_code) gave it; the server's own rejections have none, but a [`kind`](Self::kind).
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// How long it takes until the next event is taken, if there were too many.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after_ms.map(Duration::from_millis)
    }

    /// The message without its context.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Rejection {
    /// The words of a refusal stand as they were written; what went wrong by itself is said with its event.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_refusal = matches!(self.kind, RejectionKind::Refused | RejectionKind::RateLimited);
        if !self.event.is_empty() && !is_refusal {
            write!(f, "event `{}`", self.event)?;
            if let Some((index, name)) = &self.argument {
                write!(f, ", argument {index} (`{name}`)")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Rejection {}

impl From<Rejection> for String {
    fn from(rejection: Rejection) -> String {
        rejection.to_string()
    }
}

/// What serde has to say about a value, without the value.
pub(crate) fn without_payload(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let message = text.rfind(" at line ").map_or(&*text, |end| &text[..end]);
    // Errors of the syntax are fixed texts; errors of the data may quote it.
    if !error.is_data() || message == EXPECTED_BINARY {
        return message.to_owned();
    }
    const QUOTING: [&str; 5] = ["invalid type", "invalid value", "invalid length", "unknown variant", "unknown field"];
    for problem in QUOTING {
        if message.starts_with(problem) {
            let expected = message.rfind(", expected ").map(|at| &message[at + 2..]);
            return expected.map_or_else(|| problem.to_owned(), |expected| format!("{problem}: {expected}"));
        }
    }
    const FIXED: [&str; 3] = ["missing field `", "duplicate field `", "data did not match any variant of untagged enum "];
    if FIXED.iter().any(|start| message.starts_with(start)) {
        return message.to_owned();
    }
    // Written by a type's own `Deserialize`: nobody knows what is in it.
    "invalid value".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, de::DeserializeOwned};
    use serde_json::json;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Point {
        #[serde(rename = "x")]
        _x: u8,
    }

    #[derive(Debug, Deserialize)]
    enum Empty {}

    #[derive(Debug, Deserialize)]
    enum Color {
        Red,
        Green,
    }

    #[derive(Debug, Deserialize)]
    #[serde(untagged)]
    enum Either {
        Empty {},
        Pair([(); 2]),
    }

    fn message<T: DeserializeOwned + fmt::Debug>(json: &str) -> String {
        without_payload(&serde_json::from_str::<T>(json).expect_err("does not fit"))
    }

    #[test]
    fn messages_do_not_quote_the_payload() {
        let _ = (Color::Red, Color::Green, Either::Empty {}, Either::Pair([(); 2]));
        assert_eq!(message::<u32>(r#""secret""#), "invalid type: expected u32");
        assert_eq!(message::<u32>(r#""secret, expected at line 1 column 2""#), "invalid type: expected u32");
        assert_eq!(message::<u8>("70000"), "invalid value: expected u8");
        assert_eq!(message::<[u8; 2]>("[1]"), "invalid length: expected an array of length 2");
        assert_eq!(message::<Color>(r#""secret, expected `x`""#), "unknown variant: expected `Red` or `Green`");
        assert_eq!(message::<Empty>(r#""secret""#), "unknown variant");
        assert_eq!(message::<Point>(r#"{"secret":1}"#), "unknown field: expected `x`");
        assert_eq!(message::<Point>("{}"), "missing field `x`");
        assert_eq!(message::<Point>(r#"{"x":1,"x":1}"#), "duplicate field `x`");
        assert_eq!(message::<Either>(r#""secret""#), "data did not match any variant of untagged enum Either");
        assert_eq!(message::<std::net::Ipv4Addr>(r#""secret""#), "invalid value");
        assert_eq!(message::<String>(r#""\ud800""#), "unexpected end of hex escape");
        assert_eq!(message::<serde_json::Value>(&"[".repeat(1000)), "recursion limit exceeded");
    }

    /// The value and the message say the same, and nobody who believes them is too early.
    #[test]
    fn the_time_to_wait_is_rounded_up() {
        for (nanos, millis) in [(0, 0), (1, 1), (999_999, 1), (1_000_000, 1), (1_000_001, 2), (6_000_100, 7)] {
            let (wait, told) = (Duration::from_nanos(nanos), Duration::from_millis(millis));
            let rejection = Rejection::rate_limited(wait);
            assert_eq!(rejection.retry_after(), Some(told), "{wait:?}");
            assert_eq!(rejection.message(), format!("too many events, try again in {millis} ms"));
        }
    }

    /// A kind has its name on the wire, and comes back from there.
    #[test]
    fn rejections_travel() {
        for (rejection, json) in [
            (Rejection::new("no"), json!({ "kind": "refused", "message": "no" })),
            (Rejection::new("no").with_code("never"), json!({ "kind": "refused", "message": "no", "code": "never" })),
            (
                Rejection::rate_limited(Duration::from_micros(6001)),
                json!({ "kind": "rateLimited", "message": "too many events, try again in 7 ms", "retryAfterMs": 7 }),
            ),
        ] {
            assert_eq!(serde_json::to_value(&rejection).expect("JSON"), json);
            assert_eq!(serde_json::from_value::<Rejection>(json).expect("a rejection"), rejection);
        }
        assert_eq!(serde_json::to_value(RejectionKind::RateLimited).expect("JSON"), json!("rateLimited"));
    }
}
