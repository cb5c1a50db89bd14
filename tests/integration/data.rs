//! The data of sockets: typed, kept as JSON, and seen by whoever fetches them.

use crate::{
    client::{Client, Transport},
    server::{Server, eventually},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use socketio::{
    Ack, Binary, ConnectError, DataError, DisconnectReason, Incoming, RemoteSocket, Socket, SocketIo, Untyped, events, namespace,
};
use std::sync::{Arc, Mutex};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Profile {
    name: String,
    level: u32,
}

#[namespace("/game", data = Profile, emits = GameEvents, schema = false)]
trait Game {
    /// Sets the data, and answers what `data()` gave before and gives now.
    #[event]
    async fn become_(&self, name: &str, level: u32) -> (Option<Profile>, Option<Profile>);
    /// Everybody's data, as fetched.
    #[event]
    async fn everyone(&self) -> Vec<Option<Profile>>;
    /// Handled by a hook, before it gets here.
    #[event]
    async fn spoil(&self) -> Ack {
        Ack
    }
    #[disconnect]
    async fn left(&self, reason: DisconnectReason);
}

#[events]
trait GameEvents {}

#[derive(Clone, Default)]
struct Hall {
    /// The data of those who have left.
    gone: Arc<Mutex<Vec<Option<Profile>>>>,
}

struct Player {
    socket: Socket<dyn Game>,
    hall: Hall,
}

impl Game for Player {
    async fn become_(&self, name: &str, level: u32) -> (Option<Profile>, Option<Profile>) {
        let before = self.socket.data().expect("its shape");
        self.socket.set_data(&Profile { name: name.to_owned(), level }).expect("JSON");
        (before, self.socket.data().expect("its shape"))
    }

    async fn everyone(&self) -> Vec<Option<Profile>> {
        let fetched = self.socket.namespace().fetch_sockets().await.expect("alone");
        fetched.iter().map(|socket| socket.data().expect("its shape")).collect()
    }

    async fn left(&self, _: DisconnectReason) {
        self.hall.gone.lock().expect("no panic").push(self.socket.data().expect("its shape"));
    }
}

fn start(hall: &Hall) -> (SocketIo, Server) {
    let hall = hall.clone();
    let connect = async move |socket: Socket<dyn Game>| {
        // A newcomer has its data before anybody can see it.
        if socket.auth_json() != "{}" {
            let profile = serde_json::from_str(socket.auth_json()).map_err(|_| ConnectError::new("no profile"))?;
            socket.set_data(&profile).map_err(|error| ConnectError::new(error.to_string()))?;
        }
        Ok::<_, ConnectError>(Player { socket, hall })
    };
    // A hook sees every namespace, hence no types: here it makes data that is no `Profile`.
    let spoil = |socket: &Socket<Untyped>, event: &Incoming| {
        if event.name() == "spoil" {
            socket.set_data(&json!({ "name": "secret" })).expect("JSON");
        }
    };
    let io = SocketIo::builder().namespace::<dyn Game, _>(connect).on_any(spoil).build();
    let server = Server::start(&io);
    (io, server)
}

fn profile(name: &str, level: u32) -> Profile {
    Profile { name: name.to_owned(), level }
}

over_all_transports! {
    async fn data_is_set_replaced_fetched_and_kept_to_the_end(transport) {
        let hall = Hall::default();
        let (io, server) = start(&hall);
        let game = io.of::<dyn Game>();
        let mut ann = Client::connect(server.addr, transport).await;
        ann.join("/game", Some(json!({ "name": "ann", "level": 1 }))).await;
        let mut ben = Client::connect(server.addr, transport).await;
        ben.join("/game", None).await;
        assert_eq!(ben.call("/game", json!(["everyone"])).await, json!([[{ "name": "ann", "level": 1 }, null]]));

        let fetched = game.fetch_sockets().await.expect("alone");
        assert_eq!(
            ann.call("/game", json!(["become_", "ann \"2\"", 2])).await,
            json!([[{ "name": "ann", "level": 1 }, { "name": "ann \"2\"", "level": 2 }]])
        );
        assert_eq!(ben.call("/game", json!(["become_", "ben", 3])).await, json!([[null, { "name": "ben", "level": 3 }]]));
        let data = |sockets: &[RemoteSocket<dyn Game>]| sockets.iter().map(|socket| socket.data()).collect::<Vec<_>>();
        assert_eq!(data(&fetched), [Ok(Some(profile("ann", 1))), Ok(None)], "as it was when it was fetched");
        let now = game.fetch_sockets().await.expect("alone");
        assert_eq!(data(&now), [Ok(Some(profile("ann \"2\"", 2))), Ok(Some(profile("ben", 3)))]);

        ann.send("41/game,").await;
        eventually("the end of ann", || hall.gone.lock().expect("no panic").len() == 1).await;
        assert_eq!(*hall.gone.lock().expect("no panic"), [Some(profile("ann \"2\"", 2))]);
        assert_eq!(data(&game.fetch_sockets().await.expect("alone")), [Ok(Some(profile("ben", 3)))]);
    }
}

#[tokio::test]
async fn data_of_another_shape_is_an_error_that_does_not_quote_it() {
    let (io, server) = start(&Hall::default());
    let mut client = Client::connect(server.addr, Transport::WebSocket).await;
    client.join("/game", None).await;
    client.call("/game", json!(["spoil"])).await;
    let game = io.of::<dyn Game>();
    let wrong = Err(DataError::Decode("missing field `level`".to_owned()));
    assert_eq!(game.sockets()[0].data(), wrong);
    assert_eq!(game.fetch_sockets().await.expect("alone")[0].data(), wrong);
}

#[namespace("/files", data = Option<Binary>)]
trait Files {}

struct Shelf;

impl Files for Shelf {}

#[tokio::test]
async fn data_that_cannot_be_written_leaves_what_was_there() {
    let io = SocketIo::builder().shared::<dyn Files>(Shelf).build();
    let server = Server::start(&io);
    let mut client = Client::connect(server.addr, Transport::WebSocket).await;
    client.join("/files", None).await;
    let socket = io.of::<dyn Files>().sockets().remove(0);
    assert_eq!(socket.data(), Ok(None));
    socket.set_data(&None).expect("JSON");
    let refused = socket.set_data(&Some(Binary::from(vec![1])));
    assert!(matches!(refused, Err(DataError::Encode(_))), "{refused:?}");
    assert_eq!(socket.data(), Ok(Some(None)));
}
