//! One value on the wire: JSON text, or MessagePack with the binary data in it. Inside it is always JSON text, with placeholders
//! that name attachments.

use super::{Malformed, Unsupported};
use crate::parser::{self, Dialect, MAX_DEPTH, json_of_msgpack, msgpack_of_json};
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use std::borrow::Cow;

/// As Node reads it: with padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);

/// JSON text, and what the placeholders in it name.
pub(super) struct Value<'a> {
    pub(super) json: Cow<'a, str>,
    pub(super) attachments: Vec<Bytes>,
}

impl<'a> Value<'a> {
    /// JSON text if it starts as an object, MessagePack otherwise. Whether the text is JSON is not looked at yet.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        match bytes.first() {
            None => Err(Malformed("an empty message")),
            Some(b'{') => {
                let json = std::str::from_utf8(bytes).map_err(|_| Malformed("text that is not UTF-8"))?;
                Ok(Value { json: json.into(), attachments: Vec::new() })
            }
            Some(_) => Self::read_msgpack(bytes),
        }
    }

    pub(super) fn read_msgpack(bytes: &[u8]) -> Result<Self, Malformed> {
        let (json, attachments) = json_of_msgpack(bytes).map_err(|_| Malformed("neither JSON nor MessagePack"))?;
        Ok(Value { json: json.into(), attachments })
    }

    /// JSON text if it starts as an object, MessagePack in base64 otherwise.
    pub(super) fn read_text(bytes: &'a [u8]) -> Result<Self, Malformed> {
        match bytes.first() {
            Some(b'{') => Self::read(bytes),
            _ => Self::read_base64(bytes),
        }
    }

    pub(super) fn read_base64(bytes: &[u8]) -> Result<Self, Malformed> {
        Self::read_msgpack(&BASE64.decode(bytes).map_err(|_| Malformed("neither JSON nor base64"))?)
    }

    pub(super) fn write_json(self) -> Result<Vec<u8>, Unsupported> {
        if parser::depth(&self.json) > MAX_DEPTH { Err(TOO_DEEP) } else { Ok(self.json.into_owned().into_bytes()) }
    }

    pub(super) fn write_msgpack(self, dialect: Dialect) -> Result<Vec<u8>, Unsupported> {
        msgpack_of_json(&self.json, &self.attachments, dialect).map_err(|_| TOO_DEEP)
    }

    /// JSON, or what can hold the binary data if there is some.
    pub(super) fn write(self, dialect: Dialect) -> Result<Vec<u8>, Unsupported> {
        if self.attachments.is_empty() { self.write_json() } else { self.write_msgpack(dialect) }
    }

    pub(super) fn write_base64(self) -> Result<String, Unsupported> {
        Ok(BASE64.encode(self.write_msgpack(Dialect::Official)?))
    }
}

const TOO_DEEP: Unsupported = Unsupported("a value too deep, or with a key that servers of the reference refuse");
