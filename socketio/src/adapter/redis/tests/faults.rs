//! What an outage costs: Redis killed, paused, out of memory; connections cut, killed, silent.

use super::*;
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(100);

#[tokio::test]
async fn redis_restarts_amid_traffic() {
    if !is_installed("redis_restarts_amid_traffic") {
        return;
    }
    for adapter in ADAPTERS {
        let server = Server::start(&[]).await;
        let builder = || adapter.of(Redis::builder(server.url())).patience_for_others(Duration::from_secs(600));
        let (one, other) = (Peer::of(builder()).await, Peer::of(builder()).await);
        together(&[&one, &other]).await;
        one.pipe.joined(&Room::from("lobby"));
        (0..100).for_each(|number| one.say(number));
        eventually("they have arrived", || other.ear.heard().len() == 100 && one.published() == 100).await;
        server.kill();
        eventually("it is noticed", || one.link.health() == Health::Disconnected).await;
        (100..200).for_each(|number| one.say(number));
        server.restart().await;
        (200..300).for_each(|number| one.say(number));
        eventually("they have arrived", || other.ear.heard().len() == 300).await;
        assert_eq!(other.ear.heard(), numbers(0..300), "{adapter:?}");
        assert_eq!((one.uncertain(), one.dropped(), one.losses()), (0, 0, 1));
        eventually("the gap is told", || (one.ear.unread(), other.ear.unread()) == (1, 1)).await;
        // The room is subscribed to again, too.
        one.pipe.settled().await;
        other.pipe.publish(broadcast(&["lobby"], 300)).expect("it is queued");
        eventually("it has arrived", || one.ear.heard() == numbers(300..301)).await;
    }
}

#[tokio::test]
async fn connections_that_redis_closes_are_restored() {
    if !is_installed("connections_that_redis_closes_are_restored") {
        return;
    }
    let server = Server::start(&[]).await;
    for adapter in ADAPTERS {
        let (one, other) = (Peer::new(adapter, server.url()).await, Peer::new(adapter, server.url()).await);
        together(&[&one, &other]).await;
        for (round, kind) in ["pubsub", "normal", "pubsub"].into_iter().enumerate() {
            let before = one.losses() + other.losses();
            server.ask(&["CLIENT", "KILL", "TYPE", kind]);
            eventually("it is noticed", || one.losses() + other.losses() == before + 2).await;
            let both = || one.link.health() == Health::Connected && other.link.health() == Health::Connected;
            eventually("both are back", both).await;
            one.say(round);
            eventually("it has arrived", || other.ear.heard().len() == round + 1).await;
        }
        // Losing the connection for commands is no gap.
        assert_eq!((other.ear.heard(), other.ear.unread()), (numbers(0..3), 2));
    }
}

#[tokio::test]
async fn a_room_that_was_being_left_can_be_joined_again() {
    if !is_installed("a_room_that_was_being_left_can_be_joined_again") {
        return;
    }
    let server = Server::start(&[]).await;
    let proxy = Proxy::start(server.address()).await;
    let patient = |url| ADAPTERS[1].of(Redis::builder(url)).watchdog(Duration::from_secs(60), Duration::from_secs(60));
    let (one, other) = (Peer::of(patient(proxy.url())).await, Peer::of(patient(server.url())).await);
    together(&[&one, &other]).await;
    let lobby = Room::from("lobby");
    one.pipe.joined(&lobby);
    one.pipe.settled().await;
    // The first look at the connections is over by then.
    tokio::time::sleep(SHORT).await;
    let is_in = || server.ask(&["PUBSUB", "SHARDCHANNELS", "*lobby#"]).contains("lobby");
    assert!(is_in());
    proxy.set(Mode::Mute);
    one.pipe.left(&lobby);
    eventually("Redis has carried it out, and nobody can say so", || !is_in()).await;
    one.pipe.joined(&lobby);
    server.ask(&["CLIENT", "KILL", "TYPE", "normal"]);
    eventually("it is noticed", || one.losses() == 1).await;
    proxy.set(Mode::Pass);
    eventually("it is back", || one.link.health() == Health::Connected).await;
    one.pipe.settled().await;
    other.pipe.publish(broadcast(&["lobby"], 0)).expect("it is queued");
    eventually("it has arrived", || one.ear.heard() == numbers(0..1)).await;
}

#[tokio::test]
async fn a_half_open_connection_is_given_up() {
    if !is_installed("a_half_open_connection_is_given_up") {
        return;
    }
    let server = Server::start(&[]).await;
    for adapter in ADAPTERS {
        let proxy = Proxy::start(server.address()).await;
        let one = Peer::of(adapter.of(Redis::builder(proxy.url()).watchdog(SHORT, SHORT).connect_timeout(SHORT))).await;
        let other = Peer::new(adapter, server.url()).await;
        together(&[&one, &other]).await;
        proxy.set(Mode::Silent);
        // On its way when nobody knows yet that nothing gets through: at most one batch.
        one.say(0);
        eventually("it is noticed", || one.link.health() == Health::Disconnected).await;
        eventually("the fate of the first is told", || one.uncertain() == 1).await;
        (1..100).for_each(|number| one.say(number));
        proxy.set(Mode::Pass);
        eventually("they have arrived", || other.ear.heard().len() == 99).await;
        assert_eq!(other.ear.heard(), numbers(1..100), "{adapter:?}");
        eventually("the gap is told", || one.ear.unread() == 1).await;
        other.say(7);
        eventually("it hears again", || one.ear.heard() == numbers(7..8)).await;
    }
}

