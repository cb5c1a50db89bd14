//! Shutdowns on a virtual clock: what ends when, and what the report says.

use crate::{CallError, ConnectError, DisconnectReason, Recovery, ShutdownReport, Socket, SocketIo, test::Client};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};

const HALF_A_MINUTE: Duration = Duration::from_secs(30);

#[socketio_macros::namespace("/", emits = Questions, crate = crate)]
trait Desk {
    #[event]
    async fn slow(&self) -> u32;
    #[event]
    async fn stubborn(&self);
    #[event]
    async fn interview(&self);
    #[event]
    async fn count(&self) -> usize;
    #[disconnect]
    async fn gone(&self, reason: DisconnectReason);
}

#[socketio_macros::events(crate = crate)]
trait Questions {
    #[event]
    async fn question(&self) -> u32;
}

/// What happened, and when.
#[derive(Default)]
struct Log {
    started: Option<Instant>,
    counted: usize,
    gone: BTreeMap<Duration, usize>,
    interviews: Vec<CallError<std::convert::Infallible>>,
    /// Handlers that were dropped or ended.
    stubborn_ended: Vec<Duration>,
}

type Shared = Arc<(Mutex<Log>, Notify)>;

struct Session {
    socket: Socket<dyn Desk>,
    shared: Shared,
}

fn since(log: &Log) -> Duration {
    log.started.map(|started| started.elapsed()).unwrap_or_default()
}

struct Stubborn(Shared);

impl Drop for Stubborn {
    fn drop(&mut self) {
        let mut log = self.0.0.lock().unwrap();
        let at = since(&log);
        log.stubborn_ended.push(at);
    }
}

impl Desk for Session {
    async fn slow(&self) -> u32 {
        self.shared.1.notified().await;
        42
    }
    async fn stubborn(&self) {
        let _guard = Stubborn(Arc::clone(&self.shared));
        std::future::pending::<()>().await;
    }
    async fn interview(&self) {
        let answer = self.socket.timeout(Duration::from_secs(3600)).emit().question().await;
        self.shared.0.lock().unwrap().interviews.extend(answer.err());
    }
    async fn count(&self) -> usize {
        let mut log = self.shared.0.lock().unwrap();
        log.counted += 1;
        log.counted
    }
    async fn gone(&self, reason: DisconnectReason) {
        assert_eq!(reason, DisconnectReason::ServerShuttingDown);
        let mut log = self.shared.0.lock().unwrap();
        let at = since(&log);
        *log.gone.entry(at).or_default() += 1;
    }
}

fn server() -> (SocketIo, Shared) {
    let shared = Shared::default();
    let state = Arc::clone(&shared);
    let connect = move |socket: Socket<dyn Desk>| {
        let session = Session { socket, shared: Arc::clone(&state) };
        async move { Ok::<_, ConnectError>(session) }
    };
    (SocketIo::builder().ping_interval(HALF_A_MINUTE * 100).namespace::<dyn Desk, _>(connect).build(), shared)
}

async fn clients(io: &SocketIo, count: usize) -> Vec<Client<dyn Desk>> {
    let mut clients = Vec::new();
    for _ in 0..count {
        clients.push(Client::connect(io).await.unwrap());
    }
    clients
}

/// Starts the clock of the log.
fn begin(shared: &Shared) -> Instant {
    *shared.0.lock().unwrap().started.insert(Instant::now())
}

fn clean(connections: usize) -> ShutdownReport {
    ShutdownReport { connections, sockets: connections, handlers_aborted: 0, unsent_bytes: 0, stuck: 0 }
}

#[tokio::test(start_paused = true)]
async fn a_small_server_is_down_at_once() {
    let (io, shared) = server();
    let clients = clients(&io, 10).await;
    let start = begin(&shared);
    let report = io.shutdown(HALF_A_MINUTE).await;
    assert_eq!((report, start.elapsed(), io.connections()), (clean(10), Duration::ZERO, 0));
    assert!(report.is_clean());
    for client in clients {
        client.disconnected().await;
    }
    Client::<dyn Desk>::connect(&io).await.unwrap_err();
    assert_eq!(io.shutdown(HALF_A_MINUTE).await.connections, 0, "a second time there is nothing to do");
}

#[tokio::test(start_paused = true)]
async fn batches_keep_their_distance() {
    let (io, shared) = server();
    let _clients = clients(&io, 180).await;
    begin(&shared);
    assert_eq!(io.shutdown(HALF_A_MINUTE).await, clean(180));
    let gone = std::mem::take(&mut shared.0.lock().unwrap().gone);
    // Timers are rounded up to the next millisecond.
    let gone: Vec<_> = gone.into_iter().map(|(at, count)| (at.as_millis() / 100, count)).collect();
    assert_eq!(gone, [(0, 50), (1, 50), (2, 50), (3, 30)]);
}

