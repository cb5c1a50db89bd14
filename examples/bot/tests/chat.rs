//! The bot in a chat with one guest, over the network.

#![allow(clippy::unwrap_used)]

use chat_example::contract::{Chat, ChatEvents, Login, Message, RoomSummary};
use socketio::Client;
use tokio::{net::TcpListener, sync::mpsc};

/// Hears what is said.
struct Guest(mpsc::UnboundedSender<String>);

impl ChatEvents for Guest {
    async fn message(&self, _room: &str, message: &Message) {
        let _ = self.0.send(format!("{}: {}", message.author, message.text));
    }
    async fn joined(&self, _room: &str, name: &str) {
        let _ = self.0.send(format!("{name} came"));
    }
    async fn left(&self, _room: &str, _name: &str) {}
    async fn typing(&self, _room: &str, _name: &str) {}
    async fn room_changed(&self, _room: &RoomSummary) {}
}

#[tokio::test]
async fn a_guest_rolls_a_die() {
    let io = chat_example::socket_io().build();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().layer(io.layer())).await });

    let (heard, mut hears) = mpsc::unbounded_channel();
    let guest = Client::<dyn Chat>::connect(&url).auth(Login { name: "ann".into() }).handler(Guest(heard)).await.unwrap();
    guest.emit().join("lobby").await.unwrap();
    let bot = {
        let url = url.clone();
        tokio::spawn(async move { bot_example::run(&url, "dicebot", "lobby").await })
    };
    assert_eq!(hears.recv().await.unwrap(), "dicebot came");
    guest.emit().say("lobby", "!dice").await.unwrap();
    assert!(hears.recv().await.unwrap().starts_with("dicebot: ann rolled a "));

    // Its name is taken, so another bot is refused.
    assert!(bot_example::run(&url, "dicebot", "lobby").await.is_err());
    bot.abort();
}
