//! Several servers on a simulated network with a virtual clock: messages are delayed, overtake each other, are lost and doubled, and
//! servers die. Every question ends exactly once and in time, and with what there was to find.

use super::*;
use crate::{
    adapter::message::SocketRecord,
    parser::Body,
    room::{Room, Target},
    text::Text,
};
use proptest::prelude::*;
use std::collections::HashMap;

const HEARTBEAT: Liveness = Liveness::Heartbeat { interval: Duration::from_secs(5), timeout: Duration::from_secs(10) };
const QUESTION: Duration = Duration::from_secs(5);

/// What the network does to messages, in percent and milliseconds.
#[derive(Debug, Clone, Copy)]
struct Faults {
    delay: u64,
    /// Between two servers, later messages may arrive earlier.
    overtakes: bool,
    lost: u64,
    doubled: u64,
    /// Whether answers tell who sends them.
    named: bool,
    /// Whether servers hear themselves.
    echo: bool,
    /// Whether the broker refuses to count, in percent of all counts.
    uncounted: u64,
}

const NONE: Faults = Faults { delay: 100, overtakes: false, lost: 0, doubled: 0, named: true, echo: true, uncounted: 0 };

#[derive(Debug)]
enum Event {
    Arrives {
        to: usize,
        envelope: Envelope,
    },
    Counted {
        at: usize,
        id: RequestId,
    },
    /// A client of this server acknowledges the question of another.
    Acknowledges {
        at: usize,
        id: RequestId,
        to: Option<NodeId>,
        client: usize,
    },
    Asks {
        at: usize,
        id: RequestId,
        question: Question,
        timeout: Duration,
    },
    Dies(usize),
    Closes(usize),
}

struct Server {
    cluster: Cluster,
    alive: bool,
    clients: usize,
    /// So many of them acknowledge.
    willing: usize,
}

/// A question as the one who asked sees it.
#[derive(Debug, Default)]
struct Record {
    asked_by: usize,
    ends: Option<Instant>,
    /// What was found, and how many servers answered once and how many clients they named: what reached the one who asked in time.
    found: Vec<String>,
    answers: HashMap<String, (bool, u64, u64)>,
    counted: Option<usize>,
    ending: Option<(Instant, Ending)>,
}

struct World {
    start: Instant,
    now: Instant,
    dice: u64,
    faults: Faults,
    servers: Vec<Server>,
    events: BTreeMap<(Instant, u64), Event>,
    number: u64,
    /// When the last message of one to another arrives.
    last: HashMap<(usize, usize), Instant>,
    questions: BTreeMap<RequestId, Record>,
    broadcasts: Vec<usize>,
}

fn node(server: usize) -> NodeId {
    format!("s{server}").into()
}

fn index(node: &NodeId) -> Option<usize> {
    node.as_str().strip_prefix('s')?.parse().ok()
}

impl World {
    fn new(liveness: Liveness, clients: &[(usize, usize)], faults: Faults, dice: u64) -> World {
        let start = Instant::now();
        let server = |(at, (clients, willing)): (usize, &(usize, usize))| {
            let cluster = Cluster::new(node(at), liveness);
            Server { cluster, alive: true, clients: *clients, willing: *willing.min(clients) }
        };
        let mut world = World {
            start,
            now: start,
            dice: dice | 1,
            faults,
            servers: clients.iter().enumerate().map(server).collect(),
            events: BTreeMap::new(),
            number: 0,
            last: HashMap::new(),
            questions: BTreeMap::new(),
            broadcasts: vec![0; clients.len()],
        };
        (0..clients.len()).for_each(|at| world.give(at, Input::Opened));
        world
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice % sides.max(1)
    }

    fn later(&mut self, after: Duration, event: Event) {
        self.at(self.now + after, event);
    }

    fn at(&mut self, when: Instant, event: Event) {
        self.number += 1;
        self.events.insert((when, self.number), event);
    }

