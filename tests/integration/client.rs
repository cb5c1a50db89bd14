//! A raw test client: Engine.IO and Socket.IO as text, over polling, WebSocket or both.
//!
//! It does nothing by itself: it reads only while a test waits for something, so a test that does not read is a client that
//! does not read. Pings that it comes across are answered, unless it is told not to. Every wait is bounded.

use crate::http1::Http;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use std::{collections::VecDeque, net::SocketAddr, panic::Location, time::Duration};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest},
};

/// The longest wait for anything; far beyond what a loaded machine needs.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits, but not for ever.
#[track_caller]
pub(crate) fn within<F: Future>(what: &str, future: F) -> impl Future<Output = F::Output> {
    let caller = Location::caller();
    let what = what.to_owned();
    async move {
        match tokio::time::timeout(PATIENCE, future).await {
            Ok(output) => output,
            Err(_) => panic!("waited in vain for {what} ({caller})"),
        }
    }
}

/// How a client connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Polling,
    WebSocket,
    /// Polling first, then WebSocket.
    Upgraded,
}

/// What arrives on a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Frame {
    /// A text message, without the Engine.IO type.
    Text(String),
    Binary(Vec<u8>),
    /// The session is over.
    Closed,
}

/// A Socket.IO packet with its attachments.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Packet {
    /// The type on the wire; 5 and 6 read as 2 and 3.
    pub(crate) kind: u8,
    pub(crate) namespace: String,
    pub(crate) id: Option<u64>,
    pub(crate) data: Value,
    pub(crate) attachments: Vec<Vec<u8>>,
}

impl Packet {
    /// The packet without its attachments, and how many follow.
    fn parse(text: &str) -> Option<(Self, usize)> {
        let (kind, mut rest) = text.split_at_checked(1)?;
        let mut kind: u8 = kind.parse().ok()?;
        let mut attachments = 0;
        if kind == 5 || kind == 6 {
            let (count, tail) = rest.split_once('-')?;
            attachments = count.parse().ok()?;
            (kind, rest) = (kind - 3, tail);
        }
        let mut namespace = "/".to_owned();
        if rest.starts_with('/') {
            let (path, tail) = rest.split_once(',').unwrap_or((rest, ""));
            (namespace, rest) = (path.to_owned(), tail);
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let id = if digits > 0 { Some(rest[..digits].parse().ok()?) } else { None };
        let json = &rest[digits..];
        let data = if json.is_empty() { Value::Null } else { serde_json::from_str(json).ok()? };
        Some((Packet { kind, namespace, id, data, attachments: Vec::new() }, attachments))
    }

    /// The name of an event.
    pub(crate) fn name(&self) -> &str {
        assert_eq!(self.kind, 2, "an event is expected: {self:?}");
        self.data[0].as_str().unwrap_or_default()
    }

    /// The arguments of an event.
    pub(crate) fn args(&self) -> Vec<Value> {
        assert_eq!(self.kind, 2, "an event is expected: {self:?}");
        self.data.as_array().expect("an array")[1..].to_vec()
    }
}

#[derive(Debug)]
enum Link {
    /// One connection for GETs, one for POSTs; `waiting`: a GET hangs.
    Polling {
        get: Http,
        post: Http,
        waiting: bool,
    },
    WebSocket(Box<WebSocketStream<TcpStream>>),
    /// The test has cut it.
    Cut,
}

/// Everything about a connection that a test may want otherwise.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) path: String,
    /// Added to the query of the handshake, such as `&token=1`.
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) small_buffer: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { path: "/socket.io/".into(), query: String::new(), headers: Vec::new(), small_buffer: false }
    }
}

/// One connected client.
#[derive(Debug)]
pub(crate) struct Client {
    addr: SocketAddr,
    options: Options,
    /// The Engine.IO session id.
    pub(crate) sid: String,
    /// The handshake of the session.
    pub(crate) handshake: Value,
    link: Link,
    frames: VecDeque<Frame>,
    /// Packets that came while another was waited for.
    stash: VecDeque<Packet>,
    closed: bool,
    next_id: u64,
    pongs_owed: usize,
    pub(crate) answers_pings: bool,
}

impl Client {
    /// Opens a session; joins no namespace.
    pub(crate) async fn connect(addr: SocketAddr, transport: Transport) -> Self {
        Client::connect_with(addr, transport, Options::default()).await
    }

    pub(crate) async fn connect_with(addr: SocketAddr, transport: Transport, options: Options) -> Self {
        match transport {
            Transport::Polling => Client::connect_polling(addr, options).await,
            Transport::WebSocket => Client::connect_websocket(addr, options).await,
            Transport::Upgraded => {
                let mut client = Client::connect_polling(addr, options).await;
                client.upgrade().await;
                client
            }
        }
    }

