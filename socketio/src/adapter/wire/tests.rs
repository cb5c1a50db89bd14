//! Messages as the reference writes them, byte for byte in both directions; nonsense; and any message there and back.
//!
//! The vectors were written by `notepack.io` 3.0.1 and `@msgpack/msgpack` 2.8.0 from what the adapters of the reference hand to them.

mod nonsense;

use super::{
    classic::{self, Channel},
    cluster, stream,
};
use crate::{
    adapter::message::{EMITTER, Envelope, Message, NodeId, RequestId, SessionRecord, SocketRecord},
    parser::Body,
    room::{Flags, Room, Target},
};
use bytes::Bytes;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// One line of the vectors.
#[derive(Deserialize)]
struct Vector {
    wire: String,
    channel: String,
    /// `both`: we write the same. `emitter`: so does an emitter of ours. `read`: we only read it.
    dir: String,
    hex: String,
    uid: Option<String>,
    message: Value,
}

fn unhex(hex: &str) -> Vec<u8> {
    let digit = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
    (0..hex.len()).step_by(2).map(digit).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn value(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

/// A message in the spelling of the vectors, which leaves out what is empty or false.
fn show(message: &Message) -> Value {
    fn rooms(rooms: &[Room]) -> Value {
        rooms.iter().map(|room| json!(room.as_str())).collect()
    }
    fn target(target: &Target) -> Value {
        let Flags { volatile, uncompressed, local } = target.flags;
        json!({ "rooms": rooms(&target.rooms), "except": rooms(&target.except), "volatile": volatile, "uncompressed": uncompressed, "local": local })
    }
    fn body(body: &Body) -> Value {
        json!({ "event": value(body.json()), "attachments": body.attachments().iter().map(|bytes| hex(bytes)).collect::<Vec<_>>() })
    }
    fn of<const N: usize>(is: &str, parts: [Value; N]) -> Value {
        let mut all = Map::from_iter([("is".to_owned(), json!(is))]);
        for (key, value) in parts.into_iter().flat_map(|part| part.as_object().cloned().expect("an object")) {
            let is_list_of_event = key == "event";
            if is_list_of_event || !(value == json!([]) || value == json!(false) || value.is_null()) {
                all.insert(key, value);
            }
        }
        Value::Object(all)
    }
    let id = |id: &RequestId| json!({ "id": id.as_str() });
    let which = |names: &[Room]| json!({ "which": rooms(names) });
    match message {
        Message::Broadcast { target: to, event } => of("broadcast", [target(to), body(event)]),
        Message::Ask { id: i, target: to, event, timeout, single } => {
            let ms = timeout.map(|time| u64::try_from(time.as_millis()).expect("short"));
            of("ask", [id(i), target(to), body(event), json!({ "timeout": ms, "single": single })])
        }
        Message::Asked { id: i, clients } => of("asked", [id(i), json!({ "clients": clients })]),
        Message::Acknowledged { id: i, answer } => of("acknowledged", [id(i), body(answer)]),
        Message::Join { target: to, rooms } => of("join", [target(to), which(rooms)]),
        Message::Leave { target: to, rooms } => of("leave", [target(to), which(rooms)]),
        Message::Disconnect { target: to, close } => of("disconnect", [target(to), json!({ "close": close })]),
        Message::Fetch { id: i, target: to } => of("fetch", [id(i), target(to)]),
        Message::Fetched { id: i, sockets } => {
            let sockets = sockets.iter().map(|socket| {
                json!({ "id": socket.id, "handshake": value(&socket.handshake), "rooms": rooms(&socket.rooms), "data": value(&socket.data) })
            });
            of("fetched", [id(i), json!({ "sockets": sockets.collect::<Vec<_>>() })])
        }
        Message::Emit { event } => of("emit", [body(event)]),
        Message::AskServers { id: i, event } => of("ask servers", [id(i), body(event)]),
        Message::ServerAnswered { id: i, answer } => of("server answered", [id(i), body(answer)]),
        Message::FetchIds { id: i, rooms } => of("fetch ids", [id(i), which(rooms)]),
        Message::FetchedIds { id: i, ids } => of("fetched ids", [id(i), json!({ "ids": ids })]),
        Message::FetchRooms { id: i } => of("fetch rooms", [id(i)]),
        Message::FetchedRooms { id: i, rooms } => of("fetched rooms", [id(i), which(rooms)]),
        Message::Hello => of("hello", []),
        Message::Alive => of("alive", []),
        Message::Bye => of("bye", []),
    }
}

fn read_channel(channel: &str, bytes: &[u8]) -> Result<Option<Envelope>, super::Malformed> {
    match channel {
        "request" => classic::request(bytes, "/"),
        "response" => classic::response(bytes),
        _ => classic::broadcast(bytes, "/"),
    }
}

fn name_of(channel: &Channel) -> String {
    match channel {
        Channel::Main => "main".to_owned(),
        Channel::Room(room) => format!("room:{room}"),
        Channel::Request => "request".to_owned(),
        Channel::Response => "response".to_owned(),
    }
}

/// Reads an entry whose fields are in a JSON object.
fn read_entry(json: &[u8]) -> Result<Option<(String, Envelope)>, super::Malformed> {
    let fields: Map<String, Value> = serde_json::from_slice(json).expect("an object");
    stream::read_entry(|name| fields.get(name)?.as_str().map(str::as_bytes))
}

fn object(fields: stream::Fields) -> Value {
    Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect())
}

#[test]
fn messages_of_the_reference() {
    let mut written = 0;
    for line in include_str!("../../../../tests/vectors/cluster.jsonl").lines() {
        let vector: Vector = serde_json::from_str(line).expect("a vector");
        let bytes = unhex(&vector.hex);
        let read = match &*vector.wire {
            "classic" => read_channel(&vector.channel, &bytes),
            "stream" => read_entry(&bytes).map(|read| {
                let (namespace, envelope) = read.expect("a known type");
                assert_eq!(namespace, "/");
                Some(envelope)
            }),
            "session" => {
                let record = stream::read_session(&bytes).expect("a session");
                let SessionRecord { sid, pid, rooms, data, namespace: None, start: None, mark: None } = &record else {
                    panic!("the reference has no such fields: {record:?}");
                };
                let rooms: Vec<&str> = rooms.iter().map(Room::as_str).collect();
                assert_eq!(json!({ "sid": sid, "pid": pid, "rooms": rooms, "data": value(data) }), vector.message);
                assert_eq!(stream::session(&record).expect("a session").into_bytes(), bytes);
                continue;
            }
            _ => cluster::decode(&bytes, "/"),
        };
        let envelope = read.unwrap_or_else(|error| panic!("{error}: {line}")).unwrap_or_else(|| panic!("not for us: {line}"));
        assert_eq!(envelope.sender.as_ref().map(NodeId::as_str), vector.uid.as_deref(), "{line}");
        assert!(alike(&show(&envelope.message), &vector.message), "{line}");
        if vector.dir == "read" {
            continue;
        }
        written += 1;
        let me = NodeId::from(vector.uid.as_deref().unwrap_or(EMITTER));
        match &*vector.wire {
            "classic" => {
                let (channel, again) = classic::encode(&envelope.message, &me, "/").expect("known to this wire");
                assert_eq!((name_of(&channel), hex(&again)), (vector.channel, vector.hex), "{line}");
            }
            "stream" => {
                let again = stream::entry(&envelope.message, &me, "/").expect("known to this wire");
                assert_eq!(object(again), serde_json::from_slice::<Value>(&bytes).expect("an object"), "{line}");
            }
            wire => {
                let again = cluster::encode(&envelope.message, &me, "/", wire == "ephemeral").expect("known to this wire");
                assert_eq!(hex(&again), vector.hex, "{line}");
            }
        }
    }
    assert!(written > 75, "{written}");
}

#[test]
fn what_the_reference_could_not_take_is_not_written() {
    let me = NodeId::from("x");
    let refused = |message: &Message| {
        [
            classic::encode(message, &me, "/").is_err(),
            cluster::encode(message, &me, "/", false).is_err(),
            cluster::encode(message, &me, "/", true).is_err(),
            stream::entry(message, &me, "/").is_err(),
        ]
    };
    let broadcast = |event: Body| Message::Broadcast { target: Target::default(), event };
    let emit = |event: Body| Message::Emit { event };
    let event = |json: &str| Body::from_json(json, Vec::new());
    assert_eq!(refused(&broadcast(event(r#"["a"]"#))), [false; 4]);
    assert_eq!(refused(&emit(event(r#"["disconnect"]"#))), [false; 4]);
    // Nothing that clients close their connection over.
    for json in ["[]", "[null]", r#"["disconnect"]"#, r#"["\u0063onnect"]"#, r#"[{"a":1}]"#] {
        assert_eq!(refused(&broadcast(event(json))), [true; 4], "{json}");
    }
    // Nothing that servers throw over, with nobody to catch it.
    for json in ["[]", "[[]]", r#"["error"]"#, r#"["connection",1]"#, r#"["connect"]"#, r#"["new_namespace"]"#] {
        assert_eq!(refused(&emit(event(json))), [true; 4], "{json}");
    }
    let deep = |depth: usize| event(&format!(r#"["a",{}1{}]"#, "[".repeat(depth), "]".repeat(depth)));
    assert_eq!(refused(&broadcast(deep(400))), [false; 4]);
    assert_eq!(refused(&broadcast(deep(100_000))), [true; 4]);
    // `@msgpack/msgpack` throws. In JSON it is a key like others.
    let proto = |key: &str| Body::from_json(&format!(r#"["a",{{"{key}":{{"_placeholder":true,"num":0}}}}]"#), vec![Bytes::new()]);
    assert_eq!(refused(&broadcast(proto("__proto__"))), [false, false, true, true]);
    assert_eq!(refused(&broadcast(proto("\\u005f_proto__"))), [false, false, true, true]);
    assert_eq!(refused(&broadcast(event(r#"["a","__proto__",["__proto__"],{"x":"__proto__"}]"#))), [false; 4]);
    // Two adapters have messages that the others lack.
    assert!(classic::encode(&Message::Hello, &me, "/").is_err());
    assert!(cluster::encode(&Message::FetchRooms { id: "r".into() }, &me, "/", false).is_err());
}

#[test]
fn binary_data_in_an_event_for_servers_is_kept() {
    let event = Body::event("e", &crate::parser::Binary::from(&b"ab"[..]));
    assert!(event.is_err(), "arguments are a list");
    let event = Body::event("e", &(crate::parser::Binary::from(&b"ab"[..]),)).expect("a body");
    let (channel, bytes) = classic::encode(&Message::Emit { event }, &NodeId::from("x"), "/").expect("a request");
    assert_eq!((channel, bytes[0]), (Channel::Request, 0x83));
    let message = classic::request(&bytes, "/").expect("ours").expect("known").message;
    assert_eq!(show(&message)["attachments"], json!(["6162"]));
}

#[test]
fn an_event_that_was_declared_volatile_is_so_elsewhere() {
    let mut writer = crate::parser::BodyWriter::event("e");
    writer.volatile();
    let event = writer.finish().expect("a body");
    let message = Message::Broadcast { target: Target::default(), event };
    let bytes = cluster::encode(&message, &NodeId::from("x"), "/", false).expect("a message");
    assert!(show(&cluster::decode(&bytes, "/").expect("ours").expect("known").message)["volatile"] == json!(true));
}

// -------------------------------------------------------------------------------------------- any message there and back

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map("[a-z]{0,6}", inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A list of values and pieces of binary data, behind a name if it is an event.
fn body(name: bool) -> impl Strategy<Value = Body> {
    let values = proptest::collection::vec(any_value(), 0..3);
    let pieces = proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..3);
    ("[a-z\"é ]{0,9}x", values, pieces).prop_map(move |(event, values, pieces)| {
        let mut list: Vec<Value> = if name { vec![event.into()] } else { Vec::new() };
        list.extend(values);
        list.extend((0..pieces.len()).map(|num| json!({ "_placeholder": true, "num": num })));
        Body::from_json(&Value::from(list).to_string(), pieces.into_iter().map(Bytes::from).collect())
    })
}

/// One argument at most.
fn answer() -> impl Strategy<Value = Body> {
    let piece = proptest::collection::vec(any::<u8>(), 0..300).prop_map(|bytes| {
        let json = json!([{ "a": [{ "_placeholder": true, "num": 0 }] }]).to_string();
        Body::from_json(&json, vec![bytes.into()])
    });
    prop_oneof![Just(Body::empty()), any_value().prop_map(|value| Body::from_json(&json!([value]).to_string(), Vec::new())), piece,]
}

fn rooms() -> impl Strategy<Value = Vec<Room>> {
    proptest::collection::vec(".{0,12}".prop_map(Room::from), 0..4)
}

fn target(with_flags: bool) -> impl Strategy<Value = Target> {
    (rooms(), rooms(), any::<bool>(), any::<bool>()).prop_map(move |(rooms, except, volatile, uncompressed)| {
        let flags = Flags { volatile: volatile && with_flags, local: false, uncompressed: uncompressed && with_flags };
        Target { rooms, except, flags }
    })
}

fn sockets() -> impl Strategy<Value = Vec<SocketRecord>> {
    let socket = (".{0,20}", any_value(), rooms(), any_value()).prop_map(|(id, handshake, rooms, data)| SocketRecord {
        id,
        handshake: json!({ "auth": handshake }).to_string().into(),
        rooms,
        data: json!({ "data": data }).to_string().into(),
    });
    proptest::collection::vec(socket, 0..4)
}

/// Any message of all wires. `flags`: whether the wire has them in messages that are no events.
fn message(flags: bool) -> impl Strategy<Value = Message> {
    let id = || "[A-Za-z0-9_-]{6,16}".prop_map(|id: String| RequestId::from(id));
    let time = proptest::option::of((0_u64..1 << 31).prop_map(Duration::from_millis));
    prop_oneof![
        (target(true), body(true)).prop_map(|(target, event)| Message::Broadcast { target, event }),
        (id(), target(true), body(true), time, any::<bool>()).prop_map(|(id, target, event, timeout, single)| Message::Ask {
            id,
            target,
            event,
            timeout,
            single
        }),
        (id(), 0_u64..1 << 53).prop_map(|(id, clients)| Message::Asked { id, clients }),
        (id(), answer()).prop_map(|(id, answer)| Message::Acknowledged { id, answer }),
        (target(flags), rooms()).prop_map(|(target, rooms)| Message::Join { target, rooms }),
        (target(flags), rooms()).prop_map(|(target, rooms)| Message::Leave { target, rooms }),
        (target(flags), any::<bool>()).prop_map(|(target, close)| Message::Disconnect { target, close }),
        (id(), target(flags)).prop_map(|(id, target)| Message::Fetch { id, target }),
        (id(), sockets()).prop_map(|(id, sockets)| Message::Fetched { id, sockets }),
        body(true).prop_map(|event| Message::Emit { event }),
        (id(), body(true)).prop_map(|(id, event)| Message::AskServers { id, event }),
        (id(), answer()).prop_map(|(id, answer)| Message::ServerAnswered { id, answer }),
    ]
}

/// The same, but for the last digits of numbers: integers beyond 2^53 are floats in one dialect, and `serde_json` reads the last
/// digit of floats as it likes.
fn alike(one: &Value, two: &Value) -> bool {
    match (one, two) {
        (Value::Number(one), Value::Number(two)) => one
            .as_f64()
            .zip(two.as_f64())
            .is_some_and(|(one, two)| (one - two).abs() <= 4.0 * f64::EPSILON * one.abs() + f64::MIN_POSITIVE),
        (Value::Array(one), Value::Array(two)) => one.len() == two.len() && one.iter().zip(two).all(|(one, two)| alike(one, two)),
        (Value::Object(one), Value::Object(two)) => {
            one.len() == two.len() && one.iter().all(|(key, one)| two.get(key).is_some_and(|two| alike(one, two)))
        }
        (one, two) => one == two,
    }
}

fn same(one: &Value, two: &Value) -> Result<(), TestCaseError> {
    prop_assert!(alike(one, two), "{one}\nis not\n{two}");
    Ok(())
}

proptest! {
    #[test]
    fn any_message_comes_back(message in message(true), binary_always in any::<bool>()) {
        let me = NodeId::from("0b13b5efc3097662");
        let shown = show(&message);
        let bytes = cluster::encode(&message, &me, "/chat", binary_always).expect("a message");
        let envelope = cluster::decode(&bytes, "/chat").expect("ours").expect("known");
        same(&show(&envelope.message), &shown)?;
        prop_assert_eq!(envelope.sender.as_ref(), Some(&me));
        prop_assert!(cluster::decode(&bytes, "/").is_ok_and(|envelope| envelope.is_none()));
        let fields = stream::entry(&message, &me, "/chat").expect("an entry");
        let (namespace, envelope) = read_entry(object(fields).to_string().as_bytes()).expect("ours").expect("known");
        prop_assert_eq!(namespace, "/chat");
        same(&show(&envelope.message), &shown)?;
    }

    #[test]
    fn any_message_of_the_older_adapter_comes_back(message in message(false)) {
        let me = NodeId::from("ruCSy_");
        let (channel, bytes) = classic::encode(&message, &me, "/").expect("a message");
        let envelope = read_channel(&name_of(&channel), &bytes).expect("ours").expect("known");
        same(&show(&envelope.message), &show(&message))?;
        prop_assert_eq!(envelope.sender.is_some(), channel != Channel::Response);
    }

    #[test]
    fn any_session_comes_back(
        (sid, pid) in (".{0,20}", ".{0,20}"),
        rooms in rooms(),
        data in any_value(),
        ours in [".{0,20}", ".{0,20}", ".{0,20}"].map(proptest::option::of),
    ) {
        let [namespace, start, mark] = ours;
        let record = SessionRecord { sid, pid, rooms, data: data.to_string().into(), namespace, start, mark };
        let again = stream::read_session(stream::session(&record).expect("a session").as_bytes()).expect("ours");
        prop_assert_eq!((&again.sid, &again.pid, &again.rooms), (&record.sid, &record.pid, &record.rooms));
        prop_assert_eq!((&again.namespace, &again.start, &again.mark), (&record.namespace, &record.start, &record.mark));
        same(&value(&again.data), &value(&record.data))?;
    }

    #[test]
    fn any_bytes_are_a_message_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = (cluster::decode(&bytes, "/"), stream::read_session(&bytes), classic::broadcast(&bytes, "/"));
        let _ = (classic::request(&bytes, "/"), classic::response(&bytes), stream::read_entry(|_| Some(&bytes)));
    }
}
