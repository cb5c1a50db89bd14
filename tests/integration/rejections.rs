//! What a client receives when an event goes wrong: every way by every return type. The table is `docs/rejections.md`.

use crate::{
    client::Client,
    server::{Server, eventually},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};
use socketio::{
    Ack, FromEvent, Incoming, Outcome, RawArgs, Rejection, RejectionKind, SocketIo,
    layer::{Next, from_fn},
    namespace,
};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::{Notify, mpsc};

/// An error that takes rejections.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Told {
    kind: RejectionKind,
}

impl From<Rejection> for Told {
    fn from(rejection: Rejection) -> Self {
        Told { kind: rejection.kind() }
    }
}

/// An error that does not.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Mute;

/// An answer that JSON may not have.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct Answer {
    sendable: bool,
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.sendable { serializer.serialize_bool(true) } else { Err(serde::ser::Error::custom("a secret")) }
    }
}

/// Refuses `"extract"`.
#[derive(Debug)]
struct Extracted;

impl FromEvent for Extracted {
    fn from_event(event: &Incoming) -> Result<Self, Rejection> {
        if says(event, "extract") { Err(Rejection::new("extractor")) } else { Ok(Extracted) }
    }
}

fn says(event: &Incoming, what: &str) -> bool {
    event.raw_args().get::<Value>(0).is_ok_and(|value| value == what)
}

