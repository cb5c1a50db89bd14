//! HTTP/2: polling over it, and WebSockets on streams of it, as RFC 8441 has them.
//!
//! Not here: browsers, which do this over TLS only; see `tests/browser`.

mod wire;

use crate::{
    client::within,
    limits::settled,
    script::{Ended, basic, first, script},
    server::eventually,
};
use h2::Reason;
use http::{HeaderMap, Method, StatusCode, Version};
use serde_json::{Value, json};
use socketio::{Builder, Cors, DisconnectReason, Outcome, SocketIo, Transport, Untyped};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{mpsc::UnboundedReceiver, watch};
use wire::{End, Peer, STREAM_WINDOW, Server, WebSocket};

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";
const WEBSOCKET: &str = "/socket.io/?EIO=4&transport=websocket";
const VERSION: (&str, &str) = ("sec-websocket-version", "13");

/// A server, one connection to it, and what its disconnect hooks see.
struct World {
    io: SocketIo,
    server: Server,
    peer: Peer,
    ended: UnboundedReceiver<Ended>,
}

impl World {
    async fn start(set: impl FnOnce(Builder<()>) -> Builder<()>) -> Self {
        let (connect, ended) = script(basic);
        let io = set(SocketIo::builder()).namespace_at::<Untyped, _>("/", connect).build();
        let server = Server::start(&io).await;
        let peer = Peer::open(&server).await;
        World { io, server, peer, ended }
    }

    async fn reason(&mut self) -> DisconnectReason {
        within("the disconnect hook", self.ended.recv()).await.expect("the server runs").reason
    }

    /// Opens a session by polling.
    async fn poll(&self) -> String {
        let answer = self.peer.ask(Method::GET, POLLING, &[], "").await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let open: Value = serde_json::from_str(answer.body.strip_prefix('0').expect("an open packet")).expect("JSON");
        open["sid"].as_str().expect("a session id").to_owned()
    }

    /// The connection is as good as before.
    async fn other_streams_live(&self) {
        WebSocket::joined(&self.peer).await.echo("still here").await;
    }
}

#[tokio::test]
async fn a_new_session() {
    let mut world = World::start(|builder| builder.cors(Cors::new().allow_origin("https://app.example"))).await;
    let headers = [VERSION, ("sec-websocket-protocol", "chat, other"), ("origin", "https://app.example"), ("x-a", "1")];
    let (mut websocket, headers) = world.peer.connect("websocket", WEBSOCKET, &headers).await.unwrap();
    let value = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
    assert_eq!(value("sec-websocket-protocol"), Some("chat"));
    assert_eq!(value("access-control-allow-origin"), Some("https://app.example"));
    for absent in ["connection", "upgrade", "sec-websocket-accept", "content-length"] {
        assert_eq!(value(absent), None, "{absent}");
    }
    assert!(websocket.next().await.starts_with("0{"));
    websocket.text("40").await;
    assert!(websocket.next().await.starts_with("40{"));
    websocket.echo("hello").await;
    {
        let socket = world.io.at::<Untyped>("/").unwrap().sockets().remove(0);
        let handshake = socket.handshake();
        assert_eq!((handshake.version(), handshake.transport()), (Version::HTTP_2, Transport::WebSocket));
        assert_eq!(handshake.uri().to_string(), format!("http://localhost{WEBSOCKET}"));
        assert_eq!((handshake.to_parts().method, handshake.header("x-a")), (Method::CONNECT, Some(&b"1"[..])));
    }
    // The closing handshake: the client's words come back, then the stream ends.
    websocket.write(crate::frames::frame(0x88, true, &1000_u16.to_be_bytes())).await;
    assert_eq!(websocket.frame().await, Ok((0x88, 1000_u16.to_be_bytes().to_vec())));
    assert_eq!(websocket.frame().await, Err(End::Stream));
    assert_eq!(world.reason().await, DisconnectReason::TransportClose);
    world.other_streams_live().await;
}

