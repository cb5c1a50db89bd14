//! Properties: nothing a peer sends panics, what is encoded comes back, and no schedule loses or reorders a message.

use super::{
    audit, client_audit,
    world::{Options, World},
};
use crate::{
    engine::proto::{Frame, Message, Packet, Payload, Revision, payload, v3},
    text::Text,
};
use proptest::prelude::*;
use std::time::Duration;

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        "[^\u{1e}]{0,12}".prop_map(|text| Message::Text(text.into())),
        proptest::collection::vec(any::<u8>(), 0..12).prop_map(|bytes| Message::Binary(bytes.into())),
    ]
}

fn packet() -> impl Strategy<Value = Packet> {
    prop_oneof![
        4 => message().prop_map(Packet::Message),
        1 => "[^\u{1e}]{0,6}".prop_map(|text| Packet::Open(text.into())),
        1 => prop_oneof![Just(Packet::Ping("probe".into())), Just(Packet::Ping(Text::default()))],
        1 => prop_oneof![Just(Packet::Pong("probe".into())), Just(Packet::Pong(Text::default()))],
        1 => prop_oneof![Just(Packet::Close), Just(Packet::Upgrade), Just(Packet::Noop)],
    ]
}

/// One step of a random life.
#[derive(Debug, Clone)]
enum Step {
    ServerSends,
    ClientSends,
    Wait(u64),
    /// The probing WebSocket breaks, if there is one.
    BreakProbe,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::ServerSends),
        6 => Just(Step::ClientSends),
        4 => (0_u64..300).prop_map(Step::Wait),
        1 => (0_u64..100_000).prop_map(Step::Wait),
        1 => Just(Step::BreakProbe),
    ]
}

proptest! {
    #[test]
    fn a_payload_comes_back(packets in proptest::collection::vec(packet(), 1..8)) {
        let frames: Vec<Frame> = packets.iter().map(Frame::control).collect();
        let body = Text::from_utf8(payload::encode(frames.iter())).expect("a payload is text");
        let decoded: Vec<Packet> = payload::decode(&body).map(|packet| packet.expect("our own packet")).collect();
        prop_assert_eq!(decoded, packets);
    }

    #[test]
    fn a_payload_of_revision_3_comes_back(packets in proptest::collection::vec(packet(), 1..8), base64 in any::<bool>()) {
        let revision = Revision::Three { base64 };
        let frames: Vec<Frame> = packets.iter().map(Frame::control).collect();
        let body = match revision.encode_payload(frames.iter()) {
            Payload::Text(text) => Text::from_utf8(text).expect("a text payload is text"),
            Payload::Binary(bytes) => {
                prop_assert!(!base64);
                v3::payload::text_of_binary(&bytes)
            }
        };
        let decoded: Vec<Packet> = revision.decode_payload(&body).map(|packet| packet.expect("our own packet")).collect();
        prop_assert_eq!(decoded, packets);
    }

    #[test]
    fn any_bytes_are_a_payload_of_revision_3_or_refused(text in "([0-9]{0,2}:?[0-9b]?\\PC{0,3}){0,6}", bytes in proptest::collection::vec(prop_oneof![0_u8..10, Just(255), any::<u8>()], 0..24)) {
        for body in [Text::from(text), v3::payload::text_of_binary(&bytes)] {
            let packets: Vec<_> = Revision::Three { base64: false }.decode_payload(&body).collect();
            // A mistake is the last that is heard.
            prop_assert!(packets.iter().rev().skip(1).all(Result::is_ok));
        }
    }

    #[test]
    fn any_text_decodes_or_is_refused(body in "\\PC*", marks in proptest::collection::vec((any::<prop::sample::Index>(), "[0-9b\u{1e}=\u{e9}]"), 0..8)) {
        let mut body: Vec<char> = body.chars().collect();
        for (index, mark) in marks {
            body.insert(index.index(body.len() + 1), mark.chars().next().expect("a character"));
        }
        let body: Text = body.into_iter().collect::<String>().into();
        let packets = payload::decode(&body).count();
        prop_assert_eq!(packets, body.matches('\u{1e}').count() + 1);
    }

    #[test]
    fn any_bytes_come_back_from_base64(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let frame = Frame::message(Message::Binary(bytes.clone().into()));
        let body = Text::from_utf8(payload::encode([&frame].into_iter())).expect("base64");
        let packet = payload::decode(&body).next().expect("one").expect("legal");
        prop_assert_eq!(packet, Packet::Message(Message::Binary(bytes.into())));
    }

    #[test]
    fn no_schedule_breaks_a_session(schedule in proptest::collection::vec(any::<u8>(), 0..200)) {
        audit::play(&schedule);
    }

    #[test]
    fn no_schedule_breaks_the_clients_half(schedule in proptest::collection::vec(any::<u8>(), 0..200)) {
        client_audit::play(&schedule);
    }

    #[test]
    fn no_interleaving_loses_or_reorders_a_message(
        steps in proptest::collection::vec(step(), 0..60),
        websocket in any::<bool>(),
        upgrade in any::<bool>(),
        delays in proptest::collection::vec(0_u64..250, 1..40),
    ) {
        let mut world = World::new(Options { websocket, upgrade, delays });
        let (mut to_client, mut to_server) = (0, 0);
        for step in steps {
            match step {
                Step::ServerSends => { world.server.send(&format!("s{to_client}")); to_client += 1; }
                Step::ClientSends => { world.client.send(&format!("c{to_server}")); to_server += 1; }
                Step::Wait(millis) => world.run_for(Duration::from_millis(millis)),
                Step::BreakProbe => world.break_probe(),
            }
        }
        world.run_for(Duration::from_secs(5));
        let expected = |side: char, count: usize| (0..count).map(|n| format!("{side}{n}")).collect::<Vec<_>>();
        prop_assert_eq!(world.client.texts(), expected('s', to_client));
        prop_assert_eq!(world.server.texts(), expected('c', to_server));
        prop_assert_eq!((world.server.closed, world.client.closed), (None, None));
        // Whoever closes, what was sent before arrives, and both sides end.
        world.server.send("last");
        world.close_server();
        world.run_for(Duration::from_secs(60));
        prop_assert_eq!(world.client.texts().pop(), Some("last".to_owned()));
        prop_assert!(world.server.closed.is_some() && world.client.closed.is_some());
    }
}
