//! Connect handlers: every extractor, refusals, and what a handler may do before the client is accepted.

use super::{Builder, Reports};
use axum::extract::{FromRequestParts, Query, State};
use http::{HeaderMap, StatusCode, request::Parts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use socketio::{Auth, ConnectError, ConnectParts, FromConnect, Socket, events, namespace};

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Login {
    token: String,
}

#[derive(Debug, Deserialize)]
struct Page {
    page: Option<u32>,
}

/// An extractor made with axum alone.
struct Agent(String);

impl<S: Sync> FromRequestParts<S> for Agent {
    type Rejection = (StatusCode, String);
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let agent = parts.headers.get("x-agent").and_then(|value| value.to_str().ok()).unwrap_or("stock");
        if agent == "teapot" { Err((StatusCode::IM_A_TEAPOT, "no tea".to_owned())) } else { Ok(Agent(agent.to_owned())) }
    }
}

/// One that needs the socket and the `auth` payload.
struct Greeting(String);

impl<N: ?Sized, S: Sync> FromConnect<N, S> for Greeting {
    async fn from_connect(parts: &mut ConnectParts, _: &S) -> Result<Self, ConnectError> {
        let auth: Value = serde_json::from_str(parts.auth()).map_err(|_| ConnectError::new("no JSON"))?;
        if auth["token"] == "evil" {
            return Err(ConnectError::new("evil").with_data(json!({ "retry": false })));
        }
        Ok(Greeting(format!("hello {} in {}", parts.socket::<N>().id(), parts.path())))
    }
}

#[namespace("/connect", emits = ConnectEvents, auth = Login)]
trait Connect {
    #[event]
    async fn seen(&self) -> Value;
}

#[events]
trait ConnectEvents {
    #[event]
    async fn greeting(&self, text: &str);
}

struct Session(Value);

impl Connect for Session {
    async fn seen(&self) -> Value {
        self.0.clone()
    }
}

async fn connect(
    socket: Socket<dyn Connect>,
    Auth(login): Auth<Login>,
    State(reports): State<Reports>,
    headers: HeaderMap,
    Query(page): Query<Page>,
    Agent(agent): Agent,
    Greeting(greeting): Greeting,
) -> Result<Session, ConnectError> {
    // Both take effect once the client is accepted, and not if it is refused.
    socket.join("readers");
    socket.emit().greeting(&greeting);
    if login.token == "wrong" {
        return Err(ConnectError::new("unauthorized").with_data(json!({ "code": 7 })));
    }
    let host = headers.get("host").is_some();
    let fresh = reports.get(socket.id().as_str()).is_none();
    Ok(Session(json!({ "token": login.token, "page": page.page, "agent": agent, "host": host, "fresh": fresh })))
}

/// Optional auth, and an error type of one's own.
#[namespace("/connect/optional", auth = Option<Login>)]
trait Optional {
    #[event]
    async fn token(&self) -> Option<String>;
}

struct Guest(Option<Login>);

impl Optional for Guest {
    async fn token(&self) -> Option<String> {
        self.0.as_ref().map(|login| login.token.clone())
    }
}

struct Banned;

impl From<Banned> for ConnectError {
    fn from(_: Banned) -> Self {
        ConnectError::new("banned")
    }
}

async fn connect_optional(Auth(login): Auth<Option<Login>>) -> Result<Guest, Banned> {
    match login {
        Some(login) if login.token == "banned" => Err(Banned),
        login => Ok(Guest(login)),
    }
}

pub(super) fn mount(builder: Builder) -> Builder {
    builder.namespace::<dyn Connect, _>(connect).namespace::<dyn Optional, _>(connect_optional)
}
