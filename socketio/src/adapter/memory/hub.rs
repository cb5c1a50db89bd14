//! `Hub`: who sits where, and what waits for whom. One lock makes one order of all that is said.
//!
//! Not here: tasks; whoever sits down brings the one that calls [`Hub::next`].

use super::journal::{Log, Sessions};
use crate::adapter::{
    broker::{Appended, Health, Liveness, Loss, Refused, Unreachable},
    message::{Envelope, Message, NodeId},
};
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    fmt, mem,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};
use tokio::{sync::Notify, time::Instant};

/// What may wait at one seat in each direction; the oldest is given up first.
const QUEUE_BYTES: usize = 16 << 20;

/// How long an entry for the journal waits for a cut link: clients of this server wait for it, too.
const PATIENCE: Duration = Duration::from_secs(2);

/// The cost of telling that an entry is in the journal.
const APPENDED_BYTES: usize = 64;

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
    log: Log,
    sessions: Sessions,
}

/// One server in one namespace.
#[derive(Debug)]
struct Seat {
    server: u64,
    node: NodeId,
    link: Arc<Link>,
    wake: Arc<Notify>,
    /// From the others, and from the journal.
    letters: Queue<Item>,
    /// To the others, while the link is cut.
    unsent: Queue<Unsent>,
    /// What the server is told even then.
    notices: VecDeque<Item>,
    /// Nobody sits here any more; its task is yet to see that.
    left: bool,
}

/// What waits for a link.
#[derive(Debug)]
struct Unsent {
    to: Option<NodeId>,
    message: Message,
    /// Whom to tell the offset in the journal, and until when that waits.
    entry: Option<(Done, Instant)>,
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
        let seat = Seat { server, node, link, wake, letters: Queue::default(), unsent: Queue::default(), notices, left: false };
        namespaces.entry(place.namespace.clone()).or_default().seats.insert(place.number, seat);
        place
    }

    pub(super) fn leave(&self, place: &Place) {
        let mut namespaces = self.namespaces.lock();
        let namespace = namespaces.get_mut(&place.namespace);
        namespace.into_iter().filter_map(|namespace| namespace.seats.get_mut(&place.number)).for_each(Seat::leave);
    }

    /// Takes all seats of a server.
    pub(super) fn dismiss(&self, server: u64) {
        let mut namespaces = self.namespaces.lock();
        let seats = namespaces.values_mut().flat_map(|namespace| namespace.seats.values_mut());
        seats.filter(|seat| seat.server == server).for_each(Seat::leave);
    }

    /// What the task of a seat does next; `None` ends it.
    pub(super) fn next(&self, place: &Place) -> Option<Item> {
        let mut namespaces = self.namespaces.lock();
        let namespace = namespaces.get_mut(&place.namespace)?;
        let seat = namespace.seats.get_mut(&place.number)?;
        let next = seat.next();
        if next.is_none() {
            namespace.seats.remove(&place.number);
            // Its journal is for those who come back; it is not needed where nobody is expected.
            let now = Instant::now();
            namespaces.retain(|_, namespace| !namespace.seats.is_empty() || !namespace.sessions.is_empty(now));
        }
        next
    }

    /// Says something to one, or to all others.
    pub(super) fn publish(&self, place: &Place, to: Option<NodeId>, message: Message) -> Result<(), Refused> {
        let mut namespaces = self.namespaces.lock();
        let namespace = namespaces.get_mut(&place.namespace).ok_or(Refused)?;
        let seat = namespace.seats.get_mut(&place.number).filter(|seat| !seat.left).ok_or(Refused)?;
        if seat.link.is_up() {
            namespace.send(place.number, Unsent { to, message, entry: None });
        } else {
            seat.wait(Unsent { to, message, entry: None });
        }
        Ok(())
    }

    /// Says something to all others, and keeps it. Gives back whom to tell that this failed, if it is clear already.
    pub(super) fn append(&self, place: &Place, message: Message, done: Done) -> Result<(), Done> {
        let mut namespaces = self.namespaces.lock();
        let Some(namespace) = namespaces.get_mut(&place.namespace) else { return Err(done) };
        let Some(seat) = namespace.seats.get_mut(&place.number).filter(|seat| !seat.left) else { return Err(done) };
        let unsent = Unsent { to: None, message, entry: Some((done, Instant::now() + PATIENCE)) };
        if seat.link.is_up() {
            namespace.send(place.number, unsent);
        } else {
            seat.wait(unsent);
        }
        Ok(())
    }

    /// Looks into what is kept for a namespace.
    pub(super) fn kept<T>(&self, place: &Place, look: impl FnOnce(&mut Log, &mut Sessions) -> T) -> Result<T, Unreachable> {
        let mut namespaces = self.namespaces.lock();
        let namespace = namespaces.get_mut(&place.namespace).ok_or(Unreachable)?;
        namespace.seats.get(&place.number).filter(|seat| seat.is_there()).ok_or(Unreachable)?;
        Ok(look(&mut namespace.log, &mut namespace.sessions))
    }

    /// How many are connected.
    pub(super) fn census(&self, place: &Place) -> Result<usize, Unreachable> {
        let namespaces = self.namespaces.lock();
        let namespace = namespaces.get(&place.namespace).ok_or(Unreachable)?;
        namespace.seats.get(&place.number).filter(|seat| seat.is_there()).ok_or(Unreachable)?;
        Ok(namespace.seats.values().filter(|seat| seat.is_there()).count())
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
                for unsent in waiting.into_iter().flat_map(Queue::into_items) {
                    namespace.send(number, unsent);
                }
            }
        }
        self.sent.notify_waiters();
    }

    /// Ends when nothing of a server waits for its link.
    pub(super) async fn sent(&self, server: u64) {
        loop {
            let mended = self.sent.notified();
            let waits = |namespace: &Namespace| {
                namespace.seats.values().any(|seat| seat.server == server && !seat.left && !seat.unsent.is_empty())
            };
            if !self.namespaces.lock().values().any(waits) {
                return;
            }
            mended.await;
        }
    }
}

