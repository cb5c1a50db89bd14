//! Connection state recovery: who comes back, to what, and who does not.

use crate::{
    client::{Client, Transport, within},
    returning::{Returning, Ticket},
    script::{Ended, Script, Scripts, ack, basic, first, rooms, script},
    server::{Server, eventually},
};
use serde_json::json;
use socketio::{
    Auth, CallError, ConnectError, DisconnectReason, Incoming, NamespaceHandle, Outcome, Recovered, Recovery, Service, Socket,
    SocketIo, Untyped,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Notify, mpsc::UnboundedReceiver};

fn all(io: &SocketIo) -> NamespaceHandle<Untyped> {
    io.at("/").expect("it is registered")
}

/// Emits a numbered event to everybody.
fn tell(io: &SocketIo, numbers: impl IntoIterator<Item = u32>) {
    numbers.into_iter().for_each(|number| all(io).emit_raw("tell", (number,)).expect("JSON"));
}

fn numbers(numbers: impl IntoIterator<Item = u32>) -> Vec<Vec<serde_json::Value>> {
    numbers.into_iter().map(|number| vec![json!(number)]).collect()
}

fn serve(recovery: Recovery) -> (SocketIo, Server, UnboundedReceiver<Ended>) {
    let (connect, ended) = script(basic);
    let io = SocketIo::builder().connection_state_recovery(recovery).namespace_at::<Untyped, _>("/", connect).build();
    let server = Server::start(&io);
    (io, server, ended)
}

async fn sessions(io: &SocketIo, count: usize) {
    let is = |io: &SocketIo| io.recovery_metrics().is_some_and(|metrics| metrics.sessions == count);
    eventually("sessions are kept", || is(io)).await;
}

/// Counts its events: what makes a session a session.
struct Counter {
    socket: Socket<Untyped>,
    events: AtomicUsize,
    ended: Arc<AtomicUsize>,
}

impl Service for Counter {
    async fn event(self: Arc<Self>, event: Incoming) -> Outcome {
        let events = self.events.fetch_add(1, Ordering::SeqCst) + 1;
        if event.name() == "join" {
            self.socket.join(first(&event).as_str().expect("a room"));
        }
        ack(&json!([events, rooms(&self.socket), self.socket.recovered(), self.socket.id()]))
    }

    async fn disconnected(self: Arc<Self>, _: DisconnectReason) {
        self.ended.fetch_add(1, Ordering::SeqCst);
    }
}