    fn ask(&mut self, number: usize, after: Duration, at: usize, question: Question, timeout: Duration) -> RequestId {
        let id = RequestId::from(format!("q{number}"));
        let (when, asks) = (self.start + after, Event::Asks { at, id: id.clone(), question, timeout });
        self.at(when, asks);
        id
    }

    /// Lets the network have a message.
    fn send(&mut self, from: usize, to: usize, message: Message, named: bool) {
        let copies = if self.roll(100) < self.faults.lost { 0 } else { 1 + usize::from(self.roll(100) < self.faults.doubled) };
        for _ in 0..copies {
            let mut when = self.now + Duration::from_millis(1 + self.roll(self.faults.delay));
            if !self.faults.overtakes {
                let last = self.last.entry((from, to)).or_insert(when);
                when = when.max(*last);
                *last = when;
            }
            let envelope = Envelope { sender: named.then(|| node(from)), message: message.clone(), offset: None };
            self.at(when, Event::Arrives { to, envelope });
        }
    }

    /// Hands a server an input and carries out what it wants.
    fn give(&mut self, at: usize, input: Input) {
        let is_time = matches!(input, Input::Time);
        self.servers[at].cluster.handle(input, self.now);
        while let Some(output) = self.servers[at].cluster.poll() {
            match output {
                Output::Publish(message) => {
                    for to in 0..self.servers.len() {
                        if to != at || self.faults.echo {
                            self.send(at, to, message.clone(), true);
                        }
                    }
                }
                Output::Respond(to, message) => match to {
                    Some(to) => index(&to).into_iter().for_each(|to| self.send(at, to, message.clone(), self.faults.named)),
                    None => (0..self.servers.len()).for_each(|to| self.send(at, to, message.clone(), self.faults.named)),
                },
                Output::Census(id) => {
                    let after = Duration::from_millis(self.roll(self.faults.delay));
                    self.later(after, Event::Counted { at, id });
                }
                Output::Perform(deed) => self.perform(at, deed),
                Output::Found(id, finding) => {
                    let record = self.questions.get_mut(&id).expect("a question that was asked");
                    assert!(record.ending.is_none(), "found after the end");
                    match finding {
                        Finding::Acknowledged(body) | Finding::Server(body) => record.found.push(body.json().to_owned()),
                        Finding::Sockets(sockets) => record.found.extend(sockets.into_iter().map(|socket| socket.id)),
                    }
                }
                Output::Finished(id, ending) => {
                    let record = self.questions.get_mut(&id).expect("a question that was asked");
                    assert!(record.ending.replace((self.now, ending)).is_none(), "ended twice");
                    assert!(record.ends.is_some_and(|ends| self.now <= ends), "ended late");
                }
            }
        }
        if let Some(deadline) = self.servers[at].cluster.deadline() {
            assert!(deadline > self.now || !is_time, "the deadline was not dealt with");
        }
    }

    fn perform(&mut self, at: usize, deed: Deed) {
        let (clients, willing) = (self.servers[at].clients, self.servers[at].willing);
        match deed {
            Deed::Ask { id, from, .. } => {
                self.give(at, Input::Answer { id: id.clone(), to: from.clone(), answer: Answer::Clients(clients as u64) });
                for client in 0..willing {
                    let after = Duration::from_millis(self.roll(200));
                    self.later(after, Event::Acknowledges { at, id: id.clone(), to: from.clone(), client });
                }
            }
            Deed::Fetch { id, from, .. } => {
                let sockets = (0..clients).map(|client| socket(at, client)).collect();
                self.give(at, Input::Answer { id, to: from, answer: Answer::Sockets(sockets) });
            }
            Deed::Emit { ask: Some((id, from)), .. } => {
                let answer = Answer::Server(Body::ack(&(format!("s{at}"),)).expect("a string"));
                self.give(at, Input::Answer { id, to: from, answer });
            }
            Deed::Broadcast { .. } => self.broadcasts[at] += 1,
            _ => {}
        }
    }

