//! `Hub`: who sits where, and what waits for whom. One lock makes one order of all that is said.
//!
//! Not here: tasks, since whoever sits down brings the one that calls [`Hub::next`]; and what waits for a server (`seat`).

use super::{
    journal::{Log, Sessions},
    seat::{Done, Item, Link, Queue, Seat, Unsent},
};
use crate::adapter::{
    broker::{Liveness, Refused, Unreachable},
    message::{Envelope, Message, NodeId},
};
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, HashMap},
    mem,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};
use tokio::{sync::Notify, time::Instant};

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
        let kept = namespaces.entry(place.namespace.clone()).or_default();
        let seat = Seat::new(server, node, link, wake, kept.log.position());
        kept.seats.insert(place.number, seat);
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

    /// How far a seat has got.
    pub(super) fn position(&self, place: &Place) -> Option<Arc<str>> {
        let namespaces = self.namespaces.lock();
        Some(namespaces.get(&place.namespace)?.seats.get(&place.number)?.delivered.clone())
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
        if link.set(false) {
            namespaces.values_mut().for_each(|namespace| namespace.tell(link));
        }
    }

    pub(super) fn mend(&self, link: &Arc<Link>) {
        let mut namespaces = self.namespaces.lock();
        if link.set(true) {
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
        self.seats.values_mut().filter(|seat| Arc::ptr_eq(&seat.link, link)).for_each(Seat::tell);
    }
}

/// The time on the wall.
fn milliseconds() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_millis().try_into().unwrap_or(u64::MAX)
}
