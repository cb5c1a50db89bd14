//! Compression of whole messages. Spec: RFC 7692, section 7.2.1.

use super::{MAX_WINDOW_BITS, MIN_WINDOW_BITS, PerMessageDeflate, TAIL};
use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress};
use std::fmt;

/// What a [`Deflater`] of this window takes in memory.
pub(super) fn context_bytes(window_bits: u8) -> usize {
    // Two windows and the chain of each place; and tables that do not depend on the window. Measured with zlib-rs 0.6.
    (4 << window_bits) + (244 << 10)
}

/// The room that a message is given at first, as a part of its size.
const EXPECTED_RATIO: usize = 4;
/// Room that is always there: a flush is not cut in two.
const LEAST_ROOM: usize = 64;

/// One stream that is compressed to.
pub(crate) struct Deflater {
    stream: Compress,
    level: u8,
    window_bits: u8,
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater").field("level", &self.level).field("window_bits", &self.window_bits).finish_non_exhaustive()
    }
}

impl Deflater {
    fn new(level: u8, window_bits: u8) -> Self {
        let window = window_bits.clamp(MIN_WINDOW_BITS, MAX_WINDOW_BITS);
        Deflater {
            stream: Compress::new_with_window_bits(Compression::new(level.min(9).into()), false, window),
            level,
            window_bits,
        }
    }

    /// The compressed message without its tail; `None`: it would be longer than `most`, and the stream is of no use.
    fn message(&mut self, plain: &[u8], most: usize) -> Option<Bytes> {
        let mut out = Vec::with_capacity(plain.len() / EXPECTED_RATIO + LEAST_ROOM);
        let mut rest = plain;
        loop {
            if out.capacity() - out.len() < LEAST_ROOM {
                out.reserve_exact(out.len().max(LEAST_ROOM));
            }
            let before = self.stream.total_in();
            self.stream.compress_vec(rest, &mut out, FlushCompress::Sync).ok()?;
            rest = &rest[(self.stream.total_in() - before) as usize..];
            // All of it is out where room is left.
            if rest.is_empty() && out.len() < out.capacity() {
                break;
            }
            if out.len() > most.saturating_add(TAIL.len()) {
                return None;
            }
        }
        out.truncate(out.strip_suffix(&TAIL)?.len());
        if out.len() > most {
            return None;
        }
        // It may wait as long as the client does not read.
        out.shrink_to_fit();
        Some(out.into())
    }
}

/// The messages of this side.
#[derive(Debug)]
pub(crate) struct Outbound {
    threshold_bytes: usize,
    level: u8,
    window_bits: u8,
    /// Messages refer to those before: each is compressed for this connection alone.
    takeover: bool,
    deflater: Option<Box<Deflater>>,
}

impl Outbound {
    pub(super) fn new(takeover: bool, window_bits: u8, settings: &PerMessageDeflate) -> Self {
        let PerMessageDeflate { threshold_bytes, level, .. } = *settings;
        Outbound { threshold_bytes, level, window_bits, takeover, deflater: None }
    }

    /// Whether a message of this size is compressed.
    pub(crate) fn wants(&self, bytes: usize) -> bool {
        bytes > 0 && bytes >= self.threshold_bytes
    }

    /// With what a compressed message can be read that others may have as well; `None`: nobody else can read it.
    pub(crate) fn shared_window(&self) -> Option<u8> {
        (!self.takeover).then_some(self.window_bits)
    }

    /// Whether it keeps a deflater.
    #[cfg(test)]
    pub(super) fn keeps_context(&self) -> bool {
        self.deflater.is_some()
    }

    /// Compresses a message. `None`: it is sent as it is, for it does not become smaller. `spare`: a deflater that is free.
    pub(crate) fn message(&mut self, plain: &[u8], spare: &mut Option<Box<Deflater>>) -> Option<Bytes> {
        let (level, window_bits) = (self.level, self.window_bits);
        if self.takeover {
            // The stream has taken it in, and later messages may refer to it: it is sent whatever its size.
            let message =
                self.deflater.get_or_insert_with(|| Box::new(Deflater::new(level, window_bits))).message(plain, usize::MAX);
            if message.is_none() {
                // A new stream refers to nothing.
                self.deflater = None;
            }
            return message;
        }
        let deflater = match spare {
            Some(free) if (free.level, free.window_bits) == (level, window_bits) => free,
            other => other.insert(Box::new(Deflater::new(level, window_bits))),
        };
        let message = deflater.message(plain, plain.len().saturating_sub(1));
        deflater.stream.reset();
        message
    }
}
