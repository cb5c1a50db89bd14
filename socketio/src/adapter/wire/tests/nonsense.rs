//! Nonsense on the channels, each of which was seen to end servers of the reference, to make them deaf, or to harm their clients;
//! and its relatives. All of it is refused or ignored here.

use super::super::{Malformed, classic, cluster, stream};
use crate::adapter::message::Envelope;

/// Refused with a reason, or ignored: nothing of it is carried out.
#[track_caller]
fn check<T>(what: impl std::fmt::Debug, read: Result<Option<T>, Malformed>, refused: bool) {
    match read {
        Ok(None) => assert!(!refused, "ignored: {what:?}"),
        Err(reason) => assert!(refused && !reason.0.is_empty(), "refused: {what:?}"),
        Ok(Some(_)) => panic!("taken: {what:?}"),
    }
}

const NO_MESSAGE: [&[u8]; 14] = [
    b"",
    b"\xc0",
    b"\xc1",
    b"\xc3",
    b"\x07",
    b"\x90",
    b"{",
    b"{\"type\":",
    b"[]",
    b"null",
    b"\xff\xfe\xfd",
    b"{\"type\":\"\xff\"}",
    // Lists that promise more than there is, and an extension that nobody knows.
    b"\xdd\xff\xff\xff\xff",
    b"\xc7\x01\x05\x00",
];

