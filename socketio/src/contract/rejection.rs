//! Why an event never reached its handler, or the handler gave no answer.

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
