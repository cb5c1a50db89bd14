//! The kit against a small server: what a test can do with it, and how it fails.

use super::{Client, End};
use crate::{Auth, Binary, CallError, ConnectError, ConnectParts, DisconnectReason, FromConnect, Socket, SocketIo};
use futures_util::FutureExt as _;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

#[derive(Serialize, Deserialize, schemars::JsonSchema)]
struct Login {
    name: String,
}

fn login(name: &str) -> Login {
    Login { name: name.to_owned() }
}

#[socketio_macros::namespace("/desk", emits = DeskEvents, auth = Login, crate = crate)]
trait Desk {
    #[event]
    async fn shout(&self, text: &str) -> usize;
    #[event]
    async fn whisper(&self, text: &str);
    #[event]
    async fn ask_me(&self) -> Result<u32, String>;
    #[event]
    async fn mirror(&self, bytes: Binary) -> Binary;
    #[event]
    async fn never(&self) -> u32;
    #[event]
    async fn quit(&self);
    #[event]
    async fn handshake(&self) -> Vec<String>;
    #[disconnect]
    async fn gone(&self, reason: DisconnectReason);
}

#[socketio_macros::events(crate = crate)]
trait DeskEvents {
    #[event]
    async fn said(&self, name: &str, text: &str);
    #[event]
    async fn bytes(&self, bytes: &Binary);
    #[event]
    async fn number(&self) -> u32;
    #[event]
    async fn gone(&self, name: &str, reason: &str);
}

struct Session {
    socket: Socket<dyn Desk>,
    name: String,
    handshake: Vec<String>,
}

/// What the kit put into the request.
struct Seen(Vec<String>);

#[derive(Clone)]
struct Badge(u8);

impl<N: ?Sized, S: Sync> FromConnect<N, S> for Seen {
    async fn from_connect(parts: &mut ConnectParts, _: &S) -> Result<Self, ConnectError> {
        let request = parts.handshake();
        let header = request.header("x-test").map(|value| String::from_utf8_lossy(value).into_owned());
        let query = request.query().into_iter().find(|(name, _)| name == "k&").map(|(_, value)| value);
        let badge = request.extensions().get::<Badge>().map(|badge| badge.0.to_string());
        Ok(Seen([header, query, badge].into_iter().flatten().collect()))
    }
}

async fn connect(socket: Socket<dyn Desk>, Auth(login): Auth<Login>, Seen(handshake): Seen) -> Result<Session, ConnectError> {
    if login.name == "eve" {
        return Err(ConnectError::new("not you").with_data(json!({ "code": 7 })));
    }
    Ok(Session { socket, name: login.name, handshake })
}

impl Desk for Session {
    async fn shout(&self, text: &str) -> usize {
        self.socket.namespace().emit().said(&self.name, text);
        text.len()
    }
    async fn whisper(&self, text: &str) {
        self.socket.emit().said(&self.name, text);
    }
    async fn ask_me(&self) -> Result<u32, String> {
        self.socket.timeout(Duration::from_secs(1)).emit().number().await.map_err(|error| error.to_string())
    }
    async fn mirror(&self, bytes: Binary) -> Binary {
        self.socket.emit().bytes(&bytes);
        bytes
    }
    async fn never(&self) -> u32 {
        std::future::pending().await
    }
    async fn quit(&self) {
        self.socket.disconnect(false);
    }
    async fn handshake(&self) -> Vec<String> {
        self.handshake.clone()
    }
    async fn gone(&self, reason: DisconnectReason) {
        self.socket.namespace().emit().gone(&self.name, reason.as_str());
    }
}

fn server() -> SocketIo {
    SocketIo::builder().namespace::<dyn Desk, _>(connect).build()
}

async fn client(io: &SocketIo, name: &str) -> Client<dyn Desk> {
    Client::<dyn Desk>::connect(io).auth(login(name)).await.unwrap()
}

/// A handler of the test's own.
struct Bot {
    number: u32,
    panics: bool,
}

impl DeskEvents for Bot {
    async fn said(&self, _: &str, text: &str) {
        assert!(!self.panics, "{text}");
    }
    async fn bytes(&self, _: &Binary) {}
    async fn number(&self) -> u32 {
        self.number
    }
    async fn gone(&self, _: &str, _: &str) {}
}

