//! A server and a client session, each with the smallest driver, joined by a simulated wire on a virtual clock.
//!
//! ```text
//! ServerSession + queue  <== events, each due at its time, in order on each channel ==>  ClientSession + queue
//! ```
//! A driver here does what `engine::connection` does with a real network: orders first, then what is queued, on the path
//! that is open.

use crate::{
    engine::proto::{
        Frame, FrameData, Input, Message, Output, Packet, Path, ServerSession, Timing,
        client::{self, ClientSession},
        open_packet, payload,
    },
    id::SessionId,
    reason::DisconnectReason,
    text::Text,
};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

pub(super) const TIMING: Timing = Timing {
    ping_interval: Duration::from_secs(25),
    ping_timeout: Duration::from_secs(20),
    upgrade_timeout: Duration::from_secs(10),
    close_timeout: Duration::from_secs(30),
};

/// What is on the wire. A name ends with the side that it is on its way to.
#[derive(Debug)]
enum Event {
    GetToServer,
    PostToServer(Text),
    /// `None`: an error.
    AnswerToClient(Option<Text>),
    PostedToClient(bool),
    ProbeToServer,
    ProbeToClient,
    FrameToServer(Frame),
    FrameToClient(Frame),
    ClosedToServer,
    ClosedToClient,
}

impl Event {
    /// What is on one channel keeps its order: GET, POST, and the two directions of the WebSocket.
    fn channel(&self) -> usize {
        match self {
            Event::GetToServer | Event::AnswerToClient(_) => 0,
            Event::PostToServer(_) | Event::PostedToClient(_) => 1,
            Event::ProbeToServer | Event::FrameToServer(_) | Event::ClosedToServer => 2,
            Event::ProbeToClient | Event::FrameToClient(_) | Event::ClosedToClient => 3,
        }
    }
}

#[derive(Debug)]
struct Wire {
    now: Instant,
    events: VecDeque<(Instant, Event)>,
    busy_until: [Instant; 4],
    delays: Vec<u64>,
    sent: usize,
    cut: bool,
    /// Every packet that left the server, for the tests of what exactly it sends.
    log: Vec<String>,
}

impl Wire {
    fn send(&mut self, event: Event) {
        if self.cut {
            return;
        }
        let delay = Duration::from_millis(self.delays[self.sent % self.delays.len()]);
        self.sent += 1;
        let at = (self.now + delay).max(self.busy_until[event.channel()]);
        self.busy_until[event.channel()] = at;
        let place = self.events.partition_point(|(time, _)| *time <= at);
        self.events.insert(place, (at, event));
    }

    fn answer<'a>(&mut self, frames: impl Iterator<Item = &'a Frame> + Clone) {
        let body = Text::from_utf8(payload::encode(frames)).expect("a payload is text");
        self.log.push(format!("GET {}", body.replace('\u{1e}', "|")));
        self.send(Event::AnswerToClient(Some(body)));
    }
}

/// What both sides have: messages that wait, and what came of it all.
#[derive(Debug, Default)]
struct Side {
    control: VecDeque<Frame>,
    queue: VecDeque<Frame>,
    received: Vec<Message>,
}

impl Side {
    fn is_empty(&self) -> bool {
        self.control.is_empty() && self.queue.is_empty()
    }

    fn take(&mut self) -> Vec<Frame> {
        self.control.drain(..).chain(self.queue.drain(..)).collect()
    }

    fn texts(&self) -> Vec<String> {
        let text = |message: &Message| match message {
            Message::Text(text) => text.to_string(),
            Message::Binary(bytes) => format!("{bytes:?}"),
        };
        self.received.iter().map(text).collect()
    }
}

#[derive(Debug)]
pub(super) struct Server {
    pub(super) session: ServerSession,
    side: Side,
    get_hangs: bool,
    post_waits: bool,
    websocket: bool,
    pub(super) closed: Option<DisconnectReason>,
}

#[derive(Debug)]
pub(super) struct Client {
    pub(super) session: ClientSession,
    side: Side,
    probe: bool,
    websocket: bool,
    pub(super) open: Option<client::Open>,
    pub(super) closed: Option<DisconnectReason>,
}

