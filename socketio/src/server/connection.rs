//! THE task: one for each connection. It decodes packets, routes them to the connection's sockets, and polls their handlers.
//!
//! ```text
//!  engine::Connection --message--> Decoder --packet--> socket of the namespace --event--> handler future
//!        ^                                                                                   | polled at once;
//!        |                                                                                   | what stays pending
//!        +--------- Outbox <--- acknowledgement, emits <------------------------------------+ is polled here
//! ```
//! Handlers of a socket start in the order in which their events arrived. A socket with too many of them in flight keeps
//! a short backlog; when that is full, nothing is read from the connection until one of its handlers is done.

mod arrival;
mod outcome;

use self::arrival::park;
use super::{
    core::{Link, SocketCore},
    joined::Joined,
    legacy,
    mounts::Mounts,
    namespace::Settings,
    observe::{event_span, observed},
    running::{Done, Running, Work},
    session::{ErasedSession, Panicked, caught, drop_caught, poll_caught},
    shutdown::Tally,
    socket::Socket,
    spelling::SpellingDecoder,
};
use crate::{
    contract::{AckData, Incoming, Outcome},
    engine::{self, Event, Farewell, Message, Transport},
    metrics::Measured,
    parser::{Kind, Limits, Packet},
    reason::DisconnectReason,
    text::Text,
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use std::{
    collections::BTreeSet,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tracing::Instrument as _;

/// What all connections of a server share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) mounts: Arc<Mounts>,
    pub(super) settings: Arc<Settings>,
    pub(super) connect_timeout: Duration,
    pub(super) limits: Limits,
    pub(super) namespaces_per_connection: usize,
    /// Nobody comes back any more.
    pub(super) closing: AtomicBool,
    pub(super) tally: Tally,
}

/// Handlers that outlive their sockets before nothing more is read: who leaves and comes back gets no second allowance.
const LEFT_BEHIND: usize = 256;

struct Connection {
    engine: engine::Connection,
    shared: Arc<Shared>,
    link: Arc<Link>,
    decoder: SpellingDecoder,
    sockets: Vec<Joined>,
    /// Made when a handler does not finish at once.
    running: Option<FuturesUnordered<Running>>,
    /// Namespaces that the client left in this turn: what it sent in the same breath is dropped, not punished.
    just_left: BTreeSet<String>,
    /// Nothing that the client sends is taken in any more; the engine may still be sending.
    over: bool,
    /// A client of Socket.IO 1 or 2 that was not brought into `/` yet.
    outside: bool,
    /// The server shuts down: nothing new is started, and this ends once nothing runs.
    finishing: bool,
    engine_closed: bool,
    /// A backlog is being started.
    draining: bool,
    /// Where the socket of the last packet stands.
    last: usize,
    /// A socket has ended and its backlog has not been started yet.
    lingering: bool,
    /// It is a WebSocket, and whoever looks at sockets knows.
    upgraded: bool,
}

/// Runs one connection to its end. No `async fn`: that would hold its arguments beside what is made of them, for good.
pub(super) fn run(mut engine: engine::Connection, shared: Arc<Shared>) -> impl Future<Output = ()> + Send {
    // Its number, because its id is a secret.
    let span =
        tracing::info_span!("socketio::connection", connection = engine.handle().number, transport = engine.transport().as_str());
    let link = Arc::new(Link {
        engine: Arc::clone(engine.handle()),
        handshake: Arc::clone(engine.handshake()),
        ended: AtomicBool::new(false),
        close: AtomicBool::new(false),
    });
    let upgraded = engine.transport() == Transport::WebSocket;
    shared.mounts.open();
    let connect_by = tokio::time::Instant::now().checked_add(shared.connect_timeout);
    engine.ring_at(connect_by.map(tokio::time::Instant::into_std));
    Connection {
        engine,
        outside: link.engine.is_legacy(),
        link,
        decoder: shared.settings.spelling.decoder(shared.limits),
        sockets: Vec::new(),
        running: None,
        just_left: BTreeSet::new(),
        over: false,
        finishing: false,
        engine_closed: false,
        draining: false,
        last: 0,
        lingering: false,
        upgraded,
        shared,
    }
    .instrument(span)
}

impl Future for Connection {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.get_mut().poll_run(cx)
    }
}

/// The one place where a connection's sockets end without being told to: also when the task is dropped or panics.
impl Drop for Connection {
    fn drop(&mut self) {
        let mut reason = DisconnectReason::TransportClose;
        if self.engine.handle().farewell().is_some() {
            reason = DisconnectReason::ServerShuttingDown;
            self.shared.tally.ended(self.running(), self.engine.handle().outbox.waiting_bytes());
        }
        for joined in self.sockets.drain(..) {
            joined.core.end(reason, false);
            drop_caught((joined.session, joined.previous));
        }
        // One by one: each may panic.
        self.running.take().into_iter().flatten().for_each(drop_caught);
        self.link.engine.outbox.discard();
    }
}

