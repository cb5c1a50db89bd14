//! What users send: at once, later, or until it is acknowledged.

use super::{
    Key, Manager, Output, State, Unanswered,
    namespace::{Queued, Stay, Waiting},
};
use crate::{
    contract::EmitError,
    parser::{Body, encode_ack, encode_event},
};
use std::time::{Duration, Instant};

impl<W> Manager<W> {
    /// Sends an event, or keeps it until it can be sent. With a `call`, somebody waits so long for its acknowledgement; the
    /// id that is returned makes the manager [forget](Self::forget) them.
    ///
    /// # Errors
    /// The event was not taken, and neither was the call.
    pub(crate) fn emit(
        &mut self,
        key: Key,
        event: Body,
        call: Option<(W, Duration)>,
        volatile: bool,
        now: Instant,
    ) -> Result<Option<u64>, EmitError> {
        let at = self.position(key).filter(|_| self.state != State::Over).ok_or(EmitError::Disconnected)?;
        let namespace = &mut self.namespaces[at];
        let cost = event.cost();
        let later = |timeout: Duration| now.checked_add(timeout);
        match (namespace.stay, self.settings.retries) {
            (Stay::Out, _) => Err(EmitError::Disconnected),
            (_, Some(_)) if !volatile => {
                if !namespace.queue.has_room(cost) {
                    return Err(EmitError::Full);
                }
                let timeout = call.as_ref().map_or(self.settings.ack_timeout, |(_, timeout)| *timeout);
                let call = self.calls.insert(key, call.map(|(waiter, _)| waiter), true, None);
                // There is room.
                let _ = namespace.queue.push(Queued { event, call, timeout, tries: 0, in_flight: false }, cost);
                self.drain(key, now);
                Ok(Some(call))
            }
            (Stay::In, _) if volatile && (self.busy || !self.outgoing.is_empty()) => Err(EmitError::NotWritable),
            (Stay::In, _) if self.outgoing_bytes + cost > self.settings.buffer.bytes => Err(EmitError::Full),
            (Stay::In, _) => {
                let call = call.map(|(waiter, timeout)| self.calls.insert(key, Some(waiter), false, later(timeout)));
                self.mark_sent(call);
                let packet = encode_event(&self.namespaces[at].path, call, event);
                self.send(packet);
                Ok(call)
            }
            _ if volatile => Err(EmitError::NotWritable),
            _ if !namespace.waiting.has_room(cost) => Err(EmitError::Full),
            _ => {
                let call = call.map(|(waiter, timeout)| self.calls.insert(key, Some(waiter), false, later(timeout)));
                let _ = namespace.waiting.push(Waiting { event, call }, cost);
                Ok(call)
            }
        }
    }

    /// Acknowledges an event of the server, unless the stay in which it came is over.
    pub(crate) fn answer(&mut self, key: Key, round: u64, id: u64, body: Body) {
        let Some(at) = self.position(key) else { return };
        let namespace = &self.namespaces[at];
        if namespace.stay == Stay::In && namespace.round == round {
            let packet = encode_ack(&namespace.path, id, body);
            self.send(packet);
        }
    }

    /// Nobody waits for this acknowledgement any longer. The event is sent all the same.
    pub(crate) fn forget(&mut self, call: u64) {
        match self.calls.get_mut(call) {
            Some(call) if call.queued => call.waiter = None,
            Some(_) => drop(self.calls.remove(call)),
            None => {}
        }
    }

    fn mark_sent(&mut self, call: Option<u64>) {
        if let Some(call) = call.and_then(|id| self.calls.get_mut(id)) {
            call.sent = true;
        }
    }

    /// Sends what waited for the connection.
    pub(super) fn send_waiting(&mut self, key: Key) {
        let Some(at) = self.position(key) else { return };
        while let Some(Waiting { event, call }) = self.namespaces[at].waiting.pop() {
            self.mark_sent(call);
            let packet = encode_event(&self.namespaces[at].path, call, event);
            self.send(packet);
        }
    }

    /// Sends the head of the queue, unless it is on its way.
    pub(super) fn drain(&mut self, key: Key, now: Instant) {
        let Some(at) = self.position(key) else { return };
        let namespace = &mut self.namespaces[at];
        if namespace.stay != Stay::In {
            return;
        }
        let Some(head) = namespace.queue.front_mut().filter(|head| !head.in_flight) else { return };
        head.in_flight = true;
        head.tries = head.tries.saturating_add(1);
        let (call, deadline) = (head.call, now.checked_add(head.timeout));
        let packet = encode_event(&namespace.path, Some(call), head.event.clone());
        self.calls.set_deadline(call, deadline);
        self.mark_sent(Some(call));
        self.send(packet);
    }

    /// The time of a call is over.
    pub(super) fn timed_out(&mut self, id: u64, now: Instant) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let (key, queued) = (call.namespace, call.queued);
        if queued {
            self.try_again(key, Unanswered::Timeout);
            return self.drain(key, now);
        }
        // If it was not sent yet, it never is.
        if let Some(at) = self.position(key) {
            self.namespaces[at].waiting.retain(|waiting| waiting.call != Some(id));
        }
        self.give_up(id, Unanswered::Timeout);
    }

    /// The head of the queue was not acknowledged: it stays, unless it was sent often enough.
    fn try_again(&mut self, key: Key, why: Unanswered) {
        let retries = self.settings.retries.unwrap_or_default();
        let Some(at) = self.position(key) else { return };
        let Some(head) = self.namespaces[at].queue.front_mut().filter(|head| head.in_flight) else { return };
        head.in_flight = false;
        let (call, tries) = (head.call, head.tries);
        self.calls.set_deadline(call, None);
        if tries > retries {
            self.namespaces[at].queue.pop();
            self.give_up(call, why);
        } else if let Some(call) = self.calls.get_mut(call) {
            call.sent = false;
        }
    }

    /// The connection is lost, and with it the acknowledgements of what was sent. What waits goes on waiting.
    pub(super) fn lose_calls(&mut self, key: Key) {
        for id in self.calls.of(key, |call| call.sent && !call.queued) {
            self.give_up(id, Unanswered::Disconnected);
        }
        self.try_again(key, Unanswered::Disconnected);
    }

    pub(super) fn give_up(&mut self, id: u64, why: Unanswered) {
        if let Some(waiter) = self.calls.remove(id).and_then(|call| call.waiter) {
            self.outputs.push_back(Output::Answered { waiter, answer: Err(why) });
        }
    }
}
