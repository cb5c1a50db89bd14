//! permessage-deflate over real connections: what is agreed on, what is compressed and how often, and what is refused.
//!
//! The client is written by hand, so that every bit is seen; stock clients are in `tests/e2e`.

use crate::{
    client::within,
    frames::frame,
    script::{basic, script},
    server::{Server, eventually},
};
use axum::Router;
use bytes::Bytes;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use serde_json::json;
use socketio::{
    NamespaceHandle, PerMessageDeflate, SocketIo, Untyped, engine,
    metrics::{Measured, Metrics},
};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A frame of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    /// The first byte: 0x81 is a text, 0xc1 a compressed one.
    pub(crate) first: u8,
    pub(crate) payload: Vec<u8>,
}

/// A WebSocket without a library.
pub(crate) struct Wire {
    tcp: TcpStream,
    unread: Vec<u8>,
    /// What the server has answered to the offer.
    pub(crate) extension: Option<String>,
}

impl Wire {
    /// `Err`: the head of the refusal.
    async fn request(server: &Server, target: &str, offer: Option<&str>) -> Result<Self, String> {
        let mut tcp = TcpStream::connect(server.addr).await.expect("the server listens");
        let offer = offer.map_or_else(String::new, |offer| format!("Sec-WebSocket-Extensions: {offer}\r\n"));
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: \
             13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{offer}\r\n"
        );
        tcp.write_all(request.as_bytes()).await.expect("an open connection");
        let mut wire = Wire { tcp, unread: Vec::new(), extension: None };
        let end = loop {
            if let Some(at) = wire.unread.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            assert!(wire.read().await, "the connection ended");
        };
        let head = String::from_utf8(wire.unread.drain(..end).collect()).expect("a head is ASCII");
        if !head.starts_with("HTTP/1.1 101 ") {
            return Err(head);
        }
        let extension = |line: &str| line.to_ascii_lowercase().strip_prefix("sec-websocket-extensions: ").map(str::to_owned);
        wire.extension = head.lines().find_map(extension);
        Ok(wire)
    }

    /// A session of Engine.IO.
    async fn engine(server: &Server, offer: Option<&str>) -> Self {
        let target = "/engine.io/?EIO=4&transport=websocket";
        let mut wire = Wire::request(server, target, offer).await.expect("accepted");
        assert!(wire.frame().await.expect("the handshake").payload.starts_with(b"0{"));
        wire
    }

    /// A client in `/`.
    pub(crate) async fn joined(server: &Server, offer: Option<&str>) -> Self {
        let target = "/socket.io/?EIO=4&transport=websocket";
        let mut wire = Wire::request(server, target, offer).await.expect("accepted");
        assert!(wire.frame().await.expect("the handshake").payload.starts_with(b"0{"));
        wire.send(&frame(0x81, true, b"40")).await;
        assert!(wire.frame().await.expect("the answer").payload.starts_with(b"40{"));
        wire
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.tcp.write_all(bytes).await.expect("an open connection");
    }

    /// `false`: the connection has ended.
    async fn read(&mut self) -> bool {
        within("bytes", self.tcp.read_buf(&mut self.unread)).await.unwrap_or(0) > 0
    }

    /// The next frame; `None`: the connection has ended.
    pub(crate) async fn frame(&mut self) -> Option<Received> {
        loop {
            let length = match self.unread.get(1) {
                Some(126) => self.unread.get(2..4).map(|length| (4, usize::from(u16::from_be_bytes([length[0], length[1]])))),
                Some(127) => self.unread.get(6..10).map(|low| (10, u32::from_be_bytes(low.try_into().expect("4 bytes")) as usize)),
                Some(short) => Some((2, usize::from(*short))),
                None => None,
            };
            if let Some((head, length)) = length.filter(|(head, length)| self.unread.len() >= head + length) {
                let frame: Vec<u8> = self.unread.drain(..head + length).collect();
                return Some(Received { first: frame[0], payload: frame[head..].to_vec() });
            }
            if !self.read().await {
                return None;
            }
        }
    }
}

/// Inflates a message that refers to none before.
fn inflated(payload: &[u8]) -> Vec<u8> {
    stream_inflated(&mut Decompress::new(false), payload)
}

