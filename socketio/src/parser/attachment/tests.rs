//! `Binary` at every depth that serde offers, in both directions.

use super::*;
use crate::parser::Body;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

fn bytes(text: &'static str) -> Binary {
    Binary(Bytes::from_static(text.as_bytes()))
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Inner {
    #[serde(rename = "type")]
    kind: String,
    data: Binary,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Flattened {
    a: Binary,
    #[serde(flatten)]
    inner: Inner,
    #[serde(flatten)]
    more: BTreeMap<String, Binary>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Text(String),
    Data(Binary),
    Pair { left: Binary, right: Option<Box<Binary>> },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    File { name: String, data: Binary },
    None,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    One(Binary),
    Two(Binary, Vec<Binary>),
}

/// Encodes, compares the JSON and the attachments, and decodes again.
fn round<T: Serialize + DeserializeOwned + PartialEq + fmt::Debug>(value: &T, json: &str, attachments: &[&str]) {
    let mut list = Vec::new();
    let text = collect_attachments(&mut list, || serde_json::to_string(value)).expect("serializes");
    assert_eq!(text, json);
    assert_eq!(list, attachments);
    let back: T = with_attachments(&mut list, || serde_json::from_str(&text)).expect("decodes");
    assert_eq!(back, *value);
}

#[test]
fn at_any_depth() {
    let p = |num: usize| format!(r#"{{"_placeholder":true,"num":{num}}}"#);
    round(&bytes("x"), &p(0), &["x"]);
    round(&(bytes("x"), 1, Some(bytes(""))), &format!("[{},1,{}]", p(0), p(1)), &["x", ""]);
    round(&Box::new(vec![bytes("x"), bytes("x")]), &format!("[{},{}]", p(0), p(1)), &["x", "x"]);
    round(&Option::<Binary>::None, "null", &[]);
    let inner = Inner { kind: "png".into(), data: bytes("i") };
    let flattened = Flattened { a: bytes("a"), inner, more: [("m".to_owned(), bytes("m"))].into() };
    round(&flattened, &format!(r#"{{"a":{},"type":"png","data":{},"m":{}}}"#, p(0), p(1), p(2)), &["a", "i", "m"]);
    round(&Untagged::Text("t".into()), r#""t""#, &[]);
    round(&Untagged::Data(bytes("u")), &p(0), &["u"]);
    let pair = Untagged::Pair { left: bytes("l"), right: Some(Box::new(bytes("r"))) };
    round(&pair, &format!(r#"{{"left":{},"right":{}}}"#, p(0), p(1)), &["l", "r"]);
    round(
        &Tagged::File { name: "n".into(), data: bytes("f") },
        &format!(r#"{{"kind":"File","name":"n","data":{}}}"#, p(0)),
        &["f"],
    );
    round(&Tagged::None, r#"{"kind":"None"}"#, &[]);
    round(&Adjacent::One(bytes("1")), &format!(r#"{{"t":"One","c":{}}}"#, p(0)), &["1"]);
    round(&Adjacent::Two(bytes("1"), vec![bytes("2")]), &format!(r#"{{"t":"Two","c":[{},[{}]]}}"#, p(0), p(1)), &["1", "2"]);
    round(&BTreeMap::from([(1, bytes("x"))]), &format!(r#"{{"1":{}}}"#, p(0)), &["x"]);
}

#[test]
fn forged_placeholders() {
    let decode = |json: &str| {
        let mut list = vec![Bytes::from_static(b"x")];
        with_attachments(&mut list, || serde_json::from_str::<Binary>(json)).map_err(|error| error.to_string())
    };
    for json in [
        r#"{"_placeholder":true,"num":0}"#,
        r#"{"num":0.0,"x":[1],"_placeholder":true}"#,
        r#"{"num":5,"_placeholder":true,"num":0e1}"#,
        r#"{"\u005fplaceholder":true,"num":0}"#,
    ] {
        assert_eq!(decode(json), Ok(bytes("x")), "{json}");
    }
    for json in [
        r#"{"_placeholder":true,"num":1}"#,
        r#"{"_placeholder":true,"num":-1}"#,
        r#"{"_placeholder":true,"num":0.5}"#,
        r#"{"_placeholder":false,"num":0}"#,
        r#"{"_placeholder":true}"#,
        r#"{"num":0}"#,
        r#"{"_placeholder":1,"num":0}"#,
        r#"{"_placeholder":true,"num":"0"}"#,
        "{}",
        "[120]",
        r#""x""#,
        "null",
        "0",
    ] {
        assert!(decode(json).is_err(), "{json}");
    }
}

#[test]
fn outside_of_a_packet() {
    assert_eq!(serde_json::to_string(&bytes("ab")).expect("serializes"), "[97,98]");
    assert!(serde_json::from_str::<Binary>(r#"{"_placeholder":true,"num":0}"#).is_err());
    let deserializer = serde::de::value::BytesDeserializer::<serde::de::value::Error>::new(b"ab");
    assert_eq!(Binary::deserialize(deserializer), Ok(bytes("ab")));
}

#[test]
fn scopes_nest_and_survive_panics() {
    let mut outer = vec![Bytes::from_static(b"outer")];
    with_attachments(&mut outer, || {
        let decode = || serde_json::from_str::<Binary>(r#"{"_placeholder":true,"num":0}"#).expect("has an attachment");
        let mut inner = vec![Bytes::from_static(b"inner")];
        assert_eq!(with_attachments(&mut inner, decode), bytes("inner"));
        assert_eq!(inner, ["inner"]);
        let _ = std::panic::catch_unwind(|| with_attachments(&mut Vec::new(), || panic!("inside of a scope")));
        assert_eq!(decode(), bytes("outer"));
    });
    assert_eq!(outer, ["outer"]);
    assert!(DECODING.with_borrow(Option::is_none));
}

#[test]
fn an_argument_that_fails_leaves_no_scope() {
    let key_is_no_string = BTreeMap::from([((1, 2), bytes("x"))]);
    assert!(Body::event("a", &(key_is_no_string,)).is_err());
    assert!(ENCODING.with_borrow(Option::is_none));
}
