//! Schedules on a virtual clock: a manager and whatever a server may do to it.

use super::*;
use crate::{contract::EmitError, engine::proto::FrameData, parser::Body};
use proptest::prelude::*;
use std::collections::BTreeMap;

const SECOND: Duration = Duration::from_secs(1);

fn settings() -> Settings {
    Settings {
        reconnect: Reconnect::new().jitter(0.0),
        retry_first: false,
        retries: None,
        ack_timeout: 20 * SECOND,
        connect_timeout: 20 * SECOND,
        close_timeout: 5 * SECOND,
        buffer: Limits { items: 100, bytes: 100_000 },
        packets: parser::Limits::default(),
    }
}

/// A manager, its clock, and what it has said.
struct World {
    manager: Manager<u32>,
    now: Instant,
    start: Instant,
    said: Vec<String>,
    auth: Option<String>,
}

impl World {
    fn new(settings: Settings) -> Self {
        let now = Instant::now();
        World { manager: Manager::new(settings, 1), now, start: now, said: Vec::new(), auth: None }
    }

    /// In namespace `/a`.
    fn joined(settings: Settings) -> (Self, Key) {
        let mut world = World::new(settings);
        let key = world.manager.join("/a").expect("a new one");
        world.opened();
        world.receive(r#"0/a,{"sid":"first"}"#);
        world.said();
        (world, key)
    }

    fn handle(&mut self, input: Input) {
        self.manager.handle(input, self.now);
        self.listen();
    }

    fn listen(&mut self) {
        while let Some(output) = self.manager.poll() {
            let line = match output {
                Output::Open => "open".to_owned(),
                Output::Close => "close".to_owned(),
                Output::Drop => "drop".to_owned(),
                Output::Over => "over".to_owned(),
                Output::Authenticate { namespace, round } => {
                    let auth = Ok(self.auth.clone());
                    self.manager.handle(Input::Auth { namespace, round, auth }, self.now);
                    continue;
                }
                Output::Event { event, .. } => format!("event {}{}", event.name(), event.raw_args().json()),
                Output::Answered { waiter, answer: Ok(data) } => format!("answer {waiter} {}", data.json()),
                Output::Answered { waiter, answer: Err(why) } => format!("answer {waiter} {why:?}"),
                Output::Changed { status: Status::Reconnecting { attempt, delay, .. }, .. } => {
                    format!("attempt {attempt} in {} ms", delay.as_millis())
                }
                Output::Changed { status, .. } => format!("{status:?}"),
            };
            self.said.push(line);
        }
        let mut frames = VecDeque::new();
        while self.manager.has_frames() {
            self.manager.take(&mut frames);
        }
        self.manager.set_busy(false);
        for frame in frames {
            self.said.push(match frame.into_data() {
                FrameData::Text(text) => format!("send {}", String::from_utf8_lossy(&text.as_payload()[1..])),
                FrameData::Binary(bytes) => format!("send {} bytes", bytes.len()),
            });
        }
    }

    fn said(&mut self) -> Vec<String> {
        self.listen();
        std::mem::take(&mut self.said)
    }

    fn opened(&mut self) {
        self.handle(Input::Opened);
    }

    fn receive(&mut self, text: &str) {
        self.handle(Input::Message(Message::Text(text.into())));
    }

    fn lost(&mut self) {
        self.handle(Input::Lost { end: End::TransportClose, error: None });
    }

    fn emit(&mut self, key: Key, name: &str) -> Result<(), EmitError> {
        let event = Body::event(name, &()).expect("serializes");
        let sent = self.manager.emit(key, event, None, false, self.now);
        self.listen();
        sent.map(drop)
    }

    fn call(&mut self, key: Key, name: &str, waiter: u32, timeout: Duration) -> Result<u64, EmitError> {
        let event = Body::event(name, &()).expect("serializes");
        let sent = self.manager.emit(key, event, Some((waiter, timeout)), false, self.now);
        self.listen();
        sent.map(|call| call.expect("invariant: a call has an id"))
    }

    /// Lets time pass, with every deadline met.
    fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(deadline) = self.manager.deadline().filter(|deadline| *deadline <= end) {
            assert!(deadline >= self.now || self.now - deadline < SECOND, "a deadline that was due long ago");
            self.now = self.now.max(deadline);
            self.handle(Input::Tick);
            assert!(self.manager.deadline().is_none_or(|next| next > self.now), "a deadline that stays due is a busy loop");
        }
        self.now = end;
    }
}

