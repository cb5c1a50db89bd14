//! Cursors on boards, by clients in the process of the server.

use cursors_example::{Cursors, Login, Player, server};
use serde_json::json;
use socketio::{ConnectError, SocketIo, test::Client};

async fn client(io: &SocketIo, name: &str, colour: &str) -> Result<Client<dyn Cursors>, ConnectError> {
    Client::<dyn Cursors>::connect(io).auth(Login { name: name.into(), colour: colour.into() }).await
}

async fn enter(client: &Client<dyn Cursors>, board: &str) -> Vec<String> {
    client.emit().enter(board).await.expect("entered").into_iter().map(|player| player.name).collect()
}

#[tokio::test]
async fn cursors_move_on_their_own_board_only() {
    let io = server(None);
    let (ann, bob) = (client(&io, "ann", "#aa0000").await.unwrap(), client(&io, "bob", "#00bb00").await.unwrap());
    let eve = client(&io, "eve", "#0000ee").await.unwrap();
    assert!(enter(&ann, "red").await.is_empty());
    assert_eq!(enter(&bob, "red").await, ["ann"]);
    assert!(enter(&eve, "blue").await.is_empty());
    let (player,): (Player,) = ann.next_event().await.args();
    assert_eq!((player.name.as_str(), player.colour.as_str()), ("bob", "#00bb00"));

    bob.emit().move_to(0.25, 0.5);
    ann.expect("moved", json!([player.id, 0.25, 0.5])).await;
    // An answer arrives after what was emitted before it: neither bob nor the other board have heard anything.
    assert_eq!(enter(&bob, "blue").await, ["eve"]);
    assert!(bob.unread().is_empty());
    ann.expect("left", json!([player.id])).await;
    eve.expect("joined", json!([player])).await;
    assert!(eve.unread().is_empty());
}

#[tokio::test]
async fn a_client_that_goes_leaves_its_board() {
    let io = server(None);
    let (ann, bob) = (client(&io, "ann", "#aa0000").await.unwrap(), client(&io, "bob", "#00bb00").await.unwrap());
    enter(&ann, "red").await;
    enter(&bob, "red").await;
    let (player,): (Player,) = ann.next_event().await.args();
    bob.drop_connection();
    ann.expect("left", json!([player.id])).await;
}

#[tokio::test]
async fn names_colours_and_boards_are_checked() {
    let io = server(None);
    let refused = client(&io, " ", "#000000").await.unwrap_err();
    assert_eq!((refused.message(), refused.data_json()), ("a name has 1 to 20 characters", Some("\"name\"")));
    assert_eq!(client(&io, "ann", "red").await.unwrap_err().data_json(), Some("\"colour\""));
    let ann = client(&io, "ann", "#aa0000").await.unwrap();
    assert!(ann.emit().enter("").await.is_err());
    // Before it enters a board, a cursor is nowhere.
    ann.emit().move_to(0.0, 0.0);
    assert!(enter(&ann, "red").await.is_empty());
}
