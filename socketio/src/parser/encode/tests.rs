//! Byte-exact vectors, and the room in front of them.

use super::*;
use crate::parser::Binary;
use std::collections::BTreeMap;

fn check(encoded: &Encoded, text: &str, attachments: &[&str]) {
    assert_eq!(encoded.text(), text);
    assert_eq!(encoded.attachments, attachments);
    assert!(encoded.start >= CARRIER_ROOM, "{text} leaves {} bytes for the carrier", encoded.start);
}

fn event<T: Serialize>(name: &str, args: &T) -> Body {
    Body::event(name, args).expect("serializes")
}

fn ack<T: Serialize>(args: &T) -> Body {
    Body::ack(args).expect("serializes")
}

#[test]
fn packets() {
    let x = Binary::from("x");
    check(&encode_connect("/", None), "0", &[]);
    check(&encode_connect("/", Some("{}")), "0{}", &[]);
    check(&encode_connect("/chat", Some(r#"{"sid":"x"}"#)), r#"0/chat,{"sid":"x"}"#, &[]);
    check(&encode_disconnect("/"), "1", &[]);
    check(&encode_disconnect("/chat"), "1/chat,", &[]);
    check(&encode_connect_error("/nope", r#"{"message":"Invalid namespace"}"#), r#"4/nope,{"message":"Invalid namespace"}"#, &[]);
    check(&encode_event("/", None, event("a", &())), r#"2["a"]"#, &[]);
    check(&encode_event("/chat", Some(12), event("a", &(BTreeMap::from([("x", 1)]),))), r#"2/chat,12["a",{"x":1}]"#, &[]);
    check(&encode_event("/", Some(0), event("a", &(1, "é"))), r#"20["a",1,"é"]"#, &[]);
    check(&encode_event("/", None, event("a", &[&x])), r#"51-["a",{"_placeholder":true,"num":0}]"#, &["x"]);
    check(&encode_ack("/", 0, ack(&())), "30[]", &[]);
    check(&encode_ack("/ns", 5, ack(&(&x, 1))), r#"61-/ns,5[{"_placeholder":true,"num":0},1]"#, &["x"]);
    let many = vec![&x; 12];
    let text = encode_ack("/ns", 5, ack(&[many])).text().to_owned();
    assert!(text.starts_with("612-/ns,5[[{"), "{text}");
}

#[test]
fn numbers_that_json_lacks() {
    check(&encode_event("/", None, event("a", &(f64::NAN, f64::INFINITY, -0.0))), r#"2["a",null,null,-0.0]"#, &[]);
    check(&encode_event("/", None, event("a", &(Option::<u8>::None, ()))), r#"2["a",null,null]"#, &[]);
}

#[test]
fn names_are_escaped_where_needed() {
    for name in ["a", "", "chat message", "é😀", "a\"b", "a\\b", "a\nb", "\u{7f}\u{2028}"] {
        let body = BodyWriter::event(name).finish().expect("serializes");
        assert_eq!(body.json(), serde_json::to_string(&[name]).expect("serializes"));
    }
}

#[test]
fn arguments_one_by_one_and_all_at_once() {
    let mut writer = BodyWriter::event("a");
    writer.arg(&1);
    writer.rest(&["x", "y"]);
    writer.args(&());
    writer.args::<[u8]>(&[]);
    writer.args(&(2, [3]));
    assert_eq!(writer.finish().expect("serializes").json(), r#"["a",1,"x","y",2,[3]]"#);
    assert_eq!(ack(&()).json(), "[]");
    assert_eq!(ack(&[[0u8; 0]]).json(), "[[]]");
    assert_eq!(ack(&("[", "]")).json(), r#"["[","]"]"#);
    let spaced = serde_json::value::RawValue::from_string("[ ]".to_owned()).expect("is JSON");
    assert_eq!(event("a", &spaced).json(), r#"["a"]"#);
    let mut writer = BodyWriter::ack();
    writer.args(&spaced);
    writer.arg(&1);
    assert_eq!(writer.finish().expect("serializes").json(), "[1]");
}

#[test]
fn errors() {
    assert!(Body::event("a", "text").is_err());
    assert!(Body::ack(&BTreeMap::from([("x", 1)])).is_err());
    assert!(Body::ack(&7).is_err());
    let mut writer = BodyWriter::event("a");
    writer.arg(&BTreeMap::from([((1, 2), 3)]));
    writer.arg(&1);
    assert_eq!(writer.finish().map(|_| ()), Err(EncodeError("key must be a string".to_owned())));
}

#[test]
fn the_room_is_kept_for_headers_of_every_length() {
    for length in 1..200 {
        let namespace = format!("/{}", "n".repeat(length - 1));
        let namespace_text = if namespace == "/" { String::new() } else { format!("{namespace},") };
        for id in [None, Some(0), Some(9), Some(10), Some(u64::MAX)] {
            let id_text = id.map_or_else(String::new, |id| id.to_string());
            check(&encode_event(&namespace, id, event("a", &[1])), &format!("2{namespace_text}{id_text}[\"a\",1]"), &[]);
            let binary = event("a", &[Binary::from("x")]);
            let text = format!(r#"51-{namespace_text}{id_text}["a",{{"_placeholder":true,"num":0}}]"#);
            check(&encode_event(&namespace, id, binary), &text, &["x"]);
        }
    }
}

#[test]
fn debug_output_has_no_payload() {
    let body = event("a", &["secret"]);
    let shown = format!("{body:?} {:?}", encode_event("/", None, body.clone()));
    assert!(!shown.contains("secret") && !shown.contains("115"), "{shown}");
}
