//! What is dropped for slow consumers, and who waits for them: against a model, with random schedules.

use crate::engine::{
    SlowConsumer,
    outbox::{Bundle, Outbox, SendError, Urgency},
    proto::{Frame, Message},
};
use proptest::prelude::*;
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

/// Every frame of a bundle has its number, and its place in it.
fn bundle(number: usize, frames: usize) -> Bundle {
    let frame = |part: usize| Frame::message(Message::Text(format!("{number}/{part}/{frames}").into()));
    Bundle { first: frame(0), rest: (1..frames).map(frame).collect() }
}

fn text(frame: &Frame) -> String {
    format!("{:?}", frame.data())
}

#[derive(Debug, Clone)]
enum Step {
    Push {
        frames: usize,
        answer: bool,
        key: Option<u8>,
    },
    Take,
    /// The reader takes what there is and hands on so many.
    Send(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let push = (1..4_usize, prop::bool::weighted(0.2), prop::option::of(0..3_u8)).prop_map(|(frames, answer, key)| Step::Push {
        frames,
        answer,
        key: key.filter(|_| !answer),
    });
    prop::collection::vec(prop_oneof![8 => push, 1 => Just(Step::Take), 2 => (1..20_usize).prop_map(Step::Send)], 0..120)
}

/// A bundle that was queued.
struct Queued {
    number: usize,
    frames: usize,
    cost: usize,
    expendable: bool,
    key: Option<u8>,
}

proptest! {
    #[test]
    fn drops_are_whole_bundles_in_the_right_order(steps in steps(), limit in 60..400_usize) {
        let outbox = Outbox::new(limit, SlowConsumer::DropOldest);
        // What waits in the outbox, what its reader has taken, and the frames as the reader has them.
        let (mut waiting, mut taken): (VecDeque<Queued>, VecDeque<usize>) = Default::default();
        let (mut queue, mut handed_on) = (VecDeque::new(), 0);
        let mut bytes = 0;
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Push { frames, answer, key } => {
                    let bundle = bundle(number, frames);
                    let cost = bundle.cost();
                    if let Some(at) = key.and_then(|key| waiting.iter().position(|one| one.key == Some(key))) {
                        bytes -= waiting.remove(at).unwrap().cost;
                    }
                    if !answer && bytes >= limit {
                        while bytes > limit - limit / 4
                            && let Some(at) = waiting.iter().position(|one| one.expendable)
                        {
                            bytes -= waiting.remove(at).unwrap().cost;
                        }
                    }
                    let full = !answer && bytes >= limit;
                    let urgency = if answer { Urgency::Answer } else { Urgency::Normal };
                    let name = key.map(|key| Arc::from(key.to_string()));
                    let pushed = outbox.push_keyed(bundle, urgency, name.as_ref());
                    prop_assert_eq!(pushed, if full { Err(SendError::Full) } else { Ok(()) });
                    if !full {
                        bytes += cost;
                        waiting.push_back(Queued { number, frames, cost, expendable: !answer, key });
                    }
                }
                Step::Take => {
                    if queue.is_empty() {
                        taken.extend(waiting.drain(..).flat_map(|one| std::iter::repeat_n(one.number, one.frames)));
                    }
                    outbox.take(&mut queue, &mut handed_on);
                }
                Step::Send(count) => {
                    for frame in queue.drain(..count.min(queue.len())) {
                        let number = taken.pop_front().unwrap();
                        prop_assert!(text(&frame).contains(&format!("{number}/")), "{:?} instead of {}", frame, number);
                        handed_on += frame.cost();
                        bytes -= frame.cost();
                    }
                    let mut empty = VecDeque::from([Frame::message(Message::Text("".into()))]);
                    outbox.take(&mut empty, &mut handed_on);
                }
            }
            prop_assert_eq!(outbox.waiting_bytes() - handed_on, bytes);
        }
        // The rest, to the last frame.
        handed_on += queue.drain(..).map(|frame: Frame| frame.cost()).sum::<usize>();
        outbox.take(&mut queue, &mut handed_on);
        let expected: Vec<String> = waiting
            .iter()
            .flat_map(|one| (0..one.frames).map(move |part| format!("{}/{part}/{}", one.number, one.frames)))
            .collect();
        prop_assert_eq!(queue.len(), expected.len());
        for (frame, expected) in queue.iter().zip(&expected) {
            prop_assert!(text(frame).contains(expected.as_str()), "{:?} instead of {}", frame, expected);
        }
    }
}

#[test]
fn a_volatile_message_that_is_dropped_replaces_nothing() {
    let outbox = Outbox::new(1000, SlowConsumer::Disconnect);
    let key = Arc::from("cursor");
    outbox.push_keyed(bundle(1, 1), Urgency::Normal, Some(&key)).unwrap();
    assert_eq!(outbox.push_keyed(bundle(2, 1), Urgency::Volatile, Some(&key)), Err(SendError::NotWritable));
    let mut queue = VecDeque::new();
    outbox.take(&mut queue, &mut 0);
    assert!(text(&queue[0]).contains("1/0/1") && queue.len() == 1, "{queue:?}");
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn who_waits_is_woken_when_there_is_room_or_never_will_be() {
    let outbox = Outbox::new(100, SlowConsumer::Disconnect);
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let room = || outbox.poll_room(&mut Context::from_waker(&waker));
    let woken = || wakes.0.swap(0, Ordering::Relaxed);
    assert_eq!(room(), Poll::Ready(Ok(())));
    while outbox.waiting_bytes() < 50 {
        outbox.push(bundle(1, 1), Urgency::Normal).unwrap();
    }
    assert_eq!((room(), room(), woken()), (Poll::Pending, Poll::Pending, 0));
    let (mut queue, mut handed_on) = (VecDeque::new(), 0);
    outbox.take(&mut queue, &mut handed_on);
    assert_eq!(woken(), 0, "taken is not sent");
    handed_on = queue.pop_front().unwrap().cost();
    outbox.take(&mut queue, &mut handed_on);
    assert_eq!((woken(), room()), (1, Poll::Ready(Ok(()))), "asked twice, woken once");
    while outbox.push(bundle(1, 1), Urgency::Normal).is_ok() {
        assert_eq!(woken(), 0);
        let _ = room();
    }
    assert_eq!((woken(), room()), (1, Poll::Ready(Err(SendError::Closed))), "an overflow ends the connection");
    let outbox = Outbox::new(10, SlowConsumer::Disconnect);
    outbox.push(bundle(1, 1), Urgency::Normal).unwrap();
    assert_eq!(outbox.poll_room(&mut Context::from_waker(&waker)), Poll::Pending);
    outbox.close();
    assert_eq!(woken(), 1);
}
