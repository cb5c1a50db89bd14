//! CVE-2026-48779: a message of very many tiny fragments, each of which costs the victim far more than its byte.

use crate::{client::within, leaks::memory_kib, process::Process, say};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const FRAGMENTS: usize = 400_000;
/// Room for the message, which doubles as it grows, and for noise; 20 bytes for each fragment would be noticed.
const GROWTH_KIB: u64 = 6 << 10;

/// A masked frame; the mask is zero.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("a short payload");
    [&[first, 0x80 | length, 0, 0, 0, 0], payload].concat()
}

async fn until(stream: &mut TcpStream, end: &str) {
    let mut read = Vec::new();
    let found = async {
        while !read.windows(end.len()).any(|window| window == end.as_bytes()) {
            assert!(stream.read_buf(&mut read).await.expect("open") > 0, "closed before {end}");
        }
    };
    within(end, found).await;
}

#[tokio::test]
async fn tiny_fragments_cost_no_more_than_their_bytes() {
    let process = Process::start();
    let mut stream = TcpStream::connect(process.addr).await.expect("the server listens");
    let request = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("open");
    until(&mut stream, "maxPayload").await;
    stream.write_all(&frame(0x81, b"40")).await.expect("open");
    until(&mut stream, "40{").await;
    let before = memory_kib(process.id(), "VmHWM");
    // `42["echo","xxxx...` with an acknowledgement, of which only the end is missing.
    let mut bytes = frame(0x01, br#"427["echo",""#);
    bytes.extend(std::iter::repeat_n(frame(0x00, b"x"), FRAGMENTS).flatten());
    within("room to send", stream.write_all(&bytes)).await.expect("open");
    // A ping may stand between fragments: its pong says that all of them have been read.
    stream.write_all(&frame(0x89, b"all read?")).await.expect("open");
    until(&mut stream, "all read?").await;
    let held = memory_kib(process.id(), "VmHWM");
    say(format_args!("{FRAGMENTS} fragments: {before:?} KiB before, {held:?} KiB with all of them"));
    if let (Some(before), Some(held)) = (before, held) {
        assert!(held <= before + GROWTH_KIB, "{before} KiB before, {held} KiB with {FRAGMENTS} fragments");
    }
    stream.write_all(&frame(0x80, br#""]"#)).await.expect("open");
    until(&mut stream, "437[").await;
}
