//! `Recovery`: the settings, and `RecoveryMetrics`: what is kept at the moment.

use std::time::Duration;

/// Settings of connection state recovery, for [`Builder::connection_state_recovery`](crate::Builder::connection_state_recovery).
///
/// The limits hold for the whole server, whatever the number of its namespaces. What exceeds them is dropped, the oldest
/// first; a client that would need it gets a new session, never one with a gap.
///
/// ```
/// use socketio::{Recovery, SocketIo};
/// use std::time::Duration;
///
/// let recovery = Recovery::new().max_disconnection(Duration::from_secs(60)).max_bytes(16 << 20);
/// let io = SocketIo::builder().connection_state_recovery(recovery).build();
/// assert_eq!(io.recovery_metrics().map(|metrics| metrics.sessions), Some(0));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "settings do nothing before they are given to the builder"]
pub struct Recovery {
    pub(super) max_disconnection: Duration,
    pub(super) max_events: usize,
    pub(super) max_bytes: usize,
    pub(super) max_sessions: usize,
    pub(super) connect_again: bool,
}

impl Default for Recovery {
    fn default() -> Self {
        Recovery {
            max_disconnection: Duration::from_secs(120),
            max_events: 100_000,
            max_bytes: 64 << 20,
            max_sessions: 100_000,
            connect_again: false,
        }
    }
}

impl Recovery {
    /// Two minutes, 100 000 events, 64 MiB, 100 000 sessions; connect functions do not run again.
    pub fn new() -> Self {
        Recovery::default()
    }

    /// How long a client may be away, from the moment the server noticed. `maxDisconnectionDuration`, default two minutes.
    /// Events are kept as long, and for the interval and timeout of the heartbeat in addition: so late a dead connection is
    /// noticed.
    pub fn max_disconnection(mut self, limit: Duration) -> Self {
        self.max_disconnection = limit;
        self
    }

    /// How many events are kept. Default 100 000; the JavaScript server has no limit.
    pub fn max_events(mut self, events: usize) -> Self {
        self.max_events = events;
        self
    }

    /// How many bytes the kept events may take, their attachments and book-keeping included. Default 64 MiB; the JavaScript
    /// server has no limit.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// How many sessions may wait for their clients. One more ends the one that has waited longest. Default 100 000; the
    /// JavaScript server has no limit.
    pub fn max_sessions(mut self, sessions: usize) -> Self {
        self.max_sessions = sessions;
        self
    }

    /// Whether the connect function runs for clients that come back, too: to look at their `auth` again. It can refuse them,
    /// finds [`Socket::recovered`](crate::Socket::recovered) true and the rooms joined, and gets the session so far from
    /// [`Recovered`](crate::Recovered). What it returns replaces that session. The opposite of `skipMiddlewares`, default
    /// false: the session simply goes on.
    pub fn connect_again(mut self, again: bool) -> Self {
        self.connect_again = again;
        self
    }
}

/// What recovery keeps at the moment, and how often it was of use; see
/// [`SocketIo::recovery_metrics`](crate::SocketIo::recovery_metrics).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RecoveryMetrics {
    /// Events in the log.
    pub events: usize,
    /// Bytes that they take.
    pub bytes: usize,
    /// Sessions that wait for their clients.
    pub sessions: usize,
    /// Sessions that were recovered, since the start.
    pub recovered: u64,
    /// Clients that asked for their session in vain, since the start.
    pub unrecovered: u64,
    /// Sessions that ended because nobody came back in time, or because too many waited, since the start.
    pub expired: u64,
    /// Events that were dropped because of a limit on their number or bytes, not because of their age, since the start.
    pub crowded_out: u64,
}