#[tokio::test]
async fn nothing_that_was_carried_out_is_sent_again() {
    if !is_installed("nothing_that_was_carried_out_is_sent_again") {
        return;
    }
    let server = Server::start(&[]).await;
    let proxy = Proxy::start(server.address()).await;
    let one = Peer::of(Redis::builder(proxy.url()).watchdog(SHORT, SHORT)).await;
    let other = Peer::new(Adapter::PubSub, server.url()).await;
    together(&[&one, &other]).await;
    proxy.set(Mode::Mute);
    one.say(0);
    eventually("it has arrived, and nobody can say so", || other.ear.heard().len() == 1).await;
    one.say(1);
    eventually("its fate is told", || one.uncertain() >= 1).await;
    proxy.set(Mode::Pass);
    eventually("the rest has arrived", || other.ear.heard().len() == 2).await;
    assert_eq!(other.ear.heard(), numbers(0..2));
}

#[tokio::test]
async fn a_stopped_redis_is_noticed() {
    if !is_installed("a_stopped_redis_is_noticed") {
        return;
    }
    let server = Server::start(&[]).await;
    let patience = Duration::from_secs(600);
    let fast = || Redis::builder(server.url()).watchdog(SHORT, SHORT).connect_timeout(SHORT).patience_for_others(patience);
    let (one, other) = (Peer::of(fast()).await, Peer::of(fast()).await);
    together(&[&one, &other]).await;
    server.signal("-STOP");
    eventually("it is noticed", || one.link.health() == Health::Disconnected).await;
    assert!(one.pipe.census().await.is_err());
    (0..10).for_each(|number| one.say(number));
    server.signal("-CONT");
    eventually("they have arrived", || other.ear.heard().len() == 10).await;
    assert_eq!(other.ear.heard(), numbers(0..10));
}

#[tokio::test]
async fn what_waits_is_bounded() {
    if !is_installed("what_waits_is_bounded") {
        return;
    }
    let server = Server::start(&[]).await;
    let patience = Duration::from_secs(600);
    let builder = || Redis::builder(server.url()).queue(64 * 1024, patience).patience_for_others(patience);
    let (one, other) = (Peer::of(builder()).await, Peer::of(builder()).await);
    together(&[&one, &other]).await;
    server.kill();
    eventually("it is noticed", || one.link.health() == Health::Disconnected).await;
    {
        // Whoever publishes may hold what is needed to hear of a loss.
        let _held = one.ear.lost.lock();
        (0..2000).for_each(|number| one.say(number));
    }
    assert!(one.link.asker().queued_bytes() <= 64 * 1024);
    let dropped = one.dropped() as usize;
    assert!(dropped > 0 && dropped < 2000, "{dropped}");
    let count = |loss: &Loss| if let Loss::Unsent(count) = loss { *count as usize } else { 0 };
    eventually("all are told", || one.ear.lost.lock().iter().map(count).sum::<usize>() == dropped).await;
    server.restart().await;
    eventually("the newest have arrived", || other.ear.heard().len() == 2000 - dropped).await;
    assert_eq!(other.ear.heard(), numbers(dropped..2000));
}

#[tokio::test]
async fn what_waits_grows_old() {
    if !is_installed("what_waits_grows_old") {
        return;
    }
    let server = Server::start(&[]).await;
    let one = Peer::of(Redis::builder(server.url()).queue(64 * 1024, SHORT)).await;
    server.kill();
    eventually("it is noticed", || one.link.health() == Health::Disconnected).await;
    (0..5).for_each(|number| one.say(number));
    eventually("they are too old", || one.dropped() == 5).await;
    assert_eq!(one.link.asker().queued_bytes(), 0);
}

#[tokio::test]
async fn a_server_that_does_not_come_back_is_not_waited_for_long() {
    if !is_installed("a_server_that_does_not_come_back_is_not_waited_for_long") {
        return;
    }
    let server = Server::start(&[]).await;
    let builder = || Redis::builder(server.url()).patience_for_others(SHORT);
    let (one, other, gone) = (Peer::of(builder()).await, Peer::of(builder()).await, Peer::of(builder()).await);
    together(&[&one, &other, &gone]).await;
    server.kill();
    eventually("it is noticed", || one.link.health() == Health::Disconnected && other.link.health() == Health::Disconnected).await;
    drop(gone);
    server.restart().await;
    let both = || one.link.health() == Health::Connected && other.link.health() == Health::Connected;
    eventually("both are back", both).await;
    one.say(0);
    eventually("it has arrived", || other.ear.heard().len() == 1).await;
}

#[tokio::test]
async fn no_time_at_all_is_a_little() {
    if !is_installed("no_time_at_all_is_a_little") {
        return;
    }
    let server = Server::start(&[]).await;
    let hasty = || Redis::builder(server.url()).watchdog(Duration::ZERO, Duration::from_secs(3)).queue(64 * 1024, Duration::ZERO);
    let (one, other) = (Peer::of(hasty()).await, Peer::of(hasty()).await);
    together(&[&one, &other]).await;
    let commands = || {
        let stats = server.ask(&["INFO", "commandstats"]);
        let pings = stats.lines().find_map(|line| line.strip_prefix("cmdstat_ping:calls=")).and_then(|rest| rest.split(',').next());
        pings.and_then(|count| count.parse::<u32>().ok()).expect("there were pings")
    };
    let before = commands();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let pings = commands() - before;
    // Four connections, each looked at every 10 ms at most, and the time that asking takes.
    assert!(pings < 1000, "{pings}");
    one.say(0);
    eventually("it has arrived", || other.ear.heard() == numbers(0..1)).await;
}
