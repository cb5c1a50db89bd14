//! Extractors of axum, axum-extra and one's own in connect handlers: what they see, and how their refusals arrive.
//!
//! Not here: `State`, `Query`, `HeaderMap`, `Extension` and `Auth`; see `macros`, where all eight stand in one handler.

use crate::{
    client::{Client, Options, Transport},
    http1::Http,
    server::Server,
};
use axum::{
    Extension, Router,
    extract::{ConnectInfo, FromRef, FromRequestParts, Query, Request, State, rejection::QueryRejection},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use axum_extra::{
    TypedHeader,
    extract::CookieJar,
    headers::{Authorization, UserAgent, authorization::Bearer},
};
use http::{StatusCode, request::Parts};
use serde::Deserialize;
use serde_json::{Value, json};
use socketio::{ConnectError, ConnectParts, FromConnect, Socket, SocketIo, namespace, test};
use std::{collections::HashMap, net::SocketAddr};
use tokio::sync::{mpsc, oneshot};

/// A database: a task that is asked over a channel, so that every look-up waits.
#[derive(Clone)]
struct Database(mpsc::Sender<(String, oneshot::Sender<Option<String>>)>);

impl Database {
    fn open(rows: &[(&str, &str)]) -> Self {
        let rows: HashMap<String, String> = rows.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let (sender, mut queries) = mpsc::channel::<(String, oneshot::Sender<Option<String>>)>(1);
        tokio::spawn(async move {
            while let Some((key, answer)) = queries.recv().await {
                // Whoever asked may have gone.
                let _ = answer.send(rows.get(&key).cloned());
            }
        });
        Database(sender)
    }

    async fn find(&self, key: &str) -> Result<Option<String>, Unavailable> {
        let (answer, found) = oneshot::channel();
        self.0.send((key.to_owned(), answer)).await.map_err(|_| Unavailable)?;
        found.await.map_err(|_| Unavailable)
    }
}

/// The database does not answer. An error of one's own, as HTTP handlers have it.
#[derive(Debug)]
struct Unavailable;

impl IntoResponse for Unavailable {
    fn into_response(self) -> Response {
        (StatusCode::SERVICE_UNAVAILABLE, "try again later").into_response()
    }
}

#[derive(Clone)]
struct App {
    database: Database,
    motto: &'static str,
}

impl FromRef<App> for Database {
    fn from_ref(app: &App) -> Self {
        app.database.clone()
    }
}

/// Another part of the state.
#[derive(Clone)]
struct Motto(&'static str);

impl FromRef<App> for Motto {
    fn from_ref(app: &App) -> Self {
        Motto(app.motto)
    }
}

/// Who is connecting, by the cookie `session`: an extractor as an HTTP application has it, for any state with a database.
#[derive(Debug)]
struct Account(String);

impl<S> FromRequestParts<S> for Account
where
    S: Send + Sync,
    Database: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let jar = CookieJar::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        let session = jar.get("session").ok_or_else(|| StatusCode::UNAUTHORIZED.into_response())?;
        match Database::from_ref(state).find(session.value()).await {
            Ok(Some(name)) => Ok(Account(name)),
            Ok(None) => Err((StatusCode::FORBIDDEN, "no such session").into_response()),
            Err(unavailable) => Err(unavailable.into_response()),
        }
    }
}

/// An invitation in the `auth` payload, looked up in the database.
struct Invited(String);

impl<N, S> FromConnect<N, S> for Invited
where
    N: ?Sized,
    S: Sync,
    Database: FromRef<S>,
{
    async fn from_connect(parts: &mut ConnectParts, state: &S) -> Result<Self, ConnectError> {
        let auth: Value = serde_json::from_str(parts.auth()).map_err(|_| ConnectError::new("no JSON"))?;
        let code = auth["invitation"].as_str().unwrap_or_default().to_owned();
        match Database::from_ref(state).find(&code).await {
            Ok(Some(host)) => Ok(Invited(host)),
            Ok(None) => Err(ConnectError::new("not invited").with_data(json!({ "invitation": code }))),
            Err(Unavailable) => Err(ConnectError::new("try again later")),
        }
    }
}

