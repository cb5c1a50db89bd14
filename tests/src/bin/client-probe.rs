//! `client-probe URL [SCENARIO]`: the Rust client against a server with the conformance fixture, ours or the official one.
//!
//! Prints one line for each scenario and transport; the exit code is 1 if one failed. `recovery` needs a server of its own, with
//! connection state recovery, whose connections die at the event `die`.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use socketio::{
    Binary, Client, Transport, Untyped,
    client::{Connect, ConnectError, End, Reconnect, Status},
    events, namespace,
};
use std::{
    fmt::Debug,
    process::ExitCode,
    sync::{Arc, Mutex},
    time::Duration,
};

/// A part of the fixture, as a contract.
#[namespace("/chat", emits = ChatEvents, schema = false)]
trait Chat {
    #[event]
    async fn echo(&self, value: Value, bytes: Binary) -> Value;
    #[event]
    async fn whoami(&self) -> Whoami;
    #[event("call-me")]
    async fn call_me(&self, event: &str, question: Value) -> Called;
    #[event]
    async fn burst(&self, count: u32);
    #[event]
    async fn bye(&self, close: bool);
    #[event("no-ack")]
    async fn no_ack(&self) -> Value;
    #[event]
    async fn big(&self, size: usize) -> String;
}

#[events(schema = false)]
trait ChatEvents {
    #[event]
    async fn burst(&self, number: u32);
    #[event]
    async fn question(&self, value: Value) -> Value;
}

#[derive(Debug, Serialize, Deserialize)]
struct Whoami {
    id: String,
    nsp: String,
    auth: Value,
    query: Value,
    transport: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Called {
    ok: bool,
    args: Vec<Value>,
}

#[derive(Default)]
struct Bot {
    heard: Arc<Mutex<Vec<u32>>>,
}

impl ChatEvents for Bot {
    async fn burst(&self, number: u32) {
        self.heard.lock().expect("no handler panics").push(number);
    }
    async fn question(&self, value: Value) -> Value {
        json!({ "you asked": value })
    }
}

type Outcome = Result<(), String>;

fn same<T: PartialEq + Debug>(found: T, expected: T) -> Outcome {
    if found == expected { Ok(()) } else { Err(format!("found {found:?} instead of {expected:?}")) }
}

fn told<T, E: Debug>(result: Result<T, E>) -> Result<T, String> {
    result.map_err(|error| format!("{error:?}"))
}

/// A server and how to get there.
#[derive(Clone)]
struct Probe {
    url: String,
    transports: Vec<Transport>,
}

impl Probe {
    fn with<N: socketio::Namespace + ?Sized>(&self) -> Connect<N> {
        let quick = Reconnect::new().delay(Duration::from_millis(50));
        Client::<N>::connect(&*self.url).path("/fixture").reconnect(quick).transports(self.transports.clone())
    }

    async fn calls(self) -> Outcome {
        let client =
            told(self.with::<dyn Chat>().handler(Bot::default()).auth_raw(json!({ "token": "t" })).query("k", "a b").await)?;
        let me = told(client.emit().whoami().await)?;
        same(Some(me.id.as_str()), client.id().as_deref())?;
        same((me.nsp.as_str(), me.auth, me.query["k"].clone()), ("/chat", json!({ "token": "t" }), json!("a b")))?;
        same(told(client.emit().echo(json!({ "é": [1, null] }), Binary::default()).await)?, json!({ "é": [1, null] }))?;
        let called = told(client.emit().call_me("question", json!(7)).await)?;
        same((called.ok, called.args), (true, vec![json!({ "you asked": 7 })]))?;
        same(told(client.emit().big(200_000).await)?.len(), 200_000)?;
        let late = client.timeout(Duration::from_millis(50)).emit().no_ack().await;
        same(format!("{late:?}"), "Err(Timeout)".to_owned())?;
        client.close().await;
        same(client.status(), Status::Disconnected(End::ByClient))
    }

    async fn binary(self) -> Outcome {
        let client = told(self.with::<Untyped>().at("/").await)?;
        let bytes = |text: &'static str| Binary::from(text.as_bytes());
        let answer = told(client.call_raw("echo", (bytes("abc"), [bytes(""), bytes("d")], "text")).await)?;
        let (first, more): (Binary, Vec<Binary>) = (told(answer.raw_args().get(0))?, told(answer.raw_args().get(1))?);
        same((first, more), (bytes("abc"), vec![bytes(""), bytes("d")]))
    }

    async fn order(self) -> Outcome {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let client = told(self.with::<dyn Chat>().handler(Bot { heard: Arc::clone(&heard) }).await)?;
        client.emit().burst(1000);
        told(client.emit().whoami().await)?;
        same(heard.lock().expect("no handler panics").clone(), (0..1000).collect())
    }

