//! Servers on a stream: nothing is lost, nothing comes twice, whatever happens to their connections; and what a stream remembers.

use super::*;
use crate::adapter::{
    message::{RequestId, SessionRecord},
    redis::StreamOptions,
};
use std::time::Duration;
use tokio::sync::oneshot;

const SHORT: Duration = Duration::from_millis(100);

fn builder(url: String) -> RedisBuilder {
    Redis::builder(url).streams(StreamOptions::new())
}

async fn pair(server: &Server) -> (Peer, Peer) {
    let (one, other) = (Peer::of(builder(server.url())).await, Peer::of(builder(server.url())).await);
    together(&[&one, &other]).await;
    (one, other)
}

#[tokio::test]
async fn entries_arrive_in_order_and_not_at_home() {
    if !is_installed("entries_arrive_in_order_and_not_at_home") {
        return;
    }
    let server = Server::start(&[]).await;
    let (one, other) = pair(&server).await;
    (0..3000).for_each(|number| one.say(number));
    eventually("all have arrived", || other.ear.heard().len() >= 3000).await;
    assert_eq!(other.ear.heard(), numbers(0..3000));
    other.pipe.publish(Message::Emit { event: crate::Body::event("n", &(7,)).expect("a number") }).expect("it is queued");
    eventually("the answer has arrived", || !one.ear.heard().is_empty()).await;
    assert_eq!(one.ear.heard(), numbers(7..8));
    assert_eq!((one.losses(), one.uncertain(), one.dropped(), other.ear.unread()), (0, 0, 0, 0));
    // As the reference writes them, and a field that it ignores.
    let entry = server.ask(&["XREVRANGE", "socket.io", "+", "-", "COUNT", "1"]);
    let lines: Vec<&str> = entry.lines().collect();
    let uid = other.pipe.node().as_str();
    assert_eq!(lines[1..], ["uid", uid, "nsp", "/", "type", "9", "data", r#"{"packet":["n",7]}"#, "n", "0"]);
}

#[tokio::test]
async fn a_server_whose_connection_breaks_loses_nothing() {
    if !is_installed("a_server_whose_connection_breaks_loses_nothing") {
        return;
    }
    let server = Server::start(&[]).await;
    let proxy = Proxy::start(server.address()).await;
    let fast = builder(proxy.url()).watchdog(SHORT, SHORT).connect_timeout(SHORT);
    let (one, other) = (Peer::of(fast).await, Peer::of(builder(server.url())).await);
    together(&[&one, &other]).await;
    // Before it has read anything.
    let mut sent = 0;
    for mode in [Mode::Cut, Mode::Silent, Mode::Mute, Mode::Cut] {
        let before = one.losses();
        proxy.set(mode);
        for _ in 0..250 {
            one.say(sent);
            other.say(sent);
            sent += 1;
        }
        eventually("it is noticed", || one.losses() > before).await;
        proxy.set(Mode::Pass);
        eventually("what was sent here has arrived there", || other.ear.heard().len() >= sent).await;
        eventually("what was sent there has arrived here", || one.ear.heard().len() >= sent).await;
    }
    one.say(sent);
    other.say(sent);
    eventually("the last has arrived", || one.ear.heard().len() > sent && other.ear.heard().len() > sent).await;
    assert_eq!(one.ear.heard(), numbers(0..sent + 1));
    assert_eq!(other.ear.heard(), numbers(0..sent + 1));
    assert_eq!((one.uncertain(), one.dropped(), one.ear.unread()), (0, 0, 0));
}

#[tokio::test]
async fn redis_restarts_and_the_stream_is_whole() {
    if !is_installed("redis_restarts_and_the_stream_is_whole") {
        return;
    }
    let server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]).await;
    let (one, other) = pair(&server).await;
    (0..200).for_each(|number| one.say(number));
    server.kill();
    (200..400).for_each(|number| one.say(number));
    server.restart().await;
    (400..600).for_each(|number| one.say(number));
    eventually("all have arrived", || other.ear.heard().len() >= 600).await;
    assert_eq!(other.ear.heard(), numbers(0..600));
    assert_eq!((one.uncertain(), one.dropped(), other.ear.unread()), (0, 0, 0));
}

