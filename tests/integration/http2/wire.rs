//! HTTP/2 without TLS: a server, and a client that decides on every frame of its streams and on its windows.

use crate::{
    client::within,
    frames::{frame, header},
};
use bytes::Bytes;
use h2::{
    Reason, RecvStream, SendStream,
    client::{Builder, SendRequest},
    ext::Protocol,
};
use http::{HeaderMap, Method, Request, StatusCode};
use hyper::server::conn::http2;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    service::TowerToHyperService,
};
use socketio::SocketIo;
use std::{future::poll_fn, net::SocketAddr};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// What a client may send on one stream without being read from.
pub(super) const STREAM_WINDOW: u32 = 64 << 10;
const STREAMS: u32 = 100;

/// A server that speaks nothing but HTTP/2, set up as `docs/operations.md` says; it stops when dropped.
pub(super) struct Server {
    pub(super) addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    pub(super) async fn start(io: &SocketIo) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let service = TowerToHyperService::new(io.service());
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((tcp, _)) = listener.accept().await {
                let mut builder = http2::Builder::new(TokioExecutor::new());
                builder.enable_connect_protocol().max_concurrent_streams(STREAMS);
                builder.initial_stream_window_size(STREAM_WINDOW).initial_connection_window_size(STREAMS * STREAM_WINDOW);
                connections.spawn(builder.serve_connection(TokioIo::new(tcp), service.clone()));
            }
        });
        Server { addr, task }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An answer with its complete body.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

