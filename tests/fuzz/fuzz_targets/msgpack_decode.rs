//! Binary messages into the MessagePack parser, and the packets that come out through it again and into typed arguments.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use socketio::{
    contract::Incoming,
    parser::{Binary, Kind, Limits, MsgPack, Packet, Parser, Part},
};

fuzz_target!(|message: &[u8]| {
    check(Bytes::copy_from_slice(message));
    // Most inputs are no packet: as the data of one they get further.
    check([&b"\x84\xa4type\x02\xa3nsp\xa1/\xa2id\x01\xa4data\x92\xa1a"[..], message].concat().into());
});

fn read(message: Bytes) -> Option<Packet> {
    let mut decoder = MsgPack.decoder(Limits { max_attachments: 10, max_attachment_bytes: 1_000 });
    decoder.decode(Part::Binary(message)).ok().map(|packet| packet.expect("a message is a whole packet"))
}

fn check(message: Bytes) {
    let length = message.len();
    let Some(packet) = read(message) else { return };
    let _ = format!("{packet:?}");
    // What one byte can grow to: a piece of binary data, which takes two.
    assert!(packet.payload().len() <= 20 * length);
    assert!(packet.payload().is_empty() || serde_json::from_str::<serde::de::IgnoredAny>(packet.payload()).is_ok());
    let Part::Binary(again) = MsgPack.encode(&packet).first else { panic!("not binary") };
    let again = read(again).expect("our own packet");
    assert_eq!(again, packet);
    // What the parser makes, the checks of a foreign one accept.
    let built = Packet::new(packet.kind(), packet.namespace(), packet.id(), packet.payload(), packet.attachments().to_vec());
    assert_eq!(built.as_ref(), Ok(&packet));
    if packet.kind() != Kind::Event {
        return;
    }
    let event = Incoming::new(packet).expect("has a payload");
    event.validate().expect("the parser writes JSON");
    let pieces: usize = event.attachments().len();
    let binary = event.args().rest::<Binary>("pieces").map_or(0, |list| list.len());
    assert!(binary <= pieces);
}
