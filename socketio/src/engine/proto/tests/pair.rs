//! A server and a client on a virtual clock: whole lives of sessions. Single transitions are in `server`.

use super::world::{Options, World};
use crate::{engine::proto::client, reason::DisconnectReason};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

/// Polling, WebSocket, and the one upgraded to the other.
fn each_transport(test: impl Fn(World)) {
    for (websocket, upgrade) in [(false, false), (true, false), (false, true)] {
        test(World::new(Options { websocket, upgrade, ..Options::default() }));
    }
}

fn numbered(side: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{side}{number}")).collect()
}

#[test]
fn a_session_opens() {
    each_transport(|mut world| {
        world.run_for(SECOND);
        let open = world.client.open.expect("the open packet came");
        assert_eq!((open.sid().len(), open.patience(), open.max_payload_bytes()), (20, 45 * SECOND, Some(1_000_000)));
    });
}

#[test]
fn heartbeats_keep_a_silent_session_for_hours() {
    each_transport(|mut world| {
        world.run_for(10 * HOUR);
        assert_eq!((world.server.closed, world.client.closed), (None, None));
        let pings = world.log().iter().filter(|sent| sent.ends_with(" 2")).count();
        // One each 25 seconds and a round trip.
        assert!((1430..=1440).contains(&pings), "{pings} pings");
    });
}

#[test]
fn messages_arrive_in_order_both_ways() {
    each_transport(|mut world| {
        for number in 0..200 {
            world.server.send(&format!("s{number}"));
            world.client.send(&format!("c{number}"));
            world.run_for(Duration::from_millis(7));
        }
        world.run_for(SECOND);
        assert_eq!(world.client.texts(), numbered("s", 200));
        assert_eq!(world.server.texts(), numbered("c", 200));
    });
}

#[test]
fn an_upgrade_ends_on_the_websocket() {
    let mut world = World::new(Options { upgrade: true, ..Options::default() });
    world.run_for(SECOND);
    assert_eq!(world.client.session.path(), client::Path::WebSocket);
    world.server.send("a");
    world.run_for(SECOND);
    assert_eq!(world.log()[1..], ["GET 6", "WS 4a"]);
    assert_eq!(world.client.texts(), ["a"]);
}

#[test]
fn a_broken_probe_leaves_the_session_on_polling() {
    // The GET's answer takes far longer than the WebSocket: the client waits for it when the probe breaks.
    let mut world = World::new(Options { upgrade: true, delays: vec![5, 5, 5, 5, 5, 5, 900], ..Options::default() });
    for _ in 0..50 {
        world.run_for(Duration::from_millis(11));
        world.break_probe();
    }
    world.server.send("s0");
    world.client.send("c0");
    world.run_for(HOUR);
    assert_eq!((world.client.texts(), world.server.texts()), (numbered("s", 1), numbered("c", 1)));
    assert_eq!((world.server.closed, world.client.closed), (None, None));
}

#[test]
fn a_client_that_is_gone_is_noticed() {
    each_transport(|mut world| {
        world.run_for(SECOND);
        world.cut();
        world.run_for(43 * SECOND);
        assert_eq!(world.server.closed, None);
        world.run_for(2 * SECOND);
        assert_eq!(world.server.closed, Some(DisconnectReason::PingTimeout));
        // The client misses the pings as well.
        assert_eq!(world.client.closed, Some(DisconnectReason::PingTimeout));
    });
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    for websocket in [false, true] {
        let mut world = World::new(Options { websocket, ..Options::default() });
        world.cut();
        world.run_for(20 * SECOND);
        assert_eq!(world.client.closed, Some(DisconnectReason::PingTimeout));
    }
}

#[test]
fn the_server_closes_after_its_last_message() {
    each_transport(|world| close_from_server(world, SECOND));
}

#[test]
fn the_client_closes_after_its_last_message() {
    each_transport(|world| close_from_client(world, SECOND));
}

#[test]
fn either_side_closes_at_any_moment_of_an_upgrade() {
    for millis in 0..400 {
        let world = || World::new(Options { upgrade: true, delays: vec![10, 25, 3], ..Options::default() });
        close_from_server(world(), Duration::from_millis(millis));
        close_from_client(world(), Duration::from_millis(millis));
    }
}

fn close_from_server(mut world: World, after: Duration) {
    world.run_for(after);
    world.server.send("last");
    world.close_server();
    world.run_for(2 * SECOND);
    assert_eq!(world.client.texts(), ["last"], "closed after {after:?}");
    assert_eq!(world.server.closed, Some(DisconnectReason::ForcedClose), "closed after {after:?}");
    assert_eq!(world.client.closed, Some(DisconnectReason::TransportClose), "closed after {after:?}");
}

fn close_from_client(mut world: World, after: Duration) {
    world.run_for(after);
    let opened = world.client.open.is_some();
    world.client.send("last");
    world.close_client();
    world.run_for(2 * SECOND);
    assert_eq!(world.client.closed, Some(DisconnectReason::ForcedClose), "closed after {after:?}");
    // A client that leaves before the handshake is noticed by its silence.
    if opened {
        assert_eq!(world.server.texts(), ["last"], "closed after {after:?}");
        assert_eq!(world.server.closed, Some(DisconnectReason::TransportClose), "closed after {after:?}");
    }
}

#[test]
fn both_sides_close_at_once() {
    each_transport(|mut world| {
        world.run_for(SECOND);
        world.server.send("s0");
        world.client.send("c0");
        world.close_server();
        world.close_client();
        world.run_for(31 * SECOND);
        assert_eq!(world.server.closed, Some(DisconnectReason::ForcedClose));
        assert_eq!(world.client.closed, Some(DisconnectReason::ForcedClose));
    });
}

#[test]
fn a_close_that_nobody_takes_ends_after_thirty_seconds() {
    let mut world = World::new(Options::default());
    world.run_for(SECOND);
    world.cut();
    world.server.send("a");
    world.run_for(SECOND);
    world.close_server();
    world.run_for(29 * SECOND);
    assert_eq!(world.server.closed, None);
    world.run_for(2 * SECOND);
    assert_eq!(world.server.closed, Some(DisconnectReason::ForcedClose));
}
