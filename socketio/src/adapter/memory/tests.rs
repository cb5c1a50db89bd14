//! Servers on one hub: order, counts, and what a cut link does.

use super::*;
use crate::{adapter::broker::Loss, text::Text};
use parking_lot::Mutex;

/// What a server hears, in a form that is easily compared.
#[derive(Debug, Default)]
struct Ear {
    heard: Mutex<Vec<String>>,
    more: Notify,
}

impl Ear {
    fn note(&self, text: String) {
        self.heard.lock().push(text);
        self.more.notify_one();
    }

    /// Waits for so many more things heard, and takes them.
    async fn hear(&self, count: usize) -> Vec<String> {
        loop {
            let more = self.more.notified();
            {
                let mut heard = self.heard.lock();
                if heard.len() >= count {
                    return heard.drain(..count).collect();
                }
            }
            more.await;
        }
    }
}

impl Inbox for Ear {
    fn received(&self, envelope: Envelope) {
        let Message::Emit { event } = &envelope.message else { return self.note(format!("{:?}", envelope.message)) };
        let offset = envelope.offset.map(|offset| format!(" at {offset}")).unwrap_or_default();
        self.note(format!("{}{offset}", event.json()));
    }

    fn health(&self, health: Health) {
        self.note(format!("{health:?}"));
    }

    fn lost(&self, loss: Loss) {
        self.note(format!("{loss:?}"));
    }
}

fn emit(number: usize) -> Message {
    Message::Emit { event: crate::Body::event("n", &(number,)).expect("a number") }
}

struct Peer {
    ear: Arc<Ear>,
    link: MemoryLink,
    broker: Arc<dyn Broker>,
    pipe: Option<Arc<dyn Pipe>>,
}

impl Peer {
    async fn new(memory: &Memory) -> Peer {
        let (ear, link) = (Arc::new(Ear::default()), memory.link());
        let Connection(broker) = link.clone().connect();
        let pipe = Some(broker.open("/", ear.clone()));
        assert_eq!(ear.hear(1).await, ["Connected"]);
        Peer { ear, link, broker, pipe }
    }

    fn pipe(&self) -> &dyn Pipe {
        self.pipe.as_deref().expect("still there")
    }
}

#[tokio::test]
async fn everybody_else_hears_everything_in_the_same_order() {
    let memory = Memory::new();
    let (a, b, c) = (Peer::new(&memory).await, Peer::new(&memory).await, Peer::new(&memory).await);
    for number in 0..500 {
        [&a, &b][number % 2].pipe().publish(emit(number)).expect("open");
    }
    let heard = c.ear.hear(500).await;
    assert_eq!(heard, (0..500).map(|n| format!("[\"n\",{n}]")).collect::<Vec<_>>());
    assert_eq!(a.ear.hear(250).await, heard.into_iter().skip(1).step_by(2).collect::<Vec<_>>(), "not what it said itself");

    c.pipe().respond(Some(a.pipe().node()), emit(1)).expect("open");
    c.pipe().respond(None, emit(2)).expect("open");
    assert_eq!(a.ear.hear(2).await, ["[\"n\",1]", "[\"n\",2]"]);
    assert_eq!(b.ear.hear(251).await[250], "[\"n\",2]");
}

#[tokio::test]
async fn namespaces_are_apart_and_those_who_leave_are_not_counted() {
    let memory = Memory::new();
    let (a, mut b) = (Peer::new(&memory).await, Peer::new(&memory).await);
    let other = a.broker.open("/other", a.ear.clone());
    assert_eq!(a.ear.hear(1).await, ["Connected"]);
    assert_eq!(other.census().await, Ok(1));
    assert_eq!(a.pipe().census().await, Ok(2));
    b.pipe = None;
    assert_eq!(a.pipe().census().await, Ok(1));
    let c = Peer::new(&memory).await;
    assert_eq!(a.pipe().census().await, Ok(2));
    c.broker.close(Duration::from_secs(1)).await;
    assert_eq!(a.pipe().census().await, Ok(1));
    assert_eq!(c.pipe().publish(emit(1)), Err(Refused));
    assert_eq!(c.pipe().census().await, Err(Unreachable));
}

