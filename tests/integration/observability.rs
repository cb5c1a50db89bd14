//! What is measured: every metric of the guide moves, by the right amount; and the spans around connections and events.

use crate::{
    client::{Client, Transport},
    deflate::Wire,
    http1::Http,
    returning::Returning,
    script::{ack, basic, script},
    server::{Server, eventually},
};
use metrics::{Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use serde_json::json;
use socketio::{
    ConnectError, Incoming, NamespaceHandle, Outcome, PerMessageDeflate, Recovery, Rejection, SlowConsumer, Socket, SocketIo,
    Untyped,
    adapter::Memory,
    metrics::{Exporter, Measured, Metrics},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tracing::{field::Field, span};

/// What a recorder was told: by name and labels, the value; of a histogram, the number of samples.
#[derive(Debug, Clone, Default)]
struct Recorded(Arc<Mutex<BTreeMap<String, f64>>>);

struct One {
    all: Recorded,
    key: String,
}

impl Recorded {
    fn one(&self, key: &Key) -> Arc<One> {
        let labels: Vec<String> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        Arc::new(One { all: self.clone(), key: format!("{}{{{}}}", key.name(), labels.join(",")) })
    }

    fn value(&self, key: &str) -> f64 {
        self.0.lock().expect("no panic").get(key).copied().unwrap_or_default()
    }

    /// Waits until a metric has this value.
    async fn reaches(&self, key: &str, value: f64) {
        let all = self.clone();
        let wanted: &'static str = format!("{key} {value}").leak();
        let key = key.to_owned();
        eventually(wanted, move || all.value(&key) == value).await;
    }

    fn names(&self) -> BTreeSet<String> {
        let all = self.0.lock().expect("no panic");
        all.keys().filter_map(|key| Some(key.split_once('{')?.0.to_owned())).collect()
    }
}

impl One {
    fn change(&self, change: impl FnOnce(f64) -> f64) {
        let mut all = self.all.0.lock().expect("no panic");
        let value = all.entry(self.key.clone()).or_default();
        *value = change(*value);
    }
}

impl CounterFn for One {
    fn increment(&self, by: u64) {
        self.change(|value| value + by as f64);
    }
    fn absolute(&self, to: u64) {
        self.change(|_| to as f64);
    }
}

impl GaugeFn for One {
    fn increment(&self, by: f64) {
        self.change(|value| value + by);
    }
    fn decrement(&self, by: f64) {
        self.change(|value| value - by);
    }
    fn set(&self, to: f64) {
        self.change(|_| to);
    }
}

impl HistogramFn for One {
    fn record(&self, _: f64) {
        self.change(|samples| samples + 1.0);
    }
}

impl Recorder for Recorded {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.one(key))
    }
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.one(key))
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.one(key))
    }
}

/// The namespace that is registered at this path.
fn all(io: &SocketIo, path: &str) -> NamespaceHandle<Untyped> {
    io.at(path).expect("it is registered")
}

async fn handler(socket: Socket<Untyped>, event: Incoming) -> Outcome {
    match event.name() {
        "refuse" => Rejection::new("not this one").into(),
        _ => basic(socket, event).await,
    }
}

