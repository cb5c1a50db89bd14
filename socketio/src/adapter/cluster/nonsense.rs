//! Whatever comes in, in whatever order: nothing panics, nothing piles up, and every question has at most one end.

use super::*;
use crate::{adapter::message::SocketRecord, parser::Body, room::Target, text::Text};
use proptest::prelude::*;
use std::collections::HashMap;

fn name() -> impl Strategy<Value = Option<NodeId>> {
    prop_oneof![
        Just(None),
        (0u8..6).prop_map(|n| Some(format!("n{n}").into())),
        Just(Some("me".into())),
        Just(Some(EMITTER.into()))
    ]
}

/// Few, so that they meet.
fn id() -> impl Strategy<Value = RequestId> {
    (0u8..8).prop_map(|n| format!("q{n}").into())
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0u64..4, Just(u64::MAX), any::<u64>()]
}

fn time() -> impl Strategy<Value = Duration> {
    prop_oneof![(0u64..20_000).prop_map(Duration::from_millis), Just(Duration::ZERO), Just(Duration::MAX)]
}

fn body() -> Body {
    Body::event("ev", &()).expect("no arguments")
}

fn message() -> impl Strategy<Value = Message> {
    let (target, text) = (Target::default, Text::from_static("{}"));
    let socket = SocketRecord { id: String::new(), handshake: text.clone(), rooms: Vec::new(), data: text };
    prop_oneof![
        Just(Message::Broadcast { target: target(), event: body() }),
        (id(), proptest::option::of(time()), any::<bool>()).prop_map(move |(id, timeout, single)| Message::Ask {
            id,
            target: target(),
            event: body(),
            timeout,
            single
        }),
        (id(), number()).prop_map(|(id, clients)| Message::Asked { id, clients }),
        id().prop_map(|id| Message::Acknowledged { id, answer: body() }),
        Just(Message::Join { target: target(), rooms: Vec::new() }),
        id().prop_map(move |id| Message::Fetch { id, target: target() }),
        id().prop_map(move |id| Message::Fetched { id, sockets: vec![socket.clone()] }),
        id().prop_map(|id| Message::AskServers { id, event: body() }),
        id().prop_map(|id| Message::ServerAnswered { id, answer: body() }),
        id().prop_map(|id| Message::FetchedIds { id, ids: Vec::new() }),
        id().prop_map(|id| Message::FetchedRooms { id, rooms: Vec::new() }),
        Just(Message::Hello),
        Just(Message::Alive),
        Just(Message::Bye),
    ]
}

fn question() -> impl Strategy<Value = u8> {
    0u8..5
}

fn input() -> impl Strategy<Value = Input> {
    let received = |(sender, message)| Input::Received(Envelope { sender, message, offset: None });
    let asked = |(id, kind, timeout)| {
        let (target, event) = (Target::default(), body());
        let question = match kind {
            0 | 1 => Question::Clients { target, event, single: kind == 1 },
            2 => Question::Sockets { target },
            3 => Question::Servers { event },
            _ => Question::Count,
        };
        Input::Ask { id, question, timeout }
    };
    let counted = (id(), proptest::option::of(prop_oneof![0usize..5, Just(usize::MAX)]));
    prop_oneof![
        20 => (name(), message()).prop_map(received),
        5 => (id(), question(), time()).prop_map(asked),
        3 => counted.prop_map(|(id, servers)| Input::Counted { id, servers }),
        2 => Just(()).prop_map(|()| Input::Time),
        1 => id().prop_map(Input::Forget),
        1 => Just(()).prop_map(|()| Input::Opened),
        1 => message().prop_map(Input::Tell),
        1 => (id(), name()).prop_map(|(id, to)| Input::Answer { id, to, answer: Answer::Clients(1) }),
        1 => Just(()).prop_map(|()| Input::Close),
    ]
}

proptest! {
    #[test]
    fn no_input_brings_a_server_down(
        heartbeat: Option<(u64, u64)>,
        inputs in proptest::collection::vec((input(), 0u64..4000), 0..120),
    ) {
        let liveness = heartbeat.map_or(Liveness::Census, |(interval, timeout)| Liveness::Heartbeat {
            interval: Duration::from_millis(interval >> (interval % 64)),
            timeout: Duration::from_millis(timeout >> (timeout % 64)),
        });
        let (mut cluster, mut now) = (Cluster::new("me".into(), liveness), Instant::now());
        let mut open = HashMap::<RequestId, bool>::new();
        let mut closed = false;
        let inputs = inputs.into_iter().chain([(Input::Close, 0)]);
        let mut asked = 0;
        for (mut input, rest) in inputs {
            if let Input::Ask { id, .. } = &mut input {
                // Ids are fresh; others may know them before.
                *id = format!("q{asked}").into();
                open.insert(id.clone(), true);
                asked += 1;
            }
            let forgotten = if let Input::Forget(id) = &input { Some(id.clone()) } else { None };
            let (is_time, closes) = (matches!(input, Input::Time), matches!(input, Input::Close));
            now += Duration::from_millis(rest);
            cluster.handle(input, now);
            let outputs = std::iter::from_fn(|| cluster.poll()).collect::<Vec<_>>();
            // One input has bounded consequences: it may end all questions, and has a few of its own.
            prop_assert!(outputs.len() <= asked + 5);
            for output in outputs {
                match output {
                    Output::Found(id, _) => prop_assert_eq!(open.get(&id), Some(&true)),
                    Output::Finished(id, _) => prop_assert_eq!(open.insert(id, false), Some(true)),
                    _ => {}
                }
            }
            open.extend(forgotten.map(|id| (id, false)));
            closed |= closes;
            if closed {
                prop_assert_eq!(cluster.deadline(), None);
            } else if is_time {
                prop_assert!(cluster.deadline().is_none_or(|deadline| deadline > now));
            }
        }
        prop_assert!(cluster.questions.is_empty() && cluster.ends.is_empty());
        prop_assert!(open.values().all(|open| !open), "every end was told");
    }
}

#[test]
fn nobody_makes_a_server_remember_without_bound() {
    let heartbeat = Liveness::Heartbeat { interval: Duration::from_secs(5), timeout: Duration::from_secs(10) };
    for liveness in [Liveness::Census, heartbeat] {
        let (mut cluster, now) = (Cluster::new("me".into(), liveness), Instant::now());
        let hear = |cluster: &mut Cluster, number: usize, message: Message| {
            let sender = Some(format!("n{number}").into());
            cluster.handle(Input::Received(Envelope { sender, message, offset: None }), now);
            while cluster.poll().is_some() {}
        };
        hear(&mut cluster, 0, Message::Alive);
        let question = Question::Clients { target: Target::default(), event: body(), single: false };
        cluster.handle(Input::Ask { id: "q".into(), question, timeout: Duration::from_secs(5) }, now);
        for number in 1..MOST_SERVERS + 100 {
            hear(&mut cluster, number, Message::Acknowledged { id: "q".into(), answer: body() });
        }
        assert_eq!(cluster.questions.values().map(Pending::size).collect::<Vec<_>>(), [MOST_SERVERS]);
        assert!(cluster.nodes.iter().all(|nodes| nodes.known().len() == MOST_SERVERS));
    }
}