/// Every namespace here tells what its connect handler has seen.
macro_rules! seen_at {
    ($($name:ident $path:literal)*) => { $(
        #[namespace($path)]
        trait $name {
            #[event]
            async fn seen(&self) -> Value;
        }

        impl $name for Seen {
            async fn seen(&self) -> Value {
                self.0.clone()
            }
        }
    )* };
}

struct Seen(Value);

seen_at! {
    Headers "/headers"
    Club "/club"
    Party "/party"
    Lenient "/lenient"
    Front "/front"
}

async fn headers(
    TypedHeader(Authorization(bearer)): TypedHeader<Authorization<Bearer>>,
    jar: CookieJar,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    State(Motto(motto)): State<Motto>,
) -> Result<Seen, ConnectError> {
    let color = jar.get("color").map(|cookie| cookie.value().to_owned());
    Ok(Seen(json!([bearer.token(), color, client.ip(), motto])))
}

async fn club(socket: Socket<dyn Club>, Account(name): Account) -> Result<Seen, ConnectError> {
    socket.join(name.clone());
    Ok(Seen(json!([name, socket.rooms().contains(&name.into())])))
}

async fn party(Invited(host): Invited) -> Result<Seen, ConnectError> {
    Ok(Seen(json!([host])))
}

#[derive(Debug, Deserialize)]
struct Page {
    page: u32,
}

/// Nothing here refuses: what an optional or a fallible extractor lacks is seen by the handler.
async fn lenient(
    agent: Option<TypedHeader<UserAgent>>,
    page: Result<Query<Page>, QueryRejection>,
    account: Result<Account, Response>,
) -> Result<Seen, ConnectError> {
    let account = account.map(|account| account.0).map_err(|refused| refused.status().as_u16());
    Ok(Seen(json!([agent.map(|TypedHeader(agent)| agent.to_string()), page.map(|Query(page)| page.page).ok(), account.ok()])))
}

fn house(rows: &[(&str, &str)]) -> (SocketIo, Server) {
    let app = App { database: Database::open(rows), motto: "carpe diem" };
    let io = SocketIo::builder()
        .with_state(app)
        .namespace::<dyn Headers, _>(headers)
        .namespace::<dyn Club, _>(club)
        .namespace::<dyn Party, _>(party)
        .namespace::<dyn Lenient, _>(lenient)
        .build();
    let server = Server::start(&io);
    (io, server)
}

async fn visit(server: &Server, transport: Transport, headers: &[(&str, &str)]) -> Client {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Client::connect_with(server.addr, transport, Options { headers, ..Options::default() }).await
}

fn refused(message: &str, status: u16) -> Result<String, Value> {
    Err(json!({ "message": message, "data": { "status": status } }))
}

over_all_transports! {
    async fn extractors_of_axum_extra(transport) {
        let (_, server) = house(&[]);
        let mut client = visit(&server, transport, &[("authorization", "Bearer abc"), ("cookie", "a=b; color=red")]).await;
        client.join("/headers", None).await;
        assert_eq!(client.call("/headers", json!(["seen"])).await, json!([["abc", "red", "127.0.0.1", "carpe diem"]]));
        let mut client = visit(&server, transport, &[("authorization", "Basic abc")]).await;
        let error = client.try_join("/headers", None).await.expect_err("not a bearer");
        assert_eq!(error["data"], json!({ "status": 400 }));
        let mut client = visit(&server, transport, &[]).await;
        assert_eq!(client.try_join("/headers", None).await, refused("Header of type `authorization` was missing", 400));
    }

    async fn an_extractor_that_asks_a_database(transport) {
        let (_, server) = house(&[("s1", "ann")]);
        let mut client = visit(&server, transport, &[("cookie", "session=s1")]).await;
        client.join("/club", None).await;
        assert_eq!(client.call("/club", json!(["seen"])).await, json!([["ann", true]]));
        let mut client = visit(&server, transport, &[("cookie", "session=s2")]).await;
        assert_eq!(client.try_join("/club", None).await, refused("no such session", 403));
        // The connection stays, and so does what it may do elsewhere.
        client.join("/lenient", None).await;
        let mut client = visit(&server, transport, &[]).await;
        assert_eq!(client.try_join("/club", None).await, refused("Unauthorized", 401), "an answer without text");
    }

    async fn an_extractor_that_needs_the_auth_payload_and_a_database(transport) {
        let (_, server) = house(&[("i1", "bob")]);
        let mut client = visit(&server, transport, &[]).await;
        let error = client.try_join("/party", Some(json!({ "invitation": "i2" }))).await;
        assert_eq!(error, Err(json!({ "message": "not invited", "data": { "invitation": "i2" } })));
        client.join("/party", Some(json!({ "invitation": "i1" }))).await;
        assert_eq!(client.call("/party", json!(["seen"])).await, json!([["bob"]]));
    }

    async fn extractors_that_may_fail(transport) {
        let (_, server) = house(&[("s1", "ann")]);
        let mut client = visit(&server, transport, &[]).await;
        client.join("/lenient", None).await;
        assert_eq!(client.call("/lenient", json!(["seen"])).await, json!([[null, null, null]]));
        let headers = [("user-agent", "test"), ("cookie", "session=s1")].map(|(name, value)| (name.into(), value.into())).to_vec();
        let options = Options { query: "&page=7".into(), headers, ..Options::default() };
        let mut client = Client::connect_with(server.addr, transport, options).await;
        client.join("/lenient", None).await;
        assert_eq!(client.call("/lenient", json!(["seen"])).await, json!([["test", 7, "ann"]]));
    }
}