#[tokio::test]
async fn every_metric_of_the_guide_moves() {
    let recorded = Recorded::default();
    // The tasks of this test run on its own thread.
    let _installed = metrics::set_default_local_recorder(&recorded);
    let (connect, _ended) = script(handler);
    let refuse = |_: Socket<Untyped>| std::future::ready(Err::<crate::script::Script, _>(ConnectError::new("nobody")));
    let io = SocketIo::builder()
        .namespace_at::<Untyped, _>("/", connect.clone())
        .namespace_at::<Untyped, _>("/closed", refuse)
        .namespace_matching::<Untyped, _>(|path| path.starts_with("/any/"), connect.clone())
        .max_buffered(64 << 10)
        .per_message_deflate(PerMessageDeflate::new())
        .allow_request(|parts| {
            let unwanted = parts.headers.contains_key("x-unwanted");
            std::future::ready(if unwanted { Err("not you".to_owned()) } else { Ok(()) })
        })
        .metrics(Exporter::new().describe())
        .build();
    let server = Server::start(&io);

    // Handshakes and what is refused.
    Http::get(server.addr, "/socket.io/?EIO=4&transport=polling", &[("x-unwanted", "1")]).await;
    Http::get(server.addr, "/socket.io/?EIO=3&transport=polling", &[]).await;
    Http::get(server.addr, "/socket.io/?EIO=4&transport=polling&sid=nobody", &[]).await;
    assert_eq!(recorded.value("socketio_handshakes_refused_total{reason=forbidden}"), 1.0);
    assert_eq!(recorded.value("socketio_handshakes_refused_total{reason=unsupported_version}"), 1.0);
    assert_eq!(recorded.value("socketio_requests_refused_total{reason=unknown_session}"), 1.0);

    let mut client = Client::joined(server.addr, Transport::Upgraded).await;
    assert_eq!(recorded.value("socketio_connections_opened_total{transport=polling}"), 1.0);
    assert_eq!(recorded.value("socketio_upgrades_total{}"), 1.0);
    assert_eq!(recorded.value("socketio_connections{transport=polling}"), 0.0);
    assert_eq!(recorded.value("socketio_connections{transport=websocket}"), 1.0);
    assert_eq!(recorded.value("socketio_sockets{namespace=/}"), 1.0);
    client.try_join("/closed", None).await.expect_err("nobody is taken in");
    client.try_join("/made up", None).await.expect_err("there is no such namespace");
    client.join("/any/one", None).await;
    client.join("/any/other", None).await;
    assert_eq!(recorded.value("socketio_sockets_refused_total{namespace=/closed}"), 1.0);
    assert_eq!(recorded.value("socketio_sockets_refused_total{namespace=}"), 1.0);
    assert_eq!(recorded.value("socketio_sockets{namespace=*}"), 2.0, "clients cannot make up names");

    // Events in.
    let before = (
        recorded.value("socketio_received_bytes_total{transport=websocket}"),
        recorded.value("socketio_sent_bytes_total{transport=websocket}"),
    );
    let id = client.ask("/", json!(["echo", "hello"])).await;
    client.answer("/", id).await;
    recorded.reaches("socketio_event_seconds{namespace=/}", 1.0).await;
    assert_eq!(recorded.value("socketio_events_received_total{namespace=/}"), 1.0);
    let received = format!("2{id}[\"echo\",\"hello\"]").len() as f64;
    let sent = format!("43{id}[\"hello\"]").len() as f64;
    assert_eq!(recorded.value("socketio_received_bytes_total{transport=websocket}") - before.0, received);
    recorded.reaches("socketio_sent_bytes_total{transport=websocket}", before.1 + sent).await;
    client.emit("/", json!(["refuse"])).await;
    recorded.reaches("socketio_events_rejected_total{namespace=/,kind=refused}", 1.0).await;

    // Events out, and their acknowledgements.
    let answered = all(&io, "/").ask_raw("question", ()).expect("JSON");
    let question = client.event().await;
    client.acknowledge(&question, json!(["answer"])).await;
    assert_eq!(answered.await.len(), 1);
    assert_eq!(recorded.value("socketio_ack_seconds{namespace=/}"), 1.0);
    drop(all(&io, "/").ask_raw("question", ()).expect("JSON"));
    assert_eq!(recorded.value("socketio_acks_missed_total{namespace=/}"), 1.0);
    assert_eq!(recorded.value("socketio_events_emitted_total{namespace=/}"), 2.0);

    // A client that does not read: what waits for it, and what it does not get.
    client.event().await;
    let mut silent = Client::connect(server.addr, Transport::Polling).await;
    let id = silent.join("/", None).await;
    let emit = |event, args: &[String]| all(&io, "/").to(&*id).emit_raw(event, args).expect("JSON");
    emit("wait", &["x".repeat(80_000)]);
    all(&io, "/").to(&*id).volatile().emit_raw("now or never", ()).expect("JSON");
    assert_eq!(recorded.value("socketio_events_dropped_total{namespace=/,policy=volatile}"), 1.0);
    assert!(recorded.value("socketio_queued_bytes{}") > 80_000.0);
    emit("too much", &[]);
    assert_eq!(recorded.value("socketio_events_dropped_total{namespace=/,policy=full}"), 1.0);
    recorded.reaches("socketio_connections_closed_total{reason=slow consumer}", 1.0).await;
    recorded.reaches("socketio_sockets_disconnected_total{namespace=/,reason=slow consumer}", 1.0).await;
    drop(silent);

    client.leave("/any/one").await;
    recorded.reaches("socketio_sockets_disconnected_total{namespace=*,reason=client namespace disconnect}", 1.0).await;
    client.close().await;
    recorded.reaches("socketio_connections_closed_total{reason=transport close}", 1.0).await;
    assert_eq!(recorded.value("socketio_connections{transport=websocket}"), 0.0);
    assert_eq!(recorded.value("socketio_connections{transport=polling}"), 0.0);
    assert_eq!(recorded.value("socketio_sockets{namespace=/}") + recorded.value("socketio_sockets{namespace=*}"), 0.0);

    // Nothing waits for clients that have gone.
    let other = Client::joined(server.addr, Transport::WebSocket).await;
    recorded.reaches("socketio_queued_bytes{}", 0.0).await;
    drop(other);

    // What is compressed.
    let mut deflating = Wire::joined(&server, Some("permessage-deflate")).await;
    all(&io, "/").emit_raw("text", ("x".repeat(2000),)).expect("JSON");
    let compressed = deflating.frame().await.expect("the event").payload.len() as f64;
    recorded.reaches("socketio_messages_compressed_total{}", 1.0).await;
    let plain = recorded.value("socketio_compressed_bytes_total{}");
    assert_eq!(plain, json!(["text", "x".repeat(2000)]).to_string().len() as f64 + 2.0);
    assert_eq!(recorded.value("socketio_compression_saved_bytes_total{}"), plain - compressed);
    drop(deflating);

    let recovery = SocketIo::builder()
        .connection_state_recovery(Recovery::new())
        .namespace_at::<Untyped, _>("/back", connect.clone())
        .namespace_at::<Untyped, _>("/", connect.clone())
        .metrics(Exporter::new())
        .build();
    let server = Server::start(&recovery);
    let mut returning = Returning::join(server.addr, Transport::WebSocket).await;
    let (_, _, recovered) = returning.again().await;
    assert!(recovered);
    assert_eq!(recorded.value("socketio_returns_total{namespace=/,outcome=recovered}"), 1.0);

    // Two servers, one of which is looked at.
    let cluster = Memory::new();
    let one_of_two = || SocketIo::builder().adapter(cluster.clone()).namespace_at::<Untyped, _>("/", connect.clone());
    let (seen, other) = (one_of_two().metrics(Exporter::new()).build(), one_of_two().build());
    assert_eq!(recorded.value("socketio_cluster_connected{}"), 1.0);
    all(&seen, "/").emit_raw("out", ()).expect("JSON");
    assert_eq!(recorded.value("socketio_cluster_published_total{namespace=/}"), 1.0);
    all(&other, "/").emit_raw("in", ()).expect("JSON");
    recorded.reaches("socketio_cluster_received_total{namespace=/}", 1.0).await;
    seen.close().await;
    all(&seen, "/").emit_raw("too late", ()).expect("JSON");
    assert_eq!(recorded.value("socketio_cluster_lost_total{namespace=/,why=unsent}"), 1.0);

    let guide = include_str!("../../docs/observability.md");
    let listed = guide.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split_once("` |")?.0));
    let listed: BTreeSet<String> = listed.filter(|name| name.starts_with("socketio_")).map(str::to_owned).collect();
    assert_eq!(recorded.names(), listed, "the guide lists what is measured, and nothing else");
}

