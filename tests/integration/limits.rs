//! Bursts, back-pressure, slow consumers and the sizes of messages.

use crate::{
    client::{Client, Frame, Options, Transport, within},
    http1::Http,
    script::{ack, basic, first, script},
    server::{Server, eventually},
};
use serde_json::json;
use socketio::{ConnectError, DisconnectReason, Incoming, Outcome, Service, Socket, SocketIo, Untyped};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

over_all_transports! {
    async fn a_burst_in_one_handler_loses_nothing(transport) {
        const EVENTS: u64 = 10_000;
        let (connect, _ended) = script(|socket, event| async move {
            if event.name() == "burst" {
                for n in 0..EVENTS {
                    socket.emit_raw("n", (n,)).expect("there is room");
                }
            }
            basic(socket, event).await
        });
        let io = SocketIo::builder().namespace_at::<Untyped, _>("/", connect).build();
        let server = Server::start(&io);
        let mut client = Client::joined(server.addr, transport).await;
        let burst = client.ask("/", json!(["burst"])).await;
        for n in 0..EVENTS {
            client.expect("/", json!(["n", n])).await;
        }
        assert_eq!(client.packet().await.id, Some(burst), "the acknowledgement comes last");
    }

    async fn ten_thousand_pipelined_echoes(transport) {
        const EVENTS: u64 = 10_000;
        let (connect, _ended) = script(basic);
        let io = SocketIo::builder().namespace_at::<Untyped, _>("/", connect).build();
        let server = Server::start(&io);
        let mut client = Client::joined(server.addr, transport).await;
        client.send_all((0..EVENTS).map(|n| format!("2{n}[\"echo\",{n}]"))).await;
        for n in 0..EVENTS {
            let answer = client.packet().await;
            assert_eq!((answer.id, answer.data), (Some(n), json!([n])));
        }
    }

    async fn namespaces_of_one_connection_are_limited(transport) {
        let (connect, _ended) = script(basic);
        let builder = SocketIo::builder().namespaces_per_connection(2);
        let io = builder.namespace_matching::<Untyped, _>(|_| true, connect).build();
        let server = Server::start(&io);
        let mut client = Client::connect(server.addr, transport).await;
        client.join("/1", None).await;
        client.join("/2", None).await;
        let refused = client.try_join("/3", None).await.expect_err("two are enough");
        assert_eq!(refused, json!({ "message": "too many namespaces" }));
        client.leave("/1").await;
        client.join("/3", None).await;
    }

    async fn a_message_larger_than_the_buffer_is_delivered(transport) {
        let (connect, _ended) = script(|socket, event| async move {
            if event.name() == "big" {
                socket.emit_raw("big", ("x".repeat(first(&event).as_u64().expect("a size") as usize),)).expect("nothing else waits");
            }
            Outcome::Done(None)
        });
        let io = SocketIo::builder().max_buffered(10_000).namespace_at::<Untyped, _>("/", connect).build();
        let server = Server::start(&io);
        let mut client = Client::joined(server.addr, transport).await;
        for size in [9_999, 100_000, 3_000_000] {
            client.ask("/", json!(["big", size])).await;
            assert_eq!(client.packet().await.args()[0].as_str().map(str::len), Some(size));
            assert_eq!(client.packet().await.kind, 3);
        }
    }

    async fn the_largest_message_of_a_client(transport) {
        let (connect, mut ended) = script(basic);
        let io = SocketIo::builder().max_payload(1000).namespace_at::<Untyped, _>("/", connect).build();
        let server = Server::start(&io);
        let mut client = Client::joined(server.addr, transport).await;
        assert_eq!(client.handshake["maxPayload"], json!(1000));
        let frame = |length: usize| {
            let frame = r#"2["echo",""]"#;
            frame.replacen("\"\"]", &format!("\"{}\"]", "x".repeat(length - 1 - frame.len())), 1)
        };
        client.send(&frame(1000)).await;
        assert_eq!(client.call("/", json!(["echo", 1])).await, json!([1]), "exactly the limit is fine");
        if transport == Transport::Polling {
            let target = format!("/socket.io/?EIO=4&transport=polling&sid={}", client.sid);
            let mut http = Http::open(server.addr).await;
            let refused = http.request("POST", &target, &[], format!("4{}", frame(1001)).as_bytes()).await;
            assert_eq!(refused.status, 413);
            assert_eq!(client.call("/", json!(["echo", 1])).await, json!([1]), "the session survives");
        } else {
            client.send(&frame(1001)).await;
            assert_eq!(client.rest().await, []);
            assert_eq!(ended.recv().await.expect("it ends").reason, DisconnectReason::TransportError);
        }
    }
}

