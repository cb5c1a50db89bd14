//! `Registry`: session id to connection handle. Inserted at the handshake, removed in one `Drop`.

use super::{
    admission::Seat,
    config::{Config, Transport},
    jsonp::Jsonp,
    outbox::Outbox,
    proto::Revision,
    transport::polling::Command,
};
use crate::{
    id::{Quick, SessionId},
    metrics::{Measured, Meter},
    reason::DisconnectReason,
    text::Text,
};
use parking_lot::Mutex;
use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering},
    },
};
use tokio::{sync::Notify, task::AbortHandle};

/// Requests that may wait for a connection's task. More at once is a client that breaks the protocol; they are refused.
const COMMAND_CAPACITY: usize = 64;

/// Connections of this process so far.
static NUMBERED: AtomicU64 = AtomicU64::new(0);

/// What a server that shuts down asks of a connection. Each goes further than the one before; none is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Farewell {
    /// Take nothing new in, and close when all that runs is done and sent.
    Finish = 1,
    /// Close when all that waits is sent, whatever runs.
    Close,
    /// End now.
    Abort,
}

/// What everybody but its own task knows of a connection.
pub(crate) struct ConnectionHandle {
    pub(crate) id: SessionId,
    /// What it is called where its id, a secret, must not be shown.
    pub(crate) number: u64,
    pub(crate) meter: Meter,
    pub(crate) outbox: Outbox,
    /// As agreed in the handshake.
    pub(crate) revision: Revision,
    pub(super) jsonp: Option<Jsonp>,
    /// Requests for the task, oldest first; `None` once there is no task to answer them.
    commands: Mutex<Option<VecDeque<Command>>>,
    /// Set once, at the upgrade.
    websocket: AtomicBool,
    /// The session is over: its id is unknown, though its task may have work left.
    over: AtomicBool,
    /// The [`Farewell`] that was bidden, or 0.
    farewell: AtomicU8,
    /// How to abort the task, once it is known. Held for single look-ups.
    task: Mutex<Option<AbortHandle>>,
}

impl fmt::Debug for ConnectionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionHandle")
            .field("number", &self.number)
            .field("transport", &self.transport())
            .finish_non_exhaustive()
    }
}

impl ConnectionHandle {
    pub(super) fn new(id: SessionId, transport: Transport, revision: Revision, jsonp: Option<Jsonp>, config: &Config) -> Arc<Self> {
        let meter = &config.meter;
        Arc::new(ConnectionHandle {
            id,
            number: NUMBERED.fetch_add(1, Ordering::Relaxed),
            meter: meter.clone(),
            outbox: Outbox::new(config.max_buffered_bytes, config.slow_consumer).metered(meter.clone()),
            revision,
            jsonp,
            commands: Mutex::new(Some(VecDeque::new())),
            websocket: AtomicBool::new(transport == Transport::WebSocket),
            over: AtomicBool::new(false),
            farewell: AtomicU8::new(0),
            task: Mutex::default(),
        })
    }

    /// Whether this is a client of Socket.IO 1 or 2.
    pub(crate) fn is_legacy(&self) -> bool {
        self.revision != Revision::Four
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// What was bidden last.
    pub(crate) fn farewell(&self) -> Option<Farewell> {
        [Farewell::Abort, Farewell::Close, Farewell::Finish]
            .into_iter()
            .find(|one| *one as u8 == self.farewell.load(Ordering::Acquire))
    }

    /// Tells the connection to end. Its task sees to it, or is aborted.
    pub(crate) fn bid(&self, farewell: Farewell) {
        if self.farewell.fetch_max(farewell as u8, Ordering::AcqRel) >= farewell as u8 {
            return;
        }
        if farewell < Farewell::Abort {
            return self.outbox.call_attention();
        }
        if let Some(task) = &*self.task.lock() {
            task.abort();
        }
    }

    /// Says which task owns the connection.
    pub(super) fn owned_by(&self, task: AbortHandle) {
        let mut known = self.task.lock();
        // Under the lock: who bade that before there was a task is seen here, who does later sees the task.
        if self.farewell() == Some(Farewell::Abort) {
            task.abort();
        }
        *known = Some(task);
    }

    pub(crate) fn transport(&self) -> Transport {
        if self.websocket.load(Ordering::Acquire) { Transport::WebSocket } else { Transport::Polling }
    }

    pub(crate) fn set_upgraded(&self) {
        self.websocket.store(true, Ordering::Release);
        self.meter.record(Measured::ConnectionUpgraded);
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
        self.sessions.lock().get(id).filter(|handle| !handle.is_over()).cloned()
    }

    /// `None` once handshakes are refused.
    pub(super) fn insert(self: &Arc<Self>, handle: Arc<ConnectionHandle>, seat: Seat) -> Option<Registration> {
        {
            let mut sessions = self.sessions.lock();
            // Under the lock: who closes the registry then sees this connection, or this handshake is refused.
            if self.is_closed() {
                return None;
            }
            sessions.insert(handle.id, Arc::clone(&handle));
            self.live.fetch_add(1, Ordering::AcqRel);
        }
        handle.meter.record(Measured::ConnectionOpened { transport: handle.transport().as_str() });
        Some(Registration { registry: Arc::clone(self), handle, seat: Some(seat), reason: None })
    }

    /// Number of connections whose task has not ended.
    pub(crate) fn live(&self) -> usize {
        self.live.load(Ordering::Acquire)
    }

    /// All connections whose task has not ended, those included whose session is over.
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
    seat: Option<Seat>,
    reason: Option<DisconnectReason>,
}

impl Registration {
    /// The handshake is over.
    pub(super) fn opened(&mut self) {
        if let Some(seat) = &mut self.seat {
            seat.opened();
        }
    }

    /// The session is over: its id is unknown from now on, though the task may have work left.
    pub(crate) fn end(&mut self, reason: DisconnectReason) {
        self.reason = Some(reason);
        self.unlist();
    }

    fn unlist(&mut self) {
        self.handle.over.store(true, Ordering::Release);
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.unlist();
        self.registry.sessions.lock().remove(&self.handle.id);
        self.handle.outbox.close();
        self.handle.shut();
        // A task that is dropped in the middle has not said why.
        let reason = self.reason.unwrap_or(DisconnectReason::TransportClose);
        self.handle.meter.record(Measured::ConnectionClosed { transport: self.handle.transport().as_str(), reason });
        // Before the count: who sees that the connection has gone may open another.
        self.seat = None;
        if self.registry.live.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.registry.empty.notify_waiters();
        }
    }
}
