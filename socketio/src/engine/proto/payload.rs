//! Several packets in one HTTP body, separated by U+001E. Spec: "HTTP long-polling", packet encoding.

use super::packet::{Frame, FrameData, Packet, PacketError};
use crate::text::Text;
use bytes::Bytes;

const SEPARATOR: u8 = 0x1e;

/// Joins frames to the body of one answer.
pub(crate) fn encode<'a>(frames: impl Iterator<Item = &'a Frame> + Clone) -> Bytes {
    let mut few = frames.clone();
    if let (Some(FrameData::Text(alone)), None) = (few.next().map(Frame::data), few.next()) {
        return alone.payload();
    }
    let length: usize = frames.clone().map(|frame| frame.payload_length() + 1).sum();
    let mut payload = Vec::with_capacity(length);
    for frame in frames {
        if !payload.is_empty() {
            payload.push(SEPARATOR);
        }
        frame.write_to(&mut payload);
    }
    payload.into()
}

/// Splits a body into packets. An empty body is one illegal packet, as in the reference.
pub(crate) fn decode(body: &Text) -> impl Iterator<Item = Result<Packet, PacketError>> + '_ {
    let mut cursor = Some(0);
    std::iter::from_fn(move || next(body, &mut cursor))
}

/// Reads the packet at the cursor, and moves the cursor behind it.
pub(super) fn next(body: &Text, cursor: &mut Option<usize>) -> Option<Result<Packet, PacketError>> {
    let start = (*cursor)?;
    let end = body.as_bytes()[start..].iter().position(|byte| *byte == SEPARATOR).map_or(body.len(), |at| start + at);
    *cursor = (end < body.len()).then_some(end + 1);
    Some(Packet::decode(body.slice(start..end)))
}
