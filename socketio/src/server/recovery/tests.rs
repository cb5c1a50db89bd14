//! The log and the memory of rooms, without connections; those are in the integration tests.

use super::{Audience, Pid, Recovery, log::Log};
use crate::{
    BuildError, SocketIo, adapter,
    id::SocketId,
    parser::Body,
    room::{Room, Target},
    server::{Spelling, recovery::tracked::History},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, advance};

const MINUTE: Duration = Duration::from_secs(60);

fn event(text: &str) -> Body {
    Body::event("a", &(text,)).expect("serializes")
}

fn all() -> Audience {
    Audience::Many(Target::default())
}

fn to(room: &str) -> Audience {
    Audience::Many(Target { rooms: vec![Room::from(room)], ..Target::default() })
}

fn log(max_events: usize, max_bytes: usize) -> Log {
    Log::new([7; 6], Spelling::default(), max_events, max_bytes, MINUTE)
}

/// The numbers of the events that a client missed which was taken in before all of them and is in no room.
fn missed(log: &Log, lane: &Arc<AtomicU64>, after: u64) -> Option<usize> {
    let mut history = History::default();
    history.accept(0);
    let id = SocketId::from_random([1; 15]);
    log.missed(lane, id, history.look_back(&[]), after, None).map(|missed| missed.len())
}

#[test]
fn offsets_are_found_again() {
    let mut log = log(10, 1 << 20);
    let lane = Arc::default();
    (0..3).for_each(|_| drop(log.append("/", None, &lane, all(), event("x"), true)));
    let found = |offset: &str, start: u64| log.locate(Some(offset), start);
    assert_eq!(log.locate(None, 2), Some(2), "nothing has reached the client: the start");
    assert_eq!(found("BwcHBwcH.1", 0), Some(1));
    assert_eq!(found("BwcHBwcH.3", 0), Some(3));
    assert_eq!(found("BwcHBwcH.1", 2), Some(2), "one of an earlier session");
    assert_eq!(found("AAAAAAAA.9", 2), Some(2), "one of a server before a restart");
    for forged in ["BwcHBwcH.4", "BwcHBwcH.", "BwcHBwcH.-1", "BwcHBwcH", "", ".", "hello.1", "Q7uKWoZ.1"] {
        assert_eq!(found(forged, 0), None, "{forged}");
    }
}

#[test]
fn limits_hold_for_all_namespaces_together() {
    let mut log = log(4, 1 << 20);
    let (busy, quiet) = (Arc::<AtomicU64>::default(), Arc::default());
    drop(log.append("/quiet", None, &quiet, all(), event("x"), true));
    (0..3).for_each(|_| drop(log.append("/busy", None, &busy, all(), event("x"), true)));
    assert_eq!((log.len(), log.crowded_out()), (4, 0));
    assert_eq!((missed(&log, &quiet, 0), missed(&log, &busy, 0)), (Some(1), Some(3)));
    drop(log.append("/busy", None, &busy, all(), event("x"), true));
    assert_eq!((log.len(), log.crowded_out(), log.floor()), (4, 1, 1));
    assert_eq!((missed(&log, &quiet, 0), missed(&log, &busy, 0)), (None, Some(4)), "the oldest has gone, whosesoever");
    assert_eq!(missed(&log, &quiet, 1), Some(0), "who has seen it lacks nothing");
}

#[test]
fn bytes_are_counted_as_long_as_they_are_kept() {
    let mut log = log(1000, 20_000);
    let lane = Arc::default();
    for length in [10, 100, 5000, 15_000, 30_000, 3] {
        drop(log.append("/", None, &lane, to("room"), event(&"x".repeat(length)), true));
        assert!(log.bytes() <= 20_000 && (log.bytes() > length || log.len() == 0), "{length}: {}", log.bytes());
    }
    assert_eq!(log.crowded_out(), 5);
    let before = log.bytes();
    let attachment = crate::Binary::from(vec![0; 9000]);
    drop(log.append("/", None, &lane, all(), Body::event("a", &(attachment,)).expect("serializes"), true));
    assert!(log.bytes() > before + 9000);
}

#[tokio::test(start_paused = true)]
async fn events_age() {
    let mut log = log(10, 1 << 20);
    let lane = Arc::default();
    let start = Instant::now();
    drop(log.append("/", None, &lane, all(), event("x"), true));
    advance(MINUTE / 2).await;
    drop(log.append("/", None, &lane, all(), event("x"), true));
    assert_eq!(log.expire(Instant::now()), Some(start + MINUTE));
    assert_eq!(log.len(), 2);
    advance(MINUTE / 2).await;
    assert_eq!(log.expire(Instant::now()), Some(start + MINUTE + MINUTE / 2));
    assert_eq!((log.len(), missed(&log, &lane, 0), missed(&log, &lane, 1)), (1, None, Some(1)));
    advance(MINUTE).await;
    assert_eq!(log.expire(Instant::now()), None);
    assert_eq!((log.len(), log.bytes(), log.crowded_out(), log.floor()), (0, 0, 0, 2));
    assert_eq!(lane.load(Ordering::Relaxed), 2);
}

#[test]
fn rooms_are_known_as_they_were() {
    let (red, blue) = (Room::from("red"), Room::from("blue"));
    let mut history = History::default();
    history.change(1, 0, red.clone(), true);
    history.accept(2);
    history.change(4, 0, blue.clone(), true);
    history.change(6, 0, red.clone(), false);
    // In and out between the events 7 and 8.
    history.change(7, 0, red.clone(), true);
    history.change(7, 0, red.clone(), false);
    let mut look_back = history.look_back(std::slice::from_ref(&blue));
    let mut at = |number: u64| {
        let rooms = look_back.at(number)?;
        Some((rooms.contains(&red), rooms.contains(&blue)))
    };
    let expected =
        [(8, (false, true)), (7, (false, true)), (6, (true, true)), (5, (true, true)), (4, (true, false)), (3, (true, false))];
    for (number, rooms) in expected {
        assert_eq!(at(number), Some(rooms), "{number}");
    }
    assert_eq!(at(2), None, "not taken in yet");
}

#[test]
fn what_no_kept_event_needs_is_forgotten() {
    let mut history = History::default();
    for number in 0..100_000u64 {
        // The log keeps the last ten events.
        history.change(number, number.saturating_sub(10), Room::from("red"), number % 2 == 0);
        assert!(history.changes() <= 64, "{number}");
    }
    for _ in 0..100_000 {
        history.change(100_000, 0, Room::from("blue"), true);
        history.change(100_000, 0, Room::from("blue"), false);
    }
    assert!(history.changes() <= 64);
}

#[test]
fn a_private_id_does_not_show() {
    let pid = Pid::random();
    assert!(!format!("{pid:?}").contains(pid.expose()));
    assert_ne!(pid, Pid::random());
}

/// Servers of one process, without what they could keep.
#[derive(Debug)]
struct Forgetful(adapter::Memory);

impl adapter::sealed::Connect for Forgetful {
    fn connect(self) -> adapter::sealed::Connection {
        self.0.connect()
    }

    fn has_journal(&self) -> bool {
        false
    }
}

#[test]
fn recovery_needs_an_adapter_that_keeps_events() {
    let builder = || SocketIo::builder().connection_state_recovery(Recovery::new());
    let refused = builder().adapter(Forgetful(adapter::Memory::new())).try_build();
    assert!(matches!(refused, Err(BuildError::RecoveryWithoutJournal)));
    assert!(builder().adapter(adapter::Memory::new()).try_build().is_ok());
    assert!(SocketIo::builder().adapter(Forgetful(adapter::Memory::new())).try_build().is_ok());
}