    /// Notes what arrives in time, before the server sees it.
    fn note(&mut self, to: usize, envelope: &Envelope) {
        let Some(record) = envelope.message.request().and_then(|id| self.questions.get_mut(id)) else { return };
        let is_late = record.ending.is_some() || record.ends.is_none_or(|ends| ends <= self.now);
        if record.asked_by != to || is_late || !envelope.message.is_answer() {
            return;
        }
        let sender = envelope.sender.as_ref().map(NodeId::to_string).unwrap_or_default();
        let (answered, clients, acknowledged) = record.answers.entry(sender).or_default();
        match &envelope.message {
            Message::Asked { clients: more, .. } if !*answered => (*answered, *clients) = (true, *more),
            Message::Acknowledged { .. } => *acknowledged += 1,
            _ => *answered = true,
        }
    }

    /// Runs until this time, or until nothing happens any more.
    fn run(&mut self, time: Duration) {
        let end = self.start + time;
        loop {
            let timer = |(at, server): (usize, &Server)| Some((server.cluster.deadline().filter(|_| server.alive)?, at));
            let timer = self.servers.iter().enumerate().filter_map(timer).min();
            let event = self.events.first_key_value().map(|((when, _), _)| *when);
            match (event, timer) {
                (Some(when), timer) if when <= end && timer.is_none_or(|(deadline, _)| when <= deadline) => {
                    let Some((_, event)) = self.events.pop_first() else { return };
                    self.now = when;
                    self.happens(event);
                }
                (_, Some((deadline, at))) if deadline <= end => {
                    self.now = deadline;
                    self.give(at, Input::Time);
                }
                _ => return self.now = end,
            }
        }
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Dies(at) => self.servers[at].alive = false,
            Event::Arrives { to, .. } if !self.servers[to].alive => {}
            Event::Arrives { to, envelope } => {
                self.note(to, &envelope);
                self.give(to, Input::Received(envelope));
            }
            Event::Counted { at, .. } | Event::Acknowledges { at, .. } | Event::Asks { at, .. } | Event::Closes(at)
                if !self.servers[at].alive => {}
            Event::Counted { at, id } => {
                let alive = self.servers.iter().filter(|server| server.alive).count();
                let servers = (self.roll(100) >= self.faults.uncounted).then_some(alive);
                if let Some(record) = self.questions.get_mut(&id).filter(|record| record.ending.is_none()) {
                    record.counted = servers.filter(|_| record.ends.is_some_and(|ends| self.now < ends));
                }
                self.give(at, Input::Counted { id, servers });
            }
            Event::Acknowledges { at, id, to, client } => {
                let answer = Answer::Acknowledged(Body::ack(&(format!("s{at}-{client}"),)).expect("a string"));
                self.give(at, Input::Answer { id, to, answer });
            }
            Event::Asks { at, id, question, timeout } => {
                let record = Record { asked_by: at, ends: Some(self.now + timeout), ..Record::default() };
                self.questions.insert(id.clone(), record);
                self.give(at, Input::Ask { id, question, timeout });
            }
            Event::Closes(at) => {
                self.give(at, Input::Close);
                self.servers[at].alive = false;
            }
        }
    }

    /// What was found, in order.
    fn found(&self, id: &RequestId) -> Vec<String> {
        let mut found = self.questions[id].found.clone();
        found.sort();
        found
    }

    fn ending(&self, id: &RequestId) -> Option<Ending> {
        self.questions[id].ending.map(|(_, ending)| ending)
    }

    /// What there is to find on all servers but one, of those that live.
    fn expected(&self, asked_by: usize, kind: usize) -> Vec<String> {
        let mut expected = Vec::new();
        for (at, server) in self.servers.iter().enumerate().filter(|(at, server)| *at != asked_by && server.alive) {
            match kind {
                0 => expected.extend((0..server.willing).map(|client| format!("[\"s{at}-{client}\"]"))),
                1 => expected.extend((0..server.clients).map(|client| socket(at, client).id)),
                2 => expected.push(format!("[\"s{at}\"]")),
                _ => {}
            }
        }
        expected.sort();
        expected
    }
}

