//! What the requests of a client carry, and how many connections they take.

use super::{
    proxy::Proxy,
    world::{World, transports},
};
use crate::{client::Transport, server::Server};
use http::request::Parts;
use socketio::{Client, Cookie, Incoming, Outcome, Service, Socket, SocketIo, Untyped};
use std::sync::{Arc, Mutex};

struct Session;

impl Service for Session {
    async fn event(self: Arc<Self>, event: Incoming) -> Outcome {
        Outcome::Done(Some(event.raw_args().to_body()))
    }
}

async fn session(_: Socket<Untyped>) -> Result<Session, socketio::ConnectError> {
    Ok(Session)
}

over_all_transports! {
    async fn headers_and_query_are_those_of_every_request(transport) {
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&requests);
        let note = move |_: &mut http::HeaderMap, parts: &Parts| {
            let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("-").to_owned();
            let has_query = parts.uri.query().is_some_and(|query| query.contains("&given=1") && query.contains("&k=a+%26%C3%A9"));
            let cookie = header("cookie");
            let cookie = cookie.split('=').next().unwrap_or_default();
            seen.lock().unwrap().push(format!("{} {has_query} {} {cookie}", parts.method, header("x-token")));
        };
        let io = SocketIo::builder()
            .path("/realtime")
            .cookie(Cookie::new())
            .response_headers(note)
            .namespace_at::<Untyped, _>("/", session)
            .build();
        let server = Server::start(&io);
        let client = Client::<Untyped>::connect(format!("http://{}?given=1", server.addr))
            .at("/")
            .path("/realtime/")
            .header("X-Token", "secret")
            .query("k", "a &é")
            .transports(transports(transport))
            .await
            .unwrap();
        let answer = client.call_raw("echo", (1, "x")).await.unwrap();
        assert_eq!(answer.json(), r#"[1,"x"]"#);
        client.close().await;
        let requests = requests.lock().unwrap().clone();
        assert!(requests.iter().all(|request| request.contains(" true secret ")), "{requests:?}");
        // Polling sets a cookie, which every later request has.
        let cookies = requests.iter().filter(|request| request.ends_with(" io")).count();
        assert_eq!(cookies, if transport == Transport::WebSocket { 0 } else { requests.len() - 1 }, "{requests:?}");
    }
}

#[tokio::test]
async fn polling_takes_two_connections_and_keeps_them() {
    let world = World::start();
    let proxy = Proxy::start(world.server.addr).await;
    let client = super::world::connect(&proxy.url(), Transport::Polling).await.unwrap();
    for number in 0..50 {
        assert_eq!(client.emit().half(2 * number).await, Ok(number));
    }
    assert_eq!(proxy.accepted(), 2);
}
