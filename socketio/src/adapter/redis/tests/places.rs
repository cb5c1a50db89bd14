//! Redis in other places: a cluster of three masters with a replica each, a server behind sentinels, one that speaks TLS, and a file.

use super::*;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::{process::Command, time::Duration};

/// Three masters and three replicas. Their bus needs a port of its own: chosen by a server, 10000 above the port would be taken easily.
async fn cluster() -> Vec<Server> {
    let arguments = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-require-full-coverage", "no"];
    let mut servers = Vec::new();
    for _ in 0..6 {
        let bus = server::free_port().to_string();
        servers.push(Server::start(&[&arguments[..], &["--cluster-port", &bus]].concat()).await);
    }
    let addresses: Vec<String> = servers.iter().map(|server| server.address().to_string()).collect();
    let mut command = Command::new("redis-cli");
    command.args(["--cluster", "create"]).args(addresses).args(["--cluster-replicas", "1", "--cluster-yes"]);
    let output = command.output().expect("redis-cli");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let is_ok = |server: &Server| {
        let info = server.ask(&["CLUSTER", "INFO"]);
        info.contains("cluster_state:ok")
            && info.contains("cluster_known_nodes:6")
            && server.ask(&["CLUSTER", "SLOTS"]).contains("16383")
    };
    eventually("all know each other", || servers.iter().all(is_ok)).await;
    let replicas =
        || servers.iter().filter(|server| server.ask(&["INFO", "replication"]).contains("master_link_status:up")).count();
    eventually("replicas follow", || replicas() == 3).await;
    servers
}

#[tokio::test]
async fn a_cluster_loses_a_master() {
    if !is_installed("a_cluster_loses_a_master") {
        return;
    }
    let servers = cluster().await;
    let urls: Vec<String> = servers.iter().map(Server::url).collect();
    let patience = Duration::from_secs(600);
    let mut pairs = Vec::new();
    for adapter in ADAPTERS {
        let builder =
            || adapter.of(Redis::cluster(urls.clone()).queue(16 << 20, patience).patience_for_others(Duration::from_secs(10)));
        let (one, other) = (Peer::of(builder()).await, Peer::of(builder()).await);
        together(&[&one, &other]).await;
        // Some on every node.
        (0..50).for_each(|room| other.pipe.joined(&Room::from(format!("room {room}"))));
        other.pipe.settled().await;
        pairs.push((one, other));
    }
    let speak = |from: usize| {
        for (one, _) in &pairs {
            for number in from..from + 50 {
                one.pipe.publish(broadcast(&[&format!("room {}", number - from)], number)).expect("it is queued");
            }
        }
    };
    let heard = |peer: &Peer| {
        let mut heard = peer.ear.heard();
        heard.sort_by_key(|text| text.trim_matches(|c: char| !c.is_ascii_digit()).parse::<usize>().expect("a number"));
        heard
    };
    speak(0);
    eventually("all have arrived", || pairs.iter().all(|(one, other)| other.ear.heard().len() == 50 && one.published() == 50))
        .await;
    let master = servers.iter().find(|server| server.ask(&["ROLE"]).starts_with("master")).expect("there are masters");
    master.kill();
    eventually("it is noticed", || pairs.iter().all(|(one, _)| one.link.health() == Health::Disconnected)).await;
    speak(50);
    // What is published is lost to who has not subscribed again. It is told, and does not go on.
    let told = |other: &Peer| other.ear.heard().len() == 100 || other.ear.unread() > 0;
    eventually("all have arrived, or a gap is told", || pairs.iter().all(|(_, other)| told(other))).await;
    let mut from = 100;
    while {
        speak(from);
        let arrived = || pairs.iter().all(|(_, other)| numbers(from..from + 50).iter().all(|one| other.ear.heard().contains(one)));
        let mut tries = 0..600;
        while !arrived() && tries.next().is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        !arrived()
    } {
        from += 50;
        assert!(from < 1000, "nobody hears every room again");
    }
    for (one, other) in &pairs {
        let heard = heard(other);
        let mut once = heard.clone();
        once.dedup();
        assert_eq!(heard, once, "nothing comes twice");
        assert_eq!((one.uncertain(), one.dropped()), (0, 0));
    }
}

#[tokio::test]
async fn sentinels_tell_where_the_master_is() {
    if !is_installed("sentinels_tell_where_the_master_is") {
        return;
    }
    let master = Server::start(&[]).await;
    let replica = Server::start(&["--replicaof", "127.0.0.1", &master.address().port().to_string()]).await;
    eventually("the replica follows", || replica.ask(&["INFO", "replication"]).contains("master_link_status:up")).await;
    let sentinel = Server::sentinel(&[
        &format!("sentinel monitor shop 127.0.0.1 {} 1", master.address().port()),
        "sentinel down-after-milliseconds shop 500",
        "sentinel failover-timeout shop 2000",
    ])
    .await;
    eventually("the sentinel knows the replica", || sentinel.ask(&["SENTINEL", "REPLICAS", "shop"]).contains("slave")).await;
    let unknown = Redis::sentinel("stock", [sentinel.url()]).connect().await;
    assert!(matches!(unknown, Err(crate::adapter::RedisError::Setting(_))), "{unknown:?}");

    let patience = Duration::from_secs(600);
    let builder = || Redis::sentinel("shop", [sentinel.url()]).queue(16 << 20, patience).patience_for_others(patience);
    let (one, other) = (Peer::of(builder()).await, Peer::of(builder()).await);
    together(&[&one, &other]).await;
    master.kill();
    eventually("it is noticed", || one.link.health() == Health::Disconnected).await;
    (0..10).for_each(|number| one.say(number));
    eventually("they have arrived", || other.ear.heard().len() == 10).await;
    assert_eq!(other.ear.heard(), numbers(0..10));
    assert!(replica.ask(&["ROLE"]).starts_with("master"), "by way of the other server");
}

#[tokio::test]
async fn encrypted_and_by_way_of_a_file() {
    if !is_installed("encrypted_and_by_way_of_a_file") {
        return;
    }
    let folder = std::env::temp_dir().join(format!("socketio-tls-{}-{}", std::process::id(), server::free_port()));
    std::fs::create_dir_all(&folder).expect("a directory");
    let path = |name: &str| folder.join(name).display().to_string();
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    std::fs::write(path("cert.pem"), cert.pem()).expect("a file");
    std::fs::write(path("key.pem"), signing_key.serialize_pem()).expect("a file");
    let (port, file) = (server::free_port(), path("socket"));
    let tls = ["--tls-cert-file", &path("cert.pem"), "--tls-key-file", &path("key.pem"), "--tls-auth-clients", "no"];
    let server = Server::start(&[&["--tls-port", &port.to_string(), "--unixsocket", &file][..], &tls].concat()).await;

    let url = format!("rediss://localhost:{port}");
    let stranger = Redis::connect(url.clone()).await.expect_err("nobody vouches for it");
    assert!(!stranger.to_string().is_empty());
    let trusted = Peer::of(Redis::builder(url).root_certificates(cert.pem())).await;
    let neighbour = Peer::of(Redis::builder(format!("unix://{file}"))).await;
    let plain = Peer::of(Redis::builder(server.url())).await;
    together(&[&trusted, &neighbour, &plain]).await;
    for (number, speaker) in [&trusted, &neighbour, &plain].into_iter().enumerate() {
        speaker.say(number);
    }
    let heard = |peer: &Peer| peer.ear.heard().len() == 2;
    eventually("each has heard the other two", || [&trusted, &neighbour, &plain].into_iter().all(heard)).await;
    let _ = std::fs::remove_dir_all(folder);
}
