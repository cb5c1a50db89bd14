//! `Node`: one namespace's end of the cluster. It drives the sans-IO `Cluster`: hands it what happens, carries out what it says,
//! and calls it when its time has come.

use super::{Hub, Part, events::Worker};
use crate::{
    adapter::{
        broker::{Health, Inbox, Journal, Loss, Pipe},
        cluster::{Answer, Cluster, Ending, Input, Output, Question},
        message::{Envelope, Message, NodeId, RequestId},
    },
    engine::FAR_FUTURE,
    room::Room,
    server::{namespace::NamespaceCore, session::caught},
};
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, OnceLock, Weak},
    time::{Duration, Instant},
};
use tokio::{runtime::Handle, sync::Notify, sync::mpsc};

/// One namespace's end of the cluster.
pub(in crate::server) struct Node {
    pub(super) hub: Arc<Hub>,
    pub(super) namespace: Weak<NamespaceCore>,
    /// What it is called in metrics, and its path.
    label: Arc<str>,
    path: String,
    pub(super) runtime: Handle,
    pub(super) pipe: Arc<dyn Pipe>,
    /// Guards the protocol, for one input at a time; what it says is carried out afterwards. A leaf.
    state: Mutex<State>,
    /// Wakes the timer's task.
    sooner: Arc<Notify>,
    /// How many sockets are in a room, those included that are away and may come back. A leaf: under it, the pipe is told.
    rooms: Mutex<HashMap<Room, Occupied>>,
    /// What other servers emit to this one.
    pub(super) worker: Worker,
}

/// A room with somebody in it.
struct Occupied {
    sockets: usize,
    /// It was that of a socket's id when it was entered.
    own: bool,
}

struct State {
    cluster: Cluster,
    /// Who wants to know the answers.
    waiting: HashMap<RequestId, mpsc::UnboundedSender<Part>>,
    /// Whether the timer's task runs, and what it waits for.
    timer: bool,
    armed: Option<Instant>,
    closed: bool,
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("path", &self.path).field("pipe", &self.pipe).finish_non_exhaustive()
    }
}

/// Where the broker delivers. It may do so before `open` has returned.
struct Door {
    hub: Arc<Hub>,
    label: Arc<str>,
    path: String,
    node: OnceLock<Weak<Node>>,
}

impl Inbox for Door {
    fn received(&self, envelope: Envelope) {
        let Some(node) = self.node.wait().upgrade() else { return };
        node.hub.received(&node.label);
        // What is sent to clients here is spelled by the application's parser: a panic of it must not end whoever reads.
        if caught(|| node.handle(Input::Received(envelope))).is_err() {
            node.lost(&Loss::Poison("handling it panicked"));
        }
    }

    fn health(&self, health: Health) {
        // Until it is open, nobody is told: `opened` does.
        if self.node.get().is_some() {
            self.hub.is(health);
        }
    }

    fn lost(&self, loss: Loss) {
        self.hub.lost(&self.label, &self.path, &loss);
        if loss == Loss::Unread
            && let Some(namespace) = self.node.wait().upgrade().and_then(|node| node.namespace.upgrade())
            && let Some(lane) = &namespace.lane
        {
            lane.store.lost(&namespace);
        }
    }
}

impl Node {
    /// Connects a namespace. Called within a runtime. Nothing is measured meanwhile: a metrics hook may use the namespace, which has
    /// no node yet. What is to be measured goes to [`opened`](Self::opened).
    pub(super) fn open(namespace: &NamespaceCore, hub: Arc<Hub>, runtime: Handle) -> (Arc<Self>, Vec<bool>) {
        let (label, path) = (Arc::clone(&namespace.label), namespace.path.clone());
        let door = Arc::new(Door { hub: Arc::clone(&hub), label: Arc::clone(&label), path: path.clone(), node: OnceLock::new() });
        let pipe = hub.open(&namespace.path, Arc::clone(&door) as Arc<dyn Inbox>);
        let state = State {
            cluster: Cluster::new(pipe.node().clone(), pipe.liveness()),
            waiting: HashMap::new(),
            timer: false,
            armed: None,
            closed: false,
        };
        let node = Arc::new(Node {
            worker: Worker::default(),
            namespace: Weak::clone(&namespace.me),
            label,
            path,
            runtime,
            pipe,
            state: Mutex::new(state),
            sooner: Arc::default(),
            rooms: Mutex::default(),
            hub,
        });
        let queued = node.step(Input::Opened).into_iter().filter_map(|order| node.say(order)).collect();
        // Ours alone until here.
        let _ = door.node.set(Arc::downgrade(&node));
        (node, queued)
    }

