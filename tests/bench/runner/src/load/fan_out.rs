//! One client has its events sent to a room of many; the next follows when all have got one.

use crate::{
    frame::frame,
    measure::{Figures, Measure},
    process::Server,
    swarm::{Result, Swarm, shown},
};
use std::{
    collections::VecDeque,
    ops::Range,
    time::{Duration, Instant},
};

#[derive(Debug, Clone)]
pub(crate) struct FanOut {
    pub(crate) receivers: usize,
    /// Events whose deliveries are under way.
    pub(crate) in_flight: usize,
    /// Of the data.
    pub(crate) size: usize,
    /// Rooms that each receiver is in beside the one.
    pub(crate) other_rooms: usize,
}

/// The first number; all have eight digits.
const FIRST: usize = 10_000_000;

impl FanOut {
    pub(crate) fn run<'a>(&self, server: &Server, measure: impl FnOnce() -> Measure<'a>) -> Result<Figures> {
        let mut swarm = Swarm::new(server.address, vec![String::new()])?;
        swarm.grow(self.receivers + 1)?;
        let clients = 1..self.receivers + 1;
        join(&mut swarm, clients.clone(), self.other_rooms, |_, room| format!("other {room}"))?;
        join(&mut swarm, clients, 1, |_, _| "r".to_owned())?;
        self.publish(&mut swarm, measure())
    }

    /// The first client publishes; the others are in the room.
    fn publish(&self, swarm: &mut Swarm, mut measure: Measure<'_>) -> Result<Figures> {
        let pad = "x".repeat(self.size.saturating_sub(r#"{"a":12345678,"pad":""}"#.len()));
        let head = br#"42["msg",{"a":"#;
        let length = head.len() + r#"12345678,"pad":""}]"#.len() + pad.len();
        // When each was sent, and who has not got it.
        let mut under_way: VecDeque<(Instant, usize)> = VecDeque::new();
        let mut first = FIRST;
        let mut progress = Instant::now();
        loop {
            while under_way.len() < self.in_flight {
                let number = first + under_way.len();
                let event = format!(r#"42["broadcast",{{"data":{{"a":{number},"pad":"{pad}"}},"room":"r"}}]"#);
                under_way.push_back((Instant::now(), self.receivers));
                swarm.send(0, &frame(1, event.as_bytes()))?;
            }
            swarm.turn(Duration::from_millis(50), &mut |message| {
                let number = message.payload.get(head.len()..head.len() + 8).filter(|_| message.payload.starts_with(head));
                let number: usize = number.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok()).unwrap_or(0);
                match number.checked_sub(first).and_then(|at| under_way.get_mut(at)) {
                    Some((sent, left)) if message.payload.len() == length && *left > 0 => {
                        *left -= 1;
                        measure.note(message.at - *sent);
                        Ok(())
                    }
                    _ => Err(format!("unexpected {}", shown(message.payload)).into()),
                }
            })?;
            while under_way.front().is_some_and(|(_, left)| *left == 0) {
                under_way.pop_front();
                first += 1;
                progress = Instant::now();
            }
            if progress.elapsed() > Duration::from_secs(20) {
                return Err("an event does not reach everybody".into());
            }
            if let Some(figures) = measure.over()? {
                return Ok(figures);
            }
        }
    }
}

/// Has these clients join so many rooms each, one after the other: a burst would leave queues larger than they need to be.
pub(crate) fn join(swarm: &mut Swarm, clients: Range<usize>, rooms: usize, name: impl Fn(usize, usize) -> String) -> Result<()> {
    for room in 0..rooms {
        let mut joined = 0;
        for client in clients.clone() {
            swarm.send(client, &frame(1, format!("421[\"join\",\"{}\"]", name(client, room)).as_bytes()))?;
            // The answers are read under way, so that no buffer fills up.
            swarm.turn(Duration::ZERO, &mut |message| {
                joined += usize::from(message.payload.starts_with(b"431["));
                Ok(())
            })?;
        }
        if joined < clients.len() {
            swarm.until(|message| {
                joined += usize::from(message.payload.starts_with(b"431["));
                Ok(joined == clients.len())
            })?;
        }
    }
    Ok(())
}
