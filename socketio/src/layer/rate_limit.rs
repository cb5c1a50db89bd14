//! `RateLimit`: so many events of one socket, of one address or of one user in a time, and no more.
//!
//! A token bucket, kept as the one instant at which it will be full again (the generic cell rate algorithm): taking a token moves
//! it on by the time that a token takes to come back, and the bucket is empty when that would be more than a whole period away.

use super::{EventLayer, EventService, Next};
use crate::{
    contract::{Incoming, Outcome, Rejection, Untyped},
    server::Socket,
};
use http::request::Parts;
use parking_lot::Mutex;
use std::{collections::HashMap, fmt, net::IpAddr, sync::Arc, time::Duration};
use tokio::time::Instant;

/// Limits the events of each socket with a token bucket for all of them, and one for each event that is given its own. An event
/// takes a token from both; the refused one takes none.
///
/// A refusal is a [`RejectionKind::RateLimited`](crate::RejectionKind::RateLimited), whose
/// [`retry_after`](Rejection::retry_after) and message say when the next one is taken. Unknown and malformed events count, and
/// acknowledgements do not. The clock is tokio's, which a test may pause.
///
/// A contract that wants its clients to know when, reads it in `impl From<Rejection>` of its error type: see the example of
/// [`Rejection`].
///
/// The limit is one socket's: who opens several connections has several, and a socket in two namespaces has a bucket in each. With
/// [`per_address`](Self::per_address) or [`per`](Self::per), sockets share theirs.
///
/// ```
/// use socketio::{CallError, Rejection, RejectionKind, SocketIo, layer::RateLimit, namespace, test::Client};
/// use std::time::Duration;
///
/// #[namespace("/chat")]
/// trait Chat {
///     #[event]
///     async fn say(&self, text: &str) -> Result<(), Rejection>;
///     #[event]
///     async fn typing(&self) -> Result<(), Rejection>;
/// }
/// struct Session;
/// impl Chat for Session {
///     async fn say(&self, _: &str) -> Result<(), Rejection> { Ok(()) }
///     async fn typing(&self) -> Result<(), Rejection> { Ok(()) }
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let second = Duration::from_secs(1);
/// let io = SocketIo::builder()
///     .shared::<dyn Chat>(Session)
///     .event_layer(RateLimit::new(20, second).event("say", 1, 5 * second))
///     .build();
/// let client = Client::<dyn Chat>::connect(&io).await.unwrap();
/// assert_eq!(client.emit().say("hello").await, Ok(()));
/// let Err(CallError::Rejected(rejection)) = client.emit().say("hello?").await else { panic!("too soon") };
/// assert_eq!(rejection.kind(), RejectionKind::RateLimited);
/// assert_eq!(rejection.retry_after(), Some(5 * second));
/// assert_eq!(client.emit().typing().await, Ok(()), "another event");
/// tokio::time::sleep(5 * second).await;
/// assert_eq!(client.emit().say("here I am").await, Ok(()));
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct RateLimit {
    limits: Arc<Limits>,
    shared: Option<Arc<Shared>>,
}

#[derive(Debug, Clone, Default)]
struct Limits {
    all: Option<Rate>,
    events: Vec<(String, Rate)>,
}

impl RateLimit {
    /// At most so many events of one socket at once, and as many in each `period` from then on. None counts as one.
    ///
    /// [`default`](Default::default) limits only the events that are named with [`event`](Self::event).
    pub fn new(events: u32, period: Duration) -> Self {
        let limits = Limits { all: Some(Rate::new(events, period)), events: Vec::new() };
        RateLimit { limits: Arc::new(limits), shared: None }
    }

    /// Gives an event, by its name on the wire, a limit of its own, beside that of all. The last word on an event counts.
    ///
    /// The name must be one that a namespace inside of the layer declares, or the server is
    /// [not built](crate::BuildError::UnknownEvent); a namespace with a `#[fallback]` and an untyped one take any name.
    pub fn event(mut self, name: impl Into<String>, events: u32, period: Duration) -> Self {
        let (name, limits) = (name.into(), Arc::make_mut(&mut self.limits));
        limits.events.retain(|(known, _)| *known != name);
        limits.events.push((name, Rate::new(events, period)));
        // Levels belong to these limits; those of a clone with others are not to be mistaken for them.
        self.shared = self.shared.map(|shared| Arc::new(Shared { key: Arc::clone(&shared.key), table: Mutex::default() }));
        self
    }

