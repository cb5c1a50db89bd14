//! The namespace of the official Admin UI, as the page speaks to it.

use crate::{
    client::{Client, Options, Packet, Transport, within},
    script::{basic, script},
    server::{Server, eventually},
};
use serde_json::{Value, json};
use socketio::{
    BuildError, Recovery, SocketIo, Untyped,
    admin::{Admin, Credentials, SessionStore},
};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

/// "changeit", from the documentation of the JavaScript server.
const HASH: &str = "$2b$10$heqvAkYMez.Va6Et2uXInOnkCT6/uQj1brkrbyG3LpopDklcq7ZOS";
/// "changeit" with the least work.
const CHEAP: &str = "$2a$04$hGSKVLACWtqJdXd4nV22FONNcs/Cp8Ub5v618W1U9jFNCj3qhAfnu";

fn serve(admin: Admin) -> (SocketIo, Server) {
    let (connect, _ended) = script(basic);
    let io = SocketIo::builder()
        .namespace_at::<Untyped, _>("/", connect.clone())
        .namespace_at::<Untyped, _>("/chat", connect)
        .admin(admin)
        .build();
    let server = Server::start(&io);
    (io, server)
}

/// Everything up to an event of this name, which comes last.
async fn up_to(client: &mut Client, name: &str) -> Vec<Packet> {
    let mut seen = Vec::new();
    loop {
        let event = client.event().await;
        let last = event.name() == name;
        seen.push(event);
        if last {
            return seen;
        }
    }
}

async fn next(client: &mut Client, name: &str) -> Vec<Value> {
    up_to(client, name).await.pop().map(|event| event.args()).unwrap_or_default()
}

/// The next of this name that has this somewhere in its text.
async fn next_with(client: &mut Client, name: &str, text: &str) -> Vec<Value> {
    loop {
        let args = next(client, name).await;
        if json!(args).to_string().contains(text) {
            return args;
        }
    }
}

async fn admin(server: &Server) -> Client {
    let mut admin = Client::connect(server.addr, Transport::WebSocket).await;
    admin.join("/admin", None).await;
    admin
}

#[tokio::test]
async fn credentials_and_sessions() {
    let (_io, server) = serve(Admin::basic_auth("admin", CHEAP));
    let mut client = Client::connect(server.addr, Transport::WebSocket).await;
    let wrong = [
        None,
        Some(json!({ "username": "admin", "password": "wrong" })),
        Some(json!({ "username": "root", "password": "changeit" })),
        Some(json!({ "username": "admin" })),
        Some(json!({ "sessionId": "made up" })),
        Some(json!({ "sessionId": 5, "username": ["admin"], "password": {} })),
    ];
    for auth in wrong {
        let refused = client.try_join("/admin", auth.clone()).await.expect_err("nobody comes in");
        assert_eq!(refused, json!({ "message": "invalid credentials" }), "{auth:?}");
    }
    client.join("/admin", Some(json!({ "username": "admin", "password": "changeit" }))).await;
    let session = client.event().await;
    assert_eq!(session.name(), "session");
    let session = session.args()[0].as_str().expect("an id").to_owned();
    assert_eq!(session.len(), 32);

    let mut again = Client::connect(server.addr, Transport::Polling).await;
    again.join("/admin", Some(json!({ "sessionId": session }))).await;
    let first = again.event().await;
    assert_ne!(first.name(), "session", "it has one");
}

#[tokio::test]
async fn hashes_of_the_javascript_server_work() {
    let (_io, server) = serve(Admin::basic_auth("admin", HASH));
    let mut client = Client::connect(server.addr, Transport::WebSocket).await;
    client.join("/admin", Some(json!({ "username": "admin", "password": "changeit" }))).await;
    assert_eq!(client.event().await.name(), "session");
}

#[tokio::test]
async fn what_is_no_hash_is_noticed_when_the_server_is_built() {
    let built = SocketIo::builder().admin(Admin::basic_auth("admin", "changeit")).try_build();
    assert!(matches!(&built, Err(BuildError::Admin(_))), "{built:?}");
    let message = built.expect_err("it is no hash").to_string();
    assert_eq!(message, "admin: the password of `basic_auth` is not a bcrypt hash");
}

