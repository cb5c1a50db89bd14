//! `Joined`: a socket as the task of its connection keeps it, with the events that wait for a free handler.

use super::{core::SocketCore, recovery::Tracked, session::ErasedSession};
use crate::{contract::Incoming, reason::DisconnectReason};
use std::{collections::VecDeque, sync::Arc};
use tokio::sync::oneshot;

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
    /// Boxed: most sockets never have one.
    backlog: Option<Box<Backlog>>,
    /// It has ended, or its connection was lost; what arrived before is still handled, then the session is told or kept.
    pub(super) ended: Option<DisconnectReason>,
    /// While the connect function runs again for a client that came back: the session so far.
    pub(super) previous: Option<Box<dyn ErasedSession>>,
}

/// Events that wait for a handler to be done.
#[derive(Default)]
struct Backlog {
    events: VecDeque<Incoming>,
    bytes: usize,
}

impl Joined {
    pub(super) fn new(core: Arc<SocketCore>) -> Self {
        Joined { core, session: None, running: 0, backlog: None, ended: None, previous: None }
    }

    /// Whether nothing more should be read before one of its handlers is done.
    pub(super) fn is_saturated(&self) -> bool {
        self.backlog
            .as_ref()
            .is_some_and(|backlog| backlog.bytes >= BACKLOG_BYTES || (backlog.events.len() >= BACKLOG && !self.core.awaits_ack()))
    }

    /// Whether there is a session that the client may come back to.
    pub(super) fn is_session(&self) -> bool {
        // One that comes from another server has it there.
        let comes = || self.core.tracked().is_some_and(|tracked| tracked.after().is_some());
        self.session.is_some() || self.previous.is_some() || comes()
    }

    /// Whether its next event has to wait for a handler.
    pub(super) fn is_busy(&self, handlers: usize) -> bool {
        self.running + self.elsewhere() >= handlers
    }

    /// Handlers that the task of a former connection runs.
    pub(super) fn elsewhere(&self) -> usize {
        self.core.tracked().map_or(0, Tracked::elsewhere)
    }

    /// Another connection that wants the session, which is then ready to be handed over. One that asks too early waits, one
    /// that asks too late is refused.
    pub(super) fn heir(&mut self) -> Option<oneshot::Sender<Joined>> {
        self.session.as_ref()?;
        let heir = self.core.tracked()?.heir()?;
        self.core.suspend(DisconnectReason::TransportClose);
        self.ended = Some(self.core.absent()?);
        Some(heir)
    }

    /// This task has nothing to do with the socket any more, but for its handlers in flight.
    pub(super) fn leave_behind(mut self) -> Self {
        if let Some(tracked) = self.core.tracked() {
            tracked.left_behind(std::mem::take(&mut self.running));
        }
        self
    }

    pub(super) fn wait(&mut self, event: Incoming) {
        let backlog = self.backlog.get_or_insert_default();
        backlog.bytes += event.cost();
        backlog.events.push_back(event);
    }

    /// Whether events wait.
    pub(super) fn has_backlog(&self) -> bool {
        self.backlog.as_ref().is_some_and(|backlog| !backlog.events.is_empty())
    }

    pub(super) fn next(&mut self) -> Option<Incoming> {
        let backlog = self.backlog.as_mut()?;
        let event = backlog.events.pop_front()?;
        backlog.bytes -= event.cost();
        Some(event)
    }
}
