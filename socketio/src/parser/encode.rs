//! Values to packet text, once. A body is serialized behind reserved head-room; the header of the packet, and later that of
//! the frame that carries it, are written into the head-room, so that no byte of the payload is copied again.
//!
//! ```text
//! | 11 bytes: carrier | header, right-aligned | JSON ...
//! 0                   11         start        64
//! ```
//!
//! Not here: how typed values become attachments (`attachment`), and the carriers' own headers (`engine`).

use super::{attachment::collect_attachments, placeholder::renumber};
use bytes::Bytes;
use serde::Serialize;
use std::fmt;

/// Bytes reserved in front of the JSON: the packet header (type, attachment count, namespace, id) and what the carrier adds.
/// A longer header (a very long namespace) costs one copy.
const HEAD_ROOM: usize = 64;
/// Room for the JSON of most answers. With its head-room it is of a size that allocators have at hand, also if a few are in
/// flight.
const SMALL: usize = 56;
/// The part of the head-room that is left to the carrier.
const CARRIER_ROOM: usize = 11;

/// A value could not be serialized as JSON, for example a map whose keys are not strings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an argument cannot be serialized: {0}")]
pub struct EncodeError(pub(crate) String);

/// A serialized JSON array of arguments with its attachments, ready to become an event or an acknowledgement.
#[derive(Clone)]
pub struct Body {
    buffer: Vec<u8>,
    attachments: Vec<Bytes>,
    volatile: bool,
}

impl Body {
    /// An event whose name and arguments are known only at run time. `args` is a tuple or a sequence, each element of which
    /// becomes one argument: `()`, `(1, "x")`, a slice, a [`Raw`](crate::contract::Raw) array or
    /// [`RawArgs`](crate::contract::RawArgs). No name is refused here; see [`is_reserved_event`](super::is_reserved_event).
    ///
    /// ```
    /// use socketio::parser::Body;
    ///
    /// assert_eq!(Body::event("move", &(1, "x"))?.json(), r#"["move",1,"x"]"#);
    /// # Ok::<(), socketio::parser::EncodeError>(())
    /// ```
    ///
    /// # Errors
    /// An argument cannot be serialized, or `args` is neither a tuple nor a sequence.
    pub fn event<T: Serialize + ?Sized>(name: &str, args: &T) -> Result<Self, EncodeError> {
        let mut writer = BodyWriter::event(name);
        writer.args(args);
        writer.finish()
    }

    /// An acknowledgement whose arguments are known only at run time; like [`event`](Self::event) without a name.
    ///
    /// # Errors
    /// An argument cannot be serialized, or `args` is neither a tuple nor a sequence.
    pub fn ack<T: Serialize + ?Sized>(args: &T) -> Result<Self, EncodeError> {
        let mut writer = BodyWriter::ack();
        writer.args(args);
        writer.finish()
    }

    /// An acknowledgement without arguments.
    pub(crate) fn empty() -> Self {
        Self::from_json("[]", Vec::new())
    }

    /// The JSON text.
    pub fn json(&self) -> &str {
        std::str::from_utf8(&self.buffer[HEAD_ROOM..]).expect("invariant: a serializer writes UTF-8")
    }

    /// The attachments that the placeholders in the JSON name, in order.
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }

    /// What a waiting body takes of a byte limit.
    pub(crate) fn cost(&self) -> usize {
        const OVERHEAD: usize = 64;
        OVERHEAD + self.buffer.len() + self.attachments.iter().map(Bytes::len).sum::<usize>()
    }

    /// Whether the event was declared volatile.
    pub fn is_volatile(&self) -> bool {
        self.volatile
    }

    /// Appends text that needs no escapes as one more argument: the offset of a client that may come back.
    pub(crate) fn push_token(&mut self, token: &str) {
        self.push_last(&["\"", token, "\""]);
    }

    /// Appends `null` behind a last argument (or a name) that is a string: a client whose connection may be recovered takes
    /// any string at the end of an event for an offset.
    pub(crate) fn hide_last_string(&mut self) {
        if let [.., b'"', b']'] = self.buffer[HEAD_ROOM..] {
            self.push_last(&["null"]);
        }
    }

    fn push_last(&mut self, json: &[&str]) {
        self.buffer.pop();
        self.buffer.push(b',');
        json.iter().for_each(|json| self.buffer.extend_from_slice(json.as_bytes()));
        self.buffer.push(b']');
    }

    /// A body from JSON text that is already encoded; the caller vouches that it is a JSON array.
    pub(crate) fn from_json(json: &str, attachments: Vec<Bytes>) -> Self {
        let mut buffer = Vec::with_capacity(HEAD_ROOM + json.len());
        buffer.resize(HEAD_ROOM, 0);
        buffer.extend_from_slice(json.as_bytes());
        Body { buffer, attachments, volatile: false }
    }
}