/// Waits until the server has let go of everything.
async fn emptied(io: &SocketIo) {
    let waiting = async {
        while io.connections() > 0 || !io.of::<dyn Desk>().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), waiting).await.expect("nothing is left behind");
}

async fn panic_of<T: std::fmt::Debug>(future: impl Future<Output = T>) -> String {
    let panic = AssertUnwindSafe(future).catch_unwind().await.expect_err("panics");
    *panic.downcast::<String>().expect("has a text")
}

#[tokio::test]
async fn events_and_acknowledgements_go_both_ways() {
    let io = server();
    let (ann, bob) = (client(&io, "ann").await, client(&io, "bob").await);
    assert_ne!(ann.id(), bob.id());
    assert_eq!(ann.emit().shout("hi").await, Ok(2));
    let event = bob.next_event().await;
    assert_eq!((event.name(), &*event.args_json()), ("said", r#"["ann","hi"]"#));
    assert_eq!(event.args::<(String, String)>(), ("ann".to_owned(), "hi".to_owned()));
    ann.expect("said", ("ann", "hi")).await;
    // What came before an acknowledgement is there with it, and what did not come is not.
    ann.emit().whisper("psst");
    assert_eq!(ann.emit().handshake().await, Ok(Vec::new()));
    assert_eq!(ann.unread().len(), 1);
    assert!(bob.unread().is_empty());
    ann.expect("said", json!(["ann", "psst"])).await;
}

#[tokio::test]
async fn a_handler_answers_the_server() {
    let io = server();
    let bot = Client::<dyn Desk>::connect(&io).auth(login("bot")).handler(Bot { number: 5, panics: false }).await.unwrap();
    assert_eq!(bot.emit().ask_me().await, Ok(5));
    let asked = bot.next_event().await;
    assert!(asked.wants_ack());
    asked.args::<()>();
}

#[tokio::test(start_paused = true)]
async fn a_client_without_a_handler_does_not_answer() {
    let io = server();
    let ann = client(&io, "ann").await;
    assert_eq!(ann.emit().ask_me().await, Err(CallError::Rejected("no acknowledgement in time".to_owned())));
}

#[tokio::test]
async fn a_refusal_has_its_message_and_data() {
    let io = server();
    let refused = Client::<dyn Desk>::connect(&io).auth(login("eve")).await.unwrap_err();
    assert_eq!((refused.message(), refused.data_json()), ("not you", Some(r#"{"code":7}"#)));
    let misfit = Client::<dyn Desk>::connect(&io).auth_raw(json!({ "name": 1 })).await.unwrap_err();
    assert_eq!(misfit.message(), "invalid auth: invalid type: expected a string");
    let nowhere = Client::<dyn Desk>::connect(&io).path("/nowhere").await.unwrap_err();
    assert_eq!(nowhere.message(), "Invalid namespace");
    emptied(&io).await;
}

#[tokio::test]
async fn a_refused_request_is_an_error_too() {
    let builder = SocketIo::builder().allow_request(|_| async { Err("closed today".to_owned()) });
    let io = builder.namespace::<dyn Desk, _>(connect).build();
    let refused = Client::<dyn Desk>::connect(&io).auth(login("ann")).await.unwrap_err();
    assert_eq!((refused.message(), refused.data_json()), ("closed today", Some(r#"{"status":403}"#)));
}

#[tokio::test]
async fn the_request_is_made_to_order() {
    let io = server();
    let connect = Client::<dyn Desk>::connect(&io).auth(login("ann"));
    let ann = connect.header("x-test", "a").query("k&", "b c=").extension(Badge(3)).await.unwrap();
    assert_eq!(ann.emit().handshake().await, Ok(vec!["a".to_owned(), "b c=".to_owned(), "3".to_owned()]));
}

#[tokio::test]
async fn binary_data_goes_both_ways() {
    let io = server();
    let ann = client(&io, "ann").await;
    let bytes = Binary::from(&b"\x00\xff\x1e"[..]);
    assert_eq!(ann.emit().mirror(bytes.clone()).await, Ok(bytes.clone()));
    assert_eq!(ann.next_event().await.args::<(Binary,)>(), (bytes,));
}

#[tokio::test]
async fn much_is_sent_in_several_requests() {
    let io = server();
    let ann = client(&io, "ann").await;
    let text = "x".repeat(90_000);
    let replies: Vec<_> = (0..30).map(|_| ann.emit().shout(&text)).collect();
    for reply in replies {
        assert_eq!(reply.await, Ok(text.len()));
    }
    assert_eq!(ann.unread().len(), 30);
}

#[tokio::test]
async fn every_end_has_its_reason() {
    let io = server();
    let watch = client(&io, "watch").await;
    let mut ann = client(&io, "ann").await;
    let first = ann.id();

    ann.leave().await;
    watch.expect("gone", ["ann", "client namespace disconnect"]).await;
    assert_eq!((ann.disconnected().await, ann.is_connected(), io.connections()), (End::ByClient, false, 2));
    assert_eq!(ann.emit().shout("x").await, Err(CallError::Disconnected));

    ann.reconnect().await.unwrap();
    assert!(ann.is_connected() && ann.id() != first);
    let waiting = ann.emit().ask_me();
    ann.drop_connection();
    assert_eq!((ann.disconnected().await, ann.is_connected()), (End::ConnectionLost, false));
    assert_eq!(waiting.await, Err(CallError::Disconnected));
    watch.expect("gone", ["ann", "transport error"]).await;

    ann.reconnect().await.unwrap();
    ann.emit().quit();
    assert_eq!(ann.disconnected().await, End::ByServer);
    watch.expect("gone", ["ann", "server namespace disconnect"]).await;

    ann.reconnect().await.unwrap();
    ann.disconnect().await;
    watch.expect("gone", ["ann", "client namespace disconnect"]).await;
    assert_eq!(ann.disconnected().await, End::ByClient);

    ann.reconnect().await.unwrap();
    drop(ann);
    watch.expect("gone", ["ann", "transport error"]).await;
    io.close().await;
    assert_eq!(watch.disconnected().await, End::ConnectionLost);
}

#[tokio::test]
async fn the_connection_ends_with_its_last_namespace() {
    let io = server();
    let ann = client(&io, "ann").await;
    ann.emit().quit();
    assert_eq!(ann.disconnected().await, End::ByServer);
    emptied(&io).await;
}

#[tokio::test]
async fn a_refused_reconnection_may_be_tried_again() {
    let open = Arc::new(AtomicBool::new(true));
    let door = Arc::clone(&open);
    let allow = move |_: &http::request::Parts| {
        let open = door.load(Ordering::Relaxed);
        async move { if open { Ok(()) } else { Err("closed".to_owned()) } }
    };
    let io = SocketIo::builder().allow_request(allow).namespace::<dyn Desk, _>(connect).build();
    let mut ann = client(&io, "ann").await;
    open.store(false, Ordering::Relaxed);
    for _ in 0..2 {
        assert_eq!(ann.reconnect().await.unwrap_err().message(), "closed");
        assert_eq!(ann.disconnected().await, End::ConnectionLost);
    }
    open.store(true, Ordering::Relaxed);
    ann.reconnect().await.unwrap();
    assert_eq!(ann.emit().shout("back").await, Ok(4));
}

#[tokio::test]
async fn a_dynamic_namespace_has_a_path_of_its_own() {
    #[socketio_macros::namespace("/org/{id}", crate = crate)]
    trait Org {
        #[event]
        async fn path(&self) -> String;
    }
    struct Member(String);
    impl Org for Member {
        async fn path(&self) -> String {
            self.0.clone()
        }
    }
    async fn join(socket: Socket<dyn Org>) -> Result<Member, ConnectError> {
        Ok(Member(socket.namespace().path().to_owned()))
    }
    let io = SocketIo::builder().namespace::<dyn Org, _>(join).build();
    let acme = Client::<dyn Org>::connect(&io).path("/org/acme").await.unwrap();
    assert_eq!(acme.emit().path().await, Ok("/org/acme".to_owned()));
}

#[tokio::test]
async fn clients_leave_nothing_behind() {
    let io = server();
    let emitter = {
        let ann = client(&io, "ann").await;
        let bot = Client::<dyn Desk>::connect(&io).auth(login("bot")).handler(Bot { number: 1, panics: false }).await.unwrap();
        let reply = ann.emit().ask_me();
        assert_eq!(bot.emit().ask_me().await, Ok(1));
        assert_eq!(io.connections(), 2);
        drop(reply);
        ann.emit()
    };
    emptied(&io).await;
    // An emitter keeps no connection.
    assert_eq!(emitter.shout("x").await, Err(CallError::Disconnected));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_clients_on_many_threads() {
    let io = server();
    let clients = futures_util::future::join_all((0..20).map(|_| client(&io, "all"))).await;
    assert_eq!(clients[0].emit().shout("hi").await, Ok(2));
    for client in &clients {
        client.expect("said", ["all", "hi"]).await;
    }
    drop(clients);
    emptied(&io).await;
}

#[tokio::test(start_paused = true)]
async fn time_is_the_tests_own() {
    let io = server();
    let ann = client(&io, "ann").await;
    // 144 pings, each answered in time.
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(ann.emit().shout("still here").await, Ok(10));
    let start = tokio::time::Instant::now();
    assert_eq!(ann.emit().never().await, Err(CallError::Timeout));
    assert_eq!(start.elapsed().as_secs(), 5);
    let hasty = Client::<dyn Desk>::connect(&io).auth(login("bob")).timeout(Duration::from_millis(20)).await.unwrap();
    assert_eq!(hasty.emit().never().await, Err(CallError::Timeout));
    assert_eq!(start.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_failure_says_what_came_instead() {
    let io = server();
    let ann = client(&io, "ann").await;
    assert_eq!(ann.emit().shout("one").await, Ok(3));
    assert_eq!(ann.emit().shout("two").await, Ok(3));
    ann.expect("said", ["ann", "one"]).await;
    let text = panic_of(ann.expect("said", ["bob", "two"])).await;
    let (text, place) = text.split_once("\n  asked for at ").unwrap();
    assert_eq!(
        text,
        format!(
            "client {} of /desk: expected\n    said [\"bob\",\"two\"]\n  but received\n    said [\"ann\",\"two\"]\n  \
             so far it received:\n    1. said [\"ann\",\"one\"]\n    2. said [\"ann\",\"two\"]",
            ann.id()
        )
    );
    assert!(place.contains("tests.rs:"), "{place}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_says_that_nothing_came() {
    let io = server();
    let ann = client(&io, "ann").await;
    let text = panic_of(ann.next_event()).await;
    assert!(text.contains("expected\n    an event\n  but nothing arrived within 5s\n  so far it received nothing"), "{text}");
    let text = panic_of(ann.disconnected()).await;
    assert!(text.contains("expected to be disconnected, but was not within 5s"), "{text}");
    ann.emit().quit();
    let text = panic_of(ann.expect("said", json!([]))).await;
    assert!(text.contains("expected\n    said []\n  but the client was disconnected: io server disconnect"), "{text}");
}

#[tokio::test]
async fn arguments_of_another_type_are_named() {
    let io = server();
    let ann = client(&io, "ann").await;
    assert_eq!(ann.emit().shout("hi").await, Ok(2));
    let event = ann.next_event().await;
    let text = panic_of(async { event.args::<(u8,)>() }).await;
    assert!(text.starts_with(r#"the arguments of `said ["ann","hi"]` are no (u8,): invalid type: string "ann""#), "{text}");
}

#[tokio::test]
async fn a_failed_handler_fails_the_test() {
    let io = server();
    let connect = || Client::<dyn Desk>::connect(&io).auth(login("bot")).handler(Bot { number: 0, panics: true }).into_future();
    let bot = connect().await.unwrap();
    bot.emit().whisper("hi");
    let text = panic_of(bot.next_event()).await;
    assert!(text.contains("the handler failed: event `said`: the handler panicked"), "{text}");
    drop(bot);

    let bot = connect().await.unwrap();
    assert_eq!(bot.emit().shout("hi").await, Ok(2));
    let text = panic_of(async { drop(bot) }).await;
    assert!(text.contains("the handler panicked"), "{text}");
}

#[tokio::test]
async fn hostile_input_is_sent_as_it_is() {
    let io = server();
    let ann = client(&io, "ann").await;
    ann.emit_raw("shout", [1]);
    ann.emit_raw("unknown", ());
    assert_eq!(ann.call_raw("shout", ("x", 2)).await.unwrap().json(), "[1]");
    let text = panic_of(async { ann.emit_raw("shout", 1) }).await;
    assert!(text.contains("neither a tuple nor a sequence"), "{text}");
    // A reserved name ends the connection.
    ann.emit_raw("disconnect", ());
    assert_eq!(ann.disconnected().await, End::ConnectionLost);
}
