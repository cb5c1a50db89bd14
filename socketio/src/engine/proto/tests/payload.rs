//! Packets and payloads, one by one: what is legal, what is read leniently, and what is refused.

use crate::{
    engine::proto::{Frame, FrameData, Message, Packet, payload},
    text::Text,
    websocket::Framed,
};
use bytes::Bytes;

/// Decodes a body; `!` stands for an illegal packet.
#[track_caller]
fn check(body: &str, expected: &[&str]) {
    let shown = |packet: Packet| match packet {
        Packet::Open(text) => format!("open {text}"),
        Packet::Close => "close".into(),
        Packet::Ping(text) => format!("ping {text}"),
        Packet::Pong(text) => format!("pong {text}"),
        Packet::Message(Message::Text(text)) => format!("text {text}"),
        Packet::Message(Message::Binary(bytes)) => format!("binary {}", String::from_utf8_lossy(&bytes)),
        Packet::Upgrade => "upgrade".into(),
        Packet::Noop => "noop".into(),
    };
    let body = Text::from(body.replace('|', "\x1e"));
    let packets: Vec<String> = payload::decode(&body).map(|packet| packet.map_or("!".into(), shown)).collect();
    assert_eq!(packets, expected, "{body:?}");
}

#[test]
fn every_type_is_read() {
    check(
        "0{}|1|2|2probe|3|3probe|4a|5|6",
        &["open {}", "close", "ping ", "ping probe", "pong ", "pong probe", "text a", "upgrade", "noop"],
    );
    check("4", &["text "]);
    check("4\u{1f600}|4é", &["text \u{1f600}", "text é"]);
    check("1more|5more|6more", &["close", "upgrade", "noop"]);
}

#[test]
fn what_is_no_packet_is_refused() {
    check("", &["!"]);
    check("|", &["!", "!"]);
    check("4a|", &["text a", "!"]);
    check("|4a", &["!", "text a"]);
    check("4a||4b", &["text a", "!", "text b"]);
    check("7|8|9|a|é| 4|B", &["!"; 7]);
    // Revision 3 separated packets by their lengths: this is one message of it, and one of ours with an odd text.
    check("2:4a", &["ping :4a"]);
}

#[test]
fn base64_is_read_as_leniently_as_in_node() {
    for same in ["bYWJj", "bYWJj=", "bYWJj==", "bY WJj", "bYW\nJj", "bY.W.J.j", "bYWJj=ZGVm", "bYWJjZ"] {
        check(same, &["binary abc"]);
    }
    check("bYQ==|bYQ=|bYQ|bYR", &["binary a"; 4]);
    check("bPz8_|bPz8/|bPj4-|bPj4+", &["binary ???", "binary ???", "binary >>>", "binary >>>"]);
    check("b|b=|bé|bA", &["binary "; 4]);
    check("b=bad", &["binary "]);
}

#[test]
fn frames_are_joined_and_binary_is_base64() {
    let frames = [
        Frame::control(&Packet::Ping(Text::default())),
        Frame::message(Message::Text("a".into())),
        Frame::message(Message::Binary(Bytes::from_static(b"\xff\xfe"))),
        Frame::message(Message::Binary(Bytes::new())),
        Frame::control(&Packet::Noop),
        Frame::control(&Packet::Close),
    ];
    let body = payload::encode(frames.iter());
    assert_eq!(String::from_utf8_lossy(&body), "2\x1e4a\x1eb//4=\x1eb\x1e6\x1e1");
    assert!(payload::encode([].into_iter()).is_empty());
}

#[test]
fn a_message_takes_the_free_bytes_in_front_of_it() {
    for text in ["", "2[]", &"x".repeat(124), &"x".repeat(125), &"x".repeat(65_534), &"x".repeat(65_535)] {
        let behind = Frame::message_behind([b"...........", text.as_bytes()].concat(), 11);
        assert_eq!(behind, Frame::message(Message::Text(text.into())), "{} bytes", text.len());
        let FrameData::Text(framed) = behind.into_data() else { panic!("a text") };
        assert_eq!(framed.payload(), format!("4{text}"));
        assert_eq!(framed.as_payload(), format!("4{text}").as_bytes());
    }
}

#[test]
fn what_is_sent_often_is_framed_in_the_program() {
    for (packet, text) in [(Packet::Close, "1"), (Packet::Ping(Text::default()), "2"), (Packet::Upgrade, "5"), (Packet::Noop, "6")]
    {
        assert_eq!(Frame::control(&packet).into_data(), FrameData::Text(Framed::text(&[text.as_bytes()])));
    }
}

#[test]
fn what_a_transport_says_by_itself_is_not_worth_compressing() {
    let text = Text::from("x");
    for packet in [Packet::Open(text.clone()), Packet::Ping(text.clone()), Packet::Pong(text.clone()), Packet::Upgrade] {
        assert!(Frame::control(&packet).compress, "{packet:?}");
    }
    for packet in [Packet::Message(Message::Text(text)), Packet::Message(Message::Binary(Bytes::new()))] {
        assert!(Frame::control(&packet).compress, "{packet:?}");
    }
    for packet in [Packet::Noop, Packet::Close] {
        assert!(!Frame::control(&packet).compress, "{packet:?}");
    }
}

#[test]
fn a_frame_costs_its_bytes_and_its_place_in_the_queue() {
    let cost = |length: usize| Frame::binary(Bytes::from(vec![0; length])).cost();
    assert_eq!(cost(1000) - cost(0), 1000);
    assert!(cost(0) >= std::mem::size_of::<Frame>());
}
