//! Connections that do nothing but answer pings: what they take of memory and time, and what one event to all of them takes.

use crate::{
    frame::frame,
    load::fan_out::join,
    process::Server,
    swarm::{Result, Swarm},
};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// What so many connections at rest cost.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Idle {
    pub(crate) connections: usize,
    /// From the first to the last.
    pub(crate) seconds_to_accept: f64,
    pub(crate) accept_cpu_us: f64,
    /// Resident memory, for each.
    pub(crate) bytes_each: f64,
    /// Of one core, for the heartbeats of all.
    pub(crate) idle_percent: f64,
    pub(crate) ping_cpu_us: f64,
    /// Until the last one had it.
    pub(crate) broadcast_ms: f64,
    pub(crate) delivery_cpu_us: f64,
    /// Above what the server had before the first connection, a moment after the last has gone.
    pub(crate) bytes_left: f64,
}

/// Which rooms the connections are in.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rooms {
    None,
    /// All of them in the same ones.
    Shared(usize),
    /// Each in rooms of its own.
    Own(usize),
}

/// Broadcasts of which the median is taken.
const BROADCASTS: usize = 5;

/// The server pings each connection once in `interval`; that is watched for as long.
pub(crate) fn idle(server: &Server, connections: usize, rooms: &Rooms, namespaces: usize, interval: Duration) -> Result<Idle> {
    let names = std::iter::once(String::new()).chain((0..namespaces.saturating_sub(1)).map(|i| format!("/ns{i},"))).collect();
    let mut swarm = Swarm::new(server.address, names)?;
    let (empty, before, start) = (server.memory()?, server.usage()?, Instant::now());
    swarm.grow(connections)?;
    let seconds_to_accept = start.elapsed().as_secs_f64();
    let accepting = server.usage()?.since(&before);
    let all = 0..connections;
    match *rooms {
        Rooms::None => {}
        Rooms::Shared(count) => join(&mut swarm, all.clone(), count, |_, room| format!("room {room}"))?,
        Rooms::Own(count) => join(&mut swarm, all.clone(), count, |client, room| format!("room {client} {room}"))?,
    }
    // Everybody has been pinged once, so buffers have the size that they keep.
    swarm.rest(interval)?;
    let full = server.memory()?;

    swarm.pings = 0;
    let before = server.usage()?;
    swarm.rest(interval)?;
    let resting = server.usage()?.since(&before);
    let pings = swarm.pings.max(1);

    join(&mut swarm, all, 1, |_, _| "all".to_owned())?;
    let event = frame(1, br#"42["broadcast",{"data":{"a":1,"pad":"xxxxxxxxxxxxxxxx"},"room":"all"}]"#);
    let before = server.usage()?;
    let mut times = Vec::new();
    for _ in 0..BROADCASTS {
        let start = Instant::now();
        swarm.send(0, &event)?;
        let mut left = connections;
        swarm.until(|message| {
            left -= usize::from(message.payload.starts_with(b"42[\"msg\""));
            Ok(left == 0)
        })?;
        times.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    let publishing = server.usage()?.since(&before);
    let count = swarm.len();
    drop(swarm);
    // The server notices at once; what it gives back, it gives back within a moment.
    let closing = Instant::now();
    let mut left = server.memory()?;
    while closing.elapsed() < Duration::from_secs(3) {
        std::thread::sleep(Duration::from_millis(100));
        left = left.min(server.memory()?);
    }
    let micros = |time: Duration, parts: f64| time.as_secs_f64() * 1e6 / parts;
    Ok(Idle {
        connections: count,
        seconds_to_accept,
        accept_cpu_us: micros(accepting.server, count as f64),
        bytes_each: full.saturating_sub(empty) as f64 / count as f64,
        idle_percent: resting.server.as_secs_f64() / resting.time.as_secs_f64() * 100.0,
        ping_cpu_us: micros(resting.server, pings as f64),
        broadcast_ms: crate::measure::median(times),
        delivery_cpu_us: micros(publishing.server, (count * BROADCASTS) as f64),
        bytes_left: left.saturating_sub(empty) as f64,
    })
}