/// The circumstances of a session.
pub(super) struct Options {
    pub(super) websocket: bool,
    pub(super) upgrade: bool,
    /// How many milliseconds each event takes, in turn.
    pub(super) delays: Vec<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Options { websocket: false, upgrade: false, delays: vec![10] }
    }
}

pub(super) struct World {
    pub(super) server: Server,
    pub(super) client: Client,
    wire: Wire,
}

impl World {
    /// Both sides at the moment before the handshake reaches the client.
    pub(super) fn new(options: Options) -> Self {
        let now = Instant::now();
        let Options { websocket, upgrade, delays } = options;
        let session = match websocket {
            true => ClientSession::websocket(Duration::from_secs(20), now),
            false => ClientSession::polling(upgrade, Duration::from_secs(20), now),
        };
        let client = Client { session, side: Side::default(), probe: false, websocket, open: None, closed: None };
        let mut server = Server {
            session: ServerSession::new(websocket, TIMING, now),
            side: Side::default(),
            get_hangs: false,
            post_waits: false,
            websocket,
            closed: None,
        };
        let mut wire = Wire { now, events: VecDeque::new(), busy_until: [now; 4], delays, sent: 0, cut: false, log: Vec::new() };
        let upgrades: &[&str] = if websocket { &[] } else { &["websocket"] };
        let open = Frame::control(&open_packet(&SessionId::from_random([0; 15]), upgrades, &TIMING, 1_000_000));
        if websocket {
            server.side.control.push_back(open);
        } else {
            // The HTTP service answers the handshake before the session exists.
            wire.answer(std::iter::once(&open));
        }
        let mut world = World { server, client, wire };
        if !websocket {
            assert_eq!(world.client.session.poll(), Some(client::Output::Get), "the handshake");
        }
        world.pump();
        world
    }

    pub(super) fn close_server(&mut self) {
        self.server.session.handle(Input::Close(DisconnectReason::ForcedClose), self.wire.now);
    }

    pub(super) fn close_client(&mut self) {
        self.client.session.handle(client::Input::Close, self.wire.now);
    }

    /// From now on nothing arrives anywhere.
    pub(super) fn cut(&mut self) {
        self.wire.cut = true;
        self.wire.events.clear();
    }

    /// The probing WebSocket breaks, if there is one.
    pub(super) fn break_probe(&mut self) {
        self.pump();
        let probing = |event: &Event| event.channel() >= 2;
        if !self.client.probe || self.server.websocket || self.wire.events.iter().any(|(_, event)| probing(event)) {
            return;
        }
        self.client.probe = false;
        self.client.session.handle(client::Input::ProbeClosed, self.wire.now);
        self.wire.send(Event::ClosedToServer);
        self.pump();
    }

    /// What the server sent: one entry for each answer to a GET and each frame.
    pub(super) fn log(&self) -> Vec<&str> {
        self.wire.log.iter().map(String::as_str).collect()
    }

    /// Lets the time pass, event by event.
    pub(super) fn run_for(&mut self, time: Duration) {
        let end = self.wire.now + time;
        loop {
            self.pump();
            let event = self.wire.events.front().map(|(at, _)| *at);
            let timers = [self.server.session.deadline(), self.client.session.deadline(), event];
            let Some(next) = timers.into_iter().flatten().min().filter(|next| *next <= end) else { break };
            self.wire.now = self.wire.now.max(next);
            let now = self.wire.now;
            while self.wire.events.front().is_some_and(|(at, _)| *at <= now) {
                if let Some((_, event)) = self.wire.events.pop_front() {
                    self.deliver(event);
                    self.pump();
                }
            }
            // A timer that is not due is no harm, and one that was due is not due again.
            self.server.session.handle(Input::Tick, now);
            self.client.session.handle(client::Input::Tick, now);
            assert!(self.server.session.deadline().is_none_or(|at| at > now));
            assert!(self.client.session.deadline().is_none_or(|at| at > now));
        }
        self.wire.now = end;
    }

