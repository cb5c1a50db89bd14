//! `Binary` and the scope that carries attachments through serde.
//!
//! Encoding and decoding of one packet are synchronous, so a scoped thread-local reaches `Binary` values at any depth,
//! also through the buffers of `flatten`, `untagged` and internally tagged types. The scope never spans an `.await`
//! (it is a closure) and nests (it restores the previous scope, also on panic).

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{cell::RefCell, thread::LocalKey};

/// Socket.IO binary data: travels as an attachment, never as a JSON array of numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct Binary(pub Bytes);

type Slot = RefCell<Option<Vec<Bytes>>>;
thread_local! {
    static ENCODING: Slot = const { RefCell::new(None) };
    static DECODING: Slot = const { RefCell::new(None) };
}

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

fn scope<T>(slot: &'static LocalKey<Slot>, list: &mut Vec<Bytes>, run: impl FnOnce() -> T) -> T {
    let outer = slot.with(|slot| slot.replace(Some(std::mem::take(list))));
    let _restore = Restore { slot, outer, list };
    run()
}

/// Runs an encoder; every `Binary` it meets is appended to `list` and leaves a placeholder in the JSON.
pub(super) fn collect_attachments<T>(list: &mut Vec<Bytes>, run: impl FnOnce() -> T) -> T {
    scope(&ENCODING, list, run)
}

/// Runs a decoder; every `Binary` it meets takes the attachment its placeholder names.
pub(crate) fn with_attachments<T>(list: &mut Vec<Bytes>, run: impl FnOnce() -> T) -> T {
    scope(&DECODING, list, run)
}

#[derive(Serialize, Deserialize)]
struct Placeholder {
    _placeholder: bool,
    num: usize,
}

impl Serialize for Binary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let num = ENCODING.with_borrow_mut(|list| {
            list.as_mut().map(|list| {
                list.push(self.0.clone());
                list.len() - 1
            })
        });
        match num {
            Some(num) => Placeholder { _placeholder: true, num }.serialize(serializer),
            None => serializer.serialize_bytes(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Binary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let placeholder = Placeholder::deserialize(deserializer).map_err(|_| D::Error::custom("expected binary data"))?;
        let bytes = DECODING.with_borrow(|list| list.as_ref()?.get(placeholder.num).cloned());
        bytes.filter(|_| placeholder._placeholder).map(Binary).ok_or_else(|| D::Error::custom("expected binary data"))
    }
}

impl schemars::JsonSchema for Binary {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
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
