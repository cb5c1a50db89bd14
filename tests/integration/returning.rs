//! A raw client that comes back to its session, as the stock client does: it repeats its private id, and as offset the last
//! string that an event ended in.

use crate::client::{Client, Packet, Transport};
use serde_json::{Value, json};
use std::net::SocketAddr;

/// What a client keeps between two connections.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ticket {
    pub(crate) sid: String,
    pub(crate) pid: String,
    pub(crate) offset: Option<String>,
}

impl Ticket {
    fn of(packet: &Packet, offset: Option<String>) -> Self {
        let text = |field: &str| packet.data[field].as_str().unwrap_or_default().to_owned();
        Ticket { sid: text("sid"), pid: text("pid"), offset }
    }

    fn see(&mut self, event: &Packet) {
        // With an id, the stock client puts a function behind the arguments.
        let last = event.data.as_array().and_then(|data| data.last()).and_then(Value::as_str);
        if let (None, Some(offset)) = (event.id, last) {
            // Of one log, offsets grow: whoever has seen one has seen all before it.
            if let (Some((log, before)), Some((same, now))) = (self.offset.as_deref().and_then(number), number(offset)) {
                assert!(log != same || before < now, "{offset} is behind {before}");
            }
            self.offset = Some(offset.to_owned());
        }
    }

    pub(crate) fn auth(&self) -> Value {
        match &self.offset {
            Some(offset) => json!({ "pid": self.pid, "offset": offset }),
            None => json!({ "pid": self.pid }),
        }
    }
}

fn number(offset: &str) -> Option<(&str, u64)> {
    if let Some((milliseconds, number)) = offset.split_once('-') {
        let (milliseconds, number): (u64, u64) = (milliseconds.parse().ok()?, number.parse().ok()?);
        return Some(("journal", milliseconds * 100_000 + number));
    }
    let (log, number) = offset.split_once('.')?;
    Some((log, number.parse().ok()?))
}

/// A client of `/` that can come back.
#[derive(Debug)]
pub(crate) struct Returning {
    pub(crate) client: Client,
    pub(crate) ticket: Ticket,
    addr: SocketAddr,
    transport: Transport,
}

impl Returning {
    pub(crate) async fn join(addr: SocketAddr, transport: Transport) -> Self {
        let (client, missed, ticket) = open(addr, transport, None, None).await;
        assert!(missed.is_empty(), "a new client has missed nothing: {missed:?}");
        Returning { client, ticket, addr, transport }
    }

    /// Connects once more, without any notice to the connection so far, which is returned. Tells what was missed, and whether
    /// the session is the same.
    pub(crate) async fn again(&mut self) -> (Client, Vec<Vec<Value>>, bool) {
        let ticket = self.ticket.clone();
        let (client, missed, now) = open(self.addr, self.transport, Some(ticket.auth()), ticket.offset.clone()).await;
        let recovered = now.pid == ticket.pid;
        assert_eq!(recovered, now.sid == ticket.sid, "the same private id, the same public one");
        let before = std::mem::replace(&mut self.client, client);
        self.ticket = now;
        for event in &missed {
            self.ticket.see(event);
        }
        (before, missed.iter().map(Packet::args).map(without_offset).collect(), recovered)
    }

    /// From now on, it comes back to another server.
    pub(crate) fn turn_to(&mut self, addr: SocketAddr) {
        self.addr = addr;
    }

    /// The next event.
    pub(crate) async fn event(&mut self) -> Packet {
        let event = self.client.event().await;
        self.ticket.see(&event);
        event
    }

    /// The arguments of all events that were sent before now, without offsets.
    pub(crate) async fn events(&mut self) -> Vec<Vec<Value>> {
        self.client.call("/", json!(["sync"])).await;
        let events = self.client.unread();
        for event in &events {
            self.ticket.see(event);
        }
        events.iter().map(Packet::args).map(without_offset).collect()
    }
}

fn without_offset(mut args: Vec<Value>) -> Vec<Value> {
    let offset = args.pop();
    assert!(offset.is_some_and(|offset| offset.is_string()), "an offset is behind {args:?}");
    args
}

/// Joins `/`, with the events that come before the answer.
async fn open(
    addr: SocketAddr,
    transport: Transport,
    auth: Option<Value>,
    offset: Option<String>,
) -> (Client, Vec<Packet>, Ticket) {
    let mut client = Client::connect(addr, transport).await;
    client.send(&format!("0{}", auth.map_or(String::new(), |auth| auth.to_string()))).await;
    let mut missed = Vec::new();
    loop {
        let packet = client.packet().await;
        match packet.kind {
            0 => return (client, missed, Ticket::of(&packet, offset)),
            2 => missed.push(packet),
            _ => panic!("neither an answer nor an event: {packet:?}"),
        }
    }
}
