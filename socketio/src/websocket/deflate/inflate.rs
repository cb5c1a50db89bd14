//! Decompression: the pieces of a message as they arrive, never further than the limit of a message.
//!
//! Spec: RFC 7692, section 7.2.2. A block that ends the stream is not the end of a message, nor of the connection.

use super::{MAX_WINDOW_BITS, TAIL};
use crate::websocket::reader::Error;
use flate2::{Decompress, FlushDecompress, Status};
use std::fmt;

/// What an [`Inflater`] takes in memory. Measured with zlib-rs 0.6.
pub(crate) const CONTEXT_BYTES: usize = 48 << 10;

/// What room is made at once, at first; then as much again as there is.
const FIRST_ROOM: usize = 4 << 10;
/// A block that ends the stream, and holds nothing: where it is taken for one, a message is complete.
const END: [u8; 5] = [1, 0, 0, 0xff, 0xff];

/// One stream of compressed bytes.
pub(crate) struct Inflater {
    stream: Decompress,
    /// The last block said so. What follows is a new stream.
    ended: bool,
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflater").field("ended", &self.ended).finish_non_exhaustive()
    }
}

impl Inflater {
    /// The largest window reads whatever a smaller one has written, so that any message can be read with any of these.
    fn new() -> Self {
        Inflater { stream: Decompress::new_with_window_bits(false, MAX_WINDOW_BITS), ended: false }
    }

    /// Appends to `out` what the piece holds, up to one byte more than the limit, which is an error.
    fn append(&mut self, mut piece: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<(), Error> {
        loop {
            if self.ended && !piece.is_empty() {
                self.restart();
            }
            if out.len() == out.capacity() {
                let most = limit.saturating_add(1) - out.len();
                out.reserve_exact(out.len().max(FIRST_ROOM).min(most));
            }
            let (taken, given) = (self.stream.total_in(), out.len());
            let status = self.stream.decompress_vec(piece, out, FlushDecompress::None);
            let taken = (self.stream.total_in() - taken) as usize;
            piece = &piece[taken..];
            if out.len() > limit {
                return Err(Error::TooBig);
            }
            self.ended = status.map_err(|_| Error::Deflate)? == Status::StreamEnd;
            if piece.is_empty() && (self.ended || out.len() < out.capacity()) {
                return Ok(());
            }
            if taken == 0 && given == out.len() {
                return if piece.is_empty() { Ok(()) } else { Err(Error::Deflate) };
            }
        }
    }

    fn restart(&mut self) {
        self.stream.reset(false);
        self.ended = false;
    }
}

/// The messages of the peer.
#[derive(Debug)]
pub(crate) struct Inbound {
    /// Messages refer to those before: the inflater stays.
    takeover: bool,
    inflater: Option<Box<Inflater>>,
    /// Something of the current message has come.
    begun: bool,
}

impl Inbound {
    pub(crate) fn new(takeover: bool) -> Self {
        Inbound { takeover, inflater: None, begun: false }
    }

    /// Whether it keeps an inflater.
    #[cfg(test)]
    pub(super) fn keeps_context(&self) -> bool {
        self.inflater.is_some()
    }

    /// Appends to `out` what a piece of a message holds. `spare`: an inflater that is free.
    ///
    /// # Errors
    /// It is no compressed data, or `out` would be longer than `limit`.
    pub(in crate::websocket) fn append(
        &mut self,
        piece: &[u8],
        out: &mut Vec<u8>,
        limit: usize,
        spare: &mut Option<Box<Inflater>>,
    ) -> Result<(), Error> {
        if piece.is_empty() {
            return Ok(());
        }
        self.begun = true;
        let own = self.takeover;
        let free = || spare.take().filter(|_| !own).unwrap_or_else(|| Box::new(Inflater::new()));
        self.inflater.get_or_insert_with(free).append(piece, out, limit)
    }

    /// Ends a message. Nothing at all is an empty message, as some peers send it.
    ///
    /// # Errors
    /// As above, or the message breaks off; that shows only where messages do not refer to each other.
    pub(in crate::websocket) fn finish(
        &mut self,
        out: &mut Vec<u8>,
        limit: usize,
        spare: &mut Option<Box<Inflater>>,
    ) -> Result<(), Error> {
        let Some(inflater) = self.inflater.as_mut().filter(|_| std::mem::take(&mut self.begun)) else { return Ok(()) };
        if !inflater.ended {
            inflater.append(&TAIL, out, limit)?;
        }
        if self.takeover {
            return Ok(());
        }
        if !inflater.ended {
            inflater.append(&END, out, limit)?;
        }
        if !inflater.ended {
            return Err(Error::Deflate);
        }
        inflater.restart();
        *spare = self.inflater.take();
        Ok(())
    }
}
