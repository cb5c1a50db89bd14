//! What servers get from each other through Redis, and what they write of it again.
#![no_main]

mod adapter;
mod id {
    pub(crate) use socketio::SocketId;
}
#[allow(dead_code, unused_imports, unreachable_pub, reason = "only what messages need of it is used")]
#[path = "../../../socketio/src/parser/mod.rs"]
mod parser;
#[allow(dead_code, unreachable_pub, reason = "only what messages need of it is used")]
#[path = "../../../socketio/src/room.rs"]
mod room;
mod text {
    pub(crate) use socketio::Text;
}

use adapter::{
    message::{Envelope, Message, NodeId},
    wire::{
        classic::{self, Channel},
        cluster, stream,
    },
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((wire, message)) = input.split_first() else { return };
    match wire {
        b'b' => classic(classic::broadcast(message, "/").ok().flatten()),
        b'q' => classic(classic::request(message, "/").ok().flatten()),
        b'r' => classic(classic::response(message).ok().flatten()),
        b'c' => cluster(message, false),
        b'e' => cluster(message, true),
        b's' => {
            if let Ok(session) = stream::read_session(message) {
                if let Ok(again) = stream::session(&session) {
                    let read = stream::read_session(again.as_bytes()).expect("our own session");
                    assert_eq!(stream::session(&read).as_ref(), Ok(&again));
                }
            }
        }
        // The type of an entry, and what is said in it.
        number => entry(number.wrapping_sub(b'0'), message),
    }
});

fn me() -> NodeId {
    NodeId::from("0123456789abcdef")
}

fn classic(read: Option<Envelope>) {
    let Some(Envelope { message, .. }) = read else { return };
    let _ = format!("{message:?}");
    let Ok((channel, bytes)) = classic::encode(&message, &me(), "/") else { return };
    let again = match channel {
        Channel::Main | Channel::Room(_) => classic::broadcast(&bytes, "/"),
        Channel::Request => classic::request(&bytes, "/"),
        Channel::Response => classic::response(&bytes),
    };
    let again = again.expect("our own message").expect("for us").message;
    assert_eq!(classic::encode(&again, &me(), "/"), Ok((channel, bytes)));
}

fn cluster(bytes: &[u8], binary: bool) {
    let Ok(Some(Envelope { message, .. })) = cluster::decode(bytes, "/") else { return };
    let _ = format!("{message:?}");
    let Ok(bytes) = cluster::encode(&message, &me(), "/", binary) else { return };
    let again = cluster::decode(&bytes, "/").expect("our own message").expect("for us").message;
    assert_eq!(cluster::encode(&again, &me(), "/", binary), Ok(bytes));
}

fn entry(number: u8, data: &[u8]) {
    fn read<'a>(fields: &[(&str, &'a [u8])]) -> Option<Message> {
        let value = |name: &str| fields.iter().find(|field| field.0 == name).map(|field| field.1);
        Some(stream::read_entry(value).ok()??.1.message)
    }
    let number = number.to_string();
    let Some(message) = read(&[("nsp", b"/"), ("type", number.as_bytes()), ("data", data)]) else { return };
    let Ok(written) = stream::entry(&message, &me(), "/") else { return };
    let fields: Vec<(&str, &[u8])> = written.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    let again = read(&fields).expect("our own entry");
    assert_eq!(stream::entry(&again, &me(), "/"), Ok(written));
}
