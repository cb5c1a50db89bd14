//! `Rate`: so many handshakes in such a time for each network, in a table of bounded size.
//!
//! A bucket of tokens, kept as the one moment at which it will be full again. A bucket that is full is no different from none,
//! and every bucket is full after the whole time: so there are two tables, and after that time the older one is forgotten.

use super::Network;
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// Entries of one of the two tables. An attack from more networks in one period makes the older table go early, which gives
/// its networks a fresh start: it costs precision, not memory.
const TABLE: usize = 65_536;

#[derive(Debug)]
pub(super) struct Rate {
    /// The time for which one token is enough.
    interval: Duration,
    /// The time in which an empty bucket fills.
    period: Duration,
    /// When each bucket will be full; those that changed since `began`, and those that changed in the period before.
    young: HashMap<Network, Instant>,
    old: HashMap<Network, Instant>,
    began: Option<Instant>,
}

impl Rate {
    pub(super) fn new(count: u32, period: Duration) -> Self {
        Rate { interval: period / count, period, young: HashMap::new(), old: HashMap::new(), began: None }
    }

    /// Takes a token, or tells how long it takes until there is one.
    pub(super) fn take(&mut self, network: Network, now: Instant) -> Result<(), Duration> {
        self.turn(now);
        let full_at = self.young.get(&network).or_else(|| self.old.get(&network)).copied();
        let full_at = full_at.map_or(now, |full_at| full_at.max(now)) + self.interval;
        let missing = (full_at - now).saturating_sub(self.period);
        if !missing.is_zero() {
            return Err(missing);
        }
        self.young.insert(network, full_at);
        Ok(())
    }

    fn turn(&mut self, now: Instant) {
        let age = now - *self.began.get_or_insert(now);
        if age < self.period && self.young.len() < TABLE {
            return;
        }
        self.old = std::mem::take(&mut self.young);
        if age >= self.period * 2 {
            self.old = HashMap::new();
        }
        self.began = Some(now);
    }

    #[cfg(test)]
    fn entries(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    const PERIOD: Duration = Duration::from_secs(10);

    fn network(number: u32) -> Network {
        Network::from(IpAddr::V4(Ipv4Addr::from_bits(number)))
    }

    #[test]
    fn a_burst_and_then_one_at_a_time() {
        let (mut rate, start) = (Rate::new(5, PERIOD), Instant::now());
        for _ in 0..5 {
            assert_eq!(rate.take(network(1), start), Ok(()));
        }
        assert_eq!(rate.take(network(1), start), Err(Duration::from_secs(2)));
        assert_eq!(rate.take(network(2), start), Ok(()), "others are not concerned");
        let later = start + Duration::from_secs(2);
        assert_eq!(rate.take(network(1), later), Ok(()));
        assert_eq!(rate.take(network(1), later), Err(Duration::from_secs(2)), "a refusal costs nothing and brings nothing");
        let much_later = start + PERIOD * 3;
        for _ in 0..5 {
            assert_eq!(rate.take(network(1), much_later), Ok(()));
        }
        assert!(rate.take(network(1), much_later).is_err());
    }

    /// Against a list of all that was let in: in no period more than a burst and what the rate allows.
    #[test]
    fn tables_that_turn_forget_nobody_who_matters() {
        let (mut rate, start) = (Rate::new(5, PERIOD), Instant::now());
        let mut taken = Vec::new();
        for step in 0..1000_u64 {
            let at = Duration::from_millis(step * 170);
            if rate.take(network(7), start + at).is_ok() {
                taken.push(at);
            }
        }
        for from in &taken {
            let within = taken.iter().filter(|at| *at >= from && **at < *from + PERIOD).count();
            assert!(within <= 10, "{within} in a period that begins at {from:?}");
        }
        let steady = taken.len() as f64 / (170.0 / 10.0);
        assert!((5.0..5.5).contains(&steady), "{steady} in each period");
    }

    #[test]
    fn many_networks_cost_bounded_memory() {
        let (mut rate, start) = (Rate::new(1, PERIOD), Instant::now());
        for number in 0..300_000 {
            assert_eq!(rate.take(network(number), start), Ok(()));
        }
        assert!(rate.entries() <= 2 * TABLE, "{}", rate.entries());
        rate.take(network(1), start + PERIOD * 2).unwrap();
        assert_eq!(rate.entries(), 1, "all is forgotten after two periods");
    }
}
