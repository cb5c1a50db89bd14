//! Rooms: who is addressed, and by a model of random joins and leaves that nobody is forgotten.

use crate::{
    client::{Client, Transport},
    script::{Scripts, basic, script},
    server::{Server, eventually},
};
use proptest::{collection::vec, prelude::*, test_runner::Config};
use serde_json::json;
use socketio::{
    Broadcast, ConnectError, DisconnectReason, NamespaceHandle, Socket, SocketId, SocketIo, Untyped, events, namespace,
};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::mpsc::unbounded_channel;

/// Tells its rooms who has gone, in the last call on its session.
#[namespace("/farewell", emits = FarewellEvents, data = String)]
trait Farewell {
    #[disconnect]
    async fn left(&self, reason: DisconnectReason);
}

#[events]
trait FarewellEvents {
    #[event]
    async fn gone(&self, room: &str, name: Option<&str>, connected: bool);
}

struct Guest(Socket<dyn Farewell>);

impl Farewell for Guest {
    async fn left(&self, _: DisconnectReason) {
        let name = self.0.data().expect("a string");
        for room in self.0.rooms().into_iter().skip(1) {
            self.0.to(room.clone()).emit().gone(room.as_str(), name.as_deref(), self.0.is_connected());
        }
        self.0.emit().gone("nobody hears it", None, true);
    }
}

fn start() -> (SocketIo, Server, NamespaceHandle<Untyped>) {
    let (connect, _ended) = script(basic);
    let io = SocketIo::builder().namespace_at::<Untyped, _>("/", connect).build();
    let server = Server::start(&io);
    let namespace = io.at::<Untyped>("/").expect("registered");
    (io, server, namespace)
}

async fn clients<const N: usize>(server: &Server, transport: Transport) -> ([Client; N], [String; N]) {
    let mut clients = Vec::new();
    let mut ids = Vec::new();
    for _ in 0..N {
        let mut client = Client::connect(server.addr, transport).await;
        ids.push(client.join("/", None).await);
        clients.push(client);
    }
    (clients.try_into().expect("N of them"), ids.try_into().expect("N of them"))
}

/// What each client got since the last time, events only.
async fn received<const N: usize>(clients: &mut [Client; N]) -> [Vec<String>; N] {
    let mut all = Vec::new();
    for client in clients.iter_mut() {
        // What was sent before the answer arrives before it.
        client.call("/", json!(["sync"])).await;
        all.push(client.unread().iter().map(|packet| packet.name().to_owned()).collect());
    }
    all.try_into().expect("N of them")
}

fn send(to: Broadcast<Untyped>, name: &str) {
    to.emit_raw(name, ()).expect("JSON");
}

async fn ids_in(to: Broadcast<Untyped>) -> BTreeSet<SocketId> {
    to.fetch_sockets().await.expect("alone").iter().map(|socket| socket.id().parse().expect("its form")).collect()
}

