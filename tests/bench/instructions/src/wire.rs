//! The server behind pipes in memory, and the client's end of such a pipe: WebSocket frames and HTTP, as little as it takes.

use crate::{
    frame::{frame, frame_length},
    load::{self, Kind},
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    task::spawn,
};

/// What a pipe holds: more than is ever under way in one.
const PIPE: usize = 1 << 20;

/// Opens connections to one server.
pub(crate) struct Server(Box<dyn Fn() -> DuplexStream>);

impl Server {
    pub(crate) fn start(kind: Kind) -> Self {
        // No heartbeat falls into what is counted.
        Server::with(kind, Duration::from_secs(3600), PIPE)
    }

    pub(crate) fn with(kind: Kind, ping_interval: Duration, pipe_bytes: usize) -> Self {
        let io = load::builder(kind).ping_interval(ping_interval).build();
        let service = TowerToHyperService::new(io.service());
        Server(Box::new(move || {
            let (near, far) = duplex(pipe_bytes);
            let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(far), service.clone());
            spawn(async move {
                // The client just lets go of its end.
                let _ = connection.with_upgrades().await;
            });
            near
        }))
    }
}

/// A connection, and what came over it that nobody has looked at.
pub(crate) struct Client {
    pipe: DuplexStream,
    rest: Vec<u8>,
}

impl Client {
    /// A pipe without a word said yet.
    pub(crate) fn raw(server: &Server) -> Self {
        Client::over((server.0)())
    }

    pub(crate) fn over(pipe: DuplexStream) -> Self {
        Client { pipe, rest: Vec::new() }
    }

    /// Opens a WebSocket, and joins the namespace `/`.
    pub(crate) async fn join(server: &Server) -> Self {
        let mut client = Client::raw(server);
        client
            .send(
                b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                  Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            )
            .await;
        let head = client.until(|bytes| bytes.windows(4).position(|end| end == b"\r\n\r\n").map(|at| at + 4)).await;
        assert!(head.starts_with(b"HTTP/1.1 101 "), "the upgrade was refused");
        client.send(&frame(1, b"40")).await;
        let opened = client.frames(2).await;
        assert!(opened[2..].starts_with(b"0{") || opened[4..].starts_with(b"0{"), "the handshake");
        client
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.pipe.write_all(bytes).await.expect("the server reads");
    }

    /// So many whole frames of the server, as they came.
    pub(crate) async fn frames(&mut self, count: usize) -> Vec<u8> {
        self.until(|bytes| (0..count).try_fold(0, |at, _| Some(at + frame_length(bytes.get(at..)?)?))).await
    }

    /// Bytes that are known beforehand.
    pub(crate) async fn expect(&mut self, bytes: &[u8], buffer: &mut [u8]) {
        let buffer = &mut buffer[..bytes.len()];
        self.pipe.read_exact(buffer).await.expect("the server answers");
        assert!(buffer == bytes, "expected {}, got {}", String::from_utf8_lossy(bytes), String::from_utf8_lossy(buffer));
    }

    /// A request on this connection, and the body of its answer.
    pub(crate) async fn http(&mut self, request: &[u8]) -> Vec<u8> {
        self.send(request).await;
        let response = self.until(response_length).await;
        assert!(response.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&response));
        let head = response.windows(4).position(|end| end == b"\r\n\r\n").expect("it is whole");
        response[head + 4..].to_vec()
    }

    /// Gives back the memory that the next read will need.
    pub(crate) fn rest(&mut self) {
        self.rest.shrink_to_fit();
    }

    async fn until(&mut self, end: impl Fn(&[u8]) -> Option<usize>) -> Vec<u8> {
        loop {
            if let Some(end) = end(&self.rest) {
                return self.rest.drain(..end).collect();
            }
            assert!(self.pipe.read_buf(&mut self.rest).await.expect("the server answers") > 0, "the server closed");
        }
    }
}

/// The length of the response in front, if it is whole.
fn response_length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let fields = std::str::from_utf8(&bytes[..head]).ok()?;
    let length = fields.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    })?;
    (bytes.len() >= head + length).then_some(head + length)
}
