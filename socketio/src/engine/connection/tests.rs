//! Requests as the connection's task takes them in, without a network: it runs only when a test lets it.

use crate::engine::{Config, Server};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};

/// Closes the session at the first message.
fn server() -> Server {
    let server = Server::new(Config::default().allow_eio3(true), |connection| {
        Box::pin(async move {
            connection.next().await;
        })
    });
    server.expect("settings that work")
}

/// A request of this revision, and its answer.
async fn ask(server: &Server, revision: u8, method: &str, sid: &str, body: &str) -> String {
    let uri = format!("/engine.io/?EIO={revision}&transport=polling&sid={sid}");
    let uri = if sid.is_empty() { uri.trim_end_matches("&sid=") } else { &uri };
    let request = Request::builder().method(method).uri(uri).body(()).expect("a request");
    let (mut parts, ()) = request.into_parts();
    let response = server.respond(&mut parts, Full::new(Bytes::copy_from_slice(body.as_bytes()))).await;
    let body = response.into_body().collect().await.expect("the body of an answer").to_bytes();
    String::from_utf8(body.into()).expect("text")
}

/// The id of a new session, whose task has gone to sleep: from then on a POST is answered without it.
async fn open(server: &Server, revision: u8) -> String {
    let open = ask(server, revision, "GET", "", "").await;
    settle().await;
    open.split('"').nth(3).expect("an id").to_owned()
}

async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

/// As in the reference: a client whose POST was answered finds done what it asked for, also with the very next request.
#[tokio::test]
async fn a_poll_sees_what_the_post_before_it_did() {
    let server = server();
    let sid = open(&server, 4).await;
    assert_eq!(ask(&server, 4, "POST", &sid, "4bye").await, "ok");
    assert_eq!(ask(&server, 4, "GET", &sid, "").await, "6\u{1e}1", "no GET hung when the session was closed");
}

/// Clients of revision 3 ping. One that never fetches the pongs must not fill the memory with them.
#[tokio::test]
async fn many_pings_get_few_pongs() {
    let server = server();
    let sid = open(&server, 3).await;
    for _ in 0..3 {
        assert_eq!(ask(&server, 3, "POST", &sid, &"1:2".repeat(1000)).await, "ok");
        settle().await;
    }
    assert_eq!(ask(&server, 3, "GET", &sid, "").await, "1:3".repeat(16));
}

/// `Duration::MAX` means never, and is no reason to panic.
#[tokio::test]
async fn times_may_be_huge() {
    let never = std::time::Duration::MAX;
    let config = Config::default().ping_interval(never).ping_timeout(never).upgrade_timeout(never);
    let server = Server::new(config, |connection| Box::pin(async move { while connection.next().await.is_some() {} }));
    let server = server.expect("settings that work");
    let sid = open(&server, 4).await;
    assert_eq!(ask(&server, 4, "POST", &sid, "4hello").await, "ok");
    assert_eq!(server.connections(), 1);
}
