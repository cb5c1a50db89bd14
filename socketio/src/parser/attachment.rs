//! `Binary` and the scope that carries attachments through serde.
//!
//! ```text
//! Binary --serialize-->   {"_placeholder":true,"num":n}  and bytes n in the list of the scope
//! Binary <-deserialize--  {"_placeholder":true,"num":n}  and bytes n in the list of the scope
//! ```
//!
//! Encoding and decoding of one packet are synchronous, so a scoped thread-local reaches `Binary` values at any depth,
//! also through the buffers of `flatten`, `untagged` and internally tagged types. The scope never spans an `.await`
//! (it is a closure) and nests (it restores the previous scope, also on panic).
//!
//! Not here: placeholders in JSON text whose types are unknown; see `placeholder`.

use super::placeholder::renumber;
use bytes::Bytes;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
    ser::SerializeStruct as _,
};
use serde_json::value::RawValue;
use std::{borrow::Cow, cell::RefCell, fmt, thread::LocalKey};

/// Socket.IO binary data: travels as an attachment, never as a JSON array of numbers.
///
/// Serializers other than that of a packet get plain bytes, and give them back.
///
/// ```
/// use socketio::parser::{Binary, Body};
///
/// let body = Body::event("upload", &("a.png", Binary::from(&b"..."[..])))?;
/// assert_eq!(body.json(), r#"["upload","a.png",{"_placeholder":true,"num":0}]"#);
/// assert_eq!(body.attachments(), [&b"..."[..]]);
/// # Ok::<(), socketio::parser::EncodeError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Default, Hash)]
pub struct Binary(pub Bytes);

impl Serialize for Binary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let num = ENCODING.with_borrow_mut(|list| {
            list.as_mut().map(|list| {
                list.push(self.0.clone());
                list.len() - 1
            })
        });
        let Some(num) = num else { return serializer.serialize_bytes(&self.0) };
        let mut placeholder = serializer.serialize_struct("Binary", 2)?;
        placeholder.serialize_field("_placeholder", &true)?;
        placeholder.serialize_field("num", &num)?;
        placeholder.end()
    }
}

impl<'de> Deserialize<'de> for Binary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A format that does not describe itself must be told what to expect; there are no placeholders in it.
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(BytesOrPlaceholder)
        } else {
            deserializer.deserialize_byte_buf(BytesOrPlaceholder)
        }
    }
}

impl fmt::Debug for Binary {
    /// Shows the length, not the bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Binary({} bytes)", self.0.len())
    }
}

impl schemars::JsonSchema for Binary {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Binary".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "binary" })
    }
}

impl<T: Into<Bytes>> From<T> for Binary {
    fn from(bytes: T) -> Self {
        Binary(bytes.into())
    }
}

/// Runs an encoder; every `Binary` it meets is appended to `list` and leaves a placeholder in the JSON.
pub(crate) fn collect_attachments<T>(list: &mut Vec<Bytes>, run: impl FnOnce() -> T) -> T {
    scope(&ENCODING, list, run)
}

/// Runs a decoder; every `Binary` it meets takes the attachment its placeholder names.
pub(crate) fn with_attachments<T>(list: &mut Vec<Bytes>, run: impl FnOnce() -> T) -> T {
    scope(&DECODING, list, run)
}

/// JSON text on its way into the packet that is being encoded: its placeholders are numbered anew and its attachments
/// appended to those of the packet. Outside of an encoder, the text as it is.
pub(crate) fn adopt<'a>(json: &'a str, attachments: &[Bytes]) -> Cow<'a, str> {
    ENCODING.with_borrow_mut(|list| match list {
        Some(list) => renumber(json, attachments, list),
        None => Cow::Borrowed(json),
    })
}

/// JSON text taken out of the packet that is being decoded, with the attachments it names, numbered anew from 0.
pub(crate) fn detach(json: Box<RawValue>) -> (Box<RawValue>, Vec<Bytes>) {
    DECODING.with_borrow(|all| {
        let mut list = Vec::new();
        match renumber(json.get(), all.as_deref().unwrap_or_default(), &mut list) {
            Cow::Owned(text) => (RawValue::from_string(text).expect("invariant: an object stands in place of an object"), list),
            Cow::Borrowed(_) => (json, list),
        }
    })
}

type Slot = RefCell<Option<Vec<Bytes>>>;
thread_local! {
    static ENCODING: Slot = const { RefCell::new(None) };
    static DECODING: Slot = const { RefCell::new(None) };
}

fn scope<T>(slot: &'static LocalKey<Slot>, list: &mut Vec<Bytes>, run: impl FnOnce() -> T) -> T {
    let outer = slot.with(|slot| slot.replace(Some(std::mem::take(list))));
    let _restore = Restore { slot, outer, list };
    run()
}

/// Ends a scope, also when the code inside panics.
struct Restore<'a> {
    slot: &'static LocalKey<Slot>,
    outer: Option<Vec<Bytes>>,
    list: &'a mut Vec<Bytes>,
}

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        let outer = self.outer.take();
        *self.list = self.slot.with(|slot| slot.replace(outer)).unwrap_or_default();
    }
}

/// Said for every mistake, so that no payload text gets into it.
pub(crate) const EXPECTED_BINARY: &str = "expected binary data";

struct BytesOrPlaceholder;

impl<'de> Visitor<'de> for BytesOrPlaceholder {
    type Value = Binary;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("binary data")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Binary, E> {
        Ok(Binary(Bytes::copy_from_slice(bytes)))
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Binary, E> {
        Ok(Binary(bytes.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Binary, A::Error> {
        let mut is_placeholder = false;
        let mut num = None;
        while let Some(key) = map.next_key()? {
            match key {
                Key::Placeholder => is_placeholder = map.next_value()?,
                Key::Num => num = Some(map.next_value()?),
                Key::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let take = |Num(num)| DECODING.with_borrow(|list| list.as_ref()?.get(num).cloned());
        num.filter(|_| is_placeholder).and_then(take).map(Binary).ok_or_else(|| A::Error::custom(EXPECTED_BINARY))
    }
}

/// A key of a placeholder.
enum Key {
    Placeholder,
    Num,
    Other,
}

impl<'de> Deserialize<'de> for Key {
    /// Looks at the text where it is; a `Cow` would be a copy of it.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl Visitor<'_> for Keys {
            type Value = Key;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_str<E>(self, key: &str) -> Result<Key, E> {
                Ok(match key {
                    "_placeholder" => Key::Placeholder,
                    "num" => Key::Num,
                    _ => Key::Other,
                })
            }
        }
        deserializer.deserialize_str(Keys)
    }
}

/// The number of an attachment, which JavaScript may spell `1.0` or `1e0`.
struct Num(usize);

impl<'de> Deserialize<'de> for Num {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let num = f64::deserialize(deserializer)?;
        if num >= 0.0 && num < f64::from(u32::MAX) && num.fract() == 0.0 {
            Ok(Num(num as usize))
        } else {
            Err(D::Error::custom(EXPECTED_BINARY))
        }
    }
}

#[cfg(test)]
mod tests;
