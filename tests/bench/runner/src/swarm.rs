//! Many WebSocket clients in one thread: they connect, join their namespaces, answer pings, and hand over everything else.

use crate::{
    frame::{frame, frame_length},
    net::Connection,
};
use mio::{Events, Poll, Token};
use std::{
    error::Error,
    net::SocketAddr,
    time::{Duration, Instant},
};

/// Connections that are being made at a time.
const AT_A_TIME: usize = 256;
/// The longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[derive(Clone, Copy, PartialEq)]
enum State {
    Upgrading,
    Opening,
    Joining(usize),
    Ready,
}

struct Member {
    connection: Connection,
    state: State,
    since: Instant,
}

/// A message of a client that has joined everything.
pub(crate) struct Message<'a> {
    /// The number of the client.
    pub(crate) client: usize,
    pub(crate) binary: bool,
    pub(crate) payload: &'a [u8],
    /// When it was read.
    pub(crate) at: Instant,
    /// What this client sends next, in whole frames.
    pub(crate) out: &'a mut Vec<u8>,
}

pub(crate) struct Swarm {
    poll: Poll,
    events: Events,
    server: SocketAddr,
    namespaces: Vec<String>,
    members: Vec<Option<Member>>,
    buffer: Vec<u8>,
    opened: usize,
    /// Those that became ready since this was last taken, and how long each took.
    ready: Vec<(usize, Duration)>,
    /// Pings that were answered.
    pub(crate) pings: u64,
}

