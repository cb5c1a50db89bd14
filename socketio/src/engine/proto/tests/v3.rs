//! Revision 3: its payloads, written by the reference, and what a session does otherwise.

use super::server::Script;
use crate::{
    engine::proto::{Frame, FrameData, Message, Packet, Payload, Revision, v3},
    text::Text,
    websocket::Framed,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::Deserialize;

const REVISION: Revision = Revision::Three { base64: false };

/// One line of the vectors. A packet is its text, or `#` and a binary message in base64.
#[derive(Deserialize)]
struct Vector {
    packets: Vec<String>,
    text: String,
    /// The binary body, in base64, if one of the packets is binary.
    binary: Option<String>,
}

fn frame(packet: &str) -> Frame {
    match packet.strip_prefix('#') {
        Some(base64) => Frame::binary(STANDARD.decode(base64).expect("base64").into()),
        None => Frame::control(&Packet::decode(packet.into()).expect("a packet")),
    }
}

fn shown(packet: Packet) -> String {
    match packet {
        Packet::Message(Message::Binary(bytes)) => format!("#{}", STANDARD.encode(bytes)),
        packet => match Frame::control(&packet).into_data() {
            FrameData::Text(framed) => String::from_utf8_lossy(framed.as_payload()).into_owned(),
            FrameData::Binary(_) => panic!("only messages are binary"),
        },
    }
}

fn decode(body: &Text) -> Vec<String> {
    REVISION.decode_payload(body).map(|packet| packet.map_or("!".into(), shown)).collect()
}

#[test]
fn payloads_of_the_reference() {
    let vectors = include_str!("../../../../../tests/vectors/payloads-v3.jsonl");
    for line in vectors.lines() {
        let Vector { packets, text, binary } = serde_json::from_str(line).expect("a vector");
        let frames: Vec<Frame> = packets.iter().map(|packet| frame(packet)).collect();
        assert_eq!(Revision::Three { base64: true }.encode_payload(frames.iter()), Payload::Text(text.clone().into()), "{line}");
        assert_eq!(decode(&text.clone().into()), packets, "{line}");
        match binary {
            Some(base64) => {
                let bytes = STANDARD.decode(base64).expect("base64");
                assert_eq!(REVISION.encode_payload(frames.iter()), Payload::Binary(bytes.clone().into()), "{line}");
                assert_eq!(decode(&v3::payload::text_of_binary(&bytes)), packets, "{line}");
            }
            None => assert_eq!(REVISION.encode_payload(frames.iter()), Payload::Text(text.into()), "{line}"),
        }
    }
}

#[test]
fn what_is_no_payload_is_refused() {
    let check = |body: &str, expected: &[&str]| assert_eq!(decode(&body.into()), expected, "{body:?}");
    check("", &["!"]);
    check("0:", &[]);
    check("0:2:4a0:", &["4a"]);
    check("002:4a", &["4a"]);
    check("4a", &["!"]);
    check(":4a", &["!"]);
    check("3:4a", &["!"]);
    check("2:4a2:4", &["4a", "!"]);
    check("2:4a2", &["4a", "!"]);
    check("-1:4", &["!"]);
    check("99999999999999999999999999:4", &["!"]);
    check("1:7", &["!"]);
    check("2:4a1:x2:4b", &["4a", "!"]);
    check("1:b", &["!"]);
    check("2:b7", &["!"]);
    // Within a surrogate pair.
    check("2:4😀", &["!"]);
    check("3:4😀", &["4😀"]);
    // The packets of revision 4.
    check("4a\x1e4b", &["!"]);
}

#[test]
fn what_is_no_binary_payload_is_refused() {
    let check = |body: &[u8], expected: &[&str]| assert_eq!(decode(&v3::payload::text_of_binary(body)), expected, "{body:?}");
    check(b"\0\x02\xff4a", &["4a"]);
    check(b"\x01\x02\xff\x04a", &["#YQ=="]);
    check(b"\x01\x01\xff\x022", &["!"]);
    check(b"\x01\x01\xff\x02", &["2"]);
    check(b"", &["!"]);
    check(b"\0\xff4a", &["!"]);
    check(b"\0\x0a\xff4a", &["!"]);
    check(b"\0\x02", &["!"]);
    check(b"\0\x03\xff4a", &["!"]);
    check(b"\0\x02\xff4a\0\x02\xff4", &["!"]);
    check(b"\0\x02\xff4a\0\0\xff", &["4a", "!"]);
    check(b"\0\x02\xff4a\x01\0\xff\0\x02\xff4b", &["4a", "!"]);
    check(b"\0\x02\xff4a\x01\x01\xff\x07", &["4a", "!"]);
    check(b"\0\x02\xff4\xff", &["!"]);
    check(&[&[0], &[9; 30][..], &[255]].concat(), &["!"]);
}

#[test]
fn packets_of_a_websocket() {
    let text = |text: &str| REVISION.decode_text(text.into()).map(shown);
    assert_eq!(text("4a").as_deref(), Ok("4a"));
    assert_eq!(text("b4AQID").as_deref(), Ok("#AQID"));
    assert!(text("").is_err() && text("b").is_err() && text("bx").is_err());
    let binary = |bytes: &'static [u8]| REVISION.decode_binary(Bytes::from_static(bytes)).map(shown);
    assert_eq!(binary(b"\x04\x01\x02\x03").as_deref(), Ok("#AQID"));
    assert_eq!(binary(b"\x02").as_deref(), Ok("2"));
    assert!(binary(b"").is_err() && binary(b"\x07a").is_err() && binary(b"4a").is_err());
    let frame = FrameData::Binary(Bytes::from_static(b"\x01\x02\x03"));
    assert_eq!(REVISION.websocket_frame(frame.clone()), FrameData::Binary(Bytes::from_static(b"\x04\x01\x02\x03")));
    assert_eq!(Revision::Three { base64: true }.websocket_frame(frame.clone()), FrameData::Text(Framed::text(&[b"b4AQID"])));
    assert_eq!(Revision::Four.websocket_frame(frame.clone()), frame);
}

#[test]
fn a_payload_that_means_nothing() {
    assert_eq!(decode(&REVISION.nothing()), ["6"]);
    let packets: Vec<_> = Revision::Four.decode_payload(&Revision::Four.nothing()).collect();
    assert_eq!(packets, [Ok(Packet::Noop)]);
}

#[test]
fn the_client_asks_and_the_server_answers() {
    let mut websocket = Script::legacy(true);
    assert_eq!(websocket.deadline(), Some(45.0));
    websocket.play("+30 ws 2 -> send 3\n +44 ws 4a -> message a\n +0.9 tick\n +0.2 tick -> closed: ping timeout");
    Script::legacy(false).play(
        "POST-started\n POST 1:2 -> ok, send 3\n +44 GET\n POST-started\n POST 1:22:4a -> ok, send 3, message a
         +44 tick\n +1 tick -> answer-GET 1, closed: ping timeout",
    );
}

#[test]
fn an_answer_to_nothing_ends_the_session() {
    Script::legacy(true).play("ws 3 -> closed: transport error");
    Script::legacy(false).play("POST-started\n POST 1:32:4a -> ok, closed: transport error");
}

#[test]
fn a_client_that_is_not_read_from_has_the_whole_time_again() {
    let mut script = Script::legacy(true);
    script.play("+40 suspend");
    assert_eq!(script.deadline(), Some(45.0 + 4.0 * 45.0));
    script.play("+60 resume");
    assert_eq!(script.deadline(), Some(145.0));
}

#[test]
fn an_upgrade_is_that_of_revision_4() {
    Script::legacy(false).play(
        "GET\n probe-opened -> accept\n probe 2probe -> probe 3probe\n +0.1 tick -> answer-GET 6
         probe 5 -> upgraded\n ws 2 -> send 3\n ws 4a -> message a",
    );
}

#[test]
fn a_payload_ends_with_its_first_mistake() {
    Script::legacy(false).play("POST-started\n POST 2:4a2:4b1:!2:4c -> ok, message a, message b, closed: parse error");
    Script::legacy(false).play("GET\n POST-started\n POST 2:4a1:12:4b -> ok, message a, answer-GET 6, closed: transport close");
}
