//! The loads: what clients do with a server, again and again. What comes back is compared with what has to.

mod echo;
mod fan_out;
mod polling;
mod rest;

use crate::{
    measure::{Figures, Measure},
    process::Server,
    swarm::{Result, Swarm},
};
pub(crate) use echo::{Echo, Payload};
pub(crate) use fan_out::FanOut;
pub(crate) use rest::{Idle, Rooms, idle};
use std::time::Duration;

/// What clients do.
#[derive(Debug, Clone)]
pub(crate) enum Load {
    /// Events that are acknowledged with what they bring.
    Echo(Echo),
    /// One client has its events sent to many others.
    FanOut(FanOut),
    /// So many at a time open a WebSocket, join `/`, and leave.
    Connect(usize),
    /// So many clients that post an event and poll for its acknowledgement.
    Polling(usize),
}

/// For how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Length {
    pub(crate) warm_up: Duration,
    pub(crate) time: Duration,
}

impl Load {
    pub(crate) fn run(&self, server: &Server, length: Length) -> Result<Figures> {
        let measure = || Measure::new(server, length.warm_up, length.time);
        match self {
            Load::Echo(load) => load.run(server, measure),
            Load::FanOut(load) => load.run(server, measure),
            Load::Connect(at_a_time) => connect(server, *at_a_time, measure()),
            Load::Polling(clients) => polling::run(server.address, *clients, measure()),
        }
    }
}

fn connect(server: &Server, at_a_time: usize, mut measure: Measure<'_>) -> Result<Figures> {
    let mut swarm = Swarm::new(server.address, vec![String::new()])?;
    for client in 0..at_a_time {
        swarm.open(client)?;
    }
    loop {
        swarm.turn(Duration::from_millis(50), &mut |_| Ok(()))?;
        for (client, took) in swarm.take_ready() {
            measure.note(took);
            swarm.open(client)?;
        }
        if let Some(figures) = measure.over()? {
            return Ok(figures);
        }
    }
}
