//! A namespace for each tenant: the contract, the session, and the HTTP routes. The program is `main.rs`.

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    routing::post,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use socketio::{ConnectError, FetchError, NsPath, Rejection, Socket, SocketIo, events, layer::RateLimit, namespace};
use std::time::Duration;

/// Why a request was not served. A client switches on `error.code`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "code", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum TenantError {
    /// Too many of these events, or of all.
    RateLimited {
        /// When it is worth trying again.
        retry_after_ms: u64,
    },
    /// It did not fit.
    Refused {
        /// For people to read.
        reason: String,
    },
}

impl From<Rejection> for TenantError {
    fn from(rejection: Rejection) -> Self {
        match rejection.retry_after() {
            Some(wait) => TenantError::RateLimited { retry_after_ms: wait.as_millis() as u64 }, // rounded up
            None => TenantError::Refused { reason: rejection.to_string() },
        }
    }
}

/// What clients send.
#[namespace("/tenant/{id}", emits = TenantEvents, rename_all = "camelCase")]
pub trait Tenant {
    /// Whose namespace this is. Only the limit of all events counts.
    #[event]
    async fn name(&self) -> Result<String, TenantError>;
    /// Tells everyone of the same tenant. Five a second.
    #[event]
    async fn post(&self, text: &str) -> Result<(), TenantError>;
    /// A report is work: one in ten seconds. Answers with the number of sockets.
    #[event]
    async fn report(&self) -> Result<usize, TenantError>;
}

/// What the server sends.
#[events(rename_all = "camelCase")]
pub trait TenantEvents {
    /// Somebody of the tenant has posted.
    #[event]
    async fn posted(&self, text: &str);
    /// The operator says something.
    #[event]
    async fn announcement(&self, text: &str);
}

/// Which tenants there are. In earnest a database.
#[derive(Debug, Clone)]
pub struct Tenants;

impl Tenants {
    async fn name(&self, id: u32) -> Option<&'static str> {
        tokio::time::sleep(Duration::from_millis(20)).await; // as a look-up takes its time
        [(7, "acme"), (8, "globex")].into_iter().find(|(known, _)| *known == id).map(|(_, name)| name)
    }
}

struct Session {
    socket: Socket<dyn Tenant>,
    name: &'static str,
}

/// Runs after the path has been parsed, before the client is in the namespace.
async fn connect(
    socket: Socket<dyn Tenant>,
    NsPath(id): NsPath<u32>,
    State(tenants): State<Tenants>,
) -> Result<Session, ConnectError> {
    let name = tenants.name(id).await.ok_or_else(|| ConnectError::new("no such tenant").with_data(id))?;
    socket.emit().announcement(&format!("welcome to {name}"));
    Ok(Session { socket, name })
}

impl Tenant for Session {
    async fn name(&self) -> Result<String, TenantError> {
        Ok(self.name.to_owned())
    }

    async fn post(&self, text: &str) -> Result<(), TenantError> {
        self.socket.broadcast().emit().posted(text);
        Ok(())
    }

    async fn report(&self) -> Result<usize, TenantError> {
        let sockets = self.socket.namespace().fetch_sockets().await;
        Ok(sockets.unwrap_or_else(FetchError::into_sockets).len())
    }
}

/// The server. What exceeds a limit is refused with [`TenantError::RateLimited`].
pub fn server() -> SocketIo {
    let second = Duration::from_secs(1);
    let limit = RateLimit::new(20, second).event("post", 5, second).event("report", 1, 10 * second);
    // A layer is around the namespaces that were added before it.
    SocketIo::builder().with_state(Tenants).namespace::<dyn Tenant, _>(connect).event_layer(limit).build()
}

/// `POST /announce` tells all tenants, `POST /tenants/7/announce` one of them. In earnest they ask who is calling.
pub fn router(io: &SocketIo) -> Router {
    let routes = Router::new().route("/announce", post(announce)).route("/tenants/{id}/announce", post(announce_to));
    routes.with_state((io.clone(), Tenants)).layer(io.layer())
}

async fn announce(State((io, _)): State<(SocketIo, Tenants)>, text: String) -> StatusCode {
    io.of::<dyn Tenant>().emit().announcement(&text);
    StatusCode::NO_CONTENT
}

async fn announce_to(State((io, tenants)): State<(SocketIo, Tenants)>, Path(id): Path<u32>, text: String) -> StatusCode {
    // `at` says only whether the path fits.
    if tenants.name(id).await.is_none() {
        return StatusCode::NOT_FOUND;
    }
    if let Some(tenant) = io.of::<dyn Tenant>().at(format!("/tenant/{id}")) {
        tenant.emit().announcement(&text);
    }
    StatusCode::NO_CONTENT
}
