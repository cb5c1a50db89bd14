//! What a socket keeps for its client: the acknowledgements that it owes, and its data.

use super::{ABSENT, CLOSED, SocketCore};
use crate::{
    contract::AckData,
    engine::Urgency,
    metrics::Measured,
    parser::{Body, encode_ack},
    server::{
        ack::{AckTable, Waiter},
        emit::EmitError,
    },
    text::Text,
};
use std::sync::atomic::Ordering;

#[derive(Default)]
pub(super) struct Kept {
    /// The acknowledgements that the client owes.
    acks: AckTable,
    /// The JSON text of its data. Boxed: most sockets have none, and then it is one pointer.
    data: Option<Box<Text>>,
}

impl SocketCore {
    /// Keeps the JSON text of the socket's data, in place of what was kept before.
    pub(in crate::server) fn set_data(&self, json: Text) {
        let before = self.kept.lock().data.replace(Box::new(json.clone()));
        drop(before);
        if let Some(watch) = &self.namespace.settings.watch {
            watch.updated(&self.namespace.path, self.id, &json);
        }
    }

    /// The JSON text of the socket's data, if it was ever set.
    pub(in crate::server) fn data(&self) -> Option<Text> {
        self.kept.lock().data.as_deref().cloned()
    }

    pub(super) fn give_up_acks(&self) {
        let waiting = self.kept.lock().acks.take_all();
        for waiter in waiting {
            waiter.tell(self.id, None);
            self.namespace.record(|namespace| Measured::Unacknowledged { namespace });
        }
    }

    /// Registers for the acknowledgement of `id`. `false`: the socket has ended, and the waiter was told.
    pub(in crate::server) fn expect_ack(&self, id: u64, waiter: Waiter) -> bool {
        let start = self.namespace.meter().start();
        let mut kept = self.kept.lock();
        if matches!(self.state.load(Ordering::Acquire), CLOSED | ABSENT) {
            drop(kept);
            waiter.tell(self.id, None);
            return false;
        }
        kept.acks.insert(id, waiter, start);
        true
    }

    /// Whether an acknowledgement of the client is waited for.
    pub(in crate::server) fn awaits_ack(&self) -> bool {
        !self.kept.lock().acks.is_empty()
    }

    pub(in crate::server) fn forget_ack(&self, id: u64) {
        let given_up = self.kept.lock().acks.remove(id).is_some();
        if given_up {
            self.namespace.record(|namespace| Measured::Unacknowledged { namespace });
        }
    }

    /// An acknowledgement arrived. One that nobody waits for (any more) is ignored.
    pub(in crate::server) fn resolve_ack(&self, id: u64, data: AckData) {
        let owed = self.kept.lock().acks.remove(id);
        if let Some((waiter, start)) = owed {
            waiter.tell(self.id, Some(data));
            if let Some(start) = start {
                let elapsed = start.elapsed();
                self.namespace.record(|namespace| Measured::Acknowledged { namespace, elapsed });
            }
        }
    }

    pub(in crate::server) fn answer(&self, id: u64, body: Body) -> Result<(), EmitError> {
        self.push(self.bundle(encode_ack(&self.namespace.path, id, body)), Urgency::Answer, None)
    }
}
