//! What is noted while a load runs: how many messages, how long each took, and what the processor did for them.

use crate::{
    process::{Server, Usage},
    swarm::Result,
};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// What came of one run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Processor time of the server for each message, in microseconds.
    pub(crate) cpu_us: f64,
    pub(crate) per_second: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// How busy the server and the load generator were, in cores.
    pub(crate) server_busy: f64,
    pub(crate) client_busy: f64,
    /// What other processes took, in cores.
    pub(crate) foreign: f64,
}

/// Warms up, then measures, then is over.
pub(crate) struct Measure<'a> {
    server: &'a Server,
    start: Instant,
    end: Instant,
    begun: Option<Usage>,
    count: u64,
    times: Times,
}

impl<'a> Measure<'a> {
    pub(crate) fn new(server: &'a Server, warm_up: Duration, time: Duration) -> Self {
        let start = Instant::now() + warm_up;
        Measure { server, start, end: start + time, begun: None, count: 0, times: Times::default() }
    }

    /// A message took so long.
    pub(crate) fn note(&mut self, took: Duration) {
        if self.begun.is_some() {
            self.count += 1;
            self.times.add(took);
        }
    }

    /// To be asked between messages; `None`: it goes on.
    pub(crate) fn over(&mut self) -> Result<Option<Figures>> {
        let now = Instant::now();
        let Some(begun) = self.begun else {
            if now >= self.start {
                self.begun = Some(self.server.usage()?);
            }
            return Ok(None);
        };
        if now < self.end {
            return Ok(None);
        }
        let used = self.server.usage()?.since(&begun);
        if self.count == 0 {
            return Err("no message arrived".into());
        }
        let seconds = used.time.as_secs_f64();
        Ok(Some(Figures {
            cpu_us: used.server.as_secs_f64() * 1e6 / self.count as f64,
            per_second: self.count as f64 / seconds,
            p50_us: self.times.quantile(0.5),
            p99_us: self.times.quantile(0.99),
            server_busy: used.server.as_secs_f64() / seconds,
            client_busy: used.own.as_secs_f64() / seconds,
            foreign: used.foreign,
        }))
    }
}

/// How often which time was seen, in steps of 1.6 % and less.
struct Times {
    counts: Vec<u64>,
    total: u64,
}

impl Default for Times {
    fn default() -> Self {
        Times { counts: vec![0; 64 * 64], total: 0 }
    }
}

impl Times {
    const STEPS: u64 = 64;

    fn add(&mut self, time: Duration) {
        let nanos = time.as_nanos() as u64;
        // Below 128 every value is its own step, then each power of two has so many.
        let shift = (63 - (nanos | 64).leading_zeros()).saturating_sub(6);
        let step = u64::from(shift) * Self::STEPS + (nanos >> shift);
        self.counts[step as usize] += 1;
        self.total += 1;
    }

    /// In microseconds.
    fn quantile(&self, part: f64) -> f64 {
        let wanted = (self.total as f64 * part).ceil().max(1.0) as u64;
        let mut seen = 0;
        let step = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        let step = step.unwrap_or_default() as u64;
        let shift = (step / Self::STEPS).saturating_sub(1);
        let nanos = (step - shift * Self::STEPS) << shift;
        (nanos + (1 << shift) / 2) as f64 / 1000.0
    }
}

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => values[length / 2],
        length => values[length / 2 - 1].midpoint(values[length / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::{Times, median};
    use std::time::Duration;

    #[test]
    fn quantiles_are_near() {
        let mut times = Times::default();
        (1..=100_000).for_each(|micros| times.add(Duration::from_micros(micros)));
        for part in [0.001, 0.5, 0.99, 1.0] {
            let wanted = part * 100_000.0;
            assert!((times.quantile(part) / wanted - 1.0).abs() < 0.017, "{part}: {}", times.quantile(part));
        }
        assert_eq!((median(vec![3.0, 1.0, 2.0]), median(vec![4.0, 1.0, 2.0, 3.0])), (2.0, 2.5));
    }
}
