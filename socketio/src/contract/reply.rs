//! A peer's acknowledgement: its data, its errors, and how it is decoded into the type that the contract names.

use super::Ack;
use crate::{parser::with_attachments, text::Text};
use bytes::Bytes;
use serde::{Deserialize, de::DeserializeOwned};
use std::{convert::Infallible, fmt};

/// The arguments of an acknowledgement, still encoded.
#[derive(Debug, Clone)]
pub struct AckData {
    text: Text,
    payload: usize,
    attachments: Vec<Bytes>,
}

impl AckData {
    pub(crate) fn new(text: Text, payload: usize, attachments: Vec<Bytes>) -> Self {
        AckData { text, payload, attachments }
    }

    /// The JSON array of the arguments.
    pub fn json(&self) -> &str {
        &self.text[self.payload..]
    }

    /// The attachments that the placeholders in the JSON name.
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }

    fn first<T: DeserializeOwned>(&self) -> Result<T, String> {
        let mut attachments = self.attachments.clone();
        with_attachments(&mut attachments, || {
            let json = self.json().trim_start().strip_prefix('[').ok_or("not an array")?;
            if json.trim_start().starts_with(']') {
                return serde_json::from_str("null").map_err(|_| "empty acknowledgement".to_owned());
            }
            let mut values = serde_json::Deserializer::from_str(json).into_iter::<T>();
            values.next().ok_or("empty acknowledgement")?.map_err(|error| error.to_string())
        })
    }
}

/// Decodes an acknowledgement.
pub type Decode<T, E> = fn(&AckData) -> Result<T, CallError<E>>;

/// Why a call to the peer gave no value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallError<E = Infallible> {
    /// The peer's handler returned `Err`.
    Rejected(E),
    /// No acknowledgement arrived in time.
    Timeout,
    /// The socket was disconnected, before or after the call.
    Disconnected,
    /// The acknowledgement does not have the type that the contract names.
    Decode(String),
    /// An argument could not be serialized; nothing was sent.
    Encode(String),
}

impl<E: fmt::Debug> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallError::Rejected(error) => write!(f, "rejected by the peer: {error:?}"),
            CallError::Timeout => f.write_str("no acknowledgement in time"),
            CallError::Disconnected => f.write_str("disconnected"),
            CallError::Decode(error) => write!(f, "unexpected acknowledgement: {error}"),
            CallError::Encode(error) => write!(f, "an argument cannot be serialized: {error}"),
        }
    }
}

impl<E: fmt::Debug> std::error::Error for CallError<E> {}

/// Decodes an acknowledgement of one value.
pub fn decode_value<T: DeserializeOwned, E>(data: &AckData) -> Result<T, CallError<E>> {
    data.first().map_err(CallError::Decode)
}

/// Decodes an acknowledgement without a value; arguments are ignored.
pub fn decode_empty<E>(_: &AckData) -> Result<Ack, CallError<E>> {
    Ok(Ack)
}

/// Decodes `{ ok: true, data }` or `{ ok: false, error }`.
pub fn decode_result<T: DeserializeOwned, E: DeserializeOwned>(data: &AckData) -> Result<T, CallError<E>> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        ok: bool,
        #[serde(borrow)]
        data: Option<&'a serde_json::value::RawValue>,
        #[serde(borrow)]
        error: Option<&'a serde_json::value::RawValue>,
    }
    let mut attachments = data.attachments.clone();
    with_attachments(&mut attachments, || {
        let json = data.json().trim_start().strip_prefix('[').unwrap_or_default();
        let envelope: Envelope<'_> = match serde_json::Deserializer::from_str(json).into_iter().next() {
            Some(envelope) => envelope.map_err(|error| CallError::Decode(error.to_string()))?,
            None => return Err(CallError::Decode("empty acknowledgement".into())),
        };
        let field = |raw: Option<&'_ serde_json::value::RawValue>| raw.map_or("null", |raw| raw.get()).to_owned();
        if envelope.ok {
            serde_json::from_str(&field(envelope.data)).map_err(|error| CallError::Decode(error.to_string()))
        } else {
            Err(serde_json::from_str(&field(envelope.error)).map_or_else(|error| CallError::Decode(error.to_string()), CallError::Rejected))
        }
    })
}
