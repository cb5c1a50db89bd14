//! What a server measures: the hook `Metrics`, and `Meter`, by which the rooms above call it.
//!
//! ```text
//!  engine, server --Measured--> Meter --one branch: nothing, if nobody measures
//!                                 +--> each Metrics: yours, or `Exporter` (feature `metrics`)
//! ```
//! Not here: spans, which are `tracing`'s; see `server/connection.rs`. How to read it all is in `docs/observability.md`.

#[cfg(feature = "metrics")]
mod exporter;

#[cfg(feature = "metrics")]
pub use exporter::Exporter;

use crate::reason::DisconnectReason;
use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// Is told what a server measures; see [`Builder::metrics`](crate::Builder::metrics). With the feature `metrics` there is one that
/// passes it on to the `metrics` crate, and so to Prometheus or OpenTelemetry: [`Exporter`].
///
/// ```
/// use socketio::{SocketIo, metrics::{Measured, Metrics}};
/// use std::sync::atomic::{AtomicI64, Ordering};
///
/// /// How many clients are in any namespace.
/// #[derive(Default)]
/// struct Sockets(AtomicI64);
///
/// impl Metrics for &'static Sockets {
///     fn record(&self, measured: Measured<'_>) {
///         match measured {
///             Measured::SocketConnected { .. } => self.0.fetch_add(1, Ordering::Relaxed),
///             Measured::SocketDisconnected { .. } => self.0.fetch_sub(1, Ordering::Relaxed),
///             _ => return,
///         };
///     }
/// }
///
/// static SOCKETS: Sockets = Sockets(AtomicI64::new(0));
/// let io = SocketIo::builder().metrics(&SOCKETS).build();
/// # let _ = io;
/// ```
#[cfg_attr(not(feature = "metrics"), doc = "\n[`Exporter`]: https://docs.rs/socketio/latest/socketio/metrics/struct.Exporter.html")]
pub trait Metrics: Send + Sync + 'static {
    /// Something was measured. Runs where it happened, mostly in the task of a connection: it should count and return. The
    /// server holds no lock meanwhile. A panic is logged and goes no further.
    fn record(&self, measured: Measured<'_>);
}

/// What was measured. `namespace` is the path of a namespace as it was registered: of a dynamic one its pattern, with `{}` for each
/// parameter, and `*` if that is a function, so that clients cannot make up names without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Measured<'a> {
    /// A handshake was accepted.
    ConnectionOpened {
        /// `polling` or `websocket`.
        transport: &'static str,
    },
    /// A connection moved from polling to WebSocket.
    ConnectionUpgraded,
    /// A connection has ended, its handlers and its close included.
    ConnectionClosed {
        /// The transport at the end.
        transport: &'static str,
        /// Why.
        reason: DisconnectReason,
    },
    /// A request for a new connection was refused.
    HandshakeRefused {
        /// One of a few fixed words, such as `forbidden`.
        reason: &'static str,
    },
    /// A request of a connection, or of one that does not exist (any more), was refused.
    RequestRefused {
        /// One of a few fixed words, such as `unknown_session`.
        reason: &'static str,
    },
    /// A message arrived.
    Received {
        /// `polling` or `websocket`.
        transport: &'static str,
        /// Its size, before the transport's own encoding.
        bytes: usize,
    },
    /// Packets were handed to the transport.
    Sent {
        /// `polling` or `websocket`.
        transport: &'static str,
        /// How many.
        packets: usize,
        /// Their size, before the transport's own encoding.
        bytes: usize,
    },
    /// Messages were compressed for WebSocket, by permessage-deflate; a broadcast once for all clients that can share it.
    Compressed {
        /// How many.
        messages: usize,
        /// Their size before.
        bytes: usize,
        /// And after; what did not become smaller is sent as it is.
        sent: usize,
    },
    /// How much waits to be sent, for all clients together. Said at every emission and whenever something was sent.
    Queued {
        /// Bytes, with what it costs to keep them.
        bytes: usize,
    },
    /// A client was taken into a namespace.
    SocketConnected {
        /// See [`Measured`].
        namespace: &'a str,
    },
    /// A client was refused by a namespace.
    SocketRefused {
        /// See [`Measured`]; empty if there is none of that name.
        namespace: &'a str,
    },
    /// A client has left a namespace, or lost it for good.
    SocketDisconnected {
        /// See [`Measured`].
        namespace: &'a str,
        /// Why.
        reason: DisconnectReason,
    },
    /// An event is about to be handled.
    EventReceived {
        /// See [`Measured`].
        namespace: &'a str,
    },
    /// The handler of an event is done, or was dropped.
    EventHandled {
        /// See [`Measured`].
        namespace: &'a str,
        /// From its start to its end, with layers.
        elapsed: Duration,
    },
    /// An event was rejected.
    EventRejected {
        /// See [`Measured`].
        namespace: &'a str,
        /// The kind of rejection as a word, such as `invalid_arguments`.
        kind: &'static str,
    },
    /// An event was emitted, once whatever the number of receivers.
    EventEmitted {
        /// See [`Measured`].
        namespace: &'a str,
    },
    /// An event did not get on its way to a client.
    EventDropped {
        /// See [`Measured`]; empty if it was dropped from what already waited.
        namespace: &'a str,
        /// What it fell to: `volatile` (the connection could not take it at once), `full` (the client does not read), `oldest`
        /// (that, and it was the oldest that waited) or `conflated` (there was a newer one with the same key).
        policy: &'static str,
    },
    /// A client has acknowledged an event.
    Acknowledged {
        /// See [`Measured`].
        namespace: &'a str,
        /// Since the event was emitted.
        elapsed: Duration,
    },
    /// An acknowledgement is not waited for any longer: it took too long, the caller lost interest, or the client has gone.
    Unacknowledged {
        /// See [`Measured`].
        namespace: &'a str,
    },
    /// A client came back and asked for its session.
    Returned {
        /// See [`Measured`].
        namespace: &'a str,
        /// Whether it got it; else it has a new one.
        recovered: bool,
    },
    /// The connection to the other servers has changed.
    ClusterState {
        /// `connecting`, `connected` or `disconnected`.
        state: &'static str,
    },
    /// A message to other servers was queued.
    ClusterPublished {
        /// See [`Measured`].
        namespace: &'a str,
    },
    /// A message of another server arrived.
    ClusterReceived {
        /// See [`Measured`].
        namespace: &'a str,
    },
    /// Messages between servers were lost.
    ClusterLost {
        /// See [`Measured`].
        namespace: &'a str,
        /// How: `unsent` (of this server: not queued, thrown out of a full queue or grown too old), `unread` (of others: nobody knows
        /// how many) or `poison` (of others: it could not be understood).
        why: &'static str,
        /// How many; of `unread`, how often.
        messages: u64,
    },
}