#[tokio::test(start_paused = true)]
async fn batches_can_be_spread_over_a_time() {
    let (io, shared) = server();
    let _clients = clients(&io, 40).await;
    let start = begin(&shared);
    assert_eq!(io.shutdown(HALF_A_MINUTE).spread(Duration::from_secs(2)).await, clean(40));
    let gone = std::mem::take(&mut shared.0.lock().unwrap().gone);
    assert_eq!((gone.len(), gone.values().max()), (20, Some(&2)), "{gone:?}");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_has_begun_is_finished_and_nothing_else_begins() {
    let (io, shared) = server();
    let mut clients = clients(&io, 2).await;
    let (other, client) = (clients.pop().unwrap(), clients.pop().unwrap());
    let slow = client.emit().slow();
    client.emit().count().await.unwrap();
    begin(&shared);
    let shutdown = tokio::spawn(io.shutdown(HALF_A_MINUTE).into_future());
    other.disconnected().await;
    assert!(client.is_connected(), "it waits for an answer");
    let late = client.emit().count();
    tokio::time::sleep(Duration::from_secs(5)).await;
    shared.1.notify_one();
    assert_eq!(slow.await, Ok(42));
    late.await.unwrap_err();
    client.disconnected().await;
    assert_eq!(shutdown.await.unwrap(), clean(2));
    let log = shared.0.lock().unwrap();
    assert_eq!(log.counted, 1);
    let at: Vec<u64> = log.gone.keys().map(Duration::as_secs).collect();
    assert_eq!(at, [0, 5]);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_end_is_closed_and_then_aborted() {
    let (io, shared) = server();
    let clients = clients(&io, 2).await;
    clients[0].emit().stubborn();
    clients[1].emit().interview();
    clients[0].emit().count().await.unwrap();
    clients[1].next_event().await;
    let start = begin(&shared);
    let report = io.shutdown(Duration::from_secs(40)).await;
    assert_eq!(report, ShutdownReport { handlers_aborted: 1, ..clean(2) });
    assert!(!report.is_clean());
    let log = shared.0.lock().unwrap();
    let gone: Vec<u64> = log.gone.keys().map(Duration::as_secs).collect();
    assert_eq!((gone, log.gone.values().sum::<usize>()), (vec![30], 2), "sockets end at three quarters");
    assert_eq!(log.interviews, [CallError::Disconnected], "a handler that waits for its client sees that");
    let dropped: Vec<u64> = log.stubborn_ended.iter().map(Duration::as_secs).collect();
    assert_eq!((dropped, start.elapsed().as_secs(), io.connections()), (vec![40], 40, 0));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_that_is_dropped_can_be_taken_up_again() {
    let (io, shared) = server();
    let clients = clients(&io, 60).await;
    begin(&shared);
    let half = tokio::time::timeout(Duration::from_millis(50), io.shutdown(HALF_A_MINUTE).into_future()).await;
    assert!(half.is_err());
    assert_eq!(io.connections(), 10, "the first batch has gone, the rest has not been told");
    let left = clients.iter().find(|client| client.is_connected()).unwrap();
    assert_eq!(left.emit().count().await, Ok(1));
    Client::<dyn Desk>::connect(&io).await.unwrap_err();
    let report = io.shutdown(HALF_A_MINUTE).await;
    assert_eq!((report.connections, report.sockets, io.connections()), (10, 60, 0));
}

#[tokio::test(start_paused = true)]
async fn sessions_that_wait_for_their_clients_end_as_well() {
    let shared = Shared::default();
    let state = Arc::clone(&shared);
    let connect = move |socket: Socket<dyn Away>| {
        let session = Absent { _socket: socket, shared: Arc::clone(&state) };
        async move { Ok::<_, ConnectError>(session) }
    };
    let io = SocketIo::builder().connection_state_recovery(Recovery::new()).namespace::<dyn Away, _>(connect).build();
    let client = Client::<dyn Away>::connect(&io).await.unwrap();
    client.drop_connection();
    while io.connections() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(io.recovery_metrics().map(|metrics| metrics.sessions), Some(1), "it may come back");
    let start = begin(&shared);
    let report = io.shutdown(HALF_A_MINUTE).await;
    assert_eq!((report.connections, start.elapsed()), (0, Duration::ZERO));
    assert_eq!(io.recovery_metrics().map(|metrics| metrics.sessions), Some(0));
    assert_eq!(shared.0.lock().unwrap().gone.len(), 1, "its last call has been made");
}

#[socketio_macros::namespace("/", crate = crate)]
trait Away {
    #[disconnect]
    async fn gone(&self, reason: DisconnectReason);
}

struct Absent {
    _socket: Socket<dyn Away>,
    shared: Shared,
}

impl Away for Absent {
    async fn gone(&self, _: DisconnectReason) {
        let mut log = self.shared.0.lock().unwrap();
        let at = since(&log);
        *log.gone.entry(at).or_default() += 1;
    }
}

#[tokio::test(start_paused = true)]
async fn no_time_at_all() {
    let (io, shared) = server();
    let clients = clients(&io, 3).await;
    clients[0].emit().stubborn();
    clients[0].emit().count().await.unwrap();
    let start = begin(&shared);
    let report = io.shutdown(Duration::ZERO).await;
    assert_eq!((report.handlers_aborted, report.stuck, start.elapsed(), io.connections()), (1, 0, Duration::ZERO, 0));
    assert_eq!(shared.0.lock().unwrap().stubborn_ended.len(), 1);
}
