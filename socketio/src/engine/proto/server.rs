//! The server's half of one session: every transition of its life in one file.
//!
//! ```text
//!            +--------- Polling <------------------+
//! handshake -|             | websocket opens       | probe closed, or upgrade timeout
//!            |             v                       |
//!            |          Probing (2probe/3probe) ---+
//!            |             | 5
//!            +-------> WebSocket
//!   any of them --close()--> Closing --queue sent, or timeout--> Closed     (a probe may still finish: then it is sent there)
//!   any of them --error, abort, missing pong-------------------> Closed
//! ```
//!
//! The session does not hold the messages that wait to be sent: [`ServerSession::path`] says where they may go now, and
//! the driver moves them there. Packets of the protocol itself come out as [`Output::Send`] and go ahead of all messages.

use super::{
    heartbeat::{Beat, Heartbeat},
    packet::{Message, Packet},
    queue::Queue,
    revision::Revision,
};
use crate::{reason::DisconnectReason, text::Text};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// The times of a session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    pub(crate) ping_interval: Duration,
    pub(crate) ping_timeout: Duration,
    pub(crate) upgrade_timeout: Duration,
    /// How long a closing session waits until its last messages are taken.
    pub(crate) close_timeout: Duration,
}

/// How long a polling client may take to come back for its last messages when the server shuts down.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// How often a hanging GET is ended while a client probes. The reference's constant.
const NOOP_INTERVAL: Duration = Duration::from_millis(100);

/// What happened.
#[derive(Debug)]
pub(crate) enum Input {
    /// A polling GET arrived and hangs.
    Poll,
    /// The client gave up a GET.
    PollAborted,
    /// The hanging GET was answered with what was queued.
    PollAnswered,
    /// A polling POST arrived; its body is still being read.
    PostStarted,
    /// A POST with a content type that this protocol version does not have.
    PostUnacceptable,
    /// The body is complete.
    Post(Text),
    /// The body ended without being taken in: too large, and refused as such.
    PostDropped,
    /// The client gave up a POST.
    PostAborted,
    /// A WebSocket opened with the id of this session.
    ProbeOpened,
    /// A packet on the probing WebSocket; `None` if it was binary or none at all.
    ProbePacket(Option<Packet>),
    /// The probing WebSocket closed.
    ProbeClosed,
    /// A packet on the session's WebSocket; `None` if it could not be decoded.
    Packet(Option<Packet>),
    /// The session's WebSocket closed.
    TransportClosed,
    /// The session's WebSocket failed: a broken frame, an oversize message, a lost connection.
    TransportFailed,
    /// End the session once everything queued is sent.
    Close(DisconnectReason),
    /// The session is closing, [`ServerSession::path`] is open, and everything queued before the close is sent.
    Drained,
    /// End the session now.
    Abort(DisconnectReason),
    /// Nothing is read from the client from now on, or again.
    Suspended(bool),
    /// Time passed.
    Tick,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// A message for the application.
    Message(Message),
    /// Send this ahead of all messages, on the current path.
    Send(Packet),
    /// Answer the hanging GET with exactly these packets.
    AnswerPoll(&'static [Packet]),
    /// Answer the GET that just arrived with an error.
    RefusePoll,
    /// Answer the POST in progress with `ok`.
    AcceptPost,
    /// Answer the POST that just arrived with an error.
    RefusePost,
    /// Drop the POST that is still being read.
    CutPost,
    /// The WebSocket that opened is the probe now.
    AcceptProbe,
    /// The WebSocket that opened is not wanted: close it.
    RefuseProbe,
    /// Send this on the probing WebSocket.
    SendProbe(Packet),
    /// Close the probing WebSocket.
    CloseProbe,
    /// The probing WebSocket is the transport now.
    Upgraded,
    /// The session is over. The transports are to be closed; nothing follows.
    Closed(DisconnectReason),
}

/// Where messages may go now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Path {
    /// Nowhere yet.
    Hold,
    /// Into the answer of the hanging GET.
    Poll,
    WebSocket,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Polling,
    Probing(Probe),
    WebSocket,
    Closed,
}

