//! `Seat`: one server in one namespace of a `Memory`, and what waits for it.
//!
//! Not here: who else sits there; see `hub`, under whose lock all of this is.

use crate::adapter::{
    broker::{Appended, Health, Loss},
    message::{Envelope, Message, NodeId},
};
use std::{
    collections::VecDeque,
    fmt, mem,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{sync::Notify, time::Instant};

/// What may wait at one seat in each direction; the oldest is given up first.
const QUEUE_BYTES: usize = 16 << 20;

/// One server in one namespace.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) server: u64,
    pub(super) node: NodeId,
    pub(super) link: Arc<Link>,
    pub(super) wake: Arc<Notify>,
    /// From the others, and from the journal.
    letters: Queue<Item>,
    /// To the others, while the link is cut.
    pub(super) unsent: Queue<Unsent>,
    /// What the server is told even then.
    notices: VecDeque<Item>,
    /// How far its server has got in the journal, and what it is being told.
    pub(super) delivered: Arc<str>,
    told: Option<Arc<str>>,
    /// Nobody sits here any more; its task is yet to see that.
    pub(super) left: bool,
}

/// What waits for a link.
#[derive(Debug)]
pub(super) struct Unsent {
    pub(super) to: Option<NodeId>,
    pub(super) message: Message,
    /// Whom to tell the offset in the journal, and until when that waits.
    pub(super) entry: Option<(Done, Instant)>,
}

/// Whom to tell of an entry in the journal.
pub(super) struct Done(pub(super) Appended);

impl fmt::Debug for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Done")
    }
}

/// What a seat's task has to do next.
#[derive(Debug)]
pub(super) enum Item {
    Letter(Arc<Envelope>),
    Appended(Done, Option<Arc<str>>),
    Health(Health),
    Lost(Loss),
    /// To wait, at most until then.
    Nothing(Option<Instant>),
}

/// A cable that a test can cut.
#[derive(Debug)]
pub(super) struct Link {
    /// Written under the lock of the hub only.
    up: AtomicBool,
}

impl Item {
    fn is_appended(&self) -> bool {
        matches!(self, Item::Appended(..))
    }
}

impl Seat {
    pub(super) fn new(server: u64, node: NodeId, link: Arc<Link>, wake: Arc<Notify>, delivered: Arc<str>) -> Self {
        let notices = VecDeque::from([Item::Health(link.health())]);
        let (letters, unsent) = (Queue::default(), Queue::default());
        Seat { server, node, link, wake, letters, unsent, notices, delivered, told: None, left: false }
    }

    pub(super) fn is_there(&self) -> bool {
        !self.left && self.link.is_up()
    }

    /// What its task does next; `None` ends it.
    pub(super) fn next(&mut self) -> Option<Item> {
        // Who asks has dealt with what was given last.
        self.delivered = self.told.take().unwrap_or_else(|| self.delivered.clone());
        let next = self.look();
        self.told = match &next {
            Some(Item::Letter(letter)) => letter.offset.clone(),
            Some(Item::Appended(_, offset)) => offset.clone(),
            _ => None,
        };
        next
    }

    fn look(&mut self) -> Option<Item> {
        if !self.left && !self.link.is_up() {
            self.give_up(Instant::now());
        }
        if let Some(notice) = self.notices.pop_front() {
            return Some(notice);
        }
        if self.left {
            return None;
        }
        if self.link.is_up() {
            return Some(self.letters.pop().unwrap_or(Item::Nothing(None)));
        }
        let until = self.unsent.items.iter().find_map(|(unsent, _)| unsent.entry.as_ref().map(|(_, until)| *until));
        Some(Item::Nothing(until))
    }

    /// Tells it how its link is.
    pub(super) fn tell(&mut self) {
        // Only how it is now matters, and a link may be cut any number of times before anybody looks.
        self.notices.retain(|notice| !matches!(notice, Item::Health(_)));
        self.notices.push_back(Item::Health(self.link.health()));
        self.wake.notify_one();
    }

