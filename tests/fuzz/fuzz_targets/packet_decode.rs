//! Text and binary messages into the Socket.IO decoder, and the events that come out through everything a server does with
//! them: typed arguments, validation, and encoding them again.
//!
//! The input is a list of messages, separated by newlines; a line that starts with `#` is a binary message.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use serde::{Deserialize, de::IgnoredAny};
use socketio::{contract::{CowStr, Incoming, Raw, RejectionKind}, parser::{Binary, Body, Decoder, Encoded, Limits, Packet, encode_ack, encode_event}};
use std::{borrow::Cow, collections::HashMap};

/// The kinds of types that serde decodes in different ways.
#[derive(Deserialize)]
#[serde(untagged)]
#[allow(dead_code, reason = "only decoded")]
enum Any<'a> {
    Number(f64),
    Data(Binary),
    Text(#[serde(borrow)] Cow<'a, str>),
    Flattened {
        x: Option<Box<Binary>>,
        #[serde(flatten)]
        more: HashMap<String, IgnoredAny>,
    },
    List(Vec<IgnoredAny>),
}

fuzz_target!(|input: &[u8]| {
    let mut decoder = Decoder::new(Limits::default());
    for message in input.split(|byte| *byte == b'\n') {
        let packet = match message.strip_prefix(b"#") {
            Some(bytes) => decoder.binary(Bytes::copy_from_slice(bytes)),
            None => match std::str::from_utf8(message) {
                Ok(text) => decoder.text(text.into()),
                Err(_) => return,
            },
        };
        match packet {
            Ok(Some(packet)) => digest(packet),
            Ok(None) => assert!(decoder.is_waiting()),
            Err(_) => {
                assert!(!decoder.is_waiting());
                return;
            }
        }
    }
});

fn digest(packet: Packet) {
    let _ = format!("{packet:?}");
    let namespace = packet.namespace().to_owned();
    let Some(event) = Incoming::new(packet) else { return };
    let is_valid = event.validate().is_ok();
    let is_finished = event.args().finish();
    assert_eq!(is_finished.is_ok(), is_valid);
    assert!(is_finished.map_or_else(|rejection| rejection.kind() == RejectionKind::Malformed, |()| true));

    decode::<CowStr<'_>>(&event, is_valid);
    decode::<Any<'_>>(&event, is_valid);
    decode::<Binary>(&event, is_valid);
    decode::<serde_json::Value>(&event, is_valid);

    let args = event.raw_args();
    assert_eq!(args.len(), args.iter_raw().count());
    assert!(args.slice(1..).len() <= args.len());
    let raw: Result<Vec<Raw>, _> = event.args().rest("values");
    assert!(raw.is_ok() || !is_valid);
    let again = args.to_event(event.name());
    if is_valid {
        let owned = Body::event(event.name(), &raw.unwrap_or_default()).expect("raw values are JSON");
        assert_eq!(owned.attachments(), again.attachments());
        let attachments = again.attachments().to_vec();
        assert_comes_back(&encode_event(&namespace, event.ack_id(), again), &attachments);
        assert_comes_back(&encode_ack(&namespace, 1, args.to_body()), &attachments);
    }
}

/// Whatever the types: of a valid event, no argument is malformed.
fn decode<'a, T: Deserialize<'a>>(event: &'a Incoming, is_valid: bool) {
    let mut args = event.args();
    let read = args.next::<T>("a").and_then(|_| args.opt::<T>("b")).and_then(|_| args.rest::<T>("c"));
    let kind = read.and_then(|_| args.finish()).map_err(|rejection| rejection.kind());
    assert!(match kind {
        Ok(()) => is_valid,
        Err(RejectionKind::Malformed) => !is_valid,
        Err(_) => is_valid,
    });
}

fn assert_comes_back(encoded: &Encoded, attachments: &[Bytes]) {
    assert!(encoded.start >= 11);
    let mut decoder = Decoder::new(Limits { max_attachments: usize::MAX, max_attachment_bytes: usize::MAX });
    let mut packet = decoder.text(encoded.text().into()).expect("our own text");
    for bytes in &encoded.attachments {
        packet = decoder.binary(bytes.clone()).expect("our own attachment");
    }
    assert_eq!(packet.expect("complete").attachments(), attachments);
}
