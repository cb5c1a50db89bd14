//! Sessions that expire while they are connected: the pattern of `docs/authentication.md`, with a stopped clock.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use socketio::{
    Auth, CallError, ConnectError, DisconnectReason, Incoming, Rejection, Socket, SocketIo, events, namespace,
    test::{Client, End},
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

const GRACE: Duration = Duration::from_secs(30);
const VALID: Duration = Duration::from_secs(600);
const EXPIRED: &str = "expired";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "code", rename_all = "camelCase")]
enum VaultError {
    Expired,
    Refused { reason: String },
}

impl From<Rejection> for VaultError {
    fn from(rejection: Rejection) -> Self {
        if rejection.message() == EXPIRED { VaultError::Expired } else { VaultError::Refused { reason: rejection.to_string() } }
    }
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Login {
    name: String,
}

#[namespace("/vault", emits = VaultEvents, auth = Login)]
trait Vault {
    #[middleware]
    async fn fresh(&self, event: &Incoming) -> Result<(), Rejection>;
    #[event]
    async fn read(&self) -> Result<String, VaultError>;
    #[event]
    async fn renew(&self, name: &str) -> Result<(), VaultError>;
    #[disconnect]
    async fn left(&self, reason: DisconnectReason);
}

#[events]
trait VaultEvents {
    #[event]
    async fn expired(&self);
}

struct Session {
    socket: Socket<dyn Vault>,
    name: String,
    expires: Mutex<Instant>,
    timer: Mutex<JoinSet<()>>,
    /// Shared with every timer of the session, to see when they are gone.
    timers: Arc<()>,
    left: Arc<Mutex<Vec<DisconnectReason>>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Session {
    fn valid_until(&self, expires: Instant) {
        *locked(&self.expires) = expires;
        let (socket, alive, mut timer) = (self.socket.clone(), Arc::clone(&self.timers), JoinSet::new());
        timer.spawn(async move {
            let _alive = alive;
            sleep_until(expires).await;
            socket.emit().expired();
            sleep(GRACE).await;
            socket.disconnect(false);
        });
        *locked(&self.timer) = timer;
    }
}

impl Vault for Session {
    async fn fresh(&self, event: &Incoming) -> Result<(), Rejection> {
        let is_fresh = Instant::now() < *locked(&self.expires);
        if is_fresh || event.name() == "renew" { Ok(()) } else { Err(Rejection::new(EXPIRED)) }
    }
    async fn read(&self) -> Result<String, VaultError> {
        Ok(self.name.clone())
    }
    async fn renew(&self, name: &str) -> Result<(), VaultError> {
        if name != self.name {
            return Err(VaultError::Refused { reason: "not your token".to_owned() });
        }
        self.valid_until(Instant::now() + VALID);
        Ok(())
    }
    async fn left(&self, reason: DisconnectReason) {
        locked(&self.left).push(reason);
    }
}

struct World {
    io: SocketIo,
    timers: Arc<()>,
    left: Arc<Mutex<Vec<DisconnectReason>>>,
}

fn vault() -> World {
    let (timers, left) = (Arc::new(()), Arc::<Mutex<Vec<DisconnectReason>>>::default());
    let (of_sessions, reports) = (Arc::clone(&timers), Arc::clone(&left));
    let connect = move |socket: Socket<dyn Vault>, Auth(Login { name }): Auth<Login>| {
        let (timers, left) = (Arc::clone(&of_sessions), Arc::clone(&reports));
        async move {
            let expires = Instant::now() + VALID;
            let session = Session { socket, name, expires: Mutex::new(expires), timer: Mutex::default(), timers, left };
            session.valid_until(expires);
            Ok::<_, ConnectError>(session)
        }
    };
    World { io: SocketIo::builder().namespace::<dyn Vault, _>(connect).build(), timers, left }
}

impl World {
    async fn connect(&self, name: &str) -> Client<dyn Vault> {
        let connect = Client::<dyn Vault>::connect(&self.io).auth(Login { name: name.to_owned() }).timeout(2 * VALID);
        connect.await.expect("everybody has a vault")
    }

    /// Runs what can run, until what was dropped is gone. The clock moves only when nothing else is to be done.
    async fn without_timers(&self) {
        let start = Instant::now();
        // One for the test, one for the connect handler.
        while Arc::strong_count(&self.timers) > 2 {
            assert!(start.elapsed() < Duration::from_secs(1), "a timer outlives its session");
            sleep(Duration::from_millis(1)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_expired_session_is_refused_until_it_is_renewed() {
    let (world, start) = (vault(), Instant::now());
    let ann = world.connect("ann").await;
    sleep_until(start + VALID - Duration::from_secs(1)).await;
    assert_eq!(ann.emit().read().await, Ok("ann".to_owned()));
    ann.expect("expired", ()).await;
    assert_eq!(ann.emit().read().await, Err(CallError::Rejected(VaultError::Expired)));
    let refused = VaultError::Refused { reason: "not your token".to_owned() };
    assert_eq!(ann.emit().renew("bob").await, Err(CallError::Rejected(refused)));
    assert_eq!(ann.emit().read().await, Err(CallError::Rejected(VaultError::Expired)));
    assert_eq!(ann.emit().renew("ann").await, Ok(()));
    assert_eq!(ann.emit().read().await, Ok("ann".to_owned()));
    // The old timer would disconnect it now.
    sleep(2 * GRACE).await;
    assert!(ann.is_connected());
    assert!(ann.unread().is_empty(), "nor does it expire again before its time");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_not_renewed_is_disconnected() {
    let (world, start) = (vault(), Instant::now());
    let (ann, bob) = (world.connect("ann").await, world.connect("bob").await);
    sleep(VALID / 2).await;
    assert_eq!(bob.emit().renew("bob").await, Ok(()), "in time");
    ann.expect("expired", ()).await;
    assert_eq!(ann.disconnected().await, End::ByServer);
    assert!(start.elapsed() >= VALID + GRACE && start.elapsed() < VALID + GRACE + Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(*locked(&world.left), [DisconnectReason::ServerNamespace]);
    assert_eq!(bob.emit().read().await, Ok("bob".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn the_timer_of_a_session_ends_with_it() {
    let world = vault();
    for end in ["disconnect", "drop", "expire"] {
        let ann = world.connect("ann").await;
        assert_eq!(ann.emit().renew("ann").await, Ok(()));
        assert!(Arc::strong_count(&world.timers) > 3, "a session and its timer");
        match end {
            "disconnect" => ann.disconnect().await,
            "drop" => drop(ann),
            _ => assert_eq!(ann.disconnected().await, End::ByServer),
        }
        world.without_timers().await;
    }
    assert_eq!(locked(&world.left).len(), 3);
}
