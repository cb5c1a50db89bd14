//! What messages consist of, as JSON text. Keys come in the order of the reference, so that the bytes are the same.

use super::{Unsupported, value::Value};
use crate::{
    adapter::message::{SessionRecord, SocketRecord},
    parser::{Body, Name, is_reserved_event, renumber},
    room::{Flags, Room, Target},
};
use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt::Write as _, time::Duration};

/// JSON text in the making, and what its placeholders name.
#[derive(Default)]
pub(super) struct Writer {
    json: String,
    attachments: Vec<Bytes>,
}

impl Writer {
    pub(super) fn finish(self) -> Value<'static> {
        Value { json: Cow::Owned(self.json), attachments: self.attachments }
    }

    /// Appends JSON text.
    pub(super) fn raw(&mut self, json: &str) -> &mut Self {
        self.json.push_str(json);
        self
    }

    /// Appends a value.
    pub(super) fn put<T: Serialize + ?Sized>(&mut self, value: &T) -> &mut Self {
        self.raw(&serde_json::to_string(value).expect("invariant: texts, numbers and lists of them are JSON"))
    }

    /// Appends the key and the value of a field; the object starts in front of the first.
    pub(super) fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> &mut Self {
        self.key(name).put(value)
    }

    pub(super) fn key(&mut self, name: &str) -> &mut Self {
        let start = if self.json.ends_with(['{', '[']) || self.json.is_empty() { "" } else { "," };
        write!(self.json, "{start}\"{name}\":").expect("invariant: memory takes it");
        self
    }

    pub(super) fn open(&mut self) -> &mut Self {
        self.raw("{")
    }

    pub(super) fn close(&mut self) -> &mut Self {
        self.raw("}")
    }

    /// An event of ours: a list.
    pub(super) fn body(&mut self, body: &Body) -> &mut Self {
        let json = renumber(body.json(), body.attachments(), &mut self.attachments);
        self.json.push_str(&json);
        self
    }

    /// The first argument of an acknowledgement of ours as a field; nothing if it has none.
    pub(super) fn answer(&mut self, name: &str, answer: &Body) -> Result<&mut Self, Unsupported> {
        let arguments: Vec<&RawValue> =
            serde_json::from_str(answer.json()).map_err(|_| Unsupported("an acknowledgement that is no list"))?;
        if let Some(first) = arguments.first() {
            let json = renumber(first.get(), answer.attachments(), &mut self.attachments);
            self.key(name).raw(&json);
        }
        Ok(self)
    }

    pub(super) fn rooms(&mut self, name: &str, rooms: &[Room]) -> &mut Self {
        self.field(name, &rooms.iter().map(Room::as_str).collect::<Vec<_>>())
    }

    /// `opts`, without flags.
    pub(super) fn plain_opts(&mut self, target: &Target) -> &mut Self {
        self.key("opts").open().rooms("rooms", &target.rooms).rooms("except", &target.except).close()
    }

    /// The value of `opts`, with what the flags say of an event.
    pub(super) fn opts(&mut self, target: &Target, event: Manner) -> &mut Self {
        self.open().rooms("rooms", &target.rooms).rooms("except", &target.except).key("flags").open();
        let Flags { volatile, local: _, uncompressed } = target.flags;
        if volatile || event.volatile {
            self.field("volatile", &true);
        }
        if uncompressed {
            self.field("compress", &false);
        }
        if event.single {
            self.field("expectSingleResponse", &true);
        }
        if let Some(timeout) = event.timeout {
            self.field("timeout", &u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX).min(MAX_MILLISECONDS));
        }
        self.close().close()
    }

    /// The packet of an event for clients, in the namespace if the packet is to name it.
    pub(super) fn packet(&mut self, event: &Body, namespace: Option<&str>) -> Result<&mut Self, Unsupported> {
        if is_reserved_event(name(event)?.as_str(event.json())) {
            return Err(Unsupported("an event whose name closes the connections of clients"));
        }
        self.open().field("type", &2).key("data").body(event);
        if let Some(namespace) = namespace {
            self.field("nsp", namespace);
        }
        Ok(self.close())
    }

    /// An event for servers. The reference emits it to the namespace itself: an `error` that nobody listens to ends the process,
    /// as do the other names with arguments that their listeners do not expect.
    pub(super) fn server_event(&mut self, event: &Body) -> Result<&mut Self, Unsupported> {
        match name(event)?.as_str(event.json()) {
            "error" | "connection" | "connect" | "connect_error" | "new_namespace" => {
                Err(Unsupported("an event whose name ends servers of the reference"))
            }
            _ => Ok(self.body(event)),
        }
    }

    pub(super) fn sockets(&mut self, sockets: &[SocketRecord]) -> &mut Self {
        self.key("sockets").raw("[");
        for (at, socket) in sockets.iter().enumerate() {
            self.raw(if at == 0 { "{" } else { ",{" }).field("id", &socket.id);
            self.key("handshake").raw(or_empty(&socket.handshake)).rooms("rooms", &socket.rooms);
            self.key("data").raw(or_empty(&socket.data)).close();
        }
        self.raw("]")
    }

    pub(super) fn session(&mut self, session: &SessionRecord) -> &mut Self {
        self.open().field("sid", &session.sid).field("pid", &session.pid).rooms("rooms", &session.rooms);
        self.key("data").raw(or_empty(&session.data));
        // The reference ignores these.
        for (name, value) in [("nsp", &session.namespace), ("start", &session.start), ("mark", &session.mark)] {
            if let Some(value) = value {
                self.field(name, value);
            }
        }
        self.close()
    }
}

/// What JavaScript holds exactly.
const MAX_MILLISECONDS: u64 = (1 << 53) - 1;

/// How an event is to be delivered, and acknowledged if it is to be.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Manner {
    pub(super) volatile: bool,
    pub(super) timeout: Option<Duration>,
    pub(super) single: bool,
}

impl Manner {
    pub(super) fn of(event: &Body) -> Self {
        Manner { volatile: event.is_volatile(), ..Manner::default() }
    }
}

fn name(event: &Body) -> Result<Name, Unsupported> {
    Name::read_any(event.json(), 0).map(|(name, _)| name).map_err(|_| Unsupported("an event without a name"))
}

fn or_empty(json: &str) -> &str {
    if json.is_empty() { "{}" } else { json }
}
