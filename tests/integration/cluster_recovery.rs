//! Clients that come back to another server of their cluster, and the servers that had them.

use crate::{
    client::Transport,
    returning::Returning,
    script::{Ended, ack, basic, rooms, script},
    server::{Server, eventually},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use socketio::{
    NamespaceHandle, Recovery, Socket, SocketIo, Untyped,
    adapter::{Adapter, Memory},
};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

/// A server of a cluster.
struct House {
    io: SocketIo,
    server: Server,
    ended: UnboundedReceiver<Ended>,
}

impl House {
    fn open(adapter: impl Adapter, recovery: Recovery) -> Self {
        let (connect, ended) = script(async |socket: Socket<Untyped>, event| match event.name() {
            "who" => ack(&json!([socket.id(), rooms(&socket), socket.recovered()])),
            _ => basic(socket, event).await,
        });
        let io = SocketIo::builder()
            .adapter(adapter)
            .connection_state_recovery(recovery)
            .namespace_at::<Untyped, _>("/", connect.clone())
            .namespace_at::<Untyped, _>("/other", connect)
            .build();
        let server = Server::start(&io);
        House { io, server, ended }
    }

    fn all(&self) -> NamespaceHandle<Untyped> {
        self.io.at("/").expect("it is registered")
    }

    fn tell(&self, numbers: impl IntoIterator<Item = u32>) {
        numbers.into_iter().for_each(|number| self.all().emit_raw("tell", (number,)).expect("JSON"));
    }

    async fn sessions(&self, count: usize) {
        let has = |io: &SocketIo| io.recovery_metrics().is_some_and(|metrics| metrics.sessions == count);
        eventually("sessions are kept", || has(&self.io)).await;
    }

    async fn join(&self, transport: Transport) -> Returning {
        Returning::join(self.server.addr, transport).await
    }

    fn outcomes(&self) -> (u64, u64) {
        let metrics = self.io.recovery_metrics().expect("it is on");
        (metrics.recovered, metrics.unrecovered)
    }
}

fn pair() -> [House; 2] {
    let cluster = Memory::new();
    [(); 2].map(|()| House::open(cluster.clone(), Recovery::new()))
}

async fn lose(client: &mut Returning, house: &House) {
    client.client.start_reading().await;
    client.client.kill();
    house.sessions(1).await;
}

async fn number(client: &mut Returning) -> Value {
    client.event().await.args()[0].clone()
}

fn numbers(numbers: impl IntoIterator<Item = u32>) -> Vec<Vec<Value>> {
    numbers.into_iter().map(|number| vec![json!(number)]).collect()
}

over_all_transports! {
    async fn a_client_comes_back_to_another_server(transport) {
        let [one, mut other] = pair();
        let mut ann = one.join(transport).await;
        let mut bob = other.join(transport).await;
        let sid = ann.ticket.sid.clone();
        ann.client.call("/", json!(["join", "red"])).await;
        one.tell([1]);
        assert_eq!((number(&mut ann).await, number(&mut bob).await), (json!(1), json!(1)));
        assert!(ann.ticket.offset.is_some() && ann.ticket.offset == bob.ticket.offset, "one offset for all servers");
        lose(&mut ann, &one).await;

        let all = other.all();
        all.to("red").emit_raw("red", (2, socketio::Binary::from(vec![1, 2]))).expect("JSON");
        all.to("blue").emit_raw("blue", ("nothing for ann",)).expect("JSON");
        all.to(sid.as_str()).emit_raw("own", (3,)).expect("JSON");
        all.except("red").emit_raw("others", ()).expect("JSON");
        all.volatile().emit_raw("volatile", (5,)).expect("JSON");
        one.tell([6]);
        ann.turn_to(other.server.addr);
        let (_, missed, recovered) = ann.again().await;
        assert!(recovered);
        let placeholder = json!({ "_placeholder": true, "num": 0 });
        assert_eq!(missed, [vec![json!(2), placeholder], vec![json!(3)], vec![json!(6)]]);
        assert_eq!(ann.ticket.sid, sid);
        assert_eq!(ann.client.call("/", json!(["who"])).await, json!([[sid, ["red"], true]]), "its rooms, and who it is");
        one.all().to("red").emit_raw("red", (7,)).expect("JSON");
        assert_eq!(number(&mut ann).await, 7);
        assert_eq!((one.all().len(), other.outcomes()), (0, (1, 0)));
        ann.client.leave("/").await;
        let ended = other.ended.recv().await.expect("it ends where it is");
        assert_eq!((ended.id.to_string(), ended.rooms), (sid, vec!["red".to_owned()]));
    }

    async fn there_and_back_again(transport) {
        let houses = pair();
        let mut ann = houses[0].join(transport).await;
        let sid = ann.ticket.sid.clone();
        for round in 0..6_u32 {
            let [here, there] = if round % 2 == 0 { [&houses[0], &houses[1]] } else { [&houses[1], &houses[0]] };
            here.tell([round * 10]);
            assert_eq!(number(&mut ann).await, round * 10);
            ann.client.start_reading().await;
            ann.client.kill();
            eventually("the loss is noticed", || here.all().is_empty()).await;
            // As if it had got what came last, or not.
            here.tell([round * 10 + 1]);
            there.tell([round * 10 + 2]);
            ann.turn_to(there.server.addr);
            let (_, missed, recovered) = ann.again().await;
            assert_eq!((missed, recovered), (numbers([round * 10 + 1, round * 10 + 2]), true), "round {round}");
            assert_eq!(ann.ticket.sid, sid);
        }
    }

    async fn before_the_first_event_elsewhere(transport) {
        let [one, other] = pair();
        let mut ann = one.join(transport).await;
        lose(&mut ann, &one).await;
        one.tell([1]);
        other.tell([2]);
        ann.turn_to(other.server.addr);
        assert_eq!(ann.again().await.1.len(), 2, "from the start of a new cluster");
        let mut bob = one.join(transport).await;
        // From an earlier session, on whatever server.
        bob.ticket.offset.clone_from(&ann.ticket.offset);
        let mut eve = one.join(transport).await;
        for client in [&mut bob, &mut eve] {
            client.client.start_reading().await;
            client.client.kill();
        }
        eventually("the loss is noticed", || one.all().is_empty()).await;
        one.tell([3]);
        for client in [&mut bob, &mut eve] {
            client.turn_to(other.server.addr);
            let (_, missed, recovered) = client.again().await;
            assert_eq!((missed, recovered), (numbers([3]), true));
        }
    }

    async fn a_server_shuts_down_and_its_clients_go_on(transport) {
        let [mut one, other] = pair();
        let mut ann = one.join(transport).await;
        let mut bob = one.join(transport).await;
        one.tell([1]);
        assert_eq!((number(&mut ann).await, number(&mut bob).await), (json!(1), json!(1)));
        lose(&mut bob, &one).await;
        let report = one.io.shutdown(Duration::from_secs(10)).await;
        assert_eq!(report.sockets, 1);
        one.ended.recv().await.expect("here it ends");
        one.ended.recv().await.expect("and that of who was away");
        drop(one);
        other.tell([2]);
        for client in [&mut ann, &mut bob] {
            client.turn_to(other.server.addr);
            let (_, missed, recovered) = client.again().await;
            assert_eq!((missed, recovered), (numbers([2]), true));
        }
    }
}

#[tokio::test]
async fn a_session_that_went_elsewhere_ends_quietly() {
    let cluster = Memory::new();
    let recovery = Recovery::new().max_disconnection(Duration::from_millis(200));
    let mut one = House::open(cluster.clone(), recovery);
    let other = House::open(cluster, Recovery::new());
    let (mut ann, mut bob) = (one.join(Transport::WebSocket).await, one.join(Transport::WebSocket).await);
    for client in [&mut ann, &mut bob] {
        client.client.kill();
        client.turn_to(other.server.addr);
    }
    let (_, _, recovered) = ann.again().await;
    assert!(recovered);
    let ended = one.ended.recv().await.expect("one ends");
    assert_eq!(ended.id.to_string(), bob.ticket.sid, "of the other, there is nothing to be told");
    one.sessions(0).await;
    assert!(one.ended.try_recv().is_err());
    let (_, _, recovered) = bob.again().await;
    assert!(!recovered, "once it has ended, it is nowhere");
}

#[tokio::test]
async fn a_session_is_given_out_once() {
    for _ in 0..10 {
        let cluster = Memory::new();
        let houses = [(); 3].map(|()| House::open(cluster.clone(), Recovery::new()));
        let mut ann = houses[0].join(Transport::WebSocket).await;
        lose(&mut ann, &houses[0]).await;
        let ticket = ann.ticket.clone();
        let ask = async |house: &House| {
            let mut client = Returning::join(house.server.addr, Transport::WebSocket).await;
            client.ticket = ticket.clone();
            let recovered = client.again().await.2;
            // Whoever leaves lets the next one in.
            (client, recovered)
        };
        let asked: [(Returning, bool); 3] = tokio::join!(ask(&houses[0]), ask(&houses[1]), ask(&houses[2])).into();
        assert_eq!(asked.iter().filter(|(_, recovered)| *recovered).count(), 1, "{asked:?}");
    }
}

#[tokio::test]
async fn a_session_belongs_to_its_namespace() {
    let [one, other] = pair();
    let mut ann = one.join(Transport::WebSocket).await;
    lose(&mut ann, &one).await;
    let mut eve = crate::client::Client::connect(other.server.addr, Transport::WebSocket).await;
    eve.send(&format!("0/other,{}", ann.ticket.auth())).await;
    assert_ne!(eve.packet().await.data["pid"], json!(ann.ticket.pid));
}

#[tokio::test]
async fn who_was_thrown_out_while_away_comes_back_nowhere() {
    let [mut one, other] = pair();
    let mut ann = one.join(Transport::WebSocket).await;
    lose(&mut ann, &one).await;
    other.all().to(ann.ticket.sid.as_str()).disconnect_sockets(false);
    one.ended.recv().await.expect("it ends");
    ann.turn_to(other.server.addr);
    assert!(!ann.again().await.2);
}

#[tokio::test]
async fn what_is_said_before_the_end_is_heard() {
    let [one, _other] = pair();
    let mut ann = one.join(Transport::WebSocket).await;
    one.tell([1]);
    one.all().to(ann.ticket.sid.as_str()).emit_raw("farewell", (2,)).expect("JSON");
    // Neither has its place in the journal yet.
    one.all().disconnect_sockets(false);
    assert_eq!((number(&mut ann).await, number(&mut ann).await), (json!(1), json!(2)));
    assert_eq!(ann.client.packet().await.kind, 1);
}

#[tokio::test]
async fn times_without_end() {
    let link = Memory::new().link();
    let (connect, _ended) = script(async |socket: Socket<Untyped>, event| basic(socket, event).await);
    let io = SocketIo::builder()
        .adapter(link.clone())
        .ping_interval(Duration::MAX)
        .connection_state_recovery(Recovery::new().max_disconnection(Duration::MAX))
        .namespace_at::<Untyped, _>("/", connect)
        .build();
    let server = Server::start(&io);
    let mut ann = Returning::join(server.addr, Transport::WebSocket).await;
    link.disconnect();
    for next in [1, 2] {
        io.at::<Untyped>("/").expect("it is registered").emit_raw("tell", (next,)).expect("JSON");
        assert_eq!(number(&mut ann).await, next);
    }
}

/// A server that has delivered events that the others have not got yet cannot know which of them a client has that comes from there.
#[tokio::test]
async fn nobody_arrives_where_events_are_astray() {
    let cluster = Memory::new();
    let link = cluster.link();
    let (one, other) = (House::open(link.clone(), Recovery::new()), House::open(cluster, Recovery::new()));
    let mut ann = other.join(Transport::WebSocket).await;
    let mut bob = one.join(Transport::WebSocket).await;
    lose(&mut ann, &other).await;
    link.disconnect();
    one.tell([1]);
    assert_eq!(number(&mut bob).await, 1);
    link.reconnect();
    let before = ann.ticket.clone();
    ann.turn_to(one.server.addr);
    assert!(!ann.again().await.2, "it would miss that event");
    ann.ticket = before;
    ann.turn_to(other.server.addr);
    assert!(ann.again().await.2, "it was left where it was");
}

#[tokio::test]
async fn who_came_back_during_an_outage_is_not_on_offer_after_it() {
    let cluster = Memory::new();
    let link = cluster.link();
    let (one, other) = (House::open(link.clone(), Recovery::new()), House::open(cluster, Recovery::new()));
    let mut ann = one.join(Transport::WebSocket).await;
    lose(&mut ann, &one).await;
    let before = ann.ticket.clone();
    link.disconnect();
    assert!(ann.again().await.2);
    link.reconnect();
    // The journal is asked again until it answers.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let mut late = other.join(Transport::WebSocket).await;
    late.ticket = before;
    assert!(!late.again().await.2);
}

#[tokio::test]
async fn what_the_journal_has_not_got_is_recovered_here_and_nowhere_else() {
    let cluster = Memory::new();
    let link = cluster.link();
    let (one, other) = (House::open(link.clone(), Recovery::new()), House::open(cluster, Recovery::new()));
    let mut ann = one.join(Transport::WebSocket).await;
    let mut bob = one.join(Transport::WebSocket).await;
    let mut eve = one.join(Transport::WebSocket).await;
    let mut far = other.join(Transport::WebSocket).await;
    one.tell([1]);
    for client in [&mut ann, &mut bob, &mut eve, &mut far] {
        assert_eq!(number(client).await, 1);
    }
    // Known to others when the outage begins.
    lose(&mut eve, &one).await;
    link.disconnect();
    one.tell([2, 3]);
    for client in [&mut ann, &mut bob] {
        assert_eq!((number(client).await, number(client).await), (json!(2), json!(3)), "late, but in order");
    }
    one.tell([4]);
    assert_eq!(number(&mut ann).await, 4);
    for client in [&mut ann, &mut bob] {
        client.client.kill();
    }
    one.sessions(3).await;
    one.tell([5]);
    let (_, missed, recovered) = ann.again().await;
    assert_eq!((missed, recovered), (numbers([5]), true), "here, everything is known");
    link.reconnect();
    for again in 6.. {
        one.tell([again]);
        assert_eq!(number(&mut ann).await, again);
        if ann.ticket.offset.as_deref().is_some_and(|offset| offset.contains('-')) {
            break;
        }
    }
    for client in [&mut bob, &mut eve] {
        client.turn_to(other.server.addr);
        assert!(!client.again().await.2, "there, nobody knows what it has got");
    }
    for next in 2..=6 {
        assert_eq!(number(&mut far).await, next, "other servers get it all, late");
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    /// Of a server, to everybody.
    All(usize),
    /// Of a server, to a room.
    Room(usize),
    /// Of a server, to everybody but a room.
    Except(usize),
    /// Of a server, to one client.
    One(usize, usize),
    Join(usize),
    Leave(usize),
    /// The connection is cut, and its server notices. Then, it comes back to a server.
    Cut(usize),
    Return(usize, usize),
}

const CLIENTS: usize = 3;
const SERVERS: usize = 2;

fn step() -> impl Strategy<Value = Step> {
    let (who, server) = (0..CLIENTS, 0..SERVERS);
    prop_oneof![
        4 => server.clone().prop_map(Step::All),
        3 => server.clone().prop_map(Step::Room),
        2 => server.clone().prop_map(Step::Except),
        2 => (server.clone(), who.clone()).prop_map(|(server, who)| Step::One(server, who)),
        2 => who.clone().prop_map(Step::Join),
        1 => who.clone().prop_map(Step::Leave),
        2 => who.clone().prop_map(Step::Cut),
        3 => (who, server).prop_map(|(who, server)| Step::Return(who, server)),
    ]
}

struct Player {
    client: Returning,
    house: usize,
    connected: bool,
    in_room: bool,
    expected: Vec<u64>,
    seen: Vec<u64>,
}

impl Player {
    fn see(&mut self, args: &[Value]) {
        self.seen.push(args[0].as_u64().expect("a number"));
    }

    /// Reads what it is still to get.
    async fn read(&mut self) {
        while self.seen.len() < self.expected.len() {
            let args = self.client.event().await.args();
            self.see(&args);
        }
        assert_eq!(self.seen, self.expected);
    }

    async fn cut(&mut self, houses: &[House]) {
        if !std::mem::replace(&mut self.connected, false) {
            return;
        }
        self.client.client.start_reading().await;
        self.client.client.kill();
        let sid = &self.client.ticket.sid;
        let all = houses[self.house].all();
        eventually("the loss is noticed", || all.sockets().iter().all(|socket| socket.id().to_string() != *sid)).await;
    }

    async fn back(&mut self, houses: &[House], house: usize) {
        self.cut(houses).await;
        self.house = house;
        self.client.turn_to(houses[house].server.addr);
        let (_, missed, recovered) = self.client.again().await;
        assert!(recovered);
        self.connected = true;
        missed.iter().for_each(|args| self.see(args));
    }
}

async fn play(steps: Vec<Step>) {
    let cluster = Memory::new();
    let houses = [(); SERVERS].map(|()| House::open(cluster.clone(), Recovery::new()));
    let mut players = Vec::new();
    for at in 0..CLIENTS {
        let client = houses[at % SERVERS].join(Transport::WebSocket).await;
        let (expected, seen) = (Vec::new(), Vec::new());
        players.push(Player { client, house: at % SERVERS, connected: true, in_room: false, expected, seen });
    }
    for (number, step) in steps.into_iter().enumerate() {
        let number = number as u64;
        let mut expect = |addressed: &dyn Fn(usize, &Player) -> bool| {
            for (at, player) in players.iter_mut().enumerate() {
                if addressed(at, player) {
                    player.expected.push(number);
                }
            }
        };
        match step {
            Step::All(house) => {
                expect(&|_, _| true);
                houses[house].all().emit_raw("n", (number,)).expect("JSON");
            }
            Step::Room(house) => {
                expect(&|_, player| player.in_room);
                houses[house].all().to("room").emit_raw("n", (number,)).expect("JSON");
            }
            Step::Except(house) => {
                expect(&|_, player| !player.in_room);
                houses[house].all().except("room").emit_raw("n", (number,)).expect("JSON");
            }
            Step::One(house, who) => {
                expect(&|at, _| at == who);
                let id = players[who].client.ticket.sid.as_str();
                houses[house].all().to(id).emit_raw("n", (number,)).expect("JSON");
            }
            Step::Join(who) | Step::Leave(who) if players[who].connected => {
                let player = &mut players[who];
                // An event is delivered by the rooms that its receivers are in when it has its place in the journal.
                player.expected.push(number);
                let own = houses[player.house].all().to(player.client.ticket.sid.as_str());
                own.emit_raw("n", (number,)).expect("JSON");
                player.read().await;
                player.in_room = matches!(step, Step::Join(_));
                let event = if player.in_room { "join" } else { "leave" };
                player.client.client.call("/", json!([event, "room"])).await;
            }
            Step::Cut(who) => players[who].cut(&houses).await,
            Step::Return(who, house) => players[who].back(&houses, house).await,
            Step::Join(_) | Step::Leave(_) => {}
        }
    }
    for player in &mut players {
        let house = 1 - player.house;
        player.back(&houses, house).await;
        player.read().await;
    }
    for house in &houses {
        house.all().emit_raw("n", (u64::MAX,)).expect("JSON");
        for player in &mut players {
            assert_eq!(number(&mut player.client).await, u64::MAX, "nothing else was on its way");
        }
    }
}

#[test]
fn every_event_comes_once_and_in_order_on_whatever_server() {
    let config = ProptestConfig { cases: 24, failure_persistence: None, max_shrink_iters: 20, ..ProptestConfig::default() };
    proptest!(config, |(steps in proptest::collection::vec(step(), 0..40))| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        runtime.block_on(play(steps));
    });
}
