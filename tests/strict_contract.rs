//! A contract in a crate under strict lints, as a client and a server would share it: generated code triggers none of them.

#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused,
    unused_qualifications,
    rust_2018_idioms,
    elided_lifetimes_in_paths,
    single_use_lifetimes,
    clippy::all,
    clippy::pedantic
)]

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use socketio::{Events, Namespace, events, namespace};

/// Where something is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// To the right.
    pub x: u8,
}

/// A contract that another crate may use.
#[namespace("/public", emits = PublicEvents, auth = Point, data = Point, cluster = PublicServers)]
pub trait Public {
    /// Moves something.
    #[event]
    async fn shift(&self, from: &Point, to: Point, why: Option<&str>) -> Result<Point, String>;
    /// Moved something.
    #[deprecated(note = "use `shift`")]
    #[event]
    async fn move_(&self, from: &Point) {
        self.helper();
    }
    /// A helper.
    fn helper(&self) {}
}

/// What servers send each other about it.
#[events]
pub trait PublicServers {
    /// Something is at two places.
    #[event]
    async fn settle(&self, at: &Point) -> Result<Point, String>;
}

/// What the server sends there.
#[events]
pub trait PublicEvents {
    /// Something moved.
    #[event]
    async fn moved(&self, to: Point);
}

/// A contract that stays in its crate.
#[namespace("/internal", emits = Internal)]
pub(crate) trait Private {}

impl Private for Session {}

#[events]
pub(crate) trait Internal {
    #[event]
    async fn moved(&self, points: &[Point], #[rest] tags: Vec<String>);
}

/// A session.
#[derive(Debug)]
pub struct Session;

#[allow(clippy::unused_async)]
impl Public for Session {
    async fn shift(&self, from: &Point, to: Point, why: Option<&str>) -> Result<Point, String> {
        why.map(|_| Point { x: from.x + to.x }).ok_or_else(|| "why?".to_owned())
    }
}

impl Internal for Session {
    async fn moved(&self, _: &[Point], _: Vec<String>) {}
}

/// The trait can also be implemented for any session.
#[derive(Debug)]
pub struct Boxed<S>(pub Box<S>);

impl<S: Public> Public for Boxed<S> {
    async fn shift(&self, from: &Point, to: Point, why: Option<&str>) -> Result<Point, String> {
        self.0.shift(from, to, why).await
    }
}

#[test]
fn contracts_are_usable() {
    fn served<N: Namespace + socketio::Serve<H> + ?Sized, H>() -> (&'static str, &'static str) {
        (N::PATH, <N::Emits as Events>::NAME)
    }
    assert_eq!(served::<dyn Public, Boxed<Session>>(), ("/public", "PublicEvents"));
    assert_eq!(served::<dyn Private, Session>(), ("/internal", "Internal"));
}
