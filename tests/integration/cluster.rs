//! Events between servers, as long as a server is alone.

use crate::{
    client::{Client, Transport},
    server::Server,
};
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize, Serializer, ser::Error as _};
use serde_json::json;
use socketio::{Ack, CallError, SocketIo, events, namespace};

/// Cannot be written.
#[derive(Debug, Deserialize)]
struct Silent;

impl Serialize for Silent {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("silence"))
    }
}

#[events(schema = false)]
trait Nodes {
    #[event]
    async fn moved(&self, room: &str);
    #[event]
    async fn count(&self, room: &str) -> u32;
    #[event]
    async fn take(&self, player: Silent) -> Result<u32, String>;
}

#[events]
trait RoomEvents {
    #[event]
    async fn moved(&self, room: &str);
}

#[namespace("/room/{id}", emits = RoomEvents, cluster = Nodes)]
trait Room {
    #[event]
    async fn sync(&self) -> Ack {
        Ack
    }
}

struct Visitor;

impl Room for Visitor {}

#[tokio::test]
async fn a_server_alone_gets_no_replies_and_its_clients_nothing() {
    let io = SocketIo::builder().shared::<dyn Room>(Visitor).build();
    let server = Server::start(&io);
    let mut client = Client::connect(server.addr, Transport::WebSocket).await;
    client.join("/room/1", None).await;
    let all = io.of::<dyn Room>();
    let one = all.at("/room/1").expect("its pattern");
    for rooms in [&all, &one, &one.sockets()[0].namespace()] {
        rooms.server_side_emit().moved("1");
        let counts: Vec<Result<u32, CallError>> = rooms.server_side_emit().count("1").await;
        assert_eq!(counts, []);
        assert_eq!(rooms.server_side_emit().count("1").next().await, None);
        let taken: Vec<Result<u32, CallError<String>>> = rooms.server_side_emit().take(Silent).await;
        assert_eq!(taken, [], "what cannot be written is not sent");
    }
    one.emit().moved("1");
    client.call("/room/1", json!(["sync"])).await;
    let unread = client.unread();
    assert_eq!(unread.iter().map(|packet| packet.name()).collect::<Vec<_>>(), ["moved"], "that of `emit`");
}
