//! What pipes carry while all is well, and how a connection begins.

use super::*;
use crate::adapter::redis::RedisError;

#[tokio::test]
async fn broadcasts_arrive_in_order_and_not_at_home() {
    if !is_installed("broadcasts_arrive_in_order_and_not_at_home") {
        return;
    }
    let server = Server::start(&[]).await;
    for adapter in ADAPTERS {
        let (one, other) = (Peer::new(adapter, server.url()).await, Peer::new(adapter, server.url()).await);
        together(&[&one, &other]).await;
        (0..3000).for_each(|number| one.say(number));
        eventually("all have arrived", || other.ear.heard().len() >= 3000).await;
        assert_eq!(other.ear.heard(), numbers(0..3000), "{adapter:?}");
        other.say(0);
        eventually("the answer has arrived", || !one.ear.heard().is_empty()).await;
        assert_eq!(one.ear.heard(), numbers(0..1));
        assert_eq!(other.ear.heard().len(), 3000);
        assert_eq!((one.losses(), one.uncertain(), one.dropped()), (0, 0, 0));
    }
}

#[tokio::test]
async fn rooms_without_members_are_not_heard() {
    if !is_installed("rooms_without_members_are_not_heard") {
        return;
    }
    let server = Server::start(&[]).await;
    for adapter in [
        Adapter::PubSub,
        Adapter::Sharded(SubscriptionMode::Static),
        Adapter::Sharded(SubscriptionMode::Dynamic),
        Adapter::Sharded(SubscriptionMode::DynamicPrivate),
    ] {
        let (one, other) = (Peer::new(adapter, server.url()).await, Peer::new(adapter, server.url()).await);
        together(&[&one, &other]).await;
        other.pipe.joined(&Room::from("lobby"));
        other.pipe.came(&Room::from("ABCDEFGHIJKLMNOPQRST"));
        other.pipe.settled().await;
        one.pipe.publish(broadcast(&["lobby"], 0)).expect("it is queued");
        one.pipe.publish(broadcast(&["ABCDEFGHIJKLMNOPQRST"], 1)).expect("it is queued");
        one.pipe.publish(broadcast(&["elsewhere"], 2)).expect("it is queued");
        one.pipe.publish(broadcast(&["elsewhere", "lobby"], 3)).expect("it is queued");
        let everything = matches!(adapter, Adapter::Sharded(SubscriptionMode::Static));
        let expected: Vec<String> = if everything { numbers(0..4) } else { [numbers(0..2), numbers(3..4)].concat() };
        eventually("they have arrived", || other.ear.heard().len() >= expected.len()).await;
        assert_eq!(other.ear.heard(), expected, "{adapter:?}");

        other.pipe.left(&Room::from("lobby"));
        other.pipe.settled().await;
        one.pipe.publish(broadcast(&["lobby"], 4)).expect("it is queued");
        one.say(5);
        eventually("the last has arrived", || other.ear.heard().last() == numbers(5..6).first()).await;
        assert_eq!(other.ear.heard().len(), expected.len() + if everything { 2 } else { 1 }, "{adapter:?}");
    }
}

#[tokio::test]
async fn requests_and_answers() {
    if !is_installed("requests_and_answers") {
        return;
    }
    let server = Server::start(&[]).await;
    for (adapter, specific) in [(Adapter::PubSub, false), (Adapter::PubSub, true), (ADAPTERS[1], true)] {
        let builder = || adapter.of(Redis::builder(server.url()).specific_response_channel(specific));
        let (one, other, third) = (Peer::of(builder()).await, Peer::of(builder()).await, Peer::of(builder()).await);
        together(&[&one, &other, &third]).await;
        let id = || crate::adapter::message::RequestId::from("0123456789abcdef");
        one.pipe.publish(Message::Fetch { id: id(), target: Target::default() }).expect("it is queued");
        eventually("it was asked", || !other.ear.heard().is_empty() && !third.ear.heard().is_empty()).await;
        other.pipe.respond(Some(one.pipe.node()), Message::Asked { id: id(), clients: 7 }).expect("it is queued");
        eventually("it was answered", || !one.ear.heard().is_empty()).await;
        assert!(one.ear.heard()[0].contains("clients: 7"), "{:?}", one.ear.heard());
        other.say(1);
        eventually("the third hears the rest", || third.ear.heard().last() == numbers(1..2).first()).await;
        assert_eq!(third.ear.heard().len(), if specific { 2 } else { 3 }, "{adapter:?} {:?}", third.ear.heard());
    }
}

