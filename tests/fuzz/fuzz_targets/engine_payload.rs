//! The body of a POST: decoded, encoded again, and decoded once more.
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

use engine::proto::{Frame, Packet, payload};
use libfuzzer_sys::fuzz_target;
use socketio::Text;

fuzz_target!(|body: &[u8]| {
    // As the service does with a body that is no UTF-8.
    let body = Text::from(String::from_utf8_lossy(body).into_owned());
    let packets: Vec<_> = payload::decode(&body).collect();
    assert_eq!(packets.len(), body.matches('\x1e').count() + 1);

    let legal: Vec<Packet> = packets.into_iter().flatten().collect();
    if legal.is_empty() {
        return;
    }
    let frames: Vec<Frame> = legal.iter().map(Frame::control).collect();
    let again = Text::from_utf8(payload::encode(frames.iter()).into()).expect("a payload is text");
    let decoded: Vec<Packet> = payload::decode(&again).map(|packet| packet.expect("our own packet")).collect();
    assert_eq!(decoded, legal);
    // A message costs its sender no less than its bytes.
    assert!(again.len() <= body.len() + 4 * legal.len());
});
