//! The chat on several servers: to its users they are one. Servers of this process, without Redis.

use chat_example::{
    contract::{Chat, Login, LoginError, Message, RoomState, RoomSummary},
    hall::LOBBY,
};
use socketio::{ConnectError, SocketIo, adapter::Memory, test::Client};

fn servers() -> (SocketIo, SocketIo) {
    let cluster = Memory::new();
    let server = || chat_example::socket_io().adapter(cluster.clone()).build();
    (server(), server())
}

async fn log_in(io: &SocketIo, name: &str) -> Result<Client<dyn Chat>, ConnectError> {
    Client::<dyn Chat>::connect(io).auth(Login { name: name.to_owned() }).await
}

/// A user who has entered a room and seen that it has so many members.
async fn enter(io: &SocketIo, name: &str, room: &str, members: u32) -> (Client<dyn Chat>, RoomState) {
    let user = log_in(io, name).await.expect("the name is free");
    let state = user.emit().join(room).await.expect("entered");
    user.expect("roomChanged", [summary(room, members)]).await;
    (user, state)
}

fn summary(room: &str, members: u32) -> RoomSummary {
    RoomSummary { name: room.to_owned(), members, closed: members == 0 && room != LOBBY }
}

#[tokio::test]
async fn a_name_is_taken_on_all_servers() {
    let (here, there) = servers();
    let ann = log_in(&here, "Ann").await.unwrap();
    let refused = log_in(&there, "ann").await.unwrap_err();
    assert_eq!(serde_json::from_str::<LoginError>(refused.data_json().unwrap()).unwrap(), LoginError::NameTaken);
    ann.disconnect().await;
    assert!(log_in(&there, "ann").await.is_ok());
}

#[tokio::test]
async fn members_and_messages_of_all_servers_are_seen() {
    let (here, there) = servers();
    let (ann, _) = enter(&here, "Ann", "tea", 1).await;
    let said = ann.emit().say("tea", "hi").await.unwrap();

    // Nobody on his server was in that room: the other one knows what was said.
    let (bob, room) = enter(&there, "Bob", "tea", 2).await;
    assert_eq!(room, RoomState { members: vec!["Ann".to_owned(), "Bob".to_owned()], history: vec![said.clone()] });
    ann.expect("joined", ("tea", "Bob")).await;
    ann.expect("roomChanged", [summary("tea", 2)]).await;
    assert_eq!(ann.emit().rooms().await, Ok(vec![summary(LOBBY, 0), summary("tea", 2)]));

    let answered = bob.emit().say("tea", "hello").await.unwrap();
    assert_eq!(ann.next_event().await.args::<(String, Message)>(), ("tea".to_owned(), answered.clone()));
    let (_eve, room) = enter(&here, "Eve", "tea", 3).await;
    assert_eq!(room.members, ["Ann", "Bob", "Eve"]);
    let texts: Vec<&str> = room.history.iter().map(|message| &*message.text).collect();
    assert_eq!(texts, ["hi", "hello"]);
}

#[tokio::test]
async fn a_room_closes_behind_the_last_one_of_all() {
    let (here, there) = servers();
    let (ann, _) = enter(&here, "Ann", "tea", 1).await;
    let (bob, _) = enter(&there, "Bob", "tea", 2).await;
    let (eve, _) = enter(&here, "Eve", LOBBY, 1).await;
    ann.emit().leave("tea").await.unwrap();
    eve.expect("roomChanged", [summary("tea", 1)]).await;
    bob.disconnect().await;
    eve.expect("roomChanged", [summary("tea", 0)]).await;
    assert_eq!(eve.emit().rooms().await, Ok(vec![summary(LOBBY, 1)]));
}

#[tokio::test]
async fn what_was_said_survives_the_server_on_which_it_was() {
    let (here, there) = servers();
    let (_ann, _) = enter(&here, "Ann", LOBBY, 1).await;
    let (bob, _) = enter(&there, "Bob", LOBBY, 2).await;
    let said = bob.emit().say(LOBBY, "I have to go").await.unwrap();
    there.close().await;

    let (_eve, room) = enter(&here, "Eve", LOBBY, 2).await;
    assert_eq!(room, RoomState { members: vec!["Ann".to_owned(), "Eve".to_owned()], history: vec![said] });
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_be_reached_is_left_out() {
    let cluster = Memory::new();
    let link = cluster.link();
    let here = chat_example::socket_io().adapter(cluster).build();
    let there = chat_example::socket_io().adapter(link.clone()).build();
    let (_ann, _) = enter(&here, "Ann", LOBBY, 1).await;
    link.disconnect();
    let (bob, room) = enter(&there, "Bob", LOBBY, 1).await;
    assert_eq!(room.members, ["Bob"]);
    assert!(bob.emit().say(LOBBY, "is anybody here?").await.is_ok());
}