#[tokio::test]
async fn what_is_dropped_from_what_waits_is_counted() {
    let recorded = Recorded::default();
    let _installed = metrics::set_default_local_recorder(&recorded);
    let (connect, _ended) = script(handler);
    let io = SocketIo::builder()
        .namespace_at::<Untyped, _>("/", connect)
        .max_buffered(64 << 10)
        .slow_consumer(SlowConsumer::DropOldest)
        .metrics(Exporter::new())
        .build();
    let server = Server::start(&io);
    let silent = Client::joined(server.addr, Transport::Polling).await;
    for number in 0..3 {
        all(&io, "/").conflate("position").emit_raw("at", (number,)).expect("JSON");
    }
    all(&io, "/").emit_raw("large", ("x".repeat(80_000),)).expect("JSON");
    assert_eq!(recorded.value("socketio_events_dropped_total{namespace=,policy=conflated}"), 2.0);
    all(&io, "/").emit_raw("one more", ()).expect("JSON");
    all(&io, "/").emit_raw("and one", ()).expect("JSON");
    // The last position and the large one.
    assert_eq!(recorded.value("socketio_events_dropped_total{namespace=,policy=oldest}"), 2.0);
    let waiting = recorded.value("socketio_queued_bytes{}");
    assert!(waiting > 0.0 && waiting < 1000.0, "{waiting}");
    drop(silent);
}

