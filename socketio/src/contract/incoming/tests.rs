//! Typed arguments: what is read, and whose mistake it is when it cannot be.

use super::*;
use crate::parser::{Binary, Decoder};
use std::collections::BTreeMap;

fn event(json: &str) -> Incoming {
    let packet = Decoder::default().text(format!("27{json}").into()).expect("a packet").expect("without attachments");
    Incoming::new(packet).expect("an event")
}

fn binary_event(json: &str, attachments: &[&'static str]) -> Incoming {
    let mut decoder = Decoder::default();
    let mut packet = decoder.text(format!("5{}-{json}", attachments.len()).into()).expect("a packet");
    for bytes in attachments {
        packet = decoder.binary(Bytes::from_static(bytes.as_bytes())).expect("an attachment");
    }
    Incoming::new(packet.expect("complete")).expect("an event")
}

const MALFORMED: Result<(), RejectionKind> = Err(RejectionKind::Malformed);

/// Reads a number, an optional string and the rest as a handler would.
fn handle(json: &str) -> Result<(u32, Option<String>, Vec<bool>), Rejection> {
    let event = event(json);
    let mut args = event.args();
    let read = (args.next("number")?, args.opt("text")?, args.rest("flags")?);
    args.finish()?;
    Ok(read)
}

#[test]
fn typed_arguments() {
    let ok = |json: &str, expected: (u32, Option<&str>, &[bool])| {
        let (number, text, flags) = handle(json).unwrap_or_else(|rejection| panic!("{json}: {rejection}"));
        assert_eq!((number, text.as_deref(), &flags[..]), expected, "{json}");
    };
    ok(r#"["a",1]"#, (1, None, &[]));
    ok(r#"["a",1,null]"#, (1, None, &[]));
    ok(r#"["a",1,"x"]"#, (1, Some("x"), &[]));
    ok(r#"["a",1,"\u0078\n",true,false]"#, (1, Some("x\n"), &[true, false]));
    ok("[ \"a\" ,\t1 ,\n\"x\" , true ] \r\n", (1, Some("x"), &[true]));
}

#[test]
fn arguments_that_do_not_fit() {
    let check = |json: &str, argument: (usize, &'static str), message: &str| {
        let rejection = handle(json).expect_err(json);
        assert_eq!(
            (rejection.kind(), rejection.argument(), rejection.message()),
            (RejectionKind::Payload, Some(argument), message),
            "{json}"
        );
        assert_eq!(rejection.event(), "a");
    };
    check(r#"["a"]"#, (0, "number"), "missing");
    check(r#"["a",null]"#, (0, "number"), "invalid type: expected u32");
    check(r#"["a","secret"]"#, (0, "number"), "invalid type: expected u32");
    check(r#"["a",-1]"#, (0, "number"), "invalid value: expected u32");
    check(r#"["a",1,2]"#, (1, "text"), "invalid type: expected a string");
    check(r#"["a",1,"\ud800"]"#, (1, "text"), "unexpected end of hex escape");
    check(r#"["a",1,"x",true,0]"#, (3, "flags"), "invalid type: expected a boolean");
    check(r#"["a",1e999]"#, (0, "number"), "number out of range");
}

#[test]
fn malformed_events() {
    for json in [
        r#"["a",]"#,
        r#"["a",1,]"#,
        r#"["a",1,"x",]"#,
        r#"["a",1 "x"]"#,
        r#"["a",1"x"]"#,
        r#"["a",1]x"#,
        r#"["a",1]]"#,
        r#"["a",1,"x""#,
        r#"["a",1"#,
        r#"["a","#,
        r#"["a",,1]"#,
        r#"["a",01]"#,
        r#"["a",1,"x",tru]"#,
        r#"["a",1:2]"#,
        r#"["a",1}"#,
        "[\"a\",1,\"x\ny\"]",
        "[\"a\",\u{c}1]",
        "[\"a\",1]\u{a0}",
        r#"["a","secret",]"#,
        r#"["a",1,2,{]"#,
    ] {
        let rejection = handle(json).expect_err(json);
        assert_eq!((rejection.kind(), rejection.argument()), (RejectionKind::Malformed, None), "{json}");
        assert_eq!(event(json).validate().map_err(|rejection| rejection.kind()), MALFORMED, "{json}");
    }
}

#[test]
fn what_the_handler_does_not_ask_for_is_checked() {
    let finish = |json: &str| event(json).args().finish().map_err(|rejection| rejection.kind());
    for json in [r#"["a"]"#, r#"["a",1,{"b":[null]},"x" ] "#, r#"["a","\ud800",1e999]"#] {
        assert_eq!(finish(json), Ok(()), "{json}");
    }
    for json in [r#"["a"]x"#, r#"["a",1,{"b":[null}]"#, r#"["a",1 2]"#, r#"["a",1"#, r#"["a",]"#, r#"["a",1,]"#, "[\"a\"\t]\u{b}"] {
        assert_eq!(finish(json), MALFORMED, "{json}");
    }
}

#[test]
fn borrowed_and_owned_strings() {
    let event = event(r#"["a","plain","esc\u0061ped","third"]"#);
    let mut args = event.args();
    let plain: CowStr<'_> = args.next("x").expect("a string");
    assert!(matches!(plain.0, Cow::Borrowed("plain")));
    let escaped: CowStr<'_> = args.next("x").expect("a string");
    assert!(matches!(&escaped.0, Cow::Owned(text) if text == "escaped"));
    assert_eq!(args.opt::<CowStr<'_>>("x").expect("a string").as_deref(), Some("third"));
    assert!(args.opt::<CowStr<'_>>("x").expect("nothing").is_none());
}

#[test]
fn depth_is_the_payloads_problem_not_the_servers() {
    let depth = 100_000;
    let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let event = event(&format!("[\"a\",{nested}]"));
    assert_eq!(event.validate(), Ok(()));
    assert_eq!(event.args().finish(), Ok(()));
    let rejection = event.args().next::<serde_json::Value>("x").expect_err("too deep");
    assert_eq!((rejection.kind(), rejection.message()), (RejectionKind::Payload, "recursion limit exceeded"));
}

#[test]
fn attachments() {
    let event = binary_event(r#"["a",{"_placeholder":true,"num":1},{"x":{"_placeholder":true,"num":0}}]"#, &["p", "q"]);
    let mut args = event.args();
    assert_eq!(args.next::<Binary>("x").expect("binary"), Binary::from("q"));
    let map: BTreeMap<String, Binary> = args.next("y").expect("binary");
    assert_eq!(map["x"], Binary::from("p"));
    assert_eq!(args.finish(), Ok(()));
    assert_eq!(event.attachments().len(), 2);
    let rejection = event.args().next::<u8>("x").expect_err("is binary");
    assert_eq!(rejection.message(), "invalid type: expected u8");
}

#[test]
fn a_placeholder_in_a_plain_event_names_nothing() {
    let event = event(r#"["a",{"_placeholder":true,"num":0},"text",[1]]"#);
    let mut args = event.args();
    let rejection = args.next::<Binary>("x").expect_err("no attachments");
    assert_eq!((rejection.kind(), rejection.message()), (RejectionKind::Payload, "expected binary data"));
}

#[test]
fn a_type_that_reads_nothing_does_not_close_the_connection() {
    #[derive(Debug)]
    struct Lazy;
    impl<'de> Deserialize<'de> for Lazy {
        fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            Ok(Lazy)
        }
    }
    let event = event(r#"["a",1]"#);
    let mut args = event.args();
    let read = args.next::<Lazy>("x").and_then(|_| args.finish());
    assert_eq!(read.map_err(|rejection| rejection.kind()), Err(RejectionKind::Payload));
}

#[test]
fn names_and_ids() {
    assert_eq!((event(r#"["a"]"#).name(), event(r#"["a"]"#).ack_id()), ("a", Some(7)));
    assert_eq!(event("[1.0]").name(), "1");
    assert_eq!(event(r#"["\u0061"]"#).name(), "a");
    let empty = Decoder::default().text("2".into()).expect("a packet").expect("without attachments");
    assert!(Incoming::new(empty).is_none());
    let ack = Decoder::default().text("31[]".into()).expect("a packet").expect("without attachments");
    assert!(Incoming::new(ack).is_none());
}

#[test]
fn debug_output_has_no_payload() {
    let event = event(r#"["a","secret"]"#);
    let shown = format!("{event:?} {:?} {:?}", event.args(), event.raw_args());
    assert!(shown.contains("\"a\"") && !shown.contains("secret"), "{shown}");
}

#[test]
fn what_names_its_attachments_too_often() {
    let named = |times| binary_event(&format!("[\"a\"{}]", r#",{"_placeholder":true,"num":0}"#.repeat(times)), &["x"]);
    let read = |event: &Incoming| event.args().rest::<Binary>("all").map(|all| all.len()).map_err(|rejection| rejection.kind());
    let ten = named(10);
    assert_eq!(read(&ten), Ok(10));
    let eleven = named(11);
    assert_eq!(read(&eleven), Err(RejectionKind::Malformed));
    assert_eq!(eleven.args().finish().map_err(|rejection| rejection.kind()), MALFORMED, "nor is it ignored");
    assert!(eleven.validate().is_ok(), "it is well-formed");

    let mut answer = Decoder::default();
    let text = format!("61-1[{}1]", r#"{"_placeholder":true,"num":0},"#.repeat(11));
    assert_eq!(answer.text(text.into()).map(|packet| packet.is_none()), Ok(true));
    assert!(answer.binary(Bytes::from_static(b"x")).is_err());
}