#[tokio::test]
async fn a_cut_link_holds_both_directions_back_and_loses_nothing() {
    let memory = Memory::new();
    let (a, b) = (Peer::new(&memory).await, Peer::new(&memory).await);
    b.link.disconnect();
    assert_eq!(b.ear.hear(1).await, ["Disconnected"]);
    assert_eq!((b.pipe().census().await, a.pipe().census().await), (Err(Unreachable), Ok(1)));
    for number in 0..3 {
        a.pipe().publish(emit(number)).expect("open");
        b.pipe().publish(emit(10 + number)).expect("open");
    }
    a.pipe().respond(Some(a.pipe().node()), emit(0)).expect("open");
    b.link.reconnect();
    assert_eq!(b.ear.hear(4).await, ["Connected", "[\"n\",0]", "[\"n\",1]", "[\"n\",2]"]);
    assert_eq!(a.ear.hear(3).await, ["[\"n\",10]", "[\"n\",11]", "[\"n\",12]"]);
}

#[tokio::test]
async fn too_much_for_a_cut_link_is_counted() {
    let memory = Memory::new();
    let (a, b) = (Peer::new(&memory).await, Peer::new(&memory).await);
    let megabyte = "x".repeat(1 << 20);
    let emit = |n: usize| Message::Emit { event: crate::Body::event("n", &(n, &megabyte)).expect("a text") };
    b.link.disconnect();
    for number in 0..18 {
        a.pipe().publish(emit(number)).expect("open");
        b.pipe().publish(emit(number)).expect("open");
    }
    b.link.reconnect();
    let heard = b.ear.hear(18).await;
    let losses = heard.iter().filter(|heard| *heard == "Unread" || *heard == "Unsent(3)").count();
    assert_eq!(losses, 2, "fifteen of a megabyte and a bit are kept");
    assert!(heard[3].starts_with("[\"n\",3,") && heard[17].starts_with("[\"n\",17,"));
    assert!(a.ear.hear(15).await[0].starts_with("[\"n\",3,"));
}

#[tokio::test(start_paused = true)]
async fn closing_waits_for_the_link_but_not_for_ever() {
    let memory = Memory::new();
    let (a, b) = (Peer::new(&memory).await, Peer::new(&memory).await);
    b.link.disconnect();
    b.pipe().publish(emit(1)).expect("open");
    let closing = tokio::spawn(b.broker.close(Duration::from_secs(5)));
    tokio::task::yield_now().await;
    assert!(!closing.is_finished());
    b.link.reconnect();
    closing.await.expect("closed");
    assert_eq!(a.ear.hear(1).await, ["[\"n\",1]"]);

    a.link.disconnect();
    a.pipe().publish(emit(2)).expect("open");
    a.broker.close(Duration::from_secs(5)).await;
    assert_eq!(a.pipe().publish(emit(3)), Err(Refused));
}

fn broadcast(number: usize) -> Message {
    Message::Broadcast { target: Default::default(), event: crate::Body::event("n", &(number,)).expect("a number") }
}

impl Peer {
    /// Appends; what comes of it is heard by this peer.
    fn append(&self, number: usize) {
        let ear = self.ear.clone();
        let done = move |offset: Option<Arc<str>>| ear.note(format!("appended {number}: {}", offset.is_some()));
        self.journal().append(broadcast(number), Box::new(done));
    }

    fn journal(&self) -> Arc<dyn Journal> {
        self.pipe().journal().expect("there is always one")
    }
}