/// A hook that panics at every call.
struct Broken(Arc<AtomicUsize>);

impl Metrics for Broken {
    fn record(&self, _: Measured<'_>) {
        self.0.fetch_add(1, Ordering::SeqCst);
        std::panic::resume_unwind(Box::new("broken"));
    }
}

/// One that asks the server, and changes it.
struct Curious(Arc<Mutex<Option<SocketIo>>>);

impl Metrics for Curious {
    fn record(&self, _: Measured<'_>) {
        let io = self.0.lock().expect("no panic").clone();
        if let Some(io) = io {
            all(&io, "/")
                .sockets()
                .iter()
                .for_each(|socket| socket.join(format!("{} of {}", socket.rooms().len(), io.connections())));
        }
    }
}

#[tokio::test]
async fn a_hook_may_panic_and_may_call_back() {
    let (calls, itself) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(None)));
    let (connect, _ended) = script(|_, _| async { ack(&"done") });
    let io = SocketIo::builder()
        .namespace_at::<Untyped, _>("/", connect)
        .metrics(Broken(Arc::clone(&calls)))
        .metrics(Curious(Arc::clone(&itself)))
        .build();
    *itself.lock().expect("no panic") = Some(io.clone());
    let server = Server::start(&io);
    let mut client = Client::joined(server.addr, Transport::Upgraded).await;
    assert_eq!(client.call("/", json!(["event"])).await, json!(["done"]));
    all(&io, "/").volatile().emit_raw("event", ()).expect("JSON");
    let question = all(&io, "/").ask_raw("event", ()).expect("JSON");
    all(&io, "/").disconnect_sockets(false);
    assert_eq!(question.await.len(), 1);
    assert!(calls.load(Ordering::SeqCst) > 10);
    *itself.lock().expect("no panic") = None;
}

/// One that emits as soon as there are other servers to hear it.
struct Announcer(Arc<Mutex<Option<SocketIo>>>);

impl Metrics for Announcer {
    fn record(&self, measured: Measured<'_>) {
        let io = self.0.lock().expect("no panic").clone();
        if let (Measured::ClusterState { .. }, Some(io)) = (measured, io) {
            all(&io, "/").emit_raw("event", ()).expect("JSON");
        }
    }
}

