//! `Manager`: a client's side of Socket.IO, sans-IO: when to connect, what to send, what waits, what is given up.
//!
//! ```text
//! Idle --join--> Opening --opened--> Open --lost--> Waiting --time--> Opening ...
//!   ^                |                 |
//!   |                +--failed---------|--> Waiting; or Over: the first attempt failed, or there were enough
//!   +--- Resting <--nobody wants it----+
//!   any of them --close--> Closing --everything sent, or time--> Over
//! ```
//!
//! The three verbs: [`handle`](Manager::handle), [`poll`](Manager::poll), [`deadline`](Manager::deadline). What users ask
//! for goes in by [`emit`](Manager::emit) and [`answer`](Manager::answer), since they want to know at once. `W` is who waits
//! for an acknowledgement: the manager only keeps it and gives it back.
//! Not here: sessions and transports (`link`), handlers (`task`).

mod backoff;
mod buffer;
mod calls;
mod emitting;
mod endings;
mod error;
mod namespace;
mod packets;
mod status;
#[cfg(test)]
mod tests;

pub use backoff::Reconnect;
pub(crate) use buffer::Limits;
pub use error::ConnectError;
pub use status::{End, Status};

use crate::{
    contract::{AckData, Incoming},
    engine::{Frame, Message},
    parser::{self, Decoder, Encoded, encode_connect},
    text::Text,
};
use backoff::Backoff;
use calls::Calls;
use namespace::{Namespace, Stay};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// How much of what the server sends ahead of its answer to CONNECT is kept; more ends the connection.
const EARLY: Limits = Limits { items: 10_000, bytes: 16 << 20 };

/// What is handed to the transport in one go: enough for one write.
const TAKEN_BYTES: usize = 256 << 10;

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) reconnect: Reconnect,
    /// A first attempt that fails is repeated like any other.
    pub(crate) retry_first: bool,
    /// How often an event is sent again that was not acknowledged; `None`: events are sent once.
    pub(crate) retries: Option<u32>,
    /// How long to wait for the acknowledgement of an event that only the retries need one for.
    pub(crate) ack_timeout: Duration,
    /// How long the answer to CONNECT may take.
    pub(crate) connect_timeout: Duration,
    /// How long a close may take.
    pub(crate) close_timeout: Duration,
    /// What may wait, for each namespace; the bytes are also those that may wait for the transport.
    pub(crate) buffer: Limits,
    pub(crate) packets: parser::Limits,
}

/// A namespace of this connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(u64);

/// What happened.
#[derive(Debug)]
pub(crate) enum Input {
    /// The payload for CONNECT, as JSON text; the error says why there is none.
    Auth {
        namespace: Key,
        round: u64,
        auth: Result<Option<String>, String>,
    },
    /// Nobody wants this namespace any more.
    Leave(Key),
    /// The Engine.IO session is open.
    Opened,
    Message(Message),
    /// The session ended, or did not open.
    Lost {
        end: End,
        error: Option<ConnectError>,
    },
    /// End everything, once what is queued is sent.
    Close,
    Tick,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Output<W> {
    /// Open an Engine.IO session. What is left of an old one is to be dropped.
    Open,
    /// End the session once everything is sent; [`Input::Lost`] follows.
    Close,
    /// Drop the session. Nothing follows.
    Drop,
    /// Make the payload for CONNECT.
    Authenticate { namespace: Key, round: u64 },
    /// Handle this event. `round` is to be given back with the answer.
    Event { namespace: Key, round: u64, event: Incoming },
    /// A call has ended.
    Answered { waiter: W, answer: Result<AckData, Unanswered> },
    /// A client stands elsewhere now.
    Changed { namespace: Key, status: Status, id: Option<Text> },
    /// Nothing follows.
    Over,
}

/// Why there is no acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unanswered {
    Timeout,
    Disconnected,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Opening,
    Open,
    Waiting {
        until: Instant,
    },
    /// Nobody wants the session, which ends.
    Resting {
        until: Instant,
    },
    Closing {
        until: Instant,
    },
    Over,
}