#[tokio::test]
async fn the_journal_has_one_order_for_all() {
    let memory = Memory::new();
    let (a, b) = (Peer::new(&memory).await, Peer::new(&memory).await);
    let (send, mut offsets) = tokio::sync::mpsc::unbounded_channel();
    for number in 0..6 {
        let send = send.clone();
        let done = move |offset| send.send(offset).expect("read below");
        [&a, &b][number % 2].journal().append(broadcast(number), Box::new(done));
    }
    let mut known = Vec::new();
    while known.len() < 6 {
        known.extend(offsets.recv().await.flatten());
    }
    known.sort_by_key(|offset| offset.split('-').map(|part| part.parse::<u64>().expect("a number")).collect::<Vec<_>>());
    let missed = b.journal().after(&known[1], 10, 1 << 20).await.expect("connected").expect("there");
    assert!(missed.iter().map(|envelope| envelope.offset.as_ref()).eq(known[2..].iter().map(Some)));
    let events = missed.iter().map(|envelope| match &envelope.message {
        Message::Broadcast { event, .. } => event.json().to_owned(),
        other => format!("{other:?}"),
    });
    assert!(events.eq((2..6).map(|number| format!("[\"n\",{number}]"))));
    assert!(b.journal().after(&known[1], 3, 1 << 20).await.expect("connected").is_none(), "too many");
    assert!(b.journal().after("0-0", 3, 1 << 20).await.expect("connected").is_none(), "unknown");
}

#[tokio::test(start_paused = true)]
async fn an_entry_waits_for_the_link_and_not_for_long() {
    let memory = Memory::new();
    let (a, mut b) = (Peer::new(&memory).await, Peer::new(&memory).await);
    b.link.disconnect();
    assert_eq!(b.ear.hear(1).await, ["Disconnected"]);
    b.append(1);
    b.link.reconnect();
    assert_eq!(b.ear.hear(2).await, ["Connected", "appended 1: true"]);
    assert_eq!(a.ear.hear(1).await.len(), 1);

    b.link.disconnect();
    assert_eq!(b.ear.hear(1).await, ["Disconnected"]);
    let start = tokio::time::Instant::now();
    b.append(2);
    b.pipe().publish(emit(3)).expect("open");
    assert_eq!(b.ear.hear(2).await, ["Unsent(1)", "appended 2: false"]);
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    assert_eq!(b.journal().take("pid").await, Err(Unreachable));
    b.append(4);
    b.link.reconnect();
    assert_eq!(a.ear.hear(1).await, ["[\"n\",3]"], "the one that was given up is never sent");

    b.link.disconnect();
    b.append(5);
    let (ear, journal) = (b.ear.clone(), b.journal());
    b.pipe = None;
    assert_eq!(ear.hear(3).await.last().map(String::as_str), Some("appended 5: false"), "whoever waits is told");
    let told = ear.clone();
    journal.append(broadcast(6), Box::new(move |offset| told.note(format!("{offset:?}"))));
    assert_eq!(ear.hear(1).await, ["None"]);
}

#[tokio::test(start_paused = true)]
async fn a_session_is_taken_once_and_in_time() {
    let memory = Memory::new();
    let (mut a, mut b) = (Peer::new(&memory).await, Peer::new(&memory).await);
    let session = |pid: &str| SessionRecord {
        sid: "sid".into(),
        pid: pid.into(),
        rooms: Vec::new(),
        data: Text::from_static("{}"),
        namespace: None,
        start: None,
        mark: None,
    };
    for pid in ["p", "q"] {
        a.journal().keep(session(pid), Duration::from_secs(60)).await.expect("connected");
    }
    // Nobody is there for a while: a rolling restart.
    (a.pipe, b.pipe) = (None, None);
    tokio::task::yield_now().await;
    let c = Peer::new(&memory).await;
    assert_eq!(c.journal().take("p").await, Ok(Some(session("p"))));
    assert_eq!(c.journal().take("p").await, Ok(None));
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(c.journal().take("q").await, Ok(None));
}