    async fn connect_polling(addr: SocketAddr, options: Options) -> Self {
        let mut get = Http::open(addr).await;
        let target = format!("{}?EIO=4&transport=polling{}", options.path, options.query);
        let headers: Vec<(&str, &str)> = options.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let response = get.request("GET", &target, &headers, b"").await;
        assert_eq!(response.status, 200, "the handshake is refused: {}", response.text());
        let link = Link::Polling { get, post: Http::open(addr).await, waiting: false };
        Client::opened(addr, options, link, response.text())
    }

    async fn connect_websocket(addr: SocketAddr, options: Options) -> Self {
        let mut websocket = open_websocket(addr, &options, "").await;
        let open = within("the handshake", websocket.next()).await;
        let Some(Ok(Message::Text(open))) = open else { panic!("no handshake: {open:?}") };
        Client::opened(addr, options, Link::WebSocket(Box::new(websocket)), &open)
    }

    fn opened(addr: SocketAddr, options: Options, link: Link, open: &str) -> Self {
        let handshake: Value = serde_json::from_str(open.strip_prefix('0').expect("an open packet")).expect("JSON");
        Client {
            addr,
            options,
            sid: handshake["sid"].as_str().expect("a sid").to_owned(),
            handshake,
            link,
            frames: VecDeque::new(),
            stash: VecDeque::new(),
            closed: false,
            next_id: 0,
            pongs_owed: 0,
            answers_pings: true,
        }
    }

    /// Opens a session and joins `/`.
    pub(crate) async fn joined(addr: SocketAddr, transport: Transport) -> Self {
        let mut client = Client::connect(addr, transport).await;
        client.join("/", None).await;
        client
    }

    /// Opens the probing WebSocket of an upgrade and no more.
    pub(crate) async fn probe(&self) -> WebSocketStream<TcpStream> {
        open_websocket(self.addr, &self.options, &format!("&sid={}", self.sid)).await
    }

    /// Upgrades a polling session; what arrives meanwhile is kept.
    pub(crate) async fn upgrade(&mut self) {
        let mut websocket = self.probe().await;
        websocket.send(Message::text("2probe")).await.expect("an open WebSocket");
        let answer = within("the answer to the probe", websocket.next()).await;
        assert!(matches!(&answer, Some(Ok(Message::Text(text))) if text.as_str() == "3probe"), "{answer:?}");
        // A client ends polling before it upgrades: the server answers a hanging GET soon.
        while matches!(self.link, Link::Polling { waiting: true, .. }) {
            within("the end of the hanging GET", self.receive()).await;
        }
        websocket.send(Message::text("5")).await.expect("an open WebSocket");
        self.link = Link::WebSocket(Box::new(websocket));
    }

    fn target(&self) -> String {
        format!("{}?EIO=4&transport=polling&sid={}", self.options.path, self.sid)
    }

    /// Sends one Engine.IO packet.
    pub(crate) async fn send_engine(&mut self, packet: &str) {
        let target = self.target();
        match &mut self.link {
            Link::Polling { post, .. } => {
                let response = post.request("POST", &target, &[], packet.as_bytes()).await;
                assert_eq!(response.text(), "ok", "a POST is refused");
            }
            Link::WebSocket(websocket) => {
                within("room to send", websocket.send(Message::text(packet))).await.expect("an open WebSocket");
            }
            Link::Cut => panic!("the connection is cut"),
        }
    }

    /// Sends one text message.
    pub(crate) async fn send(&mut self, text: &str) {
        self.send_engine(&format!("4{text}")).await;
    }

    pub(crate) async fn send_binary(&mut self, bytes: &[u8]) {
        match &mut self.link {
            Link::Polling { .. } => self.send_engine(&format!("b{}", STANDARD.encode(bytes))).await,
            Link::WebSocket(websocket) => {
                within("room to send", websocket.send(Message::binary(bytes.to_vec()))).await.expect("an open WebSocket");
            }
            Link::Cut => panic!("the connection is cut"),
        }
    }

    /// Sends many text messages at once: as few POSTs as fit, or frames without a flush in between. Waits as long as the
    /// server does not read.
    pub(crate) async fn send_all(&mut self, texts: impl IntoIterator<Item = String>) {
        let target = self.target();
        let mut texts = texts.into_iter().peekable();
        match &mut self.link {
            Link::Polling { post, .. } => {
                while texts.peek().is_some() {
                    let mut body = String::new();
                    while body.len() < 100_000 {
                        let Some(text) = texts.next() else { break };
                        if !body.is_empty() {
                            body.push('\x1e');
                        }
                        body.push('4');
                        body.push_str(&text);
                    }
                    post.send("POST", &target, &[], body.as_bytes()).await;
                    let response = post.response().await.expect("an answer to the POST");
                    assert_eq!(response.text(), "ok", "a POST is refused");
                }
            }
            Link::WebSocket(websocket) => {
                for text in texts {
                    websocket.feed(Message::text(format!("4{text}"))).await.expect("an open WebSocket");
                }
                websocket.flush().await.expect("an open WebSocket");
            }
            Link::Cut => panic!("the connection is cut"),
        }
    }

