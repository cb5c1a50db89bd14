//! JSON text to what messages consist of. All messages of all wires share their fields' names, so there is one set of them.

use super::Malformed;
use crate::{
    adapter::message::{Envelope, Message, NodeId, RequestId, SessionRecord, SocketRecord},
    parser::{Body, BodyWriter, Name, inline, is_reserved_event},
    room::{Flags, Room, Target},
    text::Text,
};
use bytes::Bytes;
use serde::{Deserialize, Deserializer, de::Visitor};
use serde_json::value::RawValue;
use std::{fmt, time::Duration};

/// The fields that a message may have. Those that it has beside them are ignored, as in the reference.
#[derive(Deserialize)]
pub(super) struct Fields<'a> {
    #[serde(rename = "type")]
    pub(super) kind: Option<u64>,
    uid: Option<String>,
    pub(super) nsp: Option<String>,
    #[serde(rename = "requestId")]
    request: Option<String>,
    opts: Option<Opts>,
    rooms: Option<Vec<RoomName>>,
    close: Option<bool>,
    #[serde(rename = "clientCount")]
    clients: Option<u64>,
    /// Of old servers: one socket.
    sid: Option<String>,
    /// Of old servers: one room.
    room: Option<RoomName>,
    #[serde(borrow)]
    pub(super) sockets: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) packet: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) data: Option<&'a RawValue>,
}

/// A field that may be `null`, which is not the same as missing.
fn present<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// Reads one value of this shape.
pub(super) fn shape<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, Malformed> {
    serde_json::from_str(json).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => Malformed("a field of the wrong type"),
        _ => Malformed("text that is not JSON"),
    })
}

impl<'a> Fields<'a> {
    /// Those of an object; of nothing if there is none.
    pub(super) fn of(json: &'a str) -> Result<Self, Malformed> {
        if json.starts_with('{') { shape(json) } else { Err(Malformed("a message that is no object")) }
    }

    pub(super) fn sender(&self) -> Option<NodeId> {
        self.uid.as_deref().map(NodeId::from)
    }

    pub(super) fn request(&self) -> Result<RequestId, Malformed> {
        self.request.as_deref().map(RequestId::from).ok_or(Malformed("a question or an answer without its id"))
    }

    pub(super) fn is_question(&self) -> bool {
        self.request.is_some()
    }

    pub(super) fn clients(&self) -> Result<u64, Malformed> {
        self.clients.ok_or(Malformed("an answer without the number of clients"))
    }

    pub(super) fn close(&self) -> bool {
        self.close.unwrap_or_default()
    }

    /// Whom this is for.
    pub(super) fn opts(&mut self) -> Result<Opts, Malformed> {
        match (self.opts.take(), &self.sid) {
            (Some(opts), _) => Ok(opts),
            (None, Some(sid)) => Ok(Opts::of_socket(sid)),
            _ => Err(Malformed("a message without what it is for")),
        }
    }

    pub(super) fn target(&mut self) -> Result<Target, Malformed> {
        self.opts().map(Opts::into_target)
    }

    pub(super) fn rooms(&mut self) -> Result<Vec<Room>, Malformed> {
        match (self.rooms.take(), self.room.take()) {
            (Some(rooms), _) => Ok(rooms.into_iter().map(|room| room.0).collect()),
            (None, Some(room)) => Ok(vec![room.0]),
            _ => Err(Malformed("a message without rooms")),
        }
    }

    /// An event for clients, or with a question for them.
    pub(super) fn for_clients(&mut self, event: Body) -> Result<Message, Malformed> {
        let opts = self.opts()?;
        if !self.is_question() {
            return Ok(Message::Broadcast { target: opts.into_target(), event });
        }
        let (timeout, single) = (opts.flags.timeout(), opts.flags.single.unwrap_or_default());
        Ok(Message::Ask { id: self.request()?, target: opts.into_target(), event, timeout, single })
    }

    /// An event for servers, or a question for them.
    pub(super) fn for_servers(&self, event: Body) -> Result<Message, Malformed> {
        if self.is_question() { Ok(Message::AskServers { id: self.request()?, event }) } else { Ok(Message::Emit { event }) }
    }

    /// The answer of a server that describes its sockets.
    pub(super) fn fetched(&self, attachments: &[Bytes]) -> Result<Message, Malformed> {
        let sockets = self.sockets.ok_or(Malformed("an answer without sockets"))?;
        let sockets: Vec<Described<'_>> = shape(sockets.get())?;
        let sockets = sockets.into_iter().map(|socket| socket.record(attachments)).collect();
        Ok(Message::Fetched { id: self.request()?, sockets })
    }
}

/// A message from someone, not out of a journal.
pub(super) fn envelope(sender: Option<NodeId>, message: Message) -> Envelope {
    Envelope { sender, message, offset: None }
}

/// The same where questions are answered to whom they come from.
pub(super) fn signed(sender: Option<NodeId>, message: Message) -> Result<Envelope, Malformed> {
    if sender.is_none() && message.request().is_some() && !message.is_answer() {
        return Err(Malformed("a question without a sender"));
    }
    Ok(envelope(sender, message))
}

/// A packet for clients.
#[derive(Deserialize)]
pub(super) struct Event<'a> {
    #[serde(rename = "type")]
    kind: u64,
    pub(super) nsp: Option<String>,
    #[serde(borrow)]
    data: &'a RawValue,
}

impl Event<'_> {
    pub(super) fn body(&self, attachments: &[Bytes]) -> Result<Body, Malformed> {
        // An event, with binary data or without.
        if !matches!(self.kind, 2 | 5) {
            return Err(Malformed("a packet that is no event"));
        }
        // The reference passes any name on to clients, which close their connection over some.
        event(self.data, attachments, is_reserved_event)
    }
}