fn socket(server: usize, client: usize) -> SocketRecord {
    let (rooms, text) = (vec![Room::from("r")], Text::from_static("{}"));
    SocketRecord { id: format!("s{server}-{client}"), handshake: text.clone(), rooms, data: text }
}

fn question(kind: usize) -> Question {
    let (target, event) = (Target::default(), Body::event("ev", &()).expect("no arguments"));
    match kind {
        0 => Question::Clients { target, event, single: false },
        1 => Question::Sockets { target },
        2 => Question::Servers { event },
        _ => Question::Count,
    }
}

fn liveness() -> impl Strategy<Value = Liveness> {
    prop_oneof![Just(Liveness::Census), Just(HEARTBEAT)]
}

/// When, who and what.
fn questions() -> impl Strategy<Value = Vec<(u64, usize, usize)>> {
    proptest::collection::vec((1_000u64..30_000, any::<usize>(), 0usize..4), 1..12)
}

fn everybody_answers() -> impl Strategy<Value = Vec<(usize, usize)>> {
    proptest::collection::vec((0usize..4).prop_map(|clients| (clients, clients)), 1..6)
}

proptest! {
    #[test]
    fn without_faults_everything_is_found(
        liveness in liveness(), servers in everybody_answers(), questions in questions(), dice: u64,
        overtakes: bool, named: bool, echo: bool,
    ) {
        // Who is to be given up has to be told apart from others.
        let named = named || liveness == HEARTBEAT;
        let mut world = World::new(liveness, &servers, Faults { overtakes, named, echo, ..NONE }, dice);
        let ask = |(number, (at, by, kind)): (usize, &(u64, usize, usize))| {
            let by = by % servers.len();
            (world.ask(number, Duration::from_millis(*at), by, question(*kind), QUESTION), by, *kind)
        };
        let asked = questions.iter().enumerate().map(ask).collect::<Vec<_>>();
        world.run(Duration::from_secs(60));
        for (id, by, kind) in asked {
            prop_assert_eq!(world.ending(&id), Some(Ending::Complete { servers: servers.len() }));
            prop_assert_eq!(world.found(&id), world.expected(by, kind), "{}", kind);
        }
    }

    #[test]
    fn what_is_doubled_is_not_counted_twice(
        liveness in liveness(), servers in everybody_answers(), questions in questions(), dice: u64, doubled in 1u64..=100,
    ) {
        let mut world = World::new(liveness, &servers, Faults { doubled, ..NONE }, dice);
        let ask = |(number, (at, by, kind)): (usize, &(u64, usize, usize))| {
            let by = by % servers.len();
            (world.ask(number, Duration::from_millis(*at), by, question(*kind), QUESTION), by, *kind)
        };
        let asked = questions.iter().enumerate().map(ask).collect::<Vec<_>>();
        world.run(Duration::from_secs(60));
        for (id, by, kind) in asked {
            prop_assert_eq!(world.ending(&id), Some(Ending::Complete { servers: servers.len() }));
            let of = |found: Vec<String>| found.into_iter().map(|text| text.split('-').next().unwrap_or_default().to_owned());
            let (found, expected) = (world.found(&id), world.expected(by, kind));
            if kind == 0 {
                // One client's acknowledgement may take the place of another's of the same server.
                prop_assert!(of(found).eq(of(expected)));
            } else {
                prop_assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn whatever_happens_every_question_ends_in_time_with_the_right_numbers(
        liveness in liveness(),
        servers in proptest::collection::vec((0usize..4, 0usize..4), 1..6),
        questions in questions(),
        dice: u64, overtakes: bool, echo: bool,
        (lost, doubled, uncounted) in (0u64..60, 0u64..30, 0u64..30),
        deaths in proptest::collection::vec((500u64..30_000, any::<usize>(), any::<bool>()), 0..3),
    ) {
        let faults = Faults { delay: 1500, overtakes, lost, doubled, named: true, echo, uncounted };
        let mut world = World::new(liveness, &servers, faults, dice);
        for (number, (at, by, kind)) in questions.iter().enumerate() {
            world.ask(number, Duration::from_millis(*at), by % servers.len(), question(*kind), QUESTION);
        }
        for (at, who, orderly) in deaths {
            let who = who % servers.len();
            let when = world.start + Duration::from_millis(at);
            world.at(when, if orderly { Event::Closes(who) } else { Event::Dies(who) });
        }
        world.run(Duration::from_secs(60));
        for record in world.questions.values() {
            let Some((_, ending)) = record.ending else {
                prop_assert!(!world.servers[record.asked_by].alive, "nobody is there to hear of the end");
                continue;
            };
            // What reached the one who asked, counted by somebody else.
            let answered = record.answers.values().filter(|(answered, ..)| *answered).count();
            let owed = record.answers.values().map(|(_, clients, acknowledged)| clients.saturating_sub(*acknowledged)).sum::<u64>();
            match ending {
                Ending::Complete { servers } if liveness == Liveness::Census => {
                    prop_assert_eq!(Some(servers), record.counted.map(|counted| counted.max(1)));
                    prop_assert!(record.answers.is_empty() || (answered + 1 >= servers && owed == 0));
                }
                Ending::TimedOut { servers, clients } if liveness == Liveness::Census => {
                    prop_assert_eq!(servers, record.counted.map_or(1, |counted| counted.saturating_sub(answered + 1)));
                    prop_assert_eq!(clients as u64, owed);
                }
                Ending::Complete { servers } => prop_assert!(servers <= world.servers.len()),
                Ending::TimedOut { servers, clients } => {
                    prop_assert!(servers + answered < world.servers.len());
                    prop_assert!(clients as u64 <= owed);
                    prop_assert!(servers > 0 || clients > 0 || !world.servers[record.asked_by].alive);
                }
            }
        }
    }

    #[test]
    fn with_heartbeats_a_question_is_complete_without_the_dead(
        servers in proptest::collection::vec((1usize..4).prop_map(|clients| (clients, clients)), 3..6),
        kind in 0usize..3, dice: u64, orderly: bool, echo: bool, died in 1_000u64..60_000, before in 0u64..300,
    ) {
        let mut world = World::new(HEARTBEAT, &servers, Faults { echo, ..NONE }, dice);
        let victim = servers.len() - 1;
        let dies = world.start + Duration::from_millis(died);
        world.at(dies, if orderly { Event::Closes(victim) } else { Event::Dies(victim) });
        // Just before it dies, so that it may or may not have answered, in part or in full.
        let at = Duration::from_millis(died.saturating_sub(before).max(500));
        let id = world.ask(0, at, 0, question(kind), Duration::from_secs(600));
        world.run(Duration::from_secs(120));
        let Some((when, Ending::Complete { servers: count })) = world.questions[&id].ending else {
            return Err(TestCaseError::fail("not complete"));
        };
        prop_assert!(count == servers.len() || count == servers.len() - 1);
        prop_assert!(when <= dies + Duration::from_secs(11), "as soon as it is given up");
        let victim = format!("s{victim}");
        let found = world.found(&id).into_iter().filter(|found| !found.contains(&victim)).collect::<Vec<_>>();
        prop_assert_eq!(found, world.expected(0, kind), "all of the others");
    }

    #[test]
    fn broadcasts_reach_all_others_once(liveness in liveness(), count in 1usize..6, echo: bool, dice: u64, tells in 0usize..20) {
        let mut world = World::new(liveness, &vec![(0, 0); count], Faults { echo, ..NONE }, dice);
        for _ in 0..tells {
            let event = Body::event("ev", &()).expect("no arguments");
            world.give(0, Input::Tell(Message::Broadcast { target: Target::default(), event }));
        }
        world.run(Duration::from_secs(10));
        prop_assert!(world.broadcasts[1..].iter().all(|heard| *heard == tells));
        prop_assert_eq!(world.broadcasts[0], 0);
    }
}