impl Connection {
    fn poll_run(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::take(&mut self.outside) {
            self.join_root(cx);
        }
        loop {
            while let Some(running) = &mut self.running
                && let Poll::Ready(Some((core, done))) = running.poll_next_unpin(cx)
            {
                self.done(cx, &core, done);
            }
            if self.finishing && !self.over && self.running() == 0 {
                self.close(cx, DisconnectReason::ServerShuttingDown);
            }
            let running = self.running();
            if self.engine_closed {
                let finished = self.engine.poll_finish(cx).is_ready();
                if running == 0 && self.sockets.is_empty() && finished {
                    return Poll::Ready(());
                }
                // What waits for a handler on another connection of the same client goes on when that one calls.
                if self.engine.poll_attention(cx) {
                    self.attention(cx);
                    continue;
                }
                return Poll::Pending;
            }
            let event = self.engine.poll_event(cx, !self.is_saturated());
            if !self.upgraded && self.engine.transport() == Transport::WebSocket {
                self.upgraded = true;
                self.tell_of_upgrade();
            }
            match event {
                Poll::Ready(Event::Message(message)) => self.message(cx, message),
                Poll::Ready(Event::Attention) => self.attention(cx),
                Poll::Ready(Event::Alarm) => {
                    tracing::debug!("no namespace was joined in time");
                    self.close(cx, DisconnectReason::ForcedServerClose);
                }
                Poll::Ready(Event::Closed(reason)) => {
                    self.engine_closed = true;
                    self.end_all(cx, reason, false);
                }
                Poll::Pending => {
                    self.just_left.clear();
                    // Futures that joined since the last look must be polled once, to know whom to wake.
                    if self.running() == running {
                        return Poll::Pending;
                    }
                }
            }
        }
    }

    fn tell_of_upgrade(&self) {
        if let Some(watch) = &self.shared.settings.watch {
            let sockets = self.sockets.iter().filter(|joined| joined.core.is_connected());
            sockets.for_each(|joined| watch.upgraded(Socket::new(Arc::clone(&joined.core))));
        }
    }

    /// Number of handlers that have not finished.
    fn running(&self) -> usize {
        self.running.as_ref().map_or(0, FuturesUnordered::len)
    }

    /// Whether nothing more should be read before a handler is done.
    fn is_saturated(&self) -> bool {
        let running = self.running();
        if running == 0 {
            return self.sockets.iter().any(|joined| joined.elsewhere() > 0 && joined.is_saturated());
        }
        let owned: usize = self
            .sockets
            .iter()
            .filter(|joined| joined.ended.is_none())
            .map(|joined| joined.running + usize::from(joined.session.is_none()))
            .sum();
        running.saturating_sub(owned) >= LEFT_BEHIND || self.sockets.iter().any(Joined::is_saturated)
    }

    /// The socket that the last packet was for is mostly the one.
    fn position(&self, is_it: impl Fn(&Joined) -> bool) -> Option<usize> {
        let last = self.sockets.get(self.last).is_some_and(&is_it);
        if last { Some(self.last) } else { self.sockets.iter().position(is_it) }
    }

    fn position_of(&self, core: &Arc<SocketCore>) -> Option<usize> {
        self.position(|joined| Arc::ptr_eq(&joined.core, core))
    }

    /// Somebody else touched a socket of this connection, or the server.
    fn attention(&mut self, cx: &mut Context<'_>) {
        match self.engine.handle().farewell() {
            None => {}
            // Its client has less time to fetch the rest now.
            Some(_) if self.over => self.engine.close_with(DisconnectReason::ServerShuttingDown),
            Some(Farewell::Finish) => self.finishing = true,
            Some(Farewell::Close | Farewell::Abort) => self.close(cx, DisconnectReason::ServerShuttingDown),
        }
        if self.link.close.load(Ordering::Acquire) && !self.over {
            self.end_all(cx, DisconnectReason::ServerNamespace, true);
            self.close(cx, DisconnectReason::ServerNamespace);
        }
        self.settle(cx);
        // A handler that a former connection ran may be done.
        while let Some(core) = self.startable() {
            self.next_of_backlog(cx, &core);
        }
    }

    fn message(&mut self, cx: &mut Context<'_>, message: Message) {
        if self.over {
            return;
        }
        match self.decoder.decode(message) {
            Ok(Some(packet)) => self.packet(cx, packet),
            Ok(None) => {}
            Err(error) => {
                tracing::debug!(%error, "a client sent what is no Socket.IO packet");
                self.close(cx, DisconnectReason::ForcedClose);
            }
        }
    }