#[derive(Clone, Default)]
struct Store(Arc<Mutex<HashSet<String>>>);

impl SessionStore for Store {
    async fn save(&self, session: &str) {
        self.0.lock().expect("no panic").insert(session.to_owned());
    }
    async fn exists(&self, session: &str) -> bool {
        self.0.lock().expect("no panic").contains(session)
    }
}

#[tokio::test]
async fn a_check_and_a_store_of_ones_own() {
    let check = |login: Credentials| async move {
        assert!(login.username != "panic");
        tokio::task::yield_now().await;
        login.password == login.username.to_uppercase()
    };
    let store = Store::default();
    let (_io, server) = serve(Admin::checked_by(check).session_store(store.clone()));
    let (_io, other) = serve(Admin::checked_by(|_| async { false }).session_store(store));
    let mut client = Client::connect(server.addr, Transport::WebSocket).await;
    for (username, password) in [("ann", "ann"), ("panic", "PANIC")] {
        let auth = json!({ "username": username, "password": password });
        client.try_join("/admin", Some(auth)).await.expect_err("nobody comes in");
    }
    client.join("/admin", Some(json!({ "username": "ann", "password": "ANN" }))).await;
    let session = client.event().await.args()[0].clone();
    let mut elsewhere = Client::connect(other.addr, Transport::WebSocket).await;
    elsewhere.join("/admin", Some(json!({ "sessionId": session }))).await;
}

