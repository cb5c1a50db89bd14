//! The outbox: its limit, what each urgency does, and who is woken when.

use crate::engine::{
    SlowConsumer,
    outbox::{Bundle, Outbox, Readiness, SendError, Urgency},
    proto::{Frame, Message},
};
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Wake, Waker},
};

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

const WRITABLE: Readiness = Readiness { blocked: false, writable: true, polls_may_wait: false, posts_are_welcome: false };

/// An outbox and its reader.
struct Reader {
    outbox: Outbox,
    wakes: Arc<Wakes>,
    waker: Waker,
    queue: VecDeque<Frame>,
    handed_on: usize,
}

fn frame(text: &str) -> Frame {
    Frame::message(Message::Text(text.into()))
}

impl Reader {
    fn new(limit_bytes: usize) -> Self {
        Reader::with(limit_bytes, SlowConsumer::Disconnect)
    }

    fn with(limit_bytes: usize, policy: SlowConsumer) -> Self {
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(Arc::clone(&wakes));
        Reader { outbox: Outbox::new(limit_bytes, policy), wakes, waker, queue: VecDeque::new(), handed_on: 0 }
    }

    fn push(&self, text: &str, urgency: Urgency) -> Result<(), SendError> {
        self.outbox.push(frame(text).into(), urgency)
    }

    fn sleep(&self, blocked: bool, writable: bool) -> bool {
        self.outbox.sleep(&self.waker, Readiness { blocked, writable, polls_may_wait: false, posts_are_welcome: false })
    }

    /// How often the reader was woken since it was asked last.
    fn wakes(&self) -> usize {
        self.wakes.0.swap(0, Ordering::Relaxed)
    }

    /// Takes what there is and hands it on.
    fn drain(&mut self) -> Vec<Frame> {
        self.outbox.take(&mut self.queue, &mut self.handed_on);
        self.handed_on += self.queue.iter().map(Frame::cost).sum::<usize>();
        let frames = self.queue.drain(..).collect();
        self.outbox.take(&mut self.queue, &mut self.handed_on);
        frames
    }
}

#[test]
fn a_get_with_nothing_to_take_wakes_nobody_and_the_next_frame_does() {
    let reader = Reader::new(1000);
    let resting = Readiness { blocked: true, writable: false, polls_may_wait: true, posts_are_welcome: false };
    assert!(reader.outbox.sleep(&reader.waker, resting));
    assert_eq!(reader.push("v", Urgency::Volatile), Err(SendError::NotWritable), "no GET hangs");
    reader.outbox.announce_poll();
    assert_eq!(reader.wakes(), 0);
    reader.push("v", Urgency::Volatile).unwrap();
    assert_eq!(reader.wakes(), 1, "the frame can leave");
    assert!(reader.outbox.awake().attention, "and the reader hears of the GET");

    // A second GET is news, and so is one that finds something to take.
    let mut reader = Reader::new(1000);
    assert!(reader.outbox.sleep(&reader.waker, resting));
    reader.outbox.announce_poll();
    reader.outbox.announce_poll();
    assert_eq!(reader.wakes(), 1);
    reader.outbox.awake();
    assert!(reader.outbox.sleep(&reader.waker, resting));
    reader.push("a", Urgency::Normal).unwrap();
    assert_eq!(reader.wakes(), 0, "it waits for a GET");
    reader.outbox.announce_poll();
    assert_eq!(reader.wakes(), 1);
    assert_eq!(reader.drain(), [frame("a")]);
}

#[test]
fn frames_come_out_in_order_and_a_bundle_stays_together() {
    let mut reader = Reader::new(1000);
    reader.push("a", Urgency::Normal).unwrap();
    let bundle = Bundle { first: frame("b"), rest: vec![Frame::binary("1".into()), Frame::binary("2".into())] };
    reader.outbox.push(bundle, Urgency::Answer).unwrap();
    reader.push("c", Urgency::Normal).unwrap();
    let expected = [frame("a"), frame("b"), Frame::binary("1".into()), Frame::binary("2".into()), frame("c")];
    assert_eq!(reader.drain(), expected);
}

#[test]
fn new_frames_stay_behind_those_that_were_taken() {
    let mut reader = Reader::new(1000);
    reader.push("a", Urgency::Normal).unwrap();
    reader.outbox.take(&mut reader.queue, &mut reader.handed_on);
    reader.push("b", Urgency::Normal).unwrap();
    reader.outbox.take(&mut reader.queue, &mut reader.handed_on);
    assert_eq!(reader.queue, [frame("a")]);
    assert_eq!(reader.drain(), [frame("a")]);
    assert_eq!(reader.drain(), [frame("b")]);
}

#[test]
fn a_sleeping_reader_is_woken_once() {
    let reader = Reader::new(1000);
    assert!(reader.sleep(false, true));
    reader.push("a", Urgency::Normal).unwrap();
    reader.push("b", Urgency::Normal).unwrap();
    assert_eq!(reader.wakes(), 1);
}

#[test]
fn a_reader_that_is_awake_is_not_woken_but_does_not_fall_asleep() {
    let mut reader = Reader::new(1000);
    reader.push("a", Urgency::Normal).unwrap();
    assert_eq!(reader.wakes(), 0);
    assert!(!reader.sleep(false, true), "there is something to send");
    reader.drain();
    assert!(reader.sleep(false, true));
    reader.outbox.awake();
    reader.push("b", Urgency::Normal).unwrap();
    assert_eq!(reader.wakes(), 0);
}