fn stream_inflated(stream: &mut Decompress, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(2_000_000);
    let whole = [payload, b"\0\0\xff\xff"].concat();
    stream.decompress_vec(&whole, &mut out, FlushDecompress::None).expect("compressed data");
    out
}

fn deflated(plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(plain.len() + 100);
    Compress::new(Compression::default(), false).compress_vec(plain, &mut out, FlushCompress::Sync).expect("room");
    out.strip_suffix(b"\0\0\xff\xff").expect("a flush").to_vec()
}

/// Counts what is compressed.
#[derive(Debug, Clone, Default)]
struct Count {
    messages: Arc<AtomicUsize>,
    bytes: Arc<AtomicUsize>,
    sent: Arc<AtomicUsize>,
}

impl Metrics for Count {
    fn record(&self, measured: Measured<'_>) {
        if let Measured::Compressed { messages, bytes, sent } = measured {
            self.messages.fetch_add(messages, Ordering::SeqCst);
            self.bytes.fetch_add(bytes, Ordering::SeqCst);
            self.sent.fetch_add(sent, Ordering::SeqCst);
        }
    }
}

impl Count {
    /// Waits until so many messages were compressed.
    async fn reaches(&self, messages: usize) {
        let counted = Arc::clone(&self.messages);
        eventually("messages are compressed", move || counted.load(Ordering::SeqCst) >= messages).await;
        assert_eq!(self.messages.load(Ordering::SeqCst), messages);
    }
}

fn echo(config: engine::Config) -> Server {
    let server = engine::Server::new(config, |connection| {
        Box::pin(async move {
            while let Some(message) = connection.next().await {
                if connection.send(message).is_err() {
                    break;
                }
            }
        })
    });
    Server::serve(Router::new().layer(server.expect("legal settings").layer()))
}

fn chat(deflate: PerMessageDeflate) -> (SocketIo, Server, Count) {
    let count = Count::default();
    let (connect, _ended) = script(basic);
    let builder = SocketIo::builder().per_message_deflate(deflate).metrics(count.clone());
    let io = builder.namespace_at::<Untyped, _>("/", connect).build();
    let server = Server::start(&io);
    (io, server, count)
}

fn all(io: &SocketIo) -> NamespaceHandle<Untyped> {
    io.at::<Untyped>("/").expect("it is registered")
}

const OFFER: Option<&str> = Some("permessage-deflate; client_max_window_bits");
const NARROW: Option<&str> = Some("permessage-deflate; server_max_window_bits=10");

#[tokio::test]
async fn a_broadcast_is_compressed_once_for_equal_settings() {
    let (io, server, count) = chat(PerMessageDeflate::new());
    let mut clients = Vec::new();
    for offer in [OFFER, OFFER, NARROW, None, OFFER, Some("permessage-deflate"), NARROW, OFFER] {
        clients.push((offer, Wire::joined(&server, offer).await));
    }
    let text: String = (0..2000).map(|n| format!("{n},")).collect();
    let bytes = Bytes::from(vec![7_u8; 5000]);
    all(&io).emit_raw("news", (&text, socketio::Binary::from(bytes.clone()))).expect("JSON");
    let packet = format!("451-{}", json!(["news", text, { "_placeholder": true, "num": 0 }])).into_bytes();
    let mut forms = std::collections::BTreeSet::new();
    for (offer, wire) in &mut clients {
        let (news, attachment) = (wire.frame().await.expect("the event"), wire.frame().await.expect("its attachment"));
        if offer.is_none() {
            assert_eq!((news.first, &news.payload), (0x81, &packet));
            assert_eq!((attachment.first, &attachment.payload[..]), (0x82, &bytes[..]));
            continue;
        }
        assert_eq!((news.first, inflated(&news.payload)), (0xc1, packet.clone()));
        assert_eq!((attachment.first, inflated(&attachment.payload)), (0xc2, bytes.to_vec()));
        assert!(news.payload.len() < packet.len() / 2 && attachment.payload.len() < 100);
        forms.insert(news.payload);
    }
    assert_eq!(forms.len(), 2, "one form for each window");
    // Two frames, for two windows; seven clients.
    count.reaches(4).await;
    assert_eq!(count.bytes.load(Ordering::SeqCst), 2 * (packet.len() + bytes.len()));
    assert!(count.sent.load(Ordering::SeqCst) < packet.len());
}

