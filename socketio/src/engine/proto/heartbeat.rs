//! When the next ping is due and when a missing pong ends the session. Spec: "Heartbeat".
//!
//! ```text
//! Quiet --interval--> ping --> Waiting --pong--> Quiet
//!                                 |--timeout--> dead
//! ```
//! As the reference since 6.6.10: the first other packet while waiting restarts the timeout, once for each ping.
//! In revision 3 the client pings: the server only waits, each time for interval and timeout together, and other packets
//! change nothing.

use super::server::Timing;
use std::time::Instant;

/// How many heartbeats a client that is not read from may miss.
const SUSPENDED_BEATS: u32 = 4;

#[derive(Debug)]
pub(super) struct Heartbeat {
    state: State,
    /// Nothing is read from the client, so no pong can be expected, and its end cannot be seen either: only after a long
    /// time it counts as dead.
    suspended: bool,
}

#[derive(Debug)]
enum State {
    Quiet {
        ping_at: Instant,
    },
    Waiting {
        dead_at: Instant,
        extended: bool,
    },
    /// In revision 3: nothing but a ping of the client counts.
    Listening {
        dead_at: Instant,
    },
}

impl State {
    fn listening(timing: &Timing, now: Instant) -> State {
        State::Listening { dead_at: now + timing.ping_interval + timing.ping_timeout }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Beat {
    Ping,
    Dead,
}

impl Heartbeat {
    pub(super) fn new(timing: &Timing, now: Instant) -> Self {
        Heartbeat { state: State::Quiet { ping_at: now + timing.ping_interval }, suspended: false }
    }

    /// The heartbeat of revision 3.
    pub(super) fn of_the_client(timing: &Timing, now: Instant) -> Self {
        Heartbeat { state: State::listening(timing, now), suspended: false }
    }

    pub(super) fn deadline(&self, timing: &Timing) -> Instant {
        match self.state {
            State::Quiet { ping_at } => ping_at,
            State::Waiting { dead_at, .. } | State::Listening { dead_at } if self.suspended => {
                dead_at + (timing.ping_interval + timing.ping_timeout) * SUSPENDED_BEATS
            }
            State::Waiting { dead_at, .. } | State::Listening { dead_at } => dead_at,
        }
    }

    pub(super) fn tick(&mut self, timing: &Timing, now: Instant) -> Option<Beat> {
        if now < self.deadline(timing) {
            return None;
        }
        match self.state {
            State::Quiet { .. } => {
                self.state = State::Waiting { dead_at: now + timing.ping_timeout, extended: false };
                Some(Beat::Ping)
            }
            State::Waiting { .. } | State::Listening { .. } => Some(Beat::Dead),
        }
    }

    /// The client has asked, as it does in revision 3.
    pub(super) fn ping(&mut self, timing: &Timing, now: Instant) {
        self.state = State::listening(timing, now);
    }

    pub(super) fn pong(&mut self, timing: &Timing, now: Instant) {
        self.state = State::Quiet { ping_at: now + timing.ping_interval };
    }

    /// Some other packet arrived.
    pub(super) fn sign_of_life(&mut self, timing: &Timing, now: Instant) {
        if let State::Waiting { dead_at, extended: extended @ false } = &mut self.state {
            *dead_at = now + timing.ping_timeout;
            *extended = true;
        }
    }

    /// Reading from the client stops or goes on; when it goes on, its sign of life has the whole time again.
    pub(super) fn suspend(&mut self, suspended: bool, timing: &Timing, now: Instant) {
        if self.suspended && !suspended {
            match &mut self.state {
                State::Quiet { .. } => {}
                State::Waiting { dead_at, .. } => *dead_at = now + timing.ping_timeout,
                listening @ State::Listening { .. } => *listening = State::listening(timing, now),
            }
        }
        self.suspended = suspended;
    }
}
