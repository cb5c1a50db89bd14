//! The messages of the reference's `ClusterAdapter`: `{type, data, uid, nsp}`, as JSON or as MessagePack.

use super::{
    Malformed, Unsupported,
    read::{Event, Fields, answer, server_event, shape, signed},
    value::Value,
    write::{Manner, Writer},
};
use crate::{
    adapter::message::{Envelope, Message, NodeId},
    parser::Dialect,
};
use bytes::Bytes;

/// Writes a message: as JSON unless there is binary data in it, or always as MessagePack, and then so that the package
/// `@msgpack/msgpack` reads it.
pub(crate) fn encode(message: &Message, me: &NodeId, namespace: &str, binary_always: bool) -> Result<Vec<u8>, Unsupported> {
    let mut out = Writer::default();
    out.open().field("type", &number(message)?);
    if has_data(message) {
        data(out.key("data"), message, None)?;
    }
    out.field("uid", me.as_str()).field("nsp", namespace).close();
    let value = out.finish();
    if binary_always { value.write_msgpack(Dialect::Official) } else { value.write(Dialect::Notepack) }
}

/// Reads a message. `None`: it is for another namespace, or of a type that is not known.
pub(crate) fn decode(bytes: &[u8], namespace: &str) -> Result<Option<Envelope>, Malformed> {
    let value = Value::read(bytes)?;
    let fields = Fields::of(&value.json)?;
    if fields.nsp.as_deref() != Some(namespace) {
        return Ok(None);
    }
    let number = fields.kind.ok_or(Malformed("a message without a type"))?;
    let message = message(number, fields.data.map(|data| data.get()), &value.attachments)?;
    message.map(|message| signed(fields.sender(), message)).transpose()
}

pub(super) fn number(message: &Message) -> Result<u8, Unsupported> {
    Ok(match message {
        Message::Hello => 1,
        Message::Alive => 2,
        Message::Broadcast { .. } | Message::Ask { .. } => 3,
        Message::Join { .. } => 4,
        Message::Leave { .. } => 5,
        Message::Disconnect { .. } => 6,
        Message::Fetch { .. } => 7,
        Message::Fetched { .. } => 8,
        Message::Emit { .. } | Message::AskServers { .. } => 9,
        Message::ServerAnswered { .. } => 10,
        Message::Asked { .. } => 11,
        Message::Acknowledged { .. } => 12,
        Message::Bye => 13,
        Message::FetchIds { .. } | Message::FetchedIds { .. } | Message::FetchRooms { .. } | Message::FetchedRooms { .. } => {
            return Err(Unsupported("a question of the pub/sub adapter alone"));
        }
    })
}

pub(super) fn has_data(message: &Message) -> bool {
    !matches!(message, Message::Hello | Message::Alive | Message::Bye)
}

/// Writes what a message says, in packets that name the namespace if they are to.
pub(super) fn data(out: &mut Writer, message: &Message, namespace: Option<&str>) -> Result<(), Unsupported> {
    out.open();
    match message {
        Message::Broadcast { target, event } => {
            out.key("packet").packet(event, namespace)?.key("opts").opts(target, Manner::of(event));
        }
        Message::Ask { id, target, event, timeout, single } => {
            out.key("packet").packet(event, namespace)?.field("requestId", id.as_str());
            out.key("opts").opts(target, Manner { timeout: *timeout, single: *single, ..Manner::of(event) });
        }
        Message::Join { target, rooms } | Message::Leave { target, rooms } => {
            out.key("opts").opts(target, Manner::default()).rooms("rooms", rooms);
        }
        Message::Disconnect { target, close } => drop(out.key("opts").opts(target, Manner::default()).field("close", close)),
        Message::Fetch { id, target } => {
            out.key("opts").opts(target, Manner::default()).field("requestId", id.as_str());
        }
        Message::Fetched { id, sockets } => drop(out.field("requestId", id.as_str()).sockets(sockets)),
        Message::Emit { event } => drop(out.key("packet").server_event(event)?),
        Message::AskServers { id, event } => {
            out.field("requestId", id.as_str()).key("packet").server_event(event)?;
        }
        Message::ServerAnswered { id, answer } | Message::Acknowledged { id, answer } => {
            out.field("requestId", id.as_str()).answer("packet", answer)?;
        }
        Message::Asked { id, clients } => drop(out.field("requestId", id.as_str()).field("clientCount", clients)),
        _ => return Err(Unsupported("a message that says nothing more")),
    }
    out.close();
    Ok(())
}

/// Reads a message from its type and what it says, if that type is known.
pub(super) fn message(number: u64, data: Option<&str>, attachments: &[Bytes]) -> Result<Option<Message>, Malformed> {
    let message = match number {
        1 => Message::Hello,
        2 => Message::Alive,
        13 => Message::Bye,
        3..=12 => spoken(number, data, attachments)?,
        _ => return Ok(None),
    };
    Ok(Some(message))
}

fn spoken(number: u64, data: Option<&str>, attachments: &[Bytes]) -> Result<Message, Malformed> {
    let mut fields = Fields::of(data.ok_or(Malformed("a message without data"))?)?;
    Ok(match number {
        3 => {
            let packet: Event<'_> = shape(fields.packet.ok_or(Malformed("a broadcast without a packet"))?.get())?;
            fields.for_clients(packet.body(attachments)?)?
        }
        4 => Message::Join { target: fields.target()?, rooms: fields.rooms()? },
        5 => Message::Leave { target: fields.target()?, rooms: fields.rooms()? },
        6 => Message::Disconnect { target: fields.target()?, close: fields.close() },
        7 => Message::Fetch { id: fields.request()?, target: fields.target()? },
        8 => fields.fetched(attachments)?,
        9 => {
            let event = fields.packet.ok_or(Malformed("an event for servers without a name"))?;
            fields.for_servers(server_event(event, attachments)?)?
        }
        10 => Message::ServerAnswered { id: fields.request()?, answer: answer(fields.packet, attachments) },
        11 => Message::Asked { id: fields.request()?, clients: fields.clients()? },
        _ => Message::Acknowledged { id: fields.request()?, answer: answer(fields.packet, attachments) },
    })
}