/// The same event with every return type.
#[namespace("/table", rename_all = "camelCase")]
trait Table {
    #[middleware]
    async fn allow(&self, event: &Incoming) -> Result<(), Rejection> {
        assert!(!says(event, "explode"), "on purpose");
        if says(event, "middleware") { Err(Rejection::new("middleware")) } else { Ok(()) }
    }
    #[event]
    async fn nothing(&self, #[extract] _extracted: Extracted, what: &str);
    #[event]
    async fn empty(&self, #[extract] _extracted: Extracted, what: &str) -> Ack;
    #[event]
    async fn value(&self, #[extract] _extracted: Extracted, what: &str) -> Answer;
    #[event]
    async fn mute(&self, #[extract] _extracted: Extracted, what: &str) -> Result<Answer, Mute>;
    #[event]
    async fn told(&self, #[extract] _extracted: Extracted, what: &str) -> Result<Answer, Told>;
    #[event]
    async fn text(&self, #[extract] _extracted: Extracted, what: &str) -> Result<Answer, String>;
    #[event]
    async fn plain(&self, #[extract] _extracted: Extracted, what: &str) -> Result<Answer, Rejection>;
    #[event]
    async fn slow(&self) -> Result<(), Told>;
}

/// The same, where everything has a name.
#[namespace("/open")]
trait Open {
    #[event]
    async fn known(&self) -> Ack;
    #[fallback]
    async fn unknown(&self, event: &str, args: RawArgs<'_>);
}

#[derive(Default)]
struct Session {
    go_on: Arc<Notify>,
    finished: Arc<AtomicUsize>,
}

fn answer(what: &str) -> Answer {
    assert_ne!(what, "panic", "on purpose");
    Answer { sendable: what != "unanswerable" }
}

impl Table for Session {
    async fn nothing(&self, _: Extracted, what: &str) {
        answer(what);
    }
    async fn empty(&self, _: Extracted, what: &str) -> Ack {
        answer(what);
        Ack
    }
    async fn value(&self, _: Extracted, what: &str) -> Answer {
        answer(what)
    }
    async fn mute(&self, _: Extracted, what: &str) -> Result<Answer, Mute> {
        if what == "error" { Err(Mute) } else { Ok(answer(what)) }
    }
    async fn told(&self, _: Extracted, what: &str) -> Result<Answer, Told> {
        Ok(answer(what))
    }
    async fn text(&self, _: Extracted, what: &str) -> Result<Answer, String> {
        Ok(answer(what))
    }
    async fn plain(&self, _: Extracted, what: &str) -> Result<Answer, Rejection> {
        Ok(answer(what))
    }
    async fn slow(&self) -> Result<(), Told> {
        self.go_on.notified().await;
        self.finished.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

impl Open for Session {
    async fn known(&self) -> Ack {
        Ack
    }
    async fn unknown(&self, event: &str, _: RawArgs<'_>) {
        assert_ne!(event, "explode", "on purpose");
    }
}

async fn layer(event: Incoming, next: Next) -> Outcome {
    if says(&event, "layer") { Rejection::new("layer").into() } else { next.run(event).await }
}

struct World {
    io: SocketIo,
    server: Server,
    go_on: Arc<Notify>,
    finished: Arc<AtomicUsize>,
    rejections: mpsc::UnboundedReceiver<Rejection>,
}

impl World {
    fn new() -> Self {
        let (rejected, rejections) = mpsc::unbounded_channel();
        let session = Session::default();
        let (go_on, finished) = (Arc::clone(&session.go_on), Arc::clone(&session.finished));
        let io = SocketIo::builder()
            .on_rejection(move |_, rejection| drop(rejected.send(rejection.clone())))
            .shared::<dyn Table>(session)
            .shared::<dyn Open>(Session::default())
            .event_layer(from_fn(layer))
            .build();
        World { server: Server::start(&io), io, go_on, finished, rejections }
    }

    fn seen(&mut self) -> Vec<(RejectionKind, String)> {
        std::iter::from_fn(|| self.rejections.try_recv().ok())
            .map(|rejection| (rejection.kind(), rejection.event().to_owned()))
            .collect()
    }
}

/// What went wrong, as an argument, as a kind, and as its name on the wire.
const WAYS: [(&str, RejectionKind, &str); 6] = [
    ("payload", RejectionKind::Payload, "payload"),
    ("extract", RejectionKind::Refused, "refused"),
    ("middleware", RejectionKind::Refused, "refused"),
    ("layer", RejectionKind::Refused, "refused"),
    ("panic", RejectionKind::Panic, "panic"),
    ("unanswerable", RejectionKind::Unanswerable, "unanswerable"),
];

over_all_transports! {
    async fn every_rejection_by_every_return_type(transport) {
        let mut world = World::new();
        let mut client = Client::connect(world.server.addr, transport).await;
        client.join("/table", None).await;
        for (way, kind, wire) in WAYS {
            let argument = if way == "payload" { json!(7) } else { json!(way) };
            // The contract has no word for it, so nothing is said. What nobody answers, nothing can be wrong with.
            let silent = if way == "unanswerable" { &["value", "mute"][..] } else { &["nothing", "empty", "value", "mute"] };
            for event in silent {
                client.ask("/table", json!([event, argument])).await;
            }
            for event in ["told", "text", "plain"] {
                let answer = client.call("/table", json!([event, argument])).await;
                assert_eq!((&answer[0]["ok"], answer.as_array().map(Vec::len)), (&json!(false), Some(1)), "{way} {event}");
                let error = &answer[0]["error"];
                match event {
                    "told" => assert_eq!(*error, json!({ "kind": wire })),
                    "text" => assert!(error.as_str().is_some_and(|text| !text.is_empty() && !text.contains("secret")), "{error}"),
                    _ => {
                        assert_eq!((&error["kind"], &error["event"]), (&json!(wire), &json!("plain")), "{error}");
                        let argument = if way == "payload" { json!([0, "what"]) } else { Value::Null };
                        assert_eq!(error["argument"], argument);
                    }
                }
            }
            assert_eq!(client.unread(), [], "{way}");
            let seen = silent.iter().copied().chain(["told", "text", "plain"]);
            assert_eq!(world.seen(), seen.map(|event| (kind, event.to_owned())).collect::<Vec<_>>(), "{way}");

            // Nobody asked: nobody is answered, and the hook sees it all the same.
            client.emit("/table", json!(["told", argument])).await;
            assert_eq!(client.call("/table", json!(["told", "fine"])).await, json!([{ "ok": true, "data": true }]));
            assert_eq!(client.unread(), [], "{way}");
            let nothing_to_send = way == "unanswerable";
            assert_eq!(world.seen().len(), usize::from(!nothing_to_send), "{way}");
        }
        // An error of the handler's own is an answer like any other.
        assert_eq!(client.call("/table", json!(["mute", "error"])).await, json!([{ "ok": false, "error": null }]));
        assert_eq!(world.seen(), []);
    }

    async fn events_that_nobody_knows(transport) {
        let mut world = World::new();
        let mut client = Client::connect(world.server.addr, transport).await;
        client.join("/table", None).await;
        client.join("/open", None).await;
        // Nobody handles it, so nobody answers, as in the reference.
        client.ask("/table", json!(["unknown", 1])).await;
        client.emit("/table", json!(["unknown", 1])).await;
        assert_eq!(client.call("/table", json!(["told", "fine"])).await[0]["ok"], json!(true));
        assert_eq!((client.unread(), world.seen()), (vec![], vec![]));
        // It can be refused before anybody looks whether it is known.
        for way in ["middleware", "layer"] {
            client.ask("/table", json!(["unknown", way])).await;
        }
        assert_eq!(client.call("/table", json!(["told", "fine"])).await[0]["ok"], json!(true));
        let refused = (RejectionKind::Refused, "unknown".to_owned());
        assert_eq!((client.unread(), world.seen()), (vec![], vec![refused.clone(), refused]));
        // A fallback takes it.
        assert_eq!(client.call("/open", json!(["unknown", 1])).await, json!([]));
        assert_eq!((client.unread(), world.seen()), (vec![], vec![]));
    }

    async fn a_panic_at_an_event_that_nobody_names(transport) {
        let mut world = World::new();
        let mut client = Client::connect(world.server.addr, transport).await;
        client.join("/table", None).await;
        client.join("/open", None).await;
        client.ask("/open", json!(["explode"])).await;
        assert_eq!(client.call("/open", json!(["known"])).await, json!([]));
        client.ask("/table", json!(["unknown", "explode"])).await;
        assert_eq!(client.call("/table", json!(["told", "fine"])).await[0]["ok"], json!(true));
        assert_eq!(client.unread(), [], "there is no contract that could speak for them");
        let panicked = |event: &str| (RejectionKind::Panic, event.to_owned());
        assert_eq!(world.seen(), [panicked("explode"), panicked("unknown")], "in the fallback, and in the middleware");
    }

    async fn a_malformed_event_ends_the_connection(transport) {
        let mut world = World::new();
        let mut client = Client::connect(world.server.addr, transport).await;
        client.join("/table", None).await;
        client.send(r#"2/table,7["told","fine"#).await;
        assert_eq!(client.rest().await, [], "it is not answered");
        assert_eq!(world.seen(), [(RejectionKind::Malformed, "told".to_owned())]);
    }

    async fn a_client_that_leaves_while_its_event_is_handled(transport) {
        let mut world = World::new();
        let mut client = Client::connect(world.server.addr, transport).await;
        client.join("/table", None).await;
        client.join("/open", None).await;
        client.ask("/table", json!(["slow"])).await;
        client.leave("/table").await;
        assert_eq!(client.call("/open", json!(["known"])).await, json!([]), "the server has seen both");
        assert!(world.io.of::<dyn Table>().is_empty());
        world.go_on.notify_one();
        let finished = Arc::clone(&world.finished);
        eventually("the handler runs to its end", || finished.load(Ordering::SeqCst) == 1).await;
        assert_eq!(client.call("/open", json!(["known"])).await, json!([]));
        assert_eq!((client.unread(), world.seen()), (vec![], vec![]), "neither an answer nor a rejection");
    }
}
