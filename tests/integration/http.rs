//! The server among other HTTP services: paths, client files, headers, and what is refused.

use crate::{
    client::{Client, Options, Transport},
    http1::{Http, Response},
    script::{basic, script},
    server::Server,
};
use axum::{Router, routing::get};
use flate2::read::GzDecoder;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use serde_json::{Value, json};
use socketio::{Binary, Body, Builder, Cookie, Cors, SocketIo, Untyped};
use socketio_tests::listen;
use std::{io::Read, net::SocketAddr, path::PathBuf, time::Duration};

const HANDSHAKE: &str = "/socket.io/?EIO=4&transport=polling";
const UPGRADE: [(&str, &str); 4] = [
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

fn builder() -> Builder<()> {
    SocketIo::builder().namespace_at::<Untyped, _>("/", script(basic).0)
}

fn start(change: impl FnOnce(Builder<()>) -> Builder<()>) -> Server {
    Server::start(&change(builder()).build())
}

async fn echoes(addr: SocketAddr, path: &str, transport: Transport) {
    let options = Options { path: path.to_owned(), ..Options::default() };
    let mut client = Client::connect_with(addr, transport, options).await;
    client.join("/", None).await;
    assert_eq!(client.call("/", json!(["echo", path])).await, json!([path]));
    client.close().await;
}

async fn websocket_handshake(addr: SocketAddr, path: &str) -> Response {
    let target = format!("{path}?EIO=4&transport=websocket");
    Http::open(addr).await.request("GET", &target, &UPGRADE, b"").await
}

over_all_transports! {
    async fn several_servers_and_routes_side_by_side(transport) {
        let (one, two) = (builder().path("/api/v1/live/").build(), builder().path("/other").build());
        let app = Router::new()
            .route("/api/v1/users", get(async || "users"))
            .route("/api/v1/live", get(async || "no trailing slash"))
            .fallback(async || "fallback")
            .layer(one.layer())
            .layer(two.layer())
            .layer(builder().build().layer());
        let server = Server::serve(app);
        for path in ["/api/v1/live/", "/other/", "/socket.io/", "/socket.io/anything/behind"] {
            echoes(server.addr, path, transport).await;
        }
        for (target, body) in [
            ("/api/v1/users", "users"),
            ("/api/v1/live", "no trailing slash"),
            ("/api/v1/live2/", "fallback"),
            ("/", "fallback"),
        ] {
            assert_eq!(Http::get(server.addr, target, &[]).await.text(), body, "{target}");
        }
        assert_eq!((one.connections(), two.connections()), (0, 0));
    }

    async fn a_service_nested_in_a_router(transport) {
        let io = builder().build();
        let app = Router::new().route("/x", get(async || "x")).nest_service("/nested", io.service());
        let server = Server::serve(app);
        echoes(server.addr, "/nested/socket.io/", transport).await;
        assert_eq!(Http::get(server.addr, "/x", &[]).await.text(), "x");
        assert_eq!(Http::get(server.addr, "/nested/y", &[]).await.status, 404);
    }

    async fn bare_hyper(transport) {
        let io = builder().build();
        let listener = listen::bind(0).expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let service = TowerToHyperService::new(io.service());
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    // Clients come and go.
                    let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                    let _ = connection.with_upgrades().await;
                });
            }
        });
        echoes(addr, "/socket.io/", transport).await;
        assert_eq!(Http::get(addr, "/elsewhere", &[]).await.status, 404);
        serving.abort();
    }
}