/// One connection of a client; it is cut when dropped.
pub(super) struct Peer {
    requests: SendRequest<Bytes>,
    task: JoinHandle<()>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Peer {
    pub(super) async fn open(server: &Server) -> Self {
        let tcp = TcpStream::connect(server.addr).await.expect("the server listens");
        // Its settings allow extended CONNECT only if those of the server do.
        let (requests, connection) = within("the preface", Builder::new().handshake(tcp)).await.expect("HTTP/2");
        let task = tokio::spawn(async move {
            // A server that is gone is noticed by the streams.
            let _ = connection.await;
        });
        let peer = Peer { requests, task };
        // The settings come before any answer.
        assert_eq!(peer.ask(Method::GET, "/elsewhere", &[], "").await.status, StatusCode::NOT_FOUND);
        assert!(peer.requests.is_extended_connect_protocol_enabled(), "the server offers it");
        peer
    }

    /// A request whose answer is not waited for; the stream is reset with the first of what comes back.
    pub(super) async fn send(
        &self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        end: bool,
    ) -> (h2::client::ResponseFuture, SendStream<Bytes>) {
        self.send_for(None, method, target, headers, end).await
    }

    async fn send_for(
        &self,
        protocol: Option<&str>,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        end: bool,
    ) -> (h2::client::ResponseFuture, SendStream<Bytes>) {
        let mut request = Request::builder().method(method).uri(format!("http://localhost{target}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(()).expect("a legal request");
        if let Some(protocol) = protocol {
            request.extensions_mut().insert(Protocol::from(protocol));
        }
        let mut requests = within("a free stream", self.requests.clone().ready()).await.expect("the connection lives");
        requests.send_request(request, end).expect("the connection lives")
    }

    pub(super) async fn ask(&self, method: Method, target: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let (answer, mut stream) = self.send(method, target, headers, body.is_empty()).await;
        if !body.is_empty() {
            stream.send_data(Bytes::copy_from_slice(body.as_bytes()), true).expect("an open stream");
        }
        read(within("an answer", answer).await.expect("an answer")).await
    }

    /// An extended CONNECT, with the headers of a WebSocket.
    pub(super) async fn websocket(&self, target: &str) -> WebSocket {
        match self.connect("websocket", target, &[("sec-websocket-version", "13")]).await {
            Ok((websocket, _)) => websocket,
            Err(refused) => panic!("{refused:?}"),
        }
    }

    pub(super) async fn connect(
        &self,
        protocol: &str,
        target: &str,
        headers: &[(&str, &str)],
    ) -> Result<(WebSocket, HeaderMap), Answer> {
        let (answer, send) = self.send_for(Some(protocol), Method::CONNECT, target, headers, false).await;
        let answer = within("an answer", answer).await.expect("an answer");
        if answer.status() != StatusCode::OK {
            return Err(read(answer).await);
        }
        let (head, recv) = answer.into_parts();
        Ok((WebSocket { send, recv, unread: Vec::new() }, head.headers))
    }
}

async fn read(answer: http::Response<RecvStream>) -> Answer {
    let (head, mut stream) = answer.into_parts();
    let mut body = Vec::new();
    while let Some(data) = within("the body", stream.data()).await {
        let data = data.expect("a whole body");
        stream.flow_control().release_capacity(data.len()).expect("what came");
        body.extend_from_slice(&data);
    }
    Answer { status: head.status, headers: head.headers, body: String::from_utf8(body).expect("a body in UTF-8") }
}

/// How a stream ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With the flag END_STREAM, between frames of the WebSocket.
    Stream,
    Reset(Option<Reason>),
}

/// A WebSocket on a stream.
pub(super) struct WebSocket {
    pub(super) send: SendStream<Bytes>,
    recv: RecvStream,
    unread: Vec<u8>,
}

impl WebSocket {
    /// Sends bytes as the server takes them. `false`: it takes no more.
    pub(super) async fn write(&mut self, bytes: impl Into<Bytes>) -> bool {
        let mut bytes = bytes.into();
        while !bytes.is_empty() {
            self.send.reserve_capacity(bytes.len());
            let Some(Ok(capacity)) = poll_fn(|cx| self.send.poll_capacity(cx)).await else { return false };
            if self.send.send_data(bytes.split_to(capacity.min(bytes.len())), false).is_err() {
                return false;
            }
        }
        true
    }

    pub(super) async fn text(&mut self, text: &str) {
        assert!(within("room for a frame", self.write(frame(0x81, true, text.as_bytes()))).await, "an open stream");
    }

    /// The next frame, with its first byte.
    pub(super) async fn frame(&mut self) -> Result<(u8, Vec<u8>), End> {
        loop {
            if let Some((head, length)) = header(&self.unread).filter(|(head, length)| self.unread.len() >= head + length) {
                let frame: Vec<u8> = self.unread.drain(..head + length).collect();
                return Ok((frame[0], frame[head..].to_vec()));
            }
            match within("a frame", self.recv.data()).await {
                Some(Ok(data)) => {
                    self.recv.flow_control().release_capacity(data.len()).expect("what came");
                    self.unread.extend_from_slice(&data);
                }
                Some(Err(error)) => return Err(End::Reset(error.reason())),
                None => {
                    assert!(self.unread.is_empty(), "half a frame: {:?}", self.unread);
                    return Err(End::Stream);
                }
            }
        }
    }

    /// The next message, which is text.
    #[track_caller]
    pub(super) fn next(&mut self) -> impl Future<Output = String> {
        let caller = std::panic::Location::caller();
        async move {
            let (first, payload) = self.frame().await.unwrap_or_else(|end| panic!("{end:?} instead of a message ({caller})"));
            assert_eq!(first, 0x81, "{caller}");
            String::from_utf8(payload).expect("UTF-8")
        }
    }

    /// Opens a session that has joined `/`.
    pub(super) async fn joined(peer: &Peer) -> Self {
        let mut websocket = peer.websocket("/socket.io/?EIO=4&transport=websocket").await;
        assert!(websocket.next().await.starts_with("0{"));
        websocket.text("40").await;
        assert!(websocket.next().await.starts_with("40{"));
        websocket
    }

    /// Sends an event and waits for its answer.
    pub(super) async fn echo(&mut self, word: &str) {
        self.text(&format!("427[\"echo\",\"{word}\"]")).await;
        assert_eq!(self.next().await, format!("437[\"{word}\"]"));
    }
}
