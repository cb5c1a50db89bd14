//! Events of one socket start in the order of their arrival; acknowledgements do not wait for them.

use crate::{
    client::{Client, Transport},
    script::{ack, first, script},
    server::Server,
};
use serde_json::{Value, json};
use socketio::{Body, Outcome, SocketIo};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::Semaphore;

type Log = Arc<Mutex<Vec<u64>>>;

fn logged(log: &Log) -> Vec<u64> {
    log.lock().expect("no panic").clone()
}

fn number(event: &socketio::Incoming) -> u64 {
    first(event).as_u64().expect("a number")
}

over_all_transports! {
    async fn five_thousand_events_start_in_order(transport) {
        const EVENTS: u64 = 5000;
        let log = Log::default();
        let started = Arc::clone(&log);
        let (connect, _ended) = script(move |_, event| {
            let started = Arc::clone(&started);
            async move {
                if event.name() == "n" {
                    let n = number(&event);
                    started.lock().expect("no panic").push(n);
                    // Some are done at once, some come back later, and not in their order.
                    for _ in 0..(n * 7919) % 11 {
                        tokio::task::yield_now().await;
                    }
                }
                Outcome::Done(None)
            }
        });
        let io = SocketIo::builder().namespace_at::<socketio::Untyped, _>("/", connect).build();
        let server = Server::start(&io);
        let mut client = Client::joined(server.addr, transport).await;
        client.send_all((0..EVENTS).map(|n| format!("2{n}[\"n\",{n}]"))).await;
        let mut answered = vec![false; EVENTS as usize];
        for _ in 0..EVENTS {
            let answer = client.packet().await;
            let id = answer.id.expect("an acknowledgement") as usize;
            assert!(!std::mem::replace(&mut answered[id], true), "acknowledged twice");
        }
        assert_eq!(logged(&log), (0..EVENTS).collect::<Vec<_>>());
    }

    async fn one_handler_at_a_time(transport) {
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let log = Log::default();
        let state = (Arc::clone(&running), Arc::clone(&most), Arc::clone(&log));
        let (connect, _ended) = script(move |_, event| {
            let (running, most, log) = state.clone();
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                for _ in 0..3 {
                    tokio::task::yield_now().await;
                }
                log.lock().expect("no panic").push(number(&event));
                running.fetch_sub(1, Ordering::SeqCst);
                Outcome::Done(None)
            }
        });
        let io = SocketIo::builder().handlers_per_socket(1).namespace_at::<socketio::Untyped, _>("/", connect).build();
        let server = Server::start(&io);
        let mut client = Client::joined(server.addr, transport).await;
        client.send_all((0..500).map(|n| format!("2{n}[\"n\",{n}]"))).await;
        for n in 0..500 {
            assert_eq!(client.packet().await.id, Some(n));
        }
        assert_eq!(logged(&log), (0..500).collect::<Vec<_>>());
        assert_eq!(most.load(Ordering::SeqCst), 1);
    }

    async fn what_arrived_before_a_goodbye_is_handled(transport) {
        for handlers in [1, 256] {
            let log = Log::default();
            let handled = Arc::clone(&log);
            let (connect, mut ended) = script(move |_, event| {
                let handled = Arc::clone(&handled);
                async move {
                    tokio::task::yield_now().await;
                    handled.lock().expect("no panic").push(number(&event));
                    Outcome::Done(None)
                }
            });
            let io = SocketIo::builder().handlers_per_socket(handlers).namespace_at::<socketio::Untyped, _>("/", connect).build();
            let server = Server::start(&io);
            let mut client = Client::joined(server.addr, transport).await;
            client.send_all((0..50).map(|n| format!("2[\"n\",{n}]")).chain(["1".to_owned()])).await;
            ended.recv().await.expect("it leaves");
            crate::server::eventually("all are handled", || logged(&log).len() == 50).await;
            assert_eq!(logged(&log), (0..50).collect::<Vec<_>>());
        }
    }

    async fn a_goodbye_comes_after_the_events_before_it(transport) {
        for end in ["client leaves", "server disconnects", "client closes"] {
            let log = Log::default();
            let gate = Arc::new(Semaphore::new(0));
            let state = (Arc::clone(&log), Arc::clone(&gate));
            let (connect, mut ended) = script(move |_, event| {
                let (log, gate) = state.clone();
                async move {
                    log.lock().expect("no panic").push(number(&event));
                    gate.acquire().await.expect("it stays open").forget();
                    Outcome::Done(None)
                }
            });
            let io = SocketIo::builder().handlers_per_socket(1).namespace_at::<socketio::Untyped, _>("/", connect).build();
            let server = Server::start(&io);
            let mut client = Client::joined(server.addr, transport).await;
            let socket = io.at::<socketio::Untyped>("/").expect("registered").sockets().remove(0);
            client.send_all((0..20).map(|n| format!("2[\"n\",{n}]"))).await;
            match end {
                "client leaves" => client.leave("/").await,
                "client closes" => client.close().await,
                _ => {
                    // Its answer says that the events in front of it have arrived.
                    client.try_join("/nowhere", None).await.expect_err("there is no such namespace");
                    socket.disconnect(false);
                }
            }
            crate::server::eventually("the socket ends", || !socket.is_connected()).await;
            for started in 1..=20 {
                crate::server::eventually("the next one starts", || logged(&log).len() == started).await;
                assert!(started == 20 || ended.try_recv().is_err(), "{end}: {} events wait", 20 - started);
                gate.add_permits(1);
            }
            crate::client::within("the goodbye", ended.recv()).await.expect("it leaves");
            assert_eq!(logged(&log), (0..20).collect::<Vec<_>>(), "{end}");
        }
    }

    async fn an_acknowledgement_overtakes_waiting_events(transport) {
        let (connect, _ended) = script(|socket, event| async move {
            if event.name() == "question" {
                let answer = socket.timeout(std::time::Duration::from_secs(10)).ask_body(Body::event("answer?", &()).expect("JSON"));
                return ack(&answer.await.expect("the client answers").raw_args().get::<Value>(0).expect("a value"));
            }
            Outcome::Done(None)
        });
        let io = SocketIo::builder().handlers_per_socket(1).namespace_at::<socketio::Untyped, _>("/", connect).build();
        let server = Server::start(&io);
        let mut client = Client::joined(server.addr, transport).await;
        let question = client.ask("/", json!(["question"])).await;
        for _ in 0..20 {
            client.emit("/", json!(["wait for it"])).await;
        }
        let behind = client.ask("/", json!(["behind"])).await;
        let asked = client.event().await;
        client.acknowledge(&asked, json!([42])).await;
        assert_eq!(client.answer("/", question).await, json!([42]));
        assert_eq!(client.answer("/", behind).await, json!([]));
    }
}