    /// One limit for all sockets of an address, whatever their number, their namespaces and how often they reconnect. `address`
    /// tells it, as for [`Builder::client_address`](crate::Builder::client_address); the addresses of one IPv6 network of 64 bits
    /// count as one. A socket without an address has a limit of its own.
    ///
    /// ```
    /// use axum::extract::ConnectInfo;
    /// use socketio::{SocketIo, engine::forwarded_for, layer::RateLimit, namespace};
    /// use std::{net::SocketAddr, time::Duration};
    /// # #[namespace("/chat")] trait Chat {}
    /// # struct Session;
    /// # impl Chat for Session {}
    ///
    /// let second = Duration::from_secs(1);
    /// // Behind one proxy of yours. Without: `|parts| parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip())`
    /// let io = SocketIo::builder()
    ///     .shared::<dyn Chat>(Session)
    ///     .event_layer(RateLimit::new(100, second).per_address(forwarded_for(1))) // of all its tabs together
    ///     .event_layer(RateLimit::new(20, second)) // of each
    ///     .build();
    /// # let _ = |parts: &http::request::Parts| parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    /// ```
    pub fn per_address(self, address: impl Fn(&Parts) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        self.per(move |socket| socket.network(&address).map(|network| network.to_string()))
    }

    /// One limit for all sockets with the same key, such as the name of the user who has logged in; `None`: a limit of its own.
    /// The key is asked for when the socket is taken in. A key whose sockets have all gone is kept until its limit is whole again: long
    /// periods and many keys take memory.
    ///
    /// Clones share what was taken, unless they are given further limits.
    pub fn per(mut self, key: impl Fn(&Socket<Untyped>) -> Option<String> + Send + Sync + 'static) -> Self {
        self.shared = Some(Arc::new(Shared { key: Arc::new(key), table: Mutex::default() }));
        self
    }
}

type Key = dyn Fn(&Socket<Untyped>) -> Option<String> + Send + Sync;

/// Levels that sockets share.
struct Shared {
    key: Arc<Key>,
    /// Guards the table; a leaf but for the levels, which are looked at under it.
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    levels: HashMap<String, Arc<Mutex<Levels>>>,
    /// So many before those are looked for that nobody needs.
    crowded: usize,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("keys", &self.table.lock().levels.len()).finish_non_exhaustive()
    }
}

impl Shared {
    fn levels(&self, key: String, limits: &Limits, now: Instant) -> Arc<Mutex<Levels>> {
        let mut table = self.table.lock();
        if table.levels.len() >= table.crowded {
            table.levels.retain(|_, levels| Arc::strong_count(levels) > 1 || !levels.lock().are_full(now));
            table.crowded = (2 * table.levels.len()).max(64);
            table.levels.shrink_to_fit();
        }
        Arc::clone(table.levels.entry(key).or_insert_with(|| Levels::new(limits)))
    }
}

/// How fast a bucket fills.
#[derive(Debug, Clone, Copy)]
struct Rate {
    period: Duration,
    /// The time that one token takes to come back.
    token: Duration,
}

impl Rate {
    fn new(events: u32, period: Duration) -> Self {
        /// A longer period would not fit into the clock.
        const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);
        let period = period.min(LONGEST);
        Rate { period, token: period / events.max(1) }
    }
}

/// When a bucket is full again; `None`: it is, because nothing was taken yet.
type Full = Option<Instant>;

/// What the bucket would be after taking a token, or how long it takes until there is one.
fn take(full: Full, rate: Rate, now: Instant) -> Result<Instant, Duration> {
    let then = full.map_or(now, |full| full.max(now)) + rate.token;
    let wait = (then - now).saturating_sub(rate.period);
    if wait.is_zero() { Ok(then) } else { Err(wait) }
}

/// The buckets of one socket; see [`RateLimit`].
#[derive(Debug)]
pub struct RateLimited {
    limits: Arc<Limits>,
    /// Guards the levels; a leaf, held while a token is taken.
    levels: Arc<Mutex<Levels>>,
}