/// The way to whoever measures. Without anybody, calling it is one branch.
#[derive(Clone, Default)]
pub(crate) struct Meter(Option<Arc<Sinks>>);

#[derive(Default)]
struct Sinks {
    sinks: Vec<Arc<dyn Metrics>>,
    queued: AtomicUsize,
    /// Dropped since it was said last: because they were the oldest, and for a newer one of the same key.
    oldest: AtomicUsize,
    conflated: AtomicUsize,
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Meter").field(&self.0.as_ref().map_or(0, |inner| inner.sinks.len())).finish()
    }
}

impl Meter {
    /// Also tells this one.
    pub(crate) fn and(self, metrics: impl Metrics) -> Self {
        let mut sinks = self.0.map(|inner| inner.sinks.clone()).unwrap_or_default();
        sinks.push(Arc::new(metrics));
        Meter(Some(Arc::new(Sinks { sinks, ..Sinks::default() })))
    }

    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    #[inline]
    pub(crate) fn record(&self, measured: Measured<'_>) {
        if let Some(inner) = &self.0 {
            inner.record(measured);
        }
    }

    /// The start of something that takes time.
    #[inline]
    pub(crate) fn start(&self) -> Option<Instant> {
        self.is_on().then(Instant::now)
    }

    /// So much more waits to be sent. Says nothing yet: it may run under locks.
    #[inline]
    pub(crate) fn queue(&self, bytes: usize) {
        if let Some(inner) = &self.0 {
            inner.queued.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// So much less waits to be sent.
    #[inline]
    pub(crate) fn unqueue(&self, bytes: usize) {
        if let Some(inner) = &self.0 {
            inner.queued.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    /// So many of the oldest messages of a client were dropped. Says nothing yet, as above.
    #[inline]
    pub(crate) fn drop_oldest(&self, messages: usize) {
        if let Some(inner) = &self.0 {
            inner.oldest.fetch_add(messages, Ordering::Relaxed);
        }
    }

    /// So many messages were replaced by newer ones. Says nothing yet, as above.
    #[inline]
    pub(crate) fn conflate(&self, messages: usize) {
        if let Some(inner) = &self.0 {
            inner.conflated.fetch_add(messages, Ordering::Relaxed);
        }
    }

    /// Says how much waits to be sent, and what was dropped from it.
    pub(crate) fn record_queue(&self) {
        if let Some(inner) = &self.0 {
            for (policy, dropped) in [("oldest", &inner.oldest), ("conflated", &inner.conflated)] {
                let times = if dropped.load(Ordering::Relaxed) > 0 { dropped.swap(0, Ordering::Relaxed) } else { 0 };
                (0..times).for_each(|_| inner.record(Measured::EventDropped { namespace: "", policy }));
            }
            inner.record(Measured::Queued { bytes: inner.queued.load(Ordering::Relaxed) });
        }
    }
}

impl Sinks {
    #[cold]
    fn record(&self, measured: Measured<'_>) {
        for sink in &self.sinks {
            if catch_unwind(AssertUnwindSafe(|| sink.record(measured))).is_err() {
                tracing::error!("a metrics hook panicked");
            }
        }
    }
}