impl Namespace {
    /// Puts a message into the queues of those who are to get it, and into the journal if it is for that.
    fn send(&mut self, from: u64, Unsent { to, message, entry }: Unsent) {
        let Some(sender) = self.seats.get(&from).map(|seat| seat.node.clone()) else { return };
        let cost = message.cost();
        let offset = entry.is_some().then(|| self.log.next(milliseconds()));
        let letter = Arc::new(Envelope { sender: Some(sender), message, offset: offset.clone() });
        if offset.is_some() {
            self.log.keep(letter.clone(), cost);
        }
        for (number, seat) in self.seats.iter_mut().filter(|(_, seat)| !seat.left) {
            if *number != from && to.as_ref().is_none_or(|to| *to == seat.node) {
                seat.deliver(Item::Letter(letter.clone()), cost);
            }
        }
        if let (Some((done, _)), Some(seat)) = (entry, self.seats.get_mut(&from)) {
            // Among what others say, so that every server sees one order.
            seat.deliver(Item::Appended(done, offset), APPENDED_BYTES);
        }
    }

    /// Tells those behind a link how it is.
    fn tell(&mut self, link: &Arc<Link>) {
        for seat in self.seats.values_mut().filter(|seat| Arc::ptr_eq(&seat.link, link)) {
            // Only how it is now matters, and a link may be cut any number of times before anybody looks.
            seat.notices.retain(|notice| !matches!(notice, Item::Health(_)));
            seat.notices.push_back(Item::Health(link.health()));
            if !link.is_up() {
                seat.hasten();
            }
            seat.wake.notify_one();
        }
    }
}

impl Item {
    fn is_appended(&self) -> bool {
        matches!(self, Item::Appended(..))
    }
}

impl Seat {
    fn is_there(&self) -> bool {
        !self.left && self.link.is_up()
    }

    fn next(&mut self) -> Option<Item> {
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

    /// Lets the server hear of what is in the journal already, though nothing else comes through: clients wait for it.
    fn hasten(&mut self) {
        for (item, cost) in mem::take(&mut self.letters).items {
            if item.is_appended() {
                self.notices.push_back(item);
            } else {
                self.letters.push(item, cost);
            }
        }
    }

    fn deliver(&mut self, item: Item, cost: usize) {
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

    fn wait(&mut self, unsent: Unsent) {
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
    fn leave(&mut self) {
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

    fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    pub(super) fn health(&self) -> Health {
        if self.is_up() { Health::Connected } else { Health::Disconnected }
    }
}

/// The time on the wall.
fn milliseconds() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_millis().try_into().unwrap_or(u64::MAX)
}

/// What waits, with what it costs.
#[derive(Debug)]
struct Queue<T> {
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
