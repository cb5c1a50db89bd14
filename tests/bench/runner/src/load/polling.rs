//! Clients of HTTP long polling: each posts an event, and a second connection of it polls for the acknowledgement.

use crate::{
    measure::{Figures, Measure},
    net::Connection,
    swarm::{Result, shown},
    text::object,
};
use mio::{Events, Poll, Token};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

/// Where a client stands.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Opening,
    Joining,
    Ready,
}

struct Client {
    get: Connection,
    post: Connection,
    target: String,
    state: State,
    /// A request is under way on the second connection; what comes up meanwhile waits.
    posting: bool,
    queue: String,
    sent: Instant,
}

pub(crate) fn run(server: SocketAddr, count: usize, mut measure: Measure<'_>) -> Result<Figures> {
    let mut poll = Poll::new()?;
    let mut clients = Vec::new();
    for i in 0..count {
        let get = Connection::open(poll.registry(), Token(2 * i), server, i)?;
        let post = Connection::open(poll.registry(), Token(2 * i + 1), server, i)?;
        let target = "/socket.io/?EIO=4&transport=polling".to_owned();
        let mut client =
            Client { get, post, target, state: State::Opening, posting: false, queue: String::new(), sent: Instant::now() };
        client.poll()?;
        clients.push(client);
    }
    let json = object(48);
    let (event, answer) = (format!("42100[\"echo\",{json}]"), format!("43100[{json}]"));
    let mut events = Events::with_capacity(1024);
    let mut buffer = vec![0; 1 << 20];
    let mut progress = Instant::now();
    loop {
        poll.poll(&mut events, Some(Duration::from_millis(50)))?;
        for ready in &events {
            let (client, posting) = (&mut clients[ready.token().0 / 2], ready.token().0 % 2 == 1);
            let connection = if posting { &mut client.post } else { &mut client.get };
            if ready.is_writable() {
                connection.flush()?;
            }
            if !ready.is_readable() {
                continue;
            }
            let Some((length, _)) = connection.read(&mut buffer)? else { continue };
            let Some((head, end)) = response(&buffer[..length]) else {
                connection.keep(&buffer[..length]);
                continue;
            };
            if !buffer.starts_with(b"HTTP/1.1 200 ") || end != length {
                return Err(format!("a request was refused: {}", shown(&buffer[..length])).into());
            }
            connection.keep(&[]);
            progress = Instant::now();
            if posting {
                client.posting = false;
            } else {
                let body = std::str::from_utf8(&buffer[head..end])?;
                for packet in body.split('\x1e') {
                    if client.packet(packet, &event, &answer)? {
                        measure.note(client.sent.elapsed());
                        client.sent = Instant::now();
                    }
                }
                client.poll()?;
            }
            client.post()?;
        }
        if progress.elapsed() > Duration::from_secs(10) {
            return Err("no answer comes any more".into());
        }
        if let Some(figures) = measure.over()? {
            return Ok(figures);
        }
    }
}

impl Client {
    /// Whether this acknowledges the event; the next one waits to be posted then.
    fn packet(&mut self, packet: &str, event: &str, answer: &str) -> Result<bool> {
        match (self.state, packet) {
            (State::Opening, open) if open.starts_with("0{") => {
                let open: serde_json::Value = serde_json::from_str(&open[1..])?;
                self.target += &format!("&sid={}", open["sid"].as_str().ok_or("no session")?);
                self.state = State::Joining;
                self.queue("40");
            }
            (State::Joining, joined) if joined.starts_with("40") => {
                self.state = State::Ready;
                self.sent = Instant::now();
                self.queue(event);
            }
            (State::Ready, got) if got == answer => {
                self.queue(event);
                return Ok(true);
            }
            (_, "2") => self.queue("3"),
            (_, other) => return Err(format!("unexpected {other}").into()),
        }
        Ok(false)
    }

    fn queue(&mut self, packet: &str) {
        if !self.queue.is_empty() {
            self.queue.push('\x1e');
        }
        self.queue.push_str(packet);
    }

    fn poll(&mut self) -> Result<()> {
        let request = format!("GET {} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n", self.target);
        self.get.out().extend_from_slice(request.as_bytes());
        Ok(self.get.flush()?)
    }

    /// Posts what waits, one request at a time.
    fn post(&mut self) -> Result<()> {
        if self.posting || self.queue.is_empty() {
            return Ok(());
        }
        self.posting = true;
        let body = std::mem::take(&mut self.queue);
        let request = format!(
            "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain;charset=UTF-8\r\nContent-Length: {}\r\n\r\n{body}",
            self.target,
            body.len()
        );
        self.post.out().extend_from_slice(request.as_bytes());
        Ok(self.post.flush()?)
    }
}

/// Where the body of the response in front starts and ends, if it is whole. All servers here say how long it is.
fn response(bytes: &[u8]) -> Option<(usize, usize)> {
    let head = bytes.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let length = std::str::from_utf8(&bytes[..head]).ok()?.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    })?;
    (bytes.len() >= head + length).then_some((head, head + length))
}
