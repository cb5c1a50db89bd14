//! Properties of the parser as a whole: what is encoded comes back, and nothing a peer sends panics or piles up.

use super::{Binary, Body, Decoder, Encoded, Kind, Limits, encode_ack, encode_event};
use crate::contract::{Incoming, Raw};
use bytes::Bytes;
use proptest::prelude::*;
use serde::{
    Serialize, Serializer,
    ser::{SerializeMap as _, SerializeSeq as _},
};
use serde_json::Value;

/// A JSON value with binary data in it.
#[derive(Debug, Clone)]
enum Tree {
    Leaf(Value),
    Binary(Vec<u8>),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Tree::Leaf(value) => value.serialize(serializer),
            Tree::Binary(bytes) => Binary::from(bytes.clone()).serialize(serializer),
            Tree::List(items) => {
                let mut sequence = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| sequence.serialize_element(item))?;
                sequence.end()
            }
            Tree::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                entries.iter().try_for_each(|(key, value)| map.serialize_entry(key, value))?;
                map.end()
            }
        }
    }
}

impl Tree {
    fn attachments(&self, list: &mut Vec<Bytes>) {
        match self {
            Tree::Leaf(_) => {}
            Tree::Binary(bytes) => list.push(bytes.clone().into()),
            Tree::List(items) => items.iter().for_each(|item| item.attachments(list)),
            Tree::Map(entries) => entries.iter().for_each(|(_, value)| value.attachments(list)),
        }
    }
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Leaf(Value::Null)),
        any::<bool>().prop_map(|value| Tree::Leaf(value.into())),
        any::<i64>().prop_map(|value| Tree::Leaf(value.into())),
        any::<f64>().prop_map(|value| Tree::Leaf(value.into())),
        any::<String>().prop_map(|value| Tree::Leaf(value.into())),
        proptest::collection::vec(any::<u8>(), 0..8).prop_map(Tree::Binary),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let key = prop_oneof![any::<String>(), Just("num".to_owned()), Just("a\\u005f".to_owned())];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Tree::List),
            proptest::collection::vec((key, inner), 0..4).prop_map(Tree::Map),
        ]
    })
}

/// Decodes what was encoded, with the limits of a peer that trusts us.
fn decode(encoded: &Encoded) -> super::Packet {
    let mut decoder = Decoder::new(Limits { max_attachments: 1000, ..Limits::default() });
    let mut packet = decoder.text(encoded.text().into()).expect("a packet");
    for bytes in &encoded.attachments {
        assert!(packet.is_none() && decoder.is_waiting());
        packet = decoder.binary(bytes.clone()).expect("an attachment");
    }
    packet.expect("complete")
}

/// Everything that a server may do with a message from the network. Returns the number of packets.
fn digest(decoder: &mut Decoder, message: Result<&str, &[u8]>) -> Result<usize, ()> {
    let packet = match message {
        Ok(text) => decoder.text(text.into()),
        Err(bytes) => decoder.binary(Bytes::copy_from_slice(bytes)),
    };
    let Some(packet) = packet.map_err(|_| ())? else { return Ok(0) };
    let _ = format!("{packet:?} {}", packet.namespace());
    let Some(event) = Incoming::new(packet) else { return Ok(1) };
    let is_valid = event.validate().is_ok();
    assert_eq!(event.args().finish().is_ok(), is_valid);
    let mut args = event.args();
    let _ = args.next::<Binary>("x").map(drop).and_then(|()| args.rest::<Raw>("y").map(drop));
    if let Ok(values) = event.args().rest::<Raw>("all") {
        let again = Body::event(event.name(), &values).expect("is JSON");
        if is_valid {
            assert_eq!(again.attachments(), event.raw_args().to_event(event.name()).attachments());
        }
    }
    assert!(serde_json::from_str::<serde::de::IgnoredAny>(event.raw_args().to_body().json()).is_ok());
    Ok(1)
}

proptest! {
    #[test]
    fn what_is_encoded_comes_back(
        name in any::<String>().prop_filter("not reserved", |name| !super::is_reserved_event(name)),
        args in proptest::collection::vec(tree(), 0..4),
        namespace in prop_oneof![Just("/".to_owned()), "/[^,]{1,80}"],
        id in proptest::option::of(0..(1u64 << 53)),
    ) {
        let body = Body::event(&name, &args).expect("serializes");
        let mut attachments = Vec::new();
        args.iter().for_each(|tree| tree.attachments(&mut attachments));
        prop_assert_eq!(body.attachments(), &attachments[..]);
        let json = body.json().to_owned();

        let packet = decode(&encode_event(&namespace, id, body));
        prop_assert_eq!((packet.kind(), packet.namespace(), packet.id(), packet.payload()), (Kind::Event, &*namespace, id, &*json));
        let event = Incoming::new(packet).expect("an event");
        prop_assert_eq!(event.name(), &name);
        prop_assert!(event.validate().is_ok());
        prop_assert_eq!(event.raw_args().len(), args.len());

        let again = event.raw_args().to_event(&name);
        prop_assert_eq!((again.json(), again.attachments()), (&*json, &attachments[..]));
        let again = decode(&encode_ack(&namespace, 1, event.raw_args().to_body()));
        prop_assert_eq!((again.kind(), again.attachments()), (Kind::Ack, &attachments[..]));
    }

    #[test]
    fn nothing_panics(messages in proptest::collection::vec(message(), 1..6)) {
        let mut decoder = Decoder::default();
        for message in &messages {
            if digest(&mut decoder, message.as_deref().map_err(Vec::as_slice)).is_err() {
                prop_assert!(!decoder.is_waiting());
            }
        }
    }

    #[test]
    fn nothing_piles_up(count in 0usize..40, sizes in proptest::collection::vec(0usize..40, 0..40), limit in 0usize..200) {
        let mut decoder = Decoder::new(Limits { max_attachments: 10, max_attachment_bytes: limit });
        let announced = decoder.text(format!("5{count}-[\"a\"]").into());
        prop_assert_eq!(announced.is_ok(), (1..=10).contains(&count));
        let mut held = 0;
        for size in sizes {
            let _ = decoder.binary(vec![0; size].into());
            held = if decoder.is_waiting() { held + size } else { 0 };
            prop_assert!(held <= limit);
        }
    }
}

/// Messages that get past the first checks more often than random text does.
fn message() -> impl Strategy<Value = Result<String, Vec<u8>>> {
    let header = "[0-7]?([0-9 ]{0,2}-)?(/[a-z]{0,3},?)?[0-9 ]{0,3}";
    let json = r#"(\[|\]|\{|\}|,|:|"|\\|\\u00|"a"|"_placeholder":true|"num":|[0-9]|-|e|true|null| |é){0,20}"#;
    let event = r#"2\["a",([0-9]|\[|\]|\{\}|"x"|,|"|\\){0,12}\]"#;
    let binary = r#"51-\["a"(,\{"_placeholder":true,"num":[01]\}|,\[1\]|,\{"num":0\}){0,3}\]"#;
    prop_oneof![
        (header, json).prop_map(|(header, json)| Ok(header + &json)),
        event.prop_map(Ok),
        binary.prop_map(Ok),
        any::<String>().prop_map(Ok),
        proptest::collection::vec(any::<u8>(), 0..8).prop_map(Err),
    ]
}
