//! How stays in a namespace and connections end, and what comes after.

use super::{
    ConnectError, End, Key, Manager, Output, State, Status, Unanswered,
    namespace::{Namespace, Stay},
};
use crate::parser::encode_disconnect;
use std::time::Instant;

impl<W> Manager<W> {
    /// A client stays out of its namespace.
    pub(super) fn refused(&mut self, key: Key, error: ConnectError, now: Instant) {
        self.out(key);
        self.changed(key, Status::Refused(error));
        self.rest(now);
    }

    /// Ends a stay for good: nothing of it waits any longer.
    pub(super) fn out(&mut self, key: Key) {
        let Some(at) = self.position(key) else { return };
        let namespace = &mut self.namespaces[at];
        namespace.stay = Stay::Out;
        (namespace.pid, namespace.offset) = (None, None);
        namespace.early.clear();
        namespace.waiting.clear();
        namespace.queue.clear();
        for id in self.calls.of(key, |_| true) {
            self.give_up(id, Unanswered::Disconnected);
        }
    }

    /// Closes a connection that nobody needs, as the reference does.
    pub(super) fn rest(&mut self, now: Instant) {
        if self.namespaces.iter().any(Namespace::is_wanted) {
            return;
        }
        match self.state {
            State::Open => {
                self.state = State::Resting { until: now + self.settings.close_timeout };
                self.outputs.push_back(Output::Close);
            }
            State::Opening => {
                self.outputs.push_back(Output::Drop);
                self.forget_frames();
                self.state = State::Idle;
            }
            State::Waiting { .. } => self.state = State::Idle,
            State::Idle | State::Resting { .. } | State::Closing { .. } | State::Over => {}
        }
    }

    pub(super) fn leave(&mut self, key: Key, now: Instant) {
        let Some(at) = self.position(key) else { return };
        if matches!(self.namespaces[at].stay, Stay::In | Stay::Asked { .. }) {
            let packet = encode_disconnect(&self.namespaces[at].path);
            self.send(packet);
        }
        if self.namespaces[at].is_wanted() {
            self.out(key);
            self.changed(key, Status::Disconnected(End::ByClient));
        }
        self.namespaces.retain(|namespace| namespace.key != key);
        self.rest(now);
    }

    /// The session is gone, and all that was on its way.
    pub(super) fn lost(&mut self, end: End, error: Option<ConnectError>, now: Instant) {
        self.forget_frames();
        let joined: Vec<Key> =
            self.namespaces.iter().filter(|namespace| namespace.stay == Stay::In).map(|namespace| namespace.key).collect();
        for namespace in self.namespaces.iter_mut().filter(|namespace| namespace.is_wanted()) {
            namespace.stay = Stay::Wanted;
            namespace.early.clear();
        }
        for key in joined {
            self.changed(key, Status::Disconnected(end));
            self.lose_calls(key);
        }
        match self.state {
            State::Closing { .. } => return self.over(),
            State::Resting { .. } => return self.rested(),
            State::Opening | State::Open => {}
            State::Idle | State::Waiting { .. } | State::Over => return,
        }
        if !self.namespaces.iter().any(Namespace::is_wanted) {
            self.state = State::Idle;
            return;
        }
        let may_retry = self.succeeded || self.settings.retry_first;
        match self.backoff.next().filter(|_| may_retry) {
            Some((attempt, delay)) => {
                self.state = State::Waiting { until: now + delay };
                self.tell_wanted(&Status::Reconnecting { attempt, delay, error });
            }
            None => {
                self.tell_wanted(&Status::GaveUp(error.unwrap_or_else(|| ConnectError::Network(end.to_string()))));
                self.over();
            }
        }
    }

    /// The session that nobody wanted has ended; somebody may want one by now.
    pub(super) fn rested(&mut self) {
        self.state = State::Idle;
        if self.namespaces.iter().any(Namespace::is_wanted) {
            self.open();
        }
    }

    pub(super) fn tell_wanted(&mut self, status: &Status) {
        let wanted: Vec<Key> =
            self.namespaces.iter().filter(|namespace| namespace.is_wanted()).map(|namespace| namespace.key).collect();
        wanted.into_iter().for_each(|key| self.changed(key, status.clone()));
    }

    pub(super) fn close(&mut self, now: Instant) {
        let paths: Vec<(Key, bool)> = self
            .namespaces
            .iter()
            .filter(|namespace| namespace.is_wanted())
            .map(|namespace| (namespace.key, namespace.stay == Stay::In))
            .collect();
        for (key, joined) in paths {
            if let (true, Some(at)) = (joined, self.position(key)) {
                let packet = encode_disconnect(&self.namespaces[at].path);
                self.send(packet);
            }
            self.out(key);
            self.changed(key, Status::Disconnected(End::ByClient));
        }
        match self.state {
            State::Open => {
                self.state = State::Closing { until: now + self.settings.close_timeout };
                self.outputs.push_back(Output::Close);
            }
            State::Resting { until } => self.state = State::Closing { until },
            State::Closing { .. } => {}
            State::Opening => {
                self.outputs.push_back(Output::Drop);
                self.over();
            }
            State::Idle | State::Waiting { .. } | State::Over => self.over(),
        }
    }

    pub(super) fn over(&mut self) {
        let keys: Vec<Key> = self.namespaces.iter().map(|namespace| namespace.key).collect();
        keys.into_iter().for_each(|key| self.out(key));
        self.forget_frames();
        self.state = State::Over;
        self.outputs.push_back(Output::Over);
    }
}
