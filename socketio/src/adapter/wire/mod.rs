//! The bytes of messages between servers, as those of the reference write and read them.
//!
//! ```text
//! Message --write--> JSON text + attachments --value--> JSON, or MessagePack with the binary data in it --> the wire
//! Message <--read--- JSON text + attachments <--value-- either, told apart by the first byte <-------------
//! ```
//! `classic`: the pub/sub adapter. `cluster`: the messages of its successors. `stream`: entries of a stream, and sessions.
//!
//! Whatever is read may be nonsense, and is then [`Malformed`]. What a server of the reference could not read, or would fall over,
//! is [`Unsupported`] and not written. Nothing here calls itself, however deep the values are.
//! Not here: channels' names and connections; see `redis`.

pub(crate) mod classic;
pub(crate) mod cluster;
mod read;
pub(crate) mod stream;
#[cfg(test)]
mod tests;
mod value;
mod write;

/// What has arrived is no message of a server, for this reason. To be skipped and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Malformed(pub(crate) &'static str);

/// A message that this wire does not have, or that a server of the reference could not read, for this reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unsupported(pub(crate) &'static str);
