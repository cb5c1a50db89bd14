//! What is seen of a server while it runs: spans and times around handlers, and `Watch`, for who looks at every socket.
//!
//! Not here: counting (`metrics`), and the hooks of the application (`hooks`).

use super::{core::SocketCore, handle::WeakIo, hooks::Outgoing, namespace::NamespaceCore, socket::Socket};
use crate::{
    contract::{BoxFuture, Incoming, Outcome, RejectionKind, Untyped},
    id::SocketId,
    metrics::{Measured, Meter},
    parser::Body,
    reason::DisconnectReason,
    room::{Room, Target},
    text::Text,
};
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};
use tracing::Span;

/// Looks at every socket of a server. Called without locks; it may call back.
pub(crate) trait Watch: Send + Sync {
    /// The server is built; an error is that of the builder.
    fn built(&self, io: WeakIo) -> Result<(), String>;
    /// The namespace of those who look. Its clients are not recovered: they begin anew, with a new look.
    fn path(&self) -> &str;
    /// A client was taken in.
    fn connected(&self, socket: Socket<Untyped>);
    /// The connection of a client moved to WebSocket.
    fn upgraded(&self, socket: Socket<Untyped>);
    /// The data of a socket has changed.
    fn updated(&self, namespace: &str, id: SocketId, data: &Text);
    /// A client that was taken in has left for good. `rooms`: those it was in.
    fn ended(&self, namespace: &str, id: SocketId, rooms: &[Room], reason: DisconnectReason);
    /// A connected client has joined or left a room.
    fn moved(&self, namespace: &str, id: SocketId, room: &Room, joined: bool);
    /// Whether somebody wants to see each event.
    fn wants_events(&self) -> bool;
    /// An event arrived, and is well-formed.
    fn received(&self, namespace: &str, id: SocketId, event: &Incoming);
    /// An event is on its way to these.
    fn sent(&self, namespace: &str, to: &[SocketId], event: &Body);
}

/// Who an event is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Addressed<'a> {
    One(SocketId),
    Many(&'a Target),
}

impl NamespaceCore {
    pub(super) fn meter(&self) -> &Meter {
        &self.settings.meter
    }

    pub(super) fn record(&self, measured: impl FnOnce(&str) -> Measured<'_>) {
        if self.settings.meter.is_on() {
            self.settings.meter.record(measured(&self.label));
        }
    }

    /// Shows an event that is about to leave to everybody who looks at them.
    pub(super) fn outgoing(&self, event: &Body, to: Addressed<'_>) {
        self.settings.hooks.outgoing(&Outgoing::new(&self.path, event));
        if self.settings.meter.is_on() {
            self.settings.meter.record(Measured::EventEmitted { namespace: &self.label });
            self.settings.meter.record_queue();
        }
        if let Some(watch) = self.settings.watch.as_ref().filter(|watch| watch.wants_events()) {
            let to = match to {
                Addressed::One(id) => vec![id],
                Addressed::Many(target) => {
                    let mut receivers = Vec::new();
                    self.members.read().visit(target, |socket| receivers.push(socket.id()));
                    receivers
                }
            };
            watch.sent(&self.path, &to, event);
        }
    }

    /// So many receivers did not get an event.
    pub(super) fn dropped(&self, volatile: usize, full: usize) {
        for (policy, times) in [("volatile", volatile), ("full", full)] {
            (0..times).for_each(|_| self.record(|namespace| Measured::EventDropped { namespace, policy }));
        }
    }
}

/// One word for a kind of rejection.
pub(super) fn word(kind: RejectionKind) -> &'static str {
    match kind {
        RejectionKind::Payload => "payload",
        RejectionKind::Malformed => "malformed",
        RejectionKind::Refused => "refused",
        RejectionKind::RateLimited => "rate_limited",
        RejectionKind::Panic => "panic",
        RejectionKind::Unanswerable => "unanswerable",
    }
}

/// The start of an event's name: clients choose it.
pub(crate) fn shortened(name: &str) -> &str {
    const BYTES: usize = 64;
    let mut end = name.len().min(BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

/// The span of an event, its parent that of the connection.
pub(super) fn event_span(core: &SocketCore, event: &Incoming) -> Span {
    tracing::debug_span!(
        "socketio::event",
        namespace = core.path(),
        socket = %core.id(),
        event = ?shortened(event.name()),
    )
}

/// A handler's future as it is looked at; the future itself, if nobody does.
pub(super) fn observed(core: &Arc<SocketCore>, span: Span, future: BoxFuture<'static, Outcome>) -> BoxFuture<'static, Outcome> {
    let start = core.namespace().meter().start();
    if start.is_none() && span.is_disabled() {
        return future;
    }
    Box::pin(Observed { future, span, _time: start.map(|start| Time { start, namespace: Arc::clone(core.namespace()) }) })
}

struct Observed {
    future: BoxFuture<'static, Outcome>,
    span: Span,
    /// For its `Drop`.
    _time: Option<Time>,
}

impl Future for Observed {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let this = self.get_mut();
        let _entered = this.span.enter();
        this.future.as_mut().poll(cx)
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        // What the future drops is part of the event, too.
        let _entered = self.span.enter();
        self.future = Box::pin(std::future::pending());
    }
}

/// Says how long it took, when it is over.
struct Time {
    start: Instant,
    namespace: Arc<NamespaceCore>,
}

impl Drop for Time {
    fn drop(&mut self) {
        let elapsed = self.start.elapsed();
        self.namespace.record(|namespace| Measured::EventHandled { namespace, elapsed });
    }
}
