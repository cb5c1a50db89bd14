//! `Connection`: one session with its transports and its one timer, owned by one task and pulled by `next`.
//!
//! ```text
//!   requests -> commands --+                      +--> messages for the application
//!                          v                      |
//!   websocket ----> ServerSession (sans-IO) ------+--> orders: answer, close, upgrade
//!                                                 |
//!   any task -> Outbox ---------------------------+--> current path: hanging GET or websocket
//! ```
//! Everything a read brings is handled before one write sends all that came of it.

mod orders;
mod sender;
#[cfg(test)]
mod tests;
mod write;

use orders::dismiss;
pub use sender::Sender;

use super::{
    config::Transport,
    handshake::Handshake,
    outbox::{Readiness, SendError, Signals, Urgency},
    proto::{Frame, Input, Message, Packet, Path, Queue, ServerSession, Timing},
    registry::{ConnectionHandle, Registration},
    transport::{
        polling::{Answer, Command, Responder},
        websocket::{Opening, Received, WebSocket},
    },
};
use crate::{id::SessionId, reason::DisconnectReason};
use std::{
    collections::VecDeque,
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tokio::time::Sleep;

/// After so many messages, what they caused is written before more is read.
const MESSAGES_PER_WRITE: u32 = 64;
/// How long a closed WebSocket may take to end its closing handshake.
const FINISH_TIMEOUT: Duration = Duration::from_secs(5);

/// What a connection reports to its owner.
#[derive(Debug)]
pub(crate) enum Event {
    Message(Message),
    /// Somebody called for attention through the outbox.
    Attention,
    /// The time has come that was set with [`ring_at`](Connection::ring_at).
    Alarm,
    /// The session is over; every message before it was delivered. Said again as often as it is asked.
    Closed(DisconnectReason),
}

enum Link {
    Polling,
    Opening(Opening),
    WebSocket(WebSocket),
    Gone,
}

enum Probe {
    Opening(Opening),
    Open(WebSocket),
}

/// One Engine.IO session. Dropping it closes the connection.
pub struct Connection {
    handle: Arc<ConnectionHandle>,
    handshake: Arc<Handshake>,
    session: ServerSession,
    link: Link,
    probe: Option<Box<Probe>>,
    poll: Option<Responder>,
    post: Option<Responder>,
    /// A POST that was taken in; it is answered once the application has taken its messages.
    accepted_post: Option<Responder>,
    inbox: Queue<Message>,
    /// Packets of the protocol; they go first.
    control: VecDeque<Frame>,
    /// Frames taken from the outbox and not yet handed on.
    queue: VecDeque<Frame>,
    handed_on: usize,
    /// Packets and bytes that were handed to the transport and not said to be.
    sent: (usize, usize),
    /// The last write handed something on.
    progressed: bool,
    /// The only one, for the session and for the owner.
    timer: Pin<Box<Sleep>>,
    alarm: Option<Instant>,
    now: Instant,
    awake: bool,
    /// Requests wait behind a POST that was answered before it was taken in.
    held: bool,
    reading: bool,
    unwritten: u32,
    /// So much waits to be sent that nothing is read until the client has taken some of it.
    congested: bool,
    closed: Option<DisconnectReason>,
    finishing: bool,
    registration: Registration,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("transport", &self.transport()).field("closed", &self.closed).finish_non_exhaustive()
    }
}

/// The first packets and the transport of a new session.
pub(super) enum Start {
    /// The handshake was answered over HTTP already.
    Polling,
    /// The handshake goes out when the WebSocket is open.
    WebSocket(Opening, Packet),
}

impl Connection {
    pub(super) fn new(
        handle: Arc<ConnectionHandle>,
        registration: Registration,
        handshake: Handshake,
        start: Start,
        timing: Arc<Timing>,
    ) -> Self {
        let now = tokio::time::Instant::now();
        let mut control = VecDeque::with_capacity(1);
        let link = match start {
            Start::Polling => Link::Polling,
            Start::WebSocket(opening, open) => {
                control.push_back(Frame::control(&open));
                Link::Opening(opening)
            }
        };
        let session = ServerSession::new(matches!(link, Link::Opening(_)), timing, now.into_std());
        let session = session.speaking(handle.revision, now.into_std());
        Connection {
            handle,
            handshake: Arc::new(handshake),
            link,
            probe: None,
            poll: None,
            post: None,
            accepted_post: None,
            inbox: Queue::default(),
            control,
            // Lent by the outbox, which gets it back empty.
            queue: VecDeque::new(),
            handed_on: 0,
            sent: (0, 0),
            progressed: false,
            timer: Box::pin(tokio::time::sleep_until(session.deadline().map_or(now, Into::into))),
            alarm: None,
            session,
            now: now.into_std(),
            awake: false,
            held: false,
            reading: true,
            unwritten: 0,
            congested: false,
            closed: None,
            finishing: false,
            registration,
        }
    }

    /// The session id: a secret, see [`SessionId`].
    pub fn id(&self) -> SessionId {
        self.handle.id
    }

    /// The request that opened the session.
    pub fn handshake(&self) -> &Arc<Handshake> {
        &self.handshake
    }