#[tokio::test]
async fn who_is_overtaken_says_so() {
    if !is_installed("who_is_overtaken_says_so") {
        return;
    }
    let server = Server::start(&[]).await;
    let proxy = Proxy::start(server.address()).await;
    let small = |url| Redis::builder(url).streams(StreamOptions::new().max_len(1000)).watchdog(SHORT, SHORT).connect_timeout(SHORT);
    let (one, other) = (Peer::of(small(proxy.url())).await, Peer::of(small(server.url())).await);
    together(&[&one, &other]).await;
    other.say(0);
    eventually("the first has arrived", || one.ear.heard().len() == 1).await;
    proxy.set(Mode::Cut);
    eventually("it is noticed", || one.link.health() == Health::Disconnected).await;
    (1..500).for_each(|number| other.say(number));
    eventually("they are written", || server.ask(&["XLEN", "socket.io"]).trim() == "500").await;
    proxy.set(Mode::Pass);
    eventually("they have arrived", || one.ear.heard().len() == 500).await;
    assert_eq!(one.ear.unread(), 0);

    proxy.set(Mode::Cut);
    eventually("it is noticed", || one.link.health() == Health::Disconnected).await;
    (500..4000).for_each(|number| other.say(number));
    eventually("they are written", || other.link.counters().published.load(std::sync::atomic::Ordering::Relaxed) == 4000).await;
    proxy.set(Mode::Pass);
    eventually("the last has arrived", || one.ear.heard().last() == numbers(3999..4000).first()).await;
    assert_eq!(one.ear.unread(), 1);
    let heard = one.ear.heard();
    assert_eq!(heard[500..], numbers(4500 - heard.len()..4000));

    // A stream that begins anew is read from its beginning.
    server.ask(&["DEL", "socket.io"]);
    other.say(4000);
    eventually("it has arrived", || one.ear.heard().last() == numbers(4000..4001).first()).await;
}

#[tokio::test]
async fn an_entry_that_nobody_understands_is_read_once() {
    if !is_installed("an_entry_that_nobody_understands_is_read_once") {
        return;
    }
    let server = Server::start(&[]).await;
    let (one, other) = pair(&server).await;
    for fields in [
        &["uid", "x", "nsp", "/", "type", "3"][..],
        &["uid", "x", "nsp", "/", "type", "3", "data", "{}"],
        &["uid", "x", "nsp", "/", "type", "3", "data", "!!"],
        &["uid", "x", "nsp", "/"],
        // For nobody, or unknown: ignored.
        &["a", "b"],
        &["uid", "x", "type", "3", "data", "{}"],
        &["uid", "x", "nsp", "/other", "type", "3", "data", "{}"],
        &["uid", "x", "nsp", "/", "type", "77", "data", "{}"],
    ] {
        server.ask(&[&["XADD", "socket.io", "*"][..], fields].concat());
    }
    // Of the emitter of the reference, which puts the namespace into the packet.
    let data = r#"{"packet":{"type":2,"data":["n",1],"nsp":"/"},"opts":{"rooms":[],"except":[],"flags":{}}}"#;
    server.ask(&["XADD", "socket.io", "*", "uid", "emitter", "nsp", "/", "type", "3", "data", data]);
    eventually("what makes sense has arrived", || !other.ear.heard().is_empty()).await;
    assert_eq!(other.ear.heard(), numbers(1..2));
    let poison = |peer: &Peer| peer.ear.lost.lock().iter().filter(|loss| matches!(loss, Loss::Poison(_))).count();
    eventually("both have counted", || (poison(&one), poison(&other)) == (4, 4)).await;
}

#[tokio::test]
async fn questions_and_answers_are_published() {
    if !is_installed("questions_and_answers_are_published") {
        return;
    }
    let server = Server::start(&[]).await;
    for sharded in [false, true] {
        let builder = || Redis::builder(server.url()).streams(StreamOptions::new().sharded_pubsub(sharded));
        let (one, other, third) = (Peer::of(builder()).await, Peer::of(builder()).await, Peer::of(builder()).await);
        together(&[&one, &other, &third]).await;
        let id = || RequestId::from("0123456789abcdef");
        one.pipe.publish(Message::Fetch { id: id(), target: Target::default() }).expect("it is queued");
        eventually("it was asked", || !other.ear.heard().is_empty() && !third.ear.heard().is_empty()).await;
        other.pipe.respond(Some(one.pipe.node()), Message::Asked { id: id(), clients: 7 }).expect("it is queued");
        eventually("it was answered", || !one.ear.heard().is_empty()).await;
        assert!(one.ear.heard()[0].contains("clients: 7"), "{:?}", one.ear.heard());
        assert_eq!(server.ask(&["EXISTS", "socket.io"]).trim(), "0");
    }
}

