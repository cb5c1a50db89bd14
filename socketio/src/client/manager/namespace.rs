//! `Namespace`: one namespace of a connection, and what of it outlives a connection that is lost.
//!
//! ```text
//! Out --join--> Wanted --connection open--> Authenticating --auth--> Asked --CONNECT--> In
//!                 ^                                |                   |                |
//!                 +---------------------------- connection lost -----------------------+
//!   any of them --left, refused, disconnected by the server--> Out
//! ```

use super::{
    Key,
    buffer::{Buffer, Limits},
};
use crate::{contract::Incoming, parser::Body, text::Text};
use std::time::{Duration, Instant};

/// Where the client stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stay {
    Out,
    /// There is no connection at the moment.
    Wanted,
    /// The payload for CONNECT is being made.
    Authenticating,
    /// CONNECT is sent; the answer has to come in time.
    Asked {
        deadline: Instant,
    },
    In,
}

/// An event that waits for the connection.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) event: Body,
    pub(super) call: Option<u64>,
}

/// An event that is sent until it is acknowledged.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) event: Body,
    pub(super) call: u64,
    pub(super) timeout: Duration,
    pub(super) tries: u32,
    pub(super) in_flight: bool,
}

#[derive(Debug)]
pub(super) struct Namespace {
    pub(super) key: Key,
    pub(super) path: String,
    pub(super) stay: Stay,
    /// Counts the attempts to join: what belongs to an older one comes too late.
    pub(super) round: u64,
    /// Public id of the socket, as the server spells it.
    pub(super) id: Option<Text>,
    /// The secret by which the server recovers this stay, and the last event that it need not repeat.
    pub(super) pid: Option<String>,
    pub(super) offset: Option<String>,
    /// Events that came before the answer to CONNECT: those that a recovered stay missed.
    pub(super) early: Buffer<Incoming>,
    /// What was emitted while there was no connection.
    pub(super) waiting: Buffer<Waiting>,
    /// What is sent until it is acknowledged, one after the other.
    pub(super) queue: Buffer<Queued>,
}

/// The payload of the server's answer to CONNECT.
#[derive(serde::Deserialize)]
pub(super) struct Joined {
    pub(super) sid: String,
    #[serde(default)]
    pub(super) pid: Option<String>,
}

impl Namespace {
    pub(super) fn new(key: Key, path: String, limits: Limits, early: Limits) -> Self {
        Namespace {
            key,
            path,
            stay: Stay::Wanted,
            round: 0,
            id: None,
            pid: None,
            offset: None,
            early: Buffer::new(early),
            waiting: Buffer::new(limits),
            queue: Buffer::new(limits),
        }
    }

    /// The payload of CONNECT: what the application wants to say, and what recovers the last stay.
    ///
    /// # Errors
    /// `auth` is no JSON object. Servers close the connection for that.
    pub(super) fn connect_payload(&self, auth: Option<&str>) -> Result<Option<String>, String> {
        let auth = auth.map(str::trim).filter(|json| *json != "null");
        let fields = match auth {
            None => "",
            Some(json) => {
                let inner = json.strip_prefix('{').and_then(|json| json.strip_suffix('}'));
                inner.ok_or_else(|| "an `auth` payload is a JSON object: a struct or a map".to_owned())?.trim()
            }
        };
        let Some(pid) = &self.pid else { return Ok(auth.map(str::to_owned)) };
        let pid = serde_json::Value::from(&**pid);
        // Who has heard nothing yet says no more than who it was, as the reference does.
        let offset =
            self.offset.as_deref().map_or_else(String::new, |offset| format!(",\"offset\":{}", serde_json::Value::from(offset)));
        let comma = if fields.is_empty() { "" } else { "," };
        Ok(Some(format!("{{\"pid\":{pid}{offset}{comma}{fields}}}")))
    }

    /// Remembers the offset that a server which can recover appends to its events. Events that ask for an acknowledgement
    /// have none.
    pub(super) fn note_offset(&mut self, event: &Incoming) {
        if self.pid.is_none() || event.ack_id().is_some() {
            return;
        }
        let offset = event.raw_args().iter_raw().last().and_then(|json| serde_json::from_str::<String>(json).ok());
        self.offset = offset.or_else(|| self.offset.take());
    }

    /// Whether a connection is needed for it.
    pub(super) fn is_wanted(&self) -> bool {
        self.stay != Stay::Out
    }
}
