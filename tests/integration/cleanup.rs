//! Nothing is left behind: after panics, after clients that die at any moment, after replies that nobody waits for.

use crate::{
    client::{Client, Transport, prefix},
    http1::Http,
    script::{basic, first, script},
    server::{Server, eventually},
};
use futures_util::SinkExt;
use serde_json::json;
use socketio::{
    Auth, Body, CallError, ConnectError, DisconnectReason, Incoming, NamespaceHandle, Outcome, Service, Socket, SocketIo, Untyped,
};
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::AsyncWriteExt,
    sync::{Notify, Semaphore},
};
use tokio_tungstenite::tungstenite::Message;

const LATE: Duration = Duration::from_secs(15);

/// Counts sessions that live, and panics wherever its client wants it to.
struct Fragile {
    socket: Socket<Untyped>,
    panics_in: String,
    alive: Arc<AtomicUsize>,
}

impl Service for Fragile {
    async fn event(self: Arc<Self>, event: Incoming) -> Outcome {
        if event.name() == "boom" {
            assert_ne!(self.panics_in, "event", "on purpose");
        }
        if event.name() == "later boom" {
            tokio::task::yield_now().await;
            panic!("on purpose");
        }
        basic(self.socket.clone(), event).await
    }

    async fn disconnected(self: Arc<Self>, _: DisconnectReason) {
        assert_ne!(self.panics_in, "disconnect", "on purpose");
        tokio::task::yield_now().await;
        assert_ne!(self.panics_in, "later disconnect", "on purpose");
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::SeqCst);
        assert!(self.panics_in != "drop" || std::thread::panicking(), "on purpose");
    }
}

fn fragile() -> (SocketIo, Server, Arc<AtomicUsize>) {
    let alive = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&alive);
    let connect = move |socket: Socket<Untyped>, Auth(auth): Auth<serde_json::Value>| {
        let alive = Arc::clone(&counted);
        async move {
            socket.join("room");
            let panics_in = auth["panicsIn"].as_str().unwrap_or_default().to_owned();
            assert_ne!(panics_in, "connect", "on purpose");
            tokio::task::yield_now().await;
            assert_ne!(panics_in, "later connect", "on purpose");
            alive.fetch_add(1, Ordering::SeqCst);
            Ok::<_, ConnectError>(Fragile { socket, panics_in, alive })
        }
    };
    let io = SocketIo::builder()
        .namespace_at::<Untyped, _>("/", connect.clone())
        .namespace_matching::<Untyped, _>(|path| path.starts_with("/dyn/"), connect)
        .build();
    (io.clone(), Server::start(&io), alive)
}

fn root(io: &SocketIo) -> NamespaceHandle<Untyped> {
    io.at::<Untyped>("/").expect("registered")
}

async fn nothing_is_left(io: &SocketIo) {
    eventually("everything is cleaned up", || root(io).is_empty() && io.connections() == 0 && io.namespaces() == ["/"]).await;
    assert!(root(io).to("room").fetch_sockets().await.expect("alone").is_empty());
}

