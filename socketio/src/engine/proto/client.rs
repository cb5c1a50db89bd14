//! The client's half of one session, with the same three verbs as the server's.
//!
//! ```text
//! Handshake --open--> Polling --open packet offers it--> Probing --3probe--> Pausing --nothing in flight, 5--> WebSocket
//!     |                  ^                                  |                   |
//!     |                  +----------- probe closed ---------+-------------------+
//!     +--open, over a WebSocket--> WebSocket
//!   any of them --close()--> Closing --queue sent--> Closed
//!   any of them --error, close, missing ping-------> Closed
//! ```
//!
//! As on the server, messages wait outside: [`ClientSession::path`] says where they may go, and packets of the protocol
//! go ahead of them. Not here: reconnection, and how much fits into one POST; the [`Open`] packet says the limit.

use super::{
    packet::{Message, Packet},
    payload,
};
use crate::{reason::DisconnectReason, text::Text};
use serde::Deserialize;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// What a server may ask for that does not ping: more than a day does not fit into every clock.
const LONGEST_PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// What the server says of the new session.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Open {
    /// The session id. Servers that are not ours give it any form.
    sid: String,
    upgrades: Vec<String>,
    ping_interval: u64,
    ping_timeout: u64,
    /// The largest POST that the server takes, in bytes; older servers do not say it.
    #[serde(default)]
    max_payload: Option<usize>,
}

impl Open {
    /// Reads the data of an open packet. `None`: it is malformed.
    pub(crate) fn parse(text: &Text) -> Option<Open> {
        serde_json::from_str(text).ok()
    }

    pub(crate) fn sid(&self) -> &str {
        &self.sid
    }

    pub(crate) fn max_payload_bytes(&self) -> Option<usize> {
        self.max_payload
    }

    /// How long the server may be silent: it pings more often than this.
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_millis(self.ping_interval.saturating_add(self.ping_timeout)).min(LONGEST_PATIENCE)
    }

    fn offers_websocket(&self) -> bool {
        self.upgrades.iter().any(|name| name == "websocket")
    }
}

/// What happened.
#[derive(Debug)]
pub(crate) enum Input {
    /// The GET was answered.
    Payload(Text),
    /// What was queued left in a POST, which is in flight now.
    PostStarted,
    /// The POST was answered with `ok`.
    Posted,
    /// A GET or a POST was answered with an error, or not at all.
    RequestFailed,
    /// The probing WebSocket is open.
    ProbeOpened,
    /// A packet on the probing WebSocket; `None` if it was binary or none at all.
    ProbePacket(Option<Packet>),
    /// The probing WebSocket closed, or did not open.
    ProbeClosed,
    /// A packet on the session's WebSocket; `None` if it could not be decoded.
    Packet(Option<Packet>),
    /// The session's WebSocket closed.
    TransportClosed,
    /// The session's WebSocket failed, or did not open.
    TransportFailed,
    /// End the session once everything queued is sent.
    Close,
    /// The session is closing, [`ClientSession::path`] is open, and everything queued before the close is sent.
    Drained,
    /// Time passed.
    Tick,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// The session is open.
    Opened(Open),
    /// A message for the application.
    Message(Message),
    /// Start a GET; the first one, without a session id, is the handshake.
    Get,
    /// Send this ahead of all messages, on the current path.
    Send(Packet),
    /// Open a WebSocket with the id of this session.
    OpenProbe,
    /// Send this on the probing WebSocket.
    SendProbe(Packet),
    /// Close the probing WebSocket.
    CloseProbe,
    /// The probing WebSocket is the transport now.
    Upgraded,
    /// The session is over. The transports are to be closed; nothing follows. A [`Send`](Output::Send) right before this
    /// is the farewell, for a POST of its own.
    Closed(DisconnectReason),
}

/// Where messages may go now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Path {
    /// Nowhere yet.
    Hold,
    /// Into a POST.
    Post,
    WebSocket,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The open packet has not come yet.
    Handshake {
        websocket: bool,
    },
    Polling,
    Probing,
    /// The probe was answered: no GET and no POST is started, and the ones in flight come to their end.
    Pausing,
    WebSocket,
    Closed,
}

/// The client's half of one session.
#[derive(Debug)]
pub(crate) struct ClientSession {
    state: State,
    upgrade: bool,
    patience: Duration,
    silent_until: Instant,
    getting: bool,
    posting: bool,
    closing: bool,
    outputs: VecDeque<Output>,
}

impl ClientSession {
    /// A session that starts with a GET, and that upgrades to a WebSocket if the server offers it and `upgrade` is set.
    /// The handshake may take `patience`.
    pub(crate) fn polling(upgrade: bool, patience: Duration, now: Instant) -> Self {
        let mut session = Self::new(State::Handshake { websocket: false }, upgrade, patience, now);
        session.get();
        session
    }

    /// A session that starts on a WebSocket, which the driver opens. The handshake may take `patience`.
    pub(crate) fn websocket(patience: Duration, now: Instant) -> Self {
        Self::new(State::Handshake { websocket: true }, false, patience, now)
    }

    fn new(state: State, upgrade: bool, patience: Duration, now: Instant) -> Self {
        let silent_until = now + patience;
        let outputs = VecDeque::new();
        ClientSession { state, upgrade, patience, silent_until, getting: false, posting: false, closing: false, outputs }
    }

