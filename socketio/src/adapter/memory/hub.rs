//! `Hub`: who sits where, and what waits for whom. One lock makes one order of all that is said.
//!
//! Not here: tasks; whoever sits down brings the one that calls [`Hub::next`].

use crate::adapter::{
    broker::{Health, Liveness, Loss, Refused, Unreachable},
    message::{Envelope, Message, NodeId},
};
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use tokio::sync::Notify;

/// What may wait at one seat in each direction; the oldest is given up first.
const QUEUE_BYTES: usize = 16 << 20;

/// The middle of a [`Memory`](super::Memory).
#[derive(Debug)]
pub(super) struct Hub {
    liveness: Liveness,
    numbers: AtomicU64,
    /// Guards everything that is said and who hears it. A leaf: nothing foreign is called under it.
    namespaces: Mutex<HashMap<Arc<str>, Namespace>>,
    /// Told when something that waited for a mended link was sent.
    sent: Notify,
}

/// A cable that a test can cut.
#[derive(Debug)]
pub(super) struct Link {
    /// Written under the lock of the hub only.
    up: AtomicBool,
}

/// Where somebody sits.
#[derive(Debug, Clone)]
pub(super) struct Place {
    namespace: Arc<str>,
    number: u64,
}

#[derive(Debug, Default)]
struct Namespace {
    seats: BTreeMap<u64, Seat>,
}

/// One server in one namespace.
#[derive(Debug)]
struct Seat {
    server: u64,
    node: NodeId,
    link: Arc<Link>,
    wake: Arc<Notify>,
    /// From the others.
    letters: Queue<Arc<Envelope>>,
    /// To the others, while the link is cut: for whom, and what.
    unsent: Queue<(Option<NodeId>, Message)>,
    /// What the server is told even then.
    notices: VecDeque<Item>,
}

/// What a seat's task has to do next.
#[derive(Debug)]
pub(super) enum Item {
    Letter(Arc<Envelope>),
    Health(Health),
    Lost(Loss),
    /// To wait.
    Nothing,
}

impl Hub {
    pub(super) fn new(liveness: Liveness) -> Arc<Self> {
        let namespaces = Mutex::new(HashMap::new());
        Arc::new(Hub { liveness, numbers: AtomicU64::new(0), namespaces, sent: Notify::new() })
    }

    pub(super) fn liveness(&self) -> Liveness {
        self.liveness
    }

    /// A number that nobody else has.
    pub(super) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn sit(&self, namespace: &str, server: u64, node: NodeId, link: Arc<Link>, wake: Arc<Notify>) -> Place {
        let place = Place { namespace: namespace.into(), number: self.number() };
        let mut namespaces = self.namespaces.lock();
        let notices = VecDeque::from([Item::Health(link.health())]);
        let seat = Seat { server, node, link, wake, letters: Queue::default(), unsent: Queue::default(), notices };
        namespaces.entry(place.namespace.clone()).or_default().seats.insert(place.number, seat);
        place
    }

    pub(super) fn leave(&self, place: &Place) {
        let mut namespaces = self.namespaces.lock();
        let Some(namespace) = namespaces.get_mut(&place.namespace) else { return };
        if let Some(seat) = namespace.seats.remove(&place.number) {
            seat.wake.notify_one();
        }
        if namespace.seats.is_empty() {
            namespaces.remove(&place.namespace);
        }
    }

    /// Takes all seats of a server.
    pub(super) fn dismiss(&self, server: u64) {
        self.namespaces.lock().retain(|_, namespace| {
            namespace.seats.values().filter(|seat| seat.server == server).for_each(|seat| seat.wake.notify_one());
            namespace.seats.retain(|_, seat| seat.server != server);
            !namespace.seats.is_empty()
        });
    }

    /// What the task of a seat does next; `None` ends it.
    pub(super) fn next(&self, place: &Place) -> Option<Item> {
        let mut namespaces = self.namespaces.lock();
        let seat = namespaces.get_mut(&place.namespace)?.seats.get_mut(&place.number)?;
        if let Some(notice) = seat.notices.pop_front() {
            return Some(notice);
        }
        Some(match seat.link.is_up().then(|| seat.letters.pop()).flatten() {
            Some(letter) => Item::Letter(letter),
            None => Item::Nothing,
        })
    }

