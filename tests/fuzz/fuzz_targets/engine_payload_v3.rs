//! The body of a POST in revision 3, as text and as bytes: decoded, encoded again in both forms, and decoded once more.
#![no_main]

mod engine;
mod id {
    pub(crate) use socketio::SessionId;
}
mod reason {
    pub(crate) use socketio::DisconnectReason;
}
mod text {
    pub(crate) use socketio::Text;
}
#[allow(dead_code, unused_imports, reason = "only the frames that are sent are needed")]
#[path = "../../../socketio/src/websocket/mod.rs"]
mod websocket;

use engine::proto::{Frame, Packet, Payload, Revision, v3};
use libfuzzer_sys::fuzz_target;
use socketio::Text;

fuzz_target!(|body: &[u8]| {
    for text in [Text::from(String::from_utf8_lossy(body).into_owned()), v3::payload::text_of_binary(body)] {
        check(&text);
    }
});

fn check(body: &Text) {
    let revision = Revision::Three { base64: false };
    let packets: Vec<_> = revision.decode_payload(body).collect();
    assert!(packets.iter().rev().skip(1).all(Result::is_ok), "nothing comes after a mistake");
    // Each takes a length, a colon and a type.
    assert!(packets.len() <= body.len() / 3 + 1);

    let legal: Vec<Packet> = packets.into_iter().flatten().collect();
    if legal.is_empty() {
        return;
    }
    let frames: Vec<Frame> = legal.iter().map(Frame::control).collect();
    for base64 in [false, true] {
        let again = match (Revision::Three { base64 }).encode_payload(frames.iter()) {
            Payload::Text(text) => Text::from_utf8(text).expect("a payload is text"),
            Payload::Binary(bytes) => v3::payload::text_of_binary(&bytes),
        };
        let decoded: Vec<Packet> = revision.decode_payload(&again).map(|packet| packet.expect("our own packet")).collect();
        assert_eq!(decoded, legal);
    }
}