#[derive(Debug)]
struct Closing {
    reason: DisconnectReason,
    deadline: Instant,
    /// The GET that takes the close came after it.
    waited: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Probe {
    expires_at: Instant,
    /// Set once the probe was answered: when to end the next hanging GET.
    noop_at: Option<Instant>,
}

/// How many pongs wait for a client of revision 3, which pings as often as it likes. More pings get no more pongs.
pub(crate) const UNSENT_PONGS: usize = 16;

/// The server's half of one session.
#[derive(Debug)]
pub(crate) struct ServerSession {
    /// The same for all sessions of a server.
    timing: Arc<Timing>,
    revision: Revision,
    state: State,
    heartbeat: Heartbeat,
    polling: bool,
    posting: bool,
    closing: Option<Closing>,
    outputs: Queue<Output>,
}

impl ServerSession {
    /// A session whose handshake came over polling, or over a WebSocket.
    pub(crate) fn new(websocket: bool, timing: impl Into<Arc<Timing>>, now: Instant) -> Self {
        let timing = timing.into();
        ServerSession {
            heartbeat: Heartbeat::new(&timing, now),
            timing,
            revision: Revision::Four,
            state: if websocket { State::WebSocket } else { State::Polling },
            polling: false,
            posting: false,
            closing: None,
            outputs: Queue::default(),
        }
    }

    /// The same session in another revision of the protocol.
    pub(crate) fn speaking(self, revision: Revision, now: Instant) -> Self {
        let heartbeat = match revision {
            Revision::Four => self.heartbeat,
            Revision::Three { .. } => Heartbeat::of_the_client(&self.timing, now),
        };
        ServerSession { revision, heartbeat, ..self }
    }