over_all_transports! {
    async fn panics_everywhere(transport) {
        let (io, server, alive) = fragile();
        let mut bystander = Client::joined(server.addr, transport).await;
        for namespace in ["/", "/dyn/1"] {
            for place in ["connect", "later connect", "event", "disconnect", "later disconnect", "drop"] {
                let mut client = Client::connect(server.addr, transport).await;
                let joined = client.try_join(namespace, Some(json!({ "panicsIn": place }))).await;
                if place.ends_with("connect") && !place.ends_with("disconnect") {
                    assert_eq!(joined, Err(json!({ "message": "internal error" })), "{place}");
                    // It did not get in, and may try again.
                    client.join(namespace, None).await;
                } else {
                    joined.expect("it gets in");
                }
                client.ask(namespace, json!(["boom"])).await;
                client.ask(namespace, json!(["later boom"])).await;
                assert_eq!(client.call(namespace, json!(["echo", place])).await, json!([place]), "the connection goes on");
                assert_eq!(client.call(namespace, json!(["rooms"])).await, json!([["room"]]));
                client.leave(namespace).await;
                client.join(namespace, None).await;
                client.close().await;
                eventually("its sessions are dropped", || alive.load(Ordering::SeqCst) == 1).await;
                eventually("its connection ends", || io.connections() == 1).await;
                assert_eq!((root(&io).len(), io.namespaces()), (1, vec!["/".to_owned()]), "{namespace} {place}");
            }
        }
        assert_eq!(bystander.call("/", json!(["echo", 1])).await, json!([1]));
        bystander.close().await;
        nothing_is_left(&io).await;
    }

    async fn children_of_dynamic_namespaces_come_and_go(transport) {
        let (io, server, _) = fragile();
        let mut a = Client::connect(server.addr, transport).await;
        let mut b = Client::connect(server.addr, transport).await;
        a.join("/dyn/1", None).await;
        b.join("/dyn/1", None).await;
        b.join("/dyn/2", None).await;
        assert_eq!(io.namespaces(), ["/", "/dyn/1", "/dyn/2"]);
        io.at::<Untyped>("/dyn/1").expect("it matches").emit_raw("to one", ()).expect("JSON");
        a.expect("/dyn/1", json!(["to one"])).await;
        b.expect("/dyn/1", json!(["to one"])).await;
        assert!(io.at::<Untyped>("/other").is_none());
        a.leave("/dyn/1").await;
        b.leave("/dyn/2").await;
        eventually("the second child goes", || io.namespaces() == ["/", "/dyn/1"]).await;
        b.try_join("/dyn/3", Some(json!({ "panicsIn": "connect" }))).await.expect_err("it panics");
        eventually("a child that nobody got into goes", || io.namespaces() == ["/", "/dyn/1"]).await;
        let handle = io.at::<Untyped>("/dyn/1").expect("it matches");
        b.close().await;
        a.close().await;
        eventually("all have gone", || handle.is_empty() && io.connections() == 0).await;
        drop(handle);
        nothing_is_left(&io).await;
    }

    async fn a_client_dies_while_its_connect_handler_runs(transport) {
        let gate = Arc::new(Semaphore::new(0));
        let entered = Arc::new(AtomicUsize::new(0));
        let (scripts, mut reports) = crate::script::Scripts::new(basic);
        let connect = {
            let (gate, entered) = (Arc::clone(&gate), Arc::clone(&entered));
            move |socket: Socket<Untyped>| {
                let (gate, entered, scripts) = (Arc::clone(&gate), Arc::clone(&entered), scripts.clone());
                async move {
                    socket.join("room");
                    let question = socket.timeout(LATE).ask_body(Body::event("question", &()).expect("JSON"));
                    entered.fetch_add(1, Ordering::SeqCst);
                    gate.acquire().await.expect("it stays open").forget();
                    assert_eq!(question.await.expect_err("the client has gone"), CallError::Disconnected);
                    Ok::<_, ConnectError>(scripts.session(socket))
                }
            }
        };
        let io = SocketIo::builder().namespace_at::<Untyped, _>("/", connect).build();
        let server = Server::start(&io);
        let mut client = Client::connect(server.addr, transport).await;
        client.send("0").await;
        eventually("the handler runs", || entered.load(Ordering::SeqCst) == 1).await;
        client.start_reading().await;
        client.kill();
        // It joins again under way, which is a violation, and the connection is closed by the server.
        let mut twice = Client::connect(server.addr, transport).await;
        twice.send("0").await;
        twice.send("0").await;
        assert_eq!(twice.rest().await, []);
        eventually("both handlers run", || entered.load(Ordering::SeqCst) == 2).await;
        gate.add_permits(2);
        drop(twice);
        nothing_is_left(&io).await;
        assert!(reports.try_recv().is_err(), "who never got in does not leave");
    }

    async fn a_client_dies_between_attachments(transport) {
        let (io, server, _) = fragile();
        let mut client = Client::joined(server.addr, transport).await;
        client.send(r#"53-["echo",{"_placeholder":true,"num":0}]"#).await;
        client.send_binary(&[1; 1000]).await;
        client.start_reading().await;
        client.kill();
        nothing_is_left(&io).await;
    }

    async fn a_client_dies_while_handlers_wait_for_it(transport) {
        let (done, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let state = (Arc::clone(&done), Arc::clone(&gate));
        let (connect, mut reports) = script(move |socket, event| {
            let (done, gate) = state.clone();
            async move {
                match event.name() {
                    "ask" => {
                        let question = socket.timeout(LATE).ask_body(Body::event("question", &()).expect("JSON"));
                        assert_eq!(question.await.expect_err("the client has gone"), CallError::Disconnected);
                    }
                    "wait" => gate.notified().await,
                    _ => return Outcome::Done(None),
                }
                done.fetch_add(1, Ordering::SeqCst);
                Outcome::Done(None)
            }
        });
        let io = SocketIo::builder().namespace_at::<Untyped, _>("/", connect).build();
        let server = Server::start(&io);
        let mut client = Client::joined(server.addr, transport).await;
        for _ in 0..10 {
            client.ask("/", json!(["ask"])).await;
            client.event().await;
        }
        client.ask("/", json!(["wait"])).await;
        client.call("/", json!(["sync"])).await;
        client.start_reading().await;
        client.kill();
        reports.recv().await.expect("the hook runs");
        eventually("those who waited for the client know", || done.load(Ordering::SeqCst) == 10).await;
        assert_eq!(io.connections(), 1, "a handler is in flight");
        gate.notify_one();
        nothing_is_left(&io).await;
        assert_eq!(done.load(Ordering::SeqCst), 11, "it ran to its end");
    }
}

/// A handler's future that is done when it is polled for the last time, and panics when it is dropped.
struct Bomb {
    polls: u32,
}

impl Future for Bomb {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        if self.polls == 0 {
            return Poll::Ready(Outcome::Done(None));
        }
        self.polls -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "on purpose");
    }
}