    fn deliver(&mut self, event: Event) {
        let now = self.wire.now;
        let (server, client) = (&mut self.server, &mut self.client);
        match event {
            Event::GetToServer => {
                server.session.handle(Input::Poll, now);
                server.get_hangs = !server.refused(&mut self.wire, &Output::RefusePoll);
                if !server.get_hangs {
                    self.wire.send(Event::AnswerToClient(None));
                }
            }
            Event::PostToServer(body) => {
                server.session.handle(Input::PostStarted, now);
                server.post_waits = !server.refused(&mut self.wire, &Output::RefusePost);
                match server.post_waits {
                    true => server.session.handle(Input::Post(body), now),
                    false => self.wire.send(Event::PostedToClient(false)),
                }
            }
            Event::AnswerToClient(Some(body)) => client.session.handle(client::Input::Payload(body), now),
            Event::PostedToClient(true) => client.session.handle(client::Input::Posted, now),
            Event::AnswerToClient(None) | Event::PostedToClient(false) => client.session.handle(client::Input::RequestFailed, now),
            Event::ProbeToServer => {
                server.session.handle(Input::ProbeOpened, now);
                let refused = server.refused(&mut self.wire, &Output::RefuseProbe);
                self.wire.send(if refused { Event::ClosedToClient } else { Event::ProbeToClient });
            }
            Event::ProbeToClient => client.session.handle(client::Input::ProbeOpened, now),
            Event::FrameToServer(frame) => {
                let packet = received(frame);
                let probe = !server.websocket;
                server.session.handle(if probe { Input::ProbePacket(packet) } else { Input::Packet(packet) }, now);
            }
            Event::FrameToClient(frame) => {
                let packet = received(frame);
                let probe = client.probe;
                client.session.handle(if probe { client::Input::ProbePacket(packet) } else { client::Input::Packet(packet) }, now);
            }
            Event::ClosedToServer if server.websocket => server.session.handle(Input::TransportClosed, now),
            Event::ClosedToServer => server.session.handle(Input::ProbeClosed, now),
            Event::ClosedToClient if std::mem::take(&mut client.probe) => client.session.handle(client::Input::ProbeClosed, now),
            // It crossed the client's own close of the probe.
            Event::ClosedToClient if !client.websocket => {}
            Event::ClosedToClient => client.session.handle(client::Input::TransportClosed, now),
        }
    }

    fn pump(&mut self) {
        self.server.pump(&mut self.wire);
        self.client.pump(&mut self.wire);
    }
}

fn received(frame: Frame) -> Option<Packet> {
    match frame.into_data() {
        FrameData::Text(framed) => Packet::decode(Text::from_utf8(framed.payload()).ok()?).ok(),
        FrameData::Binary(bytes) => Some(Packet::Message(Message::Binary(bytes))),
    }
}

impl Server {
    pub(super) fn send(&mut self, text: &str) {
        if self.closed.is_none() && !self.session.is_closing() {
            self.side.queue.push_back(Frame::message(Message::Text(text.into())));
        }
    }

    pub(super) fn texts(&self) -> Vec<String> {
        self.side.texts()
    }

    /// Carries out orders; whether there is this refusal among them.
    fn refused(&mut self, wire: &mut Wire, refusal: &Output) -> bool {
        let mut refused = false;
        while let Some(output) = self.session.poll() {
            match output == *refusal {
                true => refused = true,
                false => self.order(wire, output),
            }
        }
        refused
    }