#[tokio::test]
async fn glob_characters_of_a_namespace_match_themselves_only() {
    if !is_installed("glob_characters_of_a_namespace_match_themselves_only") {
        return;
    }
    let server = Server::start(&[]).await;
    let redis = Redis::connect(server.url()).await.expect("Redis is there");
    let broker = redis.connect().0;
    let (ear, other_ear) = (Arc::new(Ear::default()), Arc::new(Ear::default()));
    let pipe = broker.open("/a[b]*", ear.clone());
    pipe.settled().await;
    let speaker = Redis::connect(server.url()).await.expect("Redis is there").connect().0;
    let (speaks, also) = (speaker.open("/a[b]*", other_ear.clone()), speaker.open("/ab", other_ear));
    also.publish(broadcast(&[], 0)).expect("it is queued");
    speaks.publish(broadcast(&[], 1)).expect("it is queued");
    eventually("it has arrived", || !ear.heard().is_empty()).await;
    assert_eq!(ear.heard(), numbers(1..2));
    assert!(ear.lost.lock().is_empty());
}

#[tokio::test]
async fn nonsense_is_skipped_and_reported() {
    if !is_installed("nonsense_is_skipped_and_reported") {
        return;
    }
    let server = Server::start(&[]).await;
    for (adapter, publish) in ADAPTERS.into_iter().zip(["PUBLISH", "SPUBLISH"]) {
        let (one, other) = (Peer::new(adapter, server.url()).await, Peer::new(adapter, server.url()).await);
        together(&[&one, &other]).await;
        for channel in ["socket.io#/#", "socket.io-request#/#", "socket.io-response#/#"] {
            for nonsense in ["", "{", "null", "{\"type\":5}", "[1,2]", "\u{c1}"] {
                server.ask(&[publish, channel, nonsense]);
            }
        }
        one.say(1);
        eventually("what makes sense has arrived", || !other.ear.heard().is_empty()).await;
        assert_eq!(other.ear.heard(), numbers(1..2));
        let poison = other.ear.lost.lock().iter().filter(|loss| matches!(loss, Loss::Poison(_))).count();
        assert!(poison >= 5, "{adapter:?}: {poison}");
    }
}

#[tokio::test]
async fn a_first_connection_fails_loudly() {
    if !is_installed("a_first_connection_fails_loudly") {
        return;
    }
    let server = Server::start(&["--requirepass", "secret"]).await;
    let address = server.address();
    let error = Redis::connect(server.url()).await.expect_err("it needs a password");
    assert!(matches!(error, RedisError::Refused { .. }), "{error}");
    let error = Redis::connect(format!("redis://:wrong@{address}")).await.expect_err("that is not it");
    assert!(error.to_string().contains(&address.to_string()) && !error.to_string().contains("wrong@"), "{error}");
    assert!(Redis::connect(format!("redis://:secret@{address}")).await.is_ok());
    let error = Redis::cluster([format!("redis://:secret@{address}")]).connect().await.expect_err("it is no cluster");
    assert!(matches!(error, RedisError::Refused { .. }), "{error}");
    server.kill();
    let error = Redis::connect(server.url()).await.expect_err("nobody is there");
    assert!(matches!(error, RedisError::Unreachable { .. }), "{error}");
    assert!(matches!(Redis::connect("http://127.0.0.1").await, Err(RedisError::Setting(_))));
    assert!(matches!(Redis::builder(server.url()).key("").connect().await, Err(RedisError::Setting(_))));
}

#[tokio::test]
async fn a_user_with_the_permissions_of_the_guide() {
    if !is_installed("a_user_with_the_permissions_of_the_guide") {
        return;
    }
    let server = Server::start(&[]).await;
    let rules = ["on", ">secret", "resetchannels", "&socket.io*", "&socket.io#/#*", "-@all", "+@connection", "-select", "+@pubsub"];
    assert_eq!(server.ask(&[&["ACL", "SETUSER", "io"][..], &rules].concat()).trim(), "OK");
    let url = format!("redis://io:secret@{}/1", server.address());
    assert!(Redis::connect(url).await.is_err(), "the user may not select a database");
    let url = format!("redis://io:secret@{}", server.address());
    for adapter in ADAPTERS {
        let (one, other) = (Peer::new(adapter, url.clone()).await, Peer::new(adapter, url.clone()).await);
        together(&[&one, &other]).await;
        one.say(0);
        eventually("it has arrived", || !other.ear.heard().is_empty()).await;
    }
    // What is not allowed is counted, and holds up nothing: here four subscriptions and a message.
    let peer = Peer::of(Redis::builder(url).key("other")).await;
    peer.say(0);
    let refused = || peer.link.counters().refused.load(std::sync::atomic::Ordering::Relaxed);
    eventually("all was refused", || refused() == 5).await;
    assert_eq!(peer.link.health(), Health::Connected);
}

#[tokio::test]
async fn closing_sends_what_waits() {
    if !is_installed("closing_sends_what_waits") {
        return;
    }
    let server = Server::start(&[]).await;
    let (one, other) = (Peer::new(Adapter::PubSub, server.url()).await, Peer::new(Adapter::PubSub, server.url()).await);
    together(&[&one, &other]).await;
    (0..1000).for_each(|number| one.say(number));
    one.broker.close(std::time::Duration::from_secs(10)).await;
    assert_eq!(one.broker.health(), Health::Disconnected);
    assert!(one.pipe.publish(broadcast(&[], 1)).is_err());
    eventually("all have arrived", || other.ear.heard().len() == 1000).await;
}
