//! Other parsers than the protocol's own: one of the user's, its mistakes, and the test kit under each of them.

use crate::{client::within, server::Server};
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::{json, value::RawValue};
use socketio::{
    Ack, Binary, ConnectError, Socket, SocketIo,
    adapter::Memory,
    events, namespace,
    parser::{DecodeError, Kind, Limits, MsgPack, Packet, PacketDecoder, Parser, Part, Parts},
    test::Client,
};
use tokio::net::TcpStream;
use tokio_tungstenite::{client_async, tungstenite::Message, tungstenite::client::IntoClientRequest};

/// The example of the trait's documentation, with attachments as messages of their own behind their number.
struct PlainJson;

impl Parser for PlainJson {
    fn encode(&self, packet: &Packet) -> Parts {
        let data = if packet.payload().is_empty() { "null" } else { packet.payload() };
        let (kind, nsp, pieces) = (packet.kind().number(), json!(packet.namespace()), packet.attachments().len());
        let id = packet.id().map_or_else(String::new, |id| format!(r#","id":{id}"#));
        Parts {
            first: Part::Text(format!(r#"{{"type":{kind},"nsp":{nsp},"data":{data},"pieces":{pieces}{id}}}"#).into()),
            rest: packet.attachments().iter().cloned().map(Part::Binary).collect(),
        }
    }

    fn decoder(&self, _: Limits) -> Box<dyn PacketDecoder> {
        Box::new(PlainDecoder { waiting: None })
    }
}

struct PlainDecoder {
    /// The text of a packet, and the pieces that have come.
    waiting: Option<(socketio::Text, Vec<bytes::Bytes>)>,
}

#[derive(Deserialize)]
struct Wire<'a> {
    r#type: u8,
    nsp: String,
    id: Option<u64>,
    #[serde(default)]
    pieces: usize,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

impl PacketDecoder for PlainDecoder {
    fn decode(&mut self, part: Part) -> Result<Option<Packet>, DecodeError> {
        let (text, pieces) = match (part, self.waiting.take()) {
            (Part::Text(text), None) => (text, Vec::new()),
            (Part::Binary(piece), Some((text, mut pieces))) => {
                pieces.push(piece);
                (text, pieces)
            }
            _ => return Err(DecodeError::Format),
        };
        assert!(&*text != "panic", "a parser may have mistakes");
        let wire: Wire<'_> = serde_json::from_str(&text).map_err(|_| DecodeError::Format)?;
        if wire.pieces > pieces.len() {
            self.waiting = Some((text, pieces));
            return Ok(None);
        }
        let kind = Kind::from_number(wire.r#type).ok_or(DecodeError::UnknownType)?;
        Packet::new(kind, &wire.nsp, wire.id, wire.data.map_or("", RawValue::get), pieces).map(Some)
    }
}

#[namespace("/files", emits = FileEvents)]
trait Files {
    #[event]
    async fn store(&self, name: &str, content: Binary, more: Option<Vec<Binary>>) -> Result<usize, String>;
    #[event]
    async fn shout(&self, text: &str) -> Ack;
}

#[events]
trait FileEvents {
    #[event]
    async fn stored(&self, name: &str, content: Binary);
    #[event]
    async fn shouted(&self, text: &str);
    #[event]
    async fn sure(&self, name: &str) -> bool;
}

struct Store(Socket<dyn Files>);

impl Files for Store {
    async fn store(&self, name: &str, content: Binary, more: Option<Vec<Binary>>) -> Result<usize, String> {
        if !self.0.emit().sure(name).await.map_err(|error| error.to_string())? {
            return Err("not sure".into());
        }
        let bytes = content.0.len() + more.unwrap_or_default().iter().map(|piece| piece.0.len()).sum::<usize>();
        self.0.namespace().emit().stored(name, content);
        Ok(bytes)
    }

    async fn shout(&self, text: &str) -> Ack {
        self.0.broadcast().emit().shouted(text);
        Ack
    }
}

async fn connect(socket: Socket<dyn Files>) -> Result<Store, ConnectError> {
    Ok(Store(socket))
}

struct Sure(bool);

impl FileEvents for Sure {
    async fn stored(&self, _: &str, _: Binary) {}
    async fn shouted(&self, _: &str) {}
    async fn sure(&self, _: &str) -> bool {
        self.0
    }
}

fn server(parser: impl Parser) -> SocketIo {
    SocketIo::builder().parser(parser).namespace::<dyn Files, _>(connect).build()
}

/// Typed events, acknowledgements both ways, binary data and a broadcast.
async fn typed(io: SocketIo) {
    let client = Client::<dyn Files>::connect(&io).handler(Sure(true)).await.expect("is accepted");
    let doubter = Client::<dyn Files>::connect(&io).handler(Sure(false)).await.expect("is accepted");
    let content = Binary::from(vec![0, 4, 255]);
    assert_eq!(client.emit().store("a", content.clone(), Some(vec![content.clone(), Binary::default()])).await, Ok(6));
    let stored = doubter.next_event().await;
    assert_eq!((stored.name(), stored.args()), ("stored", ("a".to_owned(), content.clone())));
    assert!(doubter.emit().store("b", content, None).await.is_err());
    assert_eq!(client.emit().shout("hé世😀").await, Ok(Ack));
    doubter.expect("sure", ("b",)).await;
    doubter.expect("shouted", ("hé世😀",)).await;
}

#[tokio::test]
async fn a_parser_of_the_user() {
    typed(server(PlainJson)).await;
}

#[tokio::test]
async fn typed_events_in_msgpack() {
    typed(server(MsgPack)).await;
}

#[tokio::test]
async fn a_parser_that_panics_closes_one_connection() {
    let server = Server::start(&server(PlainJson));
    let mut sockets = Vec::new();
    for _ in 0..2 {
        let stream = TcpStream::connect(server.addr).await.expect("the server listens");
        let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", server.addr);
        let (mut socket, _) = client_async(url.into_client_request().expect("a request"), stream).await.expect("a WebSocket");
        within("the open packet", socket.next()).await;
        socket.send(Message::text(r#"4{"type":0,"nsp":"/files","data":{}}"#)).await.expect("is sent");
        let answer = within("an answer", socket.next()).await.expect("lives").expect("a message");
        let answer = answer.to_text().expect("text");
        assert!(answer.starts_with(r#"4{"type":0,"nsp":"/files","data":{"sid":"#), "{answer}");
        sockets.push(socket);
    }
    sockets[0].send(Message::text("4panic")).await.expect("is sent");
    assert!(matches!(within("the close", sockets[0].next()).await, Some(Ok(Message::Close(_)))));
    sockets[1].send(Message::text(r#"4{"type":0,"nsp":"/nope"}"#)).await.expect("is sent");
    let refused = within("an answer", sockets[1].next()).await.expect("lives").expect("a message");
    assert_eq!(refused.to_text().expect("text"), r#"4{"type":4,"nsp":"/nope","data":{"message":"Invalid namespace"},"pieces":0}"#);
}

/// Cannot write everything.
struct Choosy;

impl Parser for Choosy {
    fn encode(&self, packet: &Packet) -> Parts {
        assert!(!packet.payload().contains("unspeakable"), "a parser may have mistakes");
        PlainJson.encode(packet)
    }

    fn decoder(&self, limits: Limits) -> Box<dyn PacketDecoder> {
        PlainJson.decoder(limits)
    }
}

#[tokio::test]
async fn a_parser_that_panics_does_not_keep_other_servers_from_being_heard() {
    let cluster = Memory::new();
    let one = SocketIo::builder().parser(PlainJson).adapter(cluster.clone()).namespace::<dyn Files, _>(connect).build();
    let other = SocketIo::builder().parser(Choosy).adapter(cluster).namespace::<dyn Files, _>(connect).build();
    let client = Client::<dyn Files>::connect(&other).handler(Sure(true)).await.expect("is accepted");
    let files = one.of::<dyn Files>();
    within("the other server", async { while files.server_count().await != Ok(2) {} }).await;
    files.emit().shouted("unspeakable");
    files.emit().shouted("fine");
    client.expect("shouted", ("fine",)).await;
    assert_eq!(other.cluster_health().map(|health| health.poison), Some(1));
}
