//! Clients of Socket.IO 1 and 2, in what the suites of the stock clients cannot see.

use crate::{client::within, server::Server};
use futures_util::{SinkExt, StreamExt};
use socketio::{
    ConnectError, Incoming, Outcome, Service, Socket, SocketIo, Untyped,
    metrics::{Measured, Metrics},
};
use std::sync::{Arc, Mutex};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest},
};

struct Old(WebSocketStream<TcpStream>);

impl Old {
    /// A WebSocket of revision 3, and its session id.
    async fn open(server: &Server) -> (Self, String) {
        let stream = TcpStream::connect(server.addr).await.expect("the server listens");
        let url = format!("ws://{}/socket.io/?EIO=3&transport=websocket", server.addr);
        let request = url.into_client_request().expect("a request");
        let (socket, _) = client_async(request, stream).await.expect("the upgrade is accepted");
        let mut client = Old(socket);
        let open = client.next().await;
        let open: serde_json::Value = serde_json::from_str(open.strip_prefix('0').expect("the open packet")).expect("JSON");
        (client, open["sid"].as_str().expect("an id").to_owned())
    }

    async fn next(&mut self) -> String {
        let message = within("a message", self.0.next()).await.expect("the connection lives").expect("a message");
        message.into_text().expect("text").to_string()
    }

    async fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.expect("the connection lives");
    }
}

struct Echo(Socket<Untyped>);

impl Service for Echo {
    async fn event(self: Arc<Self>, event: Incoming) -> Outcome {
        match event.name() {
            "id" => Outcome::Done(socketio::Body::ack(&(self.0.id(),)).ok()),
            _ => Outcome::Unhandled(event),
        }
    }
}

async fn connect(socket: Socket<Untyped>) -> Result<Echo, ConnectError> {
    Ok(Echo(socket))
}

#[tokio::test]
async fn an_old_client_is_not_told_that_there_is_no_root() {
    let io = SocketIo::builder().allow_eio3(true).namespace_at::<Untyped, _>("/chat", connect).build();
    let server = Server::start(&io);
    let (mut client, _) = Old::open(&server).await;
    client.send("40/chat,").await;
    // The first that is said.
    assert_eq!(client.next().await, "40/chat,");
    client.send("40/,").await;
    assert_eq!(client.next().await, r#"44{"message":"Invalid namespace"}"#);
}

#[tokio::test]
async fn the_socket_of_an_old_client_has_the_id_of_its_session() {
    let io = SocketIo::builder()
        .allow_eio3(true)
        .namespace_at::<Untyped, _>("/", connect)
        .namespace_at::<Untyped, _>("/chat", connect)
        .build();
    let server = Server::start(&io);
    let (mut client, sid) = Old::open(&server).await;
    assert_eq!(client.next().await, "40");
    client.send(r#"427["id"]"#).await;
    assert_eq!(client.next().await, format!(r#"437["{sid}"]"#));
    // Elsewhere the id is no secret, and what the client takes for it is a room.
    client.send("40/chat,").await;
    assert_eq!(client.next().await, "40/chat,");
    client.send(r#"42/chat,8["id"]"#).await;
    let answer = client.next().await;
    assert!(answer.starts_with(r#"43/chat,8[""#) && !answer.contains(&sid), "{answer}");
    let chat = io.at::<Untyped>("/chat").expect("is registered");
    assert!(chat.to(format!("/chat#{sid}")).emit_raw("hello", (1,)).is_ok());
    assert_eq!(client.next().await, r#"42/chat,["hello",1]"#);
}

#[tokio::test]
async fn an_auth_query_has_the_limit_of_an_auth_payload() {
    let io = SocketIo::builder().allow_eio3(true).namespace_at::<Untyped, _>("/chat", connect).build();
    let server = Server::start(&io);
    let (mut client, _) = Old::open(&server).await;
    client.send(&format!("40/chat?a={},", "x".repeat(70_000))).await;
    assert_eq!(client.next().await, r#"44/chat,"auth payload too large""#);
}

/// The namespaces of those that were refused.
#[derive(Clone, Default)]
struct Refused(Arc<Mutex<Vec<String>>>);

impl Metrics for Refused {
    fn record(&self, measured: Measured<'_>) {
        if let Measured::SocketRefused { namespace } = measured {
            self.0.lock().expect("no panic").push(namespace.to_owned());
        }
    }
}

#[tokio::test]
async fn the_refusals_of_old_clients_are_measured() {
    let refused = Refused::default();
    let closed = async |_: Socket<Untyped>| Err::<Echo, _>(ConnectError::new("closed"));
    let io = SocketIo::builder().allow_eio3(true).metrics(refused.clone()).namespace_at::<Untyped, _>("/chat", closed).build();
    let server = Server::start(&io);
    let (mut client, _) = Old::open(&server).await;
    client.send("40/chat,").await;
    assert_eq!(client.next().await, r#"44/chat,"closed""#);
    client.send("40/none,").await;
    assert_eq!(client.next().await, r#"44/none,{"message":"Invalid namespace"}"#);
    // That it was not brought into `/` is no refusal.
    assert_eq!(*refused.0.lock().expect("no panic"), ["/chat", ""]);
}