#[tokio::test]
async fn polling_and_its_upgrade_share_a_connection() {
    let mut world = World::start(|builder| builder).await;
    let sid = world.poll().await;
    let [polling, websocket] = [POLLING, WEBSOCKET].map(|target| format!("{target}&sid={sid}"));
    assert_eq!(world.peer.ask(Method::POST, &polling, &[], "40").await.body, "ok");
    assert!(world.peer.ask(Method::GET, &polling, &[], "").await.body.starts_with("40{"));
    assert_eq!(world.peer.ask(Method::POST, &polling, &[], "421[\"echo\",1]").await.body, "ok");
    assert_eq!(world.peer.ask(Method::GET, &polling, &[], "").await.body, "431[1]");

    // A GET hangs while the WebSocket is probed, and is released by it.
    let (hanging, _) = world.peer.send(Method::GET, &polling, &[], true).await;
    let mut upgraded = world.peer.websocket(&websocket).await;
    upgraded.text("2probe").await;
    assert_eq!(upgraded.next().await, "3probe");
    let mut released = within("the GET", hanging).await.unwrap().into_body();
    assert_eq!(within("its body", released.data()).await.unwrap().unwrap(), "6");
    upgraded.text("5").await;
    upgraded.echo("upgraded").await;
    assert_eq!(world.io.at::<Untyped>("/").unwrap().sockets().remove(0).handshake().transport(), Transport::Polling);

    // A second one is closed.
    let mut second = world.peer.websocket(&websocket).await;
    assert_eq!(second.frame().await, Ok((0x88, Vec::new())));
    upgraded.echo("unharmed").await;
    upgraded.text("41").await;
    assert_eq!(world.reason().await, DisconnectReason::ClientNamespace);
    upgraded.text("40").await;
    assert!(upgraded.next().await.starts_with("40{"));
    upgraded.send.send_data(Default::default(), true).unwrap();
    assert_eq!(world.reason().await, DisconnectReason::TransportClose);
}

#[tokio::test]
async fn refusals_are_those_of_an_upgrade() {
    let world = World::start(|builder| {
        builder.max_connections(1).allow_request(|parts| {
            let known = parts.headers.get("x-key").is_none_or(|key| key == "open");
            async move { if known { Ok(()) } else { Err("who are you?".to_owned()) } }
        })
    })
    .await;
    let sid = world.poll().await;
    let own = |transport: &str| format!("/socket.io/?EIO=4&transport={transport}&sid={sid}");
    let old = format!("/socket.io/?EIO=3&transport=websocket&sid={sid}");
    let unknown = format!("{WEBSOCKET}&sid={}", "A".repeat(20));
    for (what, protocol, target, headers, status, message) in [
        ("another protocol", "connect-udp", &*own("websocket"), &[VERSION][..], 400, "Bad request"),
        ("its name in capitals", "WebSocket", &*own("websocket"), &[VERSION], 400, "Bad request"),
        ("no version", "websocket", &*own("websocket"), &[], 400, "Bad request"),
        ("an old version", "websocket", &*own("websocket"), &[("sec-websocket-version", "8")], 400, "Bad request"),
        ("another revision", "websocket", &*old, &[VERSION], 400, "Bad request"),
        ("a session, for polling", "websocket", &*own("polling"), &[VERSION], 400, "Bad request"),
        ("polling", "websocket", POLLING, &[VERSION], 400, "Bad request"),
        ("no transport", "websocket", "/socket.io/?EIO=4", &[VERSION], 400, "Transport unknown"),
        ("an unknown transport", "websocket", "/socket.io/?EIO=4&transport=udp", &[VERSION], 400, "Transport unknown"),
        ("an unknown session", "websocket", &*unknown, &[VERSION], 400, "Session ID unknown"),
        ("a new session when there are enough", "websocket", WEBSOCKET, &[VERSION], 503, "Too many connections"),
    ] {
        let Err(refused) = world.peer.connect(protocol, target, headers).await else { panic!("{what}: accepted") };
        assert_eq!((refused.status.as_u16(), &*refused.body), (status, message), "{what}");
        assert_eq!(refused.headers.contains_key("retry-after"), status == 503, "{what}");
        assert!(!refused.headers.contains_key("connection"), "{what}: illegal in HTTP/2");
    }
    // The session was not touched.
    let polling = own("polling");
    assert_eq!(world.peer.ask(Method::POST, &polling, &[], "40").await.body, "ok");
    assert!(world.peer.ask(Method::GET, &polling, &[], "").await.body.starts_with("40{"));
    assert_eq!(world.peer.ask(Method::POST, &polling, &[], "1").await.body, "ok");
    eventually("the seat is free", || world.io.connections() == 0).await;

    for (what, target, headers, message) in [
        ("a guest", WEBSOCKET, &[VERSION, ("x-key", "none")][..], "who are you?"),
        ("another revision", "/socket.io/?EIO=3&transport=websocket", &[VERSION], "Unsupported protocol version"),
        ("no version", WEBSOCKET, &[], "Bad request"),
    ] {
        let Err(refused) = world.peer.connect("websocket", target, headers).await else { panic!("{what}: accepted") };
        assert_eq!((refused.status.as_u16(), &*refused.body), (400, message), "{what}");
    }
    eventually("no seat is taken", || world.io.connections() == 0).await;

    // Without CONNECT there is no WebSocket, and errors are those of polling.
    let plain = world.peer.ask(Method::GET, WEBSOCKET, &[VERSION], "").await;
    assert_eq!((plain.status, serde_json::from_str(&plain.body).ok()), bad_request());
    let put = world.peer.ask(Method::PUT, POLLING, &[], "x").await;
    assert_eq!(put.body, json!({ "code": 2, "message": "Bad handshake method" }).to_string());
    world.other_streams_live().await;
}