over_all_transports! {
    async fn a_lost_connection_costs_nothing(transport) {
        let ended = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&ended);
        let connect = move |socket: Socket<Untyped>| {
            let counter = Counter { socket, events: AtomicUsize::new(0), ended: Arc::clone(&count) };
            std::future::ready(Ok::<_, ConnectError>(counter))
        };
        let io = SocketIo::builder()
            .connection_state_recovery(Recovery::new())
            .namespace_at::<Untyped, _>("/", connect)
            .build();
        let server = Server::start(&io);
        let mut ann = Returning::join(server.addr, transport).await;
        let sid = ann.ticket.sid.clone();
        assert_eq!(ann.client.call("/", json!(["join", "red"])).await, json!([[1, ["red"], false, sid]]));
        tell(&io, [1]);
        assert_eq!(ann.event().await.args()[0], 1);
        ann.client.start_reading().await;
        ann.client.kill();
        sessions(&io, 1).await;
        assert!(all(&io).is_empty() && all(&io).fetch_sockets().await.expect("alone").is_empty(), "who is away is no member");

        let socket = all(&io);
        socket.to("red").emit_raw("red", (2, bytes(b"x"))).expect("JSON");
        socket.to("blue").emit_raw("blue", ("nothing for ann",)).expect("JSON");
        socket.to(sid.as_str()).emit_raw("own", (3,)).expect("JSON");
        socket.except("red").emit_raw("others", ()).expect("JSON");
        socket.volatile().emit_raw("volatile", (5,)).expect("JSON");
        tell(&io, [6]);
        let (_, missed, recovered) = ann.again().await;
        assert!(recovered);
        let placeholder = json!({ "_placeholder": true, "num": 0 });
        assert_eq!(missed, [vec![json!(2), placeholder], vec![json!(3)], vec![json!(6)]]);
        assert_eq!(ann.client.call("/", json!(["x"])).await, json!([[2, ["red"], true, sid]]), "the same session goes on");
        tell(&io, [7]);
        assert_eq!(ann.event().await.args()[0], 7);
        assert_eq!(all(&io).len(), 1);
        assert_eq!(ended.load(Ordering::SeqCst), 0, "nobody has left");
        let metrics = io.recovery_metrics().expect("it is on");
        assert_eq!((metrics.recovered, metrics.unrecovered, metrics.sessions, metrics.events), (1, 0, 0, 7));

        ann.client.leave("/").await;
        eventually("the session ends when the client leaves", || ended.load(Ordering::SeqCst) == 1).await;
    }

    async fn before_the_first_event(transport) {
        let (io, server, _ended) = serve(Recovery::new());
        let mut ann = Returning::join(server.addr, transport).await;
        ann.client.start_reading().await;
        ann.client.kill();
        tell(&io, 1..4);
        let (_, missed, recovered) = ann.again().await;
        assert!(recovered);
        assert_eq!(missed, numbers(1..4));
        // And with an offset that is older than the session.
        let mut bob = Returning::join(server.addr, transport).await;
        bob.ticket.offset.clone_from(&ann.ticket.offset);
        tell(&io, [4]);
        assert_eq!(bob.again().await.1, numbers([4]));
        // Or of a server that was restarted.
        let mut eve = Returning::join(server.addr, transport).await;
        eve.ticket.offset = Some("AbCdEfGh.77".to_owned());
        tell(&io, [5]);
        assert_eq!(eve.again().await.1, numbers([5]));
    }

    async fn again_and_again_without_the_end_of_the_old_connection(transport) {
        let (io, server, mut ended) = serve(Recovery::new());
        let mut ann = Returning::join(server.addr, transport).await;
        let mut old = Vec::new();
        for round in 0..5u32 {
            // The server sends it to a connection that nobody reads from any more.
            tell(&io, [2 * round]);
            let (before, missed, recovered) = ann.again().await;
            assert!(recovered, "{round}");
            assert_eq!(missed, numbers([2 * round]));
            old.push(before);
            tell(&io, [2 * round + 1]);
            assert_eq!(ann.event().await.args()[0], 2 * round + 1);
        }
        // Their late ends are not the session's.
        for mut before in old {
            before.kill();
        }
        eventually("the old connections are over", || io.connections() == 1 || transport == Transport::Polling).await;
        tell(&io, [99]);
        assert_eq!(ann.event().await.args()[0], 99);
        assert!(ended.try_recv().is_err(), "the session has not ended");
    }

    async fn what_ends_in_text_is_no_offset(transport) {
        let (io, server, _ended) = serve(Recovery::new());
        let mut ann = Returning::join(server.addr, transport).await;
        tell(&io, [1]);
        ann.event().await;
        let offset = ann.ticket.offset.clone();
        ann.client.start_reading().await;
        // A hanging GET, or an idle WebSocket, takes it.
        let volatile = |event: &'static str| {
            let io = io.clone();
            move || all(&io).sockets()[0].volatile().emit_raw(event, ()).is_ok()
        };
        eventually("the connection takes it", volatile("name only")).await;
        assert_eq!(ann.event().await.data, json!(["name only", null]));
        let asked = all(&io).timeout(Duration::from_secs(9)).ask_body(socketio::Body::event("asked", &("text",)).expect("JSON"));
        let asking = ann.event().await;
        assert_eq!(asking.data, json!(["asked", "text"]), "an argument more would move the callback");
        ann.client.acknowledge(&asking, json!([1])).await;
        assert!(within("the answer", asked).await[0].1.is_ok());
        assert_eq!(ann.ticket.offset, offset);
        tell(&io, [2]);
        let (_, missed, recovered) = ann.again().await;
        assert!(recovered);
        assert_eq!(missed, numbers([2]));
    }

    async fn answers_are_not_waited_for_across_the_gap(transport) {
        let (io, server, _ended) = serve(Recovery::new());
        let mut ann = Returning::join(server.addr, transport).await;
        let ask = || all(&io).timeout(Duration::from_secs(19)).ask_body(socketio::Body::event("asked", &()).expect("JSON"));
        let socket = all(&io).sockets().remove(0);
        let asked = ask();
        let alone = socket.timeout(Duration::from_secs(19)).ask_body(socketio::Body::event("alone", &()).expect("JSON"));
        ann.client.event().await;
        ann.client.start_reading().await;
        ann.client.kill();
        let answers = within("the end of the wait", asked).await;
        assert_eq!(answers.len(), 1);
        assert!(matches!(answers[0].1, Err(CallError::Disconnected)));
        assert!(matches!(within("the same", alone).await, Err(CallError::Disconnected)));
        sessions(&io, 1).await;
        assert!(!socket.is_connected());
        let away = socket.timeout(Duration::from_secs(19)).ask_body(socketio::Body::event("away", &()).expect("JSON"));
        assert!(matches!(within("an error at once", away).await, Err(CallError::Disconnected)));
        assert!(within("nobody was asked", ask()).await.is_empty());
        assert!(socket.emit_raw("later", (1,)).is_ok(), "it is delivered when the client is back");
        assert_eq!(ann.again().await.1, numbers([1]), "no event that asks is sent twice");
        assert!(socket.is_connected() && socket.recovered(), "handles stay good");
    }

    async fn rooms_are_those_of_the_time(transport) {
        let (io, server, _ended) = serve(Recovery::new());
        let mut ann = Returning::join(server.addr, transport).await;
        let red = |number: u32| all(&io).to("red").emit_raw("red", (number,)).expect("JSON");
        red(1);
        ann.client.call("/", json!(["join", "red"])).await;
        red(2);
        ann.client.call("/", json!(["leave", "red"])).await;
        red(3);
        ann.client.call("/", json!(["join", "red"])).await;
        red(4);
        let (_, missed, _) = ann.again().await;
        assert_eq!(missed, numbers([2, 4]), "neither more nor less than without the loss");
        // The server moves who is away, too.
        ann.client.start_reading().await;
        ann.client.kill();
        sessions(&io, 1).await;
        all(&io).sockets_leave("red");
        red(5);
        all(&io).sockets_join("blue");
        all(&io).to("blue").emit_raw("blue", (6,)).expect("JSON");
        assert_eq!(ann.again().await.1, numbers([6]));
        assert_eq!(ann.client.call("/", json!(["rooms"])).await, json!([["blue"]]));
    }

    async fn who_left_does_not_come_back(transport) {
        let (io, server, mut ended) = serve(Recovery::new());
        let expected = [DisconnectReason::ClientNamespace, DisconnectReason::ServerNamespace, DisconnectReason::ServerNamespace];
        for (case, reason) in expected.into_iter().enumerate() {
            let mut ann = Returning::join(server.addr, transport).await;
            match case {
                0 => ann.client.leave("/").await,
                1 => all(&io).disconnect_sockets(false),
                _ => {
                    ann.client.start_reading().await;
                    ann.client.kill();
                    sessions(&io, 1).await;
                    all(&io).to("nowhere").disconnect_sockets(true);
                    assert_eq!(io.recovery_metrics().map(|metrics| metrics.sessions), Some(1));
                    all(&io).disconnect_sockets(true);
                }
            }
            assert_eq!(within("the end", ended.recv()).await.expect("the server runs").reason, reason);
            let (_, missed, recovered) = ann.again().await;
            assert!(!recovered && missed.is_empty(), "{case}");
            ann.client.leave("/").await;
            within("the end", ended.recv()).await;
        }
    }

    async fn forged_tickets(transport) {
        let (io, server, mut ended) = serve(Recovery::new());
        let mut ann = Returning::join(server.addr, transport).await;
        tell(&io, [1]);
        ann.event().await;
        let honest = ann.ticket.clone();
        let (tag, _) = honest.offset.as_deref().and_then(|offset| offset.split_once('.')).expect("an offset");
        // Another's id is of no use, whoever's it is.
        for pid in [honest.sid.as_str(), "abcdefghij0123456789", ""] {
            let mut eve = Returning::join(server.addr, transport).await;
            eve.ticket = Ticket { pid: pid.to_owned(), ..honest.clone() };
            let (_, missed, recovered) = eve.again().await;
            assert!(!recovered && missed.is_empty(), "{pid}");
        }
        // An offset that was never given ends the session: what the client has seen cannot be known.
        for offset in ["", "x", "hello.world", "1", &format!("{tag}.2"), &format!("{tag}."), &format!("{tag}.-1")] {
            let mut bob = Returning::join(server.addr, transport).await;
            let id = bob.ticket.sid.clone();
            bob.ticket.offset = Some(offset.to_owned());
            let (_, missed, recovered) = bob.again().await;
            assert!(!recovered && missed.is_empty(), "{offset}");
            let end = async { while within("the end", ended.recv()).await.expect("the server runs").id.as_str() != id {} };
            end.await;
        }
        assert!(ann.again().await.2, "nothing of that has touched ann");
    }
}

