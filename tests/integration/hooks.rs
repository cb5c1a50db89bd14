//! Code of the application that runs inside of the server: it may panic, and it may call back.

use crate::{
    client::{Client, Transport, within},
    script::{basic, first, script},
    server::{Server, eventually},
};
use serde::{Serialize, Serializer};
use serde_json::json;
use socketio::{
    Body, ConnectError, DisconnectReason, Incoming, NamespaceHandle, Outcome, Rejection, Service, Socket, SocketIo, Untyped,
};
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

over_all_transports! {
    async fn a_panicking_hook_loses_no_event(transport) {
        let (connect, _ended) = script(|socket, event| async move {
            match event.name() {
                "reject" => return Outcome::Rejected(Rejection::new("on purpose")),
                "tell" => socket.emit_raw("told", (first(&event),)).expect("it is connected"),
                _ => {}
            }
            basic(socket, event).await
        });
        let (seen, counted) = (Arc::new(Mutex::new(Vec::new())), |seen: &Arc<Mutex<Vec<String>>>, what: &str| {
            let (seen, what) = (Arc::clone(seen), what.to_owned());
            move || seen.lock().expect("no panic under it").push(what.clone())
        });
        let (arrived, left, rejected) = (counted(&seen, "arrived"), counted(&seen, "left"), counted(&seen, "rejected"));
        let io = SocketIo::builder()
            .on_any(|_, _| panic!("on purpose"))
            .on_any(move |_, _| arrived())
            .on_any_outgoing(|_| panic!("on purpose"))
            .on_any_outgoing(move |_| left())
            .on_rejection(|_, _| panic!("on purpose"))
            .on_rejection(move |_, _| rejected())
            .namespace_at::<Untyped, _>("/", connect)
            .build();
        let server = Server::start(&io);
        let mut client = Client::joined(server.addr, transport).await;
        let seen = || std::mem::take(&mut *seen.lock().expect("no panic under it"));
        assert_eq!(client.call("/", json!(["echo", 1])).await, json!([1]));
        assert_eq!(seen(), ["arrived"]);
        let asked = client.ask("/", json!(["tell", 2])).await;
        client.expect("/", json!(["told", 2])).await;
        assert_eq!(client.answer("/", asked).await, json!([]));
        assert_eq!(seen(), ["arrived", "left"]);
        io.at::<Untyped>("/").expect("registered").emit_raw("to all", ()).expect("JSON");
        client.expect("/", json!(["to all"])).await;
        assert_eq!(seen(), ["left"]);
        client.emit("/", json!(["reject"])).await;
        assert_eq!(client.call("/", json!(["echo", 3])).await, json!([3]));
        assert_eq!(seen(), ["arrived", "rejected", "arrived"]);
    }
}

/// Calls back into the server from wherever it is asked to, and remembers where that was.
#[derive(Default)]
struct Meddler {
    io: OnceLock<SocketIo>,
    places: Mutex<BTreeSet<&'static str>>,
    rounds: AtomicUsize,
}

/// What a meddler emits; hooks do not answer it with more of it.
const MEDDLING: &str = "meddling";

/// An argument whose serialization calls back.
struct Curious<'a>(&'a Meddler);

impl Serialize for Curious<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.with_namespace("serialize");
        serializer.serialize_str("curious")
    }
}

impl Meddler {
    fn came_by(&self, place: &'static str) {
        self.places.lock().unwrap_or_else(PoisonError::into_inner).insert(place);
    }

    fn namespace(&self) -> Option<NamespaceHandle<Untyped>> {
        self.io.get()?.at("/")
    }

    fn with_namespace(&self, place: &'static str) {
        self.came_by(place);
        let Some(namespace) = self.namespace() else { return };
        for socket in namespace.sockets() {
            socket.join(format!("room {}", self.rounds.fetch_add(1, Ordering::SeqCst) % 7));
            assert!(!socket.rooms().is_empty());
            // It may have ended in between.
            let _ = socket.emit_raw(MEDDLING, (place,));
            drop(socket.timeout(Duration::from_secs(9)).ask_body(Body::event(MEDDLING, &()).expect("JSON")));
        }
        namespace.to("room 1").except("room 2").emit_raw(MEDDLING, (place,)).expect("JSON");
        drop(namespace.timeout(Duration::from_secs(9)).ask_body(Body::event(MEDDLING, &()).expect("JSON")));
        namespace.sockets_join("everybody");
        namespace.to("room 3").sockets_leave("room 3");
        namespace.to("kick me").disconnect_sockets(false);
        let io = self.io.get().expect("it was there");
        let family = io.try_of::<Untyped>().expect("the namespaces of the predicate");
        family.emit_raw(MEDDLING, (place,)).expect("JSON");
        family.sockets_join("everybody");
        assert!(family.sockets().len() < 1000);
        assert!(io.namespaces().contains(&"/".to_owned()));
        assert!(io.connections() < 1000 && namespace.len() < 1000);
    }

    fn with_socket(&self, place: &'static str, socket: &Socket<Untyped>) {
        socket.join(place);
        let _ = socket.emit_raw(MEDDLING, (place,));
        socket.to("room 4").emit_raw(MEDDLING, (place,)).expect("JSON");
        socket.broadcast().sockets_join("met");
        socket.leave(place);
        assert!(!socket.rooms().is_empty());
        self.with_namespace(place);
    }
}

/// A session that meddles in everything, its own end included.
struct Busybody {
    socket: Socket<Untyped>,
    meddler: Arc<Meddler>,
}