fn bad_request() -> (StatusCode, Option<Value>) {
    (StatusCode::BAD_REQUEST, Some(json!({ "code": 3, "message": "Bad request" })))
}

#[tokio::test]
async fn a_reset_is_the_close_of_a_transport() {
    let mut world = World::start(|builder| builder).await;
    for reason in [Reason::CANCEL, Reason::NO_ERROR, Reason::INTERNAL_ERROR, Reason::PROTOCOL_ERROR] {
        let mut websocket = WebSocket::joined(&world.peer).await;
        websocket.echo("before").await;
        websocket.send.send_reset(reason);
        assert_eq!(world.reason().await, DisconnectReason::TransportClose, "{reason}");
    }
    // So is the end of a stream without a closing handshake, and the loss of the whole connection.
    let mut websocket = WebSocket::joined(&world.peer).await;
    websocket.send.send_data(Default::default(), true).unwrap();
    assert_eq!(world.reason().await, DisconnectReason::TransportClose);
    assert_eq!(websocket.frame().await, Err(End::Stream));
    world.other_streams_live().await;
    assert_eq!(world.reason().await, DisconnectReason::TransportClose);

    let other = Peer::open(&world.server).await;
    let lost = [WebSocket::joined(&other).await, WebSocket::joined(&other).await];
    drop(other);
    for _ in &lost {
        assert_eq!(world.reason().await, DisconnectReason::TransportClose);
    }
    eventually("nothing is left", || world.io.connections() == 0).await;
}

#[tokio::test]
async fn a_get_that_is_reset_closes_its_session() {
    let world = World::start(|builder| builder).await;
    let sid = world.poll().await;
    let (hanging, mut stream) = world.peer.send(Method::GET, &format!("{POLLING}&sid={sid}"), &[], true).await;
    // A second GET is refused once the first one hangs.
    stream.send_reset(Reason::CANCEL);
    drop(hanging);
    eventually("the session is closed", || world.io.connections() == 0).await;
    world.other_streams_live().await;
}

#[tokio::test]
async fn the_server_ends_a_stream_and_not_its_connection() {
    let mut world = World::start(|builder| builder).await;
    let mut kicked = WebSocket::joined(&world.peer).await;
    let mut broken = WebSocket::joined(&world.peer).await;
    let mut stays = WebSocket::joined(&world.peer).await;
    // A frame of a client that is not masked.
    assert!(broken.write(crate::frames::frame(0x81, false, b"2")).await);
    assert_eq!(broken.frame().await, Ok((0x88, 1002_u16.to_be_bytes().to_vec())));
    assert_eq!(broken.frame().await, Err(End::Stream));
    broken.send.send_data(Default::default(), true).unwrap();
    assert_eq!(world.reason().await, DisconnectReason::TransportError);

    kicked.text("420[\"join\",\"out\"]").await;
    assert_eq!(kicked.next().await, "430[]");
    world.io.at::<Untyped>("/").unwrap().to("out").disconnect_sockets(true);
    assert_eq!(kicked.next().await, "41");
    assert_eq!(kicked.frame().await, Ok((0x88, Vec::new())));
    // It does not answer, and goes.
    kicked.send.send_data(Default::default(), true).unwrap();
    assert_eq!(kicked.frame().await, Err(End::Stream));
    assert_eq!(world.reason().await, DisconnectReason::ServerNamespace);
    stays.echo("one stays").await;

    let shutdown = tokio::spawn(world.io.shutdown(Duration::from_secs(10)).into_future());
    assert_eq!(stays.frame().await, Ok((0x88, Vec::new())));
    assert!(stays.write(crate::frames::frame(0x88, true, &[])).await);
    assert_eq!(stays.frame().await, Err(End::Stream));
    let report = within("the shutdown", shutdown).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    let refused = world.peer.ask(Method::GET, POLLING, &[], "").await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(connection_headers(&refused.headers), 0);
}

