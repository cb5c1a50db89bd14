//! Emitters of ours, and those of the reference, to servers of each kind.

use super::*;
use crate::{
    Untyped,
    adapter::redis::{Emitter, StreamOptions},
};
use std::time::Duration;

#[tokio::test]
async fn an_emitter_is_heard_and_does_not_count() {
    if !is_installed("an_emitter_is_heard_and_does_not_count") {
        return;
    }
    let server = Server::start(&[]).await;
    let kinds: [fn(RedisBuilder) -> RedisBuilder; 3] =
        [|builder| builder, |builder| builder.sharded(SubscriptionMode::Dynamic), |builder| builder.streams(StreamOptions::new())];
    for (at, of) in kinds.into_iter().enumerate() {
        let (one, other) = (Peer::of(of(Redis::builder(server.url()))).await, Peer::of(of(Redis::builder(server.url()))).await);
        together(&[&one, &other]).await;
        for peer in [&one, &other] {
            peer.pipe.joined(&Room::from("lobby"));
            peer.pipe.settled().await;
        }
        let redis = of(Redis::builder(server.url())).connect().await.expect("Redis is there");
        let emitter = Emitter::<Untyped>::at(&redis, "/");
        emitter.emit_raw("n", (0,)).expect("it can be encoded");
        emitter.to("lobby").emit_raw("n", (1,)).expect("it can be encoded");
        emitter.to("lobby").to("bar").except("muted").volatile().compress(false).emit_raw("n", (2,)).expect("it can be encoded");
        emitter.to("lobby").sockets_join("annex");
        emitter.except("x").sockets_leave("annex");
        emitter.to("annex").disconnect_sockets(true);
        assert!(emitter.emit_raw("disconnect", ()).is_err());
        emitter.close(Duration::from_secs(10)).await;
        for peer in [&one, &other] {
            eventually("all have arrived", || peer.ear.heard().len() == 6).await;
            // In a cluster of shards, rooms have channels of their own: no order among them.
            let mut heard = peer.ear.heard();
            heard[..3].sort();
            assert_eq!(heard[..3], numbers(0..3), "{at}");
            for (message, words) in
                heard[3..].iter().zip([&["Join", "lobby", "annex"][..], &["Leave", "except", "annex"], &["Disconnect", "annex"]])
            {
                assert!(words.iter().all(|word| message.contains(word)), "{at}: {message}");
            }
            assert_eq!(*peer.ear.lost.lock(), []);
        }
        assert_eq!(one.pipe.census().await, Ok(2));
    }
    // As the reference's emitter writes it, but for the number.
    let entry = server.ask(&["XRANGE", "socket.io", "-", "+", "COUNT", "1"]);
    let data = r#"{"packet":{"type":2,"data":["n",0],"nsp":"/"},"opts":{"rooms":[],"except":[],"flags":{}}}"#;
    assert_eq!(entry.lines().skip(1).take(8).collect::<Vec<_>>(), ["uid", "emitter", "nsp", "/", "type", "3", "data", data]);
}

#[tokio::test]
async fn an_emitter_on_a_stream_outlives_its_connection() {
    if !is_installed("an_emitter_on_a_stream_outlives_its_connection") {
        return;
    }
    let server = Server::start(&[]).await;
    let proxy = Proxy::start(server.address()).await;
    let short = Duration::from_millis(100);
    let of = |url: String| Redis::builder(url).streams(StreamOptions::new()).watchdog(short, short).connect_timeout(short);
    let one = Peer::of(of(server.url())).await;
    together(&[&one]).await;
    let redis = of(proxy.url()).connect().await.expect("Redis is there");
    let emitter = Emitter::<Untyped>::at(&redis, "/");
    for (round, mode) in [Mode::Pass, Mode::Mute, Mode::Cut].into_iter().enumerate() {
        let before = redis.monitor().stats().losses;
        proxy.set(mode);
        (0..100).for_each(|number| emitter.emit_raw("n", (round * 100 + number,)).expect("it can be encoded"));
        if mode != Mode::Pass {
            eventually(&format!("{mode:?} is noticed"), || redis.monitor().stats().losses > before).await;
        }
        proxy.set(Mode::Pass);
        eventually("it is back", || redis.monitor().is_connected()).await;
        eventually("all have arrived", || one.ear.heard().len() == (round + 1) * 100).await;
    }
    assert_eq!(one.ear.heard(), numbers(0..300));
    let stats = redis.monitor().stats();
    assert_eq!((stats.dropped, stats.uncertain), (0, 0));
}