    /// One round of reading. Cancel safe.
    async fn receive(&mut self) {
        let target = self.target();
        match &mut self.link {
            Link::Polling { get, waiting, .. } => {
                if !*waiting {
                    *waiting = true;
                    get.send("GET", &target, &[], b"").await;
                }
                match get.response().await {
                    Some(response) if response.status == 200 => {
                        *waiting = false;
                        response.text().split('\x1e').for_each(|packet| self.engine(packet));
                    }
                    _ => self.closed = true,
                }
            }
            Link::WebSocket(websocket) => match websocket.next().await {
                Some(Ok(Message::Text(text))) => self.engine(&text),
                Some(Ok(Message::Binary(bytes))) => self.frames.push_back(Frame::Binary(bytes.to_vec())),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_))) => {
                    self.closed = true;
                    // Sends the answer to the close frame.
                    let _ = websocket.flush().await;
                }
                Some(Err(_)) | None => self.closed = true,
            },
            Link::Cut => self.closed = true,
        }
    }

    fn engine(&mut self, packet: &str) {
        let (kind, rest) = packet.split_at_checked(1).unwrap_or_else(|| panic!("an empty Engine.IO packet"));
        match kind {
            "1" => self.closed = true,
            "2" => self.pongs_owed += 1,
            "4" => self.frames.push_back(Frame::Text(rest.to_owned())),
            "b" => self.frames.push_back(Frame::Binary(STANDARD.decode(rest).expect("base64"))),
            "6" => {}
            _ => panic!("an unexpected Engine.IO packet: {packet}"),
        }
    }

    /// The next message.
    #[track_caller]
    pub(crate) fn recv(&mut self) -> impl Future<Output = Frame> {
        within("a message", async {
            loop {
                if self.answers_pings && self.pongs_owed > 0 && !self.closed {
                    self.pongs_owed -= 1;
                    self.send_engine("3").await;
                }
                if let Some(frame) = self.frames.pop_front() {
                    return frame;
                }
                if self.closed {
                    return Frame::Closed;
                }
                self.receive().await;
            }
        })
    }

    /// The next packet, or `None` at the end of the session. Not from the stash.
    #[track_caller]
    fn read_packet(&mut self) -> impl Future<Output = Option<Packet>> {
        let caller = Location::caller();
        async move {
            let text = match self.recv().await {
                Frame::Text(text) => text,
                Frame::Closed => return None,
                Frame::Binary(_) => panic!("an attachment without a packet ({caller})"),
            };
            let (mut packet, attachments) = Packet::parse(&text).unwrap_or_else(|| panic!("no Socket.IO packet: {text}"));
            for _ in 0..attachments {
                match self.recv().await {
                    Frame::Binary(bytes) => packet.attachments.push(bytes),
                    other => panic!("an attachment is expected: {other:?} ({caller})"),
                }
            }
            Some(packet)
        }
    }

    /// The next packet.
    #[track_caller]
    pub(crate) fn packet(&mut self) -> impl Future<Output = Packet> {
        let caller = Location::caller();
        async move {
            match self.stash.pop_front() {
                Some(packet) => packet,
                None => self.read_packet().await.unwrap_or_else(|| panic!("closed instead of a packet ({caller})")),
            }
        }
    }

    /// The next packet that fits; others are kept.
    #[track_caller]
    pub(crate) fn packet_where(&mut self, fits: impl Fn(&Packet) -> bool) -> impl Future<Output = Packet> {
        let caller = Location::caller();
        async move {
            if let Some(at) = self.stash.iter().position(&fits) {
                return self.stash.remove(at).expect("it was found");
            }
            loop {
                let packet = self.read_packet().await;
                let packet = packet.unwrap_or_else(|| panic!("closed instead of a packet ({caller})"));
                if fits(&packet) {
                    return packet;
                }
                self.stash.push_back(packet);
            }
        }
    }

    /// Joins a namespace; the answer is its CONNECT or CONNECT_ERROR payload.
    pub(crate) async fn try_join(&mut self, namespace: &str, auth: Option<Value>) -> Result<String, Value> {
        let auth = auth.map_or(String::new(), |auth| auth.to_string());
        self.send(&format!("0{}{auth}", prefix(namespace))).await;
        let answer = self.packet_where(|packet| packet.namespace == namespace && matches!(packet.kind, 0 | 4)).await;
        match answer.kind {
            0 => Ok(answer.data["sid"].as_str().expect("a sid").to_owned()),
            _ => Err(answer.data),
        }
    }

    /// Joins a namespace; returns the socket's id.
    pub(crate) async fn join(&mut self, namespace: &str, auth: Option<Value>) -> String {
        self.try_join(namespace, auth).await.unwrap_or_else(|error| panic!("{namespace} refuses: {error}"))
    }

    /// Emits an event: `["name", ..]`.
    pub(crate) async fn emit(&mut self, namespace: &str, event: Value) {
        self.send(&format!("2{}{event}", prefix(namespace))).await;
    }

    /// Emits an event and asks for an acknowledgement, which is not waited for. Returns its id.
    pub(crate) async fn ask(&mut self, namespace: &str, event: Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.send(&format!("2{}{id}{event}", prefix(namespace))).await;
        id
    }

    /// The acknowledgement with this id.
    pub(crate) async fn answer(&mut self, namespace: &str, id: u64) -> Value {
        let fits = |packet: &Packet| packet.kind == 3 && packet.namespace == namespace && packet.id == Some(id);
        self.packet_where(fits).await.data
    }

    /// Emits an event and waits for the arguments of its acknowledgement.
    pub(crate) async fn call(&mut self, namespace: &str, event: Value) -> Value {
        let id = self.ask(namespace, event).await;
        self.answer(namespace, id).await
    }

    /// Acknowledges an event that the server sent.
    pub(crate) async fn acknowledge(&mut self, packet: &Packet, args: Value) {
        let id = packet.id.unwrap_or_else(|| panic!("no acknowledgement was asked for: {packet:?}"));
        self.send(&format!("3{}{id}{args}", prefix(&packet.namespace))).await;
    }

    /// The next event.
    pub(crate) async fn event(&mut self) -> Packet {
        self.packet_where(|packet| packet.kind == 2).await
    }

    /// The next event must be this one; without an id.
    #[track_caller]
    pub(crate) fn expect(&mut self, namespace: &str, event: Value) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            let packet = self.packet().await;
            let got = (packet.namespace.as_str(), packet.kind, &packet.data);
            assert_eq!(got, (namespace, 2, &event), "{caller}");
        }
    }

    /// Leaves a namespace.
    pub(crate) async fn leave(&mut self, namespace: &str) {
        self.send(&format!("1{}", prefix(namespace))).await;
    }

    /// Reads to the end of the session, and returns the packets that came before it.
    pub(crate) async fn rest(&mut self) -> Vec<Packet> {
        let mut packets: Vec<Packet> = self.stash.drain(..).collect();
        while let Some(packet) = self.read_packet().await {
            packets.push(packet);
        }
        packets
    }

    /// The packets that have arrived and were not asked for. Meaningful behind a [`call`](Self::call).
    pub(crate) fn unread(&mut self) -> Vec<Packet> {
        self.stash.drain(..).collect()
    }

    /// Ends the session as a client does that leaves politely.
    pub(crate) async fn close(&mut self) {
        match &mut self.link {
            Link::Polling { .. } => self.send_engine("1").await,
            // The server may have gone first.
            Link::WebSocket(websocket) => drop(websocket.as_mut().close(None).await),
            Link::Cut => {}
        }
    }

    /// Cuts the TCP connections with a reset, as a machine that loses its power.
    pub(crate) fn kill(&mut self) {
        let reset = |stream: &TcpStream| stream.set_zero_linger().expect("an open connection");
        match &self.link {
            Link::Polling { get, post, .. } => {
                reset(&get.stream);
                reset(&post.stream);
            }
            Link::WebSocket(websocket) => reset(websocket.get_ref()),
            Link::Cut => {}
        }
        self.link = Link::Cut;
    }

    /// Leaves a GET hanging at the server; nothing over WebSocket.
    pub(crate) async fn start_reading(&mut self) {
        let target = self.target();
        if let Link::Polling { get, waiting: waiting @ false, .. } = &mut self.link {
            *waiting = true;
            get.send("GET", &target, &[], b"").await;
            // Once a later request is answered, the server has seen this one too.
            self.send_engine("6").await;
        }
    }
}

async fn open_websocket(addr: SocketAddr, options: &Options, sid: &str) -> WebSocketStream<TcpStream> {
    let http = if options.small_buffer { Http::open_small(addr).await } else { Http::open(addr).await };
    let url = format!("ws://localhost{}?EIO=4&transport=websocket{}{sid}", options.path, options.query);
    let mut request = url.into_client_request().expect("a legal request");
    for (name, value) in &options.headers {
        let name: http::HeaderName = name.parse().expect("a header name");
        request.headers_mut().append(name, value.parse().expect("a header value"));
    }
    within("the WebSocket", client_async(request, http.stream)).await.expect("the upgrade is accepted").0
}

/// How a namespace stands in a packet.
pub(crate) fn prefix(namespace: &str) -> String {
    if namespace == "/" { String::new() } else { format!("{namespace},") }
}
