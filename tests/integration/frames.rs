//! WebSocket frames over a real connection: the shared vectors against an Engine.IO server that echoes, and what the way of
//! writing must not change.

use crate::{client::within, server::Server};
use axum::Router;
use socketio::engine;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

#[allow(dead_code, unreachable_pub, reason = "shared with the unit tests of the frame reader")]
#[path = "../../socketio/src/websocket/tests/script.rs"]
mod script;
pub(crate) use script::frame;
use script::{Answer, Case};

/// Echoes every message.
fn echo() -> Server {
    let server = engine::Server::new(engine::Config::default(), |connection| {
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

/// A WebSocket without a library.
struct Wire {
    tcp: TcpStream,
    unread: Vec<u8>,
}

impl Wire {
    async fn open(server: &Server, query: &str) -> Self {
        let mut tcp = TcpStream::connect(server.addr).await.expect("the server listens");
        tcp.set_nodelay(true).expect("an open connection");
        let request = format!(
            "GET /engine.io/?EIO=4&transport=websocket{query} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: \
             websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        tcp.write_all(request.as_bytes()).await.expect("an open connection");
        let mut wire = Wire { tcp, unread: Vec::new() };
        let head = wire.find(b"\r\n\r\n").await + 4;
        let head = String::from_utf8(wire.unread.drain(..head).collect()).expect("a head is ASCII");
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert!(head.to_ascii_lowercase().contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
        wire
    }

    /// One whose session is open.
    async fn session(server: &Server) -> Self {
        let mut wire = Wire::open(server, "").await;
        let (opcode, open) = wire.frame().await.expect("the handshake");
        assert!(opcode == 1 && open.starts_with(b"0{"), "{opcode} {open:?}");
        wire
    }

    /// `false`: the connection has ended.
    async fn read(&mut self) -> bool {
        // A reset after the last frame is an end as well.
        within("bytes", self.tcp.read_buf(&mut self.unread)).await.unwrap_or(0) > 0
    }

    async fn find(&mut self, mark: &[u8]) -> usize {
        loop {
            if let Some(at) = self.unread.windows(mark.len()).position(|window| window == mark) {
                return at;
            }
            assert!(self.read().await, "the connection ended");
        }
    }

    /// The next frame, with its opcode. `None`: the connection has ended, between frames.
    async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let Some((head, length)) = header(&self.unread)
                && self.unread.len() >= head + length
            {
                let frame: Vec<u8> = self.unread.drain(..head + length).collect();
                assert_eq!(frame[0] & 0xf0, 0x80, "a server's frame is whole");
                return Some((frame[0] & 0x0f, frame[head..].to_vec()));
            }
            if !self.read().await {
                assert!(self.unread.is_empty(), "half a frame: {:?}", self.unread);
                return None;
            }
        }
    }

    async fn answer(&mut self) -> Option<Answer> {
        let (opcode, payload) = self.frame().await?;
        Some(match opcode {
            1 => Answer::Text(payload),
            2 => Answer::Binary(payload),
            8 => Answer::Close(payload),
            10 => Answer::Pong(payload),
            opcode => panic!("opcode {opcode}"),
        })
    }
}

/// The length of a server's header, and that of its payload.
pub(crate) fn header(bytes: &[u8]) -> Option<(usize, usize)> {
    match bytes.get(1)? {
        126 => Some((4, u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?).into())),
        127 => Some((10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?)),
        short => Some((2, (*short).into())),
    }
}

/// Plays a case. `whole`: in one write. What comes right before the end may have been read together with it, and is then handled
/// but not answered.
async fn play(server: &Server, case: &Case, whole: bool) {
    let mut wire = Wire::session(server).await;
    let name = &case.name;
    let (mut reader, mut writer) = wire.tcp.into_split();
    let sent = case.sent.clone();
    let sending = tokio::spawn(async move {
        // A server that has refused what came first reads no further.
        if whole {
            let _ = writer.write_all(&sent).await;
        } else {
            for byte in sent {
                if writer.write_all(&[byte]).await.is_err() {
                    break;
                }
            }
        }
        writer
    });
    // Reads on while it writes: neither waits for the other.
    let mut bytes = std::mem::take(&mut wire.unread);
    let ends = matches!(case.answers.last(), Some(Answer::Close(_) | Answer::Failed(_)));
    let mut answers = Vec::new();
    loop {
        while let Some((head, length)) = header(&bytes).filter(|(head, length)| bytes.len() >= head + length) {
            let frame: Vec<u8> = bytes.drain(..head + length).collect();
            let payload = frame[head..].to_vec();
            answers.push(match frame[0] {
                0x81 => Answer::Text(payload),
                0x82 => Answer::Binary(payload),
                0x88 => Answer::Close(payload),
                0x8a => Answer::Pong(payload),
                first => panic!("{name}: a frame that begins with {first:#x}"),
            });
        }
        if !ends && answers.len() >= case.answers.len() {
            break;
        }
        if within(name, reader.read_buf(&mut bytes)).await.unwrap_or(0) == 0 {
            break;
        }
    }
    drop(within(name, sending).await.expect("no panic"));
    let mut expected = case.answers.clone();
    for answer in &mut expected {
        if let Answer::Failed(code) = answer {
            *answer = Answer::Close(code.to_be_bytes().to_vec());
        }
    }
    if ends {
        let message = |answer: &Answer| matches!(answer, Answer::Text(_) | Answer::Binary(_));
        expected.retain(|answer| !message(answer));
        answers.retain(|answer| !message(answer));
    }
    assert_eq!(answers, expected, "{name}");
}

fn cases() -> Vec<Case> {
    script::cases(include_str!("../vectors/websocket.txt"))
}

#[tokio::test]
async fn the_shared_vectors_in_one_write() {
    let server = echo();
    for case in cases() {
        play(&server, &case, true).await;
    }
}

/// As a slow network would deliver them.
#[tokio::test]
async fn the_shared_vectors_byte_by_byte() {
    let server = echo();
    for case in cases().iter().filter(|case| case.sent.len() < 3000) {
        play(&server, case, false).await;
    }
}

/// Small and large frames, texts and binary messages in one read: the answers are written together, and come in order.
#[tokio::test]
async fn answers_of_all_sizes_keep_their_order() {
    let server = echo();
    let mut wire = Wire::session(&server).await;
    let mut sent = Vec::new();
    let mut expected = Vec::new();
    for (number, size) in [0, 1, 5000, 3, 100_000, 4095, 4096, 0, 125, 126, 40_000, 65_535, 65_536, 2].into_iter().enumerate() {
        let text = format!("4{number}{}", "t".repeat(size)).into_bytes();
        let binary = vec![number as u8; size];
        sent.extend([frame(0x81, true, &text), frame(0x82, true, &binary), frame(0x89, true, &[number as u8])]);
        expected.extend([Answer::Text(text), Answer::Binary(binary)]);
    }
    let sent = sent.concat();
    let (mut answers, mut pongs) = (Vec::new(), 0_u8);
    wire.tcp.write_all(&sent).await.expect("an open connection");
    while answers.len() < expected.len() || pongs < 14 {
        match wire.answer().await.expect("the server goes on") {
            Answer::Pong(payload) => {
                assert_eq!(payload, [pongs], "pongs are in order");
                pongs += 1;
            }
            answer => answers.push(answer),
        }
    }
    assert!(answers == expected, "messages are in order and whole");
}

/// What follows the end of the upgrade in the same read belongs to the session.
#[tokio::test]
async fn messages_right_behind_the_upgrade() {
    let server = echo();
    let mut tcp = TcpStream::connect(server.addr).await.expect("the server listens");
    let request = "GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    tcp.write_all(request.as_bytes()).await.expect("an open connection");
    let mut answer = String::new();
    within("the handshake", tcp.read_to_string(&mut answer)).await.expect("an answer");
    let sid = answer.split("\"sid\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a session id");

    let mut wire = Wire::open(&server, &format!("&sid={sid}")).await;
    wire.tcp.write_all(&frame(0x81, true, b"2probe")).await.expect("an open connection");
    assert_eq!(wire.answer().await, Some(Answer::Text(b"3probe".to_vec())));
    let behind = [frame(0x81, true, b"5"), frame(0x81, true, b"4one"), frame(0x82, true, b"two"), frame(0x88, true, b"")].concat();
    wire.tcp.write_all(&behind[..behind.len() - 6]).await.expect("an open connection");
    assert_eq!(wire.answer().await, Some(Answer::Text(b"4one".to_vec())));
    assert_eq!(wire.answer().await, Some(Answer::Binary(b"two".to_vec())));
    wire.tcp.write_all(&behind[behind.len() - 6..]).await.expect("an open connection");
    assert_eq!(wire.answer().await, Some(Answer::Close(Vec::new())));
    assert_eq!(wire.answer().await, None);
}

/// A client that does not read its pongs gets the last one in any case, and costs no more than a few of them.
#[tokio::test]
async fn pings_of_a_client_that_does_not_read() {
    let server = echo();
    let mut wire = Wire::session(&server).await;
    let flood = frame(0x89, true, &[7; 125]).repeat(1000);
    // More than the buffers of a loopback connection hold, written while nothing is read.
    for _ in 0..300 {
        wire.tcp.write_all(&flood).await.expect("the server reads on");
    }
    wire.tcp.write_all(&frame(0x89, true, b"last")).await.expect("the server reads on");
    let mut pongs = 0_usize;
    loop {
        match wire.answer().await.expect("the server goes on") {
            Answer::Pong(payload) if payload == b"last" => break,
            Answer::Pong(_) => pongs += 1,
            answer => panic!("{answer:?}"),
        }
    }
    assert!(pongs < 300_000, "pongs that nobody reads are not kept");
}

/// After a bad frame the client is told why and sees the end, though it goes on sending.
#[tokio::test]
async fn a_refused_client_reads_the_reason() {
    let server = echo();
    let mut wire = Wire::session(&server).await;
    wire.tcp.write_all(&[&[0x83][..], &[0; 500_000]].concat()).await.expect("the server takes it");
    assert_eq!(wire.answer().await, Some(Answer::Close(vec![0x03, 0xea])));
    assert_eq!(wire.answer().await, None);
}
