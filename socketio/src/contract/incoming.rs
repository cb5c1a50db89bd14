//! One incoming event: its name, and a typed cursor over its arguments that decodes straight from the packet text.
//!
//! The decoder has only read the start of a plain event. Whoever handles it checks the rest on the way: `Args` while it
//! decodes, with `finish` for what the handler does not ask for. An event that nobody decodes goes through `validate`.
//! A mistake is told apart only once something went wrong: JSON that is not well-formed is `Malformed`, and the connection is
//! closed as the reference does; well-formed JSON that does not fit the types is `Payload`.
//!
//! Not here: arguments of unknown types; see `raw`.

use super::{RawArgs, Rejection, RejectionKind, rejection::without_payload};
use crate::{
    parser::{EventParts, Name, Packet, trim_space, with_attachments},
    text::Text,
};
use bytes::Bytes;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny, Visitor},
};
use std::{borrow::Cow, fmt, ops::Deref};

/// An event as it came from the peer, its arguments still encoded: what a `#[middleware]` and a [`Service`](crate::Service) see.
///
/// ```
/// use socketio::{Incoming, parser::Decoder};
///
/// let packet = Decoder::default().text(r#"27["say","lobby","hi"]"#.into())?.expect("it has no attachments");
/// let event = Incoming::new(packet).expect("it is an event");
/// assert_eq!((event.name(), event.ack_id()), ("say", Some(7)));
/// event.validate()?;
///
/// let mut args = event.args();
/// let (room, text): (String, &str) = (args.next("room")?, args.next("text")?);
/// assert_eq!((room.as_str(), text), ("lobby", "hi"));
/// assert_eq!(args.opt::<u32>("priority")?, None);
/// args.finish()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Incoming {
    text: Text,
    /// Where the JSON array starts.
    payload: usize,
    name: Name,
    /// Where the arguments start: at the comma after the name, or at the closing bracket.
    arguments: usize,
    attachments: Vec<Bytes>,
    ack_id: Option<u64>,
    names_too_many: bool,
}

impl Incoming {
    /// The event in a packet; its arguments are decoded later. `None`: the packet is no event, or one without a payload, which
    /// the reference ignores.
    pub fn new(packet: Packet) -> Option<Self> {
        let EventParts { text, payload, name, arguments, id, attachments, names_too_many } = packet.into_event()?;
        Some(Incoming { text, payload, name, arguments, attachments, ack_id: id, names_too_many })
    }

    /// The name of the event. A number is its text, as JavaScript prints it: to Node, the events `1` and `"1"` are the same.
    #[inline]
    pub fn name(&self) -> &str {
        self.name.as_str(&self.text)
    }

    /// What a waiting event takes of a byte limit.
    pub(crate) fn cost(&self) -> usize {
        const OVERHEAD: usize = 128;
        OVERHEAD + self.text.len() + self.attachments.iter().map(Bytes::len).sum::<usize>()
    }

    /// The id under which the peer wants an acknowledgement, if it wants one.
    pub fn ack_id(&self) -> Option<u64> {
        self.ack_id
    }

    /// The attachments that the placeholders in the arguments name.
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }

    /// A typed cursor over the arguments.
    pub fn args(&self) -> Args<'_> {
        Args { event: self, rest: &self.text[self.arguments..], index: 0, attachments: self.attachments.clone() }
    }

    /// The arguments, still encoded. Of an event that is not [valid](Self::validate), those in front of the mistake.
    pub fn raw_args(&self) -> RawArgs<'_> {
        let rest = &self.text[self.arguments..];
        RawArgs::new(self.name(), rest.strip_prefix(',').unwrap_or_default(), &self.attachments)
    }

    /// Checks that the event is well-formed JSON. Needed for an event that nobody decodes; [`Args`] checks what it reads.
    ///
    /// # Errors
    /// The event is malformed; the connection is to be closed.
    pub fn validate(&self) -> Result<(), Rejection> {
        match serde_json::from_str::<IgnoredAny>(&self.text[self.payload..]) {
            Ok(_) => Ok(()),
            Err(_) => Err(self.reject(RejectionKind::Malformed, None, "malformed JSON".to_owned())),
        }
    }

    /// All arguments at once, as a tuple or a sequence.
    ///
    /// # Errors
    /// They have other types, or the event is malformed.
    pub(crate) fn decode_all<T: DeserializeOwned>(&self) -> Result<T, Rejection> {
        self.validate()?;
        let json = self.raw_args().json();
        let decode = || serde_json::from_str(if json == "[]" && size_of::<T>() == 0 { "null" } else { &json });
        let decoded = with_attachments(&mut self.attachments.clone(), decode);
        decoded.map_err(|error| self.reject(RejectionKind::Payload, None, without_payload(&error)))
    }

    fn reject(&self, kind: RejectionKind, argument: Option<(usize, &'static str)>, message: String) -> Rejection {
        let argument = argument.map(|(index, name)| (index, Cow::Borrowed(name)));
        Rejection { argument, ..Rejection::of_kind(kind, message) }.of(self)
    }
}