#[tokio::test]
async fn a_namespace_with_a_negative_hash() {
    if !is_installed("a_namespace_with_a_negative_hash") {
        return;
    }
    let server = Server::start(&[]).await;
    let open = async |ear: &Arc<Ear>| {
        let redis = Redis::builder(server.url()).streams(StreamOptions::new().count(3)).connect().await.expect("Redis is there");
        let broker = redis.connect().0;
        let pipe = broker.open("/notifications", ear.clone());
        pipe.settled().await;
        (broker, pipe)
    };
    let ear = Arc::new(Ear::default());
    let (one, _other) = (open(&Arc::default()).await, open(&ear).await);
    one.1.publish(broadcast(&[], 1)).expect("it is queued");
    eventually("it has arrived", || ear.heard() == numbers(1..2)).await;
    assert_eq!(server.ask(&["XLEN", "socket.io--2"]).trim(), "1");
    // What others write to where they read.
    let data = r#"{"packet":{"type":2,"data":["n",2]},"opts":{"rooms":[],"except":[],"flags":{}}}"#;
    server.ask(&["XADD", "socket.io-2", "*", "uid", "x", "nsp", "/notifications", "type", "3", "data", data]);
    eventually("it has arrived", || ear.heard() == numbers(1..3)).await;
}

/// Appends broadcasts; their offsets.
async fn append(peer: &Peer, range: std::ops::Range<usize>) -> Vec<String> {
    let journal = peer.pipe.journal().expect("streams have one");
    let mut offsets = Vec::new();
    for number in range {
        let (tell, told) = oneshot::channel();
        journal.append(broadcast(&[], number), Box::new(move |offset| drop(tell.send(offset))));
        offsets.push(told.await.expect("it is told").expect("it was written").to_string());
    }
    offsets
}

#[tokio::test]
async fn broadcasts_after_an_offset() {
    if !is_installed("broadcasts_after_an_offset") {
        return;
    }
    let server = Server::start(&[]).await;
    let (one, other) = pair(&server).await;
    let offsets = append(&one, 0..5).await;
    one.pipe.publish(Message::Join { target: Target::default(), rooms: vec!["x".into()] }).expect("it is queued");
    server.ask(&["XADD", "socket.io", "*", "uid", "x", "nsp", "/", "type", "3"]);
    server.ask(&["XADD", "socket.io", "*", "uid", "x", "nsp", "/chat", "type", "3", "data", "{}"]);
    eventually("all have arrived", || other.ear.heard().len() == 6).await;
    let journal = other.pipe.journal().expect("streams have one");
    let after = async |offset: &str, limit| journal.after(offset, limit, 1 << 20).await.expect("Redis is there");
    let missed = after(&offsets[1], 100).await.expect("the offset is there");
    let seen: Vec<_> = missed.iter().map(|envelope| envelope.offset.as_deref().expect("it has one").to_owned()).collect();
    assert_eq!(seen, offsets[2..]);
    assert!(missed.iter().all(|envelope| envelope.sender.as_ref() == Some(one.pipe.node())));
    assert_eq!(after(&offsets[4], 100).await.map(|missed| missed.len()), Some(0));
    assert!(after(&offsets[1], 3).await.is_some());
    assert!(after(&offsets[1], 2).await.is_none());
    assert!(matches!(journal.after(&offsets[1], 100, 10).await, Ok(None)), "too much");
    for unknown in ["1-1", "", "$", "-", "nonsense", "1-1 2-2"] {
        assert!(after(unknown, 100).await.is_none(), "{unknown}");
    }
}