    fn order(&mut self, wire: &mut Wire, output: Output) {
        match output {
            Output::Message(message) => self.side.received.push(message),
            Output::Send(packet) => self.side.control.push_back(Frame::control(&packet)),
            Output::AnswerPoll(packets) => {
                assert!(std::mem::take(&mut self.get_hangs));
                let frames: Vec<Frame> = packets.iter().map(Frame::control).collect();
                wire.answer(frames.iter());
            }
            Output::AcceptPost | Output::CutPost => {
                assert!(std::mem::take(&mut self.post_waits));
                wire.send(Event::PostedToClient(output == Output::AcceptPost));
            }
            Output::SendProbe(packet) => wire.send(Event::FrameToClient(Frame::control(&packet))),
            Output::CloseProbe => wire.send(Event::ClosedToClient),
            Output::Upgraded => self.websocket = true,
            Output::Closed(reason) => {
                assert_eq!(self.closed.replace(reason), None);
                if self.websocket {
                    wire.send(Event::ClosedToClient);
                }
            }
            Output::AcceptProbe => {}
            Output::RefusePoll | Output::RefusePost | Output::RefuseProbe => panic!("nothing arrived: {output:?}"),
        }
    }

    fn pump(&mut self, wire: &mut Wire) {
        loop {
            while let Some(output) = self.session.poll() {
                self.order(wire, output);
            }
            match self.session.path() {
                Path::Hold => return,
                _ if self.side.is_empty() => {
                    if !self.session.is_closing() {
                        return;
                    }
                    self.session.handle(Input::Drained, wire.now);
                }
                Path::Poll => {
                    assert!(std::mem::take(&mut self.get_hangs));
                    wire.answer(self.side.take().iter());
                    self.session.handle(Input::PollAnswered, wire.now);
                }
                Path::WebSocket => {
                    for frame in self.side.take() {
                        wire.log.push(format!("WS {}", shown(&frame)));
                        wire.send(Event::FrameToClient(frame));
                    }
                }
            }
        }
    }
}

impl Client {
    pub(super) fn send(&mut self, text: &str) {
        if self.closed.is_none() && !self.session.is_closing() {
            self.side.queue.push_back(Frame::message(Message::Text(text.into())));
        }
    }

    pub(super) fn texts(&self) -> Vec<String> {
        self.side.texts()
    }

    fn order(&mut self, wire: &mut Wire, output: client::Output) {
        match output {
            client::Output::Opened(open) => self.open = Some(open),
            client::Output::Message(message) => self.side.received.push(message),
            client::Output::Get => wire.send(Event::GetToServer),
            client::Output::Send(packet) => self.side.control.push_back(Frame::control(&packet)),
            client::Output::OpenProbe => {
                self.probe = true;
                wire.send(Event::ProbeToServer);
            }
            client::Output::SendProbe(packet) => wire.send(Event::FrameToServer(Frame::control(&packet))),
            client::Output::CloseProbe => {
                self.probe = false;
                wire.send(Event::ClosedToServer);
            }
            client::Output::Upgraded => (self.probe, self.websocket) = (false, true),
            client::Output::Closed(reason) => {
                assert_eq!(self.closed.replace(reason), None);
                if self.websocket {
                    wire.send(Event::ClosedToServer);
                } else if !self.side.control.is_empty() {
                    // The farewell goes out alone.
                    wire.send(Event::PostToServer(post(&self.side.take())));
                }
            }
        }
    }

    fn pump(&mut self, wire: &mut Wire) {
        loop {
            while let Some(output) = self.session.poll() {
                self.order(wire, output);
            }
            match self.session.path() {
                client::Path::Hold => return,
                _ if self.side.is_empty() => {
                    if !self.session.is_closing() {
                        return;
                    }
                    self.session.handle(client::Input::Drained, wire.now);
                }
                client::Path::Post => {
                    wire.send(Event::PostToServer(post(&self.side.take())));
                    self.session.handle(client::Input::PostStarted, wire.now);
                }
                client::Path::WebSocket => {
                    for frame in self.side.take() {
                        wire.send(Event::FrameToServer(frame));
                    }
                }
            }
        }
    }
}

fn shown(frame: &Frame) -> String {
    match frame.data() {
        FrameData::Text(framed) => String::from_utf8_lossy(framed.as_payload()).into_owned(),
        FrameData::Binary(bytes) => format!("{bytes:?}"),
    }
}

fn post(frames: &[Frame]) -> Text {
    Text::from_utf8(payload::encode(frames.iter())).expect("a payload is text")
}