    /// The next order or event, in order.
    pub(crate) fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::Tick`] is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        (!self.is_closed()).then_some(self.silent_until)
    }

    /// Where messages may go now.
    pub(crate) fn path(&self) -> Path {
        match self.state {
            State::WebSocket => Path::WebSocket,
            State::Polling | State::Probing if !self.posting => Path::Post,
            _ => Path::Hold,
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing
    }

    /// Takes in what happened.
    pub(crate) fn handle(&mut self, input: Input, now: Instant) {
        if self.is_closed() {
            return;
        }
        match input {
            Input::Payload(body) => self.payload(&body, now),
            Input::PostStarted => self.posting = true,
            Input::Posted => self.posted(),
            Input::RequestFailed | Input::TransportFailed => self.close_now(DisconnectReason::TransportError),
            Input::ProbeOpened if self.state == State::Probing => {
                self.outputs.push_back(Output::SendProbe(Packet::Ping(Text::from_static("probe"))));
            }
            Input::ProbeOpened => {}
            Input::ProbePacket(packet) => self.probe_packet(packet),
            Input::ProbeClosed => self.probe_gone(),
            Input::Packet(packet) => self.packet(packet, now),
            Input::TransportClosed => self.close_now(DisconnectReason::TransportClose),
            Input::Close => self.close(),
            Input::Drained => self.drained(),
            Input::Tick if now >= self.silent_until => self.close_now(DisconnectReason::PingTimeout),
            Input::Tick => {}
        }
    }

    fn payload(&mut self, body: &Text, now: Instant) {
        if !std::mem::take(&mut self.getting) {
            return;
        }
        for packet in payload::decode(body) {
            if self.is_closed() {
                return;
            }
            self.packet(packet.ok(), now);
        }
        match self.state {
            State::Polling | State::Probing => self.get(),
            State::Pausing => self.finish_upgrade(),
            _ => {}
        }
    }

    fn packet(&mut self, packet: Option<Packet>, now: Instant) {
        match (packet, self.state) {
            (Some(Packet::Open(text)), State::Handshake { websocket }) => match Open::parse(&text) {
                Some(open) => self.opened(open, websocket, now),
                None => self.close_now(DisconnectReason::ParseError),
            },
            // A session starts with its open packet.
            (_, State::Handshake { .. }) | (None, _) => self.close_now(DisconnectReason::ParseError),
            (Some(Packet::Message(message)), _) => self.outputs.push_back(Output::Message(message)),
            (Some(Packet::Ping(_)), _) => {
                self.silent_until = now + self.patience;
                self.outputs.push_back(Output::Send(Packet::Pong(Text::default())));
            }
            (Some(Packet::Close), _) => self.close_now(DisconnectReason::TransportClose),
            (Some(Packet::Open(_) | Packet::Pong(_) | Packet::Upgrade | Packet::Noop), _) => {}
        }
    }

    fn opened(&mut self, open: Open, websocket: bool, now: Instant) {
        self.patience = open.patience();
        self.silent_until = now + self.patience;
        let upgrade = self.upgrade && !self.closing && open.offers_websocket();
        self.outputs.push_back(Output::Opened(open));
        self.state = match (websocket, upgrade) {
            (true, _) => State::WebSocket,
            (false, true) => State::Probing,
            (false, false) => State::Polling,
        };
        if self.state == State::Probing {
            self.outputs.push_back(Output::OpenProbe);
        }
    }

    fn get(&mut self) {
        self.getting = true;
        self.outputs.push_back(Output::Get);
    }

    fn posted(&mut self) {
        self.posting = false;
        if self.state == State::Pausing {
            self.finish_upgrade();
        }
    }

    fn probe_packet(&mut self, packet: Option<Packet>) {
        match (self.state, packet) {
            (State::Probing, Some(Packet::Pong(text))) if text.as_str() == "probe" => {
                self.state = State::Pausing;
                self.finish_upgrade();
            }
            (State::Probing | State::Pausing, _) => {
                self.outputs.push_back(Output::CloseProbe);
                self.probe_gone();
            }
            _ => {}
        }
    }

    fn finish_upgrade(&mut self) {
        if !self.getting && !self.posting {
            self.outputs.extend([Output::SendProbe(Packet::Upgrade), Output::Upgraded]);
            self.state = State::WebSocket;
        }
    }

    fn probe_gone(&mut self) {
        if matches!(self.state, State::Probing | State::Pausing) {
            self.state = State::Polling;
            if !self.getting {
                self.get();
            }
        }
    }

    fn close(&mut self) {
        if let State::Handshake { .. } = self.state {
            return self.close_now(DisconnectReason::ForcedClose);
        }
        self.closing = true;
        // An upgrade that was not agreed on yet is not worth waiting for.
        if self.state == State::Probing {
            self.outputs.push_back(Output::CloseProbe);
            self.probe_gone();
        }
    }

    fn drained(&mut self) {
        if !self.closing {
            return;
        }
        if matches!(self.state, State::Polling) {
            self.outputs.push_back(Output::Send(Packet::Close));
        }
        self.close_now(DisconnectReason::ForcedClose);
    }

    fn close_now(&mut self, reason: DisconnectReason) {
        if matches!(self.state, State::Probing | State::Pausing) {
            self.outputs.push_back(Output::CloseProbe);
        }
        self.state = State::Closed;
        self.outputs.push_back(Output::Closed(if self.closing { DisconnectReason::ForcedClose } else { reason }));
    }
}