fn connection_headers(headers: &HeaderMap) -> usize {
    ["connection", "keep-alive", "transfer-encoding", "upgrade"].iter().filter(|name| headers.contains_key(**name)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_are_not_read_from_do_not_stall_the_others() {
    const STOPPED: usize = 3;
    const EVENTS: usize = 5000;
    let (released, gate) = watch::channel(false);
    let handled = Arc::new([const { AtomicUsize::new(0) }; STOPPED]);
    let counts = Arc::clone(&handled);
    let (connect, mut ended) = script(move |socket, event| {
        let (mut gate, counts) = (gate.clone(), Arc::clone(&counts));
        async move {
            if event.name() != "wait" {
                return basic(socket, event).await;
            }
            if gate.wait_for(|released| *released).await.is_err() {
                return Outcome::Done(None);
            }
            let (stream, number): (usize, usize) = serde_json::from_value(first(&event)).expect("two numbers");
            assert_eq!(counts[stream].fetch_add(1, Ordering::SeqCst), number, "in order");
            Outcome::Done(None)
        }
    });
    let io = SocketIo::builder().handlers_per_socket(1).namespace_at::<Untyped, _>("/", connect).build();
    let server = Server::start(&io).await;
    let peer = Peer::open(&server).await;
    let mut lively = WebSocket::joined(&peer).await;
    let sent = Arc::new(AtomicUsize::new(0));
    let mut sending = Vec::new();
    for stream in 0..STOPPED {
        let mut stopped = WebSocket::joined(&peer).await;
        let sent = Arc::clone(&sent);
        sending.push(tokio::spawn(async move {
            let padding = "x".repeat(300);
            for n in 0..EVENTS {
                let event = format!("42[\"wait\",[{stream},{n}],\"{padding}\"]");
                assert!(stopped.write(crate::frames::frame(0x81, true, event.as_bytes())).await, "an open stream");
                sent.fetch_add(1, Ordering::SeqCst);
            }
            stopped
        }));
    }
    eventually("they send", || sent.load(Ordering::SeqCst) > 0).await;
    let before = settled(|| sent.load(Ordering::SeqCst)).await;
    // The window of a stream is all that it gets beyond what waits for its handler.
    assert!(before < STOPPED * EVENTS / 2, "{before} events were taken in while no handler was done");
    assert!(before * 300 >= STOPPED * STREAM_WINDOW as usize, "{before} events do not fill the windows");
    lively.echo("meanwhile").await;
    lively.echo(&"x".repeat(2 * STREAM_WINDOW as usize)).await;
    let polled = peer.ask(Method::GET, POLLING, &[], "").await;
    let open: Value = serde_json::from_str(&polled.body[1..]).unwrap();
    let posting = format!("{POLLING}&sid={}", open["sid"].as_str().unwrap());
    assert_eq!(peer.ask(Method::POST, &posting, &[], "40").await.body, "ok");
    assert!(ended.try_recv().is_err(), "all are alive");

    released.send(true).expect("handlers wait");
    for stopped in sending {
        let mut stopped = tokio::time::timeout(Duration::from_secs(60), stopped).await.expect("it goes on").expect("no panic");
        stopped.echo("at last").await;
    }
    assert!(handled.iter().all(|count| count.load(Ordering::SeqCst) == EVENTS), "an answer overtakes no event");
}

#[tokio::test]
async fn a_slow_consumer_on_a_stream() {
    let mut world = World::start(|builder| builder.max_buffered(256 << 10)).await;
    let slow = WebSocket::joined(&world.peer).await;
    let mut reads = WebSocket::joined(&world.peer).await;
    let namespace = world.io.at::<Untyped>("/").unwrap();
    let padding = "x".repeat(32 << 10);
    let mut emitted = 0_u32;
    while namespace.len() == 2 {
        assert!(emitted < 1000, "a client that does not read is not cut off");
        namespace.emit_raw("n", (emitted, &padding)).unwrap();
        assert!(reads.next().await.starts_with(&format!("42[\"n\",{emitted},\"xxx")), "in order and complete");
        emitted += 1;
    }
    assert_eq!(world.reason().await, DisconnectReason::SlowConsumer);
    eventually("its session is gone", || world.io.connections() == 1).await;
    reads.echo("unharmed").await;
    drop(slow);
    world.other_streams_live().await;
}

#[tokio::test]
async fn a_stream_that_is_not_read_holds_no_more_than_its_limit() {
    const LARGE: usize = 4 << 20;
    let mut world = World::start(|builder| builder.max_buffered(LARGE)).await;
    let slow = WebSocket::joined(&world.peer).await;
    let mut witness = WebSocket::joined(&world.peer).await;
    witness.text("420[\"join\",\"out\"]").await;
    assert_eq!(witness.next().await, "430[]");
    let namespace = world.io.at::<Untyped>("/").unwrap();
    let padding = "x".repeat(LARGE);
    let mut emitted = 0;
    while namespace.len() == 2 {
        namespace.except("out").emit_raw("n", (&padding,)).unwrap();
        emitted += 1;
        // Whatever there is to be written is written by then.
        for _ in 0..20 {
            witness.echo("go on").await;
        }
    }
    // One on its way, one that waits and fills the room, and one too many.
    assert_eq!(emitted, 3);
    assert_eq!(world.reason().await, DisconnectReason::SlowConsumer);
    drop(slow);
}
