//! The messages of `@socket.io/redis-adapter`: broadcasts are lists in MessagePack, requests and responses objects, mostly as JSON.
//!
//! Binary data in an event for servers makes that request, or that response, MessagePack, which the reference reads as well. It
//! writes JSON itself, and loses the data.

use super::{
    Malformed, Unsupported,
    read::{Event, Fields, Opts, answer, envelope, server_event, shape},
    value::Value,
    write::{Manner, Writer},
};
use crate::{
    adapter::message::{EMITTER, Envelope, Message, NodeId, RequestId},
    parser::Dialect,
    room::Room,
};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Where a message belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Channel {
    /// Broadcasts, unless they are for exactly one room.
    Main,
    /// Broadcasts for this room.
    Room(Room),
    Request,
    /// Of all servers, or of the one that has asked.
    Response,
}

/// Writes a message, and says where it belongs.
pub(crate) fn encode(message: &Message, me: &NodeId, namespace: &str) -> Result<(Channel, Vec<u8>), Unsupported> {
    let mut out = Writer::default();
    let request = |number: u8, id: &RequestId| {
        let mut out = Writer::default();
        out.open().field("uid", me.as_str()).field("requestId", id.as_str()).field("type", &number);
        out
    };
    // The emitter of the reference does not say who it is: the sender, too, is to act.
    let order = |number: u8| {
        let mut out = Writer::default();
        out.open();
        if me.as_str() != EMITTER {
            out.field("uid", me.as_str());
        }
        out.field("type", &number);
        out
    };
    match message {
        Message::Broadcast { target, event } => {
            out.raw("[").put(me.as_str()).raw(",").packet(event, Some(namespace))?;
            out.raw(",").opts(target, Manner::of(event)).raw("]");
            let channel = match &*target.rooms {
                [room] => Channel::Room(room.clone()),
                _ => Channel::Main,
            };
            return Ok((channel, out.finish().write_msgpack(Dialect::Notepack)?));
        }
        Message::Ask { id, target, event, timeout, single } => {
            let mut out = request(7, id);
            out.key("packet").packet(event, Some(namespace))?;
            out.key("opts").opts(target, Manner { timeout: *timeout, single: *single, ..Manner::of(event) }).close();
            return Ok((Channel::Request, out.finish().write_msgpack(Dialect::Notepack)?));
        }
        Message::Acknowledged { id, answer } => {
            out.open().field("type", &9).field("requestId", id.as_str()).answer("packet", answer)?.close();
            return Ok((Channel::Response, out.finish().write_msgpack(Dialect::Notepack)?));
        }
        Message::Asked { id, clients } => {
            out.open().field("type", &8).field("requestId", id.as_str()).field("clientCount", clients);
        }
        Message::ServerAnswered { id, answer } => {
            out.open().field("type", &6).field("requestId", id.as_str()).answer("data", answer)?;
        }
        Message::Fetched { id, sockets } => drop(out.open().field("requestId", id.as_str()).sockets(sockets)),
        Message::FetchedIds { id, ids } => drop(out.open().field("requestId", id.as_str()).field("sockets", ids)),
        Message::FetchedRooms { id, rooms } => drop(out.open().field("requestId", id.as_str()).rooms("rooms", rooms)),
        Message::Join { target, rooms } => {
            out = order(2);
            out.plain_opts(target).rooms("rooms", rooms);
        }
        Message::Leave { target, rooms } => {
            out = order(3);
            out.plain_opts(target).rooms("rooms", rooms);
        }
        Message::Disconnect { target, close } => {
            out = order(4);
            out.plain_opts(target).field("close", close);
        }
        Message::Fetch { id, target } => {
            out = request(5, id);
            out.plain_opts(target);
        }
        Message::Emit { event } => {
            out.open().field("uid", me.as_str()).field("type", &6).key("data").server_event(event)?;
        }
        Message::AskServers { id, event } => {
            out = request(6, id);
            out.key("data").server_event(event)?;
        }
        Message::FetchIds { id, rooms } => {
            out = request(0, id);
            out.rooms("rooms", rooms);
        }
        Message::FetchRooms { id } => {
            out.open().field("uid", me.as_str()).field("requestId", id.as_str()).field("type", &1);
        }
        Message::Hello | Message::Alive | Message::Bye => {
            return Err(Unsupported("servers of this adapter do not tell of each other"));
        }
    }
    out.close();
    let channel = if message.is_answer() { Channel::Response } else { Channel::Request };
    Ok((channel, out.finish().write(Dialect::Notepack)?))
}