impl Swarm {
    pub(crate) fn new(server: SocketAddr, namespaces: Vec<String>) -> Result<Self> {
        Ok(Swarm {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            server,
            namespaces,
            members: Vec::new(),
            buffer: vec![0; 4 << 20],
            opened: 0,
            ready: Vec::new(),
            pings: 0,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    /// Begins a connection in this place; one that was there is closed.
    pub(crate) fn open(&mut self, client: usize) -> Result<()> {
        if self.members.len() <= client {
            self.members.resize_with(client + 1, || None);
        }
        self.members[client] = None;
        self.opened += 1;
        let mut connection = Connection::open(self.poll.registry(), Token(client), self.server, self.opened)?;
        let request = format!(
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            self.server
        );
        connection.out().extend_from_slice(request.as_bytes());
        self.members[client] = Some(Member { connection, state: State::Upgrading, since: Instant::now() });
        Ok(())
    }

    /// Opens connections until there are so many, and waits until all have joined.
    pub(crate) fn grow(&mut self, count: usize) -> Result<()> {
        let mut ready = self.members.len();
        let mut progress = Instant::now();
        self.ready.clear();
        while ready < count {
            while self.members.len() < count && self.members.len() - ready < AT_A_TIME {
                self.open(self.members.len())?;
            }
            self.turn(Duration::from_millis(100), &mut |_| Ok(()))?;
            if !self.ready.is_empty() {
                ready += self.ready.drain(..).count();
                progress = Instant::now();
            }
            if progress.elapsed() > PATIENCE {
                return Err(format!("only {ready} of {count} connections came up").into());
            }
        }
        Ok(())
    }

    /// Those that became ready since the last call.
    pub(crate) fn take_ready(&mut self) -> Vec<(usize, Duration)> {
        std::mem::take(&mut self.ready)
    }

    pub(crate) fn send(&mut self, client: usize, frames: &[u8]) -> Result<()> {
        let member = self.members[client].as_mut().ok_or("it is closed")?;
        member.connection.out().extend_from_slice(frames);
        Ok(member.connection.flush()?)
    }

    /// Waits until `done`, which is asked after every message, or an error if nothing comes any more.
    pub(crate) fn until(&mut self, mut done: impl FnMut(Message<'_>) -> Result<bool>) -> Result<()> {
        let mut finished = false;
        let mut progress = Instant::now();
        while !finished {
            let mut came = false;
            self.turn(Duration::from_millis(100), &mut |message| {
                came = true;
                finished |= done(message)?;
                Ok(())
            })?;
            if came {
                progress = Instant::now();
            }
            if progress.elapsed() > PATIENCE {
                return Err("nothing comes any more".into());
            }
        }
        Ok(())
    }

    /// Only answers pings for so long.
    pub(crate) fn rest(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.turn(Duration::from_millis(20), &mut |_| Ok(()))?;
        }
        Ok(())
    }

    /// Waits for the sockets, at most so long, and handles what they bring.
    pub(crate) fn turn(&mut self, wait: Duration, on: &mut dyn FnMut(Message<'_>) -> Result<()>) -> Result<()> {
        let mut events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        match self.poll.poll(&mut events, Some(wait)) {
            Err(error) if error.kind() != std::io::ErrorKind::Interrupted => return Err(error.into()),
            _ => {}
        }
        for event in &events {
            let client = event.token().0;
            if event.is_writable()
                && let Some(member) = &mut self.members[client]
            {
                member.connection.flush()?;
            }
            if event.is_readable() {
                self.read(client, on).map_err(|error| format!("client {client}: {error}"))?;
            }
        }
        self.events = events;
        Ok(())
    }

    fn read(&mut self, client: usize, on: &mut dyn FnMut(Message<'_>) -> Result<()>) -> Result<()> {
        let Swarm { members, buffer, namespaces, ready, pings, .. } = self;
        let Some(Member { connection, state, since }) = &mut members[client] else { return Ok(()) };
        while let Some((length, more)) = connection.read(buffer)? {
            let at = Instant::now();
            let mut bytes = &buffer[..length];
            if *state == State::Upgrading {
                let Some(head) = bytes.windows(4).position(|end| end == b"\r\n\r\n") else {
                    connection.keep(bytes);
                    continue;
                };
                if !bytes.starts_with(b"HTTP/1.1 101 ") {
                    return Err(format!("the upgrade was refused: {}", String::from_utf8_lossy(&bytes[..head])).into());
                }
                bytes = &bytes[head + 4..];
                *state = State::Opening;
            }
            while let Some(end) = frame_length(bytes) {
                let header = match bytes[1] {
                    126 => 4,
                    127 => 10,
                    _ => 2,
                };
                let (opcode, payload) = (bytes[0], &bytes[header..end]);
                bytes = &bytes[end..];
                match (opcode, *state) {
                    (0x81, _) if payload == b"2" => {
                        *pings += 1;
                        connection.out().extend(frame(1, b"3"));
                    }
                    (0x81, State::Opening) if payload.starts_with(b"0{") => {
                        *state = State::Joining(0);
                        for namespace in &*namespaces {
                            connection.out().extend(frame(1, format!("40{namespace}").as_bytes()));
                        }
                    }
                    (0x81, State::Joining(joined)) if payload.starts_with(b"40") => {
                        *state = if joined + 1 == namespaces.len() {
                            ready.push((client, since.elapsed()));
                            State::Ready
                        } else {
                            State::Joining(joined + 1)
                        };
                    }
                    (0x81 | 0x82, State::Ready) => {
                        on(Message { client, binary: opcode == 0x82, payload, at, out: connection.out() })?;
                    }
                    _ => return Err(format!("unexpected {opcode:#x} {}", shown(payload)).into()),
                }
            }
            connection.keep(bytes);
            connection.flush()?;
            if !more {
                break;
            }
        }
        Ok(())
    }
}

/// The start of a message, for errors.
pub(crate) fn shown(payload: &[u8]) -> String {
    String::from_utf8_lossy(&payload[..payload.len().min(100)]).into_owned()
}

/// The number behind `43` and a namespace: which event is acknowledged.
pub(crate) fn ack_id(payload: &[u8]) -> Option<usize> {
    let rest = match payload {
        [b'4', b'3', rest @ ..] => rest,
        [b'4', b'6', rest @ ..] => &rest[rest.iter().position(|byte| *byte == b'-')? + 1..],
        _ => return None,
    };
    let rest = if rest.first() == Some(&b'/') { &rest[rest.iter().position(|byte| *byte == b',')? + 1..] } else { rest };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()
}