#[tokio::test]
async fn an_upgrade_in_the_middle_of_two_streams() {
    const EVENTS: u64 = 2000;
    let log = Log::default();
    let arrived = Arc::clone(&log);
    let (connect, _ended) = script(move |socket, event| {
        let arrived = Arc::clone(&arrived);
        async move {
            match event.name() {
                "start" => drop(tokio::spawn(async move {
                    for n in 0..EVENTS {
                        socket.emit_raw("n", (n,)).expect("it is connected");
                        if n % 8 == 0 {
                            tokio::task::yield_now().await;
                        }
                    }
                })),
                _ => arrived.lock().expect("no panic").push(number(&event)),
            }
            Outcome::Done(None)
        }
    });
    let io = SocketIo::builder().namespace_at::<socketio::Untyped, _>("/", connect).build();
    let server = Server::start(&io);
    for round in 0..5 {
        log.lock().expect("no panic").clear();
        let mut client = Client::joined(server.addr, Transport::Polling).await;
        client.emit("/", json!(["start"])).await;
        let mut sent = 0;
        for before in 0..round * 20 {
            client.emit("/", json!(["n", before])).await;
            sent = before + 1;
        }
        let mut received = 0;
        for n in 0..round * 10 {
            client.expect("/", json!(["n", n])).await;
            received = n + 1;
        }
        // A GET hangs, or is answered under way.
        client.start_reading().await;
        client.upgrade().await;
        client.send_all((sent..EVENTS).map(|n| format!("2[\"n\",{n}]"))).await;
        let last = client.ask("/", json!(["n", EVENTS])).await;
        for n in received..EVENTS {
            let event = client.event().await;
            assert_eq!(event.data, json!(["n", n]), "round {round}");
        }
        client.answer("/", last).await;
        assert_eq!(logged(&log), (0..=EVENTS).collect::<Vec<_>>(), "round {round}");
        assert_eq!(client.unread(), []);
    }
}

/// Sends events whose handlers ask the client something, and answers only once it has sent them all.
async fn handlers_that_ask_back(transport: Transport, handlers: usize, events: u64) {
    let (connect, _ended) = script(|socket, event| async move {
        let question = Body::event("question", &(number(&event),)).expect("JSON");
        match socket.timeout(std::time::Duration::from_secs(2)).ask_body(question).await {
            Ok(_) => ack(&"answered"),
            Err(error) => ack(&error.to_string()),
        }
    });
    let io = SocketIo::builder().handlers_per_socket(handlers).namespace_at::<socketio::Untyped, _>("/", connect).build();
    let server = Server::start(&io);
    let mut client = Client::joined(server.addr, transport).await;
    let sending = client.send_all((0..events).map(|n| format!("2{n}[\"n\",{n}]")));
    let sent = tokio::time::timeout(std::time::Duration::from_secs(5), sending).await;
    sent.expect("the server takes the events in while their handlers wait for the client");
    let mut answered = 0;
    while answered < events {
        let packet = client.packet().await;
        if packet.kind == 2 {
            client.acknowledge(&packet, json!([])).await;
        } else {
            assert_eq!(packet.data, json!(["answered"]), "event {:?} of {events}", packet.id);
            answered += 1;
        }
    }
}

over_all_transports! {
    async fn few_handlers_that_ask_back(transport) {
        handlers_that_ask_back(transport, 1, 60).await;
    }

    async fn many_handlers_that_ask_back_one_by_one(transport) {
        handlers_that_ask_back(transport, 1, 200).await;
    }

    async fn many_handlers_that_ask_back(transport) {
        handlers_that_ask_back(transport, 256, 1000).await;
    }
}