#[test]
fn a_hook_may_emit_where_a_namespace_has_just_joined_the_cluster() {
    let itself = Arc::new(Mutex::new(None));
    let (connect, _ended) = script(|_, _| async { ack(&"done") });
    // Without a runtime it does not join yet.
    let io = SocketIo::builder()
        .namespace_at::<Untyped, _>("/", connect)
        .adapter(Memory::new())
        .metrics(Announcer(Arc::clone(&itself)))
        .build();
    *itself.lock().expect("no panic") = Some(io.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { all(&io, "/").emit_raw("first", ()).expect("JSON") });
    let health = io.cluster_health().expect("it has an adapter");
    assert!(health.published >= 2, "{health:?}");
    *itself.lock().expect("no panic") = None;
}

/// Spans by name, with their fields.
#[derive(Debug, Clone, Default)]
struct Spans(Arc<Mutex<Vec<Seen>>>);

#[derive(Debug, Default)]
struct Seen {
    name: &'static str,
    fields: BTreeMap<&'static str, String>,
    /// The spans that are entered when it begins, as numbers.
    inside: Vec<usize>,
}

impl tracing::field::Visit for Seen {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }
}

thread_local! {
    static ENTERED: std::cell::RefCell<Vec<usize>> = const { std::cell::RefCell::new(Vec::new()) };
}

impl tracing::Subscriber for Spans {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.is_span() && metadata.name().starts_with("socketio::")
    }
    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        let mut seen = Seen { name: attributes.metadata().name(), ..Seen::default() };
        seen.inside = ENTERED.with_borrow(Clone::clone);
        attributes.record(&mut seen);
        let mut spans = self.0.lock().expect("no panic");
        spans.push(seen);
        span::Id::from_u64(spans.len() as u64)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {}
    fn enter(&self, span: &span::Id) {
        ENTERED.with_borrow_mut(|entered| entered.push(span.into_u64() as usize - 1));
    }
    fn exit(&self, _: &span::Id) {
        ENTERED.with_borrow_mut(Vec::pop);
    }
}

#[tokio::test]
async fn events_have_spans_inside_that_of_their_connection() {
    let spans = Spans::default();
    let _installed = tracing::subscriber::set_default(spans.clone());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (connect, _ended) = script({
        let seen = Arc::clone(&seen);
        move |_, _| {
            let seen = Arc::clone(&seen);
            async move {
                let first = ENTERED.with_borrow(Clone::clone);
                tokio::task::yield_now().await;
                seen.lock().expect("no panic").push((first, ENTERED.with_borrow(Clone::clone)));
                ack(&"done")
            }
        }
    });
    let io = SocketIo::builder().namespace_at::<Untyped, _>("/chat", connect).build();
    let server = Server::start(&io);
    let mut client = Client::connect(server.addr, Transport::WebSocket).await;
    let id = client.join("/chat", None).await;
    client.call("/chat", json!([format!("say{}", "é".repeat(99)), "a secret"])).await;

    let (first, then) = seen.lock().expect("no panic").pop().expect("it ran");
    assert_eq!(first, then, "also behind an await");
    let spans = spans.0.lock().expect("no panic");
    let [connection, event] = &first[..] else { panic!("two spans: {first:?}") };
    assert_eq!(spans[*connection].name, "socketio::connection");
    assert_eq!(spans[*connection].fields["transport"], "\"websocket\"");
    assert!(spans[*connection].fields["connection"].parse::<u64>().is_ok());
    let event = &spans[*event];
    assert_eq!((event.name, &event.inside[..]), ("socketio::event", &first[..1]));
    let name = format!("\"say{}\"", "é".repeat(30));
    let fields = [("event", name), ("namespace", "\"/chat\"".to_owned()), ("socket", id)];
    assert_eq!(event.fields, BTreeMap::from(fields), "no payload, and the start of a long name");
}