    /// The next order or event, in order.
    pub(crate) fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::Tick`] is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        if self.is_closed() {
            return None;
        }
        let beat = match &self.closing {
            Some(closing) => Some(closing.deadline),
            None => Some(self.heartbeat.deadline(&self.timing)),
        };
        let probe = match &self.state {
            State::Probing(probe) => Some(probe.noop_at.map_or(probe.expires_at, |at| at.min(probe.expires_at))),
            _ => None,
        };
        [beat, probe].into_iter().flatten().min()
    }

    /// Where messages may go now.
    pub(crate) fn path(&self) -> Path {
        match self.state {
            State::WebSocket => Path::WebSocket,
            State::Polling | State::Probing(_) if self.polling => Path::Poll,
            _ => Path::Hold,
        }
    }

    /// Whether [`poll`](Self::poll) has nothing to tell.
    pub(crate) fn is_quiet(&self) -> bool {
        self.outputs.is_empty()
    }

    /// Whether a GET that arrives now would only be left hanging.
    pub(crate) fn is_resting(&self) -> bool {
        self.state == State::Polling && !self.polling && self.closing.is_none()
    }

    /// Whether a POST that arrives now would be accepted.
    pub(crate) fn takes_posts(&self) -> bool {
        matches!(self.state, State::Polling | State::Probing(_)) && !self.posting
    }

    #[cfg(test)]
    pub(super) fn queued_capacity(&self) -> usize {
        self.outputs.capacity()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.is_some()
    }

    /// Takes in what happened.
    pub(crate) fn handle(&mut self, input: Input, now: Instant) {
        if self.is_closed() {
            return self.after_the_end(&input);
        }
        match input {
            Input::Packet(packet) => self.packet(packet, now),
            Input::Poll => self.poll_started(),
            Input::PollAnswered => self.polling = false,
            Input::PostStarted => self.post_started(),
            Input::PostUnacceptable => {
                self.outputs.push_back(Output::RefusePost);
                self.close_now(DisconnectReason::TransportError);
            }
            Input::Post(body) => self.post(&body, now),
            Input::PostDropped => self.posting = false,
            // What is left of polling once it is no transport any more may end as it likes.
            Input::PollAborted if self.state == State::WebSocket => {}
            Input::PostAborted if self.state == State::WebSocket => self.posting = false,
            Input::PollAborted | Input::PostAborted | Input::TransportFailed => self.close_now(DisconnectReason::TransportError),
            Input::ProbeOpened => self.probe_opened(now),
            Input::ProbePacket(packet) => self.probe_packet(packet, now),
            Input::ProbeClosed => self.probe_gone(),
            Input::TransportClosed => self.close_now(DisconnectReason::TransportClose),
            Input::Close(reason) => self.close(reason, now),
            Input::Drained => self.drained(),
            Input::Abort(reason) => self.close_now(reason),
            Input::Suspended(suspended) => self.heartbeat.suspend(suspended, &self.timing, now),
            Input::Tick => self.tick(now),
        }
    }

    /// Requests that crossed the end of the session are still answered.
    fn after_the_end(&mut self, input: &Input) {
        match input {
            Input::Poll => self.outputs.push_back(Output::RefusePoll),
            Input::PostStarted | Input::PostUnacceptable => self.outputs.push_back(Output::RefusePost),
            Input::ProbeOpened => self.outputs.push_back(Output::RefuseProbe),
            _ => {}
        }
    }

    fn packet(&mut self, packet: Option<Packet>, now: Instant) {
        if self.closing.is_some() {
            return;
        }
        match packet {
            Some(Packet::Message(message)) => {
                self.heartbeat.sign_of_life(&self.timing, now);
                self.outputs.push_back(Output::Message(message));
            }
            // Revision 4 turned the heartbeat around: the server pings, not the client.
            Some(Packet::Pong(_)) if self.revision == Revision::Four => self.heartbeat.pong(&self.timing, now),
            Some(Packet::Ping(_)) if self.revision != Revision::Four => {
                self.heartbeat.ping(&self.timing, now);
                let is_pong = |output: &&Output| matches!(output, Output::Send(Packet::Pong(_)));
                if self.outputs.iter().rev().take_while(is_pong).count() < UNSENT_PONGS {
                    self.outputs.push_back(Output::Send(Packet::Pong(Text::default())));
                }
            }
            Some(Packet::Ping(_) | Packet::Pong(_)) => self.close_now(DisconnectReason::TransportError),
            Some(Packet::Open(_) | Packet::Close | Packet::Upgrade | Packet::Noop) => {
                self.heartbeat.sign_of_life(&self.timing, now)
            }
            None => self.close_now(DisconnectReason::ParseError),
        }
    }

    fn poll_started(&mut self) {
        match self.state {
            State::Polling | State::Probing(_) if !self.polling => {
                self.polling = true;
                if let Some(closing) = &mut self.closing {
                    closing.waited = true;
                }
            }
            State::WebSocket => self.outputs.push_back(Output::RefusePoll),
            _ => {
                self.outputs.push_back(Output::RefusePoll);
                self.close_now(DisconnectReason::TransportError);
            }
        }
    }

    fn post_started(&mut self) {
        match self.state {
            // It crossed the upgrade.
            State::WebSocket => self.outputs.push_back(Output::RefusePost),
            _ if self.posting => {
                self.outputs.push_back(Output::RefusePost);
                self.close_now(DisconnectReason::TransportError);
            }
            _ => self.posting = true,
        }
    }

    fn post(&mut self, body: &Text, now: Instant) {
        // The body of a POST that was refused can still arrive.
        if !std::mem::take(&mut self.posting) {
            return;
        }
        self.outputs.push_back(Output::AcceptPost);
        for packet in self.revision.decode_payload(body) {
            if self.is_closed() {
                return;
            }
            if let Ok(Packet::Close) = packet {
                if std::mem::take(&mut self.polling) {
                    self.outputs.push_back(Output::AnswerPoll(&[Packet::Noop]));
                }
                return self.close_now(DisconnectReason::TransportClose);
            }
            self.packet(packet.ok(), now);
        }
    }

    fn probe_opened(&mut self, now: Instant) {
        if self.state == State::Polling && self.closing.is_none() {
            self.state = State::Probing(Probe { expires_at: now + self.timing.upgrade_timeout, noop_at: None });
            self.outputs.push_back(Output::AcceptProbe);
        } else {
            self.outputs.push_back(Output::RefuseProbe);
        }
    }

    fn probe_packet(&mut self, packet: Option<Packet>, now: Instant) {
        let State::Probing(probe) = &mut self.state else { return };
        match packet {
            Some(Packet::Ping(text)) if text.as_str() == "probe" => {
                probe.noop_at = Some(now + NOOP_INTERVAL);
                self.outputs.push_back(Output::SendProbe(Packet::Pong(text)));
            }
            // Also while closing: the client has stopped polling, so this is where it hears of the end.
            Some(Packet::Upgrade) => {
                self.state = State::WebSocket;
                if std::mem::take(&mut self.polling) {
                    self.outputs.push_back(Output::AnswerPoll(&[Packet::Close]));
                }
                self.outputs.push_back(Output::Upgraded);
            }
            _ => {
                self.outputs.push_back(Output::CloseProbe);
                self.state = State::Polling;
            }
        }
    }

    fn probe_gone(&mut self) {
        if matches!(self.state, State::Probing(_)) {
            self.state = State::Polling;
        }
    }

    fn close(&mut self, reason: DisconnectReason, now: Instant) {
        let patience = match reason {
            DisconnectReason::ServerShuttingDown => self.timing.close_timeout.min(SHUTDOWN_TIMEOUT),
            _ => self.timing.close_timeout,
        };
        match &mut self.closing {
            // It goes on as it is, at most sooner.
            Some(closing) => closing.deadline = closing.deadline.min(now + patience),
            None => self.closing = Some(Closing { reason, deadline: now + patience, waited: false }),
        }
    }

    fn drained(&mut self) {
        let Some(Closing { reason, waited, .. }) = self.closing else { return };
        if waited && std::mem::take(&mut self.polling) {
            self.outputs.push_back(Output::AnswerPoll(&[Packet::Noop, Packet::Close]));
        }
        self.close_now(reason);
    }

    fn close_now(&mut self, reason: DisconnectReason) {
        if matches!(self.state, State::Probing(_)) {
            self.outputs.push_back(Output::CloseProbe);
        }
        if std::mem::take(&mut self.polling) {
            self.outputs.push_back(Output::AnswerPoll(&[Packet::Close]));
        }
        if std::mem::take(&mut self.posting) {
            self.outputs.push_back(Output::CutPost);
        }
        self.state = State::Closed;
        // A session that was closing keeps the reason it was closed for.
        let reason = self.closing.as_ref().map_or(reason, |closing| closing.reason);
        self.outputs.push_back(Output::Closed(reason));
    }

    fn tick(&mut self, now: Instant) {
        if let Some(Closing { reason, .. }) = self.closing.as_ref().filter(|closing| now >= closing.deadline) {
            return self.close_now(*reason);
        }
        if let State::Probing(probe) = &mut self.state {
            if now >= probe.expires_at {
                self.outputs.push_back(Output::CloseProbe);
                self.state = State::Polling;
            } else if probe.noop_at.is_some_and(|at| now >= at) {
                probe.noop_at = Some(now + NOOP_INTERVAL);
                if std::mem::take(&mut self.polling) {
                    self.outputs.push_back(Output::AnswerPoll(&[Packet::Noop]));
                }
            }
        }
        if self.closing.is_some() {
            return;
        }
        match self.heartbeat.tick(&self.timing, now) {
            Some(Beat::Ping) => self.outputs.push_back(Output::Send(Packet::Ping(Text::default()))),
            Some(Beat::Dead) => self.close_now(DisconnectReason::PingTimeout),
            None => {}
        }
    }
}
