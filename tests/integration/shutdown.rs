//! Shutting down over real transports and together with axum. Its timing: `server::shutdown`, on a virtual clock.

use crate::{
    client::{Client, Transport, within},
    http1::Http,
    script::{Ended, basic, script},
    server::{Server, eventually},
};
use axum::{Router, routing::get};
use serde_json::json;
use socketio::{DisconnectReason, Outcome, SocketIo, Untyped};
use socketio_tests::listen;
use std::{
    sync::{Arc, mpsc},
    time::Duration,
};
use tokio::sync::{Notify, oneshot};

const MINUTE: Duration = Duration::from_secs(60);

over_all_transports! {
    async fn everything_that_has_begun_arrives(transport) {
        let gate = Arc::new(Notify::new());
        let at_gate = Arc::clone(&gate);
        let (connect, mut reports) = script(move |socket, event| {
            let at_gate = Arc::clone(&at_gate);
            async move {
                if event.name() == "slow" {
                    at_gate.notified().await;
                }
                basic(socket, event).await
            }
        });
        let io = SocketIo::builder().namespace_at::<Untyped, _>("/", connect).build();
        let server = Server::start(&io);
        let mut busy = Client::joined(server.addr, transport).await;
        let mut idle = Client::joined(server.addr, transport).await;
        let slow = busy.ask("/", json!(["slow"])).await;
        busy.call("/", json!(["echo"])).await;
        for n in 0..50 {
            io.at::<Untyped>("/").expect("registered").emit_raw("queued", (n,)).expect("JSON");
        }
        let shutdown = tokio::spawn(io.shutdown(MINUTE).into_future());
        let packets = idle.rest().await;
        assert_eq!(packets.iter().filter(|packet| packet.kind == 2).count(), 50, "what was queued is delivered");
        assert_eq!(Http::get(server.addr, "/socket.io/?EIO=4&transport=polling", &[]).await.status, 503);
        // This one is waited for, and is not asked again meanwhile.
        busy.ask("/", json!(["join", "late"])).await;
        busy.send("0/nowhere,").await;
        gate.notify_one();
        assert_eq!(busy.answer("/", slow).await, json!([]));
        let rest = busy.rest().await;
        assert!(rest.iter().all(|packet| packet.kind == 2), "{rest:?}");
        drop((busy, idle));
        let report = within("the end of the shutdown", shutdown).await.expect("no panic");
        assert_eq!((report.connections, report.sockets), (2, 2));
        assert!(report.is_clean(), "{report:?}");
        for _ in 0..2 {
            let Ended { reason, rooms, .. } = reports.recv().await.expect("a report");
            assert_eq!((reason, rooms.len()), (DisconnectReason::ServerShuttingDown, 0));
        }
    }

    async fn with_the_graceful_shutdown_of_axum(transport) {
        let (connect, _ended) = script(basic);
        let io = SocketIo::builder().namespace_at::<Untyped, _>("/", connect).build();
        let listener = listen::bind(0).expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let app = Router::new().route("/health", get(|| async { "ok" })).layer(io.layer());
        let (signal, signalled) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            let down = async move {
                signalled.await.expect("a signal");
                io.shutdown(MINUTE).await;
            };
            axum::serve(listener, app).with_graceful_shutdown(down).await
        });
        let mut client = Client::joined(addr, transport).await;
        assert_eq!(Http::get(addr, "/health", &[]).await.text(), "ok");
        signal.send(()).expect("the server runs");
        client.rest().await;
        // An answered GET may stand in its buffer, the connection itself is idle.
        drop(client);
        within("the end of the server", serving).await.expect("no panic").expect("no error");
        assert!(tokio::net::TcpStream::connect(addr).await.is_err(), "nobody listens any more");
    }
}

#[tokio::test]
async fn what_nobody_fetched_is_reported() {
    let (connect, mut reports) = script(basic);
    let io = SocketIo::builder().namespace_at::<Untyped, _>("/", connect).build();
    let server = Server::start(&io);
    let _away = Client::joined(server.addr, Transport::Polling).await;
    io.at::<Untyped>("/").expect("registered").emit_raw("never fetched", ("x".repeat(1000),)).expect("JSON");
    // A quarter of it is left to a busy machine, between the close and the abortion, after which nothing is reported.
    let report = within("the end of the shutdown", io.shutdown(Duration::from_secs(2)).into_future()).await;
    assert!((1000..2000).contains(&report.unsent_bytes), "{report:?}");
    assert_eq!((report.handlers_aborted, report.stuck, io.connections()), (0, 0, 0));
    let ended = within("the end of the socket", reports.recv()).await.expect("a report");
    assert_eq!(ended.reason, DisconnectReason::ServerShuttingDown);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_holds_its_thread_is_reported() {
    let (release, held) = mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let entered = Arc::new(Notify::new());
    let inside = Arc::clone(&entered);
    let (connect, _ended) = script(move |_, _| {
        inside.notify_one();
        // Until the test lets go; a mistake, but one that happens.
        let _ = held.lock().expect("no panic").recv();
        std::future::ready(Outcome::Done(None))
    });
    let io = SocketIo::builder().namespace_at::<Untyped, _>("/", connect).build();
    let server = Server::start(&io);
    let mut client = Client::joined(server.addr, Transport::WebSocket).await;
    client.emit("/", json!(["block"])).await;
    entered.notified().await;
    // With a clock of its own: the thread that is held may be the one that drives the clock of this runtime.
    let other = io.clone();
    let shutdown = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async { other.shutdown(Duration::from_millis(10)).await })
    });
    let report = shutdown.join().expect("no panic");
    assert_eq!((report.connections, report.stuck), (1, 1));
    release.send(()).expect("the handler waits");
    eventually("the task ends", || io.connections() == 0).await;
}
