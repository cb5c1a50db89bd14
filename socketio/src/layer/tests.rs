//! Layers around every kind of session, with clients in the same process and a stopped clock.

use super::{EventLayer, EventService, Next, RateLimit, Trace, from_fn};
use crate::{
    contract::{Ack, CallError, Incoming, Outcome, Rejection, Service, Untyped, ack_err, ack_value},
    extract::ConnectError,
    server::{Builder, Socket, SocketIo},
    test::Client,
};
use serde_json::json;
use socketio_macros::namespace;
use std::{
    fmt::{Debug, Write as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tracing::{
    Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// An error that takes rejections.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Told(String);

impl From<Rejection> for Told {
    fn from(rejection: Rejection) -> Self {
        Told(format!("{:?}: {rejection}", rejection.kind()))
    }
}

/// An error that does not.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Mute;

#[namespace("/kinds", crate = crate)]
trait Kinds {
    #[event]
    async fn nothing(&self);
    #[event]
    async fn empty(&self) -> Ack;
    #[event]
    async fn value(&self) -> u8;
    #[event]
    async fn mute(&self) -> Result<u8, Mute>;
    #[event]
    async fn told(&self) -> Result<u8, Told>;
    #[event]
    async fn panics(&self) -> Result<u8, Told>;
}

#[namespace("/org/{id}", crate = crate)]
trait Org {
    #[event]
    async fn told(&self) -> Result<u8, Told>;
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn lines(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn add(&self, line: impl Into<String>) {
        self.lines().push(line.into());
    }
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines())
    }
}

struct Session(Log);

impl Kinds for Session {
    async fn nothing(&self) {
        self.0.add("handler");
    }
    async fn empty(&self) -> Ack {
        Ack
    }
    async fn value(&self) -> u8 {
        1
    }
    async fn mute(&self) -> Result<u8, Mute> {
        Ok(1)
    }
    async fn told(&self) -> Result<u8, Told> {
        self.0.add("handler");
        Ok(1)
    }
    async fn panics(&self) -> Result<u8, Told> {
        panic!("on purpose")
    }
}

impl Org for Session {
    async fn told(&self) -> Result<u8, Told> {
        self.0.add("handler");
        Ok(1)
    }
}

impl Service for Session {
    async fn event(self: Arc<Self>, event: Incoming) -> Outcome {
        self.0.add("handler");
        if event.name() == "panics" {
            panic!("on purpose");
        }
        ack_value(&event, &1)
    }

    fn reject(&self, event: &Incoming, rejection: Rejection) -> Outcome {
        match ack_err(event, &rejection) {
            Outcome::Done(Some(body)) => Outcome::RejectedWith(Box::new(rejection), body),
            _ => Outcome::Rejected(rejection),
        }
    }
}

/// Says when it is passed, in both directions.
fn passing(log: &Log, name: &'static str) -> impl EventLayer + use<> {
    let log = log.clone();
    from_fn(move |event: Incoming, next: Next| {
        let log = log.clone();
        async move {
            log.add(format!("{name}: {} of {}", event.name(), next.socket().path()));
            let outcome = next.run(event).await;
            let shown = match &outcome {
                Outcome::Rejected(rejection) => format!("{:?}", rejection.kind()),
                Outcome::RejectedWith(rejection, _) => format!("{:?}, answered", rejection.kind()),
                Outcome::Unhandled(_) => "unhandled".to_owned(),
                _ => "done".to_owned(),
            };
            log.add(format!("{name}: {shown}"));
            outcome
        }
    })
}

/// Every kind of namespace, in the order of their paths.
fn namespaces(log: &Log) -> Builder<()> {
    let connected = log.clone();
    let connect = move |_: Socket<dyn Org>| {
        let log = connected.clone();
        async move { Ok::<_, ConnectError>(Session(log)) }
    };
    let raw = log.clone();
    let connect_raw = move || {
        let log = raw.clone();
        async move { Ok::<_, ConnectError>(Session(log)) }
    };
    SocketIo::builder()
        .shared::<dyn Kinds>(Session(log.clone()))
        .namespace::<dyn Org, _>(connect)
        .namespace_at::<Untyped, _>("/raw", connect_raw.clone())
        .namespace_matching::<Untyped, _>(|path| path.starts_with("/match/"), connect_raw)
}

async fn kinds(io: &SocketIo) -> Client<dyn Kinds> {
    Client::<dyn Kinds>::connect(io).await.expect("everybody is taken in")
}

async fn untyped(io: &SocketIo, path: &str) -> Client<Untyped> {
    Client::<Untyped>::connect(io).path(path).await.expect("everybody is taken in")
}

#[tokio::test(start_paused = true)]
async fn the_last_layer_is_the_outermost_of_every_namespace_before_it() {
    let log = Log::default();
    let io = namespaces(&log)
        .event_layer(passing(&log, "inner"))
        .event_layer(passing(&log, "outer"))
        .namespace_at::<Untyped, _>("/later", {
            let log = log.clone();
            move || {
                let log = log.clone();
                async move { Ok::<_, ConnectError>(Session(log)) }
            }
        })
        .build();
    assert_eq!(kinds(&io).await.emit().told().await, Ok(1));
    let expected = |path: &str| {
        let passed = |name: &str| format!("{name}: told of {path}");
        [passed("outer"), passed("inner"), "handler".into(), "inner: done".into(), "outer: done".into()]
    };
    assert_eq!(log.take(), expected("/kinds"));
    let acme = Client::<dyn Org>::connect(&io).path("/org/acme").await.expect("everybody is taken in");
    assert_eq!(acme.emit().told().await, Ok(1));
    assert_eq!(log.take(), expected("/org/acme"));
    for path in ["/raw", "/match/1"] {
        assert_eq!(untyped(&io, path).await.call_raw("told", ()).await.expect("an answer").json(), "[1]");
        assert_eq!(log.take(), expected(path));
    }
    assert_eq!(untyped(&io, "/later").await.call_raw("told", ()).await.expect("an answer").json(), "[1]");
    assert_eq!(log.take(), ["handler"], "a namespace that is added later has no layers");
}

fn refusing() -> impl EventLayer {
    from_fn(|_: Incoming, _: Next| async { Rejection::new("not today").into() })
}

#[tokio::test(start_paused = true)]
async fn a_layers_refusal_is_the_events_own_rejection() {
    let (log, seen) = (Log::default(), Log::default());
    let hook = seen.clone();
    let io = namespaces(&log)
        .on_rejection(move |socket, rejection| hook.add(format!("{} {} {rejection}", socket.path(), rejection.event())))
        .event_layer(refusing())
        .event_layer(passing(&log, "outer"))
        .build();
    let client = kinds(&io).await;
    let told = client.call_raw("told", ()).await.expect("its error type can say so");
    assert_eq!(told.json(), r#"[{"ok":false,"error":"Refused: not today"}]"#);
    assert_eq!(log.take(), ["outer: told of /kinds", "outer: Refused, answered"], "the handler does not run");
    for (event, hears) in
        [("nothing", false), ("empty", false), ("value", false), ("mute", false), ("nobody knows", false), ("told", true)]
    {
        assert_eq!(client.call_raw(event, ()).await.is_ok(), hears, "{event}");
    }
    let expected = ["told", "nothing", "empty", "value", "mute", "nobody knows", "told"];
    assert_eq!(seen.take(), expected.map(|event| format!("/kinds {event} not today")));

    let told = untyped(&io, "/raw").await.call_raw("any", ()).await.expect("the service answers");
    assert_eq!(told.json(), r#"[{"ok":false,"error":{"kind":"refused","event":"any","message":"not today"}}]"#);
    assert_eq!(seen.take(), ["/raw any not today"]);
}

#[tokio::test(start_paused = true)]
async fn panics_are_rejections() {
    let log = Log::default();
    let io = namespaces(&log).event_layer(passing(&log, "outer")).build();
    let answer = kinds(&io).await.call_raw("panics", ()).await.expect("its error type can say so");
    assert_eq!(answer.json(), r#"[{"ok":false,"error":"Panic: event `panics`: the handler panicked"}]"#);
    assert_eq!(log.take().last().map(String::as_str), Some("outer: Panic, answered"));
    let answer = untyped(&io, "/raw").await.call_raw("panics", ()).await.expect("the service answers");
    assert!(answer.json().contains(r#"{"kind":"panic","event":"panics""#), "{}", answer.json());
    assert_eq!(log.take().last().map(String::as_str), Some("outer: Panic"), "a layer sees what its own answer will be made of");

    // So is that of a layer, before and after its first wait.
    for event in ["told", "mute"] {
        let layer = from_fn(move |asked: Incoming, next: Next| {
            assert_ne!(asked.name(), "mute", "on purpose");
            async move {
                tokio::task::yield_now().await;
                assert_ne!(asked.name(), "told", "on purpose");
                next.run(asked).await
            }
        });
        let (seen, log) = (Log::default(), Log::default());
        let hook = seen.clone();
        let io = namespaces(&log).on_rejection(move |_, rejection| hook.add(rejection.to_string())).event_layer(layer).build();
        let client = kinds(&io).await;
        assert_eq!(client.call_raw(event, ()).await.is_ok(), event == "told");
        assert_eq!(seen.take(), [format!("event `{event}`: the handler panicked")]);
        assert_eq!(client.emit().value().await, Ok(1), "the connection stays");
    }
}

/// A layer whose services count, and tell when they go.
struct Counting(Log);

struct Count {
    log: Log,
    events: Mutex<usize>,
}

impl EventLayer for Counting {
    type Service = Count;
    fn layer(&self, socket: &Socket<Untyped>) -> Count {
        self.0.add(format!("made, connected: {}", socket.is_connected()));
        Count { log: self.0.clone(), events: Mutex::default() }
    }
}

impl EventService for Count {
    async fn call(&self, event: Incoming, _: Next) -> Outcome {
        let events = {
            let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
            *events += 1;
            *events
        };
        // The event is not passed on: this is the answer.
        ack_value(&event, &events)
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        self.log.add("dropped");
    }
}

#[tokio::test(start_paused = true)]
async fn each_socket_has_a_service_of_its_own() {
    let log = Log::default();
    let io = namespaces(&Log::default()).event_layer(Arc::new(Counting(log.clone()))).build();
    let (ann, bob) = (kinds(&io).await, kinds(&io).await);
    assert_eq!(log.take(), ["made, connected: false"; 2]);
    for (client, count) in [(&ann, 1), (&ann, 2), (&bob, 1), (&ann, 3)] {
        assert_eq!(client.emit().value().await, Ok(count));
    }
    ann.disconnect().await;
    assert_eq!(log.take(), ["dropped"]);
    bob.disconnect().await;
    assert_eq!(log.take(), ["dropped"]);
}

struct Exploding;

impl EventLayer for Exploding {
    type Service = Count;
    fn layer(&self, _: &Socket<Untyped>) -> Count {
        panic!("on purpose")
    }
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_cannot_be_made_refuses_the_client() {
    let io = namespaces(&Log::default()).event_layer(Exploding).build();
    let refused = Client::<dyn Kinds>::connect(&io).await.expect_err("there is no service");
    assert_eq!(refused.message(), "internal error");
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_per_socket_and_comes_back_with_time() {
    let second = Duration::from_secs(1);
    let io = namespaces(&Log::default()).event_layer(RateLimit::new(3, second).event("told", 2, 2 * second)).build();
    let (ann, bob) = (kinds(&io).await, kinds(&io).await);
    for _ in 0..2 {
        assert_eq!(ann.emit().told().await, Ok(1));
    }
    let too_soon = |ms: u32| Told(format!("RateLimited: too many events, try again in {ms} ms"));
    assert_eq!(ann.emit().told().await, Err(CallError::Rejected(too_soon(1000))));
    assert_eq!(ann.emit().value().await, Ok(1), "another event, and the third");
    assert_eq!(bob.emit().told().await, Ok(1), "another socket");
    tokio::time::advance(second).await;
    assert_eq!(ann.emit().told().await, Ok(1));
    assert!(ann.emit().told().await.is_err());
}

/// Collects what is logged under our target.
struct Watcher(Log);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            // A random id.
            "socket" => {}
            _ => write!(self.0, " {field}={value:?}").expect("a string takes it"),
        }
    }
}

impl Subscriber for Watcher {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "socketio::layer::trace"
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.add(line.0);
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[tokio::test(start_paused = true)]
async fn every_event_is_one_log_entry() {
    let (logged, slow) = (Log::default(), Duration::from_secs(3));
    let _guard = tracing::subscriber::set_default(Watcher(logged.clone()));
    let waiting = from_fn(move |event: Incoming, next: Next| async move {
        if event.name() == "value" {
            tokio::time::sleep(slow).await;
        }
        next.run(event).await
    });
    let io = namespaces(&Log::default()).event_layer(waiting).event_layer(Trace::new().level(Level::INFO)).build();
    let client = kinds(&io).await;
    client.emit().value().await.expect("an answer");
    client.emit().panics().await.expect_err("it panics");
    let long = format!("{}ü", "x".repeat(63));
    client.emit_raw(&long, json!(["payload"]));
    client.emit_raw("unknown", json!(["payload"]));
    client.emit().told().await.expect("an answer");
    let line = |event: &str, outcome: &str, elapsed: &str| {
        format!("INFO message=event event={event:?} namespace=\"/kinds\" outcome={outcome} elapsed={elapsed}")
    };
    let expected = [
        line("value", "done", "3s"),
        line("panics", "rejected: Panic", "0ns"),
        line(&"x".repeat(63), "unhandled", "0ns"),
        line("unknown", "unhandled", "0ns"),
        line("told", "done", "0ns"),
    ];
    assert_eq!(logged.take(), expected);
}

#[tokio::test(start_paused = true)]
async fn the_level_can_be_chosen() {
    for level in [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR] {
        let logged = Log::default();
        let _guard = tracing::subscriber::set_default(Watcher(logged.clone()));
        let trace = if level == Level::DEBUG { Trace::default() } else { Trace::new().level(level) };
        let io = namespaces(&Log::default()).event_layer(trace).build();
        kinds(&io).await.emit().told().await.expect("an answer");
        assert!(logged.take()[0].starts_with(&level.to_string()), "{level}");
    }
}

#[test]
fn an_event_that_is_dropped_is_logged_too() {
    let (logged, reached) = (Log::default(), Arc::new(tokio::sync::Notify::new()));
    let _guard = tracing::subscriber::set_default(Watcher(logged.clone()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    let reports = Arc::clone(&reached);
    let for_ever = from_fn(move |_: Incoming, _: Next| {
        let reports = Arc::clone(&reports);
        async move {
            reports.notify_one();
            std::future::pending().await
        }
    });
    let io = namespaces(&Log::default()).event_layer(for_ever).event_layer(Trace::new()).build();
    runtime.block_on(async {
        let client = kinds(&io).await;
        client.emit().nothing();
        reached.notified().await;
        client.disconnect().await;
    });
    assert_eq!(logged.take(), [""; 0], "a handler outlives its socket");
    drop(runtime);
    let lines = logged.take();
    assert!(lines.len() == 1 && lines[0].contains("outcome=cancelled"), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn sockets_of_one_address_share_a_limit() {
    let by_address = RateLimit::new(2, Duration::from_secs(1)).per_address(crate::engine::forwarded_for(1));
    let log = Log::default();
    let io = SocketIo::builder().shared::<dyn Kinds>(Session(log)).event_layer(by_address).build();
    let connect = async |address| Client::<dyn Kinds>::connect(&io).header("x-forwarded-for", address).await.unwrap();
    let limited = |result: Result<u8, CallError<Told>>| matches!(result, Err(CallError::Rejected(Told(why))) if why.starts_with("RateLimited"));
    let (ann, tab) = (connect("2001:db8:1:2::1").await, connect("2001:db8:1:2::ff").await);
    let (bob, nobody) = (connect("192.0.2.1").await, Client::<dyn Kinds>::connect(&io).await.unwrap());
    assert!(!limited(ann.emit().told().await) && !limited(tab.emit().told().await));
    assert!(limited(ann.emit().told().await) && limited(tab.emit().told().await), "two of one network");
    ann.disconnect().await;
    assert!(limited(connect("2001:db8:1:2::2").await.emit().told().await), "nor does reconnecting help");
    assert!(!limited(bob.emit().told().await) && !limited(bob.emit().told().await), "another address");
    assert!(!limited(nobody.emit().told().await) && !limited(nobody.emit().told().await), "one without an address");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!limited(tab.emit().told().await));
}