    /// Says something to one, or to all others.
    pub(super) fn publish(&self, place: &Place, to: Option<NodeId>, message: Message) -> Result<(), Refused> {
        let mut namespaces = self.namespaces.lock();
        let namespace = namespaces.get_mut(&place.namespace).ok_or(Refused)?;
        let seat = namespace.seats.get_mut(&place.number).ok_or(Refused)?;
        if seat.link.is_up() {
            namespace.send(place.number, to, message);
        } else {
            let cost = message.cost();
            let lost = seat.unsent.push((to, message), cost);
            seat.missed(lost, Loss::Unsent);
        }
        Ok(())
    }

    /// How many are connected.
    pub(super) fn census(&self, place: &Place) -> Result<usize, Unreachable> {
        let namespaces = self.namespaces.lock();
        let namespace = namespaces.get(&place.namespace).ok_or(Unreachable)?;
        let seat = namespace.seats.get(&place.number).ok_or(Unreachable)?;
        if !seat.link.is_up() {
            return Err(Unreachable);
        }
        Ok(namespace.seats.values().filter(|seat| seat.link.is_up()).count())
    }

    pub(super) fn cut(&self, link: &Arc<Link>) {
        let mut namespaces = self.namespaces.lock();
        if link.up.swap(false, Ordering::Relaxed) {
            namespaces.values_mut().for_each(|namespace| namespace.tell(link));
        }
    }

    pub(super) fn mend(&self, link: &Arc<Link>) {
        let mut namespaces = self.namespaces.lock();
        if link.up.swap(true, Ordering::Relaxed) {
            return;
        }
        for namespace in namespaces.values_mut() {
            namespace.tell(link);
            let behind = namespace.seats.iter().filter(|(_, seat)| Arc::ptr_eq(&seat.link, link));
            for number in behind.map(|(number, _)| *number).collect::<Vec<_>>() {
                let waiting = namespace.seats.get_mut(&number).map(|seat| mem::take(&mut seat.unsent));
                for (to, message) in waiting.into_iter().flat_map(Queue::into_items) {
                    namespace.send(number, to, message);
                }
            }
        }
        self.sent.notify_waiters();
    }

    /// Ends when nothing of a server waits for its link.
    pub(super) async fn sent(&self, server: u64) {
        loop {
            let mended = self.sent.notified();
            let waits =
                |namespace: &Namespace| namespace.seats.values().any(|seat| seat.server == server && !seat.unsent.is_empty());
            if !self.namespaces.lock().values().any(waits) {
                return;
            }
            mended.await;
        }
    }
}

impl Namespace {
    /// Puts a message into the queues of those who are to get it.
    fn send(&mut self, from: u64, to: Option<NodeId>, message: Message) {
        let Some(sender) = self.seats.get(&from).map(|seat| seat.node.clone()) else { return };
        let cost = message.cost();
        let letter = Arc::new(Envelope { sender: Some(sender), message, offset: None });
        for (number, seat) in &mut self.seats {
            if *number != from && to.as_ref().is_none_or(|to| *to == seat.node) {
                let lost = seat.letters.push(letter.clone(), cost);
                seat.missed(lost, |_| Loss::Unread);
                seat.wake.notify_one();
            }
        }
    }

    /// Tells those behind a link how it is.
    fn tell(&mut self, link: &Arc<Link>) {
        for seat in self.seats.values_mut().filter(|seat| Arc::ptr_eq(&seat.link, link)) {
            // Only how it is now matters, and a link may be cut any number of times before anybody looks.
            seat.notices.retain(|notice| !matches!(notice, Item::Health(_)));
            seat.notices.push_back(Item::Health(link.health()));
            seat.wake.notify_one();
        }
    }
}

impl Seat {
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

    fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    pub(super) fn health(&self) -> Health {
        if self.is_up() { Health::Connected } else { Health::Disconnected }
    }
}

/// What waits, with what it costs.
#[derive(Debug)]
struct Queue<T> {
    items: VecDeque<(T, usize)>,
    bytes: usize,
}

impl<T> Queue<T> {
    /// Appends, and gives up the oldest as long as there is too much, but not the newest. How many that were.
    fn push(&mut self, item: T, cost: usize) -> u64 {
        self.items.push_back((item, cost));
        self.bytes += cost;
        let mut lost = 0;
        while self.bytes > QUEUE_BYTES && self.items.len() > 1 {
            self.pop();
            lost += 1;
        }
        lost
    }

    fn pop(&mut self) -> Option<T> {
        let (item, cost) = self.items.pop_front()?;
        self.bytes -= cost;
        Some(item)
    }

    fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    fn into_items(self) -> impl Iterator<Item = T> {
        self.items.into_iter().map(|(item, _)| item)
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Queue { items: VecDeque::new(), bytes: 0 }
    }
}
