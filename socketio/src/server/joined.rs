//! `Joined`: a socket as the task of its connection keeps it, with the events that wait for a free handler.

use super::{core::SocketCore, session::ErasedSession};
use crate::{contract::Incoming, reason::DisconnectReason};
use std::{collections::VecDeque, sync::Arc};

/// Events of one socket that wait for a free handler before reading stops, unless one of them may be behind the
/// acknowledgement that a handler waits for.
const BACKLOG: usize = 64;
/// The same in bytes, whatever is waited for.
const BACKLOG_BYTES: usize = 4 << 20;
/// A socket of this connection.
pub(super) struct Joined {
    pub(super) core: Arc<SocketCore>,
    /// `None` while its connect handler runs.
    pub(super) session: Option<Box<dyn ErasedSession>>,
    pub(super) running: usize,
    pub(super) backlog: VecDeque<Incoming>,
    pub(super) backlog_bytes: usize,
    /// It has ended; what arrived before is still handled, then the session is told.
    pub(super) ended: Option<DisconnectReason>,
}

impl Joined {
    pub(super) fn new(core: Arc<SocketCore>) -> Self {
        Joined { core, session: None, running: 0, backlog: VecDeque::new(), backlog_bytes: 0, ended: None }
    }

    /// Whether nothing more should be read before one of its handlers is done.
    pub(super) fn is_saturated(&self) -> bool {
        self.backlog_bytes >= BACKLOG_BYTES || (self.backlog.len() >= BACKLOG && !self.core.awaits_ack())
    }

    pub(super) fn wait(&mut self, event: Incoming) {
        self.backlog_bytes += event.cost();
        self.backlog.push_back(event);
    }

    pub(super) fn next(&mut self) -> Option<Incoming> {
        let event = self.backlog.pop_front()?;
        self.backlog_bytes -= event.cost();
        Some(event)
    }
}