impl fmt::Debug for Incoming {
    /// Shows the name, never the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("name", &self.name()).field("ack_id", &self.ack_id).finish_non_exhaustive()
    }
}

/// Typed single-pass cursor over the arguments.
///
/// ```
/// use socketio::{Incoming, Rejection, RejectionKind, parser::Decoder};
///
/// fn area(event: &Incoming) -> Result<(u32, Option<String>, Vec<u8>), Rejection> {
///     let mut args = event.args();
///     let side: u32 = args.next("side")?;
///     let unit = args.opt("unit")?;
///     let rest = args.rest("more")?;
///     args.finish()?;
///     Ok((side * side, unit, rest))
/// }
///
/// # let event = |text: &str| Incoming::new(Decoder::default().text(text.into()).unwrap().unwrap()).unwrap();
/// assert_eq!(area(&event(r#"2["area",3,"m",1,2]"#))?, (9, Some("m".to_owned()), vec![1, 2]));
/// assert_eq!(area(&event(r#"2["area",3]"#))?, (9, None, vec![]));
/// let rejection = area(&event(r#"2["area","three"]"#)).unwrap_err();
/// assert_eq!((rejection.kind(), rejection.argument()), (RejectionKind::Payload, Some((0, "side"))));
/// # Ok::<(), Rejection>(())
/// ```
pub struct Args<'a> {
    event: &'a Incoming,
    /// Starts in front of a comma or of the closing bracket.
    rest: &'a str,
    index: usize,
    attachments: Vec<Bytes>,
}

impl<'a> Args<'a> {
    /// The next argument.
    ///
    /// # Errors
    /// It is missing or has another type, or the event is malformed.
    pub fn next<T: Deserialize<'a>>(&mut self, name: &'static str) -> Result<T, Rejection> {
        self.decode(name)?.ok_or_else(|| self.reject(Some(name), "missing".to_owned()))
    }

    /// The next argument; missing or `null` reads as `None`.
    ///
    /// # Errors
    /// It has another type, or the event is malformed.
    pub fn opt<T: Deserialize<'a>>(&mut self, name: &'static str) -> Result<Option<T>, Rejection> {
        Ok(self.decode::<Option<T>>(name)?.flatten())
    }

    /// All remaining arguments.
    ///
    /// # Errors
    /// One of them has another type, or the event is malformed.
    pub fn rest<T: Deserialize<'a>>(&mut self, name: &'static str) -> Result<Vec<T>, Rejection> {
        let mut values = Vec::new();
        while let Some(value) = self.decode(name)? {
            values.push(value);
        }
        Ok(values)
    }

    /// Checks that what is left is well-formed; further arguments are ignored, as a JavaScript handler does.
    ///
    /// # Errors
    /// The event is malformed.
    pub fn finish(self) -> Result<(), Rejection> {
        self.check_names()?;
        let mut rest = self.rest;
        loop {
            rest = trim_space(rest);
            let Some(json) = rest.strip_prefix(',') else { break };
            let mut values = serde_json::Deserializer::from_str(json).into_iter::<IgnoredAny>();
            match values.next() {
                Some(Ok(_)) => rest = &json[values.byte_offset()..],
                _ => return Err(self.reject(None, "malformed JSON".to_owned())),
            }
        }
        match rest.strip_prefix(']') {
            Some(end) if trim_space(end).is_empty() => Ok(()),
            _ => Err(self.reject(None, "malformed JSON".to_owned())),
        }
    }

    /// The next argument; `None`: there is no further one.
    fn decode<T: Deserialize<'a>>(&mut self, name: &'static str) -> Result<Option<T>, Rejection> {
        self.check_names()?;
        let rest = trim_space(self.rest);
        let Some(json) = rest.strip_prefix(',') else {
            return if rest.starts_with(']') { Ok(None) } else { Err(self.reject(Some(name), "malformed JSON".to_owned())) };
        };
        let mut values = serde_json::Deserializer::from_str(json).into_iter::<T>();
        let value =
            if self.attachments.is_empty() { values.next() } else { with_attachments(&mut self.attachments, || values.next()) };
        match value {
            Some(Ok(value)) => {
                self.rest = json.get(values.byte_offset()..).unwrap_or_default();
                self.index += 1;
                Ok(Some(value))
            }
            Some(Err(error)) => Err(self.reject(Some(name), without_payload(&error))),
            None => Err(self.reject(Some(name), "malformed JSON".to_owned())),
        }
    }

    /// An attachment that is named often is passed on often, and clients disconnect from a server that sends them many.
    fn check_names(&self) -> Result<(), Rejection> {
        if !self.event.names_too_many {
            return Ok(());
        }
        Err(self.event.reject(RejectionKind::Malformed, None, "attachments are named too often".to_owned()))
    }

    /// Finds out whose mistake it is. Only here, so that an event that decodes is walked through once.
    #[cold]
    fn reject(&self, name: Option<&'static str>, message: String) -> Rejection {
        match self.event.validate() {
            Err(malformed) => malformed,
            Ok(()) => self.event.reject(RejectionKind::Payload, name.map(|name| (self.index, name)), message),
        }
    }
}

