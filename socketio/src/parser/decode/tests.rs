//! The packet table of the reference, row by row, plus the wire vectors that are shared with the fuzz targets.

use super::*;

/// Feeds one message after the other; a leading `#` marks a binary one. Returns what the last one gave.
fn feed(messages: &[&str]) -> Result<Option<Packet>, DecodeError> {
    let mut decoder = Decoder::default();
    let (last, first) = messages.split_last().expect("a message");
    let mut take = |message: &str| match message.strip_prefix('#') {
        Some(bytes) => decoder.binary(Bytes::copy_from_slice(bytes.as_bytes())),
        None => decoder.text(message.into()),
    };
    for message in first {
        assert_eq!(take(message), Ok(None), "{message}");
    }
    take(last)
}

/// Kind, namespace, id, payload and number of attachments.
type Seen<'a> = (Kind, &'a str, Option<u64>, &'a str, usize);

fn check(messages: &[&str], expected: Result<Seen<'_>, DecodeError>) {
    let packet = feed(messages).map(|packet| packet.unwrap_or_else(|| panic!("{messages:?} is not complete")));
    let seen =
        packet.as_ref().map(|p| (p.kind(), p.namespace(), p.id(), p.payload(), p.attachments().len())).map_err(|error| *error);
    assert_eq!(seen, expected, "{messages:?}");
}

fn refuse(messages: &[&str], error: DecodeError) {
    check(messages, Err(error));
}