#[test]
fn requests() {
    let request = |bytes: &[u8]| classic::request(bytes, "/");
    for bytes in NO_MESSAGE {
        check(bytes, request(bytes), true);
    }
    for json in [
        r#"{}"#,
        r#"{"type":null}"#,
        r#"{"type":"5"}"#,
        r#"{"type":0}"#,
        r#"{"type":1}"#,
        r#"{"type":2}"#,
        r#"{"type":2,"opts":{"rooms":[],"except":[]}}"#,
        r#"{"type":2,"opts":{"rooms":"a"},"rooms":["b"]}"#,
        r#"{"type":3,"opts":{"rooms":[],"except":[]},"rooms":"a"}"#,
        r#"{"type":3,"opts":null,"rooms":["a"]}"#,
        // Everybody would be disconnected.
        r#"{"type":4}"#,
        r#"{"type":4,"opts":{}}"#,
        r#"{"type":4,"opts":[],"close":true}"#,
        r#"{"type":4,"opts":{"rooms":null},"close":true}"#,
        r#"{"type":5}"#,
        r#"{"type":5,"requestId":"x"}"#,
        r#"{"type":5,"requestId":7,"opts":{"rooms":[]}}"#,
        r#"{"type":5,"requestId":"x","opts":{"rooms":[{}]}}"#,
        r#"{"type":6}"#,
        r#"{"type":6,"requestId":"x"}"#,
        r#"{"type":6,"data":null}"#,
        r#"{"type":6,"data":"hello"}"#,
        r#"{"type":6,"data":[]}"#,
        r#"{"type":6,"data":[null]}"#,
        r#"{"type":6,"data":[{}],"requestId":"x"}"#,
        r#"{"type":7,"requestId":"x"}"#,
        r#"{"type":7,"requestId":"x","packet":{"type":2,"data":["a"]}}"#,
        r#"{"type":7,"requestId":"x","opts":{"rooms":[]}}"#,
        r#"{"type":7,"packet":{"type":2,"data":["a"]},"opts":{"rooms":[]}}"#,
        r#"{"type":7,"requestId":"x","packet":{"type":2},"opts":{"rooms":[]}}"#,
        r#"{"type":7,"requestId":"x","packet":{"type":2,"data":[]},"opts":{"rooms":[]}}"#,
        r#"{"type":7,"requestId":"x","packet":{"type":3,"data":["a"]},"opts":{"rooms":[]}}"#,
        r#"{"type":6,"uid":{},"data":["a"]}"#,
    ] {
        check(json, request(json.as_bytes()), true);
    }
    check("unknown", request(br#"{"type":99,"anything":{"at":["all"]}}"#), false);
}

#[test]
fn responses() {
    for bytes in NO_MESSAGE {
        check(bytes, classic::response(bytes), true);
    }
    for json in [
        r#"{}"#,
        r#"{"requestId":null}"#,
        r#"{"requestId":7}"#,
        r#"{"type":8,"requestId":"x"}"#,
        r#"{"type":8,"requestId":"x","clientCount":"1"}"#,
        r#"{"type":8,"requestId":"x","clientCount":-1}"#,
        r#"{"requestId":"x","sockets":7}"#,
        r#"{"requestId":"x","sockets":[7]}"#,
        r#"{"requestId":"x","sockets":[{}]}"#,
        r#"{"requestId":"x","sockets":[{"id":7}]}"#,
        r#"{"requestId":"x","sockets":[{"id":"a","rooms":7}]}"#,
        r#"{"requestId":"x","rooms":[[]]}"#,
    ] {
        check(json, classic::response(json.as_bytes()), true);
    }
    check("of old servers", classic::response(br#"{"requestId":"x"}"#), false);
}

#[test]
fn broadcasts() {
    let broadcast = |bytes: &[u8]| classic::broadcast(bytes, "/");
    for bytes in NO_MESSAGE {
        check(bytes, broadcast(bytes), true);
    }
    let packet = |data: &[u8]| [b"\x93\xa1u\x82\xa4type\x02\xa4data", data, b"\x81\xa5rooms\x90"].concat();
    assert!(broadcast(&packet(b"\x91\xa1a")).is_ok_and(|read| read.is_some()));
    for data in [&b"\xc0"[..], b"\x90", b"\x91\xc0", b"\x91\x80", b"\xa1a", b"\x80", b"\x91\xaaconnection", b"\x91\xaadisconnect"] {
        let is_a_name = data == b"\x91\xaaconnection";
        match broadcast(&packet(data)) {
            Ok(Some(_)) => assert!(is_a_name),
            read => check(data, read, true),
        }
    }
    for bytes in [
        &b"\x91\xa1u"[..],
        b"\x92\xa1u\x82\xa4type\x02\xa4data\x91\xa1a",
        b"\x93\xa1u\xc0\x81\xa5rooms\x90",
        b"\x93\xa1u\x80\x81\xa5rooms\x90",
        b"\x93\xa1u\x82\xa4type\x02\xa4data\x91\xa1a\xc0",
        b"\x93\xa1u\x82\xa4type\x02\xa4data\x91\xa1a\x80",
        b"\x93\xa1u\x82\xa4type\x01\xa4data\x91\xa1a\x81\xa5rooms\x90",
        b"\x93\x80\x82\xa4type\x02\xa4data\x91\xa1a\x81\xa5rooms\x90",
    ] {
        check(bytes, broadcast(bytes), true);
    }
    check("of another", broadcast(b"\x93\xa1u\x83\xa4type\x02\xa4data\x91\xa1a\xa3nsp\xa2/x\x81\xa5rooms\x90"), false);
    // As deep as can be, with no end.
    let deep = [&b"\x93\xa1u\x82\xa4type\x02\xa4data\x92\xa1a"[..], &[0x91; 1_000_000]].concat();
    check("deep", broadcast(&deep), true);
}

/// What is said in the messages of the newer adapters, with its type.
const SAID: [(u8, &str); 22] = [
    (3, "null"),
    (3, "7"),
    (3, "{}"),
    (3, r#"{"packet":{"type":2,"data":["a"]}}"#),
    (3, r#"{"packet":{"type":2,"data":["a"]},"opts":{}}"#),
    (3, r#"{"opts":{"rooms":[]}}"#),
    (3, r#"{"packet":null,"opts":{"rooms":[]}}"#),
    (3, r#"{"packet":{"type":2,"data":[]},"opts":{"rooms":[]}}"#),
    (3, r#"{"packet":{"type":2,"data":["connect"]},"opts":{"rooms":[]}}"#),
    (3, r#"{"packet":{"type":2,"data":["a"]},"opts":{"rooms":[]},"requestId":7}"#),
    (4, "{}"),
    (5, r#"{"opts":{"rooms":[]}}"#),
    (6, "{}"),
    (7, "{}"),
    (7, r#"{"opts":{"rooms":[]}}"#),
    (8, r#"{"requestId":"x"}"#),
    (8, r#"{"sockets":[]}"#),
    (9, "{}"),
    (9, r#"{"packet":{}}"#),
    (10, "{}"),
    (11, r#"{"requestId":"x"}"#),
    (12, "[]"),
];

#[test]
fn messages() {
    for bytes in NO_MESSAGE {
        check(bytes, cluster::decode(bytes, "/"), true);
    }
    for (number, data) in SAID {
        let json = format!(r#"{{"type":{number},"data":{data},"uid":"u","nsp":"/"}}"#);
        check(&json, cluster::decode(json.as_bytes(), "/"), true);
    }
    for number in 3..=12 {
        let json = format!(r#"{{"type":{number},"uid":"u","nsp":"/"}}"#);
        check(&json, cluster::decode(json.as_bytes(), "/"), true);
    }
    check("no type", cluster::decode(br#"{"uid":"u","nsp":"/"}"#, "/"), true);
    check("unknown", cluster::decode(br#"{"type":99,"data":7,"uid":"u","nsp":"/"}"#, "/"), false);
    check("nowhere", cluster::decode(br#"{"type":3,"data":7,"uid":"u"}"#, "/"), false);
}

#[test]
fn entries() {
    fn entry<'a>(fields: &'a [(&'a str, &'a [u8])]) -> Result<Option<(String, Envelope)>, Malformed> {
        stream::read_entry(|name| fields.iter().find(|field| field.0 == name).map(|field| field.1))
    }
    for (number, data) in SAID {
        let number = number.to_string();
        let fields = [("uid", &b"u"[..]), ("nsp", b"/"), ("type", number.as_bytes()), ("data", data.as_bytes())];
        check(fields, entry(&fields), true);
    }
    for bytes in NO_MESSAGE {
        check(bytes, entry(&[("uid", b"u"), ("nsp", b"/"), ("type", b"3"), ("data", bytes)]), true);
    }
    for fields in [
        &[("nsp", &b"/"[..]), ("type", b"3")][..],
        &[("nsp", b"/")],
        &[("nsp", b"/"), ("type", b"")],
        &[("nsp", b"/"), ("type", b"x")],
        &[("nsp", b"/"), ("type", b"-1")],
        &[("nsp", b"\xff"), ("type", b"1")],
        &[("nsp", b"/"), ("type", b"1"), ("uid", b"\xff")],
        &[("nsp", b"/"), ("type", b"3"), ("data", b"!!!!")],
        &[("nsp", b"/"), ("type", b"3"), ("data", b"wA==")],
    ] {
        check(fields, entry(fields), true);
    }
    check("no namespace", entry(&[("uid", b"u"), ("type", b"3")]), false);
    check("unknown", entry(&[("nsp", b"/"), ("type", b"99"), ("data", b"{}")]), false);
    for bytes in [&b""[..], b"!", b"wA==", b"gA==", b"{\"sid\":\"a\"}"] {
        assert!(stream::read_session(bytes).is_err(), "{bytes:?}");
    }
}