#[derive(Debug)]
struct Levels {
    all: Full,
    /// As many as events have limits, in their order: clients cannot make it grow.
    events: Vec<Full>,
}

impl Levels {
    fn new(limits: &Limits) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Levels { all: None, events: vec![None; limits.events.len()] }))
    }

    /// As if nothing had been taken yet.
    fn are_full(&self, now: Instant) -> bool {
        self.events.iter().chain([&self.all]).flatten().all(|full| *full <= now)
    }
}

impl RateLimited {
    /// Takes a token for an event, or tells how long it takes until there is one.
    fn take(&self, event: &str, now: Instant) -> Result<(), Duration> {
        let own = self.limits.events.iter().position(|(name, _)| name == event);
        let mut levels = self.levels.lock();
        let all = self.limits.all.map(|rate| take(levels.all, rate, now));
        let own = own.map(|at| (at, take(levels.events[at], self.limits.events[at].1, now)));
        let waits = [all, own.map(|(_, own)| own)].into_iter().flatten().filter_map(Result::err);
        if let Some(wait) = waits.max() {
            return Err(wait);
        }
        if let Some(Ok(full)) = all {
            levels.all = Some(full);
        }
        if let Some((at, Ok(full))) = own {
            levels.events[at] = Some(full);
        }
        Ok(())
    }
}

impl EventLayer for RateLimit {
    type Service = RateLimited;

    fn layer(&self, socket: &Socket<Untyped>) -> RateLimited {
        let shared = self.shared.as_ref().and_then(|shared| Some((shared, (shared.key)(socket)?)));
        let levels = match shared {
            Some((shared, key)) => shared.levels(key, &self.limits, Instant::now()),
            None => Levels::new(&self.limits),
        };
        RateLimited { limits: Arc::clone(&self.limits), levels }
    }

    fn events(&self) -> Vec<&str> {
        self.limits.events.iter().map(|(name, _)| name.as_str()).collect()
    }
}

