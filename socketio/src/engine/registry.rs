//! `Registry`: session id to connection handle. Inserted at the handshake, removed in one `Drop`.

use super::{config::Transport, jsonp::Jsonp, outbox::Outbox, proto::Revision, transport::polling::Command};
use crate::{
    id::{Quick, SessionId},
    text::Text,
};
use parking_lot::Mutex;
use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};
use tokio::sync::Notify;

/// Requests that may wait for a connection's task. More at once is a client that breaks the protocol; they are refused.
const COMMAND_CAPACITY: usize = 64;

/// What everybody but its own task knows of a connection.
pub(crate) struct ConnectionHandle {
    pub(crate) id: SessionId,
    pub(crate) outbox: Outbox,
    /// As agreed in the handshake.
    pub(crate) revision: Revision,
    pub(super) jsonp: Option<Jsonp>,
    /// Requests for the task, oldest first; `None` once there is no task to answer them.
    commands: Mutex<Option<VecDeque<Command>>>,
    /// Set once, at the upgrade.
    websocket: AtomicBool,
}

impl fmt::Debug for ConnectionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionHandle").field("transport", &self.transport()).finish_non_exhaustive()
    }
}

impl ConnectionHandle {
    pub(super) fn new(
        id: SessionId,
        transport: Transport,
        revision: Revision,
        jsonp: Option<Jsonp>,
        limit_bytes: usize,
    ) -> Arc<Self> {
        Arc::new(ConnectionHandle {
            id,
            outbox: Outbox::new(limit_bytes),
            revision,
            jsonp,
            commands: Mutex::new(Some(VecDeque::new())),
            websocket: AtomicBool::new(transport == Transport::WebSocket),
        })
    }

    /// Whether this is a client of Socket.IO 1 or 2.
    pub(crate) fn is_legacy(&self) -> bool {
        self.revision != Revision::Four
    }

    pub(crate) fn transport(&self) -> Transport {
        if self.websocket.load(Ordering::Acquire) { Transport::WebSocket } else { Transport::Polling }
    }

    pub(crate) fn set_upgraded(&self) {
        self.websocket.store(true, Ordering::Release);
    }

    /// Hands a request to the task. `false`: too many wait already, or the task has ended.
    pub(crate) fn command(&self, command: Command) -> bool {
        let patient = {
            let mut commands = self.commands.lock();
            let Some(commands) = commands.as_mut() else { return false };
            // News of a request that ended is never refused: the task waits for it.
            let news = matches!(command, Command::PollAborted | Command::PostAborted | Command::PostDropped | Command::Post(_));
            if !news && commands.len() >= COMMAND_CAPACITY {
                return false;
            }
            let alone = commands.is_empty();
            let poll = matches!(command, Command::Poll(_));
            commands.push_back(command);
            alone && poll
        };
        if patient {
            self.outbox.announce_poll()
        } else {
            self.outbox.call_attention()
        }
        true
    }

    /// Hands over the whole of a POST if it can be answered at once. Else the body comes back, and is to be handed over as
    /// a command that is answered later.
    pub(crate) fn post_at_once(&self, body: Text) -> Result<(), Text> {
        {
            let mut commands = self.commands.lock();
            match commands.as_mut() {
                Some(commands) if self.outbox.welcomes_post() => commands.push_back(Command::PostAnswered(body)),
                _ => return Err(body),
            }
        }
        self.outbox.call_attention();
        Ok(())
    }

    pub(crate) fn next_command(&self) -> Option<Command> {
        self.commands.lock().as_mut()?.pop_front()
    }

    /// The task has ended: requests that still wait are dropped, which answers them, and no more are taken.
    pub(crate) fn shut(&self) {
        let waiting = self.commands.lock().take();
        drop(waiting);
    }
}

/// All sessions of an engine.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    /// Guards the map only; looked up once for each HTTP request, never for a WebSocket message.
    sessions: Mutex<HashMap<SessionId, Arc<ConnectionHandle>, Quick>>,
    live: AtomicUsize,
    empty: Notify,
    closed: AtomicBool,
}

impl Registry {
    pub(crate) fn get(&self, id: &SessionId) -> Option<Arc<ConnectionHandle>> {
        self.sessions.lock().get(id).cloned()
    }

    /// `None` once handshakes are refused.
    pub(crate) fn insert(self: &Arc<Self>, handle: Arc<ConnectionHandle>) -> Option<Registration> {
        let mut sessions = self.sessions.lock();
        // Under the lock: who closes the registry then sees this connection, or this handshake is refused.
        if self.is_closed() {
            return None;
        }
        sessions.insert(handle.id, Arc::clone(&handle));
        self.live.fetch_add(1, Ordering::AcqRel);
        Some(Registration { registry: Arc::clone(self), handle, listed: true })
    }

    /// Number of connections whose task has not ended.
    pub(crate) fn live(&self) -> usize {
        self.live.load(Ordering::Acquire)
    }

    pub(crate) fn handles(&self) -> Vec<Arc<ConnectionHandle>> {
        self.sessions.lock().values().cloned().collect()
    }

    /// Handshakes are refused from now on.
    pub(crate) fn close(&self) {
        let _sessions = self.sessions.lock();
        self.closed.store(true, Ordering::Release);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Waits until every connection's task has ended.
    pub(crate) async fn emptied(&self) {
        loop {
            let mut notified = std::pin::pin!(self.empty.notified());
            notified.as_mut().enable();
            if self.live() == 0 {
                return;
            }
            notified.await;
        }
    }
}

/// A connection's entry in the registry; dropping it removes the entry.
#[derive(Debug)]
pub(crate) struct Registration {
    registry: Arc<Registry>,
    handle: Arc<ConnectionHandle>,
    listed: bool,
}

impl Registration {
    /// The session is over: its id is unknown from now on, though the task may have work left.
    pub(crate) fn unlist(&mut self) {
        if std::mem::take(&mut self.listed) {
            self.registry.sessions.lock().remove(&self.handle.id);
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.unlist();
        self.handle.outbox.close();
        self.handle.shut();
        if self.registry.live.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.registry.empty.notify_waiters();
        }
    }
}
