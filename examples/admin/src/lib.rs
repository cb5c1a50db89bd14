//! The admin API: its contract, and the session that implements it. The program is `main.rs`, a client `client.mjs`.

#![allow(missing_docs, reason = "most names say it")]

use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use socketio::{Auth, CallError, ConnectError, Incoming, Rejection, Socket, SocketIo, events, namespace};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The `auth` option of the client.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Login {
    /// Says who the admin is, and whether it may change anything.
    pub token: String,
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// Never used again after a deletion.
    pub id: u32,
    /// Unique.
    pub name: String,
}

/// Every way in which a request fails. A client switches on `error.code`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "code", rename_all = "camelCase")]
pub enum AdminError {
    /// The token may read only.
    Forbidden,
    /// No user has this id.
    NotFound { id: u32 },
    /// Somebody else has the name.
    NameTaken { name: String },
    /// A name has 1 to 40 characters.
    BadName,
    /// The client answered a `progress` with `false`, or not at all. What was done until then stays.
    Cancelled { done: usize },
    /// The request did not fit or was refused before it reached its handler.
    Rejected { reason: String },
}

const FORBIDDEN: &str = "forbidden";

impl From<Rejection> for AdminError {
    fn from(rejection: Rejection) -> Self {
        match rejection.code() {
            Some(FORBIDDEN) => AdminError::Forbidden,
            _ => AdminError::Rejected { reason: rejection.to_string() },
        }
    }
}

/// What an admin has done, for the others to see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "camelCase")]
pub enum Change {
    Created { user: User },
    Renamed { user: User, before: String },
    Deleted { user: User },
}

/// What clients send.
#[namespace("/admin", emits = AdminEvents, auth = Login, rename_all = "camelCase")]
pub trait Admin {
    /// Only editors change anything.
    #[middleware]
    async fn permitted(&self, event: &Incoming) -> Result<(), Rejection>;
    #[event]
    async fn list_users(&self) -> Result<Vec<User>, AdminError>;
    #[event]
    async fn get_user(&self, id: u32) -> Result<User, AdminError>;
    #[event]
    async fn create_user(&self, name: &str) -> Result<User, AdminError>;
    #[event]
    async fn rename_user(&self, id: u32, name: &str) -> Result<User, AdminError>;
    /// Answers with the user that was.
    #[event]
    async fn delete_user(&self, id: u32) -> Result<User, AdminError>;
    /// Creates many, asks before each of them whether to go on, and answers with their number.
    #[event]
    async fn import_users(&self, names: Vec<String>) -> Result<usize, AdminError>;
}

/// What the server sends.
#[events(rename_all = "camelCase")]
pub trait AdminEvents {
    /// Another admin has changed something.
    #[event]
    async fn audit(&self, admin: &str, change: &Change);
    /// The client answers whether to go on.
    #[event]
    async fn progress(&self, done: usize, total: usize) -> bool;
}

/// The users: knows nothing of sockets.
#[derive(Debug, Default)]
struct Table {
    users: BTreeMap<u32, User>,
    last_id: u32,
}

impl Table {
    fn create(&mut self, name: &str) -> Result<User, AdminError> {
        let name = self.free_name(name)?;
        self.last_id += 1;
        let user = User { id: self.last_id, name };
        self.users.insert(user.id, user.clone());
        Ok(user)
    }

    fn free_name(&self, name: &str) -> Result<String, AdminError> {
        if name.trim().is_empty() || name.chars().count() > 40 {
            return Err(AdminError::BadName);
        }
        match self.users.values().any(|user| user.name == name) {
            true => Err(AdminError::NameTaken { name: name.to_owned() }),
            false => Ok(name.to_owned()),
        }
    }
}

type Shared = Arc<Mutex<Table>>;

struct Session {
    socket: Socket<dyn Admin>,
    table: Shared,
    admin: &'static str,
    edits: bool,
}

async fn connect(
    socket: Socket<dyn Admin>,
    Auth(login): Auth<Login>,
    State(table): State<Shared>,
) -> Result<Session, ConnectError> {
    // In earnest: a signature to verify, or a look-up.
    let (admin, edits) = match login.token.as_str() {
        "edit-ann" => ("ann", true),
        "edit-bob" => ("bob", true),
        "read-eve" => ("eve", false),
        _ => return Err(ConnectError::new("unauthorized").with_data(serde_json::json!({ "code": "badToken" }))),
    };
    Ok(Session { socket, table, admin, edits })
}

impl Session {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn audit(&self, change: Change) {
        self.socket.broadcast().emit().audit(self.admin, &change);
    }
}

impl Admin for Session {
    async fn permitted(&self, event: &Incoming) -> Result<(), Rejection> {
        match event.name() {
            "listUsers" | "getUser" => Ok(()),
            _ if self.edits => Ok(()),
            _ => Err(Rejection::new("this token may read only").with_code(FORBIDDEN)),
        }
    }

    async fn list_users(&self) -> Result<Vec<User>, AdminError> {
        Ok(self.table().users.values().cloned().collect())
    }

    async fn get_user(&self, id: u32) -> Result<User, AdminError> {
        self.table().users.get(&id).cloned().ok_or(AdminError::NotFound { id })
    }

    async fn create_user(&self, name: &str) -> Result<User, AdminError> {
        let user = self.table().create(name)?;
        self.audit(Change::Created { user: user.clone() });
        Ok(user)
    }

    async fn rename_user(&self, id: u32, name: &str) -> Result<User, AdminError> {
        let mut table = self.table();
        let name = table.free_name(name)?;
        let user = table.users.get_mut(&id).ok_or(AdminError::NotFound { id })?;
        let before = std::mem::replace(&mut user.name, name);
        self.audit(Change::Renamed { user: user.clone(), before });
        Ok(user.clone())
    }

    async fn delete_user(&self, id: u32) -> Result<User, AdminError> {
        let user = self.table().users.remove(&id).ok_or(AdminError::NotFound { id })?;
        self.audit(Change::Deleted { user: user.clone() });
        Ok(user)
    }

    async fn import_users(&self, names: Vec<String>) -> Result<usize, AdminError> {
        let total = names.len();
        for (done, name) in names.iter().enumerate() {
            match self.socket.emit().progress(done, total).await {
                Ok(true) => self.create_user(name).await?,
                Ok(false) | Err(CallError::Timeout) => return Err(AdminError::Cancelled { done }),
                Err(error) => return Err(AdminError::Rejected { reason: error.to_string() }),
            };
        }
        Ok(total)
    }
}

/// The server, with the users that it shares with nobody else.
pub fn server() -> SocketIo {
    let builder = SocketIo::builder().with_state(Shared::default()).ack_timeout(Duration::from_secs(5));
    builder.namespace::<dyn Admin, _>(connect).build()
}
