//! Admission: limits on connections and handshakes, in all and for each address; what the refused see, and that seats are
//! given back however a connection ends.

use crate::{
    client::{Client, Options, Transport},
    http1::{Http, Response},
    script::{basic, script},
    server::{Server, eventually},
};
use axum::{Router, extract::ConnectInfo};
use serde_json::json;
use socketio::{BuildError, Builder, SocketIo, Untyped, engine::forwarded_for};
use socketio_tests::listen;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::sync::Semaphore;

const UPGRADE: [(&str, &str); 4] = [
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

fn start(builder: Builder<()>) -> (SocketIo, Server) {
    let (connect, _ended) = script(basic);
    let io = builder.namespace_at::<Untyped, _>("/", connect).build();
    let server = Server::start(&io);
    (io, server)
}

fn is_websocket(transport: Transport) -> bool {
    transport == Transport::WebSocket
}

/// A handshake, and no more.
async fn handshake(addr: SocketAddr, transport: Transport, headers: &[(&str, &str)]) -> Response {
    let mut http = Http::open(addr).await;
    let (name, mut all) = if is_websocket(transport) { ("websocket", UPGRADE.to_vec()) } else { ("polling", Vec::new()) };
    all.extend(headers);
    http.request("GET", &format!("/socket.io/?EIO=4&transport={name}"), &all, b"").await
}

/// Refused with this status and message, and told when to come again.
#[track_caller]
fn assert_refused(response: &Response, transport: Transport, status: u16, message: &str) -> u64 {
    assert_eq!(response.status, status, "{}", response.text());
    if is_websocket(transport) {
        assert_eq!(response.text(), message);
    } else {
        assert_eq!(response.json(), json!({ "code": status, "message": message }));
        assert_eq!(response.header("content-type"), Some("application/json"));
    }
    assert_eq!(response.header("connection"), Some("close"), "the next attempt may reach another server");
    response.header("retry-after").and_then(|seconds| seconds.parse().ok()).expect("a number of seconds")
}

async fn connect_as(addr: SocketAddr, transport: Transport, client: &str) -> Client {
    let headers = vec![("X-Forwarded-For".to_owned(), client.to_owned())];
    Client::connect_with(addr, transport, Options { headers, ..Options::default() }).await
}

over_all_transports! {
    async fn connections_are_limited_and_their_seats_come_back(transport) {
        let (io, server) = start(SocketIo::builder().max_connections(3));
        let mut clients = Vec::new();
        for _ in 0..3 {
            clients.push(Client::joined(server.addr, transport).await);
        }
        for refused in [Transport::Polling, Transport::WebSocket] {
            let wait = assert_refused(&handshake(server.addr, refused, &[]).await, refused, 503, "Too many connections");
            assert!(wait > 0);
        }
        // Who is in is not concerned: neither its requests nor its further namespaces are handshakes.
        assert_eq!(clients[0].call("/", json!(["echo", 1])).await, json!([1]));
        clients[0].close().await;
        clients[1].start_reading().await;
        clients[1].kill();
        eventually("two have gone", || io.connections() == 1).await;
        io.at::<Untyped>("/").expect("registered").disconnect_sockets(true);
        clients[2].rest().await;
        drop(clients);
        eventually("all have gone", || io.connections() == 0).await;
        for _ in 0..3 {
            std::mem::forget(Client::joined(server.addr, transport).await);
        }
        assert_eq!(handshake(server.addr, Transport::Polling, &[]).await.status, 503);
    }

    async fn connections_of_one_address_are_limited(transport) {
        let (io, server) = start(SocketIo::builder().client_address(forwarded_for(1)).max_connections_per_address(2));
        let mut first = connect_as(server.addr, transport, "192.0.2.1").await;
        let _second = connect_as(server.addr, transport, "203.0.113.5, 192.0.2.1").await;
        let response = handshake(server.addr, transport, &[("X-Forwarded-For", "198.51.100.3, 192.0.2.1")]).await;
        assert_refused(&response, transport, 429, "Too many connections from this address");
        // Others come in, known and unknown.
        let _other = connect_as(server.addr, transport, "192.0.2.2").await;
        let _unknown = [Client::connect(server.addr, transport).await, Client::connect(server.addr, transport).await, Client::connect(server.addr, transport).await];
        first.close().await;
        drop(first);
        eventually("one has gone", || io.connections() == 5).await;
        connect_as(server.addr, transport, "192.0.2.1").await;
    }

    async fn handshakes_of_one_address_are_limited_in_time(transport) {
        let minute = Duration::from_secs(60);
        let (_io, server) = start(SocketIo::builder().client_address(forwarded_for(1)).max_handshakes_per_address(3, minute));
        for _ in 0..3 {
            // They come and go; what counts is that they came.
            connect_as(server.addr, transport, "192.0.2.1").await.close().await;
        }
        let response = handshake(server.addr, transport, &[("X-Forwarded-For", "192.0.2.1")]).await;
        let wait = assert_refused(&response, transport, 429, "Too many handshakes from this address");
        assert!((1..=20).contains(&wait), "{wait} s: a third of a minute for each");
        connect_as(server.addr, transport, "192.0.2.2").await;
    }
}

#[tokio::test]
async fn handshakes_in_progress_are_limited() {
    let (gate, inside) = (Arc::new(Semaphore::new(0)), Arc::new(()));
    let state = (Arc::clone(&gate), Arc::downgrade(&inside));
    let slow = move |_: &http::request::Parts| {
        let (gate, inside) = (Arc::clone(&state.0), state.1.upgrade());
        async move {
            gate.acquire().await.expect("it stays open").forget();
            drop(inside);
            Ok(())
        }
    };
    let (io, server) = start(SocketIo::builder().max_concurrent_handshakes(1).allow_request(slow));
    let waiting = |count: usize| {
        let inside = Arc::clone(&inside);
        eventually("so many handshakes wait", move || Arc::strong_count(&inside) == count + 2)
    };
    let held = tokio::spawn(handshake(server.addr, Transport::Polling, &[]));
    waiting(1).await;
    for refused in [Transport::Polling, Transport::WebSocket] {
        assert_refused(&handshake(server.addr, refused, &[]).await, refused, 503, "Too many handshakes");
    }
    gate.add_permits(1);
    assert_eq!(held.await.expect("no panic").status, 200);
    // A client that goes away in the middle of its handshake gives its place back.
    let mut gone = Http::open(server.addr).await;
    gone.send("GET", "/socket.io/?EIO=4&transport=polling", &[], b"").await;
    waiting(1).await;
    drop(gone);
    waiting(0).await;
    for (transport, status) in [(Transport::Polling, 200), (Transport::WebSocket, 101), (Transport::Polling, 200)] {
        gate.add_permits(1);
        assert_eq!(handshake(server.addr, transport, &[]).await.status, status);
    }
    assert!(io.connections() >= 3, "those that were let in");
}

#[tokio::test]
async fn the_address_can_be_that_of_the_peer() {
    let (connect, _ended) = script(basic);
    let peer = |parts: &http::request::Parts| Some(parts.extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip());
    let builder = SocketIo::builder().client_address(peer).max_connections_per_address(1);
    let io = builder.namespace_at::<Untyped, _>("/", connect).build();
    let listener = listen::bind(0).expect("a free port");
    let addr = listener.local_addr().expect("an address");
    let app = Router::new().layer(io.layer()).into_make_service_with_connect_info::<SocketAddr>();
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });
    let _client = Client::joined(addr, Transport::WebSocket).await;
    let response = handshake(addr, Transport::Polling, &[]).await;
    assert_refused(&response, Transport::Polling, 429, "Too many connections from this address");
    serving.abort();
}

#[test]
fn limits_that_cannot_work() {
    let message = |builder: Builder<()>| match builder.try_build() {
        Err(BuildError::Config(error)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let minute = Duration::from_secs(60);
    let nobody_tells = "a limit per address needs `client_address`, which tells where a request comes from";
    assert_eq!(message(SocketIo::builder().max_connections_per_address(1)), nobody_tells);
    assert_eq!(message(SocketIo::builder().max_handshakes_per_address(1, minute)), nobody_tells);
    assert_eq!(message(SocketIo::builder().max_connections(0)), "`max_connections` is zero");
    assert_eq!(message(SocketIo::builder().max_concurrent_handshakes(0)), "`max_concurrent_handshakes` is zero");
    let told = || SocketIo::builder().client_address(forwarded_for(1));
    assert_eq!(message(told().max_handshakes_per_address(1, Duration::ZERO)), "`max_handshakes_per_address` is zero");
}
