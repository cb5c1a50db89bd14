//! `Sender`: a handle to one session that outlives its owner's stack frame.

use crate::engine::{
    outbox::{SendError, Urgency},
    proto::{Frame, Message},
    registry::ConnectionHandle,
};
use std::sync::Arc;

/// Sends to one session from any task. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sender(pub(super) Arc<ConnectionHandle>);

impl Sender {
    /// Queues a message.
    ///
    /// # Errors
    /// The session is over, or the client does not read.
    pub fn send(&self, message: Message) -> Result<(), SendError> {
        self.0.outbox.push(Frame::message(message).into(), Urgency::Normal)
    }

    /// Queues a message only if it can leave at once.
    ///
    /// # Errors
    /// The session is over, or the transport is busy.
    pub fn send_volatile(&self, message: Message) -> Result<(), SendError> {
        self.0.outbox.push(Frame::message(message).into(), Urgency::Volatile)
    }
}
