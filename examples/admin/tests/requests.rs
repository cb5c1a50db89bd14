//! Requests and their errors, by clients in the process of the server.

use admin_example::{Admin, AdminError, AdminEvents, Change, Login, User, server};
use serde_json::json;
use socketio::{CallError, ConnectError, SocketIo, test::Client};

/// Answers `progress`: goes on while fewer than this are done.
struct Until(usize);

impl AdminEvents for Until {
    async fn audit(&self, _admin: &str, _change: &Change) {}
    async fn progress(&self, done: usize, total: usize) -> bool {
        assert!(done < total);
        done < self.0
    }
}

async fn client(io: &SocketIo, token: &str) -> Result<Client<dyn Admin>, ConnectError> {
    Client::<dyn Admin>::connect(io).auth(Login { token: token.into() }).handler(Until(2)).await
}

fn failed<T>(error: AdminError) -> Result<T, CallError<AdminError>> {
    Err(CallError::Rejected(error))
}

#[tokio::test]
async fn only_known_tokens_connect() {
    let refused = client(&server(), "guess").await.unwrap_err();
    assert_eq!((refused.message(), refused.data_json()), ("unauthorized", Some(r#"{"code":"badToken"}"#)));
}

#[tokio::test]
async fn users_are_created_renamed_and_deleted_and_others_hear_of_it() {
    let io = server();
    let (ann, bob) = (client(&io, "edit-ann").await.unwrap(), client(&io, "edit-bob").await.unwrap());
    let user = ann.emit().create_user("carl").await.unwrap();
    assert_eq!(ann.emit().create_user("carl").await, failed(AdminError::NameTaken { name: "carl".into() }));
    assert_eq!(ann.emit().create_user(" ").await, failed(AdminError::BadName));
    let renamed = ann.emit().rename_user(user.id, "dora").await.unwrap();
    assert_eq!(bob.emit().list_users().await, Ok(vec![renamed.clone()]));
    assert_eq!(ann.emit().delete_user(user.id).await, Ok(renamed.clone()));
    assert_eq!(ann.emit().get_user(user.id).await, failed(AdminError::NotFound { id: user.id }));

    bob.expect("audit", json!(["ann", Change::Created { user: user.clone() }])).await;
    bob.expect("audit", json!(["ann", Change::Renamed { user: renamed.clone(), before: "carl".into() }])).await;
    bob.expect("audit", json!(["ann", Change::Deleted { user: renamed }])).await;
    assert!(ann.unread().is_empty());
}

#[tokio::test]
async fn readers_read_only() {
    let io = server();
    let (ann, eve) = (client(&io, "edit-ann").await.unwrap(), client(&io, "read-eve").await.unwrap());
    let user: User = ann.emit().create_user("carl").await.unwrap();
    assert_eq!(eve.emit().get_user(user.id).await, Ok(user.clone()));
    assert_eq!(eve.emit().delete_user(user.id).await, failed(AdminError::Forbidden));
    let misfit = ann.call_raw("getUser", ["seven"]).await.unwrap();
    assert!(misfit.json().contains(r#""code":"rejected""#), "{}", misfit.json());
}

#[tokio::test]
async fn an_import_stops_when_the_client_says_so() {
    let io = server();
    let ann = client(&io, "edit-ann").await.unwrap();
    assert_eq!(ann.emit().import_users(vec!["a".into(), "b".into()]).await, Ok(2));
    let names = vec!["c".into(), "d".into(), "e".into()];
    assert_eq!(ann.emit().import_users(names).await, failed(AdminError::Cancelled { done: 2 }));
    assert_eq!(ann.emit().list_users().await.unwrap().len(), 4);
}