over_all_transports! {
    async fn a_socket_that_has_left_knows_its_rooms_and_data(transport) {
        let connect = async |socket: Socket<dyn Farewell>| {
            socket.set_data(&"ann".to_owned())?;
            socket.join("lobby");
            Ok::<_, ConnectError>(Guest(socket))
        };
        let io = SocketIo::builder().namespace::<dyn Farewell, _>(connect).build();
        let server = Server::start(&io);
        let (mut stays, mut leaves) = (Client::connect(server.addr, transport).await, Client::connect(server.addr, transport).await);
        stays.join("/farewell", None).await;
        leaves.join("/farewell", None).await;
        leaves.leave("/farewell").await;
        stays.expect("/farewell", json!(["gone", "lobby", "ann", false])).await;
        // What was sent to it would arrive before it is back.
        leaves.join("/farewell", None).await;
        assert_eq!(leaves.unread(), []);
    }

    async fn every_address(transport) {
        let (_io, server, all) = start();
        let (mut clients, ids) = clients::<4>(&server, transport).await;
        for (client, rooms) in [(0, &["x"][..]), (1, &["x", "y"]), (2, &["y"])] {
            for room in rooms {
                clients[client].call("/", json!(["join", room])).await;
            }
        }
        let sockets: BTreeMap<String, _> = all.sockets().into_iter().map(|socket| (socket.id().to_string(), socket)).collect();
        let first = &sockets[&ids[0]];

        send(all.to("x"), "to x");
        send(all.to("x").to("y"), "union");
        send(all.to("x").except("y"), "x without y");
        send(all.except("x"), "not x");
        send(all.except("x").except("y"), "neither");
        send(all.to(&ids[3]), "own room");
        send(all.to("x").except(&ids[0]), "x without one");
        send(all.to(&ids[0]).to("x"), "own and x");
        send(all.to("nobody"), "nobody");
        send(first.to("x"), "x from first");
        send(first.broadcast(), "from first");
        send(first.except("y"), "from first, not y");
        send(first.to(first.id()), "to oneself");
        all.emit_raw("all", ()).expect("JSON");
        first.emit_raw("first", ()).expect("JSON");
        assert_eq!(
            received(&mut clients).await,
            [
                vec!["to x", "union", "x without y", "own and x", "all", "first"],
                vec!["to x", "union", "x without one", "own and x", "x from first", "from first", "all"],
                vec!["union", "not x", "from first", "all"],
                vec!["not x", "neither", "own room", "from first", "from first, not y", "all"],
            ]
        );
    }

    async fn a_socket_knows_whether_it_is_in_a_room(transport) {
        let seen = |socket: &Socket<Untyped>| ["x", "y", "", socket.id().as_str()].map(|room| socket.in_room(room));
        let (scripts, _ended) = Scripts::new(basic);
        let (before, mut pending) = unbounded_channel();
        let connect = move |socket: Socket<Untyped>| {
            socket.join("x");
            socket.join("y");
            socket.leave("y");
            before.send(seen(&socket)).expect("the test listens");
            std::future::ready(Ok::<_, ConnectError>(scripts.session(socket)))
        };
        let io = SocketIo::builder().namespace_at::<Untyped, _>("/", connect).build();
        let server = Server::start(&io);
        let mut client = Client::joined(server.addr, transport).await;
        assert_eq!(pending.recv().await, Some([true, false, false, true]), "before it is accepted");
        let socket = io.at::<Untyped>("/").expect("registered").sockets().remove(0);
        assert_eq!(seen(&socket), [true, false, false, true]);
        client.call("/", json!(["join", "y"])).await;
        client.call("/", json!(["leave", "x"])).await;
        assert_eq!(seen(&socket), [false, true, false, true]);
        client.leave("/").await;
        eventually("the end", || !socket.is_connected()).await;
        assert_eq!(seen(&socket), [false, true, false, true], "what it was in");
    }

    async fn commands_to_many(transport) {
        let (_io, server, all) = start();
        let (mut clients, ids) = clients::<3>(&server, transport).await;
        all.sockets_join("everyone");
        all.to(&ids[0]).to(&ids[1]).sockets_join("two");
        all.to("everyone").except(&ids[2]).sockets_leave("everyone");
        assert_eq!(clients[0].call("/", json!(["rooms"])).await, json!([["two"]]));
        assert_eq!(clients[2].call("/", json!(["rooms"])).await, json!([["everyone"]]));
        assert_eq!(ids_in(all.to("two")).await.len(), 2);
        let fetched = all.to("everyone").fetch_sockets().await.expect("alone");
        assert_eq!(fetched.len(), 1);
        assert_eq!(fetched[0].id(), ids[2]);
        assert_eq!(fetched[0].rooms().iter().map(|room| room.as_str()).collect::<Vec<_>>(), [ids[2].as_str(), "everyone"]);
        fetched[0].join("late");
        fetched[0].leave("everyone");
        fetched[0].leave(&ids[2]);
        assert_eq!(clients[2].call("/", json!(["rooms"])).await, json!([["late"]]));
        send(all.to(&ids[2]), "the own room cannot be left");
        assert_eq!(received(&mut clients).await[2].len(), 1);

        all.to("two").disconnect_sockets(false);
        for client in &mut clients[..2] {
            let goodbye = client.packet().await;
            assert_eq!((goodbye.kind, goodbye.namespace.as_str()), (1, "/"));
        }
        assert_eq!(all.len(), 1);
        assert_eq!(clients[2].call("/", json!(["echo", 1])).await, json!([1]));
        // The connection is still there.
        clients[0].join("/", None).await;
        assert_eq!(clients[0].call("/", json!(["rooms"])).await, json!([[]]), "rooms do not survive");
        all.disconnect_sockets(true);
        assert_eq!(clients[2].rest().await.iter().map(|packet| packet.kind).collect::<Vec<_>>(), [1]);
        assert_eq!(all.len(), 0);
    }
}