#[tokio::test]
async fn what_is_appended_amid_an_outage_is_told_in_order() {
    if !is_installed("what_is_appended_amid_an_outage_is_told_in_order") {
        return;
    }
    let server = Server::start(&[]).await;
    let proxy = Proxy::start(server.address()).await;
    let one = Peer::of(builder(proxy.url()).watchdog(SHORT, SHORT).connect_timeout(SHORT)).await;
    one.pipe.settled().await;
    let journal = one.pipe.journal().expect("streams have one");
    let told: Arc<Mutex<Vec<(usize, String)>>> = Arc::default();
    for (start, mode) in [(0, Mode::Pass), (100, Mode::Mute), (200, Mode::Cut)] {
        let before = one.losses();
        proxy.set(mode);
        for number in start..start + 100 {
            let told = told.clone();
            let tell = move |offset: Option<Arc<str>>| told.lock().push((number, offset.expect("it was written").to_string()));
            journal.append(broadcast(&[], number), Box::new(tell));
        }
        if mode != Mode::Pass {
            eventually("it is noticed", || one.losses() > before).await;
        }
        proxy.set(Mode::Pass);
        eventually("all are told", || told.lock().len() == start + 100).await;
    }
    let told = told.lock().clone();
    assert!(told.iter().map(|(number, _)| *number).eq(0..300));
    let ids: Vec<String> =
        server.ask(&["XRANGE", "socket.io", "-", "+"]).lines().filter(|line| is_id(line)).map(str::to_owned).collect();
    assert_eq!(told.into_iter().map(|(_, offset)| offset).collect::<Vec<_>>(), ids);
}

fn is_id(line: &str) -> bool {
    line.split_once('-').is_some_and(|(one, other)| one.len() == 13 && [one, other].iter().all(|part| part.parse::<u64>().is_ok()))
}

#[tokio::test]
async fn a_session_is_taken_once() {
    if !is_installed("a_session_is_taken_once") {
        return;
    }
    let server = Server::start(&[]).await;
    let (one, other) = pair(&server).await;
    let journals = [&one, &other].map(|peer| peer.pipe.journal().expect("streams have one"));
    let session = |pid: &str| SessionRecord {
        sid: "WHdIAvkFDQ8cZ_oSAAAA".into(),
        pid: pid.into(),
        rooms: vec!["room1".into()],
        data: r#"{"name":"u1"}"#.into(),
        namespace: None,
        start: None,
        mark: None,
    };
    let pid = "OP235Uh_onZ4K96XAAAB";
    journals[0].keep(session(pid), Duration::from_secs(30)).await.expect("Redis is there");
    assert!(server.ask(&["GET", &format!("sio:session:{pid}")]).starts_with("hKNzaWS0V0hkSUF2a0ZEUThjWl9vU0FBQUGjcGlk"));
    let expiry: u64 = server.ask(&["PTTL", &format!("sio:session:{pid}")]).trim().parse().expect("a time");
    assert!((1..=30_000).contains(&expiry));
    assert_eq!(journals[1].peek(pid).await, Ok(Some(session(pid))), "it stays there");
    let taken = futures_util::future::join_all((0..20).map(|at| journals[at % 2].take(pid))).await;
    let taken: Vec<_> = taken.into_iter().filter_map(|taken| taken.expect("Redis is there")).collect();
    assert_eq!(taken, [session(pid)]);
    assert_eq!(journals[0].take("never").await, Ok(None));
    server.ask(&["SET", "sio:session:x", "nonsense"]);
    assert_eq!(journals[0].take("x").await, Ok(None));
    journals[0].keep(session("short"), Duration::from_millis(1)).await.expect("Redis is there");
    eventually("it is forgotten", || server.ask(&["EXISTS", "sio:session:short"]).trim() == "0").await;
    assert_eq!(journals[1].take("short").await, Ok(None));
    server.kill();
    assert!(journals[1].take(pid).await.is_err());
}

#[tokio::test]
async fn a_user_with_the_permissions_of_the_guide_has_a_stream() {
    if !is_installed("a_user_with_the_permissions_of_the_guide_has_a_stream") {
        return;
    }
    let server = Server::start(&[]).await;
    let user = |rules: &[&str]| assert_eq!(server.ask(&[&["ACL", "SETUSER", "io"][..], rules].concat()).trim(), "OK");
    user(&["on", ">secret", "resetchannels", "&socket.io*", "~socket.io*", "-@all", "+@connection", "-select", "+@pubsub"]);
    user(&["+xadd", "+xread", "+xrange", "+xinfo|stream"]);
    let url = format!("redis://io:secret@{}", server.address());
    let fast = || builder(url.clone()).connect_timeout(SHORT);
    let (one, other) = (Peer::of(fast()).await, Peer::of(fast()).await);
    // Transactions are refused: it reads again and again in vain, and does nothing worse.
    eventually("it has tried", || server.ask(&["ACL", "LOG"]).contains("multi")).await;
    one.say(0);
    user(&["+multi", "+exec"]);
    eventually("it has arrived", || other.ear.heard() == numbers(0..1)).await;
}