/// See the top of the file.
#[derive(Debug)]
pub(crate) struct Manager<W> {
    settings: Settings,
    state: State,
    backoff: Backoff,
    /// Whether a namespace was ever joined: until then, a failure is that of the first attempt.
    succeeded: bool,
    namespaces: Vec<Namespace>,
    next_key: u64,
    decoder: Decoder,
    calls: Calls<W>,
    /// What the transport has not taken yet.
    outgoing: VecDeque<Frame>,
    outgoing_bytes: usize,
    /// The transport has not sent what it took.
    busy: bool,
    outputs: VecDeque<Output<W>>,
}

impl<W> Manager<W> {
    /// `seed` is random.
    pub(crate) fn new(settings: Settings, seed: u64) -> Self {
        Manager {
            backoff: Backoff::new(settings.reconnect.clone(), seed),
            decoder: Decoder::new(settings.packets),
            settings,
            state: State::Idle,
            succeeded: false,
            namespaces: Vec::new(),
            next_key: 0,
            calls: Calls::new(),
            outgoing: VecDeque::new(),
            outgoing_bytes: 0,
            busy: false,
            outputs: VecDeque::new(),
        }
    }

    /// The next order or event, in order.
    pub(crate) fn poll(&mut self) -> Option<Output<W>> {
        self.outputs.pop_front()
    }