impl Service for Busybody {
    async fn event(self: Arc<Self>, event: Incoming) -> Outcome {
        /// Meddles when the future of a handler is dropped.
        struct Last<'a>(&'a Busybody);
        impl Drop for Last<'_> {
            fn drop(&mut self) {
                self.0.meddler.with_socket("drop of a future", &self.0.socket);
            }
        }
        let _last = Last(&self);
        self.meddler.with_socket("handler", &self.socket);
        tokio::task::yield_now().await;
        self.meddler.with_socket("resumed handler", &self.socket);
        match event.name() {
            "boom" => panic!("on purpose"),
            "leave me" => self.socket.disconnect(false),
            "go" => self.socket.disconnect(true),
            "kick me" => {
                self.socket.join("kick me");
                self.meddler.with_socket("handler", &self.socket);
            }
            "curious" => self.socket.emit_raw("told", (Curious(&self.meddler),)).expect("it is connected"),
            _ => {}
        }
        basic(self.socket.clone(), event).await
    }

    async fn disconnected(self: Arc<Self>, _: DisconnectReason) {
        self.meddler.with_socket("goodbye", &self.socket);
        self.socket.disconnect(false);
        tokio::task::yield_now().await;
        self.meddler.with_socket("resumed goodbye", &self.socket);
    }
}

impl Drop for Busybody {
    fn drop(&mut self) {
        self.meddler.with_socket("drop of a session", &self.socket);
        self.socket.disconnect(true);
    }
}

fn meddling_server() -> (SocketIo, Arc<Meddler>) {
    let meddler = Arc::new(Meddler::default());
    let connect = {
        let meddler = Arc::clone(&meddler);
        move |socket: Socket<Untyped>| {
            let meddler = Arc::clone(&meddler);
            async move {
                meddler.with_socket("connect", &socket);
                tokio::task::yield_now().await;
                meddler.with_socket("resumed connect", &socket);
                Ok::<_, ConnectError>(Busybody { socket, meddler })
            }
        }
    };
    let with = || Arc::clone(&meddler);
    let (request, first_headers, headers, predicate) = (with(), with(), with(), with());
    let (incoming, outgoing, rejected) = (with(), with(), with());
    let io = SocketIo::builder()
        .allow_request(move |_| {
            request.with_namespace("allow_request");
            std::future::ready(Ok(()))
        })
        .initial_headers(move |_, _| first_headers.with_namespace("initial_headers"))
        .response_headers(move |_, _| headers.with_namespace("response_headers"))
        .on_any(move |socket, _| incoming.with_socket("on_any", socket))
        .on_any_outgoing(move |event| {
            if !event.json().contains(MEDDLING) {
                outgoing.with_namespace("on_any_outgoing");
            }
        })
        .on_rejection(move |socket, _| rejected.with_socket("on_rejection", socket))
        .namespace_at::<Untyped, _>("/", connect.clone())
        .namespace_matching::<Untyped, _>(
            move |path| {
                predicate.with_namespace("predicate");
                path.starts_with("/dyn/")
            },
            connect,
        )
        .build();
    meddler.io.set(io.clone()).expect("once");
    (io, meddler)
}

async fn meddle() {
    let (io, meddler) = meddling_server();
    let server = Server::start(&io);
    let mut bystander = Client::joined(server.addr, Transport::WebSocket).await;
    for transport in [Transport::Polling, Transport::WebSocket, Transport::Upgraded] {
        for end in ["leave me", "go", "kick me", "leave", "close", "kill"] {
            let mut client = Client::joined(server.addr, transport).await;
            client.join("/dyn/1", None).await;
            client.try_join("/nowhere", None).await.expect_err("there is no such namespace");
            client.emit("/", json!(["boom"])).await;
            client.emit("/", json!(["curious"])).await;
            client.packet_where(|packet| packet.kind == 2 && packet.name() == "told").await;
            assert_eq!(client.call("/dyn/1", json!(["echo", 1])).await, json!([1]));
            match end {
                "leave" => client.leave("/").await,
                "close" => client.close().await,
                // Somebody always emits: no GET hangs long enough to be killed.
                "kill" if transport == Transport::Polling => client.close().await,
                "kill" => client.kill(),
                told => client.emit("/", json!([told])).await,
            }
            // Whatever the end, its session closes the whole connection when it is dropped.
            client.rest().await;
            eventually("only the bystander is left", || io.connections() == 1).await;
        }
    }
    assert_eq!(bystander.call("/", json!(["echo", 1])).await, json!([1]));
    within("the end of the shutdown", async {
        let ((), _) = tokio::join!(io.close(), bystander.rest());
    })
    .await;
    let places = meddler.places.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let expected = [
        "allow_request",
        "connect",
        "drop of a future",
        "drop of a session",
        "goodbye",
        "handler",
        "initial_headers",
        "on_any",
        "on_any_outgoing",
        "on_rejection",
        "predicate",
        "response_headers",
        "resumed connect",
        "resumed goodbye",
        "resumed handler",
        "serialize",
    ];
    assert_eq!(places, BTreeSet::from(expected), "user code ran everywhere");
}

/// On a thread of its own: a deadlock would stop a runtime, and every time limit with it.
#[test]
fn user_code_may_call_back_from_everywhere() {
    let (done, finished) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(meddle());
        // Nobody listens any more if it took too long.
        let _ = done.send(());
    });
    match finished.recv_timeout(Duration::from_secs(60)) {
        Ok(()) => {}
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("a lock is held while user code runs"),
        Err(mpsc::RecvTimeoutError::Disconnected) => std::panic::resume_unwind(thread.join().expect_err("it panicked")),
    }
}
