//! `Shared`: what the handles of a connection and its task have in common.

use super::manager::{ConnectError, End, Input, Key, Manager, Output, Settings, Status, Unanswered};
use crate::{
    contract::{AckData, BoxFuture, Handler, Rejection},
    text::Text,
};
use parking_lot::Mutex;
use std::{sync::Arc, task::Waker};
use tokio::{
    sync::{broadcast, oneshot, watch},
    time::Instant,
};

/// How many changes of its status a namespace keeps for a slow reader, who then misses the oldest.
const CHANGES: usize = 64;

/// Who waits for an acknowledgement.
pub(super) type Waiter = oneshot::Sender<Result<AckData, Unanswered>>;

/// Where the payload for CONNECT comes from.
#[derive(Clone)]
pub(super) enum AuthSource {
    /// JSON text.
    Fixed(Option<String>),
    /// Made for each connection.
    Fresh(Arc<dyn Fn() -> BoxFuture<'static, Result<Option<String>, String>> + Send + Sync>),
}

/// What is done with events that do not fit.
pub(super) type OnRejection = Arc<dyn Fn(&Rejection) + Send + Sync>;

/// What a user says about a namespace.
#[derive(Clone)]
pub(super) struct Plan {
    pub(super) path: String,
    pub(super) auth: AuthSource,
    pub(super) handler: Option<Handler>,
    pub(super) on_rejection: Option<OnRejection>,
}

/// Where a client stands.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub(super) status: Status,
    pub(super) id: Option<Text>,
}

/// One namespace of a connection.
pub(super) struct Space {
    pub(super) key: Key,
    pub(super) plan: Plan,
    pub(super) standing: watch::Sender<Standing>,
    pub(super) changes: broadcast::Sender<Status>,
}

impl Space {
    pub(super) fn change(&self, status: Status, id: Option<Text>) {
        self.standing.send_modify(|standing| {
            *standing = Standing { status: status.clone(), id };
            // Nobody has to listen.
            let _ = self.changes.send(status);
        });
    }

    /// What changes from now on, and where the client stands until then.
    pub(super) fn subscribe(&self) -> (broadcast::Receiver<Status>, Status) {
        // No change comes in between.
        let standing = self.standing.borrow();
        (self.changes.subscribe(), standing.status.clone())
    }
}

pub(super) struct Shared {
    /// Guards the protocol's state, for as long as one event takes to be encoded and queued. A leaf; no user code runs
    /// under it.
    state: Mutex<State>,
}

struct State {
    manager: Manager<Waiter>,
    spaces: Vec<Arc<Space>>,
    /// The task's, while it sleeps.
    waker: Option<Waker>,
}

impl Shared {
    pub(super) fn new(settings: Settings) -> Arc<Self> {
        let manager = Manager::new(settings, rand::random());
        Arc::new(Shared { state: Mutex::new(State { manager, spaces: Vec::new(), waker: None }) })
    }

    /// Does something with the manager, and lets the task see what comes of it.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Manager<Waiter>) -> T) -> T {
        let mut state = self.state.lock();
        let result = act(&mut state.manager);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        result
    }

    pub(super) fn handle(&self, input: Input) {
        let now = Instant::now().into_std();
        self.with(|manager| manager.handle(input, now));
    }

    /// For the task: what the manager orders. From here on the task is woken by who changes something.
    pub(super) fn outputs(&self, waker: &Waker) -> Vec<Output<Waiter>> {
        let mut state = self.state.lock();
        if !state.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            state.waker = Some(waker.clone());
        }
        std::iter::from_fn(|| state.manager.poll()).collect()
    }

    /// For the task: looks at the manager without waking itself.
    pub(super) fn look<T>(&self, look: impl FnOnce(&mut Manager<Waiter>) -> T) -> T {
        look(&mut self.state.lock().manager)
    }

    pub(super) fn join(&self, plan: Plan) -> Result<Arc<Space>, ConnectError> {
        let (standing, _) = watch::channel(Standing { status: Status::Connecting, id: None });
        let (changes, _) = broadcast::channel(CHANGES);
        let mut state = self.state.lock();
        let key = state.manager.join(&plan.path)?;
        let space = Arc::new(Space { key, plan, standing, changes });
        state.spaces.push(Arc::clone(&space));
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(space)
    }

    pub(super) fn space(&self, key: Key) -> Option<Arc<Space>> {
        self.state.lock().spaces.iter().find(|space| space.key == key).cloned()
    }

    /// The namespace was left, and its last change told.
    pub(super) fn forget(&self, key: Key) {
        let gone = {
            let mut state = self.state.lock();
            let at = state.spaces.iter().position(|space| space.key == key);
            at.map(|at| state.spaces.remove(at))
        };
        // It may be the last owner of a handler, which is the user's.
        drop(gone);
    }

    /// The task has ended: nothing of the user's is kept, and nobody waits for a change.
    pub(super) fn forget_all(&self) {
        let gone = std::mem::take(&mut self.state.lock().spaces);
        for space in gone {
            let Standing { status, id } = space.standing.borrow().clone();
            if !matches!(status, Status::GaveUp(_)) {
                space.change(Status::Disconnected(End::ByClient), id);
            }
        }
    }
}
