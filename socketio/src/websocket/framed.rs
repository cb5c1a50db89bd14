//! `Framed`: a text that lies behind the header of its WebSocket frame, so that both leave in one piece.

use super::{
    header::{Opcode, write_header},
    mask::unmask,
};
use bytes::{Buf, Bytes};
use std::fmt;

/// The longest header of a frame that a server sends.
pub(crate) const MAX_HEADER: usize = 10;

/// A text with its frame around it: encoded once, and shared by all connections that send it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Framed(Bytes);

impl Framed {
    /// Puts a header in front of a text that has [`MAX_HEADER`] free bytes before it.
    pub(crate) fn behind(mut buffer: Vec<u8>, start: usize) -> Self {
        let length = buffer.len() - start;
        let header = write_header(&mut buffer[..start], Opcode::Text, length);
        let mut bytes = Bytes::from(buffer);
        bytes.advance(header);
        Framed(bytes)
    }

    /// Copies a text behind a header.
    pub(crate) fn text(parts: &[&[u8]]) -> Self {
        let length = parts.iter().map(|part| part.len()).sum();
        let mut header = [0; MAX_HEADER];
        let start = write_header(&mut header, Opcode::Text, length);
        let mut buffer = Vec::with_capacity(MAX_HEADER - start + length);
        buffer.extend_from_slice(&header[start..]);
        parts.iter().for_each(|part| buffer.extend_from_slice(part));
        Framed(buffer.into())
    }

    /// A frame that is written out in the program, header included.
    pub(crate) const fn from_static(frame: &'static [u8]) -> Self {
        Framed(Bytes::from_static(frame))
    }

    /// The frame as it travels.
    pub(crate) fn into_bytes(self) -> Bytes {
        self.0
    }

    /// The text without its frame.
    pub(crate) fn payload(&self) -> Bytes {
        self.0.slice(self.header()..)
    }

    /// The text without its frame.
    pub(crate) fn as_payload(&self) -> &[u8] {
        &self.0[self.header()..]
    }

    fn header(&self) -> usize {
        match self.0[1] {
            126 => 4,
            127 => MAX_HEADER,
            _ => 2,
        }
    }
}

/// A frame as a client sends it: `kind` is an [`Opcode`], perhaps with [`COMPRESSED`](super::COMPRESSED). Spec: RFC 6455, section
/// 5.3: the mask is to be unpredictable, and another for each frame.
pub(crate) fn masked(kind: u8, payload: &[u8], mask: [u8; 4]) -> Bytes {
    let mut header = [0; MAX_HEADER];
    let start = write_header(&mut header, Opcode::Continuation, payload.len());
    header[start] |= kind;
    header[start + 1] |= 0x80;
    let mut frame = Vec::with_capacity(MAX_HEADER - start + mask.len() + payload.len());
    frame.extend_from_slice(&header[start..]);
    frame.extend_from_slice(&mask);
    let body = frame.len();
    frame.extend_from_slice(payload);
    unmask(&mut frame[body..], mask, 0);
    frame.into()
}

impl fmt::Debug for Framed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Framed").field(&self.payload()).finish()
    }
}