    fn packet(&mut self, cx: &mut Context<'_>, packet: Packet) {
        if self.finishing && matches!(packet.kind(), Kind::Connect | Kind::Event) {
            return;
        }
        let (path, query) = match packet.namespace() {
            name if self.link.engine.is_legacy() => legacy::split(name),
            path => (path, ""),
        };
        let found = self.position(|joined| joined.ended.is_none() && joined.core.namespace().path == path);
        self.last = found.unwrap_or(self.last);
        match (packet.kind(), found) {
            (Kind::Connect, None) if self.link.engine.is_legacy() => self.connect(cx, path, legacy::auth(query)),
            (Kind::Connect, None) if packet.payload().is_empty() => self.connect(cx, path, Text::from_static("{}")),
            (Kind::Connect, None) => self.connect(cx, path, Text::from(packet.payload())),
            (Kind::Disconnect, Some(at)) if self.sockets[at].session.is_some() => {
                let core = Arc::clone(&self.sockets[at].core);
                core.end(DisconnectReason::ClientNamespace, false);
                self.just_left.insert(path.to_owned());
                self.settle(cx);
            }
            (Kind::Event, Some(at)) if self.sockets[at].session.is_some() => self.event(cx, at, packet),
            (Kind::Ack, Some(at)) if self.sockets[at].session.is_some() => {
                if let (Some(id), false) = (packet.id(), packet.payload().is_empty()) {
                    let (text, payload, attachments) = packet.into_parts();
                    self.sockets[at].core.resolve_ack(id, AckData::new(text, payload, attachments));
                }
            }
            (Kind::Event | Kind::Ack | Kind::Disconnect, None) if self.just_left.contains(path) => {}
            (kind, found) => {
                tracing::debug!(?kind, joined = found.is_some(), "a client broke the Socket.IO protocol");
                self.violation(cx);
            }
        }
    }

    /// Tells a session that it is over.
    fn last_call(&mut self, cx: &mut Context<'_>, core: Arc<SocketCore>, session: Option<Box<dyn ErasedSession>>) {
        let (Some(session), Some(reason)) = (session, core.closed()) else { return };
        let future = caught(|| session.disconnect(reason)).ok().flatten();
        drop_caught(session);
        if let Some(future) = future {
            self.start(cx, core, Work::Disconnect(future));
        }
    }

    /// Polls user code once; most of it is done then.
    fn start(&mut self, cx: &mut Context<'_>, core: Arc<SocketCore>, work: Work) {
        let mut running = Running { core, work: Some(work) };
        match Pin::new(&mut running).poll(cx) {
            Poll::Ready((core, done)) => self.done(cx, &core, done),
            Poll::Pending => self.running.get_or_insert_default().push(running),
        }
    }

    fn event(&mut self, cx: &mut Context<'_>, at: usize, packet: Packet) {
        // An event without a payload is ignored, as in the reference.
        let Some(event) = Incoming::new(packet) else { return };
        let joined = &mut self.sockets[at];
        if joined.has_backlog() || joined.is_busy(self.shared.settings.handlers_per_socket) {
            return joined.wait(event);
        }
        self.dispatch(cx, at, event);
    }

    fn dispatch(&mut self, cx: &mut Context<'_>, at: usize, event: Incoming) {
        let joined = &mut self.sockets[at];
        let Some(session) = &joined.session else { return };
        let core = Arc::clone(&joined.core);
        let id = event.ack_id();
        let hooks = &self.shared.settings.hooks;
        let watch = self.shared.settings.watch.as_ref().filter(|watch| watch.wants_events());
        if hooks.sees_incoming() || watch.is_some() {
            // Hooks see well-formed events only, as the reference's catch-all listeners do.
            if let Err(malformed) = event.validate() {
                return self.outcome(cx, &core, id, Ok(Outcome::Rejected(malformed)));
            }
            hooks.incoming(&Socket::new(Arc::clone(&core)), &event);
            if let Some(watch) = watch {
                watch.received(core.path(), core.id(), &event);
            }
        }
        core.namespace().record(|namespace| Measured::EventReceived { namespace });
        let span = event_span(&core, &event);
        let future = span.in_scope(|| caught(|| session.dispatch(event))).map(|future| observed(&core, span, future));
        joined.running += 1;
        // As `start` does it, without the way there and back: there is nothing that is done as often.
        let mut future = match future {
            Ok(future) => future,
            Err(panicked) => return self.event_done(cx, &core, id, Err(panicked)),
        };
        match poll_caught(future.as_mut(), cx) {
            Poll::Ready(outcome) => {
                drop_caught(future);
                self.event_done(cx, &core, id, outcome);
            }
            Poll::Pending => {
                self.running.get_or_insert_default().push(Running { core, work: Some(Work::Event(id, future)) });
            }
        }
    }