/// Waits until a number has stopped to grow: what is to be in flight is in flight.
pub(crate) async fn settled(mut value: impl FnMut() -> usize) -> usize {
    let (mut last, mut since) = (value(), Instant::now());
    while since.elapsed() < Duration::from_millis(300) {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let now = value();
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
    last
}

async fn back_pressure(transport: Transport, events: usize) {
    let (released, gate) = watch::channel(false);
    let (started, finished) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let in_order = Arc::new(AtomicBool::new(true));
    let state = (Arc::clone(&started), Arc::clone(&finished), Arc::clone(&in_order));
    let (connect, mut ended) = script(move |_, event| {
        let ((started, finished, in_order), mut gate) = (state.clone(), gate.clone());
        async move {
            let number = started.fetch_add(1, Ordering::SeqCst);
            if first(&event) != json!(number) {
                in_order.store(false, Ordering::SeqCst);
            }
            gate.wait_for(|released| *released).await.expect("the test runs");
            finished.fetch_add(1, Ordering::SeqCst);
            Outcome::Done(None)
        }
    });
    let io = SocketIo::builder().namespace_at::<Untyped, _>("/", connect).build();
    let server = Server::start(&io);
    let mut client = Client::joined(server.addr, transport).await;
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let padding = "x".repeat(300);
    let client = tokio::spawn(async move {
        let texts = (0..events).map(|n| {
            counted.store(n + 1, Ordering::SeqCst);
            format!("2[\"n\",{n},\"{padding}\"]")
        });
        client.send_all(texts).await;
        client
    });
    eventually("all places are taken", || started.load(Ordering::SeqCst) == 256).await;
    let in_flight = settled(|| sent.load(Ordering::SeqCst)).await;
    assert!(in_flight < events / 2, "{in_flight} of {events} events were taken in while no handler was done");
    assert_eq!(started.load(Ordering::SeqCst), 256, "no more handlers than allowed");
    assert!(ended.try_recv().is_err(), "the client is alive");
    released.send(true).expect("handlers wait");
    let mut client = tokio::time::timeout(Duration::from_secs(60), client).await.expect("it goes on").expect("no panic");
    eventually("all events are handled", || finished.load(Ordering::SeqCst) == events).await;
    assert!(in_order.load(Ordering::SeqCst), "the order is kept");
    client.close().await;
    ended.recv().await.expect("it ends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn back_pressure_over_websocket() {
    back_pressure(Transport::WebSocket, 100_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn back_pressure_over_polling() {
    back_pressure(Transport::Polling, 20_000).await;
}

#[tokio::test]
async fn a_client_that_is_not_read_from_is_not_taken_for_dead() {
    let (released, gate) = watch::channel(false);
    let (connect, mut ended) = script(move |_, _| {
        let mut gate = gate.clone();
        async move {
            gate.wait_for(|released| *released).await.expect("the test runs");
            Outcome::Done(None)
        }
    });
    let io = SocketIo::builder()
        .handlers_per_socket(1)
        .ping_interval(Duration::from_millis(50))
        .ping_timeout(Duration::from_millis(200))
        .namespace_at::<Untyped, _>("/", connect)
        .build();
    let server = Server::start(&io);
    let mut client = Client::joined(server.addr, Transport::WebSocket).await;
    // Its pongs stand behind events that the server does not take in.
    client.send_all((0..1000).map(|n| format!("2{n}[\"n\"]"))).await;
    let answers = tokio::spawn(async move {
        for n in 0..1000 {
            assert_eq!(client.packet().await.id, Some(n));
        }
        client
    });
    let dead = tokio::time::timeout(Duration::from_millis(1000), ended.recv()).await;
    assert!(dead.is_err(), "{dead:?}");
    released.send(true).expect("handlers wait");
    let mut client = answers.await.expect("no panic");
    assert_eq!(client.call("/", json!(["n"])).await, json!([]));
}

/// What a session of `leave_and_come_back` is slow with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slow {
    Events,
    Goodbyes,
}

/// A session that waits for the test before it is done with one of the two.
struct Sluggish {
    slow: Slow,
    gate: watch::Receiver<bool>,
    counts: Arc<[AtomicUsize; 2]>,
}

impl Sluggish {
    async fn work(&self) {
        let [started, finished] = &*self.counts;
        started.fetch_add(1, Ordering::SeqCst);
        self.gate.clone().wait_for(|released| *released).await.expect("the test runs");
        finished.fetch_add(1, Ordering::SeqCst);
    }
}

impl Service for Sluggish {
    async fn event(self: Arc<Self>, _: Incoming) -> Outcome {
        if self.slow == Slow::Events {
            self.work().await;
        }
        Outcome::Done(None)
    }

    async fn disconnected(self: Arc<Self>, _: DisconnectReason) {
        if self.slow == Slow::Goodbyes {
            self.work().await;
        }
    }
}

/// Joins, keeps some handlers busy, leaves and joins again, to get more handlers than it is due.
async fn leave_and_come_back(transport: Transport, slow: Slow, events: usize) {
    const HANDLERS: usize = 4;
    const ROUNDS: usize = 1000;
    let (released, gate) = watch::channel(false);
    let counts = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let connect = {
        let counts = Arc::clone(&counts);
        move |_: Socket<Untyped>| {
            let session = Sluggish { slow, gate: gate.clone(), counts: Arc::clone(&counts) };
            std::future::ready(Ok::<_, ConnectError>(session))
        }
    };
    let io = SocketIo::builder().handlers_per_socket(HANDLERS).namespace_at::<Untyped, _>("/", connect).build();
    let server = Server::start(&io);
    let mut client = Client::connect(server.addr, transport).await;
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let padding = "x".repeat(20_000 / events);
    let client = tokio::spawn(async move {
        let texts = (0..ROUNDS).flat_map(|round| {
            counted.store(round + 1, Ordering::SeqCst);
            let event = format!("2[\"n\",\"{padding}\"]");
            std::iter::once("0".to_owned()).chain(std::iter::repeat_n(event, events)).chain(["1".to_owned()])
        });
        client.send_all(texts).await;
        client
    });
    let [started, finished] = &*counts;
    eventually("many are in flight", || started.load(Ordering::SeqCst) >= 256).await;
    let rounds = settled(|| started.load(Ordering::SeqCst) + sent.load(Ordering::SeqCst)).await - started.load(Ordering::SeqCst);
    let in_flight = started.load(Ordering::SeqCst);
    assert!(in_flight <= 256 + HANDLERS, "{in_flight} are in flight");
    assert!(rounds < ROUNDS, "all was taken in while nothing was done");
    assert_eq!(finished.load(Ordering::SeqCst), 0);
    released.send(true).expect("handlers wait");
    let mut client = tokio::time::timeout(Duration::from_secs(60), client).await.expect("it goes on").expect("no panic");
    let all = if slow == Slow::Events { ROUNDS * events } else { ROUNDS };
    eventually("everything is handled", || finished.load(Ordering::SeqCst) == all).await;
    client.send("0").await;
    assert_eq!(client.call("/", json!(["n"])).await, json!([]), "the client is welcome");
}

over_all_transports! {
    async fn leaving_and_coming_back_brings_no_more_handlers(transport) {
        leave_and_come_back(transport, Slow::Events, 4).await;
    }

    async fn leaving_with_waiting_events_brings_no_more_handlers(transport) {
        leave_and_come_back(transport, Slow::Events, 5).await;
    }

    async fn leaving_and_coming_back_brings_no_more_goodbyes(transport) {
        leave_and_come_back(transport, Slow::Goodbyes, 1).await;
    }

    async fn a_large_auth_payload_is_refused(transport) {
        const LIMIT: usize = 64 << 10;
        let (connect, _ended) = script(|socket, _| async move { ack(&socket.auth_json().len()) });
        let io = SocketIo::builder()
            .namespace_at::<Untyped, _>("/", connect.clone())
            .namespace_at::<Untyped, _>("/other", connect)
            .build();
        let server = Server::start(&io);
        let mut client = Client::connect(server.addr, transport).await;
        client.join("/other", None).await;
        let auth = |bytes: usize| Some(json!({ "t": "x".repeat(bytes - r#"{"t":""}"#.len()) }));
        let refused = client.try_join("/", auth(LIMIT + 1)).await.expect_err("it is too large");
        assert_eq!(refused, json!({ "message": "auth payload too large" }));
        assert_eq!(client.call("/other", json!(["size"])).await, json!([2]), "the connection stays");
        client.join("/", auth(LIMIT)).await;
        assert_eq!(client.call("/", json!(["size"])).await, json!([LIMIT]));
    }

    async fn a_client_that_vanishes_from_busy_handlers_is_noticed(transport) {
        vanish(transport, false).await;
    }

    async fn a_client_that_resets_its_connection_to_busy_handlers_is_noticed(transport) {
        vanish(transport, true).await;
    }
}

/// A client that is not read from goes, and handlers stay busy until they know.
async fn vanish(transport: Transport, reset: bool) {
    let (told, gone) = watch::channel(false);
    let started = Arc::new(AtomicUsize::new(0));
    let (busy, mut ended) = {
        let started = Arc::clone(&started);
        script(move |_, _| {
            started.fetch_add(1, Ordering::SeqCst);
            let mut gone = gone.clone();
            async move {
                gone.wait_for(|gone| *gone).await.expect("the test runs");
                Outcome::Done(None)
            }
        })
    };
    let (watching, mut watched) = script(basic);
    let io = SocketIo::builder()
        .handlers_per_socket(1)
        .ping_interval(Duration::from_millis(50))
        .ping_timeout(Duration::from_millis(50))
        .namespace_at::<Untyped, _>("/", busy)
        .namespace_at::<Untyped, _>("/watching", watching)
        .build();
    let server = Server::start(&io);
    let mut client = Client::connect(server.addr, transport).await;
    client.join("/watching", None).await;
    client.join("/", None).await;
    client.start_reading().await;
    // One runs, 64 wait, and the others are not taken in: a POST with them is not answered.
    tokio::select! {
        () = client.send_all((0..500).map(|n| format!("2[\"n\",{n}]"))) => {}
        () = eventually("a handler is busy", || started.load(Ordering::SeqCst) == 1) => {}
    }
    if reset {
        client.kill();
    }
    // Handlers of the application learn of the end in one way or another; here by another namespace of the connection.
    within("the end to be noticed", watched.recv()).await.expect("it ends");
    assert!(ended.try_recv().is_err(), "events wait");
    told.send(true).expect("a handler waits");
    within("the goodbye", ended.recv()).await.expect("it ends");
    eventually("everything is cleaned up", || io.connections() == 0).await;
    assert!(io.at::<Untyped>("/").expect("registered").is_empty());
}

/// Sets the three limits of attachments, in this order.
fn limited(order: [usize; 3]) -> SocketIo {
    let (connect, _ended) = script(basic);
    let mut builder = SocketIo::builder().namespace_at::<Untyped, _>("/", connect);
    for setter in order {
        builder = match setter {
            0 => builder.max_payload(1000),
            1 => builder.max_attachments(3),
            _ => builder.max_attachment_bytes(1500),
        };
    }
    builder.build()
}

#[tokio::test]
async fn limits_do_not_depend_on_the_order_in_which_they_are_set() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let io = limited(order);
        let server = Server::start(&io);
        for (sizes, fits) in
            [(&[900, 600][..], true), (&[500, 500, 500], true), (&[900, 601], false), (&[1, 1, 1, 1], false), (&[1001], false)]
        {
            let mut client = Client::joined(server.addr, Transport::WebSocket).await;
            assert_eq!(client.handshake["maxPayload"], json!(1000), "{order:?}");
            let placeholders: Vec<_> = (0..sizes.len()).map(|num| json!({ "_placeholder": true, "num": num })).collect();
            client.send(&format!("5{}-1{}", sizes.len(), json!(["event", placeholders]))).await;
            if sizes.len() <= 3 {
                for &size in sizes {
                    client.send_binary(&vec![1; size]).await;
                }
            }
            let answered = matches!(client.recv().await, Frame::Text(answer) if answer == "31[]");
            assert_eq!(answered, fits, "{order:?} {sizes:?}");
        }
    }
}

async fn slow_consumer(slow: Transport) {
    const BYSTANDERS: usize = 50;
    let (connect, mut ended) = script(basic);
    let io = SocketIo::builder().max_buffered(256 << 10).namespace_at::<Untyped, _>("/", connect).build();
    let server = Server::start(&io);
    let options = Options { small_buffer: true, ..Options::default() };
    let mut slow = Client::connect_with(server.addr, slow, options).await;
    let id = slow.join("/", None).await;
    slow.call("/", json!(["join", "slow room"])).await;
    let mut bystanders = Vec::new();
    for number in 0..BYSTANDERS {
        let transport = [Transport::WebSocket, Transport::Polling, Transport::Upgraded][number % 3];
        bystanders.push(Client::joined(server.addr, transport).await);
    }
    let namespace = io.at::<Untyped>("/").expect("registered");
    let padding = "x".repeat(32 << 10);
    let mut emitted = 0u32;
    // Until the client is cut off, and a few times more.
    let mut after = 0;
    while after < 3 {
        assert!(emitted < 1000, "a client that does not read is not cut off");
        for _ in 0..4 {
            namespace.emit_raw("n", (emitted, &padding)).expect("JSON");
            emitted += 1;
        }
        for bystander in &mut bystanders {
            for n in emitted - 4..emitted {
                let Frame::Text(text) = bystander.recv().await else { panic!("a bystander is closed") };
                assert!(text.starts_with(&format!("2[\"n\",{n},\"xxx")), "in order and complete");
            }
        }
        if namespace.len() == BYSTANDERS {
            after += 1;
        }
    }
    let report = within("the disconnect hook", ended.recv()).await.expect("it is cut off");
    assert_eq!((report.id.to_string(), report.reason), (id, DisconnectReason::SlowConsumer));
    assert_eq!(report.rooms, ["slow room"]);
    eventually("its connection is gone", || io.connections() == BYSTANDERS).await;
    assert!(ended.try_recv().is_err(), "nobody else is");
    for bystander in &mut bystanders {
        assert_eq!(bystander.call("/", json!(["echo", 1])).await, json!([1]));
    }
}

#[tokio::test]
async fn a_slow_consumer_over_websocket() {
    slow_consumer(Transport::WebSocket).await;
}

#[tokio::test]
async fn a_slow_consumer_over_polling() {
    slow_consumer(Transport::Polling).await;
}

/// Sends echoes and reads nothing, until the server takes no more.
async fn unread_answers(transport: Transport, events: usize) {
    let (connect, mut ended) = script(basic);
    let io = SocketIo::builder().max_buffered(256 << 10).namespace_at::<Untyped, _>("/", connect).build();
    let server = Server::start(&io);
    let options = Options { small_buffer: true, ..Options::default() };
    let mut client = Client::connect_with(server.addr, transport, options).await;
    client.join("/", None).await;
    let padding = "x".repeat(10_000);
    let mut sent = 0;
    while sent < events {
        let batch = (sent..sent + 5).map(|n| format!("2{n}[\"echo\",\"{padding}\"]"));
        if tokio::time::timeout(Duration::from_millis(500), client.send_all(batch)).await.is_err() {
            break;
        }
        sent += 5;
        // Time for the server to take them in one after the other.
        tokio::task::yield_now().await;
    }
    assert!(sent < events, "{sent} answers of 10 kB wait for a client that does not read");
    assert!(ended.try_recv().is_err(), "answers alone do not make a slow consumer");
}

#[tokio::test]
async fn unread_answers_over_websocket() {
    // The buffers of TCP take a good part of them.
    unread_answers(Transport::WebSocket, 4000).await;
}

#[tokio::test]
async fn unread_answers_over_polling() {
    unread_answers(Transport::Polling, 200).await;
}

/// More waits for the client than the server would read on for, but it reads, and answers every ping.
#[tokio::test]
async fn a_congested_client_that_reads_is_not_taken_for_dead() {
    let (connect, mut ended) = script(|socket, event| async move {
        let padding = "x".repeat(10_000);
        if event.name() == "flood" {
            for n in 0..4000 {
                socket.emit_raw("n", (n, &padding)).expect("there is room");
            }
        }
        Outcome::Done(None)
    });
    let io = SocketIo::builder()
        .max_buffered(48 << 20)
        .ping_interval(Duration::from_millis(100))
        .ping_timeout(Duration::from_millis(900))
        .namespace_at::<Untyped, _>("/", connect)
        .build();
    let server = Server::start(&io);
    let mut client = Client::joined(server.addr, Transport::WebSocket).await;
    client.emit("/", json!(["flood"])).await;
    for round in 0..40 {
        for n in round * 100..(round + 1) * 100 {
            let Frame::Text(text) = client.recv().await else { panic!("closed at event {n}: {:?}", ended.try_recv()) };
            assert!(text.starts_with(&format!("2[\"n\",{n},")));
        }
        // Some 10 MB a second: fast enough to meet the ping in time, too slow to end the congestion before the next one.
        tokio::time::sleep(Duration::from_millis(90)).await;
    }
}