fn bytes(bytes: &[u8]) -> socketio::Binary {
    socketio::Binary::from(bytes.to_vec())
}

#[tokio::test]
async fn sessions_age() {
    let (io, server, mut ended) = serve(Recovery::new().max_disconnection(Duration::from_millis(50)));
    let mut ann = Returning::join(server.addr, Transport::WebSocket).await;
    ann.client.call("/", json!(["join", "red"])).await;
    ann.client.kill();
    let end = within("the end", ended.recv()).await.expect("the server runs");
    assert!(matches!(end.reason, DisconnectReason::TransportClose | DisconnectReason::TransportError), "{end:?}");
    assert_eq!(end.rooms, ["red"]);
    let (_, _, recovered) = ann.again().await;
    assert!(!recovered);
    let metrics = io.recovery_metrics().expect("it is on");
    assert_eq!((metrics.sessions, metrics.expired, metrics.unrecovered), (0, 1, 1));
}

#[tokio::test]
async fn what_fell_out_is_no_gap() {
    for (recovery, lost) in [
        (Recovery::new().max_events(3), true),
        (Recovery::new().max_events(4), false),
        (Recovery::new().max_bytes(4), true),
        (Recovery::new().max_events(0), true),
    ] {
        let (io, server, mut ended) = serve(recovery.clone());
        let mut ann = Returning::join(server.addr, Transport::WebSocket).await;
        tell(&io, [0]);
        ann.event().await;
        let id = ann.ticket.sid.clone();
        tell(&io, 1..5);
        let (_, missed, recovered) = ann.again().await;
        assert_eq!(recovered, !lost, "{recovery:?}");
        assert_eq!(missed, numbers(if lost { 0..0 } else { 1..5 }));
        if lost {
            assert_eq!(within("the end", ended.recv()).await.expect("the server runs").id.as_str(), id);
        }
        let metrics = io.recovery_metrics().expect("it is on");
        assert_eq!((metrics.recovered, metrics.unrecovered), (u64::from(!lost), u64::from(lost)));
        assert_eq!(metrics.events as u64 + metrics.crowded_out, 5);
    }
}

