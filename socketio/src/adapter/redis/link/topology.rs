//! `Topology`: which nodes there are, and which of them has a key. One server is a cluster of one.
//!
//! Found anew after every loss: behind sentinels another server may be the master by now, in a cluster keys move.

use super::{
    Place, RedisError, Route,
    dial::{Dialer, Line},
};
use redis::{FromRedisValue as _, Value};

/// The number of slots of a Redis Cluster.
const SLOTS: u16 = 16384;

/// Where to ask first.
#[derive(Debug)]
pub(super) struct Seeds {
    addresses: Vec<String>,
    kind: SeedKind,
}

#[derive(Debug)]
enum SeedKind {
    Server,
    Cluster,
    Sentinel(String),
}

impl Seeds {
    pub(super) fn new(place: &Place, address: impl Fn(&str) -> Result<String, RedisError>) -> Result<Self, RedisError> {
        let (urls, kind) = match place {
            Place::Server(url) => (std::slice::from_ref(url), SeedKind::Server),
            Place::Cluster(urls) => (urls.as_slice(), SeedKind::Cluster),
            Place::Sentinel { service, urls } => (urls.as_slice(), SeedKind::Sentinel(service.clone())),
        };
        if urls.is_empty() {
            return Err(RedisError::Setting("there is no URL".to_owned()));
        }
        let addresses = urls.iter().map(|url| address(url)).collect::<Result<_, _>>()?;
        Ok(Seeds { addresses, kind })
    }

    /// The URL that has user and password.
    pub(super) fn first_url<'a>(&self, place: &'a Place) -> &'a str {
        match place {
            Place::Server(url) => url,
            Place::Cluster(urls) | Place::Sentinel { urls, .. } => urls.first().map_or("", String::as_str),
        }
    }

    pub(super) fn is_cluster(&self) -> bool {
        matches!(self.kind, SeedKind::Cluster)
    }
}

/// The nodes that have keys, and which.
#[derive(Debug, Clone)]
pub(super) struct Topology {
    nodes: Vec<String>,
    /// First and last slot, and the index of the node.
    slots: Vec<(u16, u16, usize)>,
    /// The index of the node for what any of them may do. It stays the same as long as it is there: by way of another one,
    /// messages might overtake each other, and what is subscribed to on two arrives twice.
    home: usize,
}

impl Topology {
    fn one(address: String) -> Self {
        Topology { nodes: vec![address], slots: vec![(0, SLOTS - 1, 0)], home: 0 }
    }

    pub(super) fn nodes(&self) -> &[String] {
        &self.nodes
    }

    /// The same with the home of another one, if that is still there.
    pub(super) fn at_home_in(mut self, other: &Topology) -> Self {
        let home = other.nodes.get(other.home);
        if let Some(at) = self.nodes.iter().position(|node| Some(node) == home) {
            self.home = at;
        }
        self
    }

    /// Whether nodes and their slots are the same.
    pub(super) fn is_like(&self, other: &Topology) -> bool {
        (&self.nodes, &self.slots) == (&other.nodes, &other.slots)
    }

    /// The node for a route; none while nobody has its slot.
    pub(super) fn node(&self, route: &Route) -> Option<&str> {
        let index = match route {
            _ if self.nodes.len() == 1 => 0,
            Route::Any => self.home,
            Route::Key(key) => {
                let slot = slot(key);
                self.slots.iter().find(|(first, last, _)| (*first..=*last).contains(&slot))?.2
            }
        };
        self.nodes.get(index).map(String::as_str)
    }

    /// Asks who is there: `known` first, which answered before.
    pub(super) async fn find(dialer: &Dialer, known: &[String]) -> Result<Self, RedisError> {
        let seeds = dialer.seeds();
        let mut last = None;
        let asked = match &seeds.kind {
            SeedKind::Server => return Ok(Topology::one(seeds.addresses[0].clone())),
            SeedKind::Cluster => known.iter().chain(&seeds.addresses),
            SeedKind::Sentinel(_) => [].iter().chain(&seeds.addresses),
        };
        for address in asked {
            let found = match &seeds.kind {
                SeedKind::Sentinel(service) => ask_sentinel(dialer, address, service).await,
                _ => ask_cluster(dialer, address).await,
            };
            match found {
                Ok(topology) => return Ok(topology),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| RedisError::Setting("there is no URL".to_owned())))
    }

    /// Asks a node that is connected.
    pub(super) async fn ask(address: &str, line: &Line) -> Result<Self, RedisError> {
        let slots = redis::cmd("CLUSTER").arg("SLOTS").query_async::<Value>(&mut line.connection.clone()).await;
        let slots = slots.map_err(|error| RedisError::of(address, &error))?;
        parse_slots(address, &slots).ok_or_else(|| RedisError::unreachable(address, "no slots of the cluster are served"))
    }
}

async fn ask_cluster(dialer: &Dialer, address: &str) -> Result<Topology, RedisError> {
    let line = dialer.dial(address, None).await?;
    let asking = Topology::ask(address, &line);
    let late = |_| RedisError::unreachable(address, "no answer to CLUSTER SLOTS");
    tokio::time::timeout(std::time::Duration::from_secs(3), asking).await.map_err(late)?
}

