//! Emitters behind every form of address. The client says which, the server emits, the client sees what came.

use super::{Builder, Point};
use futures_util::StreamExt as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use socketio::{Ack, CallError, ConnectError, Socket, SocketId, events, namespace};
use std::time::Duration;

/// Longer than any client takes.
const LONG: Duration = Duration::from_secs(20);
/// For clients that do not answer.
const SHORT: Duration = Duration::from_millis(150);

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Address {
    One,
    Try,
    OneTimeout,
    OneTimeoutTry,
    OneVolatile,
    To,
    Union,
    ToOne,
    Except,
    ToExcept,
    Broadcast,
    All,
    AllTo,
    AllExcept,
    AllTimeout,
    AllVolatile,
    Local,
    ToLocal,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Refusal {
    why: String,
}

#[namespace("/emits", emits = EmitsEvents, rename_all = "camelCase")]
trait Emits {
    #[event]
    async fn join(&self, rooms: Vec<String>) -> Ack;
    #[event]
    async fn leave(&self, room: &str) -> Ack;
    /// The same name in both directions.
    #[event]
    async fn message(&self, text: &str) -> Ack;
    /// Emits `told` to the address; `room` and `other` are used by those which need them.
    #[event]
    async fn tell(&self, address: Address, room: &str, other: &str) -> Ack;
    #[event]
    async fn lose(&self, n: u32) -> Ack;
    #[event]
    async fn raw(&self, all: bool, name: &str, args: Vec<Value>) -> Result<(), String>;
    #[event]
    async fn ask_one(&self, a: i32, b: i32, patient: bool) -> Value;
    #[event]
    async fn ask_check(&self, value: i32) -> Value;
    #[event]
    async fn ask_done(&self) -> Value;
    #[event]
    async fn ask_many(&self, room: &str) -> Vec<(SocketId, Value)>;
    /// The answers one by one, each told as soon as it is there.
    #[event]
    async fn ask_stream(&self, room: &str) -> u32;
}

#[events(rename_all = "camelCase")]
trait EmitsEvents {
    #[event]
    async fn message(&self, text: &str);
    #[event]
    async fn told(&self, address: Address, point: &Point, rest: Option<u32>);
    #[event(volatile)]
    async fn lost(&self, n: u32);
    #[event]
    async fn sum(&self, a: i32, b: i32) -> i32;
    #[event]
    async fn check(&self, value: i32) -> Result<String, Refusal>;
    #[event]
    async fn done(&self) -> Ack;
    #[event]
    async fn answered(&self, id: SocketId, value: Option<i32>);
}

struct Session(Socket<dyn Emits>);

fn shown<T: Serialize, E: std::fmt::Debug>(answer: Result<T, CallError<E>>) -> Value {
    match answer {
        Ok(value) => json!({ "value": value }),
        Err(CallError::Rejected(error)) => json!({ "rejected": format!("{error:?}") }),
        Err(CallError::Timeout) => json!("timeout"),
        Err(CallError::Disconnected) => json!("disconnected"),
        Err(CallError::Decode(_)) => json!("decode"),
        Err(_) => json!("other"),
    }
}

impl Emits for Session {
    async fn join(&self, rooms: Vec<String>) -> Ack {
        for room in rooms {
            self.0.join(room);
        }
        Ack
    }
    async fn leave(&self, room: &str) -> Ack {
        self.0.leave(room);
        Ack
    }
    async fn message(&self, text: &str) -> Ack {
        self.0.emit().message(text);
        Ack
    }
    async fn tell(&self, address: Address, room: &str, other: &str) -> Ack {
        let (socket, all) = (&self.0, self.0.namespace());
        let point = Point { x: 1, y: 2 };
        let rest = Some(3);
        match address {
            Address::One => socket.emit().told(address, &point, rest),
            Address::Try => drop(socket.try_emit().told(address, &point, rest)),
            Address::OneTimeout => socket.timeout(LONG).emit().told(address, &point, rest),
            Address::OneTimeoutTry => drop(socket.timeout(LONG).try_emit().told(address, &point, rest)),
            Address::OneVolatile => socket.volatile().emit().told(address, &point, rest),
            Address::To => socket.to(room).emit().told(address, &point, rest),
            Address::Union => all.to(room).to(other).emit().told(address, &point, rest),
            Address::ToOne => all.to(socket.id()).emit().told(address, &point, rest),
            Address::Except => socket.except(room).emit().told(address, &point, rest),
            Address::ToExcept => socket.to(room).except(other).emit().told(address, &point, rest),
            Address::Broadcast => socket.broadcast().emit().told(address, &point, rest),
            Address::All => all.emit().told(address, &point, rest),
            Address::AllTo => all.to(room).emit().told(address, &point, rest),
            Address::AllExcept => all.except(room).emit().told(address, &point, rest),
            Address::AllTimeout => all.timeout(LONG).emit().told(address, &point, rest),
            Address::AllVolatile => all.volatile().emit().told(address, &point, rest),
            Address::Local => all.local().emit().told(address, &point, rest),
            Address::ToLocal => socket.to(room).local().emit().told(address, &point, rest),
        }
        Ack
    }
    async fn lose(&self, n: u32) -> Ack {
        self.0.emit().lost(n);
        Ack
    }
    async fn raw(&self, all: bool, name: &str, args: Vec<Value>) -> Result<(), String> {
        let sent = if all { self.0.namespace().emit_raw(name, args) } else { self.0.emit_raw(name, args) };
        sent.map_err(|error| error.to_string())
    }
    async fn ask_one(&self, a: i32, b: i32, patient: bool) -> Value {
        if patient { shown(self.0.emit().sum(a, b).await) } else { shown(self.0.timeout(SHORT).emit().sum(a, b).await) }
    }
    async fn ask_check(&self, value: i32) -> Value {
        shown(self.0.try_emit().check(value).await)
    }
    async fn ask_done(&self) -> Value {
        shown(self.0.emit().done().await.map(|Ack| "acknowledged"))
    }
    async fn ask_many(&self, room: &str) -> Vec<(SocketId, Value)> {
        let answers = self.0.namespace().to(room).timeout(SHORT).emit().sum(2, 3).await;
        answers.into_iter().filter_map(|(id, answer)| Some((id?, shown(answer)))).collect()
    }
    async fn ask_stream(&self, room: &str) -> u32 {
        let mut answers = self.0.namespace().to(room).timeout(LONG).emit().sum(2, 3);
        let mut count = 0;
        while let Some((id, answer)) = answers.next().await {
            if let Some(id) = id {
                self.0.emit().answered(id, answer.ok());
            }
            count += 1;
        }
        count
    }
}

pub(super) fn mount(builder: Builder) -> Builder {
    builder.namespace::<dyn Emits, _>(async |socket: Socket<dyn Emits>| Ok::<_, ConnectError>(Session(socket)))
}
