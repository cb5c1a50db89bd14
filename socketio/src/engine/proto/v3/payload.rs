//! Several packets of revision 3 in one HTTP body.
//!
//! ```text
//! text:    <length in UTF-16 units>:<packet> ...          6:4hello2:4€
//! binary:  <0 text, 1 binary><digits of the length, a byte each><255><packet> ...
//! ```
//! A binary body is brought into the form of a text body before it is decoded, so that there is one reader of packets.
//! Stricter than the reference, in what no client sends: a length is written in decimal digits (not ` 5` or `5e0`), and the last
//! packet of a binary body is complete.

use super::{
    super::{
        packet::{Frame, FrameData, Packet, PacketError},
        revision::Payload,
    },
    packet::{self, MESSAGE},
};
use crate::text::Text;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use std::fmt::Write as _;

/// Ends the length of a packet in a binary body.
const END_OF_LENGTH: u8 = 255;

/// Joins frames to the body of one answer: as bytes if one of them is binary and the client takes bytes.
pub(crate) fn encode<'a>(frames: impl Iterator<Item = &'a Frame> + Clone, base64: bool) -> Payload {
    let has_binary = frames.clone().any(|frame| matches!(frame.data(), FrameData::Binary(_)));
    if has_binary && !base64 { Payload::Binary(encode_bytes(frames)) } else { Payload::Text(encode_text(frames)) }
}

fn encode_text<'a>(frames: impl Iterator<Item = &'a Frame>) -> Bytes {
    let mut payload = Vec::new();
    for frame in frames {
        match frame.data() {
            FrameData::Text(framed) => {
                let bytes = framed.as_payload();
                payload.extend_from_slice(utf16_length(bytes).to_string().as_bytes());
                payload.push(b':');
                payload.extend_from_slice(bytes);
            }
            FrameData::Binary(bytes) => {
                let packet = packet::base64_packet(bytes);
                payload.extend_from_slice(packet.len().to_string().as_bytes());
                payload.push(b':');
                payload.extend_from_slice(packet.as_bytes());
            }
        }
    }
    if payload.is_empty() { Bytes::from_static(b"0:") } else { payload.into() }
}

fn encode_bytes<'a>(frames: impl Iterator<Item = &'a Frame>) -> Bytes {
    let mut payload = Vec::new();
    let head = |payload: &mut Vec<u8>, kind: u8, length: usize| {
        payload.push(kind);
        payload.extend(length.to_string().bytes().map(|digit| digit - b'0'));
        payload.push(END_OF_LENGTH);
    };
    for frame in frames {
        match frame.data() {
            FrameData::Text(framed) => {
                let bytes = framed.as_payload();
                head(&mut payload, 0, bytes.len());
                payload.extend_from_slice(bytes);
            }
            FrameData::Binary(bytes) => {
                head(&mut payload, 1, bytes.len() + 1);
                payload.push(MESSAGE);
                payload.extend_from_slice(bytes);
            }
        }
    }
    payload.into()
}

/// How many UTF-16 units the UTF-8 text has: one for each character, two for those that take four bytes.
fn utf16_length(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte & 0xc0 != 0x80).count() + text.iter().filter(|byte| **byte >= 0xf0).count()
}

/// Reads the packet at the cursor of a text body, and moves the cursor behind it. After a mistake there is no more to read.
pub(crate) fn next(body: &Text, cursor: &mut Option<usize>) -> Option<Result<Packet, PacketError>> {
    let mut at = (*cursor)?;
    if body.is_empty() {
        *cursor = None;
        return Some(Err(PacketError));
    }
    *cursor = None;
    while at < body.len() {
        let Some((start, end)) = packet_range(body, at) else { return Some(Err(PacketError)) };
        if start == end {
            // Nothing, as the reference sends for an empty answer.
            at = end;
            continue;
        }
        let packet = packet::decode(body.slice(start..end));
        if packet.is_ok() {
            *cursor = Some(end);
        }
        return Some(packet);
    }
    None
}

/// Start and end of the packet whose length starts at `at`.
fn packet_range(body: &str, at: usize) -> Option<(usize, usize)> {
    let (length, _) = body[at..].split_once(':')?;
    if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let start = at + length.len() + 1;
    let units: usize = length.parse().ok()?;
    let rest = &body[start..];
    let ascii = rest.as_bytes().get(..units).is_some_and(<[u8]>::is_ascii);
    if ascii {
        return Some((start, start + units));
    }
    let (mut units, mut end) = (units, 0);
    for c in rest.chars() {
        if units == 0 {
            break;
        }
        // A length that ends within a surrogate pair is no length of a text.
        units = units.checked_sub(c.len_utf16())?;
        end += c.len_utf8();
    }
    (units == 0).then_some((start, start + end))
}

/// A binary body in the form of a text body. A mistake in it becomes one there: before all packets if their lengths are
/// wrong, in the place of the packet otherwise.
pub(crate) fn text_of_binary(body: &[u8]) -> Text {
    let Some(packets) = split(body) else { return Text::default() };
    let mut text = String::with_capacity(body.len() + body.len() / 2);
    for (is_binary, packet) in packets {
        let done = if is_binary { put_binary(&mut text, packet) } else { put_text(&mut text, packet) };
        if done.is_none() {
            // No length starts like this.
            text.push('!');
            break;
        }
    }
    text.into()
}

fn put_text(text: &mut String, packet: &[u8]) -> Option<()> {
    let packet = std::str::from_utf8(packet).ok().filter(|packet| !packet.is_empty())?;
    let _ = write!(text, "{}:", utf16_length(packet.as_bytes()));
    text.push_str(packet);
    Some(())
}

fn put_binary(text: &mut String, packet: &[u8]) -> Option<()> {
    let (kind, data) = packet.split_first().filter(|(kind, _)| **kind <= 6)?;
    let _ = write!(text, "{}:b{kind}", 2 + data.len().div_ceil(3) * 4);
    STANDARD.encode_string(data, text);
    Some(())
}

/// The packets of a binary body, and whether each is binary; `None` if a length is wrong.
fn split(mut body: &[u8]) -> Option<Vec<(bool, &[u8])>> {
    let mut packets = Vec::new();
    while let Some((kind, rest)) = body.split_first() {
        let digits = rest.iter().position(|byte| *byte == END_OF_LENGTH).filter(|digits| *digits > 0)?;
        let length = rest[..digits].iter().try_fold(0_usize, |length, digit| {
            (*digit <= 9).then_some(())?;
            length.checked_mul(10)?.checked_add(usize::from(*digit))
        })?;
        let rest = &rest[digits + 1..];
        packets.push((*kind != 0, rest.get(..length)?));
        body = &rest[length..];
    }
    (!packets.is_empty()).then_some(packets)
}