async fn ask_sentinel(dialer: &Dialer, address: &str, service: &str) -> Result<Topology, RedisError> {
    let line = dialer.dial_sentinel(address).await?;
    let mut command = redis::cmd("SENTINEL");
    command.arg("GET-MASTER-ADDR-BY-NAME").arg(service);
    let mut connection = line.connection.clone();
    let asking = command.query_async::<Option<(String, u16)>>(&mut connection);
    let late = |_| RedisError::unreachable(address, "no answer of the sentinel");
    let answer = tokio::time::timeout(std::time::Duration::from_secs(3), asking).await.map_err(late)?;
    match answer.map_err(|error| RedisError::of(address, &error))? {
        Some((host, port)) if host.contains(':') => Ok(Topology::one(format!("[{host}]:{port}"))),
        Some((host, port)) => Ok(Topology::one(format!("{host}:{port}"))),
        None => Err(RedisError::Setting(format!("the sentinel at {address} does not know `{service}`"))),
    }
}

/// The answer to `CLUSTER SLOTS`: `[[first, last, [host, port, ..], replicas ..] ..]`. A host may be missing: then it is the one
/// that was asked.
fn parse_slots(asked: &str, answer: &Value) -> Option<Topology> {
    let Value::Array(ranges) = answer else { return None };
    let own_host = asked.rsplit_once(':').map_or(asked, |(host, _)| host);
    let mut found = Vec::new();
    for range in ranges {
        let Value::Array(range) = range else { return None };
        let [first, last, Value::Array(master), ..] = range.as_slice() else { return None };
        let [host, port, ..] = master.as_slice() else { return None };
        let number = |value: &Value| u16::from_redis_value_ref(value).ok();
        let host = Option::<String>::from_redis_value_ref(host).ok()?.filter(|host| !host.is_empty() && host != "?");
        let host = host.map_or_else(|| own_host.to_owned(), |host| if host.contains(':') { format!("[{host}]") } else { host });
        found.push((number(first)?, number(last)?, format!("{host}:{}", number(port)?)));
    }
    let mut nodes: Vec<String> = found.iter().map(|(.., node)| node.clone()).collect();
    nodes.sort();
    nodes.dedup();
    let slots = found.iter().filter_map(|(first, last, node)| Some((*first, *last, nodes.binary_search(node).ok()?)));
    let mut slots: Vec<_> = slots.collect();
    slots.sort_unstable();
    (!nodes.is_empty()).then_some(Topology { nodes, slots, home: 0 })
}

/// The number of `PUBSUB NUMSUB` for one channel: in an array or a map.
pub(super) fn count(answer: &Value) -> usize {
    let number = match answer {
        Value::Array(pair) => pair.get(1),
        Value::Map(pairs) => pairs.first().map(|(_, number)| number),
        _ => None,
    };
    number.and_then(|number| usize::from_redis_value_ref(number).ok()).unwrap_or(0)
}

/// The slot of a key: of what stands between the first braces, if there is something.
/// Spec: Redis Cluster, "Hash tags".
fn slot(key: &[u8]) -> u16 {
    let tag = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let rest = &key[open + 1..];
        let close = rest.iter().position(|byte| *byte == b'}')?;
        (close > 0).then(|| &rest[..close])
    });
    crc16(tag.unwrap_or(key)) % SLOTS
}

/// CRC-16/XMODEM, bit by bit: a key is short.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_of_keys() {
        // Of the specification, and of `CLUSTER KEYSLOT` of a real server.
        for (key, expected) in [("123456789", 12739), ("foo", 12182), ("", 0), ("{foo}bar", 12182), ("x{foo}{y}", 12182)] {
            assert_eq!(slot(key.as_bytes()), expected, "{key}");
        }
        assert_eq!(slot(b"foo{}{bar}"), crc16(b"foo{}{bar}") % SLOTS);
        assert_eq!(slot(b"{open"), crc16(b"{open") % SLOTS);
    }

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn ranges_and_their_nodes() {
        let range = |first, last, host: Value, port| {
            let node = Value::Array(vec![host, Value::Int(port), text("id"), Value::Array(vec![])]);
            Value::Array(vec![Value::Int(first), Value::Int(last), node.clone(), node])
        };
        let answer =
            [range(0, 99, text("10.0.0.2"), 7000), range(100, 8191, Value::Nil, 7001), range(8192, 16383, text("::1"), 7002)];
        let topology = parse_slots("10.0.0.1:1", &Value::Array(answer.to_vec())).expect("it is an answer");
        assert_eq!(topology.nodes(), ["10.0.0.1:7001", "10.0.0.2:7000", "[::1]:7002"]);
        assert_eq!(topology.node(&Route::Any), Some("10.0.0.1:7001"));
        let other = Topology { home: 1, ..topology.clone() };
        assert!(other.is_like(&topology));
        assert_eq!(topology.clone().at_home_in(&other).node(&Route::Any), Some("10.0.0.2:7000"));
        assert_eq!(Topology::one("a:1".to_owned()).at_home_in(&other).node(&Route::Any), Some("a:1"));
        assert_eq!(topology.node(&Route::Key(b"foo".to_vec())), Some("[::1]:7002"));
        assert_eq!(topology.node(&Route::Key(Vec::new())), Some("10.0.0.2:7000"));
    }

    #[test]
    fn nonsense_is_no_topology() {
        for answer in
            [Value::Nil, Value::Array(vec![]), Value::Array(vec![Value::Int(1)]), Value::Array(vec![Value::Array(vec![])])]
        {
            assert!(parse_slots("a:1", &answer).is_none());
        }
    }

    #[test]
    fn counts() {
        assert_eq!(count(&Value::Array(vec![text("c"), Value::Int(3)])), 3);
        assert_eq!(count(&Value::Map(vec![(text("c"), Value::Int(2))])), 2);
        assert_eq!(count(&Value::Nil), 0);
    }
}
