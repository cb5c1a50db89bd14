//! Packets that the npm package wrote, byte for byte in both directions; hostile bytes; and any value there and back.

use super::*;
use crate::{parser::Kind, text::Text};
use bytes::Bytes;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

/// One line of the vectors.
#[derive(Deserialize)]
struct Vector {
    /// `both`: we write the same. `read`: we only read it, because it says what JSON cannot say.
    dir: String,
    hex: String,
    r#type: u8,
    nsp: String,
    id: Option<u64>,
    /// JSON text.
    payload: String,
    /// In hex.
    attachments: Vec<String>,
}

fn bytes(hex: &str) -> Bytes {
    let digit = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
    (0..hex.len()).step_by(2).map(digit).collect::<Vec<_>>().into()
}

fn read(message: impl Into<Bytes>) -> Result<Packet, DecodeError> {
    let packet = MsgPack.decoder(Limits::default()).decode(Part::Binary(message.into()))?;
    Ok(packet.expect("a message is a packet"))
}

fn write(packet: &Packet) -> Bytes {
    let Parts { first: Part::Binary(bytes), rest } = MsgPack.encode(packet) else { panic!("not binary") };
    assert_eq!(rest, []);
    bytes
}

#[test]
fn packets_of_the_reference() {
    let mut written = 0;
    for line in include_str!("../../../../tests/vectors/msgpack.jsonl").lines() {
        let vector: Vector = serde_json::from_str(line).expect("a vector");
        let packet = read(bytes(&vector.hex)).unwrap_or_else(|error| panic!("{error}: {line}"));
        let attachments: Vec<Bytes> = vector.attachments.iter().map(|hex| bytes(hex)).collect();
        let seen = (packet.kind().number(), packet.namespace(), packet.id(), packet.attachments());
        assert_eq!(seen, (vector.r#type, &*vector.nsp, vector.id, &attachments[..]), "{line}");
        let value = |json: &str| if json.is_empty() { None } else { Some(serde_json::from_str::<Value>(json).expect("JSON")) };
        assert_eq!(value(packet.payload()), value(&vector.payload), "{line}");
        if vector.dir == "both" {
            assert_eq!(write(&packet), bytes(&vector.hex), "{line}");
            // So does what a server of another parser would say.
            let kind = Kind::from_number(vector.r#type).expect("a type");
            let own = Packet::new(kind, &vector.nsp, vector.id, &vector.payload, attachments).expect("a packet");
            assert_eq!(write(&own), bytes(&vector.hex), "{line}");
            written += 1;
        }
    }
    assert!(written > 15);
}

#[test]
fn our_own_packets() {
    use crate::parser::{Binary, Body, encode_ack, encode_connect, encode_disconnect, encode_event};
    let check = |encoded, expected: Value, attachments: usize| {
        let packet = read(write(&Packet::of_encoded(encoded))).expect("our own packet");
        let payload = if packet.payload().is_empty() { "null" } else { packet.payload() };
        let data: Value = serde_json::from_str(payload).expect("JSON");
        assert_eq!(json!([packet.kind().number(), packet.namespace(), packet.id(), data]), expected);
        assert_eq!(packet.attachments().len(), attachments);
    };
    check(encode_connect("/", Some(r#"{"sid":"x"}"#)), json!([0, "/", null, { "sid": "x" }]), 0);
    check(encode_disconnect("/chat"), json!([1, "/chat", null, null]), 0);
    let body = Body::event("e", &(1.0, u64::MAX, i64::MIN, "\u{1}", Binary::from(&b"ab"[..]))).expect("a body");
    let placeholder = json!({ "_placeholder": true, "num": 0 });
    check(encode_event("/chat", Some(3), body), json!([2, "/chat", 3, ["e", 1, u64::MAX, i64::MIN, "\u{1}", placeholder]]), 1);
    check(encode_ack("/", 0, Body::ack(&()).expect("a body")), json!([3, "/", 0, []]), 0);
    // Raw text is passed on as it was written.
    let raw = Packet::new(Kind::Event, "/", None, "[ \"\\u0061\\ud800\" , {\"x\" : [ ] } ,1e999, -0, 1E2 ]", Vec::new());
    let packet = read(write(&raw.expect("a packet"))).expect("our own packet");
    assert_eq!(packet.payload(), "[\"a\u{fffd}\u{fffd}\u{fffd}\",{\"x\":[]},null,0,100]");
}

#[test]
fn each_length_has_its_shortest_form() {
    fn check(payload: String, attachments: Vec<Bytes>, head: &[u8]) {
        let packet = Packet::new(Kind::Event, "/", None, &payload, attachments).expect("a packet");
        let message = write(&packet);
        // Behind `type`, `data`, the list and its name.
        let start = b"\x83\xa4type\x02\xa4data\x92\xa1a".len();
        assert_eq!(&message[start..start + head.len()], head);
        let again = read(message).expect("our own packet");
        assert_eq!((again.payload(), again.attachments()), (packet.payload(), packet.attachments()));
    }
    /// Four lengths with their heads, and those on both sides of 16 bits, which start with these kinds.
    fn heads(short: [(usize, &[u8]); 4], two: u8, four: u8) -> Vec<(usize, Vec<u8>)> {
        let long = [(65_535, vec![two, 0xff, 0xff]), (65_536, vec![four, 0, 1, 0, 0])];
        short.into_iter().map(|(length, head)| (length, head.to_vec())).chain(long).collect()
    }
    for (length, head) in heads([(31, b"\xbf"), (32, b"\xd9\x20"), (255, b"\xd9\xff"), (256, b"\xda\x01\0")], 0xda, 0xdb) {
        check(format!(r#"["a","{}"]"#, "x".repeat(length)), Vec::new(), &head);
    }
    for (length, head) in heads([(0, b"\xc4\0"), (255, b"\xc4\xff"), (256, b"\xc5\x01\0"), (257, b"\xc5\x01\x01")], 0xc5, 0xc6) {
        check(r#"["a",{"_placeholder":true,"num":0}]"#.into(), vec![vec![7; length].into()], &head);
    }
    for (length, head) in heads([(0, b"\x90"), (15, b"\x9f"), (16, b"\xdc\0\x10"), (256, b"\xdc\x01\0")], 0xdc, 0xdd) {
        check(format!(r#"["a",[{}]]"#, vec!["1"; length].join(",")), Vec::new(), &head);
    }
    for (length, head) in heads([(0, b"\x80"), (15, b"\x8f"), (16, b"\xde\0\x10"), (256, b"\xde\x01\0")], 0xde, 0xdf) {
        let entries: Vec<String> = (0..length).map(|key| format!(r#""{key}":null"#)).collect();
        check(format!(r#"["a",{{{}}}]"#, entries.join(",")), Vec::new(), &head);
    }
}

#[test]
fn what_is_no_packet_is_refused() {
    fn map(fields: &[(&str, &[u8])]) -> Vec<u8> {
        let mut message = vec![0x80 | fields.len() as u8];
        for (name, value) in fields {
            message.push(0xa0 | name.len() as u8);
            message.extend_from_slice(name.as_bytes());
            message.extend_from_slice(value);
        }
        message
    }
    let check = |message: Vec<u8>, error| assert_eq!(read(message.clone()).map(drop), Err(error), "{message:x?}");
    let event = |data: &[u8]| map(&[("type", b"\x02"), ("data", data), ("nsp", b"\xa1/")]);
    assert!(read(event(b"\x91\xa1a")).is_ok());
    check(vec![], DecodeError::Format);
    check(vec![0xc0], DecodeError::Format);
    check(vec![0xc1], DecodeError::Format);
    check([event(b"\x91\xa1a"), vec![0]].concat(), DecodeError::Format);
    check(map(&[]), DecodeError::UnknownType);
    check(map(&[("type", b"\x05"), ("nsp", b"\xa1/")]), DecodeError::UnknownType);
    check(map(&[("type", b"\xa12"), ("nsp", b"\xa1/")]), DecodeError::UnknownType);
    check(map(&[("type", b"\xff"), ("nsp", b"\xa1/")]), DecodeError::UnknownType);
    check(map(&[("type", b"\x00")]), DecodeError::Format);
    check(map(&[("type", b"\x00"), ("nsp", b"\x01")]), DecodeError::Format);
    for namespace in [&b"\xa0"[..], b"\xa1a", b"\xa4/a,b"] {
        check(map(&[("type", b"\x00"), ("nsp", namespace)]), DecodeError::NamespacePath);
    }
    for id in [&b"\xc0"[..], b"\xff", b"\xa11", b"\xcb\x3f\xf8\0\0\0\0\0\0", b"\xcf\x00\x20\0\0\0\0\0\0"] {
        check(map(&[("type", b"\x02"), ("data", b"\x91\xa1a"), ("id", id), ("nsp", b"\xa1/")]), DecodeError::Id);
    }
    // Payloads of another shape, or none.
    check(map(&[("type", b"\x02"), ("nsp", b"\xa1/")]), DecodeError::Payload);
    for data in [&b"\x80"[..], b"\xa1a", b"\xc0", b"\x90", b"\x91\xc0", b"\x91\x90"] {
        check(event(data), DecodeError::Payload);
    }
    check(map(&[("type", b"\x00"), ("data", b"\xc0"), ("nsp", b"\xa1/")]), DecodeError::Payload);
    check(map(&[("type", b"\x01"), ("data", b"\x80"), ("nsp", b"\xa1/")]), DecodeError::Payload);
    check(event(b"\x91\xaadisconnect"), DecodeError::ReservedName);
    // Cut off, or longer than they are.
    for data in [&b"\x92\xa1a"[..], b"\x91\xa2a", b"\xdd\xff\xff\xff\xff\xa1a", b"\x91\xc6\xff\xff\xff\xff", b"\x91\xcb\0"] {
        assert!(read(event(data)).is_err(), "{data:x?}");
    }
    // A key that is no scalar.
    check(event(b"\x92\xa1a\x81\x90\x01"), DecodeError::Format);
    assert_eq!(MsgPack.decoder(Limits::default()).decode(Part::Text(Text::from("2[]"))), Err(DecodeError::UnexpectedText));
}

#[test]
fn keys_become_text() {
    let message = b"\x83\xa4type\x02\xa4data\x92\xa1a\x87\x01\x01\xff\x02\xc0\x03\xc3\x04\xd4\0\0\x05\xcb\x3f\xf8\0\0\0\0\0\0\x06\xa1\"\x07\xa3nsp\xa1/";
    let packet = read(&message[..]).expect("a packet");
    assert_eq!(packet.payload(), r#"["a",{"1":1,"-1":2,"null":3,"true":4,"undefined":5,"1.5":6,"\"":7}]"#);
}

#[test]
fn extensions_are_shown_as_in_the_reference() {
    let message = b"\x83\xa4type\x02\xa4data\x94\xa1a\xd4\x05\x07\xc7\x02\xff\x01\x02\xd6\xff\x01\x02\x03\x04\xa3nsp\xa1/";
    let packet = read(&message[..]).expect("a packet");
    let piece = |num| json!({ "_placeholder": true, "num": num });
    let data: Value = serde_json::from_str(packet.payload()).expect("JSON");
    assert_eq!(data, json!(["a", [5, piece(0)], [-1, piece(1)], [-1, piece(2)]]));
    assert_eq!(packet.attachments(), [&b"\x07"[..], b"\x01\x02", b"\x01\x02\x03\x04"]);
}

#[test]
fn data_in_the_form_of_a_placeholder() {
    // { "_placeholder": true, "num": 0 }, alone and beside binary data.
    let forged = b"\x82\xac_placeholder\xc3\xa3num\x00";
    let message = |data: &[u8]| [&b"\x83\xa4type\x02\xa3nsp\xa1/\xa4data"[..], data].concat();
    let alone = read(message(&[&b"\x92\xa1a"[..], forged].concat())).expect("ordinary data");
    assert_eq!(alone.payload(), r#"["a",{"_placeholder":true,"num":0}]"#);
    assert_eq!(read(write(&alone)).map(|packet| packet.payload().to_owned()).as_deref(), Ok(alone.payload()));
    let beside = message(&[&b"\x93\xa1a\xc4\x01x"[..], forged].concat());
    assert_eq!(read(beside).map(drop), Err(DecodeError::Placeholder));
}

#[test]
fn pieces_of_binary_data_are_limited() {
    let message = |pieces: u16| {
        let mut message = b"\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa1a\xdc".to_vec();
        message.extend_from_slice(&pieces.to_be_bytes());
        (0..pieces).for_each(|_| message.extend_from_slice(b"\xc4\x01x"));
        message
    };
    assert_eq!(read(message(10_000)).map(|packet| packet.attachments().len()), Ok(10_000));
    assert_eq!(read(message(10_001)).map(drop), Err(DecodeError::TooManyAttachments));
    let mut decoder = MsgPack.decoder(Limits { max_attachments: 1, max_attachment_bytes: 9 });
    assert!(decoder.decode(Part::Binary(message(9).into())).is_ok());
    assert_eq!(decoder.decode(Part::Binary(message(10).into())).map(drop), Err(DecodeError::TooManyAttachments));
}

#[test]
fn depth_costs_no_stack_and_has_an_end() {
    let nested = |depth| {
        let mut message = b"\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa1a".to_vec();
        message.extend(std::iter::repeat_n(0x91, depth));
        message.push(0xc0);
        message
    };
    // One more list is around them.
    let packet = read(nested(1_999)).expect("a packet");
    assert_eq!(packet.payload().len(), "[\"a\",null]".len() + 2 * 1_999);
    assert_eq!(write(&packet).len(), nested(1_999).len());
    for depth in [2_000, 300_000] {
        assert_eq!(read(nested(depth)).map(drop), Err(DecodeError::Format), "what recursion could not read");
    }
}

fn data() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        // Not those that are integers: they come back as such.
        any::<f64>().prop_filter("is no integer", |number| number.fract() != 0.0).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 20, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..20).prop_map(Value::from),
            proptest::collection::btree_map("[a-z\\PC]{0,40}", inner, 0..20).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn any_data_comes_back(args in proptest::collection::vec(data(), 0..5), id in proptest::option::of(0..1_u64 << 53)) {
        let mut list = vec![Value::from("e")];
        list.extend(args);
        let payload = Value::from(list).to_string();
        let packet = Packet::new(Kind::Event, "/chat", id, &payload, Vec::new()).expect("a packet");
        let again = read(write(&packet)).expect("our own packet");
        prop_assert_eq!((again.namespace(), again.id()), (packet.namespace(), packet.id()));
        let value = |packet: &Packet| serde_json::from_str::<Value>(packet.payload()).expect("JSON");
        prop_assert_eq!(value(&again), value(&packet));
    }

    #[test]
    fn binary_data_comes_back(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..6), data in data()) {
        let pieces: Vec<crate::parser::Binary> = pieces.into_iter().map(Into::into).collect();
        let body = crate::parser::Body::event("e", &(&data, &pieces)).expect("a body");
        let packet = Packet::of_encoded(crate::parser::encode_event("/", None, body));
        let again = read(write(&packet)).expect("our own packet");
        prop_assert_eq!(again.attachments(), packet.attachments());
    }

    #[test]
    fn any_bytes_are_a_packet_or_refused(data in proptest::collection::vec(any::<u8>(), 0..80)) {
        let message = [&b"\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa1a"[..], &data].concat();
        if let Ok(packet) = read(message) {
            let again = read(write(&packet)).expect("our own packet");
            prop_assert_eq!((again.payload(), again.attachments()), (packet.payload(), packet.attachments()));
        }
    }
}
