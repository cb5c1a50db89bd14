//! Session ids, `auth` payloads and messages appear in no log and in no `Debug` output.

use crate::{
    client::{Client, Options, Transport},
    script::{Scripts, basic, script},
    server::{Server, eventually},
};
use serde_json::json;
use socketio::{Body, ConnectError, Incoming, Outcome, Recovery, Rejection, Service, Socket, SocketIo, Untyped, events, namespace};
use std::{
    fmt::{Debug, Write as _},
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::mpsc;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// What must not be logged, and the lines in which it was.
#[derive(Debug, Default)]
struct Watch {
    secrets: Vec<String>,
    leaks: Vec<String>,
    lines: usize,
}

static WATCH: LazyLock<Mutex<Watch>> = LazyLock::new(|| {
    // The only subscriber of this process: it sees the other tests too, and does not mind.
    tracing::subscriber::set_global_default(Watcher).expect("nobody else sets one");
    Mutex::default()
});

fn watch() -> MutexGuard<'static, Watch> {
    WATCH.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A subscriber at the most talkative level.
struct Watcher;

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a string does not fail.
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl Watcher {
    fn line(line: Line) {
        let mut watch = watch();
        watch.lines += 1;
        if watch.secrets.iter().any(|secret| line.0.contains(secret)) {
            watch.leaks.push(line.0);
        }
    }
}

impl Subscriber for Watcher {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("socketio")
    }
    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        let mut line = Line(attributes.metadata().name().to_owned());
        attributes.record(&mut line);
        Watcher::line(line);
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        let mut line = Line(String::new());
        values.record(&mut line);
        Watcher::line(line);
    }
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().target().to_owned());
        event.record(&mut line);
        Watcher::line(line);
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[namespace("/typed", emits = Told)]
trait Typed {
    #[event]
    async fn number(&self, number: u32) -> Result<u32, String>;
}

#[events]
trait Told {
    #[event]
    async fn tell(&self, text: &str) -> u32;
}

struct TypedSession;

impl Typed for TypedSession {
    async fn number(&self, number: u32) -> Result<u32, String> {
        Ok(number)
    }
}

async fn connect_typed(_: Socket<dyn Typed>) -> Result<TypedSession, ConnectError> {
    Ok(TypedSession)
}

/// Shows everything that a handler can get hold of.
struct Nosy {
    socket: Socket<Untyped>,
    shown: mpsc::UnboundedSender<String>,
}

impl Service for Nosy {
    async fn event(self: Arc<Self>, event: Incoming) -> Outcome {
        let socket = &self.socket;
        let body = Body::event("say", &("secret-message",)).expect("JSON");
        let reply = socket.timeout(std::time::Duration::from_secs(9)).ask_body(body.clone());
        let many = socket.broadcast().ask_body(body.clone());
        let fetched = socket.namespace().fetch_sockets().await.expect("alone");
        let mut args = event.args();
        let wrong = args.next::<u32>("number").expect_err("it is a text");
        let _ = self.shown.send(format!("{event:?} {:?} {args:?} {wrong:?} {wrong}", event.raw_args()));
        let _ = self.shown.send(format!("{socket:?} {:?} {reply:?} {many:?} {fetched:?}", socket.namespace()));
        let _ = self.shown.send(format!("{:?} {:?} {:?}", socket.handshake(), socket.to("room"), socket.volatile()));
        let _ = self.shown.send(format!("{:?} {:?}", body, event.raw_args().to_raw()));
        let outcome = Outcome::Done(Some(body));
        let _ = self.shown.send(format!("{outcome:?} {:?} {:?}", Outcome::Unhandled(event), Rejection::new("why")));
        if let Ok(data) = reply.await {
            let _ = self.shown.send(format!("{data:?} {:?}", data.raw_args()));
        }
        outcome
    }
}