#[tokio::test]
async fn a_database_that_is_down_is_a_refusal() {
    let (_, server) = house(&[]);
    let (sender, queries) = mpsc::channel(1);
    drop(queries);
    let io = SocketIo::builder().with_state(App { database: Database(sender), motto: "" }).namespace::<dyn Club, _>(club).build();
    let refused_by = test::Client::<dyn Club>::connect(&io).header("cookie", "session=s1").await.expect_err("it is down");
    assert_eq!((refused_by.message(), refused_by.data_json()), ("try again later", Some(r#"{"status":503}"#)));
    drop(server);
}

/// The test kit has no network, hence no address, unless the test brings one.
#[tokio::test]
async fn connect_info_comes_from_whoever_serves() {
    let (io, _server) = house(&[]);
    let connect = || test::Client::<dyn Headers>::connect(&io).header("authorization", "Bearer abc");
    let refused = connect().await.expect_err("nobody knows the address");
    assert_eq!(refused.data_json(), Some(r#"{"status":500}"#));
    let client = connect().extension(ConnectInfo(SocketAddr::from(([10, 1, 2, 3], 4)))).await.expect("an address");
    assert_eq!(client.emit().seen().await, Ok(json!(["abc", null, "10.1.2.3", "carpe diem"])));
}

/// What the layer in front has found out.
#[derive(Debug, Clone)]
struct User(String);

/// A tower layer in front of the server: it lets nobody in who has no token, and says who it is.
async fn authenticate(mut request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or_default().to_owned();
    // Later requests of a session name it: the session id is the secret that its handshake has earned.
    if !query.contains("&sid=") {
        let token = request.headers().get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        match token {
            Some("t-ann") => {
                request.extensions_mut().insert(User("ann".to_owned()));
            }
            _ => return (StatusCode::UNAUTHORIZED, "who are you?").into_response(),
        }
    }
    next.run(request).await
}

async fn front(Extension(User(name)): Extension<User>) -> Result<Seen, ConnectError> {
    Ok(Seen(json!([name])))
}

over_all_transports! {
    async fn a_tower_layer_authenticates_the_handshake(transport) {
        let io = SocketIo::builder().namespace::<dyn Front, _>(front).build();
        let server = Server::serve(Router::new().layer(io.layer()).layer(from_fn(authenticate)));
        let mut client = visit(&server, transport, &[("authorization", "Bearer t-ann")]).await;
        client.join("/front", None).await;
        assert_eq!(client.call("/front", json!(["seen"])).await, json!([["ann"]]));
        let websocket = [
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let (kind, headers) = match transport {
            Transport::WebSocket => ("websocket", &websocket[..]),
            Transport::Polling | Transport::Upgraded => ("polling", &[][..]),
        };
        let target = format!("/socket.io/?EIO=4&transport={kind}");
        let response = Http::open(server.addr).await.request("GET", &target, headers, b"").await;
        assert_eq!((response.status, response.text()), (401, "who are you?"));
        assert_eq!(io.connections(), 1, "no session was made for the other one");
    }
}