    pub(super) fn deliver(&mut self, item: Item, cost: usize) {
        let mut lost = 0;
        for item in self.letters.push(item, cost) {
            match item {
                Item::Appended(..) => self.notices.push_back(item),
                _ => lost += 1,
            }
        }
        self.missed(lost, |_| Loss::Unread);
        self.wake.notify_one();
    }

    pub(super) fn wait(&mut self, unsent: Unsent) {
        let cost = unsent.message.cost();
        let lost = self.unsent.push(unsent, cost);
        self.fail(lost);
        self.wake.notify_one();
    }

    /// Lets go of what has waited too long for the journal.
    fn give_up(&mut self, now: Instant) {
        let is_over = |(unsent, _): &(Unsent, usize)| unsent.entry.as_ref().is_some_and(|(_, until)| *until <= now);
        while let Some(over) = self.unsent.items.iter().position(is_over).and_then(|at| self.unsent.items.remove(at)) {
            self.unsent.bytes -= over.1;
            self.fail(vec![over.0]);
        }
    }

    /// These are not sent.
    fn fail(&mut self, unsent: Vec<Unsent>) {
        self.missed(unsent.len() as u64, Loss::Unsent);
        let entries = unsent.into_iter().filter_map(|unsent| unsent.entry);
        self.notices.extend(entries.map(|(done, _)| Item::Appended(done, None)));
    }

    /// Nobody sits here any more. Those who wait for the journal hear of it nevertheless.
    pub(super) fn leave(&mut self) {
        self.left = true;
        let letters = mem::take(&mut self.letters).into_items().filter(Item::is_appended);
        self.notices.retain(Item::is_appended);
        self.notices.extend(letters);
        let entries = mem::take(&mut self.unsent).into_items().filter_map(|unsent| unsent.entry);
        self.notices.extend(entries.map(|(done, _)| Item::Appended(done, None)));
        self.wake.notify_one();
    }

    /// Notes a loss, together with the one before if nobody has heard of that yet.
    fn missed(&mut self, messages: u64, loss: impl FnOnce(u64) -> Loss) {
        if messages == 0 {
            return;
        }
        let loss = loss(messages);
        let known = self.notices.iter_mut().find_map(|notice| match notice {
            Item::Lost(known) if mem::discriminant(known) == mem::discriminant(&loss) => Some(known),
            _ => None,
        });
        match (known, loss) {
            (Some(Loss::Unsent(lost)), Loss::Unsent(more)) => *lost += more,
            (Some(_), _) => {}
            (None, loss) => self.notices.push_back(Item::Lost(loss)),
        }
        self.wake.notify_one();
    }
}

impl Link {
    pub(super) fn new() -> Self {
        Link { up: AtomicBool::new(true) }
    }

    /// Cuts or mends it. How it was.
    pub(super) fn set(&self, up: bool) -> bool {
        self.up.swap(up, Ordering::Relaxed)
    }

    pub(super) fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    pub(super) fn health(&self) -> Health {
        if self.is_up() { Health::Connected } else { Health::Disconnected }
    }
}

/// What waits, with what it costs.
#[derive(Debug)]
pub(super) struct Queue<T> {
    items: VecDeque<(T, usize)>,
    bytes: usize,
}

impl<T> Queue<T> {
    /// Appends, and gives up the oldest as long as there is too much, but not the newest. These are given back.
    fn push(&mut self, item: T, cost: usize) -> Vec<T> {
        self.items.push_back((item, cost));
        self.bytes += cost;
        let mut lost = Vec::new();
        while self.bytes > QUEUE_BYTES && self.items.len() > 1 {
            lost.extend(self.pop());
        }
        lost
    }

    fn pop(&mut self) -> Option<T> {
        let (item, cost) = self.items.pop_front()?;
        self.bytes -= cost;
        Some(item)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) fn into_items(self) -> impl Iterator<Item = T> {
        self.items.into_iter().map(|(item, _)| item)
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Queue { items: VecDeque::new(), bytes: 0 }
    }
}