    async fn refusals(self) -> Outcome {
        let refused = |message: &str, data: Option<Value>| (message.to_owned(), data);
        for (path, token, expected) in [
            (
                "/auth",
                "x",
                refused("not authorized", Some(json!({ "code": "E_AUTH", "retryAfter": 42, "nested": { "list": [1, 2, 3] } }))),
            ),
            ("/auth", "plain", refused("plain refusal", None)),
            ("/nowhere", "x", refused("Invalid namespace", None)),
        ] {
            let connect = self.with::<Untyped>().at(path).auth_raw(json!({ "token": token }));
            match connect.await {
                Err(error @ ConnectError::Refused { .. }) => {
                    let ConnectError::Refused { message, .. } = &error else { continue };
                    same((message.clone(), error.data()), expected)?;
                }
                other => return Err(format!("{other:?}")),
            }
        }
        let status = if self.transports[0] == Transport::Polling { 403 } else { 400 };
        let denied = self.with::<Untyped>().at("/").query("deny", "1").await.map(drop);
        same(denied, Err(ConnectError::Http { status, message: "denied by fixture".into() }))?;
        let mut old = self.clone();
        old.url.push_str("?EIO=3");
        let version = old.with::<Untyped>().at("/").await.map(drop);
        match version {
            Err(ConnectError::ProtocolVersion(_)) => Ok(()),
            // The official server opens the WebSocket and then writes its refusal as plain HTTP.
            Err(ConnectError::Protocol(_)) if self.transports[0] == Transport::WebSocket => Ok(()),
            other => Err(format!("{other:?}")),
        }
    }

    async fn namespaces(self) -> Outcome {
        let chat = told(self.with::<dyn Chat>().await)?;
        let first = told(chat.of::<Untyped>().at("/dyn-1").await)?;
        let second = told(chat.of::<Untyped>().at("/").on("question", |(value,): (Value,)| async move { value }).await)?;
        let called = told(second.call_raw("call-me", ("question", "?")).await)?;
        same(told(called.raw_args().get::<Value>(0))?, json!({ "ok": true, "args": ["?"] }))?;
        drop(chat);
        let me = told(first.call_raw("whoami", ()).await)?;
        same(told(me.raw_args().get::<Value>(0))?["nsp"].clone(), json!("/dyn-1"))
    }

    async fn disconnects(self) -> Outcome {
        for close in [false, true] {
            let client = told(self.with::<dyn Chat>().await)?;
            let mut changes = client.changes();
            client.emit().bye(close);
            same(changes.next().await, Some(Status::Disconnected(End::ByServer)))?;
            told(client.rejoin().await)?;
            told(client.emit().whoami().await)?;
        }
        Ok(())
    }

    async fn retries(self) -> Outcome {
        let client = told(self.with::<dyn Chat>().retries(2).ack_timeout(Duration::from_millis(200)).await)?;
        let never = client.emit().no_ack();
        let me = client.emit().whoami();
        same(format!("{:?}", never.await), "Err(Timeout)".to_owned())?;
        same(told(me.await)?.nsp, "/chat".to_owned())
    }

    async fn recovery(self) -> Outcome {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let numbers = Arc::clone(&heard);
        let quick = Reconnect::new().delay(Duration::from_millis(300)).jitter(0.0);
        let client = Client::<Untyped>::connect(&*self.url).at("/").reconnect(quick).transports(self.transports);
        let client = client.on("number", move |args: Vec<Value>| {
            numbers.lock().expect("no handler panics").extend(args[0].as_u64());
            async {}
        });
        let client = told(client.await)?;
        let (id, mut changes) = (client.id(), client.changes());
        told(client.call_raw("send", [1]).await)?;
        // The server sends 2 and 3 while the connection is down.
        told(client.emit_raw("die", [2, 3]))?;
        let recovered = loop {
            match changes.next().await {
                Some(Status::Connected { recovered }) => break recovered,
                Some(_) => {}
                None => return Err("it gave up".to_owned()),
            }
        };
        same((recovered, client.id()), (true, id))?;
        told(client.call_raw("send", [4]).await)?;
        same(heard.lock().expect("no handler panics").clone(), vec![1, 2, 3, 4])
    }

    async fn run(self, scenario: &str) -> Outcome {
        match scenario {
            "calls" => self.calls().await,
            "binary" => self.binary().await,
            "order" => self.order().await,
            "refusals" => self.refusals().await,
            "namespaces" => self.namespaces().await,
            "disconnects" => self.disconnects().await,
            "retries" => self.retries().await,
            "recovery" => self.recovery().await,
            other => Err(format!("there is no scenario `{other}`")),
        }
    }
}

/// All scenarios that the fixture serves.
const SCENARIOS: [&str; 7] = ["calls", "binary", "order", "refusals", "namespaces", "disconnects", "retries"];

#[tokio::main]
async fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let Some(url) = args.next() else {
        eprintln!("usage: client-probe URL [SCENARIO]");
        return ExitCode::from(2);
    };
    let chosen = args.next();
    let scenarios: Vec<&str> = chosen.as_deref().map_or_else(|| SCENARIOS.to_vec(), |scenario| vec![scenario]);
    let mut failed = false;
    for (name, transports) in [
        ("polling", vec![Transport::Polling]),
        ("websocket", vec![Transport::WebSocket]),
        ("upgraded", vec![Transport::Polling, Transport::WebSocket]),
    ] {
        for scenario in &scenarios {
            let probe = Probe { url: url.clone(), transports: transports.clone() };
            let outcome = tokio::time::timeout(Duration::from_secs(20), probe.run(scenario)).await;
            match outcome.unwrap_or_else(|_| Err("nothing within 20 s".to_owned())) {
                Ok(()) => println!("ok {scenario} over {name}"),
                Err(problem) => {
                    println!("FAILED {scenario} over {name}: {problem}");
                    failed = true;
                }
            }
        }
    }
    ExitCode::from(u8::from(failed))
}
