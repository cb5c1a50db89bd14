//! `Admission`: who may open a session: limits on connections and handshakes, in all and for each address.
//!
//! ```text
//!  handshake --admit--> Seat --session opens--> kept by its Registration --its task ends--> given back
//!                 |
//!                 +--> Denial: 503 or 429, with the time after which to come again
//! ```
//! A seat is taken before `allow_request` runs, so that what that costs is bounded too. Not here: what an established
//! session may do; see `outbox` for what it may leave unread.

mod address;
mod rate;

use address::Network;
pub use address::forwarded_for;
pub(crate) use address::network;
use http::{StatusCode, request::Parts};
use parking_lot::Mutex;
use rate::Rate;
use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

pub(crate) type ClientAddress = dyn Fn(&Parts) -> Option<IpAddr> + Send + Sync;

/// The limits; `None` is none.
#[derive(Clone, Default)]
pub(crate) struct Rules {
    pub(crate) connections: Option<usize>,
    pub(crate) connections_per_address: Option<usize>,
    pub(crate) handshakes: Option<usize>,
    /// So many handshakes of one address in such a time.
    pub(crate) rate_per_address: Option<(u32, Duration)>,
    pub(crate) address: Option<Arc<ClientAddress>>,
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules").field("connections", &self.connections).finish_non_exhaustive()
    }
}

impl Rules {
    /// Whether there is a limit that needs an address and nobody who tells it.
    pub(crate) fn lack_address(&self) -> bool {
        self.address.is_none() && (self.connections_per_address.is_some() || self.rate_per_address.is_some())
    }

    /// The limit that would let nobody in.
    pub(crate) fn zero(&self) -> Option<&'static str> {
        let rate_is_zero = self.rate_per_address.is_some_and(|(handshakes, time)| handshakes == 0 || time.is_zero());
        [
            ("max_connections", self.connections == Some(0)),
            ("max_connections_per_address", self.connections_per_address == Some(0)),
            ("max_concurrent_handshakes", self.handshakes == Some(0)),
            ("max_handshakes_per_address", rate_is_zero),
        ]
        .into_iter()
        .find_map(|(name, zero)| zero.then_some(name))
    }
}

/// Why a handshake was not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denial {
    ShuttingDown,
    Connections,
    Handshakes,
    ConnectionsOfAddress,
    /// The time until the next one would be admitted.
    RateOfAddress(Duration),
}

impl Denial {
    /// 503 says that the server has no room, 429 that this client asks for too much.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Denial::ShuttingDown | Denial::Connections | Denial::Handshakes => StatusCode::SERVICE_UNAVAILABLE,
            Denial::ConnectionsOfAddress | Denial::RateOfAddress(_) => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    pub(super) fn message(self) -> &'static str {
        match self {
            Denial::ShuttingDown => "Server is shutting down",
            Denial::Connections => "Too many connections",
            Denial::Handshakes => "Too many handshakes",
            Denial::ConnectionsOfAddress => "Too many connections from this address",
            Denial::RateOfAddress(_) => "Too many handshakes from this address",
        }
    }

    /// One word for it, for metrics.
    pub(super) fn word(self) -> &'static str {
        match self {
            Denial::ShuttingDown => "shutting_down",
            Denial::Connections => "connections",
            Denial::Handshakes => "handshakes",
            Denial::ConnectionsOfAddress => "connections_of_address",
            Denial::RateOfAddress(_) => "rate_of_address",
        }
    }

    /// The value of `Retry-After`: whole seconds, at least one.
    pub(super) fn retry_after_seconds(self) -> u64 {
        match self {
            // A handshake is over soon, and another server is there already.
            Denial::ShuttingDown | Denial::Handshakes => 1,
            Denial::Connections | Denial::ConnectionsOfAddress => 10,
            Denial::RateOfAddress(wait) => wait.as_secs() + u64::from(wait.subsec_nanos() > 0),
        }
    }
}

/// Counts who is in, and decides who gets in.
#[derive(Debug)]
pub(super) struct Admission {
    rules: Rules,
    /// Guards the counts; taken at the handshake, when it is over, and at the end.
    counts: Mutex<Counts>,
    /// It was said that an address is missing.
    warned: AtomicBool,
}

#[derive(Debug, Default)]
struct Counts {
    seats: usize,
    handshakes: usize,
    /// Of addresses that have any; kept only if they are limited.
    by_address: HashMap<Network, usize>,
    rate: Option<Rate>,
}

impl Admission {
    pub(super) fn new(rules: Rules) -> Arc<Self> {
        let rate = rules.rate_per_address.map(|(handshakes, time)| Rate::new(handshakes, time));
        Arc::new(Admission { rules, counts: Mutex::new(Counts { rate, ..Counts::default() }), warned: AtomicBool::new(false) })
    }

    /// Takes a seat for the client behind a handshake.
    pub(super) fn admit(self: &Arc<Self>, parts: &Parts) -> Result<Seat, Denial> {
        let network = self.rules.address.as_ref().and_then(|address| {
            let network = address(parts).map(Network::from);
            if network.is_none() && !self.warned.swap(true, Ordering::Relaxed) {
                tracing::warn!("a handshake has no address: such handshakes are not limited by address");
            }
            network
        });
        let reached = |limit: Option<usize>, count: usize| limit.is_some_and(|limit| count >= limit);
        let mut counts = self.counts.lock();
        let counts = &mut *counts;
        if reached(self.rules.connections, counts.seats) {
            return Err(Denial::Connections);
        }
        if reached(self.rules.handshakes, counts.handshakes) {
            return Err(Denial::Handshakes);
        }
        let counted = network.filter(|_| self.rules.connections_per_address.is_some());
        if let Some(network) = counted
            && reached(self.rules.connections_per_address, counts.by_address.get(&network).copied().unwrap_or_default())
        {
            return Err(Denial::ConnectionsOfAddress);
        }
        // Last: a handshake that is refused for another reason uses up nothing.
        if let (Some(rate), Some(network)) = (&mut counts.rate, network) {
            rate.take(network, Instant::now().into_std()).map_err(Denial::RateOfAddress)?;
        }
        counts.seats += 1;
        counts.handshakes += 1;
        if let Some(network) = counted {
            *counts.by_address.entry(network).or_default() += 1;
        }
        Ok(Seat { admission: Arc::clone(self), network: counted, shaking: true })
    }
}

/// A place among the connections, from the handshake on. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Seat {
    admission: Arc<Admission>,
    /// Where it is counted, if it is.
    network: Option<Network>,
    shaking: bool,
}

impl Seat {
    /// The handshake is over.
    pub(super) fn opened(&mut self) {
        if std::mem::take(&mut self.shaking) {
            self.admission.counts.lock().handshakes -= 1;
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.admission.counts.lock();
        counts.seats -= 1;
        counts.handshakes -= usize::from(self.shaking);
        if let Some(network) = self.network
            && let Some(count) = counts.by_address.get_mut(&network)
        {
            *count -= 1;
            if *count == 0 {
                counts.by_address.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests;
