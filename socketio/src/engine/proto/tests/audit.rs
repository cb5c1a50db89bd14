//! What holds for a [`ServerSession`] whatever a client and a clock do: a schedule of arbitrary bytes is played to it, and
//! each output is checked against a model of what is in flight.
//!
//! Shared by the property tests and by the fuzz target `engine_session`.

use crate::{
    engine::proto::{Input, Message, Output, Packet, Path, Revision, ServerSession, Timing},
    reason::DisconnectReason,
    text::Text,
};
use std::time::{Duration, Instant};

/// Packets as a client may send them; `?` stands for the number of the next message.
const PACKETS: &[&str] = &["4?", "3", "6", "5", "0{}", "4?", "2", "2probe", "3probe", "1", "", "x", "b4pml"];
const SILENCE: Duration = Duration::from_secs(60);

struct Audit {
    session: ServerSession,
    revision: Revision,
    now: Instant,
    polling: bool,
    posting: bool,
    probing: bool,
    websocket: bool,
    closing: bool,
    closed: bool,
    /// The number of the next message to the session, and of the next one that may come out.
    sent: u64,
    next: u64,
}

/// Plays a schedule: each pair of bytes is an action and its argument.
pub(crate) fn play(schedule: &[u8]) {
    let now = Instant::now();
    let websocket = schedule.first().is_some_and(|byte| byte & 1 == 1);
    let timing = Timing {
        ping_interval: Duration::from_secs(25),
        ping_timeout: Duration::from_secs(20),
        upgrade_timeout: Duration::from_secs(10),
        close_timeout: Duration::from_secs(30),
    };
    let legacy = schedule.first().is_some_and(|byte| byte & 2 == 2);
    let revision = if legacy { Revision::Three { base64: false } } else { Revision::Four };
    let session = ServerSession::new(websocket, timing, now).speaking(revision, now);
    let (polling, posting, probing, closing, closed) = Default::default();
    let mut audit = Audit { session, revision, now, polling, posting, probing, websocket, closing, closed, sent: 0, next: 0 };
    for step in schedule.get(1..).unwrap_or_default().chunks_exact(2) {
        audit.step(step[0], step[1]);
    }
    // Left alone, every session ends: nobody answers the ping, or takes the last messages.
    audit.feed(Input::Suspended(false));
    for _ in 0..2000 {
        let Some(deadline) = audit.session.deadline() else { break };
        assert!(deadline <= audit.now + SILENCE);
        audit.tick_at(deadline);
    }
    assert!(audit.closed);
    audit.step(0, 0);
    audit.step(4, 0);
}

impl Audit {
    fn step(&mut self, action: u8, argument: u8) {
        match action % 20 {
            0 => self.feed(Input::Poll),
            1 => self.feed(Input::PollAborted),
            2 if self.session.path() == Path::Poll => self.poll_answered(),
            3 => self.feed(Input::PostStarted),
            4 => self.feed(Input::PostUnacceptable),
            5 | 6 => self.post(argument),
            7 => self.feed(Input::PostDropped),
            8 => self.feed(Input::PostAborted),
            9 => self.feed(Input::ProbeOpened),
            10 | 11 => {
                let packet = self.packet(argument);
                self.feed(Input::ProbePacket(self.revision.decode_text(packet).ok()));
            }
            12 => self.feed(Input::ProbeClosed),
            13 if self.websocket => {
                let packet = self.packet(argument);
                self.feed(Input::Packet(self.revision.decode_text(packet).ok()));
                self.all_delivered();
            }
            14 if self.websocket && argument < 32 => {
                self.feed(if argument & 1 == 0 { Input::TransportClosed } else { Input::TransportFailed })
            }
            15 if argument < 64 => self.feed(Input::Close(DisconnectReason::ForcedClose)),
            16 if self.closing && self.session.path() != Path::Hold => self.feed(Input::Drained),
            17 => self.feed(Input::Suspended(argument & 1 == 1)),
            18 if argument < 16 => self.feed(Input::Abort(DisconnectReason::SlowConsumer)),
            // A tick may be early and it may be late.
            18 => self.tick_at(self.now + Duration::from_millis(u64::from(argument) * u64::from(argument))),
            19 => {
                if let Some(deadline) = self.session.deadline() {
                    self.tick_at(deadline);
                }
            }
            _ => {}
        }
    }

    fn packet(&mut self, argument: u8) -> Text {
        let packet = PACKETS[usize::from(argument) % PACKETS.len()];
        if !packet.ends_with('?') {
            return packet.into();
        }
        self.sent += 1;
        packet.replace('?', &(self.sent - 1).to_string()).into()
    }

