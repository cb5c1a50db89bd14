//! What holds for a [`ClientSession`] whatever a server and a clock do: a schedule of arbitrary bytes is played to it.
//!
//! Shared by the property tests and by the fuzz target `client_session`.

use crate::engine::proto::{
    Packet,
    client::{ClientSession, Input, Output, Path},
};
use std::time::{Duration, Instant};

/// Packets as a server may send them, good handshakes more often than bad ones.
const PACKETS: &[&str] = &[
    r#"0{"sid":"s","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000}"#,
    r#"0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#,
    r#"0{"sid":"s","upgrades":[],"pingInterval":18446744073709551615,"pingTimeout":18446744073709551615}"#,
    "0{}",
    "4a",
    "2",
    "3probe",
    "3",
    "6",
    "1",
    "5",
    "",
    "x",
    "b4pml",
];

struct Audit {
    session: ClientSession,
    now: Instant,
    getting: bool,
    posting: bool,
    probing: bool,
    opened: bool,
    websocket: bool,
    closed: bool,
}

/// Plays a schedule: each pair of bytes is an action and its argument.
pub(crate) fn play(schedule: &[u8]) {
    let now = Instant::now();
    let kind = schedule.first().copied().unwrap_or_default();
    let (websocket, patience) = (kind & 1 == 1, Duration::from_secs(20));
    let session =
        if websocket { ClientSession::websocket(patience, now) } else { ClientSession::polling(kind & 2 == 2, patience, now) };
    let (getting, posting, probing, opened, closed) = Default::default();
    let mut audit = Audit { session, now, getting, posting, probing, opened, websocket, closed };
    audit.drain();
    for step in schedule.get(1..).unwrap_or_default().chunks_exact(2) {
        audit.step(step[0], step[1]);
    }
    // Left alone, every session ends: the server is silent.
    while let Some(deadline) = audit.session.deadline() {
        audit.now = audit.now.max(deadline);
        audit.feed(Input::Tick);
    }
    assert!(audit.closed);
    audit.feed(Input::Close);
    audit.feed(Input::Packet(None));
}

impl Audit {
    fn step(&mut self, action: u8, argument: u8) {
        match action % 14 {
            0..=2 if self.getting => {
                self.getting = false;
                let count = 1 + usize::from(argument >> 6);
                let packets: Vec<&str> = (0..count).map(|at| packet(argument.wrapping_add(at as u8))).collect();
                self.feed(Input::Payload(packets.join("\u{1e}").into()));
            }
            3 if self.session.path() == Path::Post => {
                self.posting = true;
                self.feed(Input::PostStarted);
            }
            4 if self.posting => {
                self.posting = false;
                self.feed(Input::Posted);
            }
            5 if self.getting || self.posting => self.feed(Input::RequestFailed),
            6 if self.probing => self.feed(Input::ProbeOpened),
            7 | 8 if self.probing => self.feed(Input::ProbePacket(Packet::decode(packet(argument).into()).ok())),
            9 if self.probing => {
                self.probing = false;
                self.feed(Input::ProbeClosed);
            }
            10 if self.websocket => self.feed(Input::Packet(Packet::decode(packet(argument).into()).ok())),
            11 if self.websocket => self.feed(if argument & 1 == 0 { Input::TransportClosed } else { Input::TransportFailed }),
            12 if argument & 1 == 0 => self.feed(Input::Close),
            12 if self.session.is_closing() && self.session.path() != Path::Hold => self.feed(Input::Drained),
            13 => {
                self.now += Duration::from_millis(u64::from(argument) * 100);
                self.feed(Input::Tick);
            }
            _ => {}
        }
    }

    fn feed(&mut self, input: Input) {
        self.session.handle(input, self.now);
        self.drain();
        assert!(self.session.deadline().is_none_or(|deadline| deadline > self.now) || !self.closed);
    }

    fn drain(&mut self) {
        while let Some(output) = self.session.poll() {
            assert!(!self.closed, "nothing follows the end: {output:?}");
            match output {
                Output::Opened(_) => assert!(!std::mem::replace(&mut self.opened, true)),
                Output::Message(_) => assert!(self.opened),
                Output::Get => assert!(!std::mem::replace(&mut self.getting, true) && !self.websocket),
                Output::OpenProbe => assert!(!std::mem::replace(&mut self.probing, true) && !self.websocket),
                Output::SendProbe(_) => assert!(self.probing),
                Output::CloseProbe => self.probing = false,
                Output::Upgraded => {
                    // Nothing is in flight on the transport that is left.
                    assert!(std::mem::take(&mut self.probing) && !self.getting && !self.posting);
                    self.websocket = true;
                }
                Output::Send(_) => assert!(self.opened),
                Output::Closed(_) => self.closed = true,
            }
        }
        assert!(!self.posting || self.session.path() != Path::Post, "one POST at a time");
    }
}

fn packet(number: u8) -> &'static str {
    PACKETS[usize::from(number) % PACKETS.len()]
}

#[test]
fn a_server_that_never_pings_is_given_a_day() {
    let now = Instant::now();
    let mut session = ClientSession::websocket(Duration::from_secs(20), now);
    session.handle(Input::Packet(Packet::decode(PACKETS[2].into()).ok()), now);
    assert_eq!(session.deadline(), Some(now + Duration::from_secs(24 * 3600)));
}
