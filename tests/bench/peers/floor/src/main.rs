//! `peer-floor PORT`: what the events of the benchmark cost if nobody looks at them. A WebSocket behind axum, answered by matching
//! bytes: no JSON, no checks, no sessions. It is no Socket.IO server; what it takes, a server on tokio and axum cannot save.
//!
//! One task for each connection, which owns no buffer, answers all that one read brought with one write, and is woken for what
//! others have for it.

mod answer;

use answer::{Action, Frames, act};
use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::any,
    serve::ListenerExt as _,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use hyper_util::{rt::TokioIo, server::conn::auto::upgrade};
use sha1::{Digest as _, Sha1};
use std::{
    cell::RefCell,
    error::Error,
    future::{Future as _, poll_fn},
    io::{self, ErrorKind},
    mem,
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::{
    io::{AsyncRead as _, AsyncWrite as _, ReadBuf},
    net::{TcpSocket, TcpStream},
    time::{Instant, sleep},
};

/// What a read may bring at once.
const READ: usize = 256 << 10;

/// The one room, and the ping interval.
struct Hub {
    room: Mutex<Vec<Arc<Outbox>>>,
    ping: Duration,
}

/// What others have for a connection.
#[derive(Default)]
struct Outbox(Mutex<(Vec<Bytes>, Option<Waker>)>);

impl Outbox {
    fn push(&self, frame: Bytes) {
        let waker = {
            let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            inner.0.push(frame);
            inner.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = std::env::args().nth(1).and_then(|port| port.parse().ok()).ok_or("usage: peer-floor PORT")?;
    let ping = std::env::var("BENCH_PING_MS").ok().and_then(|millis| millis.parse().ok()).unwrap_or(25_000);
    let hub = Arc::new(Hub { room: Mutex::default(), ping: Duration::from_millis(ping) });
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(([127, 0, 0, 1], port).into())?;
    let listener = socket.listen(4096)?;
    println!("listening on {}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, Router::new().route("/socket.io/", any(open)).with_state(hub)).await?;
    Ok(())
}

async fn open(State(hub): State<Arc<Hub>>, request: Request) -> Response {
    let Some(key) = request.headers().get("sec-websocket-key") else { return StatusCode::BAD_REQUEST.into_response() };
    let digest = Sha1::new().chain_update(key).chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11").finalize();
    let accept = BASE64_STANDARD.encode(digest);
    tokio::spawn(async move {
        let Ok(upgraded) = hyper::upgrade::on(request).await else { return };
        let Ok(parts) = upgrade::downcast::<TokioIo<TcpStream>>(upgraded) else { return };
        let stream = parts.io.into_inner();
        // The parts hold the buffer of the HTTP server: eight kilobytes for each connection.
        drop(parts.read_buf);
        let outbox = Arc::new(Outbox::default());
        // Whoever breaks off has left.
        let _ = Connection { stream, hub: &hub, outbox: &outbox, rest: Vec::new(), unsent: Vec::new() }.run().await;
        hub.room.lock().unwrap_or_else(PoisonError::into_inner).retain(|other| !Arc::ptr_eq(other, &outbox));
    });
    let headers = [("upgrade", "websocket"), ("connection", "Upgrade"), ("sec-websocket-accept", &accept)];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

struct Connection<'a> {
    stream: TcpStream,
    hub: &'a Hub,
    outbox: &'a Arc<Outbox>,
    /// The start of a frame.
    rest: Vec<u8>,
    /// What the socket did not take.
    unsent: Vec<u8>,
}

thread_local! {
    static INPUT: RefCell<Vec<u8>> = RefCell::new(vec![0; READ]);
    static OUTPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Connection<'_> {
    async fn run(mut self) -> io::Result<()> {
        let ping = self.hub.ping;
        let hello = format!(
            r#"0{{"sid":"abcdefghijklmnopqrst","upgrades":[],"pingInterval":{},"pingTimeout":20000,"maxPayload":10000000}}"#,
            ping.as_millis()
        );
        let mut frames = Frames::default();
        frames.text(&[hello.as_bytes()]);
        self.unsent = frames.0;
        let mut timer = pin!(sleep(ping));
        poll_fn(|cx| {
            while self.read(cx)?.is_ready() {}
            while timer.as_mut().poll(cx).is_ready() {
                self.unsent.extend_from_slice(b"\x81\x012");
                timer.as_mut().reset(Instant::now() + ping);
            }
            self.take_queued(cx);
            self.send_rest(cx)
        })
        .await
    }

    /// Reads once, and answers that with one write.
    fn read(&mut self, cx: &mut Context<'_>) -> io::Result<Poll<()>> {
        INPUT.with_borrow_mut(|input| {
            let kept = self.rest.len();
            if input.len() < 2 * kept {
                input.resize(4 * kept, 0);
            }
            input[..kept].copy_from_slice(&self.rest);
            let mut buffer = ReadBuf::new(&mut input[kept..]);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buffer)? {
                Poll::Pending => return Ok(Poll::Pending),
                Poll::Ready(()) if buffer.filled().is_empty() => return Err(ErrorKind::UnexpectedEof.into()),
                Poll::Ready(()) => {}
            }
            let length = kept + buffer.filled().len();
            OUTPUT.with_borrow_mut(|output| {
                output.clear();
                let mut frames = Frames(mem::take(output));
                let used = self.answer(&mut input[..length], &mut frames)?;
                self.rest.clear();
                if used < length {
                    self.rest.extend_from_slice(&input[used..length]);
                } else {
                    self.rest = Vec::new();
                }
                let sent = if self.unsent.is_empty() { self.stream.try_write(&frames.0).or_else(nothing)? } else { 0 };
                self.unsent.extend_from_slice(&frames.0[sent..]);
                *output = frames.0;
                Ok(Poll::Ready(()))
            })
        })
    }

    fn answer(&self, input: &mut [u8], frames: &mut Frames) -> io::Result<usize> {
        let mut used = 0;
        while let Some((opcode, start, end)) = answer::unmask(&mut input[used..]) {
            let payload = &input[used + start..used + end];
            used += end;
            match opcode {
                1 => match act(payload) {
                    Action::Nothing => {}
                    Action::Answer(parts) => frames.text(&parts),
                    Action::Join(parts) => {
                        frames.text(&parts);
                        self.hub.room.lock().unwrap_or_else(PoisonError::into_inner).push(self.outbox.clone());
                    }
                    Action::Broadcast(data) => {
                        let mut frame = Frames::default();
                        frame.text(&[b"42[\"msg\",", data, b"]"]);
                        let frame = Bytes::from(frame.0);
                        for outbox in &*self.hub.room.lock().unwrap_or_else(PoisonError::into_inner) {
                            outbox.push(frame.clone());
                        }
                    }
                },
                2 => frames.write(2, &[payload]),
                8 => return Err(ErrorKind::UnexpectedEof.into()),
                _ => {}
            }
        }
        Ok(used)
    }

    fn take_queued(&mut self, cx: &Context<'_>) {
        let mut inner = self.outbox.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut inner.1 {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        for frame in inner.0.drain(..) {
            self.unsent.extend_from_slice(&frame);
        }
    }

    fn send_rest(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            match Pin::new(&mut self.stream).poll_write(cx, &self.unsent)? {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(count) => self.unsent.drain(..count),
            };
        }
        self.unsent = Vec::new();
        Poll::Pending
    }
}

/// A socket that takes nothing now.
fn nothing(error: io::Error) -> io::Result<usize> {
    if error.kind() == ErrorKind::WouldBlock { Ok(0) } else { Err(error) }
}
