//! What users see of each other: every handler of `session.rs`, with clients in this process.
//!
//! Not here: the rules about names, rooms and messages, which have their tests in `hall.rs`.

use chat_example::{
    contract::{Chat, ChatError, Login, LoginError, Message, RoomState, RoomSummary},
    hall::LOBBY,
};
use serde_json::json;
use socketio::{CallError, ConnectError, SocketIo, test::Client};
use std::time::Duration;

fn chat() -> SocketIo {
    chat_example::socket_io().build()
}

async fn log_in(io: &SocketIo, name: &str) -> Result<Client<dyn Chat>, ConnectError> {
    Client::<dyn Chat>::connect(io).auth(Login { name: name.to_owned() }).await
}

/// The first user in the lobby, who has seen everything so far.
async fn enter(io: &SocketIo, name: &str) -> Client<dyn Chat> {
    let user = log_in(io, name).await.expect("the name is free");
    user.emit().join(LOBBY).await.expect("the lobby is open");
    user.expect("roomChanged", [lobby(1)]).await;
    user
}

fn lobby(members: u32) -> RoomSummary {
    RoomSummary { name: LOBBY.to_owned(), members, closed: false }
}

fn reason(refused: &ConnectError) -> LoginError {
    serde_json::from_str(refused.data_json().expect("there is data")).expect("it is a login error")
}

#[tokio::test]
async fn a_name_is_needed_to_log_in() {
    let io = chat();
    let refused = log_in(&io, " ").await.unwrap_err();
    assert_eq!((refused.message(), reason(&refused)), ("choose a name", LoginError::NameEmpty));
    let refused = Client::<dyn Chat>::connect(&io).auth_raw(json!({ "name": 1 })).await.unwrap_err();
    assert_eq!(refused.message(), "invalid auth: invalid type: expected a string");
}

#[tokio::test]
async fn a_name_is_taken_until_its_user_has_gone() {
    let io = chat();
    let mut ann = log_in(&io, "Ann").await.unwrap();
    assert_eq!(reason(&log_in(&io, "ann").await.unwrap_err()), LoginError::NameTaken);
    ann.drop_connection();
    ann.reconnect().await.unwrap();
    ann.disconnect().await;
    assert!(log_in(&io, "ann").await.is_ok());
}

#[tokio::test]
async fn a_newcomer_sees_members_and_history() {
    let io = chat();
    let ann = enter(&io, "Ann").await;
    let said = ann.emit().say(LOBBY, " hi ").await.unwrap();
    assert_eq!((&*said.author, &*said.text), ("Ann", "hi"));

    let bob = log_in(&io, "Bob").await.unwrap();
    let room = RoomState { members: vec!["Ann".to_owned(), "Bob".to_owned()], history: vec![said] };
    assert_eq!(bob.emit().join(LOBBY).await, Ok(room.clone()));
    ann.expect("joined", (LOBBY, "Bob")).await;
    ann.expect("roomChanged", [lobby(2)]).await;
    bob.expect("roomChanged", [lobby(2)]).await;

    // Who is there already changes nothing.
    assert_eq!(bob.emit().join(LOBBY).await, Ok(room));
    assert_eq!(ann.emit().rooms().await, Ok(vec![lobby(2)]));
    assert!(ann.unread().is_empty() && bob.unread().is_empty());
}

#[tokio::test]
async fn a_message_is_acknowledged_and_sent_to_the_others_of_its_room() {
    let io = chat();
    let (ann, bob) = (enter(&io, "Ann").await, log_in(&io, "Bob").await.unwrap());
    bob.emit().join(LOBBY).await.unwrap();
    let outside = log_in(&io, "Eve").await.unwrap();

    let said = ann.emit().say(LOBBY, "hi").await.unwrap();
    bob.expect("roomChanged", [lobby(2)]).await;
    let (room, message) = bob.next_event().await.args::<(String, Message)>();
    assert_eq!((&*room, message), (LOBBY, said));

    ann.expect("joined", (LOBBY, "Bob")).await;
    ann.expect("roomChanged", [lobby(2)]).await;
    assert!(ann.unread().is_empty());
    outside.emit().rooms().await.unwrap();
    assert!(outside.unread().is_empty());
}

#[tokio::test]
async fn who_is_not_in_a_room_has_no_say_there() {
    let io = chat();
    let (ann, eve) = (enter(&io, "Ann").await, log_in(&io, "Eve").await.unwrap());
    assert_eq!(eve.emit().say(LOBBY, "hi").await, Err(CallError::Rejected(ChatError::NotInRoom)));
    assert_eq!(eve.emit().leave(LOBBY).await, Err(CallError::Rejected(ChatError::NotInRoom)));
    eve.emit().typing(LOBBY);
    // Handlers start in order: with this answer, the events in front of it have been handled.
    eve.emit().rooms().await.unwrap();
    ann.emit().rooms().await.unwrap();
    assert!(ann.unread().is_empty());
}

#[tokio::test]
async fn the_others_see_who_is_typing() {
    let io = chat();
    let (ann, bob) = (enter(&io, "Ann").await, log_in(&io, "Bob").await.unwrap());
    bob.emit().join(LOBBY).await.unwrap();
    bob.expect("roomChanged", [lobby(2)]).await;
    ann.emit().typing(LOBBY);
    bob.expect("typing", (LOBBY, "Ann")).await;
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_answered() {
    let io = chat();
    let ann = enter(&io, "Ann").await;
    let reply = ann.call_raw("say", (LOBBY, 7)).await.unwrap();
    assert!(reply.json().starts_with(r#"[{"ok":false,"error":{"code":"invalid","#), "{}", reply.json());
    let reply = ann.call_raw("join", ["\u{0}"]).await.unwrap();
    assert!(reply.json().contains(r#""ok":false"#), "{}", reply.json());
}

#[tokio::test]
async fn a_room_closes_behind_the_last_one() {
    let io = chat();
    let ann = enter(&io, "Ann").await;
    let tea = |members, closed| RoomSummary { name: "tea".to_owned(), members, closed };
    ann.emit().join("tea").await.unwrap();
    ann.expect("roomChanged", [tea(1, false)]).await;
    assert_eq!(ann.emit().rooms().await, Ok(vec![lobby(1), tea(1, false)]));
    ann.emit().leave("tea").await.unwrap();
    ann.expect("roomChanged", [tea(0, true)]).await;
}

#[tokio::test]
async fn however_a_user_goes_the_others_are_told() {
    let io = chat();
    let ann = enter(&io, "Ann").await;
    for way in 0..3 {
        let bob = log_in(&io, "Bob").await.unwrap();
        bob.emit().join(LOBBY).await.unwrap();
        ann.expect("joined", (LOBBY, "Bob")).await;
        ann.expect("roomChanged", [lobby(2)]).await;
        match way {
            0 => bob.leave().await,
            1 => bob.disconnect().await,
            _ => bob.drop_connection(),
        }
        ann.expect("left", (LOBBY, "Bob")).await;
        ann.expect("roomChanged", [lobby(1)]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_who_says_nothing_for_a_day_is_still_there() {
    let io = chat();
    let (ann, bob) = (enter(&io, "Ann").await, log_in(&io, "Bob").await.unwrap());
    bob.emit().join(LOBBY).await.unwrap();
    bob.expect("roomChanged", [lobby(2)]).await;
    tokio::time::sleep(Duration::from_secs(24 * 3600)).await;
    let said = ann.emit().say(LOBBY, "still there?").await.unwrap();
    assert_eq!(bob.next_event().await.args::<(String, Message)>().1, said);
}