impl fmt::Debug for Body {
    /// Shows the size, never the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("json_bytes", &(self.buffer.len() - HEAD_ROOM))
            .field("attachments", &self.attachments.len())
            .field("volatile", &self.volatile)
            .finish()
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
        Self::with_room(SMALL)
    }

    fn with_room(bytes: usize) -> Self {
        let mut buffer = Vec::with_capacity(HEAD_ROOM + bytes);
        buffer.resize(HEAD_ROOM, 0);
        buffer.push(b'[');
        BodyWriter { body: Body { buffer, attachments: Vec::new(), volatile: false }, error: None }
    }

    /// An event.
    pub fn event(name: &str) -> Self {
        let mut writer = Self::with_room(2 * SMALL);
        if name.bytes().any(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
            writer.put(name);
        } else {
            let buffer = &mut writer.body.buffer;
            buffer.push(b'"');
            buffer.extend_from_slice(name.as_bytes());
            buffer.push(b'"');
        }
        writer
    }

    /// Marks the event as volatile.
    pub fn volatile(&mut self) {
        self.body.volatile = true;
    }

    /// Appends one argument.
    pub fn arg<T: Serialize + ?Sized>(&mut self, value: &T) {
        self.separate();
        self.put(value);
    }

    /// Appends every element as one argument.
    pub fn rest<T: Serialize>(&mut self, values: &[T]) {
        values.iter().for_each(|value| self.arg(value));
    }

    /// Appends every element of a tuple or a sequence as one argument; `()` appends none. Anything else is an error.
    pub fn args<T: Serialize + ?Sized>(&mut self, values: &T) {
        // The array is serialized in place; only its brackets are replaced.
        let first = self.body.buffer.len() == HEAD_ROOM + 1;
        if first {
            self.body.buffer.pop();
        }
        let before = self.body.buffer.len();
        self.put(values);
        let buffer = &mut self.body.buffer;
        let is_empty = match &buffer[before..] {
            b"null" => true,
            [b'[', inner @ .., b']'] => inner.trim_ascii().is_empty(),
            _ => {
                self.error.get_or_insert_with(|| EncodeError("arguments are neither a tuple nor a sequence".to_owned()));
                return;
            }
        };
        if is_empty {
            buffer.truncate(before);
            buffer.extend_from_slice(if first { b"[" } else { b"" });
        } else {
            buffer.pop();
            if !first {
                buffer[before] = b',';
            }
        }
    }

    /// Appends JSON text: values between commas, and the attachments that its placeholders name. The caller vouches for it.
    pub(crate) fn raw_args(&mut self, values: &str, attachments: &[Bytes]) {
        if !values.is_empty() {
            self.separate();
            let Body { buffer, attachments: list, .. } = &mut self.body;
            extend_compact(buffer, &renumber(values, attachments, list));
        }
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
    pub fn finish(self) -> Result<Body, EncodeError> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.close()),
        }
    }

    /// Ends the array of a body that has no typed arguments and therefore no errors.
    pub(crate) fn close(mut self) -> Body {
        self.body.buffer.push(b']');
        self.body
    }

    fn separate(&mut self) {
        if self.body.buffer.len() > HEAD_ROOM + 1 {
            self.body.buffer.push(b',');
        }
    }
}

/// Appends JSON text without the blanks between its tokens: the reference parses and prints again what it passes on.
fn extend_compact(buffer: &mut Vec<u8>, json: &str) {
    let (mut in_string, mut escaped, mut copied) = (false, false, 0);
    for (at, byte) in json.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b' ' | b'\t' | b'\n' | b'\r' if !in_string => {
                buffer.extend_from_slice(&json.as_bytes()[copied..at]);
                copied = at + 1;
            }
            _ => {}
        }
    }
    buffer.extend_from_slice(&json.as_bytes()[copied..]);
}

/// An encoded packet: its text in `buffer[start..]`, with at least 11 free bytes in front for the carrier, and its attachments.
#[derive(Clone)]
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

impl fmt::Debug for Encoded {
    /// Shows the size, never the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.buffer.len() - self.start;
        f.debug_struct("Encoded").field("text_bytes", &bytes).field("attachments", &self.attachments.len()).finish()
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
    let Body { mut buffer, attachments, .. } = body;
    let namespace = if namespace == "/" { "" } else { namespace };
    let length = 1
        + if attachments.is_empty() { 0 } else { digits(attachments.len() as u64) + 1 }
        + if namespace.is_empty() { 0 } else { namespace.len() + 1 }
        + id.map_or(0, digits);
    let mut end = HEAD_ROOM;
    if length > HEAD_ROOM - CARRIER_ROOM {
        end = CARRIER_ROOM + length;
        let mut long = Vec::with_capacity(end + buffer.len() - HEAD_ROOM);
        long.resize(end, 0);
        long.extend_from_slice(&buffer[HEAD_ROOM..]);
        buffer = long;
    }
    let mut back = Backwards { buffer: &mut buffer[..end], start: end };
    if let Some(id) = id {
        back.number(id);
    }
    if !namespace.is_empty() {
        back.put(b",");
        back.put(namespace.as_bytes());
    }
    if !attachments.is_empty() {
        back.put(b"-");
        back.number(attachments.len() as u64);
    }
    back.put(&[kind]);
    let start = back.start;
    Encoded { buffer, start, attachments }
}

fn digits(number: u64) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

/// Fills a buffer from its end.
struct Backwards<'a> {
    buffer: &'a mut [u8],
    start: usize,
}

impl Backwards<'_> {
    fn put(&mut self, bytes: &[u8]) {
        let start = self.start - bytes.len();
        self.buffer[start..self.start].copy_from_slice(bytes);
        self.start = start;
    }

    fn number(&mut self, mut number: u64) {
        loop {
            self.put(&[b'0' + (number % 10) as u8]);
            number /= 10;
            if number == 0 {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