#[tokio::test]
async fn refusals_carry_the_codes_of_the_reference() {
    let server = start(|builder| builder);
    for (method, target, status, code) in [
        ("GET", "/socket.io/?EIO=4&transport=carrier-pigeon", 400, 0),
        ("GET", "/socket.io/", 400, 0),
        ("GET", "/socket.io/?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA", 400, 1),
        ("GET", "/socket.io/?EIO=4&transport=polling&sid=__proto__", 400, 1),
        ("POST", HANDSHAKE, 400, 2),
        ("GET", "/socket.io/?EIO=4&transport=websocket", 400, 3),
        ("GET", "/socket.io/?EIO=3&transport=polling", 400, 5),
    ] {
        let refused = Http::open(server.addr).await.request(method, target, &[], b"").await;
        assert_eq!((refused.status, &refused.json()["code"]), (status, &json!(code)), "{method} {target}");
        assert_eq!(refused.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn transports_can_be_restricted() {
    use socketio::Transport as Kind;
    let polling = start(|builder| builder.transports([Kind::Polling]));
    echoes(polling.addr, "/socket.io/", Transport::Polling).await;
    let client = Client::connect(polling.addr, Transport::Polling).await;
    assert_eq!(client.handshake["upgrades"], json!([]));
    assert_eq!(websocket_handshake(polling.addr, "/socket.io/").await.status, 400);
    let target = format!("/socket.io/?EIO=4&transport=websocket&sid={}", client.sid);
    assert_eq!(Http::open(polling.addr).await.request("GET", &target, &UPGRADE, b"").await.status, 400);

    let websocket = start(|builder| builder.transports([Kind::WebSocket]));
    echoes(websocket.addr, "/socket.io/", Transport::WebSocket).await;
    let refused = Http::get(websocket.addr, HANDSHAKE, &[]).await;
    assert_eq!((refused.status, &refused.json()["code"]), (400, &json!(0)));
    assert!(builder().transports([]).try_build().is_err());

    // As in the reference, the upgrade is not offered but would work.
    let silent = start(|builder| builder.allow_upgrades(false));
    let client = Client::connect(silent.addr, Transport::Polling).await;
    assert_eq!(client.handshake["upgrades"], json!([]));
    echoes(silent.addr, "/socket.io/", Transport::Upgraded).await;
    let both = start(|builder| builder);
    assert_eq!(Client::connect(both.addr, Transport::Polling).await.handshake["upgrades"], json!(["websocket"]));
    assert_eq!(Client::connect(both.addr, Transport::WebSocket).await.handshake["upgrades"], json!([]));
}

#[tokio::test]
async fn allow_request_decides_on_handshakes_only() {
    let server = start(|builder| {
        builder.allow_request(|parts| {
            let key = parts.headers.get("x-key").map(|key| key.as_bytes().to_vec());
            async move {
                tokio::task::yield_now().await;
                if key.as_deref() == Some(b"open") { Ok(()) } else { Err("no \"key\"".to_owned()) }
            }
        })
    });
    let refused = Http::get(server.addr, HANDSHAKE, &[]).await;
    assert_eq!((refused.status, refused.json()), (403, json!({ "code": 4, "message": "no \"key\"" })));
    let refused = websocket_handshake(server.addr, "/socket.io/").await;
    assert_eq!((refused.status, refused.text()), (400, "no \"key\""));
    let options = Options { headers: vec![("x-key".to_owned(), "open".to_owned())], ..Options::default() };
    // The requests that follow do not carry the key.
    let mut client = Client::connect_with(server.addr, Transport::Polling, options).await;
    client.join("/", None).await;
    assert_eq!(client.call("/", json!(["echo", 1])).await, json!([1]));
}

#[tokio::test]
async fn headers_cookie_and_cross_origin_requests() {
    let server = start(|builder| {
        builder
            .cors(Cors::new().allow_origin("http://a.example").allow_credentials(true))
            .cookie(Cookie::new().name("sticky"))
            .initial_headers(|headers, _| drop(headers.insert("x-first", "1".parse().expect("a value"))))
            .response_headers(|headers, parts| {
                let method = parts.method.as_str().parse().expect("a value");
                headers.insert("x-every", method);
            })
    });
    let origin = [("Origin", "http://a.example")];
    let mut http = Http::open(server.addr).await;
    let opened = http.request("GET", HANDSHAKE, &origin, b"").await;
    let open: Value = serde_json::from_str(opened.text().strip_prefix('0').expect("an open packet")).expect("JSON");
    let sid = open["sid"].as_str().expect("a sid");
    assert_eq!(opened.header("set-cookie"), Some(&*format!("sticky={sid}; Path=/; HttpOnly; SameSite=Lax")));
    assert_eq!((opened.header("x-first"), opened.header("x-every")), (Some("1"), Some("GET")));
    assert_eq!(opened.header("access-control-allow-origin"), Some("http://a.example"));
    assert_eq!(opened.header("access-control-allow-credentials"), Some("true"));

    let target = format!("{HANDSHAKE}&sid={sid}");
    let posted = http.request("POST", &target, &origin, b"40").await;
    assert_eq!((posted.text(), posted.header("x-first"), posted.header("x-every")), ("ok", None, Some("POST")));
    assert_eq!((posted.header("set-cookie"), posted.header("access-control-allow-origin")), (None, Some("http://a.example")));
    let refused = http.request("GET", "/socket.io/?EIO=4&transport=x", &origin, b"").await;
    assert_eq!((refused.header("x-every"), refused.header("access-control-allow-origin")), (Some("GET"), Some("http://a.example")));

    let preflight =
        [("Origin", "http://a.example"), ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "x-a")];
    let allowed = http.request("OPTIONS", HANDSHAKE, &preflight, b"").await;
    assert_eq!(allowed.status, 204);
    assert_eq!(allowed.header("access-control-allow-headers"), Some("x-a"));
    assert!(allowed.header("access-control-allow-methods").is_some_and(|methods| methods.contains("POST")));

    let opened = websocket_handshake(server.addr, "/socket.io/").await;
    assert_eq!((opened.status, opened.header("x-first"), opened.header("x-every")), (101, Some("1"), Some("GET")));
    assert_eq!(opened.header("set-cookie"), None, "a WebSocket is one connection: it needs no cookie");
}

#[tokio::test]
async fn polling_answers_are_compressed_from_the_threshold_on() {
    let server = start(|builder| builder.http_compression(Some(500)));
    let client = Client::joined(server.addr, Transport::Polling).await;
    let target = format!("{HANDSHAKE}&sid={}", client.sid);
    let gzip = [("Accept-Encoding", "gzip, deflate, br")];
    let mut http = Http::open(server.addr).await;
    for (size, headers, encoding) in [(100, &gzip[..], None), (2000, &gzip, Some("gzip")), (2000, &[], None)] {
        let text = "é".repeat(size);
        http.request("POST", &target, &[], format!("421{}", json!(["echo", text])).as_bytes()).await;
        let answer = http.request("GET", &target, headers, b"").await;
        assert_eq!(answer.header("content-encoding"), encoding, "{size}");
        let mut plain = String::new();
        match encoding {
            Some(_) => drop(GzDecoder::new(&answer.body[..]).read_to_string(&mut plain).expect("gzip")),
            None => plain.push_str(answer.text()),
        }
        assert_eq!(plain, format!("431{}", json!([text])));
    }
}

#[tokio::test]
async fn a_polling_answer_is_compressed_if_one_of_its_packets_wants_it() {
    type Emits<'a> = &'a dyn Fn(&str);
    let io = builder().build();
    let server = Server::start(&io);
    let client = Client::joined(server.addr, Transport::Polling).await;
    let all = io.at::<Untyped>("/").expect("registered");
    let socket = all.sockets().remove(0);
    let remote = all.fetch_sockets().await.expect("alone").remove(0);
    let id = socket.id();
    let event = |text: &str| Body::event("e", &(text,)).expect("JSON");
    let bytes = |text: &str| Body::event("e", &(Binary::from(text.to_owned()),)).expect("JSON");
    let cases: [(&str, Emits<'_>, bool); 15] = [
        ("one client", &|text| socket.emit_body(event(text)).expect("sent"), true),
        ("one client, without", &|text| socket.compress(false).emit_body(event(text)).expect("sent"), false),
        ("the last word counts", &|text| socket.compress(false).compress(true).emit_body(event(text)).expect("sent"), true),
        ("asking", &|text| drop(socket.timeout(Duration::ZERO).ask_body(event(text))), true),
        ("asking, without", &|text| drop(socket.compress(false).ask_body(event(text))), false),
        ("attachments", &|text| socket.emit_body(bytes(text)).expect("sent"), true),
        ("attachments, without", &|text| socket.compress(false).emit_body(bytes(text)).expect("sent"), false),
        ("fetched", &|text| remote.emit_raw("e", (text,)).expect("sent"), true),
        ("fetched, without", &|text| remote.compress(false).emit_body(event(text)).expect("sent"), false),
        ("many", &|text| all.to(id).emit_body(event(text)), true),
        ("many, without", &|text| all.to(id).compress(false).emit_body(event(text)), false),
        ("all, without", &|text| all.compress(false).emit_body(event(text)), false),
        ("asking all, without", &|text| drop(all.compress(false).ask_body(event(text))), false),
        (
            "two without",
            &|text| {
                socket.compress(false).emit_body(event(text)).expect("sent");
                all.compress(false).emit_body(event("small"));
            },
            false,
        ),
        (
            "one of two",
            &|text| {
                all.compress(false).emit_body(event(text));
                socket.emit_body(event("small")).expect("sent");
            },
            true,
        ),
    ];
    let target = format!("{HANDSHAKE}&sid={}", client.sid);
    let mut http = Http::open(server.addr).await;
    for (name, emit, compressed) in cases {
        emit(&"x".repeat(2000));
        let answer = http.request("GET", &target, &[("Accept-Encoding", "gzip")], b"").await;
        assert_eq!(answer.header("content-encoding"), compressed.then_some("gzip"), "{name}");
        let content = if compressed { answer.body.len() < 1000 } else { answer.body.len() > 2000 };
        assert!(content, "{name}: {} bytes", answer.body.len());
    }
}

/// A directory that disappears with the test.
struct Dist(PathBuf);

impl Drop for Dist {
    fn drop(&mut self) {
        // A leftover in the temporary directory does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn client_files_with_etag() {
    let dist = Dist(std::env::temp_dir().join(format!("socketio-dist-{}", std::process::id())));
    std::fs::create_dir_all(&dist.0).expect("a temporary directory");
    let banner = "/*!\n * Socket.IO v4.9.9\n */\n";
    for name in ["socket.io", "socket.io.min", "socket.io.esm.min", "socket.io.msgpack.min"] {
        let body = format!("{banner}{}", format!("// {name}\n").repeat(200));
        std::fs::write(dist.0.join(format!("{name}.js")), body).expect("room on the disk");
        std::fs::write(dist.0.join(format!("{name}.js.map")), "{}").expect("room on the disk");
    }
    let server = start(|builder| builder.serve_client(&dist.0).cors(Cors::new().allow_any_origin()));
    let file = Http::get(server.addr, "/socket.io/socket.io.min.js", &[("Origin", "http://b.example")]).await;
    assert_eq!(file.status, 200);
    assert!(file.text().starts_with(banner));
    assert_eq!(file.header("etag"), Some("\"4.9.9\""));
    assert_eq!(file.header("access-control-allow-origin"), Some("*"));
    assert!(file.header("content-type").is_some_and(|kind| kind.starts_with("application/javascript")));
    for etag in ["\"4.9.9\"", "W/\"4.9.9\""] {
        let same = Http::get(server.addr, "/socket.io/socket.io.js", &[("If-None-Match", etag)]).await;
        assert_eq!((same.status, same.body.len()), (304, 0));
    }
    assert_eq!(Http::get(server.addr, "/socket.io/socket.io.js", &[("If-None-Match", "\"4.9.8\"")]).await.status, 200);
    let zipped = Http::get(server.addr, "/socket.io/socket.io.js", &[("Accept-Encoding", "gzip")]).await;
    assert_eq!(zipped.header("content-encoding"), Some("gzip"));
    assert!(zipped.body.len() < file.body.len());
    // Every other name is the engine's.
    assert_eq!(Http::get(server.addr, "/socket.io/../Cargo.toml", &[]).await.status, 400);
    echoes(server.addr, "/socket.io/", Transport::Upgraded).await;
    assert!(builder().serve_client("/nowhere").try_build().is_err());
}

#[tokio::test]
async fn session_ids_begin_with_the_mark_of_their_server() {
    let server = start(|builder| builder.session_mark("n0_"));
    let mut ids = Vec::new();
    for _ in 0..2 {
        let answer = Http::get(server.addr, HANDSHAKE, &[]).await;
        let text = answer.text();
        let opened: Value = serde_json::from_str(&text[1..]).expect("the handshake");
        ids.push(opened["sid"].as_str().expect("a session id").to_owned());
    }
    assert!(ids.iter().all(|id| id.len() == 20 && id.starts_with("n0_")), "{ids:?}");
    assert_ne!(ids[0], ids[1]);
    echoes(server.addr, "/socket.io/", Transport::Upgraded).await;
    let refused = builder().session_mark("n0:").try_build().expect_err("no character of an id").to_string();
    assert!(refused.contains("session_mark: `n0:`"), "{refused}");
}
