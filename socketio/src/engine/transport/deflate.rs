//! permessage-deflate of one WebSocket: what is compressed, with what, and the memory that all connections may take for it.
//!
//! ```text
//!  Frame --+-- too small, or it does not want to be ----------------------------> as it is
//!          +-- one of many, and the client has no context --> form of the Shared -+
//!          +-- else, or nobody has made that form yet --> compressed -------------+--> as it is, if it did not become smaller
//! ```
//! A compressor that belongs to no connection is lent by the thread, as buffers are.

use crate::{
    engine::proto::{Frame, FrameData, Revision},
    websocket::{
        Opcode,
        deflate::{Agreed, Deflate, Deflater, Inbound, PerMessageDeflate},
    },
};
use bytes::Bytes;
use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

thread_local! {
    /// Lent to the connection that writes at this moment.
    static DEFLATER: Cell<Option<Box<Deflater>>> = const { Cell::new(None) };
}

/// The extension on one connection, which has agreed on it. Boxed: most have not.
#[derive(Debug)]
pub(crate) struct Deflating {
    deflate: Deflate,
    /// What the contexts take, until the end of the connection.
    _contexts: Reserved,
    /// What was compressed and not said to be.
    pub(crate) compressed: Compressed,
}

/// How much was compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Compressed {
    pub(crate) messages: usize,
    /// Bytes before and after. What did not become smaller counts as it is.
    pub(crate) bytes: usize,
    pub(crate) sent: usize,
}

impl Deflating {
    pub(crate) fn new(agreed: Agreed, settings: &PerMessageDeflate, contexts: Reserved) -> Self {
        Deflating { deflate: Deflate::new(agreed, settings), _contexts: contexts, compressed: Compressed::default() }
    }

    /// What inflates messages of the peer.
    pub(super) fn inbound(&mut self) -> &mut Inbound {
        &mut self.deflate.inbound
    }

    /// The compressed payload of a frame; `None`: it is sent as it is.
    pub(super) fn message(&mut self, frame: &Frame, revision: Revision) -> Option<(Opcode, Bytes)> {
        let outbound = &mut self.deflate.outbound;
        if !frame.compress || !outbound.wants(frame.size()) {
            return None;
        }
        let shared_window = outbound.shared_window();
        let counted = &mut self.compressed;
        let mut compress = |plain: &[u8]| {
            let mut spare = DEFLATER.take();
            let message = outbound.message(plain, &mut spare);
            DEFLATER.set(spare);
            counted.messages += 1;
            counted.bytes += plain.len();
            counted.sent += message.as_ref().map_or(plain.len(), Bytes::len);
            message
        };
        match (frame.data(), revision) {
            (FrameData::Binary(_), Revision::Three { .. }) => match revision.websocket_frame(frame.data().clone()) {
                FrameData::Text(framed) => Some((Opcode::Text, compress(framed.as_payload())?)),
                FrameData::Binary(bytes) => Some((Opcode::Binary, compress(&bytes)?)),
            },
            (data, _) => {
                let (opcode, plain) = match data {
                    FrameData::Text(framed) => (Opcode::Text, framed.as_payload()),
                    FrameData::Binary(bytes) => (Opcode::Binary, &bytes[..]),
                };
                let message = match (frame.shared(), shared_window) {
                    (Some(shared), Some(window_bits)) => shared.compressed(window_bits, || compress(plain)),
                    _ => compress(plain),
                };
                Some((opcode, message?))
            }
        }
    }
}

/// The memory that contexts of all connections may take.
#[derive(Debug, Default)]
pub(crate) struct Contexts {
    limit_bytes: usize,
    used_bytes: AtomicUsize,
}

impl Contexts {
    pub(crate) fn new(limit_bytes: usize) -> Arc<Self> {
        Arc::new(Contexts { limit_bytes, used_bytes: AtomicUsize::new(0) })
    }

    /// `None`: there is not so much left.
    pub(crate) fn reserve(self: &Arc<Self>, bytes: usize) -> Option<Reserved> {
        if bytes == 0 {
            return Some(Reserved::default());
        }
        let more = |used: usize| used.checked_add(bytes).filter(|used| *used <= self.limit_bytes);
        self.used_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Reserved { bytes, of: Some(Arc::clone(self)) })
    }
}

/// A part of it, which is given back by its `Drop`.
#[derive(Debug, Default)]
pub(crate) struct Reserved {
    bytes: usize,
    of: Option<Arc<Contexts>>,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if let Some(contexts) = &self.of {
            contexts.used_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}
