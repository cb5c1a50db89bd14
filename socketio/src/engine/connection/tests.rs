//! Requests as the connection's task takes them in, without a network: it runs only when a test lets it.

use crate::engine::{Config, Server};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};

/// Closes the session at the first message.
fn server() -> Server {
    let server = Server::new(Config::default(), |connection| {
        Box::pin(async move {
            connection.next().await;
        })
    });
    server.expect("settings that work")
}

async fn ask(server: &Server, method: &str, sid: &str, body: &'static str) -> String {
    let uri = format!("/engine.io/?EIO=4&transport=polling&sid={sid}");
    let uri = if sid.is_empty() { uri.trim_end_matches("&sid=") } else { &uri };
    let request = Request::builder().method(method).uri(uri).body(()).expect("a request");
    let (mut parts, ()) = request.into_parts();
    let response = server.respond(&mut parts, Full::new(Bytes::from_static(body.as_bytes()))).await;
    let body = response.into_body().collect().await.expect("the body of an answer").to_bytes();
    String::from_utf8(body.into()).expect("text")
}

/// As in the reference: a client whose POST was answered finds done what it asked for, also with the very next request.
#[tokio::test]
async fn a_poll_sees_what_the_post_before_it_did() {
    let server = server();
    let open = ask(&server, "GET", "", "").await;
    let sid = open.split('"').nth(3).expect("an id").to_owned();
    // The task goes to sleep; from then on a POST is answered without it.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(ask(&server, "POST", &sid, "4bye").await, "ok");
    assert_eq!(ask(&server, "GET", &sid, "").await, "6\u{1e}1", "no GET hung when the session was closed");
}
