//! Random schedules of events, losses and returns: every event reaches those it was for, in order, and nobody twice.

use crate::{
    client::Transport,
    returning::Returning,
    script::{basic, script},
    server::Server,
};
use proptest::prelude::*;
use serde_json::json;
use socketio::{NamespaceHandle, Recovery, SocketIo, Untyped};

const CLIENTS: usize = 3;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// To everybody.
    All,
    /// To a room, sent to it once or twice.
    Room(bool),
    /// To everybody but a room.
    Except,
    /// To one client.
    One(usize),
    Join(usize),
    Leave(usize),
    /// Reads everything.
    Read(usize),
    /// The connection is cut, and the server may notice.
    Cut(usize),
    /// Another connection, whether the last one is cut or not.
    Return(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..CLIENTS;
    prop_oneof![
        4 => Just(Step::All),
        3 => any::<bool>().prop_map(Step::Room),
        2 => Just(Step::Except),
        2 => who.clone().prop_map(Step::One),
        2 => who.clone().prop_map(Step::Join),
        1 => who.clone().prop_map(Step::Leave),
        2 => who.clone().prop_map(Step::Read),
        2 => who.clone().prop_map(Step::Cut),
        3 => who.prop_map(Step::Return),
    ]
}

struct Player {
    client: Returning,
    connected: bool,
    in_room: bool,
    expected: Vec<u64>,
    seen: Vec<u64>,
}

impl Player {
    fn see(&mut self, events: Vec<Vec<serde_json::Value>>) {
        self.seen.extend(events.iter().map(|args| args[0].as_u64().expect("a number")));
    }

    async fn back(&mut self) {
        let (_, missed, recovered) = self.client.again().await;
        assert!(recovered);
        self.connected = true;
        self.see(missed);
    }
}

async fn play(steps: Vec<Step>, transport: Transport) {
    let (connect, mut ended) = script(basic);
    let io = SocketIo::builder().connection_state_recovery(Recovery::new()).namespace_at::<Untyped, _>("/", connect).build();
    let server = Server::start(&io);
    let mut players = Vec::new();
    for _ in 0..CLIENTS {
        let client = Returning::join(server.addr, transport).await;
        players.push(Player { client, connected: true, in_room: false, expected: Vec::new(), seen: Vec::new() });
    }
    let everybody: NamespaceHandle<Untyped> = io.at("/").expect("it is registered");
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
            Step::All => {
                expect(&|_, _| true);
                everybody.emit_raw("n", (number,)).expect("JSON");
            }
            Step::Room(twice) => {
                expect(&|_, player| player.in_room);
                let rooms = everybody.to("room");
                let rooms = if twice { rooms.to("room") } else { rooms };
                rooms.emit_raw("n", (number,)).expect("JSON");
            }
            Step::Except => {
                expect(&|_, player| !player.in_room);
                everybody.except("room").emit_raw("n", (number,)).expect("JSON");
            }
            Step::One(who) => {
                expect(&|at, _| at == who);
                everybody.to(players[who].client.ticket.sid.as_str()).emit_raw("n", (number,)).expect("JSON");
            }
            // For who is cut off the server does it, whether it has noticed or not.
            Step::Join(who) | Step::Leave(who) => {
                let (player, joins) = (&mut players[who], matches!(step, Step::Join(_)));
                player.in_room = joins;
                let own = everybody.to(player.client.ticket.sid.as_str());
                match (player.connected, joins) {
                    (true, _) => {
                        player.client.client.call("/", json!([if joins { "join" } else { "leave" }, "room"])).await;
                        let read = player.client.events().await;
                        player.see(read);
                    }
                    (false, true) => own.sockets_join("room"),
                    (false, false) => own.sockets_leave("room"),
                }
            }
            Step::Read(who) if players[who].connected => {
                let read = players[who].client.events().await;
                players[who].see(read);
            }
            Step::Cut(who) if players[who].connected => {
                players[who].client.client.start_reading().await;
                players[who].client.client.kill();
                players[who].connected = false;
            }
            Step::Return(who) => players[who].back().await,
            Step::Read(_) | Step::Cut(_) => {}
        }
    }
    for player in &mut players {
        player.back().await;
        let read = player.client.events().await;
        player.see(read);
        assert_eq!(player.seen, player.expected);
    }
    assert!(ended.try_recv().is_err(), "no session has ended");
}

/// Events of many threads at once, to everybody and to one, while clients come back all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_order_of_offsets_is_the_order_of_delivery() {
    const THREADS: u64 = 4;
    const EVENTS: u64 = 5000;
    let (connect, _ended) = script(basic);
    let io = SocketIo::builder().connection_state_recovery(Recovery::new()).namespace_at::<Untyped, _>("/", connect).build();
    let server = Server::start(&io);
    let mut client = Returning::join(server.addr, Transport::WebSocket).await;
    let everybody: NamespaceHandle<Untyped> = io.at("/").expect("it is registered");
    let socket = everybody.sockets().remove(0);
    let emit = |thread: u64| {
        let (everybody, socket) = (everybody.clone(), socket.clone());
        std::thread::spawn(move || {
            for number in 0..EVENTS {
                match thread % 2 {
                    0 => everybody.emit_raw("n", (thread, number)).expect("JSON"),
                    _ => socket.emit_raw("n", (thread, number)).expect("it is kept"),
                }
            }
        })
    };
    let threads: Vec<_> = (0..THREADS).map(emit).collect();
    let mut next = [0; THREADS as usize];
    let mut see = |args: &[serde_json::Value]| {
        let thread = &mut next[args[0].as_u64().expect("a number") as usize];
        assert_eq!(args[1], *thread);
        *thread += 1;
        next.iter().sum::<u64>()
    };
    let mut seen = 0;
    while seen < THREADS * EVENTS {
        // Whoever reads a few and leaves has many more on the way.
        for _ in 0..4000.min(THREADS * EVENTS - seen) {
            seen = see(&client.event().await.args());
        }
        let (_, missed, recovered) = client.again().await;
        assert!(recovered);
        missed.iter().for_each(|args| seen = see(args));
    }
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_comes_twice(
        steps in prop::collection::vec(step(), 1..60),
        transport in prop_oneof![Just(Transport::Polling), Just(Transport::WebSocket), Just(Transport::Upgraded)],
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        runtime.block_on(play(steps, transport));
    }
}
