//! Values to packet text, once. A body is serialized behind reserved head-room; the header of the packet, and later that of
//! the frame that carries it, are written into the head-room, so that no byte of the payload is copied again.

use super::attachment::collect_attachments;
use bytes::Bytes;
use serde::Serialize;

/// Bytes reserved in front of the JSON: the packet header (type, attachment count, namespace, id) and what the carrier adds.
/// A longer header (a very long namespace) costs one copy.
const HEAD_ROOM: usize = 64;
/// The part of the head-room that is left to the carrier.
const CARRIER_ROOM: usize = 11;

/// A value could not be serialized as JSON, for example a map whose keys are not strings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an argument cannot be serialized: {0}")]
pub struct EncodeError(pub(crate) String);

/// A serialized JSON array of arguments with its attachments, ready to become an event or an acknowledgement.
#[derive(Debug, Clone)]
pub struct Body {
    buffer: Vec<u8>,
    attachments: Vec<Bytes>,
    volatile: bool,
}

impl Body {
    /// The JSON text.
    pub fn json(&self) -> &str {
        std::str::from_utf8(&self.buffer[HEAD_ROOM..]).expect("invariant: a serializer writes UTF-8")
    }

    /// The attachments that the placeholders in the JSON name, in order.
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }

    /// Whether the event was declared volatile.
    pub fn is_volatile(&self) -> bool {
        self.volatile
    }

    /// A body from JSON text that is already encoded; the caller vouches that it is a JSON array.
    pub(crate) fn from_json(json: &str, attachments: Vec<Bytes>) -> Self {
        let mut buffer = Vec::with_capacity(HEAD_ROOM + json.len());
        buffer.resize(HEAD_ROOM, 0);
        buffer.extend_from_slice(json.as_bytes());
        Body { buffer, attachments, volatile: false }
    }
}

/// Builds a [`Body`] argument by argument. The first error is kept and reported by [`finish`](Self::finish).
#[derive(Debug)]
pub struct BodyWriter {
    body: Body,
    error: Option<EncodeError>,
}

impl BodyWriter {
    /// An acknowledgement: no name, arguments only.
    pub fn ack() -> Self {
        let mut buffer = Vec::with_capacity(192);
        buffer.resize(HEAD_ROOM, 0);
        buffer.push(b'[');
        BodyWriter { body: Body { buffer, attachments: Vec::new(), volatile: false }, error: None }
    }

    /// An event.
    pub fn event(name: &str) -> Self {
        let mut writer = Self::ack();
        writer.arg(name);
        writer
    }

    /// Marks the event as volatile.
    pub fn volatile(&mut self) {
        self.body.volatile = true;
    }

    /// Appends one argument.
    pub fn arg<T: Serialize + ?Sized>(&mut self, value: &T) {
        let Body { buffer, attachments, .. } = &mut self.body;
        if buffer.last() != Some(&b'[') || buffer.len() != HEAD_ROOM + 1 {
            buffer.push(b',');
        }
        self.put(value);
    }

    /// Appends every element as one argument.
    pub fn rest<T: Serialize>(&mut self, values: &[T]) {
        values.iter().for_each(|value| self.arg(value));
    }

    /// Appends text that is part of the JSON, such as the keys of an envelope.
    pub(crate) fn raw(&mut self, json: &str) {
        self.body.buffer.extend_from_slice(json.as_bytes());
    }

    /// Appends a value without a separator.
    pub(crate) fn put<T: Serialize + ?Sized>(&mut self, value: &T) {
        let Body { buffer, attachments, .. } = &mut self.body;
        let done = collect_attachments(attachments, || serde_json::to_writer(buffer, value));
        if let (Err(error), None) = (done, &self.error) {
            self.error = Some(EncodeError(error.to_string()));
        }
    }

    /// Ends the array.
    ///
    /// # Errors
    /// The first argument that could not be serialized.
    pub fn finish(mut self) -> Result<Body, EncodeError> {
        self.body.buffer.push(b']');
        self.error.map_or(Ok(self.body), Err)
    }
}

/// An encoded packet: its text in `buffer[start..]`, with at least 11 free bytes in front for the carrier, and its attachments.
#[derive(Debug, Clone)]
pub struct Encoded {
    /// Head-room, then the text of the packet.
    pub buffer: Vec<u8>,
    /// Where the text starts.
    pub start: usize,
    /// Binary messages that follow the text, in order.
    pub attachments: Vec<Bytes>,
}

impl Encoded {
    /// The text of the packet.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.buffer[self.start..]).expect("invariant: a serializer writes UTF-8")
    }
}

/// Encodes a CONNECT packet, or the server's answer to one; `payload` is a JSON object.
pub fn encode_connect(namespace: &str, payload: Option<&str>) -> Encoded {
    small(b'0', namespace, payload)
}

/// Encodes a DISCONNECT packet.
pub fn encode_disconnect(namespace: &str) -> Encoded {
    small(b'1', namespace, None)
}

/// Encodes a CONNECT_ERROR packet; `payload` is a JSON object with `message` and perhaps `data`.
pub fn encode_connect_error(namespace: &str, payload: &str) -> Encoded {
    small(b'4', namespace, Some(payload))
}

/// Encodes an event; with an `id` the receiver is asked to acknowledge it.
pub fn encode_event(namespace: &str, id: Option<u64>, body: Body) -> Encoded {
    let kind = if body.attachments.is_empty() { b'2' } else { b'5' };
    head(kind, namespace, id, body)
}

/// Encodes the acknowledgement of the event `id`.
pub fn encode_ack(namespace: &str, id: u64, body: Body) -> Encoded {
    let kind = if body.attachments.is_empty() { b'3' } else { b'6' };
    head(kind, namespace, Some(id), body)
}

fn small(kind: u8, namespace: &str, payload: Option<&str>) -> Encoded {
    head(kind, namespace, None, Body::from_json(payload.unwrap_or_default(), Vec::new()))
}

/// Writes the header into the head-room, right before the JSON.
fn head(kind: u8, namespace: &str, id: Option<u64>, body: Body) -> Encoded {
    use std::io::Write as _;
    let Body { mut buffer, attachments, .. } = body;
    let mut small = [0u8; HEAD_ROOM - CARRIER_ROOM];
    let mut write = |out: &mut dyn std::io::Write| -> std::io::Result<()> {
        out.write_all(&[kind])?;
        if !attachments.is_empty() {
            write!(out, "{}-", attachments.len())?;
        }
        if namespace != "/" {
            out.write_all(namespace.as_bytes())?;
            out.write_all(b",")?;
        }
        id.map_or(Ok(()), |id| write!(out, "{id}"))
    };
    let mut cursor = &mut small[..];
    let room = cursor.len();
    if write(&mut cursor).is_ok() {
        let length = room - cursor.len();
        let start = HEAD_ROOM - length;
        buffer[start..HEAD_ROOM].copy_from_slice(&small[..length]);
        return Encoded { buffer, start, attachments };
    }
    let mut long = vec![0; CARRIER_ROOM];
    write(&mut long).expect("invariant: writing to a vector does not fail");
    long.extend_from_slice(&buffer[HEAD_ROOM..]);
    Encoded { buffer: long, start: CARRIER_ROOM, attachments }
}