over_all_transports! {
    async fn neither_logs_nor_debug_output_show_them(transport) {
        watch().secrets.extend(["secret-message", "secret-token", "secret-query", "secret-header"].map(str::to_owned));
        let (shown, mut lines) = mpsc::unbounded_channel();
        let shown_by_hooks = shown.clone();
        let shown_outgoing = shown.clone();
        let shown_rejected = shown.clone();
        let io = SocketIo::builder()
            .connection_state_recovery(Recovery::new())
            .on_any(move |socket, event| drop(shown_by_hooks.send(format!("{socket:?} {event:?}"))))
            .on_any_outgoing(move |outgoing| drop(shown_outgoing.send(format!("{outgoing:?}"))))
            .on_rejection(move |_, rejection| drop(shown_rejected.send(format!("{rejection:?} {rejection}"))))
            .namespace_at::<Untyped, _>("/", move |socket: Socket<Untyped>| {
                let nosy = Nosy { socket, shown: shown.clone() };
                async move { Ok::<_, ConnectError>(nosy) }
            })
            .namespace::<dyn Typed, _>(connect_typed)
            .build();
        let server = Server::start(&io);
        let options = Options {
            query: "&token=secret-query".to_owned(),
            headers: vec![("x-secret".to_owned(), "secret-header".to_owned())],
            ..Options::default()
        };
        let mut client = Client::connect_with(server.addr, transport, options).await;
        watch().secrets.push(client.sid.clone());
        let lines_before = watch().lines;
        client.send(r#"0{"token":"secret-token"}"#).await;
        let answer = client.packet_where(|packet| packet.kind == 0).await;
        let text = |field: &str| answer.data[field].as_str().expect("an id").to_owned();
        let (id, pid) = (text("sid"), text("pid"));
        watch().secrets.push(pid.clone());
        client.join("/typed", Some(json!({ "token": "secret-token" }))).await;
        assert_ne!(id, client.sid, "the public id is not the session's");
        assert_eq!(id.len(), 20);
        let answer = client.ask("/", json!(["secret-event-name is shown", "secret-message"])).await;
        let asked = client.event().await;
        client.acknowledge(&asked, json!(["secret-message"])).await;
        client.answer("/", answer).await;
        // Rejected, unknown, malformed, and a violation.
        client.call("/typed", json!(["number", "secret-message"])).await;
        client.emit("/typed", json!(["unknown", "secret-message"])).await;
        client.try_join("/nowhere", Some(json!({ "token": "secret-token" }))).await.expect_err("unknown");
        client.send(r#"2["number", secret-message"#).await;
        client.rest().await;
        // Back with the private id, which is in a log of nobody.
        let mut again = Client::connect(server.addr, transport).await;
        watch().secrets.push(again.sid.clone());
        let auth = json!({ "pid": pid, "token": "secret-token" });
        assert_eq!(again.join("/", Some(auth.clone())).await, id);
        again.emit("/", json!(["x", "secret-message"])).await;
        again.send("no packet").await;
        again.rest().await;
        let mut broken = Client::connect(server.addr, transport).await;
        watch().secrets.push(broken.sid.clone());
        broken.send("2[secret-message").await;
        broken.rest().await;
        let target = format!("/socket.io/?EIO=4&transport=polling&sid={}", broken.sid);
        assert_eq!(crate::http1::Http::get(server.addr, &target, &[]).await.status, 400);
        eventually("everything is logged", || io.connections() == 0).await;

        let secrets = watch().secrets.clone();
        let shown = std::iter::from_fn(|| lines.try_recv().ok()).chain([format!("{io:?} {:?}", io.of::<dyn Typed>())]);
        let mut count = 0;
        for line in shown {
            count += 1;
            let leaked = secrets.iter().find(|secret| line.contains(*secret));
            assert!(leaked.is_none(), "{leaked:?} in {line}");
        }
        assert!(count > 8, "the hooks ran");
        assert!(watch().lines > lines_before, "something was logged");
        assert_eq!(watch().leaks, Vec::<String>::new());
    }
}

#[tokio::test]
async fn socket_ids_tell_nothing_about_sessions() {
    let (scripts, _ended) = Scripts::new(basic);
    let connect = scripts.connect();
    let io = SocketIo::builder().namespace_at::<Untyped, _>("/", connect.clone()).namespace_at::<Untyped, _>("/b", connect).build();
    let server = Server::start(&io);
    let mut seen = std::collections::HashSet::new();
    for _ in 0..20 {
        let mut client = Client::connect(server.addr, Transport::WebSocket).await;
        for namespace in ["/", "/b"] {
            let id = client.join(namespace, None).await;
            assert!(!id.contains(&client.sid[..6]) && !client.sid.contains(&id[..6]));
            assert!(seen.insert(id), "an id is used once");
        }
        assert!(seen.insert(client.sid.clone()));
        client.leave("/").await;
        assert!(seen.insert(client.join("/", None).await), "a new socket, a new id");
    }
}

#[test]
fn settings_and_payload_types_show_nothing() {
    let (connect, _ended) = script(basic);
    let builder = SocketIo::builder().namespace_at::<Untyped, _>("/", connect);
    let text = format!("{builder:?} {:?}", socketio::Binary::from(b"secret".to_vec()));
    assert!(!text.contains("secret"), "{text}");
}