    /// The namespace has its node: tells what came of [`open`](Self::open).
    pub(super) fn opened(&self, queued: Vec<bool>) {
        queued.into_iter().for_each(|queued| self.sent(queued));
        self.hub.is(self.hub.state());
    }

    /// Hands the protocol what has happened, and carries out what it says.
    pub(super) fn handle(self: &Arc<Self>, input: Input) {
        for order in self.step(input) {
            self.carry_out(order);
        }
    }

    fn step(self: &Arc<Self>, input: Input) -> Vec<Output> {
        let mut state = self.state.lock();
        if state.closed {
            return Vec::new();
        }
        let orders = state.handle(input);
        self.arm(&mut state);
        orders
    }

    fn carry_out(self: &Arc<Self>, order: Output) {
        match order {
            Output::Census(id) => self.census(id),
            Output::Perform(deed) => self.perform(deed),
            order => self.say(order).into_iter().for_each(|queued| self.sent(queued)),
        }
    }

    /// Says it to other servers, if that is what is to be done, and tells whether it was queued.
    fn say(&self, order: Output) -> Option<bool> {
        match order {
            Output::Publish(message) => Some(self.pipe.publish(message).is_ok()),
            Output::Respond(to, message) => Some(self.pipe.respond(to.as_ref(), message).is_ok()),
            // What was found is told under the lock already.
            Output::Census(_) | Output::Perform(_) | Output::Found(..) | Output::Finished(..) => None,
        }
    }

    pub(super) fn lost(&self, loss: &Loss) {
        self.hub.lost(&self.label, &self.path, loss);
    }

    fn sent(&self, queued: bool) {
        if queued {
            self.hub.published(&self.label);
        } else {
            self.lost(&Loss::Unsent(1));
        }
    }

    /// Tells all other servers; nobody answers.
    pub(in crate::server) fn tell(self: &Arc<Self>, message: Message) {
        if self.state.lock().closed {
            return self.lost(&Loss::Unsent(1));
        }
        self.handle(Input::Tell(message));
    }

    pub(super) fn answer(self: &Arc<Self>, id: RequestId, to: Option<NodeId>, answer: Answer) {
        self.handle(Input::Answer { id, to, answer });
    }

    /// Asks all other servers.
    pub(super) fn ask(self: &Arc<Self>, question: Question, timeout: Duration) -> (RequestId, mpsc::UnboundedReceiver<Part>) {
        let id = RequestId::from(format!("{:016x}", rand::random::<u64>()));
        let (teller, parts) = mpsc::unbounded_channel();
        {
            let mut state = self.state.lock();
            if !state.closed {
                state.waiting.insert(id.clone(), teller);
            }
        }
        self.handle(Input::Ask { id: id.clone(), question, timeout: timeout.min(FAR_FUTURE) });
        (id, parts)
    }

    /// Nobody wants to know any more.
    pub(super) fn forget(self: &Arc<Self>, id: &RequestId) {
        if self.state.lock().waiting.remove(id).is_some() {
            self.handle(Input::Forget(id.clone()));
        }
    }

    fn census(self: &Arc<Self>, id: RequestId) {
        let (count, node) = (self.pipe.census(), Arc::downgrade(self));
        self.runtime.spawn(async move {
            let count = count.await;
            let Some(node) = node.upgrade() else { return };
            if count.is_err()
                && let Some(teller) = node.state.lock().waiting.get(&id)
            {
                // Nobody is there to hear it any more, or somebody is.
                let _ = teller.send(Part::Uncounted);
            }
            node.handle(Input::Counted { id, servers: count.ok() });
        });
    }

