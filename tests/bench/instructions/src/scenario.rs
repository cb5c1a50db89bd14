//! What is counted: for each, a server, clients that have settled, and one thing that is done again and again.

use crate::{
    frame::frame,
    load::{
        Kind,
        text::{object, string},
    },
    wire::{Client, Server},
};
use tokio::runtime::Builder;

/// Receivers of a broadcast.
const RECEIVERS: u64 = 100;

/// Something that can be done any number of times.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// How often it is done between the two counts that are compared.
    pub(crate) times: u64,
    /// Into how many parts the cost of one time is divided: messages in flight, receivers.
    pub(crate) parts: u64,
    what: What,
}

enum What {
    /// Acknowledged, with so many in flight.
    Echo(Kind, Argument, u64),
    Binary(usize),
    /// To all receivers, with so many in flight.
    FanOut(u64),
    /// A WebSocket is opened, the namespace joined, and the connection closed.
    Connect,
    /// Posted, and polled for.
    Polling,
}

enum Argument {
    Object(usize),
    Text(usize),
}

use Argument::{Object, Text};

const fn scenario(name: &'static str, times: u64, parts: u64, what: What) -> Scenario {
    Scenario { name, times, parts, what }
}

pub(crate) const SCENARIOS: [Scenario; 14] = [
    scenario("echo, 1 in flight", 2000, 1, What::Echo(Kind::Typed, Object(48), 1)),
    scenario("echo, 16 in flight", 200, 16, What::Echo(Kind::Typed, Object(48), 16)),
    scenario("echo, 1 KB text", 1000, 1, What::Echo(Kind::Typed, Text(1024), 1)),
    scenario("echo, 1 KB object, typed", 500, 1, What::Echo(Kind::Typed, Object(1024), 1)),
    scenario("echo, 1 KB object, value", 500, 1, What::Echo(Kind::Value, Object(1024), 1)),
    scenario("echo, 1 KB object, raw", 1000, 1, What::Echo(Kind::Raw, Object(1024), 1)),
    scenario("echo, 16 KB object, typed", 50, 1, What::Echo(Kind::Typed, Object(16_384), 1)),
    scenario("echo, 16 KB object, raw", 50, 1, What::Echo(Kind::Raw, Object(16_384), 1)),
    scenario("binary, 1 KB", 1000, 1, What::Binary(1024)),
    scenario("binary, 64 KB", 50, 1, What::Binary(65_536)),
    scenario("fan-out, 1 in flight", 200, RECEIVERS, What::FanOut(1)),
    scenario("fan-out, 8 in flight", 50, 8 * RECEIVERS, What::FanOut(8)),
    scenario("connect and leave", 200, 1, What::Connect),
    scenario("polling", 500, 1, What::Polling),
];

impl Scenario {
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        SCENARIOS.iter().find(|scenario| scenario.name == name)
    }

    /// Does it so many times, after as many times as it takes for buffers to grow.
    pub(crate) fn run(&self, times: u64) {
        const WARM_UP: u64 = 20;
        let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
        let times = times + WARM_UP;
        runtime.block_on(async {
            match &self.what {
                What::Echo(kind, argument, in_flight) => echo(*kind, argument, *in_flight, times).await,
                What::Binary(size) => binary(*size, times).await,
                What::FanOut(in_flight) => fan_out(*in_flight, times).await,
                What::Connect => connect(times).await,
                What::Polling => polling(times).await,
            }
        });
    }
}

async fn echo(kind: Kind, argument: &Argument, in_flight: u64, times: u64) {
    let json = match argument {
        Object(size) => object(*size),
        Text(size) => string(*size),
    };
    let requests = (0..in_flight).flat_map(|id| frame(1, format!("42{}[\"echo\",{json}]", 100 + id).as_bytes())).collect();
    let mut client = Client::join(&Server::start(kind)).await;
    let answer = format!("43100[{json}]");
    repeat(&mut client, requests, in_flight as usize, answer.as_bytes(), times).await;
}

async fn binary(size: usize, times: u64) {
    let bytes: Vec<u8> = (0..size).map(|i| (i * 31 + 7) as u8).collect();
    let mut request = frame(1, br#"451-100["echob",{"_placeholder":true,"num":0}]"#);
    request.extend(frame(2, &bytes));
    let mut client = Client::join(&Server::start(Kind::Typed)).await;
    repeat(&mut client, request, 2, br#"461-100[{"_placeholder":true,"num":0}]"#, times).await;
}

/// Sends the same again and again; the answers, so many frames that begin with `first`, are the same each time.
async fn repeat(client: &mut Client, requests: Vec<u8>, frames: usize, first: &[u8], times: u64) {
    client.send(&requests).await;
    let answers = client.frames(frames).await;
    assert!(answers.windows(first.len()).take(11).any(|part| part == first), "{}", String::from_utf8_lossy(&answers));
    let mut buffer = vec![0; answers.len()];
    for _ in 1..times {
        client.send(&requests).await;
        client.expect(&answers, &mut buffer).await;
    }
}

async fn fan_out(in_flight: u64, times: u64) {
    let server = Server::start(Kind::Typed);
    let mut receivers = Vec::new();
    for _ in 0..RECEIVERS {
        let mut client = Client::join(&server).await;
        client.send(&frame(1, br#"421["join","r"]"#)).await;
        client.frames(1).await;
        receivers.push(client);
    }
    let mut publisher = Client::join(&server).await;
    let data = r#"{"a":10000001,"pad":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}"#;
    let request = frame(1, format!(r#"42["broadcast",{{"data":{data},"room":"r"}}]"#).as_bytes());
    let requests: Vec<u8> = (0..in_flight).flat_map(|_| request.iter().copied()).collect();
    let message = format!(r#"42["msg",{data}]"#);
    let expected: Vec<u8> = [&[0x81, message.len() as u8], message.as_bytes()].concat().repeat(in_flight as usize);
    let mut buffer = vec![0; expected.len()];
    for _ in 0..times {
        publisher.send(&requests).await;
        for receiver in &mut receivers {
            receiver.expect(&expected, &mut buffer).await;
        }
    }
}

async fn connect(times: u64) {
    let server = Server::start(Kind::Typed);
    for _ in 0..times {
        drop(Client::join(&server).await);
    }
}

async fn polling(times: u64) {
    let mut client = Client::raw(&Server::start(Kind::Typed));
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n");
    let post = |target: &str, body: &str| {
        let length = body.len();
        format!(
            "POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain;charset=UTF-8\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    };
    let target = "/socket.io/?EIO=4&transport=polling";
    let opened = client.http(get(target).as_bytes()).await;
    let opened: serde_json::Value = serde_json::from_slice(&opened[1..]).expect("the handshake");
    let target = format!("{target}&sid={}", opened["sid"].as_str().expect("a session"));
    client.http(post(&target, "40").as_bytes()).await;
    client.http(get(&target).as_bytes()).await;
    let json = object(48);
    let (send, fetch) = (post(&target, &format!("42100[\"echo\",{json}]")), get(&target));
    let answer = format!("43100[{json}]");
    for _ in 0..times {
        client.http(send.as_bytes()).await;
        let got = client.http(fetch.as_bytes()).await;
        assert!(got == answer.as_bytes(), "{}", String::from_utf8_lossy(&got));
    }
}