#[tokio::test]
async fn more_than_a_client_can_take_at_once_is_not_replayed() {
    let (connect, _ended) = script(basic);
    let io = SocketIo::builder()
        .max_buffered(10_000)
        .connection_state_recovery(Recovery::new())
        .namespace_at::<Untyped, _>("/", connect)
        .build();
    let server = Server::start(&io);
    let mut ann = Returning::join(server.addr, Transport::WebSocket).await;
    ann.client.kill();
    sessions(&io, 1).await;
    (0..10).for_each(|_| all(&io).emit_raw("large", ("x".repeat(1000),)).expect("JSON"));
    let (_, missed, recovered) = ann.again().await;
    assert!(!recovered && missed.is_empty());
}

#[tokio::test]
async fn the_oldest_of_too_many_sessions_ends() {
    let (io, server, mut ended) = serve(Recovery::new().max_sessions(2));
    let mut clients = Vec::new();
    for count in 1..=3 {
        let mut client = Returning::join(server.addr, Transport::WebSocket).await;
        client.client.kill();
        sessions(&io, count.min(2)).await;
        eventually("it is kept", || io.connections() == 0).await;
        clients.push(client);
    }
    assert_eq!(within("the end", ended.recv()).await.expect("the server runs").id.as_str(), clients[0].ticket.sid);
    let mut recovered = Vec::new();
    for client in &mut clients {
        recovered.push(client.again().await.2);
    }
    assert_eq!(recovered, [false, true, true]);
}