#[test]
fn a_blocked_reader_sleeps_on_frames_but_not_on_attention() {
    let reader = Reader::new(1000);
    reader.push("a", Urgency::Normal).unwrap();
    assert!(reader.sleep(true, false));
    reader.push("b", Urgency::Normal).unwrap();
    assert_eq!(reader.wakes(), 0);
    reader.outbox.call_attention();
    assert_eq!(reader.wakes(), 1);
    assert!(!reader.sleep(true, false), "attention was called");
    assert!(reader.outbox.awake().attention);
    assert!(!reader.outbox.awake().attention, "a call is heard once");
    assert!(reader.sleep(true, false));
}

#[test]
fn the_last_waker_counts() {
    let reader = Reader::new(1000);
    let other = Reader::new(1000);
    assert!(reader.sleep(false, true));
    assert!(reader.outbox.sleep(&other.waker, WRITABLE));
    reader.push("a", Urgency::Normal).unwrap();
    assert_eq!((reader.wakes(), other.wakes()), (0, 1));
}

#[test]
fn a_volatile_message_needs_an_idle_reader() {
    let mut reader = Reader::new(1000);
    assert_eq!(reader.push("a", Urgency::Volatile), Err(SendError::NotWritable), "not open yet");
    assert!(reader.sleep(true, false));
    assert_eq!(reader.push("a", Urgency::Volatile), Err(SendError::NotWritable), "blocked");
    assert!(reader.sleep(false, true));
    // The first of a burst goes out, as in the reference.
    assert_eq!(reader.push("a", Urgency::Volatile), Ok(()));
    assert_eq!(reader.push("b", Urgency::Volatile), Err(SendError::NotWritable));
    assert_eq!(reader.wakes(), 1);
    assert_eq!(reader.drain(), [frame("a")]);
    assert!(reader.sleep(false, true));
    reader.push("c", Urgency::Normal).unwrap();
    assert_eq!(reader.push("d", Urgency::Volatile), Err(SendError::NotWritable), "another message is first");
}

#[test]
fn the_limit_is_passed_by_one_message_at_most() {
    let cost = frame("a").cost();
    let reader = Reader::new(3 * cost);
    for _ in 0..3 {
        reader.push("a", Urgency::Normal).unwrap();
    }
    assert!(reader.sleep(true, false));
    assert_eq!(reader.push("a", Urgency::Answer), Ok(()), "an answer is never refused");
    assert_eq!(reader.push("a", Urgency::Normal), Err(SendError::Full));
    assert_eq!(reader.wakes(), 1, "a blocked reader hears of it too");
    assert_eq!(reader.push("a", Urgency::Normal), Err(SendError::Closed), "the connection is on its way out");
    assert_eq!(reader.push("a", Urgency::Answer), Err(SendError::Closed));
    assert!(!reader.sleep(true, false));
    assert!(reader.outbox.awake().overflowed);
}

#[test]
fn one_message_may_be_larger_than_the_limit() {
    let mut reader = Reader::new(10);
    assert_eq!(reader.push("a text that is longer than the limit", Urgency::Normal), Ok(()));
    assert_eq!(reader.drain().len(), 1);
    assert_eq!(reader.push("b", Urgency::Normal), Ok(()));
}

#[test]
fn only_what_was_handed_on_makes_room() {
    let cost = frame("a").cost();
    let mut reader = Reader::new(2 * cost);
    reader.push("a", Urgency::Normal).unwrap();
    reader.push("a", Urgency::Normal).unwrap();
    assert_eq!(reader.drain().len(), 2);
    reader.push("a", Urgency::Normal).unwrap();
    reader.push("a", Urgency::Normal).unwrap();
    reader.outbox.take(&mut reader.queue, &mut reader.handed_on);
    assert_eq!(reader.push("a", Urgency::Normal), Err(SendError::Full), "taken is not sent");
}

#[test]
fn a_closed_outbox_keeps_what_it_has() {
    let mut reader = Reader::new(1000);
    reader.push("a", Urgency::Normal).unwrap();
    reader.outbox.close();
    for urgency in [Urgency::Normal, Urgency::Answer, Urgency::Volatile] {
        assert_eq!(reader.push("b", urgency), Err(SendError::Closed));
    }
    assert_eq!(reader.drain(), [frame("a")]);
}

#[test]
fn no_push_from_another_thread_is_slept_through() {
    const MESSAGES: usize = 2000;
    let reader = Reader::new(usize::MAX);
    let outbox = Arc::new(reader.outbox);
    let pushers: Vec<_> = (0..2)
        .map(|_| {
            let outbox = Arc::clone(&outbox);
            std::thread::spawn(move || (0..MESSAGES).for_each(|_| outbox.push(frame("a").into(), Urgency::Normal).unwrap()))
        })
        .collect();
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let (mut queue, mut handed_on, mut received) = (VecDeque::new(), 0, 0);
    while received < 2 * MESSAGES {
        outbox.awake();
        outbox.take(&mut queue, &mut handed_on);
        received += queue.len();
        handed_on += queue.drain(..).map(|frame: Frame| frame.cost()).sum::<usize>();
        if received < 2 * MESSAGES && outbox.sleep(&waker, WRITABLE) {
            // A lost wake-up would hang here; a spurious one does no harm.
            std::thread::park();
        }
    }
    pushers.into_iter().for_each(|pusher| pusher.join().unwrap());
    outbox.take(&mut queue, &mut handed_on);
    assert!(queue.is_empty());
}