#[tokio::test]
async fn an_admin_sees_what_there_is_and_what_happens() {
    let (io, server) = serve(Admin::without_auth().server_id("the one"));
    let options = Options {
        query: "&token=abc".into(),
        headers: vec![("Cookie".into(), "secret=1".into()), ("X-Forwarded-For".into(), "192.0.2.7".into())],
        ..Options::default()
    };
    let mut early = Client::connect_with(server.addr, Transport::Polling, options).await;
    let early_id = early.join("/chat", None).await;
    early.call("/chat", json!(["join", "red"])).await;

    let mut admin = admin(&server).await;
    let seen = up_to(&mut admin, "server_stats").await;
    let args = |name: &str| seen.iter().find(|event| event.name() == name).map(Packet::args).expect("it was sent");
    let features = ["EMIT", "JOIN", "LEAVE", "DISCONNECT", "MJOIN", "MLEAVE", "MDISCONNECT", "AGGREGATED_EVENTS", "ALL_EVENTS"];
    assert_eq!(args("config"), [json!({ "supportedFeatures": features })]);
    let listed = args("all_sockets")[0].as_array().expect("a list").clone();
    let socket = listed.iter().find(|socket| socket["id"] == json!(early_id)).expect("it is there").clone();
    assert_eq!((&socket["nsp"], &socket["transport"], &socket["data"]), (&json!("/chat"), &json!("polling"), &json!({})));
    assert_eq!(socket["rooms"], json!([early_id, "red"]));
    assert_eq!(socket["clientId"].as_str().map(str::len), Some(12));
    let handshake = &socket["handshake"];
    assert_eq!((&handshake["address"], &handshake["query"]["token"]), (&json!("192.0.2.7"), &json!("abc")));
    assert_eq!(handshake["headers"]["cookie"], json!("(hidden)"), "admins do not become their users");
    assert!(!json!(listed).to_string().contains(&early.sid), "a session id is a secret");
    let stats = args("server_stats")[0].clone();
    assert_eq!((&stats["serverId"], &stats["clientsCount"]), (&json!("the one"), &json!(2)));
    assert_eq!(stats["pollingClientsCount"], json!(1));
    let chat = json!({ "name": "/chat", "socketsCount": 1 });
    assert!(stats["namespaces"].as_array().is_some_and(|all| all.contains(&chat)), "{stats}");

    // Somebody comes, moves, talks and goes.
    let mut client = Client::connect(server.addr, Transport::Polling).await;
    let id = client.join("/chat", None).await;
    let joined = next_with(&mut admin, "room_joined", &id).await;
    assert_eq!(joined[..3], [json!("/chat"), json!(id), json!(id)]);
    let connected = next(&mut admin, "socket_connected").await;
    assert_eq!((&connected[0]["id"], &connected[0]["rooms"]), (&json!(id), &json!([id])));
    let time = connected[1].as_str().expect("a date");
    assert!(time.len() == 24 && time.ends_with('Z'), "{time}");

    client.upgrade().await;
    let updated = next(&mut admin, "socket_updated").await;
    assert_eq!(updated, [json!({ "id": id, "nsp": "/chat", "transport": "websocket" })]);
    client.call("/chat", json!(["join", "blue"])).await;
    let received = next(&mut admin, "event_received").await;
    assert_eq!(received[..3], [json!("/chat"), json!(id), json!(["join", "blue"])]);
    assert_eq!(next(&mut admin, "room_joined").await[..3], [json!("/chat"), json!("blue"), json!(id)]);
    let chat = io.at::<Untyped>("/chat").expect("it is there");
    chat.to("blue").emit_raw("photo", (socketio::Binary::from(vec![1, 2, 3]), "a cat")).expect("it is sent");
    let sent = next(&mut admin, "event_sent").await;
    assert_eq!(sent[..3], [json!("/chat"), json!(id), json!(["photo", "(binary, 3 bytes)", "a cat"])]);
    let socket = chat.sockets().into_iter().find(|socket| socket.id().as_str() == id).expect("it is there");
    socket.set_data(&json!({ "name": "ann" })).expect("JSON");
    assert_eq!(next(&mut admin, "socket_updated").await, [json!({ "id": id, "nsp": "/chat", "data": { "name": "ann" } })]);
    client.call("/chat", json!(["leave", "blue"])).await;
    assert_eq!(next(&mut admin, "room_left").await[..3], [json!("/chat"), json!("blue"), json!(id)]);
    client.leave("/chat").await;
    let gone = next(&mut admin, "socket_disconnected").await;
    assert_eq!(gone[..3], [json!("/chat"), json!(id), json!("client namespace disconnect")]);
    assert_eq!(next(&mut admin, "room_left").await[..3], [json!("/chat"), json!(id), json!(id)]);

    // Statistics come by themselves, with what has happened since the last ones.
    let mut kinds = HashSet::new();
    within("statistics", async {
        while kinds.len() < 5 {
            let stats = next(&mut admin, "server_stats").await;
            let events = stats[0]["aggregatedEvents"].as_array().cloned().unwrap_or_default();
            kinds.extend(events.iter().filter_map(|event| event["type"].as_str().map(str::to_owned)));
        }
    })
    .await;
    let expected = ["rawConnection", "packetsIn", "packetsOut", "bytesIn", "bytesOut"].map(str::to_owned);
    assert_eq!(kinds, HashSet::from(expected));
}