struct Bomber;

impl Service for Bomber {
    fn event(self: Arc<Self>, event: Incoming) -> impl Future<Output = Outcome> + Send {
        Bomb { polls: first(&event).as_u64().expect("a number") as u32 }
    }
}

over_all_transports! {
    async fn a_handler_that_panics_when_it_is_dropped(transport) {
        let connect = |_: Socket<Untyped>| std::future::ready(Ok::<_, ConnectError>(Bomber));
        let io = SocketIo::builder().namespace_at::<Untyped, _>("/", connect).build();
        let server = Server::start(&io);
        let mut client = Client::joined(server.addr, transport).await;
        for polls in [0, 1, 5, 0] {
            assert_eq!(client.call("/", json!(["bomb", polls])).await, json!([]), "after {polls} polls");
        }
        assert_eq!(root(&io).len(), 1, "the connection lives");
        client.close().await;
        nothing_is_left(&io).await;
    }
}

#[tokio::test]
async fn a_client_dies_in_the_middle_of_an_upgrade() {
    let (io, server, _) = fragile();
    for stage in 0..4 {
        let mut client = Client::joined(server.addr, Transport::Polling).await;
        let mut probe = client.probe().await;
        if stage > 0 {
            probe.send(Message::text("2probe")).await.expect("open");
        }
        if stage == 2 {
            // The WebSocket dies alone: the session goes on.
            drop(probe);
            assert_eq!(client.call("/", json!(["echo", 1])).await, json!([1]));
            client.upgrade().await;
            assert_eq!(client.call("/", json!(["echo", 2])).await, json!([2]));
            client.close().await;
        } else {
            client.start_reading().await;
            if stage == 3 {
                probe.send(Message::text("5")).await.expect("open");
            }
            client.kill();
            drop(probe);
        }
        nothing_is_left(&io).await;
    }
}

