//! Arguments whose types are known only at run time: borrowed (`RawArgs`) and owned (`Raw`).
//!
//! Both keep the JSON text as the peer wrote it, together with its attachments, and both serialize back into any packet at
//! any depth. Text from a packet without attachments passes through byte by byte; otherwise its placeholders are numbered
//! anew, so that a proxy needs to know neither the types nor where the binary data is.
//!
//! Not here: arguments of known types; see `incoming`.

use super::{Rejection, RejectionKind, rejection::without_payload};
use crate::parser::{Body, BodyWriter, EncodeError, adopt, collect_attachments, detach, trim_space, with_attachments};
use bytes::Bytes;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error as _},
    ser::{Error as _, SerializeSeq as _},
};
use serde_json::value::RawValue;
use std::{
    borrow::Cow,
    fmt,
    ops::{Bound, RangeBounds},
};

/// The arguments of an event or of an acknowledgement whose types are known only at run time.
///
/// Of a malformed event only the arguments in front of the mistake are seen; see [`Incoming::validate`](super::Incoming::validate).
///
/// Serializes as an array. Inside of a packet its binary data travels along:
///
/// ```
/// use socketio::{contract::Incoming, parser::{Body, Decoder}};
///
/// let packet = Decoder::default().text(r#"2["echo",1,{"any":"thing"}]"#.into())?.expect("has no attachments");
/// let event = Incoming::new(packet).expect("is an event");
/// let args = event.raw_args();
/// assert_eq!(args.get::<u32>(0)?, 1);
/// assert_eq!(args.get_raw(1), Some(r#"{"any":"thing"}"#));
/// assert_eq!(args.to_event("echo-back").json(), r#"["echo-back",1,{"any":"thing"}]"#);
/// assert_eq!(Body::event("envelope", &("a", args.slice(1..)))?.json(), r#"["envelope","a",[{"any":"thing"}]]"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct RawArgs<'a> {
    /// The name of the event, for rejections.
    event: &'a str,
    /// Well-formed JSON values between commas, without the brackets.
    values: &'a str,
    attachments: &'a [Bytes],
}

impl<'a> RawArgs<'a> {
    /// Reads values between commas up to the closing bracket, or up to the first mistake.
    pub(super) fn new(event: &'a str, json: &'a str, attachments: &'a [Bytes]) -> Self {
        let mut args = RawArgs { event, values: json, attachments };
        let length = args.values().last().map_or(0, |value| end_offset(json, value.get()));
        args.values = trim_space(&json[..length]);
        args
    }

    /// Number of arguments. Walks through the text.
    pub fn len(&self) -> usize {
        self.values().count()
    }

    /// Whether there are no arguments.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The arguments as a JSON array. Binary data shows as `{"_placeholder":true,"num":n}`, an index into
    /// [`attachments`](Self::attachments).
    pub fn json(&self) -> String {
        format!("[{}]", self.values)
    }

    /// The attachments of the whole packet.
    pub fn attachments(&self) -> &'a [Bytes] {
        self.attachments
    }

    /// One argument, decoded.
    ///
    /// # Errors
    /// It is missing or has another type.
    pub fn get<T: Deserialize<'a>>(&self, index: usize) -> Result<T, Rejection> {
        let json = self.get_raw(index).ok_or_else(|| self.reject(index, "missing".to_owned()))?;
        let decode = || serde_json::from_str(json).map_err(|error| self.reject(index, without_payload(&error)));
        if self.attachments.is_empty() { decode() } else { with_attachments(&mut self.attachments.to_vec(), decode) }
    }

    /// The JSON text of one argument.
    pub fn get_raw(&self, index: usize) -> Option<&'a str> {
        self.values().nth(index).map(RawValue::get)
    }

    /// The JSON text of every argument.
    pub fn iter_raw(&self) -> impl Iterator<Item = &'a str> {
        self.values().map(RawValue::get)
    }

    /// Some of the arguments, with their attachments: `args.slice(1..)`. Indices that do not exist are ignored.
    #[must_use]
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Self {
        let skip = match range.start_bound() {
            Bound::Included(&start) => start,
            Bound::Excluded(&before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(&last) => last.saturating_add(1),
            Bound::Excluded(&end) => end,
            Bound::Unbounded => usize::MAX,
        };
        let mut values = self.values().skip(skip).take(end.saturating_sub(skip));
        let Some(first) = values.next() else { return RawArgs { values: "", ..*self } };
        let last = values.last().unwrap_or(first);
        let start = end_offset(self.values, first.get()) - first.get().len();
        RawArgs { values: &self.values[start..end_offset(self.values, last.get())], ..*self }
    }

    /// An acknowledgement with the same arguments.
    pub fn to_body(&self) -> Body {
        self.write(BodyWriter::ack())
    }

    /// An event with the same arguments.
    pub fn to_event(&self, name: &str) -> Body {
        self.write(BodyWriter::event(name))
    }

    /// An owned copy: one [`Raw`] value, which is an array.
    pub fn to_raw(&self) -> Raw {
        let mut attachments = self.attachments.to_vec();
        let json = RawValue::from_string(self.json()).expect("invariant: values between commas, each of which was read");
        let (json, attachments) = with_attachments(&mut attachments, || detach(json));
        Raw { json, attachments }
    }

    fn write(&self, mut writer: BodyWriter) -> Body {
        writer.raw_args(self.values, self.attachments);
        writer.close()
    }

    /// The values up to the first mistake.
    fn values(&self) -> impl Iterator<Item = &'a RawValue> + use<'a> {
        let mut rest = Some(self.values);
        std::iter::from_fn(move || {
            let json = rest.take()?;
            let mut stream = serde_json::Deserializer::from_str(json).into_iter::<&RawValue>();
            let value = stream.next()?.ok()?;
            rest = trim_space(&json[stream.byte_offset()..]).strip_prefix(',');
            Some(value)
        })
    }

    fn reject(&self, index: usize, message: String) -> Rejection {
        let (event, argument) = (self.event.to_owned(), Some((index, Cow::Borrowed(""))));
        Rejection { event, argument, ..Rejection::of_kind(RejectionKind::Payload, message) }
    }
}