    /// The current transport.
    pub fn transport(&self) -> Transport {
        self.handle.transport()
    }

    /// The revision of the protocol: 4, or 3 for a client of Socket.IO 1 or 2. The `EIO` parameter.
    pub fn revision(&self) -> u8 {
        self.handle.revision.number()
    }

    /// A handle to send with from any task.
    pub fn sender(&self) -> Sender {
        Sender(Arc::clone(&self.handle))
    }

    pub(crate) fn handle(&self) -> &Arc<ConnectionHandle> {
        &self.handle
    }

    /// The next message; `None` once the session is over.
    ///
    /// The connection lives by being polled: heartbeats, requests and everything that is sent are driven by this call.
    ///
    /// # Cancel safety
    /// Cancel safe: no message is lost if the future is dropped.
    pub async fn next(&mut self) -> Option<Message> {
        loop {
            match poll_fn(|cx| self.poll_event(cx, true)).await {
                Event::Message(message) => return Some(message),
                Event::Attention | Event::Alarm => {}
                Event::Closed(_) => return None,
            }
        }
    }

    /// Queues a message. It is sent while [`next`](Self::next) is polled.
    ///
    /// # Errors
    /// The session is over, or the client does not read.
    pub fn send(&self, message: Message) -> Result<(), SendError> {
        self.handle.outbox.push(Frame::message(message).into(), Urgency::Normal)
    }

    /// Ends the session once everything queued is sent, at the latest after 30 seconds. [`next`](Self::next) drives it.
    pub fn close(&mut self) {
        self.close_with(DisconnectReason::ForcedClose);
    }

    /// Why the session ended, once it has.
    pub fn close_reason(&self) -> Option<DisconnectReason> {
        self.closed
    }

    pub(crate) fn close_with(&mut self, reason: DisconnectReason) {
        self.handle.outbox.close();
        self.now = tokio::time::Instant::now().into_std();
        self.session.handle(Input::Close(reason), self.now);
    }

    /// Reports [`Event::Alarm`] once at this time, in place of one that was set before.
    pub(crate) fn ring_at(&mut self, alarm: Option<Instant>) {
        self.alarm = alarm;
    }

    /// Whether a close would be done at once: there is a WebSocket, or a hanging GET.
    pub(crate) fn is_writable(&self) -> bool {
        self.session.path() != Path::Hold
    }

    /// Drives the connection and reports what happens. `wanted`: whether messages are wanted now; without it the
    /// connection still writes, answers requests and keeps its heartbeat, and the client's pong is not waited for.
    pub(crate) fn poll_event(&mut self, cx: &mut Context<'_>, wanted: bool) -> Poll<Event> {
        if !self.awake {
            self.awake = true;
            self.now = tokio::time::Instant::now().into_std();
            if self.wake_up() {
                return Poll::Ready(Event::Attention);
            }
        }
        if self.reading != wanted {
            self.reading = wanted;
            self.session.handle(Input::Suspended(!wanted), self.now);
        }
        loop {
            self.perform();
            if self.closed.is_none() && self.alarm.take_if(|at| *at <= self.now).is_some() {
                return Poll::Ready(Event::Alarm);
            }
            if self.unwritten >= MESSAGES_PER_WRITE {
                self.unwritten = 0;
                self.write(cx);
                if self.poll_timer(cx) {
                    continue;
                }
            }
            // A session that is over sends nothing more: then what came in before is all that is left to do, and whoever
            // holds up the reading may wait for this very end.
            let read = self.closed.is_some() || (wanted && !self.congested);
            if read && let Some(message) = self.inbox.pop_front() {
                self.unwritten += 1;
                return Poll::Ready(Event::Message(message));
            }
            if self.held {
                self.take_commands(read);
                continue;
            }
            if self.inbox.is_empty()
                && let Some(post) = self.accepted_post.take()
            {
                // The client may be gone; then there is nobody to tell.
                let _ = post.send(Answer::Accepted);
            }
            if let (Some(reason), true) = (self.closed, self.inbox.is_empty()) {
                return Poll::Ready(Event::Closed(reason));
            }
            // Before the timer: a pong that waits to be read has arrived, however late this task looks at it.
            if self.poll_probe(cx) || (read && self.poll_link(cx)) {
                continue;
            }
            if !read {
                self.poll_opening(cx);
            }
            let mut readiness = self.write(cx);
            readiness.posts_are_welcome = read && !self.congested && self.inbox.is_empty() && self.session.takes_posts();
            self.unwritten = 0;
            if !self.session.is_quiet() || self.poll_timer(cx) {
                continue;
            }
            if wanted && !read && !self.congested {
                continue;
            }
            if self.handle.outbox.sleep(cx.waker(), readiness) {
                self.awake = false;
                return Poll::Pending;
            }
            if self.wake_up() {
                return Poll::Ready(Event::Attention);
            }
        }
    }

    /// After the end: whether the owner was called. If not, its task is woken when it is.
    pub(crate) fn poll_attention(&mut self, cx: &mut Context<'_>) -> bool {
        loop {
            if self.handle.outbox.awake().attention {
                return true;
            }
            if self.handle.outbox.sleep(cx.waker(), Readiness { blocked: true, ..Readiness::default() }) {
                return false;
            }
        }
    }