#[tokio::test]
async fn with_context_takeover_every_receiver_has_its_own() {
    let (io, server, count) = chat(PerMessageDeflate::new().server_context_takeover(true));
    let mut clients = [Wire::joined(&server, OFFER).await, Wire::joined(&server, OFFER).await];
    let alone = Some("permessage-deflate; server_no_context_takeover");
    let mut without = [Wire::joined(&server, alone).await, Wire::joined(&server, alone).await];
    let text = "some news that nobody has heard; ".repeat(40);
    for _ in 0..2 {
        all(&io).emit_raw("news", (&text,)).expect("JSON");
    }
    let packet = format!("42{}", json!(["news", text])).into_bytes();
    all(&io).emit_raw("news", ("small",)).expect("JSON");
    for wire in &mut clients {
        let mut stream = Decompress::new(false);
        let first = wire.frame().await.expect("the event");
        let second = wire.frame().await.expect("the event, again");
        assert_eq!(stream_inflated(&mut stream, &first.payload), packet);
        assert_eq!(stream_inflated(&mut stream, &second.payload), packet);
        assert!(second.payload.len() < 24 && second.payload.len() < first.payload.len(), "it refers to the first");
        assert_eq!(wire.frame().await.expect("the event").first, 0x81, "the threshold holds here as well");
    }
    for wire in &mut without {
        for _ in 0..2 {
            assert_eq!(inflated(&wire.frame().await.expect("the event").payload), packet);
        }
    }
    // For each with a context each time, and each time once for those without.
    count.reaches(4 + 2).await;
}

#[tokio::test]
async fn small_and_unwilling_messages_are_sent_as_they_are() {
    let (io, server, count) = chat(PerMessageDeflate::new());
    let mut wire = Wire::joined(&server, OFFER).await;
    let socket = all(&io).sockets().remove(0);
    let room = |text: &str| format!("42{}", json!(["n", text])).len();
    let (below, exact) = ("x".repeat(1023 - room("")), "x".repeat(1024 - room("")));
    socket.emit_raw("n", (&below,)).expect("connected");
    socket.emit_raw("n", (&exact,)).expect("connected");
    socket.compress(false).emit_raw("n", (&exact,)).expect("connected");
    all(&io).compress(false).emit_raw("n", (&exact,)).expect("JSON");
    all(&io).emit_raw("n", (&exact,)).expect("JSON");
    let mut firsts = Vec::new();
    for _ in 0..5 {
        firsts.push(wire.frame().await.expect("an event").first);
    }
    assert_eq!(firsts, [0x81, 0xc1, 0x81, 0x81, 0xc1]);
    count.reaches(2).await;
}

#[tokio::test]
async fn without_the_setting_nothing_is_agreed_on() {
    let server = echo(engine::Config::default());
    let mut wire = Wire::engine(&server, OFFER).await;
    assert_eq!(wire.extension, None);
    wire.send(&frame(0xc1, true, &deflated(b"4x"))).await;
    assert_eq!(wire.frame().await, Some(Received { first: 0x88, payload: 1002_u16.to_be_bytes().to_vec() }));
    // Nor is the header looked at.
    assert!(Wire::request(&server, "/engine.io/?EIO=4&transport=websocket", Some("=;")).await.is_ok());
}

#[tokio::test]
async fn what_is_agreed_on_is_answered() {
    let server = echo(engine::Config::default().per_message_deflate(PerMessageDeflate::new()));
    const ALONE: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    assert_eq!(Wire::engine(&server, OFFER).await.extension.as_deref(), Some(ALONE));
    assert_eq!(Wire::engine(&server, None).await.extension, None);
    let refused = Wire::engine(&server, Some("permessage-deflate; server_max_window_bits=8")).await;
    assert_eq!(refused.extension, None, "the handshake goes on without it");
    let malformed = Wire::request(&server, "/engine.io/?EIO=4&transport=websocket", Some("permessage-deflate; =")).await;
    assert!(malformed.err().is_some_and(|head| head.starts_with("HTTP/1.1 400 ")));
}

