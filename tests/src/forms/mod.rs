//! The forms fixture: contracts that together use every attribute and form of the macro layer, each once.
//!
//! The suites in `tests/e2e/suites/forms` call them with the stock client. A new form gets a method in the file of its kind,
//! or a file of its own that is mounted in [`app`], and a row in the table of the suite of the same name.

mod binary;
mod connect;
mod dynamic;
mod emits;
mod hooks;
mod layers;
mod names;
mod parameters;
mod returns;
mod reuse;
mod shared;
mod untyped;

use axum::{
    Router,
    extract::{Query, State},
    routing::post,
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use socketio::SocketIo;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// What sessions leave behind, by the id of their socket: clients cannot see their own end from the server's side.
#[derive(Debug, Clone, Default)]
struct Reports(Arc<Mutex<HashMap<String, Value>>>);

impl Reports {
    fn put(&self, id: impl ToString, report: Value) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_string(), report);
    }

    fn get(&self, id: &str) -> Option<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
}

type Builder = socketio::Builder<Reports>;

/// A payload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Point {
    x: i32,
    y: i32,
}

/// The whole fixture.
pub fn app() -> Router {
    let mounts: [fn(Builder) -> Builder; 12] = [
        layers::mount,
        parameters::mount,
        returns::mount,
        hooks::mount,
        names::mount,
        binary::mount,
        emits::mount,
        connect::mount,
        dynamic::mount,
        reuse::mount,
        shared::mount,
        untyped::mount,
    ];
    let builder = SocketIo::builder().path("/fixture").with_state(Reports::default());
    let io = mounts.into_iter().fold(builder, |builder, mount| mount(builder)).build();
    Router::new().route("/announce", post(announce)).with_state(io.clone()).layer(io.layer())
}

#[derive(Deserialize)]
struct Announcement {
    child: Option<String>,
    text: String,
}

/// Emitting from outside of a connection, as an HTTP handler does.
async fn announce(State(io): State<SocketIo>, Query(announcement): Query<Announcement>) -> StatusCode {
    let found = dynamic::announce(&io, announcement.child.as_deref(), &announcement.text);
    if found { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}
