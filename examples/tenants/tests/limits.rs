//! Tenants, their limits and announcements, by clients in the process of the server.

use axum::{body::Body, http::Request};
use serde_json::json;
use socketio::{CallError, ConnectError, SocketIo, test::Client};
use std::time::Duration;
use tenants_example::{Tenant, TenantError, router, server};
use tower::ServiceExt;

/// Has heard its welcome already.
async fn client(io: &SocketIo, tenant: &str) -> Result<Client<dyn Tenant>, ConnectError> {
    let client = Client::<dyn Tenant>::connect(io).path(format!("/tenant/{tenant}")).await?;
    let (welcome,) = client.next_event().await.args::<(String,)>();
    assert!(welcome.starts_with("welcome to "), "{welcome}");
    Ok(client)
}

async fn http_post(io: &SocketIo, path: &str) -> u16 {
    let request = Request::post(path).body(Body::from("hear ye")).expect("a request");
    router(io).oneshot(request).await.expect("an answer").status().as_u16()
}

#[tokio::test]
async fn unknown_tenants_are_refused() {
    let io = server();
    let unknown = client(&io, "9").await.unwrap_err();
    assert_eq!((unknown.message(), unknown.data_json()), ("no such tenant", Some("9")));
    assert!(client(&io, "seven").await.is_err());
}

#[tokio::test]
async fn posts_stay_within_their_tenant() {
    let io = server();
    let (ann, bob) = (client(&io, "7").await.unwrap(), client(&io, "7").await.unwrap());
    let eve = client(&io, "8").await.unwrap();
    assert_eq!(ann.emit().post("hi").await, Ok(()));
    bob.expect("posted", json!(["hi"])).await;
    assert_eq!(eve.emit().name().await, Ok("globex".to_owned()));
    assert!(eve.unread().is_empty());
}

#[tokio::test(start_paused = true)]
async fn each_event_of_each_socket_has_its_limit() {
    let io = server();
    let (ann, bob) = (client(&io, "7").await.unwrap(), client(&io, "7").await.unwrap());
    for _ in 0..5 {
        assert_eq!(ann.emit().post("hi").await, Ok(()));
    }
    let refused = ann.emit().post("hi").await;
    let Err(CallError::Rejected(TenantError::RateLimited { retry_after_ms })) = refused else { panic!("{refused:?}") };
    assert_eq!(bob.emit().post("hi").await, Ok(()));
    assert_eq!(ann.emit().report().await, Ok(2));
    // What it says is true.
    tokio::time::sleep(Duration::from_millis(retry_after_ms)).await;
    assert_eq!(ann.emit().post("hi").await, Ok(()));
    assert!(ann.emit().report().await.is_err());
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(ann.emit().report().await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn all_events_of_a_socket_have_a_common_limit() {
    let ann = client(&server(), "7").await.unwrap();
    assert_eq!(ann.emit().report().await, Ok(1));
    for _ in 1..20 {
        assert_eq!(ann.emit().name().await, Ok("acme".to_owned()));
    }
    let refused = ann.emit().name().await;
    assert!(matches!(refused, Err(CallError::Rejected(TenantError::RateLimited { .. }))), "{refused:?}");
}

#[tokio::test]
async fn announcements_reach_one_tenant_or_all() {
    let io = server();
    let (acme, globex) = (client(&io, "7").await.unwrap(), client(&io, "8").await.unwrap());
    assert_eq!(http_post(&io, "/announce").await, 204);
    acme.expect("announcement", json!(["hear ye"])).await;
    globex.expect("announcement", json!(["hear ye"])).await;
    assert_eq!(http_post(&io, "/tenants/7/announce").await, 204);
    assert_eq!(http_post(&io, "/tenants/9/announce").await, 404);
    acme.expect("announcement", json!(["hear ye"])).await;
    assert_eq!(globex.emit().name().await, Ok("globex".to_owned()));
    assert!(globex.unread().is_empty());
}