#[tokio::test]
async fn an_admin_acts() {
    let (io, server) = serve(Admin::without_auth());
    let mut admin = admin(&server).await;
    let mut client = Client::connect(server.addr, Transport::WebSocket).await;
    let id = client.join("/chat", None).await;
    let mut other = Client::connect(server.addr, Transport::WebSocket).await;
    other.join("/chat", None).await;

    admin.call("/admin", json!(["join", "/chat", "red", id])).await;
    assert_eq!(client.call("/chat", json!(["rooms"])).await, json!([["red"]]));
    admin.call("/admin", json!(["join", "/chat", "all"])).await;
    admin.call("/admin", json!(["leave", "/chat", "all", "red"])).await;
    assert_eq!(client.call("/chat", json!(["rooms"])).await, json!([["red"]]));
    assert_eq!(other.call("/chat", json!(["rooms"])).await, json!([["all"]]));
    admin.call("/admin", json!(["leave", "/chat", "red", null])).await;
    assert_eq!(client.call("/chat", json!(["rooms"])).await, json!([[]]));

    admin.call("/admin", json!(["emit", "/chat", null, "to all", 1, { "a": [null] }])).await;
    for client in [&mut client, &mut other] {
        client.expect("/chat", json!(["to all", 1, { "a": [null] }])).await;
    }
    admin.call("/admin", json!(["emit", "/chat", id, "to one"])).await;
    client.expect("/chat", json!(["to one"])).await;
    assert_eq!(other.unread(), []);

    // What makes no sense is not acknowledged, and does no harm.
    for nonsense in [json!(["emit"]), json!(["emit", "/nowhere", null, "event"]), json!(["join", "/chat"]), json!(["dance"])] {
        admin.ask("/admin", nonsense).await;
    }
    admin.ask("/admin", json!(["emit", "/chat", null, "connect"])).await;
    assert!(io.at::<Untyped>("/nowhere").is_none());

    admin.call("/admin", json!(["_disconnect", "/chat", false, id])).await;
    let gone = client.packet().await;
    assert_eq!((gone.kind, &*gone.namespace), (1, "/chat"));
    client.join("/", None).await;
    admin.call("/admin", json!(["_disconnect", "/chat", true])).await;
    let chat = io.at::<Untyped>("/chat").expect("it is there");
    eventually("everybody is thrown out", || chat.is_empty() && io.connections() == 2).await;
}

#[tokio::test]
async fn read_only_admins_look_and_nothing_else() {
    let (io, server) = serve(Admin::without_auth().read_only(true).namespace("/looking"));
    let mut admin = Client::connect(server.addr, Transport::WebSocket).await;
    admin.join("/looking", None).await;
    let config = next(&mut admin, "config").await;
    assert_eq!(config, [json!({ "supportedFeatures": ["AGGREGATED_EVENTS", "ALL_EVENTS"] })]);
    let mut client = Client::connect(server.addr, Transport::WebSocket).await;
    let id = client.join("/chat", None).await;
    for ask in ["join", "leave", "emit", "_disconnect"] {
        admin.emit("/looking", json!([ask, "/chat", "red", id])).await;
    }
    admin.leave("/looking").await;
    eventually("all that was asked is done", || io.at::<Untyped>("/looking").is_some_and(|admins| admins.is_empty())).await;
    assert_eq!(client.call("/chat", json!(["rooms"])).await, json!([[]]));
    assert_eq!(client.unread(), []);
}

#[tokio::test]
async fn in_production_mode_there_are_statistics_only() {
    let (io, server) = serve(Admin::without_auth().production(true));
    let mut admin = admin(&server).await;
    let mut client = Client::connect(server.addr, Transport::WebSocket).await;
    client.join("/chat", None).await;
    client.call("/chat", json!(["join", "red"])).await;
    io.at::<Untyped>("/chat").expect("it is there").emit_raw("event", ()).expect("it is sent");
    let mut names = HashSet::new();
    let mut seen = up_to(&mut admin, "server_stats").await;
    seen.extend(up_to(&mut admin, "server_stats").await);
    names.extend(seen.iter().map(|event| event.name().to_owned()));
    assert_eq!(names, HashSet::from(["config", "server_stats"].map(str::to_owned)));
}

#[tokio::test]
async fn admins_are_not_recovered_and_their_events_are_not_kept() {
    let (connect, _ended) = script(basic);
    let io = SocketIo::builder()
        .connection_state_recovery(Recovery::new())
        .namespace_at::<Untyped, _>("/", connect)
        .admin(Admin::without_auth())
        .build();
    let server = Server::start(&io);
    let mut admin = admin(&server).await;
    up_to(&mut admin, "server_stats").await;
    admin.kill();
    eventually("the admin has gone", || io.at::<Untyped>("/admin").is_some_and(|admins| admins.is_empty())).await;
    let kept = io.recovery_metrics().expect("it is on");
    assert_eq!((kept.sessions, kept.events), (0, 0));
}
