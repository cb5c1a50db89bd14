//! Every form of return type, and what becomes of events that are rejected under each.

use super::{Builder, Point};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use socketio::{Ack, Rejection, namespace};
use std::sync::atomic::{AtomicU32, Ordering};

/// An error that can say why an event was rejected.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "code", rename_all = "camelCase")]
enum Told {
    Odd { value: i32 },
    Rejected { kind: String, message: String },
}

impl From<Rejection> for Told {
    fn from(rejection: Rejection) -> Self {
        Told::Rejected { kind: format!("{:?}", rejection.kind()), message: rejection.to_string() }
    }
}

/// One that cannot.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Untold {
    reason: String,
}

mod alias {
    pub(super) type Result<T> = std::result::Result<T, super::Told>;
}

#[namespace("/returns", rename_all = "camelCase")]
trait Returns {
    #[event]
    async fn nothing(&self, add: u32);
    #[event]
    async fn empty(&self) -> Ack;
    #[event]
    async fn value(&self) -> Point;
    #[event]
    async fn optional(&self, some: bool) -> Option<u32>;
    #[event]
    async fn tuple(&self) -> (u32, String);
    #[event]
    async fn told(&self, value: i32) -> Result<i32, Told>;
    #[event]
    async fn untold(&self, value: i32) -> Result<i32, Untold>;
    #[event]
    async fn text_error(&self, value: i32) -> Result<(), String>;
    #[event]
    async fn alias(&self, value: i32) -> alias::Result<i32>;
    #[event]
    async fn panics(&self) -> Result<(), Told>;
    /// How often `nothing` has added.
    #[event]
    async fn sum(&self) -> u32;
}

#[derive(Default)]
struct Session {
    sum: AtomicU32,
}

impl Returns for Session {
    async fn nothing(&self, add: u32) {
        self.sum.fetch_add(add, Ordering::SeqCst);
    }
    async fn empty(&self) -> Ack {
        Ack
    }
    async fn value(&self) -> Point {
        Point { x: 1, y: -2 }
    }
    async fn optional(&self, some: bool) -> Option<u32> {
        some.then_some(7)
    }
    async fn tuple(&self) -> (u32, String) {
        (7, "seven".to_owned())
    }
    async fn told(&self, value: i32) -> Result<i32, Told> {
        if value % 2 == 0 { Ok(value / 2) } else { Err(Told::Odd { value }) }
    }
    async fn untold(&self, value: i32) -> Result<i32, Untold> {
        if value % 2 == 0 { Ok(value / 2) } else { Err(Untold { reason: "odd".to_owned() }) }
    }
    async fn text_error(&self, value: i32) -> Result<(), String> {
        if value % 2 == 0 { Ok(()) } else { Err("odd".to_owned()) }
    }
    async fn alias(&self, value: i32) -> alias::Result<i32> {
        self.told(value).await
    }
    async fn panics(&self) -> Result<(), Told> {
        panic!("on purpose")
    }
    async fn sum(&self) -> u32 {
        self.sum.load(Ordering::SeqCst)
    }
}

pub(super) fn mount(builder: Builder) -> Builder {
    builder.namespace::<dyn Returns, _>(async || Ok::<_, socketio::ConnectError>(Session::default()))
}