impl EventService for RateLimited {
    async fn call(&self, event: Incoming, next: Next) -> Outcome {
        match self.take(event.name(), Instant::now()) {
            Ok(()) => next.run(event).await,
            Err(wait) => Rejection::rate_limited(wait).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn buckets(limit: &RateLimit) -> RateLimited {
        RateLimited { limits: Arc::clone(&limit.limits), levels: Levels::new(&limit.limits) }
    }

    const SECOND: Duration = Duration::from_secs(1);

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_bucket_empties_and_fills() {
        let (start, buckets) = (Instant::now(), buckets(&RateLimit::new(4, SECOND)));
        for _ in 0..4 {
            assert_eq!(buckets.take("a", start), Ok(()));
        }
        assert_eq!(buckets.take("b", start), Err(millis(250)));
        assert_eq!(buckets.take("b", start + millis(100)), Err(millis(150)), "a refusal costs nothing");
        assert_eq!(buckets.take("b", start + millis(250)), Ok(()));
        assert_eq!(buckets.take("b", start + millis(250)), Err(millis(250)));
        for _ in 0..4 {
            assert_eq!(buckets.take("a", start + 10 * SECOND), Ok(()), "it is full again, and no fuller");
        }
        assert_eq!(buckets.take("a", start + 10 * SECOND), Err(millis(250)));
    }

    #[test]
    fn an_event_has_a_bucket_of_its_own() {
        let limit = RateLimit::new(4, SECOND).event("say", 9, SECOND).event("say", 1, SECOND).event("see", 1, 2 * SECOND);
        let (start, buckets) = (Instant::now(), buckets(&limit));
        assert_eq!(buckets.take("say", start), Ok(()));
        assert_eq!(buckets.take("say", start), Err(SECOND), "its own is empty");
        for event in ["other", "see", "another"] {
            assert_eq!(buckets.take(event, start), Ok(()), "the refused one took nothing of the common one");
        }
        assert_eq!(buckets.take("other", start), Err(millis(250)));
        assert_eq!(buckets.take("see", start), Err(2 * SECOND), "the longer wait of the two");
        assert_eq!(buckets.take("say", start + millis(250)), Err(millis(750)));
        assert_eq!(buckets.take("other", start + millis(250)), Ok(()), "the refused one took nothing of the common one");
    }

    #[test]
    fn only_named_events_are_limited_by_default() {
        let (start, buckets) = (Instant::now(), buckets(&RateLimit::default().event("say", 0, SECOND)));
        assert_eq!(buckets.take("say", start), Ok(()), "none counts as one");
        assert_eq!(buckets.take("say", start), Err(SECOND));
        for _ in 0..1000 {
            assert_eq!(buckets.take("other", start), Ok(()));
        }
    }

    #[test]
    fn periods_of_any_length_fit() {
        let start = Instant::now();
        for period in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
            let buckets = buckets(&RateLimit::new(2, period));
            assert_eq!(buckets.take("a", start), Ok(()));
            assert_eq!(buckets.take("a", start), Ok(()));
            assert_eq!(buckets.take("a", start).is_err(), period == Duration::MAX, "{period:?}");
        }
    }

    #[test]
    fn a_key_is_kept_until_its_limit_is_whole_again() {
        let limit = RateLimit::new(2, SECOND).per(|_| None);
        let shared = limit.shared.as_ref().expect("sockets share");
        let (start, levels) = (Instant::now(), |key: &str, now| shared.levels(key.to_owned(), &limit.limits, now));
        let of = |levels: Arc<Mutex<Levels>>| RateLimited { limits: Arc::clone(&limit.limits), levels };
        let (ann, other) = (of(levels("ann", start)), of(levels("ann", start)));
        assert_eq!(ann.take("a", start), Ok(()));
        assert_eq!(other.take("b", start), Ok(()));
        assert_eq!(ann.take("a", start), Err(millis(500)), "the other one took it");
        assert_eq!(of(levels("bob", start)).take("a", start), Ok(()), "another key");
        drop((ann, other));
        assert_eq!(of(levels("ann", start)).take("a", start), Err(millis(500)), "coming back is of no use");
        let crowd = |now| (0..1000).for_each(|n| drop(levels(&format!("visitor {n}"), now)));
        crowd(start);
        assert_eq!(of(levels("ann", start)).take("a", start), Err(millis(500)), "nor is a crowd");
        assert!(shared.table.lock().levels.len() < 200, "who took nothing is not kept");
        crowd(start + SECOND);
        assert!(!shared.table.lock().levels.contains_key("ann"), "nothing to remember");
    }

    #[test]
    fn clones_share_levels_while_their_limits_are_the_same() {
        let base = RateLimit::new(9, SECOND).per(|_| None);
        let table = |limit: &RateLimit| limit.shared.as_ref().map(Arc::as_ptr);
        assert_eq!(table(&base), table(&base.clone()));
        let (say, others) = (base.clone().event("say", 1, SECOND), base.event("stroke", 5, SECOND).event("clear", 1, SECOND));
        assert_ne!(table(&say), table(&others));
        let start = Instant::now();
        for (limit, event) in [(&say, "say"), (&others, "clear")] {
            let levels = limit.shared.as_ref().expect("sockets share").levels("ann".to_owned(), &limit.limits, start);
            let buckets = RateLimited { limits: Arc::clone(&limit.limits), levels };
            assert_eq!((buckets.take(event, start), buckets.take(event, start)), (Ok(()), Err(SECOND)));
        }
    }

    proptest! {
        /// In no window of one period are there more than twice the events: a full bucket, and what comes back meanwhile.
        #[test]
        fn no_window_has_more_than_a_bucket_and_its_refill(
            events in 1_u32..20,
            steps in prop::collection::vec(0_u64..300, 1..200),
        ) {
            let (mut now, buckets) = (Instant::now(), buckets(&RateLimit::new(events, SECOND)));
            let mut taken: Vec<Instant> = Vec::new();
            for step in steps {
                now += millis(step);
                match buckets.take("a", now) {
                    Ok(()) => taken.push(now),
                    // Whoever waits as long as it was told gets its turn.
                    Err(wait) => {
                        prop_assert!(buckets.take("a", now + wait - Duration::from_nanos(1)).is_err());
                        now += wait;
                        prop_assert_eq!(buckets.take("a", now), Ok(()));
                        taken.push(now);
                    }
                }
                let recent = taken.iter().filter(|then| **then + SECOND > now).count();
                prop_assert!(recent <= 2 * events as usize, "{recent} of {events}");
            }
        }
    }
}