/// Reads what came on a channel of broadcasts. `None`: it is for another namespace.
pub(crate) fn broadcast(bytes: &[u8], namespace: &str) -> Result<Option<Envelope>, Malformed> {
    #[derive(Deserialize)]
    struct Broadcast<'a>(Option<String>, #[serde(borrow)] &'a RawValue, Opts);
    let value = Value::read_msgpack(bytes)?;
    let Broadcast(uid, packet, opts) = shape(&value.json)?;
    let packet: Event<'_> = shape(packet.get())?;
    if packet.nsp.as_deref().unwrap_or("/") != namespace {
        return Ok(None);
    }
    let event = packet.body(&value.attachments)?;
    Ok(Some(envelope(uid.map(NodeId::from), Message::Broadcast { target: opts.into_target(), event })))
}

/// Reads what came on the channel of requests. `None`: a type of request that is not known, or for another namespace.
pub(crate) fn request(bytes: &[u8], namespace: &str) -> Result<Option<Envelope>, Malformed> {
    let value = Value::read(bytes)?;
    let mut fields = Fields::of(&value.json)?;
    let sender = fields.sender();
    let message = match fields.kind.ok_or(Malformed("a request without a type"))? {
        0 => Message::FetchIds { id: fields.request()?, rooms: fields.rooms()? },
        1 => Message::FetchRooms { id: fields.request()? },
        2 => Message::Join { target: fields.target()?, rooms: fields.rooms()? },
        3 => Message::Leave { target: fields.target()?, rooms: fields.rooms()? },
        4 => Message::Disconnect { target: fields.target()?, close: fields.close() },
        5 => Message::Fetch { id: fields.request()?, target: fields.target()? },
        6 => {
            let event = fields.data.ok_or(Malformed("an event for servers without a name"))?;
            fields.for_servers(server_event(event, &value.attachments)?)?
        }
        7 => {
            let packet = fields.packet.ok_or(Malformed("a question without a packet"))?;
            let packet: Event<'_> = shape(packet.get())?;
            if packet.nsp.as_deref().unwrap_or("/") != namespace {
                return Ok(None);
            }
            fields.request()?;
            fields.for_clients(packet.body(&value.attachments)?)?
        }
        _ => return Ok(None),
    };
    Ok(Some(envelope(sender, message)))
}

/// Reads what came on a channel of responses. `None`: it says nothing but that someone has answered, as old servers do.
pub(crate) fn response(bytes: &[u8]) -> Result<Option<Envelope>, Malformed> {
    let value = Value::read(bytes)?;
    let mut fields = Fields::of(&value.json)?;
    let sender = fields.sender();
    let id = fields.request()?;
    let message = match (fields.kind, fields.sockets) {
        (Some(6), _) => Message::ServerAnswered { id, answer: answer(fields.data, &value.attachments) },
        (Some(8), _) => Message::Asked { id, clients: fields.clients()? },
        (Some(9), _) => Message::Acknowledged { id, answer: answer(fields.packet, &value.attachments) },
        (_, Some(sockets)) => match serde_json::from_str::<Vec<String>>(sockets.get()) {
            Ok(ids) if !ids.is_empty() => Message::FetchedIds { id, ids },
            _ => fields.fetched(&value.attachments)?,
        },
        _ => match fields.rooms() {
            Ok(rooms) => Message::FetchedRooms { id, rooms },
            Err(_) => return Ok(None),
        },
    };
    Ok(Some(envelope(sender, message)))
}
