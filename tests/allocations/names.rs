//! Ten thousand names of a dynamic namespace, visited and left: nothing stays, neither a child nor a socket nor a byte.

use crate::server::{Client, Counted};
use allocation_counter::AllocationInfo;
use socketio::{CallError, ConnectError, NsPath, Socket, SocketIo, events, namespace};
use std::{
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// As many as are visited while it is counted.
const NAMES: usize = 10_000;
/// As many as one connection is in at a time.
const AT_A_TIME: usize = 500;

#[namespace("/org/{id}", emits = OrgEvents)]
trait Org {
    #[event]
    async fn id(&self) -> u64;
}

#[events]
trait OrgEvents {
    #[event]
    async fn question(&self) -> u32;
}

/// What a visitor leaves behind, if it leaves anything: rooms, a question that it has not answered, its session.
struct Member {
    id: u64,
    _socket: Socket<dyn Org>,
    _alive: Arc<()>,
}

impl Org for Member {
    async fn id(&self) -> u64 {
        self.id
    }
}

/// Children, sockets, sessions with those who wait for their clients, connections.
type Living = [usize; 4];

/// Looks at the server from its own thread: a look holds what it counts, and who lets go of it last frees it.
#[derive(Default)]
struct Observer {
    asked: Notify,
    seen: Mutex<Option<Living>>,
    answered: Condvar,
}

impl Observer {
    async fn observe(&self, look: impl Fn() -> Living) {
        loop {
            self.asked.notified().await;
            *self.seen.lock().expect("no panic") = Some(look());
            self.answered.notify_one();
        }
    }

    fn look(&self) -> Living {
        self.asked.notify_one();
        let seen = self.seen.lock().expect("no panic");
        let mut seen = self.answered.wait_while(seen, |seen| seen.is_none()).expect("no panic");
        seen.take().expect("it was waited for")
    }
}

struct World {
    server: Counted,
    observer: Arc<Observer>,
}

impl World {
    fn new() -> Self {
        let alive = Arc::new(());
        let token = Arc::clone(&alive);
        let connect = move |socket: Socket<dyn Org>, NsPath(id): NsPath<u64>| {
            let alive = Arc::clone(&token);
            async move {
                socket.join("a room");
                socket.join(format!("room {id}"));
                let question = socket.timeout(Duration::from_secs(600)).emit().question();
                let waiting = Arc::clone(&alive);
                tokio::spawn(async move {
                    assert_eq!(question.await, Err(CallError::Disconnected));
                    drop(waiting);
                });
                Ok::<_, ConnectError>(Member { id, _socket: socket, _alive: alive })
            }
        };
        let io = SocketIo::builder().namespace::<dyn Org, _>(connect).build();
        // The handler keeps one as well.
        let kept = Arc::strong_count(&alive);
        let observer = Arc::new(Observer::default());
        let task = {
            let (observer, io) = (Arc::clone(&observer), io.clone());
            let look = move || {
                let sockets = io.of::<dyn Org>().len();
                [io.namespaces().len(), sockets, Arc::strong_count(&alive) - kept, io.connections()]
            };
            async move { observer.observe(look).await }
        };
        World { server: Counted::start_beside(&io, task), observer }
    }

    #[track_caller]
    fn wait_for(&self, expected: Living) {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let living = self.observer.look();
            if living == expected {
                return;
            }
            assert!(Instant::now() < deadline, "{living:?} live, not {expected:?}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Visits names that nobody has visited before, many at a time, each until `leave`.
    fn visit(&self, client: &mut Client, first: usize, leave: bool) {
        for id in first..first + AT_A_TIME {
            client.send(&format!("40/org/{id},"));
        }
        // The answer, and the question right behind it.
        for _ in 0..2 * AT_A_TIME {
            assert!(client.receive().starts_with("4"));
        }
        self.wait_for([AT_A_TIME, AT_A_TIME, 2 * AT_A_TIME, 1]);
        if leave {
            for id in first..first + AT_A_TIME {
                client.send(&format!("41/org/{id},"));
            }
        }
    }
}

#[track_caller]
fn nothing_stays(counted: AllocationInfo) {
    assert!(counted.count_total > NAMES as u64, "the visits were not counted: {counted:?}");
    // A hash table may have grown; it has no more room than for those who were there at a time.
    assert!(counted.count_current.unsigned_abs() < 100, "allocations stay: {counted:?}");
    assert!(counted.bytes_current.unsigned_abs() < 10 * NAMES as u64, "memory stays: {counted:?}");
}

#[test]
fn ten_thousand_names_leave_nothing_when_they_are_left() {
    let world = World::new();
    let mut client = Client::join(&world.server, "/org/0");
    client.receive();
    client.send("41/org/0,");
    world.wait_for([0, 0, 0, 1]);
    let mut visit = |first| {
        for first in (first..).step_by(AT_A_TIME).take(NAMES / AT_A_TIME) {
            world.visit(&mut client, first, true);
            world.wait_for([0, 0, 0, 1]);
        }
    };
    // Tables and buffers grow to the size that they keep.
    visit(1);
    let counted = world.server.count(|| visit(1_000_000));
    nothing_stays(counted);
}

#[test]
fn ten_thousand_names_leave_nothing_when_their_visitors_vanish() {
    let world = World::new();
    let visit = |first| {
        for first in (first..).step_by(AT_A_TIME).take(NAMES / AT_A_TIME) {
            let mut client = Client::join(&world.server, &format!("/org/{}", first + AT_A_TIME));
            client.receive();
            client.send(&format!("41/org/{},", first + AT_A_TIME));
            world.wait_for([0, 0, 0, 1]);
            world.visit(&mut client, first, false);
            drop(client);
            world.wait_for([0, 0, 0, 0]);
        }
    };
    visit(1);
    let counted = world.server.count(|| visit(1_000_000));
    nothing_stays(counted);
}
