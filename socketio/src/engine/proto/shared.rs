//! `Shared`: a frame that many connections send, with its compressed forms: each is made once, by the first that needs it.

use super::packet::FrameData;
use bytes::Bytes;
use std::{fmt, sync::OnceLock};

/// Windows that a message can be compressed for, from 9 to 15 bits.
const WINDOWS: usize = 7;
const FIRST_WINDOW_BITS: u8 = 9;

/// What a [`Frame`](super::Frame) shares with its clones.
pub(crate) struct Shared {
    pub(super) data: FrameData,
    /// By window; `None` inside: it is not worth it. Each is written once and is a function of the data, so that it makes no
    /// difference who comes first. Who comes second meanwhile waits, for as long as compressing takes.
    compressed: [OnceLock<Option<Bytes>>; WINDOWS],
}

impl Shared {
    pub(super) fn new(data: FrameData) -> Self {
        Shared { data, compressed: Default::default() }
    }

    /// The compressed form for clients with this window.
    pub(crate) fn compressed(&self, window_bits: u8, compress: impl FnOnce() -> Option<Bytes>) -> Option<Bytes> {
        match self.compressed.get(usize::from(window_bits.wrapping_sub(FIRST_WINDOW_BITS))) {
            Some(form) => form.get_or_init(compress).clone(),
            None => compress(),
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("data", &self.data).finish_non_exhaustive()
    }
}
