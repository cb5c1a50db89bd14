//! The types of an application that takes this load. Other servers of the benchmarks decode into the same.

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};
use std::fmt;

/// What an application would declare for this load. Fields are in the order in which they are sent.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Object {
    #[serde(skip_serializing_if = "Option::is_none")]
    a: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<Item>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ok: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pad: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    v: Option<f64>,
}

/// One of the items of an [`Object`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Item {
    id: u64,
    name: String,
    ok: bool,
    v: f64,
}

/// What an event is sent. Decoded at first sight: `#[serde(untagged)]` would read it into a tree, and then try one after the other.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Typed {
    /// A number, such as clients send to see whether anybody is there.
    Number(u64),
    /// A string.
    Text(String),
    /// An object.
    Object(Object),
}

impl<'de> Deserialize<'de> for Typed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AtFirstSight;

        impl<'de> Visitor<'de> for AtFirstSight {
            type Value = Typed;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, a string or an object")
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Typed, E> {
                Ok(Typed::Number(number))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Typed, E> {
                Ok(Typed::Text(text.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Typed, A::Error> {
                Object::deserialize(MapAccessDeserializer::new(map)).map(Typed::Object)
            }
        }

        deserializer.deserialize_any(AtFirstSight)
    }
}
