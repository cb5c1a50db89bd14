//! HTTP/1.1 over one TCP connection, by hand: the tests decide when a request is sent and when its answer is read.

use crate::client::within;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

/// An answer with its complete body.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body in UTF-8")
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }
}

/// A connection that is kept open between requests.
#[derive(Debug)]
pub(crate) struct Http {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
}

impl Http {
    pub(crate) async fn open(addr: SocketAddr) -> Self {
        Http::over(within("a TCP connection", TcpStream::connect(addr)).await.expect("the server listens"))
    }

    /// With a small receive buffer, for clients that do not read.
    pub(crate) async fn open_small(addr: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a small buffer");
        Http::over(within("a TCP connection", socket.connect(addr)).await.expect("the server listens"))
    }

    fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("an open connection");
        Http { stream, buffer: Vec::new() }
    }

    /// Sends a request; its answer is read with [`response`](Self::response).
    pub(crate) async fn send(&mut self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) {
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() || method == "POST" {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body);
        // A server that has closed the connection is noticed when the answer is read.
        let _ = self.stream.write_all(&bytes).await;
    }

    /// The next answer; `None` if the server closed the connection. Cancel safe.
    pub(crate) async fn response(&mut self) -> Option<Response> {
        loop {
            if let Some((response, length)) = parse(&self.buffer) {
                self.buffer.drain(..length);
                return Some(response);
            }
            self.buffer.reserve(16 << 10);
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Sends a request and waits for its answer.
    pub(crate) async fn request(&mut self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        let exchange = async {
            self.send(method, target, headers, body).await;
            self.response().await
        };
        within("an HTTP answer", exchange).await.unwrap_or_else(|| panic!("{method} {target}: closed without an answer"))
    }

    pub(crate) async fn get(addr: SocketAddr, target: &str, headers: &[(&str, &str)]) -> Response {
        Http::open(addr).await.request("GET", target, headers, b"").await
    }
}

/// The first answer in the buffer, and its length.
fn parse(buffer: &[u8]) -> Option<(Response, usize)> {
    let head_length = buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&buffer[..head_length]).expect("a head in UTF-8");
    let mut lines = head.split("\r\n");
    let status: u16 = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status line");
    let headers: Vec<(String, String)> =
        lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
    let mut response = Response { status, headers, body: Vec::new() };
    assert!(response.header("transfer-encoding").is_none(), "the server knows the length of what it sends");
    let length: usize = match status {
        101 | 204 | 304 => 0,
        _ => response.header("content-length").map_or(0, |length| length.parse().expect("a length")),
    };
    response.body = buffer.get(head_length..head_length + length)?.to_vec();
    Some((response, head_length + length))
}
