//! The soak: lives of clients, many at a time, each with its own death, in rounds; after each round nothing is left.

use crate::{
    client::{Client, Options, Transport, prefix, within},
    http1::Http,
    leaks::{descriptors, memory_kib},
    number, say,
    server::Server,
};
use futures_util::SinkExt as _;
use serde_json::json;
use socketio::{Body, ConnectError, DisconnectReason, Incoming, Outcome, Service, Socket, SocketIo, Untyped};
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{io::AsyncWriteExt as _, time::Instant};
use tokio_tungstenite::tungstenite::Message;

/// The time between two looks for leaks. In a soak with shorter ones, clients that break the rules fetch the rest.
const ROUND: Duration = Duration::from_secs(10);
/// A polling client that the server has closed may take 30 s to fetch the rest, and some never do.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a round may leave in the allocator's pools beyond the first one.
const SLACK_KIB: u64 = 32 << 10;

/// Counts itself.
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Alive(Arc::clone(count))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[derive(Clone, Default)]
struct World {
    sessions: Arc<AtomicUsize>,
    handlers: Arc<AtomicUsize>,
    ends: Arc<Mutex<HashMap<DisconnectReason, usize>>>,
}

struct Session {
    socket: Socket<Untyped>,
    world: World,
    _alive: Alive,
}

impl Service for Session {
    async fn event(self: Arc<Self>, event: Incoming) -> Outcome {
        let _alive = Alive::new(&self.world.handlers);
        let room = event.raw_args().get::<String>(0).unwrap_or_default();
        match event.name() {
            "join" => self.socket.join(room),
            "leave" => self.socket.leave(&room),
            "say" => drop(self.socket.to(room).emit_raw("said", ("x".repeat(200),))),
            "ask" => {
                let question = Body::event("question", &()).expect("JSON");
                drop(self.socket.timeout(Duration::from_millis(200)).ask_body(question).await);
            }
            "wait" => tokio::time::sleep(Duration::from_millis(20)).await,
            "flood" => {
                for _ in 0..64 {
                    // It does not read, and is disconnected for it.
                    let _ = self.socket.emit_raw("flood", ("x".repeat(16 << 10),));
                }
            }
            "panic" => panic!("on purpose"),
            _ => return Outcome::Done(Some(event.raw_args().to_body())),
        }
        Outcome::Done(None)
    }

    async fn disconnected(self: Arc<Self>, reason: DisconnectReason) {
        let _alive = Alive::new(&self.world.handlers);
        *self.world.ends.lock().expect("no panic").entry(reason).or_default() += 1;
    }
}

