//! Who may come in: credentials, and sessions so that they are asked for once.

use crate::contract::BoxFuture;
use futures_util::FutureExt as _;
use parking_lot::Mutex;
use serde::Deserialize;
use std::{
    collections::VecDeque,
    fmt,
    future::Future,
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;

/// What somebody who wants in has typed.
#[derive(Clone, Default, Deserialize)]
#[non_exhaustive]
pub struct Credentials {
    /// The name; empty if there is none.
    #[serde(default)]
    pub username: String,
    /// The password; empty if there is none.
    #[serde(default)]
    pub password: String,
}

impl fmt::Debug for Credentials {
    /// Shows no password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

pub(super) enum Login {
    Open,
    Basic { username: String, hash: String },
    Check(Box<dyn Fn(Credentials) -> BoxFuture<'static, bool> + Send + Sync>),
}

/// Keeps the sessions of admins, for several servers behind one address: in Redis, for example. A session id is a secret; it
/// should be forgotten after a while. See [`Admin::session_store`](super::Admin::session_store).
///
/// ```
/// use socketio::admin::{Admin, SessionStore};
/// use std::{collections::HashSet, sync::{Arc, Mutex}};
///
/// #[derive(Clone, Default)]
/// struct Shared(Arc<Mutex<HashSet<String>>>);
///
/// impl SessionStore for Shared {
///     async fn save(&self, session: &str) {
///         self.0.lock().unwrap().insert(session.to_owned());
///     }
///     async fn exists(&self, session: &str) -> bool {
///         self.0.lock().unwrap().contains(session)
///     }
/// }
///
/// let admin = Admin::without_auth().session_store(Shared::default());
/// # let _ = admin;
/// ```
pub trait SessionStore: Send + Sync + 'static {
    /// Remembers a session.
    fn save(&self, session: &str) -> impl Future<Output = ()> + Send;
    /// Whether the session is remembered.
    fn exists(&self, session: &str) -> impl Future<Output = bool> + Send;
}

/// A store without its type.
pub(super) trait ErasedStore: Send + Sync {
    fn save<'a>(&'a self, session: &'a str) -> BoxFuture<'a, ()>;
    fn exists<'a>(&'a self, session: &'a str) -> BoxFuture<'a, bool>;
}

impl<T: SessionStore> ErasedStore for T {
    fn save<'a>(&'a self, session: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(SessionStore::save(self, session))
    }
    fn exists<'a>(&'a self, session: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(SessionStore::exists(self, session))
    }
}

pub(super) enum Sessions {
    /// The oldest first. Held for single look-ups.
    Here(Mutex<VecDeque<(String, Instant)>>),
    Elsewhere(Box<dyn ErasedStore>),
}

impl Default for Sessions {
    fn default() -> Self {
        Sessions::Here(Mutex::default())
    }
}

/// Sessions in this process. When there are more, the oldest is forgotten.
const SESSIONS: usize = 1000;
const SESSION_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

impl Sessions {
    async fn save(&self, session: &str, now: Instant) {
        match self {
            Sessions::Here(sessions) => {
                let mut sessions = sessions.lock();
                if sessions.len() >= SESSIONS {
                    sessions.pop_front();
                }
                sessions.push_back((session.to_owned(), now));
            }
            Sessions::Elsewhere(store) => store.save(session).await,
        }
    }

    async fn exists(&self, session: &str, now: Instant) -> bool {
        match self {
            Sessions::Here(sessions) => {
                let mut sessions = sessions.lock();
                while sessions.front().is_some_and(|(_, since)| now.saturating_duration_since(*since) > SESSION_LIFE) {
                    sessions.pop_front();
                }
                sessions.iter().any(|(known, _)| known == session)
            }
            Sessions::Elsewhere(store) => store.exists(session).await,
        }
    }
}

/// Hashes that are computed at a time: each keeps a processor busy for a while, and anybody may ask.
const HASHES: usize = 2;

pub(super) struct Gate {
    login: Login,
    sessions: Sessions,
    hashing: Semaphore,
}

/// What the page sends as `auth`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Auth {
    session_id: Option<String>,
    username: Option<String>,
    password: Option<String>,
}

impl Gate {
    pub(super) fn new(login: Login, sessions: Sessions) -> Self {
        Gate { login, sessions, hashing: Semaphore::new(HASHES) }
    }

    /// Whether it can work at all.
    pub(super) fn check(&self) -> Result<(), String> {
        match &self.login {
            Login::Basic { hash, .. } if hash.parse::<bcrypt::HashParts>().is_err() => {
                Err("the password of `basic_auth` is not a bcrypt hash".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// `None`: not let in. Else the id of a new session, if credentials were asked for.
    pub(super) async fn admits(&self, auth: &str) -> Option<Option<String>> {
        if let Login::Open = self.login {
            return Some(None);
        }
        let auth: Auth = serde_json::from_str(auth).unwrap_or_default();
        if let Some(session) = auth.session_id.filter(|session| !session.is_empty())
            && self.sessions.exists(&session, Instant::now()).await
        {
            return Some(None);
        }
        let credentials = Credentials { username: auth.username?, password: auth.password? };
        if !self.knows(credentials).await {
            return None;
        }
        let session: String = rand::random::<[u8; 16]>().iter().map(|byte| format!("{byte:02x}")).collect();
        self.sessions.save(&session, Instant::now()).await;
        Some(Some(session))
    }

    async fn knows(&self, credentials: Credentials) -> bool {
        match &self.login {
            Login::Open => true,
            Login::Basic { username, hash } => {
                let known = credentials.username == *username;
                let hash = hash.clone();
                let Ok(_turn) = self.hashing.acquire().await else { return false };
                // For an unknown name as well: how long it takes tells nothing.
                let verified = tokio::task::spawn_blocking(move || bcrypt::verify(credentials.password, &hash));
                matches!(verified.await, Ok(Ok(true))) && known
            }
            Login::Check(check) => {
                let checked = AssertUnwindSafe(async { check(credentials).await });
                checked.catch_unwind().await.unwrap_or(false)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sessions_end_with_their_day_and_by_their_number() {
        let (sessions, start) = (Sessions::default(), Instant::now());
        sessions.save("first", start).await;
        assert!(sessions.exists("first", start + SESSION_LIFE).await);
        assert!(!sessions.exists("second", start).await);
        assert!(!sessions.exists("first", start + SESSION_LIFE + Duration::from_secs(1)).await);
        for number in 0..=SESSIONS {
            sessions.save(&number.to_string(), start).await;
        }
        assert!(!sessions.exists("0", start).await && sessions.exists("1", start).await);
    }
}