    /// Drives what is left after the end: sends the close frame and waits, for a short time, until the client has it.
    pub(crate) fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let first = !std::mem::replace(&mut self.finishing, true);
        if first {
            self.handle.shut();
        }
        let Link::WebSocket(websocket) = &mut self.link else { return Poll::Ready(()) };
        if first {
            // The session needs its timer no more. A client that cannot answer is not waited for.
            let gone = matches!(self.closed, Some(DisconnectReason::SlowConsumer | DisconnectReason::PingTimeout));
            let patience = if gone { Duration::ZERO } else { FINISH_TIMEOUT };
            self.timer.as_mut().reset(tokio::time::Instant::now() + patience);
        }
        let finished = websocket.poll_finish(cx).is_ready() || self.timer.as_mut().poll(cx).is_ready();
        if finished {
            self.link = Link::Gone;
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Looks at the outbox's signals and takes in waiting requests. `true`: the owner is called.
    fn wake_up(&mut self) -> bool {
        let Signals { attention, overflowed, congested } = self.handle.outbox.awake();
        self.congested = congested;
        if overflowed && self.closed.is_none() {
            tracing::debug!("a client does not read: its send buffer is full");
            self.session.handle(Input::Abort(DisconnectReason::SlowConsumer), self.now);
            self.link = Link::Gone;
        }
        if attention {
            self.take_commands(true);
        }
        attention
    }

    /// Takes in waiting requests. A POST whose client is answered already comes before the requests behind it also in what it
    /// does: with `ordered`, they wait until the owner has seen what it brought.
    fn take_commands(&mut self, ordered: bool) {
        self.held = false;
        while let Some(command) = self.handle.next_command() {
            let answered = ordered && matches!(command, Command::PostAnswered(_));
            self.command(command);
            if answered && !self.inbox.is_empty() {
                self.held = true;
                return;
            }
        }
    }

    /// `true`: time has passed that the session or its owner waited for.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> bool {
        let deadline = [self.session.deadline(), self.alarm].into_iter().flatten().min();
        let Some(deadline) = deadline.map(tokio::time::Instant::from_std) else { return false };
        if deadline != self.timer.deadline() {
            self.timer.as_mut().reset(deadline);
        }
        if self.timer.as_mut().poll(cx).is_pending() {
            return false;
        }
        self.now = tokio::time::Instant::now().into_std();
        self.session.handle(Input::Tick, self.now);
        true
    }

    /// `true`: something came in on the probing WebSocket.
    fn poll_probe(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(probe) = self.probe.as_deref_mut() else { return false };
        let (session, now) = (&mut self.session, self.now);
        let mut closed = false;
        match probe {
            Probe::Opening(opening) => match opening.poll(cx) {
                Poll::Pending => return false,
                Poll::Ready(Some(websocket)) => {
                    *probe = Probe::Open(websocket);
                    return true;
                }
                Poll::Ready(None) => {
                    session.handle(Input::ProbeClosed, now);
                    closed = true;
                }
            },
            Probe::Open(websocket) => {
                let read = websocket.poll_receive(cx, |received| {
                    // What follows the end of the upgrade in the same read is for the session.
                    let input = match received {
                        received if session.path() == Path::WebSocket => input_of(received),
                        Received::Packet(packet) => Input::ProbePacket(packet),
                        Received::Closed | Received::Failed => {
                            closed = true;
                            Input::ProbeClosed
                        }
                    };
                    session.handle(input, now);
                });
                if read.is_pending() {
                    // A connection that is lost will be read as such.
                    let _ = websocket.poll_send(cx, || None);
                    return false;
                }
            }
        }
        if closed && let Some(probe) = self.probe.take() {
            dismiss(*probe);
        }
        true
    }

    /// `true`: the WebSocket of a new session has opened, or failed to.
    fn poll_opening(&mut self, cx: &mut Context<'_>) -> bool {
        let Link::Opening(opening) = &mut self.link else { return false };
        match opening.poll(cx) {
            Poll::Pending => return false,
            Poll::Ready(Some(websocket)) => {
                self.link = Link::WebSocket(websocket);
                self.registration.opened();
            }
            Poll::Ready(None) => {
                self.link = Link::Gone;
                self.session.handle(Input::TransportClosed, self.now);
            }
        }
        true
    }

    /// `true`: something came in on the WebSocket.
    fn poll_link(&mut self, cx: &mut Context<'_>) -> bool {
        let Link::WebSocket(websocket) = &mut self.link else { return self.poll_opening(cx) };
        let (session, now) = (&mut self.session, self.now);
        websocket.poll_receive(cx, |received| session.handle(input_of(received), now)).is_ready()
    }
}

/// What the session's WebSocket brought, as the session hears of it.
fn input_of(received: Received) -> Input {
    match received {
        Received::Packet(packet) => Input::Packet(packet),
        Received::Closed => Input::TransportClosed,
        Received::Failed => Input::TransportFailed,
    }
}
