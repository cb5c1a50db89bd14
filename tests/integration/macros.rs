//! Namespaces as traits over a real connection: every form of parameter, answer, hook, extractor and address.

use crate::{
    client::{Client, Options, Transport},
    server::{Server, eventually},
};
use axum::{
    Extension,
    extract::{FromRequestParts, Query, State},
};
use http::{HeaderMap, StatusCode, request::Parts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use socketio::{
    Ack, AckRequested, Auth, Binary, CallError, ConnectError, ConnectParts, DisconnectReason, EmitError, FromConnect, FromEvent,
    Incoming, RawArgs, Rejection, RejectionKind, Socket, SocketIo, events, namespace,
};
use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::mpsc;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Point {
    x: i32,
    y: i32,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Note<'a> {
    #[serde(borrow)]
    text: Cow<'a, str>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "code", rename_all = "camelCase")]
enum LabError {
    Negative { value: i32 },
    Rejected { kind: String, event: String },
}

impl From<Rejection> for LabError {
    fn from(rejection: Rejection) -> Self {
        LabError::Rejected { kind: format!("{:?}", rejection.kind()), event: rejection.event().to_owned() }
    }
}

/// An alias that is named `Result`.
mod alias {
    pub(super) type Result<T> = std::result::Result<T, super::LabError>;
}
use alias::Result as Checked;

/// Refuses events whose first argument is `"keep out"`.
#[derive(Debug)]
struct Allowed;

impl FromEvent for Allowed {
    fn from_event(event: &Incoming) -> Result<Self, Rejection> {
        match event.raw_args().get::<String>(0).as_deref() {
            Ok("keep out") => Err(Rejection::new("keep out")),
            _ => Ok(Allowed),
        }
    }
}

#[namespace("/lab", emits = LabEvents, rename_all = "camelCase")]
trait Lab {
    #[event]
    async fn borrowed(&self, text: &str) -> String;
    #[event]
    async fn optional_text(&self, text: Option<&str>) -> Option<String>;
    #[event]
    async fn optional_tail(&self, first: u32, second: Option<u32>, third: Option<Point>) -> (u32, Option<u32>, Option<Point>);
    #[event]
    async fn cow(&self, text: Cow<'_, str>) -> bool;
    #[event]
    async fn note(&self, note: Note<'_>) -> String;
    #[event]
    async fn point(&self, point: &Point, more: &[Point]) -> i32;
    #[event]
    async fn rest(&self, first: String, #[rest] others: Vec<i64>) -> (String, Vec<i64>);
    #[event("with spaces & ünïcode")]
    async fn named(&self) -> Ack;
    #[event]
    async fn result(&self, value: i32) -> Result<i32, LabError>;
    #[event]
    async fn alias(&self, value: i32) -> alias::Result<i32>;
    #[event]
    async fn unit_result(&self, value: i32) -> Result<(), String>;
    #[event]
    async fn plain_value(&self, value: i32) -> Value;
    #[event]
    async fn empty(&self) -> Ack;
    #[event]
    async fn silent(&self, value: i32);
    #[event]
    async fn asked(&self, #[extract] asked: AckRequested) -> bool;
    #[event]
    async fn extracted(&self, #[extract] _allowed: Allowed, text: &str) -> Result<String, LabError>;
    #[event]
    async fn spawning(self: Arc<Self>, value: u32) -> u32;
    #[event]
    async fn by_default(&self, value: u32) -> u32 {
        self.twice(value)
    }
    #[event]
    async fn panics(&self) -> Result<(), LabError>;
    #[event]
    async fn panics_untyped(&self);
    #[event]
    async fn binary(&self, bytes: Binary) -> Binary;
    #[middleware]
    async fn allow(&self, event: &Incoming) -> Result<(), Rejection> {
        match event.raw_args().get::<Value>(0) {
            Ok(Value::String(text)) if text == "forbidden" => Err(Rejection::new("not you")),
            _ => Ok(()),
        }
    }
    #[fallback]
    async fn unknown(&self, event: &str, args: RawArgs<'_>);
    #[disconnect]
    async fn left(&self, reason: DisconnectReason);

    /// A helper, which is no event.
    fn twice(&self, value: u32) -> u32 {
        value * 2
    }
}

#[events(rename_all = "camelCase")]
trait LabEvents {
    #[event]
    async fn told(&self, text: &str, point: &Point);
    #[event]
    async fn unknown_was(&self, name: &str, arguments: &[Value]);
    #[event]
    async fn sum(&self, a: i32, b: i32) -> i32;
    #[event]
    async fn check(&self, value: i32) -> Result<String, LabError>;
    #[event]
    async fn done(&self) -> Ack;
}

struct LabSession {
    socket: Socket<dyn Lab>,
    calls: Arc<AtomicUsize>,
    left: mpsc::UnboundedSender<DisconnectReason>,
}

impl Lab for LabSession {
    async fn borrowed(&self, text: &str) -> String {
        text.to_uppercase()
    }
    async fn optional_text(&self, text: Option<&str>) -> Option<String> {
        text.map(str::to_owned)
    }
    async fn optional_tail(&self, first: u32, second: Option<u32>, third: Option<Point>) -> (u32, Option<u32>, Option<Point>) {
        (first, second, third)
    }
    async fn cow(&self, text: Cow<'_, str>) -> bool {
        matches!(text, Cow::Borrowed(_))
    }
    async fn note(&self, note: Note<'_>) -> String {
        note.text.into_owned()
    }
    async fn point(&self, point: &Point, more: &[Point]) -> i32 {
        point.x + more.iter().map(|point| point.y).sum::<i32>()
    }
    async fn rest(&self, first: String, others: Vec<i64>) -> (String, Vec<i64>) {
        (first, others)
    }
    async fn named(&self) -> Ack {
        Ack
    }
    async fn result(&self, value: i32) -> Result<i32, LabError> {
        if value < 0 { Err(LabError::Negative { value }) } else { Ok(value) }
    }
    async fn alias(&self, value: i32) -> Checked<i32> {
        self.result(value).await
    }
    async fn unit_result(&self, value: i32) -> Result<(), String> {
        if value < 0 { Err("negative".to_owned()) } else { Ok(()) }
    }
    async fn plain_value(&self, value: i32) -> Value {
        json!({ "value": value })
    }
    async fn empty(&self) -> Ack {
        Ack
    }
    async fn silent(&self, value: i32) {
        self.calls.fetch_add(usize::try_from(value).unwrap_or_default(), Ordering::SeqCst);
    }
    async fn asked(&self, AckRequested(asked): AckRequested) -> bool {
        self.calls.fetch_add(1, Ordering::SeqCst);
        asked
    }
    async fn extracted(&self, _: Allowed, text: &str) -> Result<String, LabError> {
        Ok(text.to_owned())
    }
    async fn spawning(self: Arc<Self>, value: u32) -> u32 {
        tokio::spawn(async move { self.twice(value) }).await.expect("it does not panic")
    }
    async fn panics(&self) -> Result<(), LabError> {
        panic!("on purpose")
    }
    async fn panics_untyped(&self) {
        panic!("on purpose")
    }
    async fn binary(&self, bytes: Binary) -> Binary {
        Binary(bytes.0.slice(1..))
    }
    async fn unknown(&self, event: &str, args: RawArgs<'_>) {
        let arguments: Vec<Value> = (0..args.len()).map(|index| args.get(index).expect("any JSON")).collect();
        self.socket.emit().unknown_was(event, &arguments);
    }
    async fn left(&self, reason: DisconnectReason) {
        // Not every test listens.
        let _ = self.left.send(reason);
    }
}

struct World {
    io: SocketIo,
    server: Server,
    calls: Arc<AtomicUsize>,
    left: mpsc::UnboundedReceiver<DisconnectReason>,
    rejections: mpsc::UnboundedReceiver<Rejection>,
}

fn lab() -> World {
    let (left, left_reports) = mpsc::unbounded_channel();
    let (rejected, rejections) = mpsc::unbounded_channel();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let connect = move |socket: Socket<dyn Lab>| {
        let (calls, left) = (Arc::clone(&counted), left.clone());
        async move { Ok::<_, ConnectError>(LabSession { socket, calls, left }) }
    };
    let io = SocketIo::builder()
        .on_rejection(move |_, rejection| drop(rejected.send(rejection.clone())))
        .namespace::<dyn Lab, _>(connect)
        .build();
    World { server: Server::start(&io), io, calls, left: left_reports, rejections }
}

async fn in_lab(world: &World, transport: Transport) -> (Client, Socket<dyn Lab>) {
    let mut client = Client::connect(world.server.addr, transport).await;
    let id = client.join("/lab", None).await;
    let sockets = world.io.of::<dyn Lab>().sockets();
    let socket = sockets.into_iter().find(|socket| socket.id().as_str() == id).expect("the socket that just joined");
    (client, socket)
}

over_all_transports! {
    async fn every_form_of_parameter_and_answer(transport) {
        let world = lab();
        let (mut client, _) = in_lab(&world, transport).await;
        for (event, answer) in [
            (json!(["borrowed", "plain"]), json!(["PLAIN"])),
            (json!(["borrowed", "quote \" and \n line, ünï 😀"]), json!(["QUOTE \" AND \n LINE, ÜNÏ 😀"])),
            (json!(["optionalText", "x\ty"]), json!(["x\ty"])),
            (json!(["optionalText", null]), json!([null])),
            (json!(["optionalText"]), json!([null])),
            (json!(["optionalTail", 1]), json!([[1, null, null]])),
            (json!(["optionalTail", 1, 2]), json!([[1, 2, null]])),
            (json!(["optionalTail", 1, null, { "x": 1, "y": 2 }]), json!([[1, null, { "x": 1, "y": 2 }]])),
            (json!(["cow", "borrowed"]), json!([true])),
            (json!(["cow", "owned\n"]), json!([false])),
            (json!(["note", { "text": "a\"b" }]), json!(["a\"b"])),
            (json!(["point", { "x": 5, "y": 0 }, [{ "x": 0, "y": 1 }, { "x": 0, "y": 2 }]]), json!([8])),
            (json!(["point", { "x": 5, "y": 0 }, []]), json!([5])),
            (json!(["rest", "a"]), json!([["a", []]])),
            (json!(["rest", "a", 1, -2, 3]), json!([["a", [1, -2, 3]]])),
            (json!(["with spaces & ünïcode"]), json!([])),
            (json!(["result", 7]), json!([{ "ok": true, "data": 7 }])),
            (json!(["result", -7]), json!([{ "ok": false, "error": { "code": "negative", "value": -7 } }])),
            (json!(["alias", 7]), json!([{ "ok": true, "data": 7 }])),
            (json!(["alias", -7]), json!([{ "ok": false, "error": { "code": "negative", "value": -7 } }])),
            (json!(["unitResult", 1]), json!([{ "ok": true, "data": null }])),
            (json!(["unitResult", -1]), json!([{ "ok": false, "error": "negative" }])),
            (json!(["plainValue", 1]), json!([{ "value": 1 }])),
            (json!(["empty"]), json!([])),
            (json!(["silent", 0]), json!([])),
            (json!(["asked"]), json!([true])),
            (json!(["spawning", 21]), json!([42])),
            (json!(["byDefault", 21]), json!([42])),
            (json!(["byDefault", 21, "more", {}, []]), json!([42])),
        ] {
            assert_eq!(client.call("/lab", event.clone()).await, answer, "{event}");
        }
        assert_eq!(client.unread(), []);
    }

    async fn nobody_asks(transport) {
        let world = lab();
        let (mut client, _) = in_lab(&world, transport).await;
        for event in [json!(["silent", 10]), json!(["asked"]), json!(["result", 1]), json!(["empty"])] {
            client.emit("/lab", event).await;
        }
        assert_eq!(client.call("/lab", json!(["asked"])).await, json!([true]));
        assert_eq!(client.unread(), [], "an answer that nobody asked for");
        assert_eq!(world.calls.load(Ordering::SeqCst), 12, "all handlers ran");
    }

    async fn rejections(transport) {
        let mut world = lab();
        let (mut client, _) = in_lab(&world, transport).await;
        let typed = |kind: &str, event: &str| json!([{ "ok": false, "error": { "code": "rejected", "kind": kind, "event": event } }]);
        // The error type takes rejections: the client is told.
        assert_eq!(client.call("/lab", json!(["result", "seven"])).await, typed("Payload", "result"));
        assert_eq!(client.call("/lab", json!(["result"])).await, typed("Payload", "result"));
        assert_eq!(client.call("/lab", json!(["alias", null])).await, typed("Payload", "alias"));
        assert_eq!(client.call("/lab", json!(["unitResult", {}])).await[0]["ok"], json!(false));
        assert_eq!(client.call("/lab", json!(["result", "forbidden"])).await[0]["error"]["kind"], json!("Refused"));
        assert_eq!(client.call("/lab", json!(["extracted", "keep out"])).await[0]["error"]["kind"], json!("Refused"));
        assert_eq!(client.call("/lab", json!(["extracted", "fine"])).await, json!([{ "ok": true, "data": "fine" }]));
        // It does not: no answer, but the hook sees it.
        while world.rejections.try_recv().is_ok() {}
        client.ask("/lab", json!(["borrowed", 1])).await;
        client.ask("/lab", json!(["borrowed", "forbidden"])).await;
        client.ask("/lab", json!(["panicsUntyped"])).await;
        assert_eq!(client.call("/lab", json!(["byDefault", 1])).await, json!([2]));
        assert_eq!(client.unread(), []);
        let kinds: Vec<RejectionKind> = std::iter::from_fn(|| world.rejections.try_recv().ok()).map(|r| r.kind()).collect();
        assert_eq!(kinds, [RejectionKind::Payload, RejectionKind::Refused, RejectionKind::Panic]);
    }

    async fn fallback_and_disconnect_hook(transport) {
        let mut world = lab();
        let (mut client, socket) = in_lab(&world, transport).await;
        client.emit("/lab", json!(["nobody knows", 1, "two", [3]])).await;
        client.expect("/lab", json!(["unknownWas", "nobody knows", [1, "two", [3]]])).await;
        assert_eq!(client.call("/lab", json!(["nor this"])).await, json!([]));
        assert_eq!(client.unread().len(), 1, "the fallback ran");
        client.leave("/lab").await;
        assert_eq!(world.left.recv().await, Some(DisconnectReason::ClientNamespace));
        assert!(!socket.is_connected());
        assert_eq!(socket.try_emit().told("too late", &Point { x: 0, y: 0 }), Err(EmitError::Disconnected));
        assert_eq!(socket.emit().sum(1, 2).await, Err(CallError::Disconnected));
        client.close().await;
        eventually("the connection ends", || world.io.connections() == 0).await;
    }

    async fn emitters_in_every_form_of_address(transport) {
        let world = lab();
        let (mut a, socket) = in_lab(&world, transport).await;
        let (mut b, other) = in_lab(&world, transport).await;
        let (mut c, _) = in_lab(&world, transport).await;
        other.join("room");
        let point = Point { x: 1, y: 2 };
        let told = |text: &str| json!(["told", text, { "x": 1, "y": 2 }]);
        let all = world.io.of::<dyn Lab>();

        socket.emit().told("one", &point);
        assert_eq!(socket.try_emit().told("tried", &point), Ok(()));
        socket.timeout(Duration::from_secs(9)).emit().told("with timeout", &point);
        assert_eq!(socket.timeout(Duration::from_secs(9)).try_emit().told("both", &point), Ok(()));
        for text in ["one", "tried", "with timeout", "both"] {
            a.expect("/lab", told(text)).await;
        }

        all.emit().told("all", &point);
        socket.namespace().local().emit().told("local", &point);
        for client in [&mut a, &mut b, &mut c] {
            client.expect("/lab", told("all")).await;
            client.expect("/lab", told("local")).await;
        }
        socket.to("room").emit().told("room", &point);
        all.to("room").to(socket.id()).emit().told("room and one", &point);
        all.except("room").emit().told("not the room", &point);
        socket.broadcast().emit().told("others", &point);
        socket.except("room").emit().told("others, not the room", &point);
        b.expect("/lab", told("room")).await;
        b.expect("/lab", told("room and one")).await;
        a.expect("/lab", told("room and one")).await;
        a.expect("/lab", told("not the room")).await;
        c.expect("/lab", told("not the room")).await;
        b.expect("/lab", told("others")).await;
        c.expect("/lab", told("others")).await;
        c.expect("/lab", told("others, not the room")).await;
        for client in [&mut a, &mut b, &mut c] {
            assert_eq!(client.call("/lab", json!(["empty"])).await, json!([]));
            assert_eq!(client.unread(), []);
        }
    }

    async fn calls_to_the_client(transport) {
        let world = lab();
        let (mut client, socket) = in_lab(&world, transport).await;

        let sum = socket.emit().sum(1, 2);
        let asked = client.event().await;
        assert_eq!(asked.data, json!(["sum", 1, 2]));
        client.acknowledge(&asked, json!([3])).await;
        assert_eq!(sum.await, Ok(3));

        for (answer, expected) in [
            (json!([{ "ok": true, "data": "fine" }]), Ok("fine".to_owned())),
            (json!([{ "ok": false, "error": { "code": "negative", "value": -1 } }]), Err(CallError::Rejected(LabError::Negative { value: -1 }))),
        ] {
            let check = socket.try_emit().check(-1);
            let asked = client.event().await;
            client.acknowledge(&asked, answer).await;
            assert_eq!(check.await, expected);
        }

        let done = socket.emit().done();
        let asked = client.event().await;
        client.acknowledge(&asked, json!(["whatever"])).await;
        assert_eq!(done.await, Ok(Ack));

        let wrong = socket.emit().sum(1, 2);
        let asked = client.event().await;
        client.acknowledge(&asked, json!(["three"])).await;
        assert!(matches!(wrong.await, Err(CallError::Decode(_))));

        let late = socket.timeout(Duration::from_millis(20)).emit().sum(1, 2);
        assert_eq!(late.await, Err(CallError::Timeout));
        let asked = client.event().await;
        client.acknowledge(&asked, json!([3])).await;
        assert_eq!(client.call("/lab", json!(["empty"])).await, json!([]), "a late answer does no harm");
    }

    async fn calls_to_many_clients(transport) {
        let world = lab();
        let all = world.io.of::<dyn Lab>();
        let mut clients = Vec::new();
        let mut ids = Vec::new();
        for _ in 0..4 {
            let (client, socket) = in_lab(&world, transport).await;
            ids.push(socket.id());
            clients.push(client);
        }
        let sums = all.timeout(Duration::from_millis(600)).emit().sum(2, 2);
        for (index, client) in clients.iter_mut().enumerate() {
            let asked = client.event().await;
            match index {
                0 | 1 => client.acknowledge(&asked, json!([index])).await,
                2 => client.acknowledge(&asked, json!(["four"])).await,
                _ => {}
            }
        }
        let answers: HashMap<_, _> = sums.await.into_iter().collect();
        assert_eq!(answers.len(), 4);
        assert_eq!(answers[&Some(ids[0])], Ok(0));
        assert_eq!(answers[&Some(ids[1])], Ok(1));
        assert!(matches!(answers[&Some(ids[2])], Err(CallError::Decode(_))));
        assert_eq!(answers[&Some(ids[3])], Err(CallError::Timeout));
        assert_eq!(all.to("nobody").emit().sum(1, 1).await, [], "no receivers: nothing to wait for");
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Login {
    token: String,
}

/// An extractor made with axum alone.
struct Agent(String);

impl<S: Sync> FromRequestParts<S> for Agent {
    type Rejection = (StatusCode, String);
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let agent = parts.headers.get("x-agent").and_then(|value| value.to_str().ok());
        agent.map(|agent| Agent(agent.to_owned())).ok_or((StatusCode::IM_A_TEAPOT, "no x-agent".to_owned()))
    }
}

/// An extractor that needs the socket and the `auth` payload.
struct Greeting(String);

impl<N: ?Sized, S: Sync> FromConnect<N, S> for Greeting {
    async fn from_connect(parts: &mut ConnectParts, _: &S) -> Result<Self, ConnectError> {
        let auth: Value = serde_json::from_str(parts.auth()).map_err(|_| ConnectError::new("no JSON"))?;
        if auth["token"] == json!("evil") {
            return Err(ConnectError::new("evil").with_data(json!({ "retry": false })));
        }
        Ok(Greeting(format!("{} {}", parts.path(), parts.socket::<N>().id())))
    }
}

#[derive(Debug, Deserialize)]
struct Page {
    page: u32,
}

#[namespace("/door", auth = Login)]
trait Door {
    #[event]
    async fn seen(&self) -> Value;
}

struct Seen(Value);

impl Door for Seen {
    async fn seen(&self) -> Value {
        self.0.clone()
    }
}

#[derive(Clone)]
struct App {
    name: &'static str,
}

#[allow(clippy::too_many_arguments)]
async fn enter(
    socket: Socket<dyn Door>,
    Auth(login): Auth<Login>,
    State(app): State<App>,
    headers: HeaderMap,
    Query(page): Query<Page>,
    Extension(layer): Extension<&'static str>,
    Agent(agent): Agent,
    Greeting(greeting): Greeting,
) -> Result<Seen, ConnectError> {
    if login.token == "wrong" {
        return Err(ConnectError::new("unauthorized").with_data(json!({ "code": 7 })));
    }
    let host = headers.get("host").and_then(|host| host.to_str().ok());
    Ok(Seen(json!([app.name, login.token, host, page.page, layer, agent, greeting == format!("/door {}", socket.id())])))
}

fn doors(with_extension: bool) -> Server {
    let io = SocketIo::builder().with_state(App { name: "app" }).namespace::<dyn Door, _>(enter).build();
    let app = axum::Router::new().layer(io.layer());
    Server::serve(if with_extension { app.layer(Extension("from a layer")) } else { app })
}

fn visitor(query: &str, agent: Option<&str>) -> Options {
    let headers = agent.map(|agent| ("x-agent".to_owned(), agent.to_owned())).into_iter().collect();
    Options { query: query.to_owned(), headers, ..Options::default() }
}

over_all_transports! {
    async fn extractors_see_the_handshake(transport) {
        let server = doors(true);
        let mut client = Client::connect_with(server.addr, transport, visitor("&page=3", Some("007"))).await;
        client.join("/door", Some(json!({ "token": "t" }))).await;
        let seen = client.call("/door", json!(["seen"])).await;
        assert_eq!(seen, json!([["app", "t", "localhost", 3, "from a layer", "007", true]]));
    }

    async fn extractors_refuse(transport) {
        let server = doors(true);
        let good = json!({ "token": "t" });
        let mut no_agent = Client::connect_with(server.addr, transport, visitor("&page=3", None)).await;
        let refused = no_agent.try_join("/door", Some(good.clone())).await;
        assert_eq!(refused, Err(json!({ "message": "no x-agent", "data": { "status": 418 } })));

        let mut no_page = Client::connect_with(server.addr, transport, visitor("&page=x", Some("1"))).await;
        let refused = no_page.try_join("/door", Some(good.clone())).await.expect_err("the query does not fit");
        assert_eq!(refused["data"], json!({ "status": 400 }));

        let mut client = Client::connect_with(server.addr, transport, visitor("&page=3", Some("1"))).await;
        let refused = client.try_join("/door", Some(json!({ "token": "wrong" }))).await;
        assert_eq!(refused, Err(json!({ "message": "unauthorized", "data": { "code": 7 } })));
        let refused = client.try_join("/door", Some(json!({ "token": "evil" }))).await;
        assert_eq!(refused, Err(json!({ "message": "evil", "data": { "retry": false } })));
        for auth in [None, Some(json!({})), Some(json!({ "token": 1 }))] {
            let refused = client.try_join("/door", auth).await.expect_err("the payload does not fit");
            assert!(refused["message"].as_str().is_some_and(|message| message.starts_with("invalid auth")), "{refused}");
        }
        assert_eq!(client.try_join("/nowhere", None).await, Err(json!({ "message": "Invalid namespace" })));
        client.join("/door", Some(good)).await;

        let without = doors(false);
        let mut client = Client::connect_with(without.addr, transport, visitor("&page=3", Some("1"))).await;
        let refused = client.try_join("/door", Some(json!({ "token": "t" }))).await.expect_err("no extension");
        assert_eq!(refused["data"], json!({ "status": 500 }));
    }
}

#[tokio::test]
async fn a_panic_is_answered_with_the_typed_error() {
    let mut world = lab();
    let (mut client, _) = in_lab(&world, Transport::WebSocket).await;
    let id = client.ask("/lab", json!(["panics"])).await;
    assert_eq!(client.call("/lab", json!(["empty"])).await, json!([]));
    let rejection = world.rejections.recv().await.expect("the hook sees it");
    assert_eq!((rejection.kind(), rejection.event()), (RejectionKind::Panic, "panics"));
    let unread = client.unread();
    let answer = unread.iter().find(|packet| packet.id == Some(id)).expect("an answer");
    assert_eq!(answer.data, json!([{ "ok": false, "error": { "code": "rejected", "kind": "Panic", "event": "panics" } }]));
}

#[namespace("/maybe", auth = Option<Login>)]
trait Maybe {
    #[event]
    async fn token(&self) -> Option<String>;
}

struct Token(Option<Login>);

impl Maybe for Token {
    async fn token(&self) -> Option<String> {
        self.0.as_ref().map(|login| login.token.clone())
    }
}

async fn enter_maybe(Auth(login): Auth<Option<Login>>) -> Result<Token, ConnectError> {
    Ok(Token(login))
}

over_all_transports! {
    async fn auth_may_be_optional(transport) {
        let io = SocketIo::builder().namespace::<dyn Maybe, _>(enter_maybe).build();
        let server = Server::start(&io);
        for (auth, token) in [(Some(json!({ "token": "t" })), json!(["t"])), (None, json!([null]))] {
            let mut client = Client::connect(server.addr, transport).await;
            client.join("/maybe", auth).await;
            assert_eq!(client.call("/maybe", json!(["token"])).await, token);
        }
    }
}