fn server(world: &World) -> SocketIo {
    let world = world.clone();
    let connect = move |socket: Socket<Untyped>| {
        let world = world.clone();
        async move {
            tokio::task::yield_now().await;
            let alive = Alive::new(&world.sessions);
            Ok::<_, ConnectError>(Session { socket, world, _alive: alive })
        }
    };
    SocketIo::builder()
        // Polling clients that vanish between two requests are noticed by their silence.
        .ping_interval(Duration::from_millis(500))
        .ping_timeout(Duration::from_millis(2500))
        .max_buffered(256 << 10)
        .namespace_at::<Untyped, _>("/", connect.clone())
        .namespace_matching::<Untyped, _>(|path| path.starts_with("/dyn/"), connect)
        .build()
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

async fn life(addr: SocketAddr, dice: &mut Dice, long: bool) {
    let transport = [Transport::Polling, Transport::WebSocket, Transport::Upgraded][dice.roll(3) as usize];
    let options = Options { small_buffer: dice.roll(8) == 0, ..Options::default() };
    let mut client = Client::connect_with(addr, transport, options).await;
    if dice.roll(20) == 0 {
        return client.kill();
    }
    let path = ["/", "/dyn/1", "/dyn/2", "/dyn/3"][dice.roll(4) as usize];
    client.join(path, None).await;
    for n in 0..dice.roll(6) {
        let room = format!("room {}", dice.roll(50));
        match dice.roll(8) {
            0 | 1 => drop(client.call(path, json!(["join", room])).await),
            2 => client.emit(path, json!(["say", room])).await,
            3 => client.emit(path, json!(["ask"])).await,
            4 => client.emit(path, json!(["wait"])).await,
            5 => drop(client.try_join("/nowhere", None).await),
            _ => assert_eq!(client.call(path, json!(["echo", n])).await, json!([n])),
        }
    }
    let broke_rules = death(&mut client, path, transport, dice, addr).await;
    if broke_rules && !long {
        client.rest().await;
    }
}

/// Waits until something that only shows by looking has happened.
async fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !happened() {
        assert!(Instant::now() < deadline, "did not happen: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// `true`: the server has a reason to close the connection.
async fn death(client: &mut Client, path: &str, transport: Transport, dice: &mut Dice, addr: SocketAddr) -> bool {
    let way = dice.roll(13);
    match way {
        0 => client.leave(path).await,
        1 => client.close().await,
        2 => client.kill(),
        3 => {
            client.start_reading().await;
            client.kill();
        }
        // Breaks Engine.IO, Socket.IO, JSON.
        4 => client.send_engine("x").await,
        5 => client.send(&format!("0{}", prefix(path))).await,
        6 => client.send(&format!("2{}[\"echo\"", prefix(path))).await,
        // Dies between a packet and its attachment, with a handler under way, in a panic.
        7 => client.send(r#"51-["echo",{"_placeholder":true,"num":0}]"#).await,
        8 => client.emit(path, json!(["wait"])).await,
        9 => client.emit(path, json!(["panic"])).await,
        // Does not read.
        10 => client.emit(path, json!(["flood"])).await,
        11 if transport == Transport::Polling => {
            let mut probe = client.probe().await;
            let _ = probe.send(Message::text("2probe")).await;
        }
        12 if transport == Transport::Polling => {
            let mut post = Http::open(addr).await;
            let target = format!("/socket.io/?EIO=4&transport=polling&sid={}", client.sid);
            let head = format!("POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n42[");
            let _ = post.stream.write_all(head.as_bytes()).await;
        }
        // Is simply gone.
        _ => {}
    }
    (4..=6).contains(&way)
}

/// Lives for so long, and then nothing is left.
async fn round(io: &SocketIo, addr: SocketAddr, world: &World, clients: u64, time: Duration, number: u64) -> usize {
    let (end, long) = (Instant::now() + time, time >= ROUND);
    let lives: Vec<_> = (0..clients)
        .map(|seed| {
            tokio::spawn(async move {
                let mut dice = Dice(number << 32 | seed);
                let mut count = 0;
                while Instant::now() < end {
                    life(addr, &mut dice, long).await;
                    count += 1;
                }
                count
            })
        })
        .collect();
    let mut count = 0;
    for life in lives {
        count += life.await.expect("no panic");
    }
    let empty = || {
        let nobody = io.at::<Untyped>("/").is_some_and(|root| root.is_empty());
        nobody && io.connections() == 0 && io.namespaces() == ["/"]
    };
    eventually("all connections, sockets and namespaces have gone", empty).await;
    eventually("all sessions are dropped", || world.sessions.load(Ordering::SeqCst) == 0).await;
    assert_eq!(world.handlers.load(Ordering::SeqCst), 0, "handlers in flight");
    count
}

#[test]
fn nothing_is_left_of_thousands() {
    // Panics on purpose are not worth a line each.
    std::panic::set_hook(Box::new(|panic| {
        if panic.payload().downcast_ref::<&str>() != Some(&"on purpose") {
            say(format_args!("{panic}"));
        }
    }));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    // Off the main thread, so that all tasks are counted.
    runtime.block_on(async { tokio::spawn(soak()).await }).expect("no panic");
}

async fn soak() {
    let (time, clients) = (Duration::from_secs(number("SOAK_SECONDS", 2)), number("SOAK_CLIENTS", 100));
    let world = World::default();
    let io = server(&world);
    let server = Server::start(&io);
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let (tasks_before, descriptors_before) = (tasks(), descriptors());
    let (end, mut count, mut rounds, mut first_kib) = (Instant::now() + time, 0, 0, None);
    while rounds < 2 || Instant::now() < end {
        count += round(&io, server.addr, &world, clients, ROUND.min(time / 2), rounds).await;
        rounds += 1;
        // HTTP connections of the dead end a little later.
        eventually("all tasks have ended", || tasks() <= tasks_before).await;
        eventually("all descriptors are closed", || descriptors() <= descriptors_before).await;
        let kib = memory_kib(std::process::id(), "VmRSS");
        say(format_args!("soak: round {rounds}, {count} lives, {} tasks, {} descriptors, {kib:?} KiB", tasks(), descriptors()));
        if let (Some(first), Some(kib)) = (*first_kib.get_or_insert(kib), kib) {
            assert!(kib <= first + first / 2 + SLACK_KIB, "memory grows: {first} KiB after the first round, {kib} KiB now");
        }
    }
    let ends = world.ends.lock().expect("no panic").clone();
    say(format_args!("soak: {ends:?}"));
    for reason in [
        DisconnectReason::ClientNamespace,
        DisconnectReason::TransportClose,
        DisconnectReason::ForcedClose,
        DisconnectReason::ParseError,
        DisconnectReason::PingTimeout,
        DisconnectReason::SlowConsumer,
    ] {
        assert!(ends.contains_key(&reason), "nobody died of `{reason}`: {ends:?}");
    }
    let mut clients = Vec::new();
    for _ in 0..60 {
        clients.push(Client::joined(server.addr, Transport::WebSocket).await);
    }
    let readers: Vec<_> = clients.into_iter().map(|mut client| tokio::spawn(async move { client.rest().await })).collect();
    let report = within("the end of the shutdown", io.shutdown(Duration::from_secs(10)).into_future()).await;
    assert!(report.is_clean() && report.sockets == 60, "{report:?}");
    for reader in readers {
        reader.await.expect("no panic");
    }
    assert_eq!((world.sessions.load(Ordering::SeqCst), io.connections()), (0, 0));
}