    /// Sees to it that the protocol is called in time.
    fn arm(self: &Arc<Self>, state: &mut State) {
        let Some(deadline) = state.cluster.deadline() else { return };
        if !state.timer {
            state.timer = true;
            self.runtime.spawn(timer(Arc::downgrade(self), Arc::clone(&self.sooner)));
        } else if state.armed.is_none_or(|armed| deadline < armed) {
            self.sooner.notify_one();
        }
    }

    /// A socket is in a room; `own`: that of its id.
    pub(in crate::server) fn entered(&self, room: &Room, own: bool) {
        let mut rooms = self.rooms.lock();
        match rooms.get_mut(room) {
            Some(occupied) => occupied.sockets += 1,
            None => {
                rooms.insert(room.clone(), Occupied { sockets: 1, own });
                if own { self.pipe.came(room) } else { self.pipe.joined(room) }
            }
        }
    }

    /// A socket is not in a room any more.
    pub(in crate::server) fn left(&self, room: &Room) {
        let mut rooms = self.rooms.lock();
        let Some(occupied) = rooms.get_mut(room) else { return };
        occupied.sockets -= 1;
        if occupied.sockets == 0 {
            let own = occupied.own;
            rooms.remove(room);
            if own { self.pipe.went(room) } else { self.pipe.left(room) }
        }
    }

    /// Where events and sessions outlive this server, if they do.
    pub(in crate::server) fn journal(&self) -> Option<Arc<dyn Journal>> {
        self.pipe.journal()
    }

    /// Runs on, whoever it was started by.
    pub(in crate::server) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(work);
    }

    /// Ends when what is emitted to the rooms of sockets here reaches this server.
    pub(in crate::server) async fn settled(&self) {
        self.pipe.settled().await;
    }

    /// Says goodbye. What is published later is lost.
    pub(super) fn close(&self) {
        let orders = self.state.lock().close();
        self.sooner.notify_one();
        orders.into_iter().filter_map(|order| self.say(order)).for_each(|queued| self.sent(queued));
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.close();
    }
}

impl State {
    fn handle(&mut self, input: Input) -> Vec<Output> {
        self.cluster.handle(input, tokio::time::Instant::now().into_std());
        let mut orders = Vec::new();
        while let Some(order) = self.cluster.poll() {
            match order {
                Output::Found(id, finding) => self.tell(&id, Part::Found(finding)),
                Output::Finished(id, ending) => {
                    self.tell(&id, Part::Ended(ending));
                    self.waiting.remove(&id);
                }
                order => orders.push(order),
            }
        }
        orders
    }

    fn tell(&self, id: &RequestId, part: Part) {
        if let Some(teller) = self.waiting.get(id) {
            // Its receiver forgets the question when it goes.
            let _ = teller.send(part);
        }
    }

    fn close(&mut self) -> Vec<Output> {
        if std::mem::replace(&mut self.closed, true) {
            return Vec::new();
        }
        let orders = self.handle(Input::Close);
        for (_, teller) in self.waiting.drain() {
            let _ = teller.send(Part::Ended(Ending::TimedOut { servers: 1, clients: 0 }));
        }
        orders
    }
}

/// Calls the protocol when its time has come, as long as it waits for anything.
async fn timer(node: Weak<Node>, sooner: Arc<Notify>) {
    loop {
        let deadline = {
            let Some(node) = node.upgrade() else { return };
            let mut state = node.state.lock();
            state.armed = if state.closed { None } else { state.cluster.deadline() };
            let Some(deadline) = state.armed else {
                state.timer = false;
                return;
            };
            deadline
        };
        tokio::select! {
            () = sooner.notified() => {}
            () = tokio::time::sleep_until(deadline.into()) => {
                if let Some(node) = node.upgrade() {
                    node.handle(Input::Time);
                }
            }
        }
    }
}
