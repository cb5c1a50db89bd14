//! Servers on one hub: order, counts, and what a cut link does.

use super::*;
use crate::adapter::{broker::Loss, message::Envelope};
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