#[tokio::test]
async fn a_server_that_closes_ends_the_sessions_that_wait() {
    let (io, server, mut ended) = serve(Recovery::new());
    let mut ann = Returning::join(server.addr, Transport::WebSocket).await;
    let bob = Returning::join(server.addr, Transport::WebSocket).await;
    ann.client.kill();
    sessions(&io, 1).await;
    within("the end", io.close()).await;
    let mut ends = [ended.try_recv().expect("both were told"), ended.try_recv().expect("both were told")];
    ends.sort_by_key(|end| end.id.as_str() == bob.ticket.sid);
    assert_eq!(ends[0].id.as_str(), ann.ticket.sid);
    assert_eq!(ends[1].reason, DisconnectReason::ServerShuttingDown);
}

/// Takes one event at a time; `slow` waits for `go` and then tells its client.
fn one_at_a_time() -> (SocketIo, Server, Arc<Notify>, Arc<Notify>, UnboundedReceiver<Ended>) {
    let (go, started) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (wait, tell_started) = (Arc::clone(&go), Arc::clone(&started));
    let (connect, ended) = script(move |socket, event| {
        let (wait, started) = (Arc::clone(&wait), Arc::clone(&tell_started));
        async move {
            if event.name() == "slow" {
                started.notify_one();
                wait.notified().await;
                socket.emit_raw("slow is done", (first(&event),)).expect("it is kept");
                return Outcome::Done(None);
            }
            basic(socket, event).await
        }
    });
    let io = SocketIo::builder()
        .handlers_per_socket(1)
        .connection_state_recovery(Recovery::new())
        .namespace_at::<Untyped, _>("/", connect)
        .build();
    let server = Server::start(&io);
    (io, server, go, started, ended)
}

#[tokio::test]
async fn handlers_go_on_while_the_client_is_away() {
    let (_io, server, go, started, mut ended) = one_at_a_time();
    let mut ann = Returning::join(server.addr, Transport::WebSocket).await;
    ann.client.emit("/", json!(["slow", 1])).await;
    ann.client.emit("/", json!(["slow", 2])).await;
    within("the first", started.notified()).await;
    let (_, missed, recovered) = ann.again().await;
    assert!(recovered && missed.is_empty());
    // One handler at a time, whatever connection its event came by; and what waited waits in its place.
    let echo = ann.client.ask("/", json!(["echo", 3])).await;
    go.notify_one();
    assert_eq!(ann.event().await.args()[0], 1);
    within("the second", started.notified()).await;
    go.notify_one();
    assert_eq!(ann.event().await.args()[0], 2);
    assert_eq!(ann.client.answer("/", echo).await, json!([3]));
    assert!(ended.try_recv().is_err());
}

#[tokio::test]
async fn what_waits_for_a_lost_connection_goes_on_without_one() {
    let (io, server, go, started, mut ended) = one_at_a_time();
    let mut ann = Returning::join(server.addr, Transport::WebSocket).await;
    ann.client.emit("/", json!(["slow", 1])).await;
    within("the first", started.notified()).await;
    ann.again().await;
    // The first is run by the lost connection; the second waits for it, and its own connection is lost, too.
    ann.client.emit("/", json!(["slow", 2])).await;
    ann.client.emit("/", json!(["sync"])).await;
    ann.client.kill();
    eventually("nobody is there", || all(&io).is_empty()).await;
    go.notify_one();
    within("the second", started.notified()).await;
    go.notify_one();
    sessions(&io, 1).await;
    let (_, missed, recovered) = ann.again().await;
    assert!(recovered);
    assert_eq!(missed, [[json!(1)], [json!(2)]]);
    assert!(ended.try_recv().is_err());
}

#[tokio::test]
async fn a_session_is_in_one_place() {
    let (io, server, _ended) = serve(Recovery::new());
    let ann = Returning::join(server.addr, Transport::WebSocket).await;
    let auth = ann.ticket.auth();
    let mut answers = Vec::new();
    for _ in 0..8 {
        let mut client = Client::connect(server.addr, Transport::WebSocket).await;
        client.send(&format!("0{auth}")).await;
        answers.push(client);
    }
    let mut alive = 0;
    for client in &mut answers {
        // Who had it for a moment is disconnected when the next one takes it; who asked in vain is a new client.
        let answer = client.packet().await;
        assert_eq!(answer.kind, 0);
        alive += usize::from(answer.data["pid"] != ann.ticket.pid.as_str());
    }
    eventually("one of them has it", || all(&io).len() == alive + 1).await;
    let ids: std::collections::HashSet<_> = all(&io).sockets().iter().map(Socket::id).collect();
    assert_eq!(ids.len(), alive + 1);
}