#[derive(Debug, Clone)]
enum Step {
    Join(usize, u8),
    Leave(usize, u8),
    JoinAll(u8, u8),
    LeaveAll(u8, u8),
    Disconnect(usize),
    Emit { to: Vec<u8>, except: Vec<u8>, but: usize },
}

const CLIENTS: usize = 5;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (client, room) = (0..CLIENTS, 0..4u8);
    let step = prop_oneof![
        4 => (client.clone(), room.clone()).prop_map(|(client, room)| Step::Join(client, room)),
        2 => (client.clone(), room.clone()).prop_map(|(client, room)| Step::Leave(client, room)),
        1 => (room.clone(), room.clone()).prop_map(|(from, to)| Step::JoinAll(from, to)),
        1 => (room.clone(), room.clone()).prop_map(|(from, to)| Step::LeaveAll(from, to)),
        1 => client.clone().prop_map(Step::Disconnect),
        4 => (vec(room.clone(), 0..3), vec(room, 0..2), client).prop_map(|(to, except, but)| Step::Emit { to, except, but }),
    ];
    vec(step, 1..40)
}

fn name(room: u8) -> String {
    format!("room {room}")
}

/// What the rooms of each client should be; `None` once it has gone.
type Model = [Option<BTreeSet<u8>>; CLIENTS];

async fn check(steps: Vec<Step>) {
    let (io, server, all) = start();
    let (mut clients, ids) = clients::<CLIENTS>(&server, Transport::WebSocket).await;
    let mut model: Model = std::array::from_fn(|_| Some(BTreeSet::new()));
    let mut expected: [Vec<String>; CLIENTS] = Default::default();
    let id = |client: usize| -> SocketId { ids[client].parse().expect("an id") };
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Join(client, room) => {
                all.to(&ids[*client]).sockets_join(name(*room));
                if let Some(rooms) = &mut model[*client] {
                    rooms.insert(*room);
                }
            }
            Step::Leave(client, room) => {
                all.to(&ids[*client]).sockets_leave(name(*room));
                if let Some(rooms) = &mut model[*client] {
                    rooms.remove(room);
                }
            }
            Step::JoinAll(from, to) => {
                all.to(name(*from)).sockets_join(name(*to));
                for rooms in model.iter_mut().flatten().filter(|rooms| rooms.contains(from)) {
                    rooms.insert(*to);
                }
            }
            Step::LeaveAll(from, to) => {
                all.to(name(*from)).sockets_leave(name(*to));
                for rooms in model.iter_mut().flatten().filter(|rooms| rooms.contains(from)) {
                    rooms.remove(to);
                }
            }
            Step::Disconnect(client) => {
                all.to(&ids[*client]).disconnect_sockets(false);
                model[*client] = None;
            }
            Step::Emit { to, except, but } => {
                let mut target = all.except(&ids[*but]);
                target = to.iter().fold(target, |target, room| target.to(name(*room)));
                target = except.iter().fold(target, |target, room| target.except(name(*room)));
                let event = format!("event {number}");
                let addressed: BTreeSet<SocketId> = (0..CLIENTS)
                    .filter(|client| {
                        let Some(rooms) = &model[*client] else { return false };
                        client != but
                            && (to.is_empty() || to.iter().any(|room| rooms.contains(room)))
                            && !except.iter().any(|room| rooms.contains(room))
                    })
                    .inspect(|client| expected[*client].push(event.clone()))
                    .map(id)
                    .collect();
                assert_eq!(ids_in(target.clone()).await, addressed, "{steps:?}");
                send(target, &event);
            }
        }
        assert_eq!(all.len(), model.iter().flatten().count());
    }
    for ((client, expected), rooms) in clients.iter_mut().zip(&expected).zip(&model) {
        if rooms.is_none() {
            client.join("/", None).await;
        }
        client.call("/", json!(["sync"])).await;
        let got: Vec<String> =
            client.unread().iter().filter(|packet| packet.kind == 2).map(|packet| packet.name().to_owned()).collect();
        assert_eq!(&got, expected, "{steps:?}");
    }
    drop(clients);
    eventually("everybody has gone", || all.is_empty() && io.connections() == 0).await;
    for room in 0..4 {
        assert!(all.to(name(room)).fetch_sockets().await.expect("alone").is_empty());
    }
}

#[test]
fn random_steps_agree_with_a_model() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    proptest!(Config { cases: 48, failure_persistence: None, ..Config::default() }, |(steps in steps())| {
        runtime.block_on(check(steps));
    });
}