#[test]
fn a_client_joins_and_leaves() {
    let mut world = World::new(settings());
    world.auth = Some(r#"{"token":1}"#.into());
    let key = world.manager.join("/a").expect("a new one");
    assert_eq!(world.manager.join("/a"), Err(ConnectError::AlreadyJoined("/a".into())));
    world.opened();
    assert_eq!(world.said(), ["open", r#"send 0/a,{"token":1}"#]);
    world.receive(r#"0/a,{"sid":"x"}"#);
    assert_eq!(world.said(), ["Connected { recovered: false }"]);
    world.emit(key, "e").expect("sent");
    world.receive(r#"2/a,["f",1]"#);
    assert_eq!(world.said(), [r#"send 2/a,["e"]"#, "event f[1]"]);
    world.handle(Input::Leave(key));
    assert_eq!(world.said(), ["Disconnected(ByClient)", "close", "send 1/a,"]);
    world.lost();
    // It can start again.
    world.manager.join("/a").expect("a new one");
    assert_eq!(world.said(), ["open"]);
}

#[test]
fn attempts_follow_each_other_more_and_more_slowly() {
    let (mut world, _) = World::joined(settings());
    world.lost();
    for _ in 0..4 {
        world.run_for(60 * SECOND);
        world.lost();
    }
    let expected = ["Disconnected(TransportClose)", "attempt 1 in 1000 ms", "open", "attempt 2 in 2000 ms", "open"];
    assert_eq!(world.said()[..5], expected);
    world.run_for(60 * SECOND);
    world.said();
    world.opened();
    world.receive(r#"0/a,{"sid":"second"}"#);
    world.lost();
    assert_eq!(world.said().last().map(String::as_str), Some("attempt 1 in 1000 ms"), "a success starts the count anew");
}

#[test]
fn the_first_failure_is_final_unless_told_otherwise() {
    for retry_first in [false, true] {
        let mut world = World::new(Settings { retry_first, ..settings() });
        let key = world.manager.join("/a").expect("a new one");
        world.emit(key, "waits").expect("kept");
        world.handle(Input::Lost { end: End::TransportError, error: Some(ConnectError::Timeout) });
        match retry_first {
            true => assert_eq!(world.said(), ["open", "attempt 1 in 1000 ms"]),
            false => {
                assert_eq!(world.said(), ["open", "GaveUp(Timeout)", "over"]);
                assert_eq!(world.emit(key, "late"), Err(EmitError::Disconnected));
                assert_eq!(world.manager.join("/b"), Err(ConnectError::Closed));
            }
        }
    }
}

#[test]
fn a_server_that_never_answers_connect_is_left() {
    let (mut world, _) = World::joined(settings());
    world.lost();
    world.run_for(SECOND);
    world.opened();
    world.said();
    world.run_for(20 * SECOND);
    assert_eq!(world.said(), ["drop", "attempt 2 in 2000 ms"]);
}

#[test]
fn what_was_sent_is_lost_and_what_waits_is_sent() {
    let (mut world, key) = World::joined(settings());
    world.call(key, "sent", 1, 60 * SECOND).expect("sent");
    world.said();
    world.lost();
    world.emit(key, "a").expect("kept");
    world.call(key, "b", 2, 60 * SECOND).expect("kept");
    world.call(key, "late", 3, SECOND / 2).expect("kept");
    world.run_for(SECOND);
    let expected = ["Disconnected(TransportClose)", "answer 1 Disconnected", "attempt 1 in 1000 ms", "answer 3 Timeout", "open"];
    assert_eq!(world.said(), expected);
    world.opened();
    world.receive(r#"0/a,{"sid":"second"}"#);
    assert_eq!(world.said(), ["send 0/a,", "Connected { recovered: false }", r#"send 2/a,["a"]"#, r#"send 2/a,1["b"]"#]);
    // The answer to a call that was given up, one to another namespace, one twice.
    for ack in ["3/a,0[]", "3/a,2[]", "3/b,1[0]", "3/a,1[7]", "3/a,1[8]"] {
        world.receive(ack);
    }
    assert_eq!(world.said(), ["answer 2 [7]"]);
    assert_eq!((world.manager.calls.len(), world.manager.deadline()), (0, None));
}

#[test]
fn volatile_events_never_wait() {
    let (mut world, key) = World::joined(settings());
    let volatile = |world: &mut World| {
        let event = Body::event("v", &()).expect("serializes");
        world.manager.emit(key, event, None, true, world.now)
    };
    assert_eq!(volatile(&mut world), Ok(None));
    assert_eq!(volatile(&mut world), Err(EmitError::NotWritable), "the first is still on its way");
    world.said();
    assert_eq!(volatile(&mut world), Ok(None));
    world.lost();
    assert_eq!(volatile(&mut world), Err(EmitError::NotWritable));
}

#[test]
fn retries_send_one_after_the_other_until_each_is_acknowledged() {
    let (mut world, key) = World::joined(Settings { retries: Some(2), ack_timeout: SECOND, ..settings() });
    world.emit(key, "a").expect("queued");
    world.call(key, "b", 1, SECOND).expect("queued");
    assert_eq!(world.said(), [r#"send 2/a,0["a"]"#]);
    world.run_for(SECOND);
    assert_eq!(world.said(), [r#"send 2/a,0["a"]"#]);
    world.lost();
    world.run_for(SECOND);
    world.opened();
    world.said();
    world.receive(r#"0/a,{"sid":"second"}"#);
    assert_eq!(world.said(), ["Connected { recovered: false }", r#"send 2/a,0["a"]"#]);
    world.receive("3/a,0[]");
    assert_eq!(world.said(), [r#"send 2/a,1["b"]"#]);
    world.run_for(10 * SECOND);
    assert_eq!(world.said(), [r#"send 2/a,1["b"]"#, r#"send 2/a,1["b"]"#, "answer 1 Timeout"]);
    assert_eq!((world.manager.calls.len(), world.manager.deadline()), (0, None));
}

#[test]
fn a_stay_is_recovered_with_its_id_and_offset() {
    let mut world = World::new(settings());
    world.auth = Some(r#"{"token":1}"#.into());
    world.manager.join("/").expect("a new one");
    world.opened();
    world.receive(r#"0{"sid":"x","pid":"secret"}"#);
    world.receive(r#"2["e",1,"offset 1"]"#);
    // Neither has an offset: one asks for an acknowledgement, the other ends in a number.
    world.receive(r#"25["e","no offset"]"#);
    world.receive(r#"2["e",2]"#);
    world.lost();
    world.run_for(SECOND);
    world.said();
    world.opened();
    assert_eq!(world.said(), [r#"send 0{"pid":"secret","offset":"offset 1","token":1}"#]);
    // What was missed comes first.
    world.receive(r#"2["missed","offset 2"]"#);
    assert!(world.said().is_empty());
    world.receive(r#"0{"sid":"x","pid":"secret"}"#);
    assert_eq!(world.said(), ["Connected { recovered: true }", r#"event missed["offset 2"]"#]);
    world.lost();
    world.run_for(SECOND);
    world.opened();
    assert_eq!(world.said().last().map(String::as_str), Some(r#"send 0{"pid":"secret","offset":"offset 2","token":1}"#));
    world.receive(r#"0{"sid":"y","pid":"other"}"#);
    assert_eq!(world.said(), ["Connected { recovered: false }"]);
}

#[test]
fn an_answer_does_not_reach_another_stay() {
    let (mut world, key) = World::joined(settings());
    world.manager.answer(key, 1, 5, Body::empty());
    assert_eq!(world.said(), ["send 3/a,5[]"]);
    world.lost();
    world.run_for(SECOND);
    world.opened();
    world.receive(r#"0/a,{"sid":"second"}"#);
    world.said();
    world.manager.answer(key, 1, 5, Body::empty());
    assert!(world.said().is_empty());
}

#[test]
fn an_auth_payload_is_an_object() {
    for (auth, packet) in [("null", "send 0/a,"), (" { } ", "send 0/a,{ }"), (r#"{"a":1}"#, r#"send 0/a,{"a":1}"#)] {
        let mut world = World::new(settings());
        world.auth = Some(auth.into());
        world.manager.join("/a").expect("a new one");
        world.opened();
        assert_eq!(world.said(), ["open", packet], "{auth}");
    }
    let mut world = World::new(settings());
    world.auth = Some("7".into());
    world.manager.join("/a").expect("a new one");
    world.opened();
    assert!(world.said()[1].starts_with("Refused(AuthPayload("));
}

#[test]
fn a_broken_packet_ends_the_connection_and_the_next_one_is_clean() {
    let (mut world, _) = World::joined(settings());
    // An attachment is missing.
    world.receive(r#"51-/a,["e",{"_placeholder":true,"num":0}]"#);
    world.receive(r#"2/a,["e"]"#);
    assert_eq!(world.said(), ["drop", "Disconnected(ParseError)", "attempt 1 in 1000 ms"]);
    world.run_for(SECOND);
    world.opened();
    world.receive(r#"0/a,{"sid":"second"}"#);
    world.receive(r#"2/a,["e"]"#);
    assert_eq!(world.said().last().map(String::as_str), Some("event e[]"));
}

#[test]
fn a_close_waits_for_what_is_queued_but_not_for_ever() {
    let (mut world, key) = World::joined(settings());
    world.call(key, "e", 1, 60 * SECOND).expect("sent");
    world.said();
    world.handle(Input::Close);
    assert_eq!(world.said(), ["answer 1 Disconnected", "Disconnected(ByClient)", "close", "send 1/a,"]);
    world.run_for(5 * SECOND);
    assert_eq!(world.said(), ["drop", "over"]);
    assert_eq!(world.manager.deadline(), None);
}

/// What can happen.
#[derive(Debug, Clone)]
enum Step {
    Opened,
    Lost,
    Receive(&'static str),
    Emit(bool),
    Forget,
    Join(bool),
    Leave,
    Rejoin,
    Close,
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let packets = [
        r#"0/a,{"sid":"x","pid":"p"}"#,
        r#"0/b,{"sid":"y"}"#,
        "0/a,{}",
        "1/a,",
        r#"2/a,["e","o"]"#,
        r#"2/b,1["e"]"#,
        "3/a,0[1]",
        "3/a,1[1]",
        "3/b,2[]",
        r#"4/a,{"message":"no"}"#,
        "nonsense",
        r#"51-/a,["e"]"#,
    ];
    prop_oneof![
        3 => Just(Step::Opened),
        2 => Just(Step::Lost),
        6 => proptest::sample::select(packets.to_vec()).prop_map(Step::Receive),
        6 => any::<bool>().prop_map(Step::Emit),
        1 => Just(Step::Forget),
        2 => any::<bool>().prop_map(Step::Join),
        1 => Just(Step::Leave),
        1 => Just(Step::Rejoin),
        1 => Just(Step::Close),
        4 => (0u64..30_000).prop_map(Step::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]
    /// Whatever happens: every call ends exactly once, nothing stays due, the limits hold, and after the end there is silence.
    #[test]
    fn schedules(steps in proptest::collection::vec(step(), 0..60), retries: bool, retry_first: bool, attempts in proptest::option::of(0u32..4)) {
        let mut reconnect = Reconnect::new();
        if let Some(attempts) = attempts {
            reconnect = reconnect.attempts(attempts);
        }
        let limits = Limits { items: 5, bytes: 2000 };
        let retries = retries.then_some(1);
        let mut world = World::new(Settings { reconnect, retries, retry_first, buffer: limits, ..settings() });
        let mut keys = vec![world.manager.join("/a").expect("a new one")];
        let mut asked = BTreeMap::new();
        let mut calls = Vec::new();
        for (number, step) in steps.into_iter().enumerate() {
            let waiter = number as u32;
            match step {
                Step::Opened => world.opened(),
                Step::Lost => world.lost(),
                Step::Receive(text) => world.receive(text),
                Step::Emit(ask) => {
                    let key = keys[number % keys.len()];
                    match ask {
                        false => drop(world.emit(key, "e")),
                        true => if let Ok(call) = world.call(key, "e", waiter, SECOND * 7) {
                            asked.insert(waiter, 0);
                            calls.push((call, waiter));
                        }
                    }
                }
                Step::Forget => if let Some((call, waiter)) = calls.pop() {
                    world.manager.forget(call);
                    // It may have been answered before.
                    asked.remove(&waiter);
                },
                Step::Join(other) => keys.extend(world.manager.join(if other { "/b" } else { "/a" })),
                Step::Leave => world.handle(Input::Leave(keys[number % keys.len()])),
                Step::Rejoin => drop(world.manager.rejoin(keys[number % keys.len()])),
                Step::Close => world.handle(Input::Close),
                Step::Pass(millis) => world.run_for(Duration::from_millis(millis)),
            }
            world.listen();
            prop_assert!(world.manager.outgoing_bytes <= limits.bytes + 1000);
            for namespace in &world.manager.namespaces {
                prop_assert!(namespace.waiting.len() <= limits.items && namespace.queue.len() <= limits.items);
            }
        }
        world.handle(Input::Close);
        world.run_for(10 * SECOND);
        prop_assert_eq!(world.manager.state, State::Over);
        prop_assert_eq!((world.manager.calls.len(), world.manager.deadline()), (0, None));
        let said = world.said();
        prop_assert_eq!(said.iter().filter(|line| *line == "over").count(), 1);
        prop_assert_eq!(said.last().map(String::as_str), Some("over"));
        for line in said.iter().filter_map(|line| line.strip_prefix("answer ")) {
            let waiter = line.split(' ').next().and_then(|number| number.parse::<u32>().ok()).expect("a number");
            if let Some(count) = asked.get_mut(&waiter) {
                *count += 1;
            }
        }
        prop_assert!(asked.values().all(|count| *count == 1), "{asked:?} {said:?}");
        prop_assert!(world.now >= world.start);
    }
}
