//! How sockets and servers end, and what takes effect when a client is taken in.

use crate::{
    client::{Client, Transport},
    http1::Http,
    script::{Ended, Script, Scripts, basic, script},
    server::{Server, eventually},
};
use serde_json::json;
use socketio::{Auth, ConnectError, DisconnectReason, EmitError, Outcome, Socket, SocketIo, Untyped};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{
    Notify,
    mpsc::{UnboundedReceiver, unbounded_channel},
};

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

async fn ended(reports: &mut UnboundedReceiver<Ended>) -> Ended {
    crate::client::within("the disconnect hook", reports.recv()).await.expect("the server runs")
}

async fn in_rooms(server: &Server, transport: Transport) -> Client {
    let mut client = Client::joined(server.addr, transport).await;
    for room in ["a", "b"] {
        client.call("/", json!(["join", room])).await;
    }
    client
}

over_all_transports! {
    async fn every_reason_with_the_rooms_it_was_in(transport) {
        use DisconnectReason as Reason;
        let (connect, mut reports) = script(|socket, event| async move {
            match event.name() {
                "leave me" => socket.disconnect(false),
                "go" => socket.disconnect(true),
                _ => return basic(socket, event).await,
            }
            Outcome::Done(None)
        });
        let io = SocketIo::builder()
            .max_payload(10_000)
            .namespace_at::<Untyped, _>("/", connect)
            .build();
        let server = Server::start(&io);
        let websocket = transport != Transport::Polling;
        let violation = [Reason::ForcedClose, Reason::ForcedServerClose];
        for (number, expected) in [
            &[Reason::ClientNamespace][..],
            &[Reason::ServerNamespace],
            &[Reason::ServerNamespace],
            &[Reason::TransportClose],
            if websocket { &[Reason::TransportClose] } else { &[Reason::TransportError] },
            &violation,
            &violation,
            &[Reason::TransportError],
            &[Reason::ParseError],
        ]
        .into_iter()
        .enumerate()
        {
            let mut client = in_rooms(&server, transport).await;
            match number {
                0 => client.leave("/").await,
                1 => client.emit("/", json!(["leave me"])).await,
                2 => client.emit("/", json!(["go"])).await,
                3 => client.close().await,
                4 => {
                    client.start_reading().await;
                    client.kill();
                }
                5 => client.send("no packet").await,
                6 => client.send("0").await,
                7 => client.send_engine("2").await,
                _ => client.send_engine("x").await,
            }
            let report = ended(&mut reports).await;
            assert!(expected.contains(&report.reason), "case {number}: {}", report.reason);
            assert_eq!(report.rooms, ["a", "b"], "case {number}");
            assert!(io.at::<Untyped>("/").expect("registered").to("a").fetch_sockets().await.expect("alone").is_empty());
            if number < 2 {
                // Only the namespace was left.
                client.close().await;
            } else {
                // Over polling, the server waits for a GET that takes the close.
                client.rest().await;
            }
        }
        eventually("no connection is left", || io.connections() == 0).await;
    }

    async fn ping_timeout(transport) {
        let (connect, mut reports) = script(basic);
        let io = SocketIo::builder()
            .ping_interval(millis(50))
            .ping_timeout(millis(150))
            .namespace_at::<Untyped, _>("/", connect)
            .build();
        let server = Server::start(&io);
        let mut alive = Client::joined(server.addr, transport).await;
        let mut silent = in_rooms(&server, transport).await;
        silent.answers_pings = false;
        assert_eq!(silent.handshake["pingInterval"], json!(50));
        assert_eq!(silent.handshake["pingTimeout"], json!(150));
        let silent = tokio::spawn(async move { silent.rest().await });
        let living = tokio::spawn(async move {
            for n in 0..u64::MAX {
                if alive.call("/", json!(["echo", n])).await != json!([n]) {
                    break;
                }
                tokio::task::yield_now().await;
            }
        });
        let report = ended(&mut reports).await;
        assert_eq!((report.reason, report.rooms.len()), (DisconnectReason::PingTimeout, 2));
        assert_eq!(silent.await.expect("no panic"), []);
        assert!(!living.is_finished(), "a client that answers stays");
        living.abort();
    }

    async fn disconnect_tells_every_namespace_and_loses_nothing(transport) {
        let (connect, mut reports) = script(|socket, event| async move {
            if event.name() == "go" {
                for n in 0..100 {
                    socket.emit_raw("n", (n,)).expect("it is connected");
                }
                socket.disconnect(true);
                assert!(socket.emit_raw("too late", ()).is_err());
            }
            basic(socket, event).await
        });
        let io = SocketIo::builder()
            .namespace_at::<Untyped, _>("/", connect.clone())
            .namespace_at::<Untyped, _>("/a", connect.clone())
            .namespace_at::<Untyped, _>("/b", connect)
            .build();
        let server = Server::start(&io);
        let mut client = Client::joined(server.addr, transport).await;
        client.join("/a", None).await;
        client.join("/b", None).await;
        client.emit("/a", json!(["go"])).await;
        let packets = client.rest().await;
        let numbers: Vec<_> = packets.iter().filter(|packet| packet.kind == 2).map(|packet| packet.args()[0].clone()).collect();
        assert_eq!(numbers, (0..100).map(|n| json!(n)).collect::<Vec<_>>());
        let mut told: Vec<_> = packets.iter().filter(|packet| packet.kind == 1).map(|packet| packet.namespace.as_str()).collect();
        told.sort_unstable();
        assert_eq!(told, ["/", "/a", "/b"]);
        for _ in 0..3 {
            assert_eq!(ended(&mut reports).await.reason, DisconnectReason::ServerNamespace);
        }
        eventually("the connection ends", || io.connections() == 0).await;
    }

    async fn leaving_one_namespace_keeps_the_others(transport) {
        let (connect, mut reports) = script(|socket, event| async move {
            if event.name() == "out" {
                socket.emit_raw("last", ()).expect("it is connected");
                socket.disconnect(false);
            }
            basic(socket, event).await
        });
        let io = SocketIo::builder()
            .namespace_at::<Untyped, _>("/", connect.clone())
            .namespace_at::<Untyped, _>("/a", connect)
            .build();
        let server = Server::start(&io);
        let mut client = Client::joined(server.addr, transport).await;
        for _ in 0..3 {
            let id = client.join("/a", None).await;
            client.emit("/a", json!(["out"])).await;
            client.expect("/a", json!(["last"])).await;
            let goodbye = client.packet().await;
            assert_eq!((goodbye.kind, goodbye.namespace.as_str()), (1, "/a"));
            let report = ended(&mut reports).await;
            assert_eq!((report.id.to_string(), report.reason), (id, DisconnectReason::ServerNamespace));
            // Whoever leaves may come back on the same connection.
            client.join("/a", None).await;
            client.leave("/a").await;
            assert_eq!(ended(&mut reports).await.reason, DisconnectReason::ClientNamespace);
        }
        assert_eq!(client.call("/", json!(["echo", 1])).await, json!([1]));
    }

    async fn connect_timeout(transport) {
        let (connect, _reports) = script(basic);
        let io = SocketIo::builder().connect_timeout(millis(200)).namespace_at::<Untyped, _>("/", connect).build();
        let server = Server::start(&io);
        let mut joined = Client::joined(server.addr, transport).await;
        let mut refused = Client::connect(server.addr, transport).await;
        refused.try_join("/nowhere", None).await.expect_err("there is no such namespace");
        assert_eq!(refused.rest().await, []);
        joined.leave("/").await;
        joined.join("/", None).await;
        assert_eq!(joined.call("/", json!(["echo", 1])).await, json!([1]), "whoever joined may stay");
    }

    async fn a_pending_connect_handler(transport) {
        let gate = Arc::new(Notify::new());
        let (scripts, mut reports) = Scripts::new(basic);
        let connect = {
            let gate = Arc::clone(&gate);
            move |socket: Socket<Untyped>, Auth(auth): Auth<serde_json::Value>| {
                let (gate, scripts) = (Arc::clone(&gate), scripts.clone());
                async move {
                    socket.join("early");
                    socket.join("left again");
                    socket.leave("left again");
                    for n in 0..3 {
                        socket.emit_raw("early", (n,)).expect("it is kept");
                    }
                    assert!(!socket.is_connected());
                    gate.notified().await;
                    socket.emit_raw("late", ()).expect("it is kept");
                    if auth["refuse"] == json!(true) {
                        return Err(ConnectError::new("no"));
                    }
                    Ok::<Script, ConnectError>(scripts.session(socket))
                }
            }
        };
        let io = SocketIo::builder().namespace_at::<Untyped, _>("/", connect).build();
        let server = Server::start(&io);
        let namespace = io.at::<Untyped>("/").expect("registered");

        let mut client = Client::connect(server.addr, transport).await;
        client.send("0").await;
        gate.notify_one();
        let answer = client.packet().await;
        assert_eq!(answer.kind, 0, "first the CONNECT packet: {answer:?}");
        for n in 0..3 {
            client.expect("/", json!(["early", n])).await;
        }
        client.expect("/", json!(["late"])).await;
        assert_eq!(client.call("/", json!(["rooms"])).await, json!([["early"]]));
        assert_eq!(namespace.to("early").fetch_sockets().await.expect("alone").len(), 1);

        let mut other = Client::connect(server.addr, transport).await;
        other.send(r#"0{"refuse":true}"#).await;
        namespace.to("early").emit_raw("to the room", ()).expect("JSON");
        assert_eq!(namespace.len(), 1, "nobody is a member before it is taken in");
        gate.notify_one();
        let answer = other.packet().await;
        assert_eq!((answer.kind, answer.data), (4, json!({ "message": "no" })));
        client.expect("/", json!(["to the room"])).await;
        assert_eq!((namespace.len(), namespace.to("early").fetch_sockets().await.expect("alone").len()), (1, 1));
        // The connection stays, and may try again.
        other.send("0").await;
        gate.notify_one();
        assert_eq!(other.packet().await.kind, 0);
        other.leave("/").await;
        assert_eq!(ended(&mut reports).await.rooms, ["early"]);
    }

    async fn disconnected_in_a_connect_handler_that_goes_on(transport) {
        for (refuses, message) in [(false, "disconnected by the server"), (true, "banned")] {
            let gate = Arc::new(Notify::new());
            let (scripts, _reports) = Scripts::new(basic);
            let opened = Arc::clone(&gate);
            let connect = move |socket: Socket<Untyped>| {
                let (gate, scripts) = (Arc::clone(&opened), scripts.clone());
                async move {
                    if socket.path() == "/" {
                        socket.disconnect(false);
                        gate.notified().await;
                        if refuses {
                            return Err(ConnectError::new("banned"));
                        }
                    }
                    Ok::<Script, ConnectError>(scripts.session(socket))
                }
            };
            let io = SocketIo::builder()
                .namespace_at::<Untyped, _>("/", connect.clone())
                .namespace_at::<Untyped, _>("/other", connect)
                .build();
            let server = Server::start(&io);
            let mut client = Client::connect(server.addr, transport).await;
            client.send("0").await;
            client.join("/other", None).await;
            client.call("/other", json!(["sync"])).await;
            assert_eq!(client.unread(), [], "the answer waits for the handler");
            gate.notify_one();
            let answer = client.packet().await;
            assert_eq!((answer.kind, answer.data), (4, json!({ "message": message })));
        }
    }

    async fn disconnected_in_its_connect_handler(transport) {
        let (scripts, mut reports) = Scripts::new(basic);
        let (kept, mut handles) = unbounded_channel();
        let connect = move |socket: Socket<Untyped>, Auth(auth): Auth<serde_json::Value>| {
            let scripts = scripts.clone();
            if auth["unwanted"] == json!(true) {
                socket.join("room");
                socket.emit_raw("never sent", ()).expect("it is kept");
                socket.disconnect(false);
                kept.send(socket.clone()).expect("the test listens");
            }
            async move { Ok::<Script, ConnectError>(scripts.session(socket)) }
        };
        let io = SocketIo::builder()
            .namespace_at::<Untyped, _>("/", connect.clone())
            .namespace_at::<Untyped, _>("/other", connect)
            .build();
        let server = Server::start(&io);
        let namespace = io.at::<Untyped>("/").expect("registered");
        let mut client = Client::connect(server.addr, transport).await;
        client.join("/other", None).await;
        for _ in 0..3 {
            client.send(r#"0{"unwanted":true}"#).await;
            let answer = client.packet().await;
            assert_eq!((answer.kind, answer.namespace.as_str()), (4, "/"));
            assert_eq!(answer.data, json!({ "message": "disconnected by the server" }));
            client.call("/other", json!(["sync"])).await;
            assert_eq!(client.unread(), [], "it hears of it once");
            assert!(namespace.is_empty());

            let stale = handles.recv().await.expect("the handler kept it");
            let id = client.join("/", None).await;
            assert_ne!(stale.id().to_string(), id);
            stale.disconnect(false);
            stale.join("room");
            assert_eq!(stale.emit_raw("never sent", ()), Err(EmitError::Disconnected));
            assert!(!stale.is_connected());
            assert_eq!(client.call("/", json!(["rooms"])).await, json!([[]]));
            assert_eq!(client.call("/", json!(["echo", 1])).await, json!([1]), "another socket is no business of a stale handle");
            assert_eq!(client.unread(), []);
            assert_eq!(namespace.len(), 1);
            assert!(reports.try_recv().is_err(), "who never got in does not leave");
            client.leave("/").await;
            assert_eq!(ended(&mut reports).await.id.to_string(), id);
        }
    }

    async fn shutting_down(transport) {
        let slow = Arc::new(Notify::new());
        let (connect, mut reports) = {
            let slow = Arc::clone(&slow);
            script(move |socket, event| {
                let slow = Arc::clone(&slow);
                async move {
                    if event.name() == "slow" {
                        slow.notified().await;
                        return Outcome::Done(None);
                    }
                    basic(socket, event).await
                }
            })
        };
        let io = SocketIo::builder().namespace_at::<Untyped, _>("/", connect).build();
        let server = Server::start(&io);
        let mut client = in_rooms(&server, transport).await;
        let mut idle = Client::connect(server.addr, transport).await;
        client.ask("/", json!(["slow"])).await;
        client.call("/", json!(["echo"])).await;
        for n in 0..50 {
            io.at::<Untyped>("/").expect("registered").emit_raw("queued", (n,)).expect("JSON");
        }
        let closing = tokio::spawn({
            let io = io.clone();
            async move { io.close().await }
        });
        let report = ended(&mut reports).await;
        assert_eq!((report.reason, report.rooms.len()), (DisconnectReason::ServerShuttingDown, 2));
        let queued = client.rest().await.iter().filter(|packet| packet.kind == 2).count();
        assert_eq!(queued, 50, "what was queued is delivered");
        assert_eq!(idle.rest().await, []);
        let late = Http::get(server.addr, "/socket.io/?EIO=4&transport=polling", &[]).await;
        let told = json!({ "code": 503, "message": "Server is shutting down" });
        assert_eq!((late.status, late.json(), late.header("retry-after")), (503, told, Some("1")));
        drop((client, idle));
        eventually("only the slow handler is left", || io.connections() == 1).await;
        assert!(!closing.is_finished(), "a handler is in flight");
        slow.notify_one();
        crate::client::within("the end of the shutdown", closing).await.expect("no panic");
        assert_eq!(io.connections(), 0);
    }
}

#[tokio::test]
async fn closing_a_server_twice_or_without_clients() {
    let io = SocketIo::builder().build();
    let server = Server::start(&io);
    io.close().await;
    io.close().await;
    assert_eq!(Http::get(server.addr, "/socket.io/?EIO=4&transport=polling", &[]).await.status, 503);
}

#[tokio::test]
async fn a_polling_client_that_stays_away_does_not_hold_up_the_shutdown() {
    let (connect, mut reports) = script(basic);
    let io = SocketIo::builder().namespace_at::<Untyped, _>("/", connect).build();
    let server = Server::start(&io);
    let namespace = io.at::<Untyped>("/").expect("registered");
    // The first is being closed already, with half a minute to come back.
    let _disconnected = Client::joined(server.addr, Transport::Polling).await;
    namespace.sockets().remove(0).disconnect(true);
    assert_eq!(ended(&mut reports).await.reason, DisconnectReason::ServerNamespace);
    let _away = Client::joined(server.addr, Transport::Polling).await;
    namespace.emit_raw("never fetched", ()).expect("JSON");
    assert_eq!(io.connections(), 2);
    let started = Instant::now();
    crate::client::within("the end of the shutdown", io.close()).await;
    let taken = started.elapsed();
    assert!(taken < Duration::from_secs(8), "{taken:?}, rather than about two seconds");
    assert_eq!(io.connections(), 0);
    assert_eq!(ended(&mut reports).await.reason, DisconnectReason::ServerShuttingDown);
}
