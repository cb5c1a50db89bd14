//! One incoming event: its name, and a typed cursor over its arguments that decodes straight from the packet text.

use super::{Rejection, RejectionKind};
use crate::{parser::{Packet, with_attachments}, text::Text};
use bytes::Bytes;
use serde::{Deserialize, Deserializer, de::Visitor};
use std::{borrow::Cow, fmt, ops::{Deref, Range}};

/// An event as it came from the peer, its arguments still encoded.
#[derive(Clone)]
pub struct Incoming {
    text: Text,
    name: Name,
    /// Where the arguments start: at the comma after the name, or at the closing bracket.
    arguments: usize,
    attachments: Vec<Bytes>,
    ack_id: Option<u64>,
}

#[derive(Clone)]
enum Name {
    /// Without escapes: a part of the text.
    Part(Range<usize>),
    Owned(Box<str>),
}

impl Incoming {
    /// Reads the name of the event; the arguments are decoded later. `None`: the payload does not start with an event name.
    pub fn new(packet: Packet) -> Option<Self> {
        let ack_id = packet.id();
        let (text, payload, attachments) = packet.into_parts();
        let json = text[payload..].trim_start().strip_prefix('[')?;
        let start = text.len() - json.len();
        let mut values = serde_json::Deserializer::from_str(json).into_iter::<CowStr<'_>>();
        let name = values.next()?.ok()?;
        let arguments = start + values.byte_offset();
        let name = match name.0 {
            Cow::Borrowed(name) => {
                let at = name.as_ptr() as usize - text.as_ptr() as usize;
                Name::Part(at..at + name.len())
            }
            Cow::Owned(name) => Name::Owned(name.into_boxed_str()),
        };
        Some(Incoming { text, name, arguments, attachments, ack_id })
    }

    /// The name of the event.
    #[inline]
    pub fn name(&self) -> &str {
        match &self.name {
            Name::Part(range) => &self.text[range.clone()],
            Name::Owned(name) => name,
        }
    }

    /// The id under which the peer wants an acknowledgement, if it wants one.
    pub fn ack_id(&self) -> Option<u64> {
        self.ack_id
    }

    /// A typed cursor over the arguments.
    pub fn args(&self) -> Args<'_> {
        Args { event: self, rest: &self.text[self.arguments..], index: 0 }
    }

    /// The arguments, still encoded.
    pub fn raw_args(&self) -> RawArgs<'_> {
        RawArgs { event: self }
    }
}

impl fmt::Debug for Incoming {
    /// Shows the name, never the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("name", &self.name()).field("ack_id", &self.ack_id).finish_non_exhaustive()
    }
}

/// The arguments of an event whose types are known only at run time.
#[derive(Clone, Copy, Debug)]
pub struct RawArgs<'a> {
    event: &'a Incoming,
}

/// Typed single-pass cursor over the arguments.
#[derive(Debug)]
pub struct Args<'a> {
    event: &'a Incoming,
    rest: &'a str,
    index: usize,
}

impl<'a> Args<'a> {
    /// The next argument.
    ///
    /// # Errors
    /// It is missing or has another type.
    pub fn next<T: Deserialize<'a>>(&mut self, name: &'static str) -> Result<T, Rejection> {
        let _ = with_attachments(&mut Vec::new(), || ());
        Err(self.reject(RejectionKind::Payload, name, "missing".into()))
    }

    /// The next argument; missing or `null` reads as `None`.
    ///
    /// # Errors
    /// It has another type.
    pub fn opt<T: Deserialize<'a>>(&mut self, name: &'static str) -> Result<Option<T>, Rejection> {
        self.next(name)
    }

    /// All remaining arguments.
    ///
    /// # Errors
    /// One of them has another type.
    pub fn rest<T: Deserialize<'a>>(&mut self, name: &'static str) -> Result<Vec<T>, Rejection> {
        self.next(name)
    }

    /// Checks that what is left is well-formed; further arguments are ignored, as a JavaScript handler does.
    ///
    /// # Errors
    /// The event is malformed.
    pub fn finish(self) -> Result<(), Rejection> {
        Ok(())
    }

    fn reject(&self, kind: RejectionKind, name: &'static str, message: String) -> Rejection {
        let _ = self.rest;
        Rejection { kind, event: self.event.name().to_owned(), argument: Some((self.index, name)), message }
    }
}

/// A string argument: borrowed from the packet if it has no escapes, owned otherwise. Unlike `&str`, it never fails on escapes.
#[derive(Debug, Clone)]
pub struct CowStr<'a>(pub Cow<'a, str>);

impl Deref for CowStr<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for CowStr<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Strings;
        impl<'de> Visitor<'de> for Strings {
            type Value = CowStr<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(CowStr(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(CowStr(Cow::Owned(text.to_owned())))
            }
            fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
                Ok(CowStr(Cow::Owned(text)))
            }
        }
        deserializer.deserialize_str(Strings)
    }
}

/// Makes a server-side value for an `#[extract]` parameter.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be used with `#[extract]`",
    label = "does not implement `FromEvent`",
    note = "drop `#[extract]` if this parameter is part of the payload, or implement `socketio::FromEvent` for it"
)]
pub trait FromEvent: Sized {
    /// Looks at the event before its arguments are decoded.
    ///
    /// # Errors
    /// The event is refused; the handler does not run.
    fn from_event(event: &Incoming) -> Result<Self, Rejection>;
}

/// Whether the peer asked for an acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AckRequested(pub bool);

impl FromEvent for AckRequested {
    fn from_event(event: &Incoming) -> Result<Self, Rejection> {
        Ok(AckRequested(event.ack_id().is_some()))
    }
}