/// Offset of the end of `part` in `whole`, which it is a part of.
fn end_offset(whole: &str, part: &str) -> usize {
    part.as_ptr() as usize + part.len() - whole.as_ptr() as usize
}

impl fmt::Debug for RawArgs<'_> {
    /// Shows the size, never the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawArgs").field("event", &self.event).field("json_bytes", &self.values.len()).finish_non_exhaustive()
    }
}

impl Serialize for RawArgs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(None)?;
        for value in self.values() {
            match adopt(value.get(), self.attachments) {
                Cow::Borrowed(_) => sequence.serialize_element(value)?,
                Cow::Owned(text) => sequence.serialize_element(&RawValue::from_string(text).map_err(S::Error::custom)?)?,
            }
        }
        sequence.end()
    }
}

/// One JSON value of a type that is known only at run time, with its binary data. Owned: it can be stored, sent to another
/// task and put into any packet at any depth. TypeScript sees `unknown`.
///
/// ```
/// use socketio::{contract::Raw, parser::{Binary, Body}};
///
/// let value = Raw::new(&("x", Binary::from(&b"..."[..])))?;
/// let body = Body::event("stored", &[&value, &value])?;
/// assert_eq!(body.attachments().len(), 2);
/// # Ok::<(), socketio::parser::EncodeError>(())
/// ```
///
/// As part of a type that serde buffers (`untagged`, `flatten`, internally tagged) it cannot be decoded, because the text is
/// gone by then.
#[derive(Clone)]
pub struct Raw {
    /// Well-formed by its type, so that nobody has to look at it again.
    json: Box<RawValue>,
    attachments: Vec<Bytes>,
}

/// Two values are equal if their texts are, byte by byte, and their attachments.
impl PartialEq for Raw {
    fn eq(&self, other: &Self) -> bool {
        (self.json(), &self.attachments) == (other.json(), &other.attachments)
    }
}

impl Eq for Raw {}

impl Raw {
    /// Serializes a value.
    ///
    /// # Errors
    /// The value cannot be serialized as JSON.
    pub fn new<T: Serialize + ?Sized>(value: &T) -> Result<Self, EncodeError> {
        let mut attachments = Vec::new();
        let json = collect_attachments(&mut attachments, || serde_json::value::to_raw_value(value));
        Ok(Raw { json: json.map_err(|error| EncodeError(error.to_string()))?, attachments })
    }

    /// The JSON text. Binary data shows as `{"_placeholder":true,"num":n}`, an index into [`attachments`](Self::attachments).
    pub fn json(&self) -> &str {
        self.json.get()
    }

    /// The attachments, in the order of their placeholders.
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }

    /// Decodes the value.
    ///
    /// # Errors
    /// It has another type.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Rejection> {
        with_attachments(&mut self.attachments.clone(), || serde_json::from_str(self.json()))
            .map_err(|error| Rejection::of_kind(RejectionKind::Payload, without_payload(&error)))
    }
}

impl fmt::Debug for Raw {
    /// Shows the size, never the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Raw").field("json_bytes", &self.json().len()).field("attachments", &self.attachments.len()).finish()
    }
}

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match adopt(self.json(), &self.attachments) {
            Cow::Borrowed(_) => self.json.serialize(serializer),
            Cow::Owned(text) => RawValue::from_string(text).map_err(S::Error::custom)?.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer).map_err(|_| D::Error::custom("expected JSON text"))?;
        let (json, attachments) = detach(json);
        Ok(Raw { json, attachments })
    }
}

impl schemars::JsonSchema for Raw {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Raw".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        true.into()
    }
}

#[cfg(test)]
mod tests;
