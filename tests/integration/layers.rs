//! Event layers over a real connection.

use crate::{client::Client, server::Server};
use serde_json::{Value, json};
use socketio::{
    BuildError, ConnectError, Incoming, Outcome, RawArgs, Rejection, RejectionKind, Service, SocketIo, Untyped,
    layer::{Next, RateLimit, Trace, from_fn},
    namespace,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;

#[namespace("/chat")]
trait Chat {
    #[event]
    async fn say(&self, text: &str) -> Result<usize, Rejection>;
    #[event]
    async fn count(&self, text: &str) -> usize;
}

struct Session;

impl Chat for Session {
    async fn say(&self, text: &str) -> Result<usize, Rejection> {
        Ok(text.len())
    }
    async fn count(&self, text: &str) -> usize {
        text.len()
    }
}

/// Looks at the first argument.
async fn politely(event: Incoming, next: Next) -> Outcome {
    match event.raw_args().get::<Value>(0) {
        Ok(Value::String(text)) if text.contains("damn") => Rejection::new("mind your language").into(),
        _ => next.run(event).await,
    }
}

/// Knows every name.
#[namespace("/open")]
trait Open {
    #[fallback]
    async fn any(&self, event: &str, args: RawArgs<'_>);
}

impl Open for Session {
    async fn any(&self, _: &str, _: RawArgs<'_>) {}
}

struct Relay;

impl Service for Relay {
    async fn event(self: Arc<Self>, _: Incoming) -> Outcome {
        Outcome::Done(None)
    }
}

#[test]
fn a_layer_that_surrounds_nothing_is_a_mistake() {
    let limit = || RateLimit::new(1, Duration::from_secs(1));
    let before = SocketIo::builder().event_layer(limit()).shared::<dyn Chat>(Session).try_build();
    assert!(matches!(before, Err(BuildError::LayerWithoutNamespace)), "{before:?}");
    SocketIo::builder().shared::<dyn Chat>(Session).event_layer(limit()).try_build().expect("the other way round");
}

#[test]
fn a_layer_that_names_an_unknown_event_is_a_mistake() {
    let named = |event: &str| RateLimit::default().event("say", 1, Duration::ZERO).event(event, 1, Duration::ZERO);
    let wrong = SocketIo::builder().shared::<dyn Chat>(Session).event_layer(named("sya")).try_build();
    assert!(matches!(&wrong, Err(BuildError::UnknownEvent(event)) if event == "sya"), "{wrong:?}");
    let shared = SocketIo::builder().shared::<dyn Chat>(Session).event_layer(Arc::new(named("sya"))).try_build();
    assert!(matches!(shared, Err(BuildError::UnknownEvent(_))), "{shared:?}");
    SocketIo::builder().shared::<dyn Chat>(Session).event_layer(named("count")).try_build().expect("both are there");
    // Whoever takes any event has it, too.
    let open = SocketIo::builder().shared::<dyn Chat>(Session).shared::<dyn Open>(Session);
    open.event_layer(named("sya")).try_build().expect("there is a fallback");
    let relay = async || Ok::<_, ConnectError>(Relay);
    let untyped = SocketIo::builder().namespace_at::<Untyped, _>("/relay", relay);
    untyped.event_layer(named("sya")).try_build().expect("an untyped namespace has no list");
}

over_all_transports! {
    async fn what_a_layer_refuses_is_told_to_the_client(transport) {
        let (rejected, mut rejections) = mpsc::unbounded_channel();
        let io = SocketIo::builder()
            .on_rejection(move |_, rejection| drop(rejected.send(rejection.clone())))
            .shared::<dyn Chat>(Session)
            .event_layer(from_fn(politely))
            // Nothing comes back while the test runs.
            .event_layer(RateLimit::new(6, Duration::from_secs(24 * 3600)).event("say", 2, Duration::from_secs(3600)))
            .event_layer(Trace::new())
            .build();
        let server = Server::start(&io);
        let mut client = Client::connect(server.addr, transport).await;
        client.join("/chat", None).await;
        assert_eq!(client.call("/chat", json!(["say", "hello"])).await, json!([{ "ok": true, "data": 5 }]));
        let impolite = json!({ "kind": "refused", "event": "say", "message": "mind your language" });
        assert_eq!(client.call("/chat", json!(["say", "damn"])).await, json!([{ "ok": false, "error": impolite }]));
        let limited = client.call("/chat", json!(["say", "again"])).await;
        assert_eq!(limited[0]["ok"], json!(false));
        let (error, hour) = (&limited[0]["error"], Duration::from_secs(3600).as_millis());
        assert_eq!((&error["kind"], &error["event"]), (&json!("rateLimited"), &json!("say")));
        let wait = error["retryAfterMs"].as_u64().map(u128::from).expect("when to try again");
        assert!(wait > 0 && wait <= hour / 2, "two in an hour: one comes back in half of it, not in {wait} ms");
        assert_eq!(error["message"], json!(format!("too many events, try again in {wait} ms")));

        // The third to the sixth of all.
        for _ in 0..4 {
            assert_eq!(client.call("/chat", json!(["count", "four"])).await, json!([4]));
        }
        // Its answer is a number: there is no way to say no.
        client.ask("/chat", json!(["count", "four"])).await;
        assert_eq!(client.call("/chat", json!(["say", "last"])).await[0]["error"]["kind"], json!("rateLimited"));
        assert_eq!(client.unread(), []);

        let mut other = Client::connect(server.addr, transport).await;
        other.join("/chat", None).await;
        assert_eq!(other.call("/chat", json!(["count", "other"])).await, json!([5]), "another socket");
        let kinds: Vec<_> = std::iter::from_fn(|| rejections.try_recv().ok()).map(|r| (r.kind(), r.event().to_owned())).collect();
        let limited = |event: &str| (RejectionKind::RateLimited, event.to_owned());
        assert_eq!(kinds, [(RejectionKind::Refused, "say".to_owned()), limited("say"), limited("count"), limited("say")]);
    }
}