impl fmt::Debug for Args<'_> {
    /// Shows the position, never the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Args").field("event", &self.event).field("index", &self.index).finish_non_exhaustive()
    }
}

/// A string argument: borrowed from the packet if it has no escapes, owned otherwise. Unlike `&str`, it never fails on escapes.
///
/// ```
/// use socketio::contract::CowStr;
/// use std::borrow::Cow;
///
/// assert!(matches!(serde_json::from_str(r#""plain""#)?, CowStr(Cow::Borrowed("plain"))));
/// let escaped: CowStr<'_> = serde_json::from_str(r#""two\nlines""#)?;
/// assert_eq!(&*escaped, "two\nlines");
/// # Ok::<(), serde_json::Error>(())
/// ```
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
///
/// ```
/// # use socketio::{FromEvent, Incoming, Rejection, SocketIo, namespace, test::Client};
/// /// How many arguments the client has sent; at most three.
/// struct Count(usize);
///
/// impl FromEvent for Count {
///     fn from_event(event: &Incoming) -> Result<Self, Rejection> {
///         match event.raw_args().len() {
///             count @ 0..=3 => Ok(Count(count)),
///             _ => Err(Rejection::new("too many arguments")),
///         }
///     }
/// }
///
/// #[namespace("/count")]
/// trait Counting {
///     #[event]
///     async fn count(&self, #[extract] count: Count, #[rest] numbers: Vec<i64>) -> Result<usize, String>;
/// }
/// # struct Session;
/// # impl Counting for Session {
/// #     async fn count(&self, Count(count): Count, _: Vec<i64>) -> Result<usize, String> {
/// #         Ok(count)
/// #     }
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let io = SocketIo::builder().shared::<dyn Counting>(Session).build();
/// # let client = Client::<dyn Counting>::connect(&io).await.unwrap();
/// # assert_eq!(client.emit().count(vec![1, 2]).await, Ok(2));
/// # assert!(client.emit().count(vec![1, 2, 3, 4]).await.is_err());
/// # });
/// ```
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
///
/// ```
/// # use socketio::{AckRequested, SocketIo, namespace, test::Client};
/// #[namespace("/log")]
/// trait Log {
///     #[event]
///     async fn line(&self, #[extract] asked: AckRequested, text: &str) -> Option<usize>;
/// }
/// # struct Session;
/// impl Log for Session {
///     async fn line(&self, AckRequested(asked): AckRequested, text: &str) -> Option<usize> {
///         asked.then(|| text.chars().count()) // nobody would see it
///     }
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let io = SocketIo::builder().shared::<dyn Log>(Session).build();
/// # let client = Client::<dyn Log>::connect(&io).await.unwrap();
/// # assert_eq!(client.emit().line("four").await, Ok(Some(4)));
/// # });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AckRequested(pub bool);

impl FromEvent for AckRequested {
    fn from_event(event: &Incoming) -> Result<Self, Rejection> {
        Ok(AckRequested(event.ack_id().is_some()))
    }
}

#[cfg(test)]
mod tests;