    /// User code has finished.
    fn done(&mut self, cx: &mut Context<'_>, core: &Arc<SocketCore>, done: Done) {
        match done {
            Done::Restore(restored) => self.restored(cx, core, restored),
            Done::Connect(result) => self.connect_done(cx, core, result),
            Done::Event(id, outcome) => return self.event_done(cx, core, id, outcome),
            // It was the socket's last act: nothing has changed for the others.
            Done::Disconnect => return,
        }
        self.settle(cx);
    }

    /// A handler has finished.
    fn event_done(&mut self, cx: &mut Context<'_>, core: &Arc<SocketCore>, id: Option<u64>, outcome: Result<Outcome, Panicked>) {
        let here = self.position_of(core);
        match (here, core.tracked()) {
            (Some(at), _) => self.sockets[at].running -= 1,
            (None, Some(tracked)) => tracked.done_elsewhere(),
            (None, None) => {}
        }
        // Where the client is now, nobody has asked.
        let id = id.filter(|_| here.is_some());
        self.outcome(cx, core, id, outcome);
        self.next_of_backlog(cx, core);
        self.settle(cx);
    }

    /// Starts what waits, as long as handlers are done at once.
    fn next_of_backlog(&mut self, cx: &mut Context<'_>, core: &Arc<SocketCore>) {
        if std::mem::replace(&mut self.draining, true) {
            // The loop below is at work further up: it goes on, rather than this call going deeper.
            return;
        }
        while let Some(at) = self.position_of(core) {
            let joined = &mut self.sockets[at];
            if joined.session.is_none() || joined.is_busy(self.shared.settings.handlers_per_socket) {
                break;
            }
            let Some(event) = joined.next() else { break };
            self.dispatch(cx, at, event);
        }
        self.draining = false;
    }

    /// Tells the sessions of sockets that have ended, once everything that arrived before has started.
    fn settle(&mut self, cx: &mut Context<'_>) {
        // Looked at first: a swap costs as much as a lock, and this is asked after every event.
        let ended = self.link.ended.load(Ordering::Acquire) && self.link.ended.swap(false, Ordering::AcqRel);
        if !ended && !self.lingering {
            return;
        }
        self.lingering = false;
        let mut taken_over = false;
        let mut at = 0;
        while let Some(joined) = self.sockets.get_mut(at) {
            if let Some(heir) = joined.heir() {
                taken_over = true;
                self.hand_over(at, heir);
                continue;
            }
            if joined.ended.is_none() {
                joined.ended = joined.core.closed().or_else(|| joined.core.absent());
            }
            if joined.ended.is_none() {
                at += 1;
                continue;
            }
            // A client whose connect handler still runs is answered when that is done.
            if joined.session.is_none() || joined.has_backlog() {
                self.lingering = true;
                at += 1;
                continue;
            }
            let joined = self.sockets.remove(at);
            if joined.core.is_absent() {
                park(joined.leave_behind());
            } else {
                self.last_call(cx, joined.core, joined.session);
            }
        }
        // The client has another connection: this one is not in use, whatever it looks like.
        if taken_over && !self.over {
            self.close(cx, DisconnectReason::TransportClose);
        }
    }

    /// The client broke the protocol. As in the reference, the reason tells whether the close could be done at once.
    fn violation(&mut self, cx: &mut Context<'_>) {
        let at_once = self.engine.is_writable();
        self.close(cx, if at_once { DisconnectReason::ForcedClose } else { DisconnectReason::ForcedServerClose });
    }

    /// Ends the connection from this side, once everything queued is sent.
    fn close(&mut self, cx: &mut Context<'_>, reason: DisconnectReason) {
        self.over = true;
        self.end_all(cx, reason, false);
        self.engine.close_with(reason);
    }

    fn end_all(&mut self, cx: &mut Context<'_>, reason: DisconnectReason, tell: bool) {
        // In memory, nothing outlives the process. Old clients have no way to come back.
        let parks =
            !tell && reason.is_recoverable() && !self.shared.closing.load(Ordering::Acquire) && !self.link.engine.is_legacy();
        for joined in &self.sockets {
            let parked = parks && joined.is_session() && joined.core.tracked().is_some() && joined.core.suspend(reason);
            if !parked && !joined.core.is_absent() {
                // This server ends, but not the cluster.
                let leaves = !tell && reason.is_recoverable() && !self.link.engine.is_legacy() && joined.session.is_some();
                if leaves && let Some(lane) = &joined.core.namespace().lane {
                    lane.store.leave(&joined.core);
                }
                let ended = joined.core.end(reason, tell);
                if ended && reason == DisconnectReason::ServerShuttingDown {
                    self.shared.tally.closed_socket();
                }
            }
        }
        self.settle(cx);
    }
}