/// An event for servers.
pub(super) fn server_event(data: &RawValue, attachments: &[Bytes]) -> Result<Body, Malformed> {
    event(data, attachments, |_| false)
}

fn event(data: &RawValue, attachments: &[Bytes], is_refused: impl Fn(&str) -> bool) -> Result<Body, Malformed> {
    let json = data.get();
    let Ok((name, _)) = Name::read_any(json, 0) else { return Err(Malformed("an event without a name")) };
    if is_refused(name.as_str(json)) {
        return Err(Malformed("an event with a reserved name"));
    }
    Ok(body(json.strip_prefix('[').and_then(|json| json.strip_suffix(']')).unwrap_or_default(), attachments))
}

/// The one argument of an acknowledgement, or none.
pub(super) fn answer(argument: Option<&RawValue>, attachments: &[Bytes]) -> Body {
    argument.map_or_else(Body::empty, |argument| body(argument.get(), attachments))
}

fn body(inner: &str, attachments: &[Bytes]) -> Body {
    let mut writer = BodyWriter::ack();
    writer.raw_args(inner, attachments);
    writer.close()
}

/// Whom something is for, and how.
#[derive(Deserialize)]
pub(super) struct Opts {
    /// Every server of the reference and every emitter writes them. If they were taken for empty, they would mean everybody.
    rooms: Vec<RoomName>,
    except: Option<Vec<RoomName>>,
    #[serde(default, deserialize_with = "or_default")]
    flags: WireFlags,
}

impl Opts {
    fn of_socket(sid: &str) -> Self {
        Opts { rooms: vec![RoomName(sid.into())], except: None, flags: WireFlags::default() }
    }

    pub(super) fn into_target(self) -> Target {
        let Opts { rooms, except, flags } = self;
        Target {
            rooms: rooms.into_iter().map(|room| room.0).collect(),
            except: except.unwrap_or_default().into_iter().map(|room| room.0).collect(),
            flags: Flags {
                volatile: flags.volatile.unwrap_or_default(),
                local: false,
                uncompressed: flags.compress == Some(false),
            },
        }
    }
}

fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[derive(Deserialize, Default)]
struct WireFlags {
    volatile: Option<bool>,
    compress: Option<bool>,
    /// In milliseconds.
    timeout: Option<f64>,
    #[serde(rename = "expectSingleResponse")]
    single: Option<bool>,
}

impl WireFlags {
    fn timeout(&self) -> Option<Duration> {
        /// What timers of JavaScript can wait.
        const LONGEST: f64 = 2_147_483_647.0;
        self.timeout.filter(|ms| *ms >= 0.0).map(|ms| Duration::from_millis(ms.min(LONGEST) as u64))
    }
}

/// A room that may be a number in the reference, where rooms can be anything; here it is the text of that.
struct RoomName(Room);

impl<'de> Deserialize<'de> for RoomName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrNumber;
        impl Visitor<'_> for TextOrNumber {
            type Value = RoomName;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a room")
            }
            fn visit_str<E>(self, room: &str) -> Result<RoomName, E> {
                Ok(RoomName(room.into()))
            }
            fn visit_u64<E>(self, room: u64) -> Result<RoomName, E> {
                Ok(RoomName(room.to_string().into()))
            }
            fn visit_i64<E>(self, room: i64) -> Result<RoomName, E> {
                Ok(RoomName(room.to_string().into()))
            }
            fn visit_f64<E: serde::de::Error>(self, room: f64) -> Result<RoomName, E> {
                if room.is_finite() { Ok(RoomName(room.to_string().into())) } else { Err(E::custom("no room")) }
            }
        }
        deserializer.deserialize_any(TextOrNumber)
    }
}

/// A socket elsewhere.
#[derive(Deserialize)]
struct Described<'a> {
    id: String,
    #[serde(borrow)]
    handshake: Option<&'a RawValue>,
    #[serde(default)]
    rooms: Vec<RoomName>,
    #[serde(borrow, default, deserialize_with = "present")]
    data: Option<&'a RawValue>,
}

impl Described<'_> {
    fn record(self, attachments: &[Bytes]) -> SocketRecord {
        SocketRecord {
            id: self.id,
            handshake: plain(self.handshake, attachments),
            rooms: self.rooms.into_iter().map(|room| room.0).collect(),
            data: plain(self.data, attachments),
        }
    }
}

/// JSON text without attachments: binary data is shown as the reference does where it has only JSON.
fn plain(json: Option<&RawValue>, attachments: &[Bytes]) -> Text {
    match json.map(|json| inline(json.get(), attachments)) {
        None => Text::from_static("{}"),
        Some(json) => json.into_owned().into(),
    }
}

/// A session that waits for its client.
#[derive(Deserialize)]
pub(super) struct Session<'a> {
    sid: String,
    pid: String,
    rooms: Vec<RoomName>,
    #[serde(borrow, default, deserialize_with = "present")]
    data: Option<&'a RawValue>,
    #[serde(default, rename = "nsp")]
    namespace: Option<String>,
    #[serde(default)]
    start: Option<String>,
    #[serde(default)]
    mark: Option<String>,
}

impl Session<'_> {
    pub(super) fn record(self, attachments: &[Bytes]) -> SessionRecord {
        let Session { sid, pid, rooms, data, namespace, start, mark } = self;
        let rooms = rooms.into_iter().map(|room| room.0).collect();
        SessionRecord { sid, pid, rooms, data: plain(data, attachments), namespace, start, mark }
    }
}