#[tokio::test]
async fn compressed_messages_are_read_within_the_limit() {
    let config = engine::Config::default().max_payload(100_000).per_message_deflate(PerMessageDeflate::new());
    let server = echo(config);
    let mut wire = Wire::engine(&server, OFFER).await;
    let text = [b"4", &[b'x'; 50_000][..]].concat();
    let message = deflated(&text);
    let (one, two) = message.split_at(10);
    wire.send(&[frame(0x41, true, one), frame(0x89, true, b"?"), frame(0x80, true, two)].concat()).await;
    assert_eq!(wire.frame().await, Some(Received { first: 0x8a, payload: b"?".to_vec() }));
    let echo = wire.frame().await.expect("the echo");
    assert_eq!((echo.first, inflated(&echo.payload)), (0xc1, text));

    let bomb = deflated(&vec![b'x'; 50_000_000]);
    assert!(bomb.len() < 100_000, "{} bytes", bomb.len());
    wire.send(&frame(0xc1, true, &bomb)).await;
    assert_eq!(wire.frame().await, Some(Received { first: 0x88, payload: 1009_u16.to_be_bytes().to_vec() }));
    let mut wire = Wire::engine(&server, OFFER).await;
    wire.send(&frame(0xc1, true, b"\x06")).await;
    assert_eq!(wire.frame().await, Some(Received { first: 0x88, payload: 1007_u16.to_be_bytes().to_vec() }));
}

/// The memory for contexts is given out until there is none, and comes back.
#[tokio::test]
async fn contexts_are_bounded_together() {
    let both = PerMessageDeflate::new().server_context_takeover(true).client_context_takeover(true).context_memory(1_000_000);
    let server = echo(engine::Config::default().per_message_deflate(both));
    const ALONE: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    let first = Wire::engine(&server, OFFER).await;
    let second = Wire::engine(&server, OFFER).await;
    let third = Wire::engine(&server, OFFER).await;
    let extensions = [&first, &second, &third].map(|wire| wire.extension.as_deref());
    assert_eq!(extensions, [Some("permessage-deflate"), Some("permessage-deflate"), Some(ALONE)]);
    drop(first);
    // The server has to notice first.
    let mut patience = 0;
    while Wire::engine(&server, OFFER).await.extension.as_deref() != Some("permessage-deflate") {
        patience += 1;
        assert!(patience < 10_000, "the memory of a connection that has ended is free again");
    }
}

/// An upgrade agrees on it as well, and messages of old clients are compressed.
#[tokio::test]
async fn upgrades_and_old_clients() {
    let config = engine::Config::default().allow_eio3(true).per_message_deflate(PerMessageDeflate::new().threshold(0));
    let server = echo(config);
    let mut tcp = TcpStream::connect(server.addr).await.expect("the server listens");
    let request = "GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    tcp.write_all(request.as_bytes()).await.expect("an open connection");
    let mut answer = String::new();
    within("the handshake", tcp.read_to_string(&mut answer)).await.expect("an answer");
    let sid = answer.split("\"sid\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a session");
    let target = format!("/engine.io/?EIO=4&transport=websocket&sid={sid}");
    let mut wire = Wire::request(&server, &target, OFFER).await.expect("accepted");
    wire.send(&frame(0xc1, true, &deflated(b"2probe"))).await;
    let pong = wire.frame().await.expect("the answer to the probe");
    assert!(pong.payload == b"3probe" || inflated(&pong.payload) == b"3probe");
    let message = [b"4", &[b'y'; 200][..]].concat();
    wire.send(&[frame(0xc1, true, &deflated(b"5")), frame(0xc1, true, &deflated(&message))].concat()).await;
    let echo = wire.frame().await.expect("the echo");
    assert_eq!((echo.first, inflated(&echo.payload)), (0xc1, message.clone()));

    let mut old = Wire::request(&server, "/engine.io/?EIO=3&transport=websocket", OFFER).await.expect("accepted");
    // The handshake is large enough for this threshold.
    old.frame().await.expect("the handshake");
    let binary = [&[4][..], &[9; 300]].concat();
    old.send(&frame(0xc2, true, &deflated(&binary))).await;
    let echo = old.frame().await.expect("the echo");
    assert_eq!((echo.first, inflated(&echo.payload)), (0xc2, binary));
}