#[tokio::test]
async fn a_client_dies_in_the_middle_of_a_request() {
    let (io, server, _) = fragile();
    // Half a handshake: there is no session yet.
    let mut half = Http::open(server.addr).await;
    half.stream.write_all(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHos").await.expect("open");
    drop(half);
    // A WebSocket handshake whose answer nobody reads.
    let mut unread = Http::open(server.addr).await;
    let upgrade = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    unread.send("GET", "/socket.io/?EIO=4&transport=websocket", &upgrade, b"").await;
    eventually("the session exists", || io.connections() == 1).await;
    unread.stream.set_zero_linger().expect("open");
    drop(unread);
    nothing_is_left(&io).await;
    // Half a POST.
    let client = Client::joined(server.addr, Transport::Polling).await;
    let mut post = Http::open(server.addr).await;
    let head =
        format!("POST /socket.io/?EIO=4&transport=polling&sid={} HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n42[", client.sid);
    post.stream.write_all(head.as_bytes()).await.expect("open");
    drop(post);
    nothing_is_left(&io).await;
}

#[tokio::test]
async fn replies_that_nobody_waits_for_leave_nothing() {
    let (io, server, alive) = fragile();
    let mut client = Client::joined(server.addr, Transport::WebSocket).await;
    let socket = root(&io).sockets().remove(0);
    for _ in 0..1000 {
        drop(socket.timeout(LATE).ask_body(Body::event("dropped", &()).expect("JSON")));
        drop(socket.namespace().timeout(LATE).ask_body(Body::event("dropped", &()).expect("JSON")));
    }
    let late = socket.timeout(Duration::from_millis(1)).ask_body(Body::event("late", &()).expect("JSON"));
    assert_eq!(late.await.expect_err("nobody answers"), CallError::Timeout);
    for _ in 0..2001 {
        let asked = client.event().await;
        client.acknowledge(&asked, json!([])).await;
    }
    assert_eq!(client.call("/", json!(["echo", 1])).await, json!([1]));
    drop(socket);
    client.close().await;
    nothing_is_left(&io).await;
    eventually("the session is dropped", || alive.load(Ordering::SeqCst) == 0).await;
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

async fn one_life(addr: std::net::SocketAddr, dice: &mut Dice) {
    let transport = [Transport::Polling, Transport::WebSocket, Transport::Upgraded][dice.roll(3) as usize];
    let mut client = Client::connect(addr, transport).await;
    if dice.roll(8) == 0 {
        return client.kill();
    }
    let namespace = ["/", "/dyn/1", "/dyn/2"][dice.roll(3) as usize];
    client.join(namespace, None).await;
    for n in 0..dice.roll(6) {
        match dice.roll(5) {
            0 => drop(client.call(namespace, json!(["join", format!("room {}", dice.roll(3))])).await),
            1 => drop(client.ask(namespace, json!(["later boom"])).await),
            2 => client.send(&format!("3{}999[]", prefix(namespace))).await,
            3 => drop(client.try_join("/nowhere", None).await),
            _ => assert_eq!(client.call(namespace, json!(["echo", n])).await, json!([n])),
        }
    }
    match dice.roll(6) {
        0 => client.leave(namespace).await,
        1 => client.close().await,
        2 => client.send_engine("x").await,
        3 if transport == Transport::Polling => drop(client.probe().await),
        4 => client.start_reading().await,
        _ => {}
    }
    if dice.roll(2) == 0 {
        client.kill();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_short_lives() {
    let (connect, _ended) = script(|socket, event| async move {
        assert_ne!(event.name(), "later boom", "on purpose");
        if event.name() == "join" {
            socket.to("room 1").emit_raw("somebody comes", ()).expect("JSON");
        }
        basic(socket, event).await
    });
    let io = SocketIo::builder()
        // Polling clients that are killed between two requests are noticed by their silence.
        .ping_interval(Duration::from_millis(500))
        .ping_timeout(Duration::from_millis(1500))
        .namespace_at::<Untyped, _>("/", connect.clone())
        .namespace_matching::<Untyped, _>(|path| path.starts_with("/dyn/"), connect)
        .build();
    let server = Server::start(&io);
    let addr = server.addr;
    let lives: Vec<_> = (0..24)
        .map(|seed| {
            tokio::spawn(async move {
                let mut dice = Dice(seed);
                for _ in 0..12 {
                    one_life(addr, &mut dice).await;
                }
            })
        })
        .collect();
    let noise = tokio::spawn({
        let io = io.clone();
        async move {
            let mut dice = Dice(99);
            for n in 0u64.. {
                let path = ["/", "/dyn/1", "/dyn/2"][dice.roll(3) as usize];
                let namespace = io.at::<Untyped>(path).expect("it matches");
                match dice.roll(4) {
                    0 => namespace.emit_raw("noise", (n,)).expect("JSON"),
                    1 => namespace.sockets_join(format!("room {}", dice.roll(3))),
                    2 => namespace.to("room 1").except("room 2").emit_raw("noise", (n,)).expect("JSON"),
                    _ => {
                        let asked = namespace.timeout(Duration::from_millis(3)).ask_body(Body::event("who", &()).expect("JSON"));
                        asked.await;
                    }
                }
                tokio::time::sleep(Duration::from_micros(300)).await;
            }
        }
    });
    for life in lives {
        life.await.expect("no panic");
    }
    noise.abort();
    // Aborted means gone only when it is awaited.
    let _ = noise.await;
    nothing_is_left(&io).await;
}
