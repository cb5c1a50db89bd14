//! `Trace`: one log entry for each event, and what came of it.

use super::{EventLayer, EventService, Next};
use crate::{
    contract::{Incoming, Outcome, RejectionKind, Untyped},
    server::{Socket, shortened},
};
use std::fmt;
use tokio::time::Instant;
use tracing::Level;

/// Logs each event with `tracing` when it is done: `event` (its name), `socket`, `namespace`, `outcome` and `elapsed`. Payloads
/// are never logged, and of a name no more than 64 bytes: clients choose it.
///
/// | `outcome` | the event |
/// |---|---|
/// | `done` | ran; an `Err` of its own counts as that |
/// | `unhandled` | is not known |
/// | `rejected: ` and a [`RejectionKind`](crate::RejectionKind) | was rejected, or has no answer |
/// | `cancelled` | was dropped while it ran, because its server was |
///
/// ```
/// use socketio::{SocketIo, layer::Trace};
/// use tracing::Level;
/// # #[socketio::namespace("/")] trait Hello {}
/// # struct Greeter;
/// # impl Hello for Greeter {}
///
/// let io = SocketIo::builder().shared::<dyn Hello>(Greeter).event_layer(Trace::new().level(Level::INFO)).build();
/// ```
#[derive(Debug, Clone)]
pub struct Trace {
    level: Level,
}

impl Trace {
    /// At the level `DEBUG`, with the target `socketio::layer::trace`.
    pub fn new() -> Self {
        Trace { level: Level::DEBUG }
    }

    /// Logs at another level.
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }
}

impl Default for Trace {
    fn default() -> Self {
        Trace::new()
    }
}

impl EventLayer for Trace {
    type Service = Traced;

    fn layer(&self, _: &Socket<Untyped>) -> Traced {
        Traced { level: self.level }
    }
}

/// The log of one socket; see [`Trace`].
#[derive(Debug)]
pub struct Traced {
    level: Level,
}

impl EventService for Traced {
    async fn call(&self, event: Incoming, next: Next) -> Outcome {
        let mut entry = Entry {
            level: self.level,
            name: shortened(event.name()).to_owned(),
            socket: next.socket().clone(),
            start: Instant::now(),
            outcome: Ended::Cancelled,
        };
        let outcome = next.run(event).await;
        entry.outcome = match &outcome {
            Outcome::Done(_) | Outcome::Answered => Ended::Done,
            Outcome::Unanswerable(_) => Ended::Rejected(RejectionKind::Unanswerable),
            Outcome::Rejected(rejection) => Ended::Rejected(rejection.kind()),
            Outcome::RejectedWith(rejection, _) => Ended::Rejected(rejection.kind()),
            Outcome::Unhandled(_) => Ended::Unhandled,
        };
        outcome
    }
}

/// What is logged when the event has ended, however it did: a `Drop`.
struct Entry {
    level: Level,
    name: String,
    socket: Socket<Untyped>,
    start: Instant,
    outcome: Ended,
}

enum Ended {
    Done,
    Unhandled,
    Rejected(RejectionKind),
    Cancelled,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ended::Done => f.write_str("done"),
            Ended::Unhandled => f.write_str("unhandled"),
            Ended::Rejected(kind) => write!(f, "rejected: {kind:?}"),
            Ended::Cancelled => f.write_str("cancelled"),
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        /// The level of a `tracing` event is a constant of the place.
        macro_rules! log {
            ($level:expr) => {
                tracing::event!(
                    $level,
                    event = ?self.name,
                    socket = %self.socket.id(),
                    namespace = self.socket.path(),
                    outcome = %self.outcome,
                    elapsed = ?self.start.elapsed(),
                    "event"
                )
            };
        }
        match self.level {
            Level::TRACE => log!(Level::TRACE),
            Level::DEBUG => log!(Level::DEBUG),
            Level::INFO => log!(Level::INFO),
            Level::WARN => log!(Level::WARN),
            Level::ERROR => log!(Level::ERROR),
        }
    }
}
