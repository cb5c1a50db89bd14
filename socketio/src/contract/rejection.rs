//! Why an event never reached its handler, or the handler gave no answer.
//!
//! Rejections are logged and sent to the peer, so payload text is kept out of them: serde's messages quote what they found,
//! and only what they expected is kept.

use crate::parser::EXPECTED_BINARY;
use std::fmt;

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RejectionKind {
    /// An argument is missing or has the wrong type.
    Payload,
    /// The event is not valid JSON or misuses its attachments; the connection is closed.
    Malformed,
    /// A middleware or an `#[extract]` parameter refused the event.
    Refused,
    /// The handler panicked.
    Panic,
}

/// Why an event was not handled. If the event returns `Result<_, E>` and `E: From<Rejection>`, the client receives it as
/// that typed error; else the event is not acknowledged. Never carries payload text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    pub(crate) kind: RejectionKind,
    pub(crate) event: String,
    pub(crate) argument: Option<(usize, &'static str)>,
    pub(crate) message: String,
}

impl Rejection {
    /// A refusal by a middleware or an extractor.
    pub fn new(message: impl Into<String>) -> Self {
        Rejection { kind: RejectionKind::Refused, event: String::new(), argument: None, message: message.into() }
    }

    /// The handler panicked.
    pub(crate) fn panicked(event: &str) -> Self {
        Rejection { kind: RejectionKind::Panic, event: event.to_owned(), argument: None, message: "the handler panicked".into() }
    }

    /// What went wrong.
    pub fn kind(&self) -> RejectionKind {
        self.kind
    }

    /// The event's name; empty for a refusal made by hand.
    pub fn event(&self) -> &str {
        &self.event
    }

    /// Index and name of the argument at fault.
    pub fn argument(&self) -> Option<(usize, &'static str)> {
        self.argument
    }

    /// The message without its context.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.event.is_empty() {
            write!(f, "event `{}`", self.event)?;
            if let Some((index, name)) = self.argument {
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
}
