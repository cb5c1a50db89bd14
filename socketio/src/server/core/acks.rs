//! The acknowledgements of a socket: those that its client owes, and those that it is given.

use super::{ABSENT, CLOSED, SocketCore};
use crate::{
    contract::AckData,
    engine::Urgency,
    parser::{Body, encode_ack},
    server::{ack::Waiter, emit::EmitError},
};
use std::sync::atomic::Ordering;

impl SocketCore {
    /// Registers for the acknowledgement of `id`. `false`: the socket has ended, and the waiter was told.
    pub(in crate::server) fn expect_ack(&self, id: u64, waiter: Waiter) -> bool {
        let mut kept = self.kept.lock();
        if matches!(self.state.load(Ordering::Acquire), CLOSED | ABSENT) {
            drop(kept);
            waiter.tell(self.id, None);
            return false;
        }
        kept.acks.insert(id, waiter);
        true
    }

    /// Whether an acknowledgement of the client is waited for.
    pub(in crate::server) fn awaits_ack(&self) -> bool {
        !self.kept.lock().acks.is_empty()
    }

    pub(in crate::server) fn forget_ack(&self, id: u64) {
        let waiter = self.kept.lock().acks.remove(id);
        drop(waiter);
    }

    /// An acknowledgement arrived. One that nobody waits for (any more) is ignored.
    pub(in crate::server) fn resolve_ack(&self, id: u64, data: AckData) {
        let waiter = self.kept.lock().acks.remove(id);
        if let Some(waiter) = waiter {
            waiter.tell(self.id, Some(data));
        }
    }

    pub(in crate::server) fn answer(&self, id: u64, body: Body) -> Result<(), EmitError> {
        self.push(self.bundle(encode_ack(&self.namespace.path, id, body)), Urgency::Answer, None)
    }

    pub(super) fn give_up_acks(&self) {
        let waiting = self.kept.lock().acks.take_all();
        waiting.into_iter().for_each(|waiter| waiter.tell(self.id, None));
    }
}
