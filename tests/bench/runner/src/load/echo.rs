//! Each client keeps so many events in flight, and sends the next when one is acknowledged.

use crate::{
    frame::frame,
    measure::{Figures, Measure},
    process::Server,
    swarm::{Result, Swarm, ack_id, shown},
    text::{object, string},
};
use std::time::{Duration, Instant};

#[derive(Debug, Clone)]
pub(crate) struct Echo {
    pub(crate) clients: usize,
    /// For each client.
    pub(crate) in_flight: usize,
    /// Namespaces that each client is in; its events go to them in turn. One: `/`.
    pub(crate) namespaces: usize,
    pub(crate) payload: Payload,
}

/// What is sent, and its size.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Payload {
    Object(usize),
    Text(usize),
    Binary(usize),
}

/// The first id of an acknowledgement; all have three digits.
const FIRST: usize = 100;

impl Echo {
    pub(crate) fn run<'a>(&self, server: &Server, measure: impl FnOnce() -> Measure<'a>) -> Result<Figures> {
        let namespaces: Vec<String> = match self.namespaces {
            1 => vec![String::new()],
            count => (0..count).map(|i| format!("/ns{i},")).collect(),
        };
        let events: Vec<Event> =
            (0..self.in_flight).map(|at| Event::new(self.payload, &namespaces[at % namespaces.len()], at)).collect();
        let mut swarm = Swarm::new(server.address, namespaces)?;
        swarm.grow(self.clients)?;
        // When each was sent, and which attachment is awaited.
        let mut sent = vec![vec![Instant::now(); self.in_flight]; self.clients];
        let mut attachment: Vec<Option<usize>> = vec![None; self.clients];
        let all: Vec<u8> = events.iter().flat_map(|event| event.frames.iter().copied()).collect();
        for (client, sent) in sent.iter_mut().enumerate() {
            sent.fill(Instant::now());
            swarm.send(client, &all)?;
        }
        let mut measure = measure();
        let mut progress = Instant::now();
        loop {
            let mut came = false;
            swarm.turn(Duration::from_millis(50), &mut |message| {
                came = true;
                let at = if message.binary {
                    attachment[message.client].take().ok_or("an attachment without its event")?
                } else {
                    ack_id(message.payload).and_then(|id| id.checked_sub(FIRST)).ok_or_else(|| shown(message.payload))?
                };
                let event = events.get(at).ok_or("an acknowledgement of nothing")?;
                match (&event.attachment, message.binary) {
                    (Some(bytes), true) if bytes == message.payload => {}
                    (Some(_), false) => {
                        attachment[message.client] = Some(at);
                        return Ok(());
                    }
                    (None, false) if event.answer == message.payload => {}
                    _ => return Err(format!("a wrong answer: {}", shown(message.payload)).into()),
                }
                measure.note(message.at - sent[message.client][at]);
                sent[message.client][at] = message.at;
                message.out.extend_from_slice(&event.frames);
                Ok(())
            })?;
            if came {
                progress = Instant::now();
            } else if progress.elapsed() > Duration::from_secs(10) {
                return Err("no answer comes any more".into());
            }
            if let Some(figures) = measure.over()? {
                return Ok(figures);
            }
        }
    }
}

struct Event {
    frames: Vec<u8>,
    /// With an attachment: not compared, since every server may write a placeholder as it likes.
    answer: Vec<u8>,
    attachment: Option<Vec<u8>>,
}

impl Event {
    fn new(payload: Payload, namespace: &str, at: usize) -> Self {
        let id = FIRST + at;
        let json = match payload {
            Payload::Object(size) => object(size),
            Payload::Text(size) => string(size),
            Payload::Binary(size) => {
                let bytes: Vec<u8> = (0..size).map(|i| (i * 31 + 7) as u8).collect();
                let text = format!(r#"451-{namespace}{id}["echob",{{"_placeholder":true,"num":0}}]"#);
                let frames = [frame(1, text.as_bytes()), frame(2, &bytes)].concat();
                return Event { frames, answer: Vec::new(), attachment: Some(bytes) };
            }
        };
        let frames = frame(1, format!("42{namespace}{id}[\"echo\",{json}]").as_bytes());
        Event { frames, answer: format!("43{namespace}{id}[{json}]").into_bytes(), attachment: None }
    }
}
