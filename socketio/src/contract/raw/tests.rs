//! Untyped values pass through unchanged, with their binary data.

use super::*;
use crate::{
    contract::Incoming,
    parser::{Binary, Decoder, encode_event},
};

fn event(text: &str, attachments: &[&'static str]) -> Incoming {
    let mut decoder = Decoder::default();
    let mut packet = decoder.text(text.into()).expect("a packet");
    for bytes in attachments {
        packet = decoder.binary(Bytes::from_static(bytes.as_bytes())).expect("an attachment");
    }
    Incoming::new(packet.expect("complete")).expect("an event")
}

/// The last argument comes first, the attachment `b` twice, `c` never.
const BINARY: &str =
    r#"53-["e",{"_placeholder":true,"num":1},{"x":[{"_placeholder":true,"num":1},{"num":0,"_placeholder":true}]},7]"#;

#[test]
fn plain_arguments() {
    let event = event("2[\"e\" , 1e2 ,\t\"\\u0078\\ud800\", {\"a\" : [ 1 ]},{\"_placeholder\":true,\"num\":5} ]", &[]);
    let args = event.raw_args();
    let all = ["1e2", "\"\\u0078\\ud800\"", "{\"a\" : [ 1 ]}", "{\"_placeholder\":true,\"num\":5}"];
    assert_eq!(args.iter_raw().collect::<Vec<_>>(), all);
    assert_eq!((args.len(), args.is_empty(), args.get_raw(1), args.get_raw(4)), (4, false, Some(all[1]), None));
    assert_eq!(args.get::<f64>(0).expect("a number"), 100.0);
    assert_eq!(args.get::<f64>(2).expect_err("no number").message(), "invalid type: expected f64");
    assert_eq!(args.get::<f64>(9).expect_err("nothing").message(), "missing");
    let json = "[1e2 ,\t\"\\u0078\\ud800\", {\"a\" : [ 1 ]},{\"_placeholder\":true,\"num\":5}]";
    assert_eq!(args.json(), json);
    assert_eq!(args.to_raw().json(), json);
    // What is passed on has no blanks between its tokens, as if it had been parsed and printed.
    let json = "[1e2,\"\\u0078\\ud800\",{\"a\":[1]},{\"_placeholder\":true,\"num\":5}]";
    assert_eq!(args.to_body().json(), json);
    assert_eq!(args.to_event("f").json(), format!("[\"f\",{}", &json[1..]));
    assert_eq!(args.slice(1..3).json(), "[\"\\u0078\\ud800\", {\"a\" : [ 1 ]}]");
    assert_eq!(args.slice(..=0).json(), "[1e2]");
    assert_eq!(args.slice(3..).slice(..1).len(), 1);
    for empty in [args.slice(4..), args.slice(2..2), args.slice(..0)] {
        assert_eq!((empty.json().as_str(), empty.len(), empty.to_event("f").json()), ("[]", 0, "[\"f\"]"));
    }
}

#[test]
fn no_arguments() {
    for text in [r#"2["e"]"#, "2[ \"e\" ] "] {
        let event = event(text, &[]);
        let args = event.raw_args();
        assert!(args.is_empty());
        assert_eq!((args.len(), args.to_body().json(), args.to_event("f").json()), (0, "[]", "[\"f\"]"));
    }
}

#[test]
fn of_a_malformed_event_the_start_is_seen() {
    for text in [r#"2["e",1,"#, r#"2["e",1 2]"#, r#"2["e",1,{]"#, r#"2["e",1,,2]"#, r#"2["e",1"#] {
        assert_eq!(event(text, &[]).raw_args().json(), "[1]", "{text}");
    }
}

#[test]
fn attachments_are_numbered_in_text_order() {
    let event = event(BINARY, &["a", "b", "c"]);
    let args = event.raw_args();
    assert_eq!(args.get::<Binary>(0).expect("binary"), Binary::from("b"));
    let encoded = encode_event("/", None, args.to_event("e"));
    let renumbered = r#"{"_placeholder":true,"num":0},{"x":[{"_placeholder":true,"num":1},{"_placeholder":true,"num":2}]},7"#;
    assert_eq!(encoded.text(), format!("53-[\"e\",{renumbered}]"));
    assert_eq!(encoded.attachments, ["b", "b", "a"]);
    assert_eq!(args.to_raw().json(), format!("[{renumbered}]"));
    assert_eq!(args.to_raw().attachments(), ["b", "b", "a"]);
    let part = args.slice(1..).to_body();
    assert_eq!(part.json(), r#"[{"x":[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]},7]"#);
    assert_eq!(part.attachments(), ["b", "a"]);
    assert!(args.slice(2..).to_body().attachments().is_empty());
}

#[test]
fn inside_of_other_values() {
    let event = event(BINARY, &["a", "b", "c"]);
    let args = event.raw_args();
    let p = |num: usize| format!(r#"{{"_placeholder":true,"num":{num}}}"#);
    let body = Body::ack(&(Binary::from("z"), args.slice(..1), args.to_raw(), Binary::from("y"))).expect("serializes");
    assert_eq!(body.json(), format!(r#"[{},[{}],[{},{{"x":[{},{}]}},7],{}]"#, p(0), p(1), p(2), p(3), p(4), p(5)));
    assert_eq!(body.attachments(), ["z", "b", "b", "b", "a", "y"]);
    assert_eq!(Body::event("e", &args).expect("serializes").json(), args.to_event("e").json());
    assert_eq!(Body::event("e", &args.to_raw()).expect("serializes").json(), args.to_event("e").json());
}

#[test]
fn owned_values_as_typed_arguments() {
    let event = event(BINARY, &["a", "b", "c"]);
    let mut args = event.args();
    let values: Vec<Raw> = args.rest("values").expect("anything");
    assert_eq!(values[1].json(), r#"{"x":[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]}"#);
    assert_eq!((values[1].attachments(), values[2].attachments().len()), (&[Bytes::from("b"), Bytes::from("a")][..], 0));
    assert_eq!(Body::event("e", &values).expect("serializes").attachments(), ["b", "b", "a"]);
    assert_eq!(values[2].decode::<u8>().expect("a number"), 7);
    assert_eq!(values[0].decode::<Binary>().expect("binary"), Binary::from("b"));
    assert_eq!(values[0].decode::<u8>().expect_err("binary").message(), "invalid type: expected u8");
    assert_eq!(format!("{:?}", values[2]), "Raw { json_bytes: 1, attachments: 0 }");
}