    fn post(&mut self, argument: u8) {
        let packets: Vec<Text> = (0..=argument >> 6).map(|at| self.packet(argument.wrapping_add(at))).collect();
        let body: String = match self.revision {
            Revision::Four => packets.iter().map(Text::as_str).collect::<Vec<_>>().join("\x1e"),
            Revision::Three { .. } => packets.iter().map(|packet| format!("{}:{packet}", packet.len())).collect(),
        };
        self.feed(Input::Post(body.into()));
        self.all_delivered();
    }

    fn poll_answered(&mut self) {
        self.polling = false;
        self.feed(Input::PollAnswered);
    }

    fn tick_at(&mut self, time: Instant) {
        self.now = self.now.max(time);
        self.feed(Input::Tick);
        assert!(self.session.deadline().is_none_or(|next| next > self.now), "a deadline that passed is still due");
    }

    /// What was taken in came out at once; what was not is not made up for later.
    fn all_delivered(&mut self) {
        self.next = self.sent;
    }

    fn feed(&mut self, input: Input) {
        let was_closed = self.closed;
        let mut arriving = match input {
            Input::Poll => Some(Output::RefusePoll),
            Input::PostStarted | Input::PostUnacceptable => Some(Output::RefusePost),
            Input::ProbeOpened => Some(Output::RefuseProbe),
            _ => None,
        };
        let (polls, posts) = (matches!(input, Input::Poll), matches!(input, Input::PostStarted));
        match input {
            Input::Close(_) => self.closing = true,
            Input::PostDropped => self.posting = false,
            // Before the upgrade this is the end of the session, which still orders the POST to be cut.
            Input::PostAborted if self.websocket => self.posting = false,
            Input::ProbeClosed => self.probing = false,
            _ => {}
        }
        let delivers = !self.closing && matches!(input, Input::Packet(_) | Input::Post(_));
        self.session.handle(input, self.now);
        while let Some(output) = self.session.poll() {
            if arriving.as_ref() == Some(&output) {
                arriving = None;
                continue;
            }
            assert!(!was_closed, "after the end: {output:?}");
            assert!(!self.closed, "after Closed: {output:?}");
            self.check(output, &mut arriving, delivers);
        }
        match arriving {
            Some(Output::RefusePoll) if polls => self.polling = true,
            Some(Output::RefusePost) if posts => self.posting = true,
            Some(other) => panic!("not answered: {other:?}"),
            None => {}
        }
        self.compare();
    }

    fn check(&mut self, output: Output, arriving: &mut Option<Output>, delivers: bool) {
        match output {
            Output::Message(Message::Text(text)) => {
                let number: u64 = text.parse().expect("a number");
                assert!(delivers && number >= self.next && number < self.sent, "message {number} out of order");
                self.next = number + 1;
            }
            Output::Message(Message::Binary(bytes)) => {
                let expected: &[u8] = if self.revision == Revision::Four { b"\xe2\x99\xa5" } else { b"\xa6i" };
                assert!(delivers && bytes == expected);
            }
            Output::Send(packet) => {
                let text = Text::default();
                let expected = if self.revision == Revision::Four { Packet::Ping(text) } else { Packet::Pong(text) };
                assert_eq!((packet, self.closing), (expected, false));
            }
            Output::AnswerPoll(packets) => {
                assert!(std::mem::take(&mut self.polling) && !packets.is_empty());
            }
            Output::AcceptPost | Output::CutPost => assert!(std::mem::take(&mut self.posting)),
            Output::AcceptProbe => {
                assert_eq!(arriving.take(), Some(Output::RefuseProbe));
                assert!(!self.probing && !self.websocket && !self.closing);
                self.probing = true;
            }
            Output::SendProbe(packet) => {
                assert!(self.probing && packet == Packet::Pong("probe".into()));
            }
            Output::CloseProbe => assert!(std::mem::take(&mut self.probing)),
            Output::Upgraded => {
                assert!(std::mem::take(&mut self.probing) && !self.websocket);
                self.websocket = true;
            }
            Output::Closed(_) => self.closed = true,
            Output::RefusePoll | Output::RefusePost | Output::RefuseProbe => panic!("refused what did not arrive: {output:?}"),
        }
    }

    /// The session and the model agree.
    fn compare(&self) {
        let path = match (self.closed, self.websocket, self.polling) {
            (true, ..) | (false, false, false) => Path::Hold,
            (false, true, _) => Path::WebSocket,
            (false, false, true) => Path::Poll,
        };
        assert_eq!(self.session.path(), path);
        assert_eq!(self.session.is_closed(), self.closed);
        assert!(self.session.is_quiet());
        assert!(!self.closed || !(self.polling || self.posting || self.probing), "left open at the end");
        assert!(!self.closed || self.session.deadline().is_none());
    }
}