    /// When [`Input::Tick`] is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let state = match self.state {
            State::Waiting { until } | State::Resting { until } | State::Closing { until } => Some(until),
            _ => None,
        };
        let asked = self.namespaces.iter().filter_map(|namespace| match namespace.stay {
            Stay::Asked { deadline } => Some(deadline),
            _ => None,
        });
        asked.chain(state).chain(self.calls.deadline()).min()
    }

    /// Takes in what happened.
    pub(crate) fn handle(&mut self, input: Input, now: Instant) {
        match input {
            _ if self.state == State::Over => {}
            Input::Auth { namespace, round, auth } => self.authenticated(namespace, round, auth, now),
            Input::Leave(key) => self.leave(key, now),
            Input::Opened => self.opened(),
            Input::Message(message) => self.message(message, now),
            Input::Lost { end, error } => self.lost(end, error, now),
            Input::Close => self.close(now),
            Input::Tick => self.tick(now),
        }
    }

    /// Joins a namespace, as soon as there is a connection.
    ///
    /// # Errors
    /// It is joined already, or the connection is closed.
    pub(crate) fn join(&mut self, path: &str) -> Result<Key, ConnectError> {
        if matches!(self.state, State::Closing { .. } | State::Over) {
            return Err(ConnectError::Closed);
        }
        if self.namespaces.iter().any(|namespace| namespace.path == path && namespace.is_wanted()) {
            return Err(ConnectError::AlreadyJoined(path.to_owned()));
        }
        let key = Key(self.next_key);
        self.next_key += 1;
        self.namespaces.push(Namespace::new(key, path.to_owned(), self.settings.buffer, EARLY));
        self.want(key);
        Ok(key)
    }

    /// Joins a namespace again that ended for good; `false`: it had not.
    ///
    /// # Errors
    /// The connection is closed.
    pub(crate) fn rejoin(&mut self, key: Key) -> Result<bool, ConnectError> {
        let at = self.position(key).filter(|_| !matches!(self.state, State::Closing { .. } | State::Over));
        let namespace = at.map(|at| &mut self.namespaces[at]).ok_or(ConnectError::Closed)?;
        let anew = namespace.stay == Stay::Out;
        if anew {
            namespace.stay = Stay::Wanted;
            self.want(key);
        }
        Ok(anew)
    }

    fn want(&mut self, key: Key) {
        match self.state {
            State::Idle => self.open(),
            State::Open => self.authenticate(key),
            _ => {}
        }
    }

    /// Moves frames to an empty queue of the transport.
    pub(crate) fn take(&mut self, queue: &mut VecDeque<Frame>) {
        let mut taken = 0;
        while taken < TAKEN_BYTES
            && let Some(frame) = self.outgoing.pop_front()
        {
            taken += frame.cost();
            queue.push_back(frame);
        }
        self.outgoing_bytes -= taken;
        self.busy |= taken > 0;
    }

    /// The transport has sent what it took, or not.
    pub(crate) fn set_busy(&mut self, busy: bool) {
        self.busy = busy;
    }

    pub(crate) fn has_frames(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// So much waits that nothing should be read that wants answers.
    pub(crate) fn is_congested(&self) -> bool {
        self.outgoing_bytes > self.settings.buffer.bytes / 2
    }

    fn position(&self, key: Key) -> Option<usize> {
        self.namespaces.iter().position(|namespace| namespace.key == key)
    }

    fn changed(&mut self, namespace: Key, status: Status) {
        let id = self.position(namespace).and_then(|at| self.namespaces[at].id.clone());
        self.outputs.push_back(Output::Changed { namespace, status, id });
    }

    fn send(&mut self, packet: Encoded) {
        let attachments = packet.attachments.into_iter().map(Frame::binary);
        for frame in std::iter::once(Frame::message_behind(packet.buffer, packet.start)).chain(attachments) {
            self.outgoing_bytes += frame.cost();
            self.outgoing.push_back(frame);
        }
    }

    fn open(&mut self) {
        self.state = State::Opening;
        self.outputs.push_back(Output::Open);
    }

    fn opened(&mut self) {
        if self.state != State::Opening {
            return;
        }
        self.state = State::Open;
        self.decoder = Decoder::new(self.settings.packets);
        let wanted: Vec<Key> =
            self.namespaces.iter().filter(|namespace| namespace.is_wanted()).map(|namespace| namespace.key).collect();
        wanted.into_iter().for_each(|key| self.authenticate(key));
    }

    fn authenticate(&mut self, key: Key) {
        let Some(at) = self.position(key) else { return };
        let namespace = &mut self.namespaces[at];
        namespace.stay = Stay::Authenticating;
        namespace.round += 1;
        self.outputs.push_back(Output::Authenticate { namespace: key, round: namespace.round });
    }

    fn authenticated(&mut self, key: Key, round: u64, auth: Result<Option<String>, String>, now: Instant) {
        let Some(at) = self.position(key) else { return };
        let namespace = &mut self.namespaces[at];
        if namespace.stay != Stay::Authenticating || namespace.round != round {
            return;
        }
        match auth.and_then(|auth| namespace.connect_payload(auth.as_deref())) {
            Ok(payload) => {
                namespace.stay = Stay::Asked { deadline: now + self.settings.connect_timeout };
                let packet = encode_connect(&namespace.path, payload.as_deref());
                self.send(packet);
            }
            Err(error) => self.refused(key, ConnectError::AuthPayload(error), now),
        }
    }

    fn forget_frames(&mut self) {
        self.outgoing.clear();
        self.outgoing_bytes = 0;
        self.busy = false;
    }

    fn tick(&mut self, now: Instant) {
        while let Some(id) = self.calls.expired(now) {
            self.timed_out(id, now);
        }
        match self.state {
            State::Waiting { until } if now >= until => self.open(),
            State::Closing { until } if now >= until => {
                self.outputs.push_back(Output::Drop);
                self.over();
            }
            State::Resting { until } if now >= until => {
                self.outputs.push_back(Output::Drop);
                self.rested();
            }
            _ => {}
        }
        let late = |namespace: &Namespace| matches!(namespace.stay, Stay::Asked { deadline } if now >= deadline);
        if self.namespaces.iter().any(late) {
            // A server that does not answer is no use: the next connection may be better.
            self.outputs.push_back(Output::Drop);
            self.lost(End::TransportError, Some(ConnectError::Timeout), now);
        }
    }
}
