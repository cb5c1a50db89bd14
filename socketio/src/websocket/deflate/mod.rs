//! permessage-deflate, sans-IO: agreed on in the handshake, then messages are deflated and inflated. Spec: RFC 7692.
//!
//! ```text
//!  offers of a client --> negotiate --> Agreed, and what the client is answered
//!                                          |
//!            Inbound: pieces of compressed messages --> bytes, within the limit of a message
//!            Outbound: a message --> its compressed form, if that is worth it
//! ```
//! Without context takeover, which is the default, every message stands alone: then the compressed form of a message depends on
//! the window alone and can be shared, and a connection at rest keeps nothing but what was agreed. What compresses and what
//! decompresses is lent by the thread. With context takeover, a connection has its own for as long as it lives.
//!
//! Not here: whether a message wants to be compressed (`engine::proto::Frame`), and what is shared between the receivers of a
//! broadcast (`engine::proto::Shared`).

mod inflate;
mod negotiate;
mod outbound;
// Only servers show it.
#[cfg_attr(not(feature = "server"), allow(unreachable_pub))]
mod settings;
#[cfg(test)]
mod tests;

pub(super) use inflate::Inflater;
pub(crate) use inflate::{CONTEXT_BYTES as INFLATE_CONTEXT_BYTES, Inbound};
pub(crate) use negotiate::{Malformed, Offer, agree, offers};
pub(crate) use outbound::{Deflater, Outbound};
#[cfg_attr(not(feature = "server"), allow(unreachable_pub))]
pub use settings::PerMessageDeflate;

/// The smallest window that can be compressed with: zlib has none of 256 bytes for streams without a header.
pub(crate) const MIN_WINDOW_BITS: u8 = 9;
/// The window without an agreement: 32 KiB.
pub(crate) const MAX_WINDOW_BITS: u8 = 15;

/// What ends a message in the stream, and is not sent. Spec: section 7.2.1.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// What both sides have agreed on, as a server sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Agreed {
    /// Messages of the server refer to those before.
    pub(crate) server_context: bool,
    /// So do those of the client.
    pub(crate) client_context: bool,
    /// The window of the server, from 9 to 15.
    pub(crate) server_window_bits: u8,
    /// The window of the client, from 8 to 15.
    pub(crate) client_window_bits: u8,
}

impl Agreed {
    /// What the two streams take in memory for as long as the connection lives.
    pub(crate) fn context_bytes(&self) -> usize {
        let deflate = if self.server_context { outbound::context_bytes(self.server_window_bits) } else { 0 };
        let inflate = if self.client_context { INFLATE_CONTEXT_BYTES } else { 0 };
        deflate + inflate
    }
}

/// Both directions of one connection.
#[derive(Debug)]
pub(crate) struct Deflate {
    pub(crate) inbound: Inbound,
    pub(crate) outbound: Outbound,
}

impl Deflate {
    /// The server's side. `threshold_bytes`: smaller messages are sent as they are.
    pub(crate) fn new(agreed: Agreed, settings: &PerMessageDeflate) -> Self {
        Deflate {
            inbound: Inbound::new(agreed.client_context),
            outbound: Outbound::new(agreed.server_context, agreed.server_window_bits, settings),
        }
    }
}
