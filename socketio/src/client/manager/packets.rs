//! What the server sends.

use super::{
    ConnectError, End, Key, Manager, Output, State, Status,
    namespace::{Joined, Stay},
};
use crate::{
    contract::{AckData, Incoming},
    engine::Message,
    parser::{DecodeError, Kind, Packet},
    text::Text,
};
use std::time::Instant;

impl<W> Manager<W> {
    pub(super) fn message(&mut self, message: Message, now: Instant) {
        if !matches!(self.state, State::Open | State::Closing { .. }) {
            return;
        }
        let packet = match message {
            Message::Text(text) => self.decoder.text(text),
            Message::Binary(bytes) => self.decoder.binary(bytes),
        };
        match packet {
            Ok(Some(packet)) => self.packet(packet, now),
            Ok(None) => {}
            Err(error) => self.broken(error, now),
        }
    }

    /// Called when an event turns out to be no JSON, too: that shows only when it is handled.
    pub(crate) fn malformed(&mut self, now: Instant) {
        self.broken(DecodeError::Payload, now);
    }

    fn broken(&mut self, error: DecodeError, now: Instant) {
        if matches!(self.state, State::Open | State::Closing { .. }) {
            self.outputs.push_back(Output::Drop);
            self.lost(End::ParseError, Some(ConnectError::Protocol(error.to_string())), now);
        }
    }

    fn packet(&mut self, packet: Packet, now: Instant) {
        let found = self.namespaces.iter().position(|namespace| namespace.is_wanted() && namespace.path == packet.namespace());
        // It may have crossed our leaving.
        let Some(at) = found else { return };
        let (key, stay) = (self.namespaces[at].key, self.namespaces[at].stay);
        match (packet.kind(), stay) {
            (Kind::Connect, Stay::Asked { .. }) => match serde_json::from_str::<Joined>(packet.payload()) {
                Ok(joined) => self.joined(at, joined, now),
                // The protocol of Socket.IO 2 has no id in its answer.
                Err(_) => self.refused(key, ConnectError::ProtocolVersion("the answer to CONNECT has no `sid`".into()), now),
            },
            (Kind::ConnectError, Stay::Asked { .. }) => self.refused(key, ConnectError::refused(packet.payload()), now),
            (Kind::Disconnect, Stay::In) => {
                self.out(key);
                self.changed(key, Status::Disconnected(End::ByServer));
                self.rest(now);
            }
            (Kind::Event, Stay::In) => {
                if let Some(event) = Incoming::new(packet) {
                    self.event(at, event);
                }
            }
            (Kind::Event, Stay::Asked { .. }) => {
                let Some(event) = Incoming::new(packet) else { return };
                let cost = event.cost();
                if self.namespaces[at].early.push(event, cost).is_err() {
                    self.broken(DecodeError::Payload, now);
                }
            }
            (Kind::Ack, Stay::In) => {
                if let (Some(id), false) = (packet.id(), packet.payload().is_empty()) {
                    self.acknowledged(key, id, packet, now);
                }
            }
            _ => {}
        }
    }

    fn joined(&mut self, at: usize, Joined { sid, pid }: Joined, now: Instant) {
        self.succeeded = true;
        self.backoff.reset();
        let namespace = &mut self.namespaces[at];
        let key = namespace.key;
        let recovered = pid.is_some() && namespace.pid == pid;
        if !recovered {
            namespace.offset = None;
        }
        namespace.pid = pid;
        namespace.id = Some(Text::from(sid));
        namespace.stay = Stay::In;
        self.changed(key, Status::Connected { recovered });
        while let Some(event) = self.namespaces[at].early.pop() {
            self.event(at, event);
        }
        self.send_waiting(key);
        self.drain(key, now);
    }

    fn event(&mut self, at: usize, event: Incoming) {
        let namespace = &mut self.namespaces[at];
        namespace.note_offset(&event);
        self.outputs.push_back(Output::Event { namespace: namespace.key, round: namespace.round, event });
    }

    fn acknowledged(&mut self, key: Key, id: u64, packet: Packet, now: Instant) {
        // It may be unknown, given up, or of another namespace: then nobody wants it.
        let Some(call) = self.calls.get_mut(id).filter(|call| call.namespace == key && call.sent) else { return };
        let queued = call.queued;
        let waiter = self.calls.remove(id).and_then(|call| call.waiter);
        if let Some(waiter) = waiter {
            let (text, payload, attachments) = packet.into_parts();
            self.outputs.push_back(Output::Answered { waiter, answer: Ok(AckData::new(text, payload, attachments)) });
        }
        if queued && let Some(at) = self.position(key) {
            self.namespaces[at].queue.pop();
            self.drain(key, now);
        }
    }
}
