//! `Reconnect`: when a lost connection is tried again; `Backoff`: how often that has been.
//!
//! As the reference does it: the delay doubles up to a maximum, and each is made up to half shorter or longer by chance, so
//! that the clients of a server that comes back do not come back at once.

use std::time::Duration;

/// No pause is shorter, whatever the settings: a server that refuses at once must not be asked in a loop.
const SHORTEST: Duration = Duration::from_millis(10);

/// When and how often a lost connection is tried again.
///
/// ```
/// use socketio::client::Reconnect;
/// use std::time::Duration;
///
/// let patient = Reconnect::new().delay(Duration::from_secs(2)).max_delay(Duration::from_secs(60)).attempts(100);
/// assert_ne!(patient, Reconnect::never());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Reconnect {
    delay: Duration,
    max_delay: Duration,
    jitter: f64,
    attempts: Option<u32>,
}

impl Default for Reconnect {
    fn default() -> Self {
        Reconnect { delay: Duration::from_secs(1), max_delay: Duration::from_secs(5), jitter: 0.5, attempts: None }
    }
}

impl Reconnect {
    /// The defaults: after 1 s, then twice as long each time up to 5 s, half of it by chance, for ever.
    pub fn new() -> Self {
        Self::default()
    }

    /// A lost connection is not tried again. `reconnection: false`.
    pub fn never() -> Self {
        Reconnect { attempts: Some(0), ..Self::default() }
    }

    /// The pause before the first attempt; it doubles with each further one. `reconnectionDelay`, default 1 s; at least 10 ms.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// The longest pause. `reconnectionDelayMax`, default 5 s.
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// Which part of a pause is up to chance, from 0 to 1. `randomizationFactor`, default 0.5.
    pub fn jitter(mut self, part: f64) -> Self {
        self.jitter = if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 };
        self
    }

    /// How many attempts are made before the client gives up. `reconnectionAttempts`, default no limit.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts);
        self
    }
}

/// The attempts since the last success.
#[derive(Debug)]
pub(crate) struct Backoff {
    policy: Reconnect,
    attempt: u32,
    seed: u64,
}

impl Backoff {
    /// `seed` decides on the jitter; it comes from the caller's source of randomness.
    pub(crate) fn new(policy: Reconnect, seed: u64) -> Self {
        Backoff { policy, attempt: 0, seed }
    }

    /// The number of the next attempt and the pause in front of it. `None`: there have been enough.
    pub(crate) fn next(&mut self) -> Option<(u32, Duration)> {
        if self.policy.attempts.is_some_and(|attempts| self.attempt >= attempts) {
            return None;
        }
        let doubled = self.policy.delay.saturating_mul(1 << self.attempt.min(30));
        let base = doubled.min(self.policy.max_delay);
        // From -1 to 1.
        let chance = self.random() * 2.0 - 1.0;
        let pause = base.mul_f64((1.0 + self.policy.jitter * chance).max(0.0));
        self.attempt = self.attempt.saturating_add(1);
        Some((self.attempt, pause.min(self.policy.max_delay).max(SHORTEST)))
    }

    pub(crate) fn reset(&mut self) {
        self.attempt = 0;
    }

    /// SplitMix64: from 0 to 1.
    fn random(&mut self) -> f64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.seed;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ (word >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn without_chance_it_doubles() {
        let mut backoff = Backoff::new(Reconnect::new().jitter(0.0), 7);
        let seconds: Vec<_> = (0..5).filter_map(|_| backoff.next()).map(|(_, pause)| pause.as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 5, 5]);
        backoff.reset();
        assert_eq!(backoff.next(), Some((1, Duration::from_secs(1))));
    }

    #[test]
    fn attempts_end() {
        let mut backoff = Backoff::new(Reconnect::new().attempts(2), 7);
        assert_eq!(
            [backoff.next(), backoff.next(), backoff.next()].map(|next| next.map(|(attempt, _)| attempt)),
            [Some(1), Some(2), None]
        );
        assert_eq!(Backoff::new(Reconnect::never(), 7).next(), None);
    }

    proptest! {
        #[test]
        fn a_pause_is_never_nothing_nor_too_long(delay in 0u64..20_000, max in 0u64..20_000, jitter: f64, seed: u64, count in 1u32..80) {
            let (delay, max) = (Duration::from_millis(delay), Duration::from_millis(max));
            let mut backoff = Backoff::new(Reconnect::new().delay(delay).max_delay(max).jitter(jitter), seed);
            for attempt in 1..=count {
                let (number, pause) = backoff.next().expect("no limit");
                prop_assert_eq!(number, attempt);
                prop_assert!(pause >= SHORTEST && pause <= max.max(SHORTEST));
            }
        }

        #[test]
        fn chance_stays_within_its_part(seed: u64) {
            let mut backoff = Backoff::new(Reconnect::new(), seed);
            let (_, pause) = backoff.next().expect("no limit");
            prop_assert!((500..=1500).contains(&(pause.as_millis() as u64)));
        }
    }
}
