//! `Link`: what a client, its emitters and its task share: packets to send, events that came, acknowledgements to come.

use super::{
    event::{End, Event},
    wire::packets,
};
use crate::{
    contract::AckData,
    extract::ConnectError,
    id::SocketId,
    parser::{Body, encode_event},
    server::Spelling,
};
use parking_lot::Mutex;
use std::{
    collections::{HashMap, VecDeque},
    fmt::Write as _,
    pin::pin,
    time::Duration,
};
use tokio::{
    sync::{Notify, oneshot},
    time::{Instant, timeout_at},
};

/// See the top of the file. It outlives a reconnection.
pub(super) struct Link {
    /// The namespace.
    pub(super) path: String,
    /// How long anything is waited for.
    pub(super) patience: Duration,
    /// How the server spells packets.
    pub(super) spelling: Spelling,
    /// Guards everything that changes. A leaf; nothing of the server's or the user's runs under it.
    state: Mutex<State>,
    /// Something changed that a test may wait for.
    news: Notify,
    /// Something waits to be posted.
    pub(super) queued: Notify,
}

/// Where the client stands.
#[derive(Debug, Clone)]
pub(super) enum Status {
    Connecting,
    Connected,
    Refused(ConnectError),
    Ended(End),
}

pub(super) struct State {
    pub(super) status: Status,
    /// Of this stay in the namespace, or of the last one.
    pub(super) id: Option<SocketId>,
    /// Whether there is a session.
    pub(super) open: bool,
    /// As long as what a test emitted in one go: it is emptied whenever the task gets to run.
    queue: VecDeque<Order>,
    acks: HashMap<u64, oneshot::Sender<AckData>>,
    next_ack: u64,
    /// Events that the test has not asked for yet.
    pub(super) unread: VecDeque<Event>,
    /// Everything that happened, for failure texts.
    log: Vec<String>,
    /// A handler of the test's own failed.
    pub(super) failure: Option<String>,
}

/// Packets that are posted together.
struct Order {
    packets: Vec<String>,
    /// Told once the POST has been answered.
    done: Option<oneshot::Sender<()>>,
}

/// The body of a POST.
pub(super) struct Batch {
    pub(super) body: String,
    pub(super) done: Vec<oneshot::Sender<()>>,
}

impl Link {
    pub(super) fn new(path: String, patience: Duration, spelling: Spelling) -> Self {
        let state = State {
            status: Status::Connecting,
            id: None,
            open: false,
            queue: VecDeque::new(),
            acks: HashMap::new(),
            next_ack: 0,
            unread: VecDeque::new(),
            log: Vec::new(),
            failure: None,
        };
        Link { path, patience, spelling, state: Mutex::new(state), news: Notify::new(), queued: Notify::new() }
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.lock())
    }

    /// Changes the state, and wakes who waits for that.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state.lock());
        self.news.notify_waiters();
        result
    }

    /// Waits until `take` finds what it looks for. `None`: not in time.
    pub(super) async fn wait<T>(&self, mut take: impl FnMut(&mut State) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + self.patience;
        loop {
            let mut news = pin!(self.news.notified());
            news.as_mut().enable();
            if let Some(found) = take(&mut self.state.lock()) {
                return Some(found);
            }
            timeout_at(deadline, news).await.ok()?;
        }
    }

    /// Posts packets after those that wait already. Dropped if there is no session.
    pub(super) fn post(&self, packets: Vec<String>) -> oneshot::Receiver<()> {
        let (done, posted) = oneshot::channel();
        let mut state = self.state.lock();
        if state.open {
            state.queue.push_back(Order { packets, done: Some(done) });
            self.queued.notify_one();
        }
        posted
    }

    /// Emits an event. `false`: the client is not connected.
    pub(super) fn emit(&self, id: Option<u64>, event: Body) -> bool {
        if !matches!(self.state.lock().status, Status::Connected) {
            self.note(format!("(not sent, the client is not connected: {})", event.json()));
            return false;
        }
        drop(self.post(packets(&self.spelling, encode_event(&self.path, id, event))));
        true
    }

    /// Emits an event that asks for an acknowledgement. The receiver fails if none can come.
    pub(super) fn ask(&self, event: Body) -> oneshot::Receiver<AckData> {
        let (waiter, data) = oneshot::channel();
        let id = {
            let mut state = self.state.lock();
            let id = state.next_ack;
            state.next_ack += 1;
            state.acks.insert(id, waiter);
            id
        };
        if !self.emit(Some(id), event) {
            self.state.lock().acks.remove(&id);
        }
        data
    }

    /// Delivers an acknowledgement. Nobody may want it any more.
    pub(super) fn acknowledged(&self, id: u64, data: AckData) {
        let waiter = self.state.lock().acks.remove(&id);
        let _ = waiter.map(|waiter| waiter.send(data));
    }

    /// What waits to be posted, up to the size that the server takes; at least one packet.
    pub(super) fn next_batch(&self, max_bytes: usize) -> Option<Batch> {
        let mut state = self.state.lock();
        let mut batch = Batch { body: String::new(), done: Vec::new() };
        while let Some(order) = state.queue.front_mut() {
            while let Some(packet) = order.packets.first() {
                if !batch.body.is_empty() {
                    if batch.body.len() + 1 + packet.len() > max_bytes {
                        return Some(batch);
                    }
                    batch.body.push('\u{1e}');
                }
                batch.body.push_str(packet);
                order.packets.remove(0);
            }
            let order = state.queue.pop_front();
            batch.done.extend(order.and_then(|order| order.done));
        }
        (!batch.body.is_empty()).then_some(batch)
    }

    /// Adds a line to what failure texts tell.
    pub(super) fn note(&self, line: String) {
        self.state.lock().log.push(line);
    }

    /// The test's own handler failed: the test shall not pass.
    pub(super) fn fail(&self, failure: String) {
        self.change(|state| {
            state.log.push(format!("({failure})"));
            state.failure.get_or_insert(failure);
        });
    }

    /// A line about this client for failure texts.
    pub(super) fn failed(&self, what: &str) -> String {
        let state = self.state.lock();
        let id = state.id.map(|id| format!(" {id}")).unwrap_or_default();
        let mut text = format!("client{id} of {}: {what}\n", self.path);
        if state.log.is_empty() {
            text.push_str("  so far it received nothing");
        } else {
            text.push_str("  so far it received:");
        }
        for (number, line) in state.log.iter().enumerate() {
            // Writing to a string cannot fail.
            let _ = write!(text, "\n    {}. {line}", number + 1);
        }
        text
    }
}

impl State {
    /// A new session: nothing of the last one is left.
    pub(super) fn begin(&mut self, connect: Vec<String>) {
        self.status = Status::Connecting;
        self.open = true;
        self.queue = VecDeque::from([Order { packets: connect, done: None }]);
    }

    pub(super) fn record(&mut self, event: Event) {
        self.log.push(event.to_string());
        self.unread.push_back(event);
    }

    /// The client is in its namespace no longer. What is said first counts.
    pub(super) fn end(&mut self, end: End) {
        if matches!(self.status, Status::Connecting | Status::Connected) {
            self.log.push(format!("(disconnected: {end})"));
            self.status = Status::Ended(end);
        }
        self.acks.clear();
    }

    /// The session is over.
    pub(super) fn close(&mut self) {
        self.end(End::ConnectionLost);
        self.open = false;
        self.queue.clear();
    }
}