#[tokio::test]
async fn a_loss_while_the_connect_function_runs_again() {
    #[derive(Clone)]
    struct Gate(Scripts, Arc<Notify>, Arc<Notify>);
    let (scripts, mut ended) = Scripts::new(basic);
    let (asked, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let connect = async |socket: Socket<Untyped>,
                         Recovered(so_far): Recovered<Script>,
                         axum::extract::State(Gate(scripts, asked, go)): axum::extract::State<Gate>| {
        if so_far.is_some() {
            asked.notify_one();
            go.notified().await;
        }
        Ok::<_, ConnectError>(scripts.session(socket))
    };
    let io = SocketIo::builder()
        .with_state(Gate(scripts, Arc::clone(&asked), Arc::clone(&go)))
        .connection_state_recovery(Recovery::new().connect_again(true).max_disconnection(Duration::MAX))
        .namespace_at::<Untyped, _>("/", connect)
        .build();
    let server = Server::start(&io);
    let mut ann = Returning::join(server.addr, Transport::WebSocket).await;
    ann.client.call("/", json!(["join", "red"])).await;
    ann.client.kill();
    sessions(&io, 1).await;
    let mut unlucky = Client::connect(server.addr, Transport::WebSocket).await;
    unlucky.send(&format!("0{}", ann.ticket.auth())).await;
    within("the connect function", asked.notified()).await;
    tell(&io, [1]);
    unlucky.kill();
    let again = tokio::spawn(async move {
        let (_, missed, recovered) = ann.again().await;
        (ann, missed, recovered)
    });
    // For the connection that is lost, then for the one that asks behind it.
    go.notify_one();
    within("the connect function", asked.notified()).await;
    go.notify_one();
    let (mut ann, missed, recovered) = within("the session", again).await.expect("no panic");
    assert!(recovered);
    assert_eq!(missed, numbers([1]));
    assert_eq!(ann.client.call("/", json!(["rooms"])).await, json!([["red"]]));
    assert!(ended.try_recv().is_err());
}

#[tokio::test]
async fn a_connect_function_that_runs_again() {
    #[derive(Clone)]
    struct Gate(Scripts);
    let (scripts, mut ended) = Scripts::new(basic);
    let connect = async |socket: Socket<Untyped>,
                         Auth(auth): Auth<serde_json::Value>,
                         Recovered(so_far): Recovered<Script>,
                         axum::extract::State(Gate(scripts)): axum::extract::State<Gate>| {
        assert_eq!(socket.recovered(), so_far.is_some());
        assert!(so_far.is_none_or(|so_far| so_far.socket.id() == socket.id()));
        assert!(auth.get("pid").is_none() && auth.get("offset").is_none(), "the secret is not for the application");
        if auth["token"] == "old" {
            return Err(ConnectError::new("too old"));
        }
        socket.join("again");
        socket.emit_raw("welcome", (socket.recovered(),)).expect("it is kept");
        Ok(scripts.session(socket))
    };
    let io = SocketIo::builder()
        .with_state(Gate(scripts))
        .connection_state_recovery(Recovery::new().connect_again(true))
        .namespace_at::<Untyped, _>("/", connect)
        .build();
    let server = Server::start(&io);
    let mut ann = Returning::join(server.addr, Transport::WebSocket).await;
    assert_eq!(ann.event().await.args()[0], false);
    ann.client.call("/", json!(["join", "red"])).await;
    tell(&io, [1]);
    let (_, missed, recovered) = ann.again().await;
    assert!(recovered);
    assert_eq!(missed, [vec![json!(1)], vec![json!(true)]]);
    assert_eq!(ann.client.call("/", json!(["rooms"])).await, json!([["again", "red"]]));
    assert!(ended.try_recv().is_err());

    let mut auth = ann.ticket.auth();
    auth["token"] = "old".into();
    let mut refused = Client::connect(server.addr, Transport::WebSocket).await;
    assert_eq!(refused.try_join("/", Some(auth)).await, Err(json!({ "message": "too old" })));
    assert_eq!(within("the end", ended.recv()).await.expect("the server runs").rooms, ["again", "red"]);
    assert!(all(&io).is_empty());
    assert!(!ann.again().await.2, "it is over");
}