#[test]
fn types() {
    check(&["0"], Ok((Kind::Connect, "/", None, "", 0)));
    check(&["1"], Ok((Kind::Disconnect, "/", None, "", 0)));
    check(&[r#"2["a"]"#], Ok((Kind::Event, "/", None, r#"["a"]"#, 0)));
    check(&["31[]"], Ok((Kind::Ack, "/", Some(1), "[]", 0)));
    check(&[r#"4{"message":"no"}"#], Ok((Kind::ConnectError, "/", None, r#"{"message":"no"}"#, 0)));
    check(
        &[r#"51-["a",{"_placeholder":true,"num":0}]"#, "#x"],
        Ok((Kind::Event, "/", None, r#"["a",{"_placeholder":true,"num":0}]"#, 1)),
    );
    check(
        &[r#"61-7[{"_placeholder":true,"num":0}]"#, "#x"],
        Ok((Kind::Ack, "/", Some(7), r#"[{"_placeholder":true,"num":0}]"#, 1)),
    );
    for text in ["", "7", "9", "a", " ", "-1", "é", "/", "[", "\u{0}"] {
        refuse(&[text], DecodeError::UnknownType);
    }
}

#[test]
fn connect() {
    for (text, namespace, payload) in [
        ("0{}", "/", "{}"),
        ("0/", "/", ""),
        ("0/,", "/", ""),
        ("0/chat", "/chat", ""),
        ("0/chat,", "/chat", ""),
        (r#"0/chat,{"t":1}"#, "/chat", r#"{"t":1}"#),
        ("0{} ", "/", "{} "),
    ] {
        check(&[text], Ok((Kind::Connect, namespace, None, payload, 0)));
    }
    for text in ["0[]", r#"0"x""#, "0null", "0{bad", "0false", "0{}x", "0{} {}", "0/chat,[]", "0{\"a\":\u{c}1}"] {
        refuse(&[text], DecodeError::Payload);
    }
}

#[test]
fn namespaces_are_exact_strings() {
    for (text, namespace) in [
        ("0/Chat,", "/Chat"),
        ("0/chat/,", "/chat/"),
        ("0//,", "//"),
        ("0/chat?x=1,", "/chat?x=1"),
        ("0/é,", "/é"),
        ("0/a b,", "/a b"),
    ] {
        check(&[text], Ok((Kind::Connect, namespace, None, "", 0)));
    }
    // Without a comma, all the rest is the namespace.
    check(&[r#"2/chat["a"]"#], Ok((Kind::Event, r#"/chat["a"]"#, None, "", 0)));
    check(&["2/12"], Ok((Kind::Event, "/12", None, "", 0)));
    check(&["2/chat,12[\"a\"]"], Ok((Kind::Event, "/chat", Some(12), "[\"a\"]", 0)));
    refuse(&["0chat"], DecodeError::Payload);
}

#[test]
fn disconnect_has_no_payload() {
    check(&["1/chat,"], Ok((Kind::Disconnect, "/chat", None, "", 0)));
    check(&["1 "], Ok((Kind::Disconnect, "/", Some(0), "", 0)));
    for text in ["1{}", "1[]", "1null", "1/chat,{}", "1x"] {
        refuse(&[text], DecodeError::Payload);
    }
}

#[test]
fn events() {
    for text in ["2", "25", "2/chat,", "3", "399"] {
        assert!(feed(&[text]).is_ok_and(|packet| packet.is_some_and(|packet| packet.payload().is_empty())), "{text}");
    }
    check(&["2[1,2]"], Ok((Kind::Event, "/", None, "[1,2]", 0)));
    // Only the start of a plain event is read here; see `Incoming::validate`.
    check(&["2[\"a\",nonsense"], Ok((Kind::Event, "/", None, "[\"a\",nonsense", 0)));
    for text in ["2{}", "2[]", "2[null]", "2[{}]", "2[[]]", "2[true]", "2\"a\"", "2[\"a\"", "2[", "2null"] {
        refuse(&[text], DecodeError::Payload);
    }
    for text in [r#"2["disconnect"]"#, r#"2["\u0063onnect",1]"#, r#"2/x,1["newListener"]"#] {
        refuse(&[text], DecodeError::ReservedName);
    }
    // In a plain event, placeholders are ordinary data.
    check(&[r#"2["a",{"_placeholder":true,"num":9}]"#], Ok((Kind::Event, "/", None, r#"["a",{"_placeholder":true,"num":9}]"#, 0)));
}

#[test]
fn ids() {
    for (text, id) in [
        (r#"20["a"]"#, Some(0)),
        (r#"2007["a"]"#, Some(7)),
        (r#"29007199254740991["a"]"#, Some(9_007_199_254_740_991)),
        (r#"2 5["a"]"#, Some(5)),
        (r#"25 ["a"]"#, Some(5)),
        (r#"2 ["a"]"#, Some(0)),
        ("2\n[\"a\"]", Some(0)),
        ("2\u{feff}[\"a\"]", Some(0)),
        (r#"2["a"]"#, None),
    ] {
        check(&[text], Ok((Kind::Event, "/", id, r#"["a"]"#, 0)));
    }
    for text in [r#"2abc["a"]"#, r#"2-1["a"]"#, r#"21.5["a"]"#, r#"21e3["a"]"#, r#"2+1["a"]"#] {
        refuse(&[text], DecodeError::Payload);
    }
    for text in [r#"29007199254740992["a"]"#, r#"2999999999999999999999["a"]"#, r#"21 2["a"]"#] {
        refuse(&[text], DecodeError::Id);
    }
}

#[test]
fn acknowledgements() {
    check(&["30[1,{}]"], Ok((Kind::Ack, "/", Some(0), "[1,{}]", 0)));
    check(&["3/a,5[]"], Ok((Kind::Ack, "/a", Some(5), "[]", 0)));
    for text in ["30{}", "30null", "30[", "30[1,]", "30[]]", "30[1 2]"] {
        refuse(&[text], DecodeError::Payload);
    }
}

#[test]
fn connect_errors() {
    check(&[r#"4"no""#], Ok((Kind::ConnectError, "/", None, r#""no""#, 0)));
    check(&["4/a,"], Ok((Kind::ConnectError, "/a", None, "", 0)));
    for text in ["4[]", "4null", "4\"no", "4{"] {
        refuse(&[text], DecodeError::Payload);
    }
}

#[test]
fn attachment_counts() {
    for text in [r#"51-["a"]"#, r#"5 1-["a"]"#, r#"51e0-["a"]"#, r#"501-["a"]"#] {
        check(&[text, "#x"], Ok((Kind::Event, "/", None, r#"["a"]"#, 1)));
    }
    for text in
        [r#"5["a"]"#, r#"50-["a"]"#, r#"5-["a"]"#, r#"5-1-["a"]"#, r#"51["a"]"#, r#"51.5-["a"]"#, r#"5x-["a"]"#, "5", "51", "60-[]"]
    {
        refuse(&[text], DecodeError::AttachmentCount);
    }
    for text in [r#"511-["a"]"#, r#"51e300-["a"]"#, r#"599999999999999999999-["a"]"#] {
        refuse(&[text], DecodeError::TooManyAttachments);
    }
    let ten = [&[r#"510-["a"]"#][..], &["#x"; 10]].concat();
    check(&ten, Ok((Kind::Event, "/", None, r#"["a"]"#, 10)));
    check(&["51-", "#x"], Ok((Kind::Event, "/", None, "", 1)));
    check(&["51-/chat,3[\"a\"]", "#"], Ok((Kind::Event, "/chat", Some(3), "[\"a\"]", 1)));
}

#[test]
fn order_of_messages() {
    refuse(&["#x"], DecodeError::UnexpectedBinary);
    refuse(&[r#"52-["a"]"#, "#x", r#"2["b"]"#], DecodeError::UnexpectedText);
    refuse(&[r#"51-["a"]"#, "1"], DecodeError::UnexpectedText);
    let mut decoder = Decoder::default();
    assert_eq!(decoder.text(r#"51-["a"]"#.into()), Ok(None));
    assert!(decoder.is_waiting());
    assert!(decoder.binary(Bytes::new()).is_ok_and(|packet| packet.is_some()));
    assert_eq!(decoder.binary(Bytes::new()), Err(DecodeError::UnexpectedBinary));
}

#[test]
fn binary_payloads_are_checked_at_once() {
    for text in [r#"51-["a",nonsense]"#, r#"51-["a""#, r#"51-["a"]x"#, "51-{}", "61-5{}", r#"51-[{"_placeholder":true,"num":0}]"#] {
        refuse(&[text], DecodeError::Payload);
    }
    refuse(&[r#"51-["disconnect"]"#], DecodeError::ReservedName);
}

#[test]
fn placeholders() {
    for num in ["1", "-1", "\"0\"", "null", "0.5"] {
        refuse(&[&format!(r#"51-["a",[{{"b":{{"_placeholder":true,"num":{num}}}}}]]"#), "#x"], DecodeError::Placeholder);
    }
    refuse(&[r#"51-["a",{"_placeholder":true}]"#, "#x"], DecodeError::Placeholder);
    refuse(&[r#"61-1[{"_placeholder":true,"num":7}]"#, "#x"], DecodeError::Placeholder);
    let twice = r#"["a",{"_placeholder":true,"num":1},{"_placeholder":true,"num":1}]"#;
    check(&[&format!("52-{twice}"), "#x", "#y"], Ok((Kind::Event, "/", None, twice, 2)));
}

#[test]
fn bytes_of_attachments_are_limited() {
    let mut decoder = Decoder::new(Limits { max_attachments: 3, max_attachment_bytes: 10 });
    assert_eq!(decoder.text(r#"54-["a"]"#.into()), Err(DecodeError::TooManyAttachments));
    assert_eq!(decoder.text(r#"53-["a"]"#.into()), Ok(None));
    assert_eq!(decoder.binary(Bytes::from_static(&[0; 5])), Ok(None));
    assert_eq!(decoder.binary(Bytes::from_static(&[0; 5])), Ok(None));
    assert_eq!(decoder.binary(Bytes::from_static(&[0; 1])), Err(DecodeError::TooManyAttachments));
    assert!(!decoder.is_waiting());

    // They count as often as they are named, because that is what it becomes when it is passed on.
    let mut named = |times| {
        let text = format!("51-[\"a\"{}]", r#",{"_placeholder":true,"num":0}"#.repeat(times));
        assert_eq!(decoder.text(text.into()), Ok(None));
        decoder.binary(Bytes::from_static(&[0; 2])).map(drop)
    };
    assert_eq!((named(5), named(6)), (Ok(()), Err(DecodeError::TooManyAttachments)));
}

#[test]
fn depth_costs_neither_stack_nor_time() {
    let depth = 100_000;
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"_placeholder\":", "}]")] {
        let nested = format!("{}1{}", open.repeat(depth), close.repeat(depth));
        assert!(feed(&[&format!("2[\"a\",{nested}]")]).is_ok());
        assert!(feed(&[&format!("30[{nested}]")]).is_ok());
        assert!(feed(&[&format!("0{{\"a\":{nested}}}")]).is_ok());
        assert!(feed(&[&format!("51-[\"a\",{nested}]"), "#x"]).is_ok());
        refuse(&[&format!("51-[\"a\",{}", open.repeat(depth))], DecodeError::Payload);
    }
}

#[test]
fn the_shared_vectors() {
    let vectors = include_str!("../../../../tests/vectors/packets.txt");
    for line in vectors.lines().filter(|line| !line.is_empty() && !line.starts_with("//")) {
        let (verdict, json) = line.split_once(' ').expect("a verdict and a JSON array of messages");
        let messages: Vec<String> = serde_json::from_str(json).unwrap_or_else(|error| panic!("{line}: {error}"));
        let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
        let packet = feed(&messages);
        let event = packet.as_ref().ok().cloned().flatten().and_then(crate::contract::Incoming::new);
        let is_valid = packet.is_ok() && event.is_none_or(|event| event.validate().is_ok());
        assert_eq!(if is_valid { "ok" } else { "close" }, verdict, "{line}");
    }
}
