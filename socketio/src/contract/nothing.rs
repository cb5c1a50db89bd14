//! What a namespace emits that emits nothing.
//!
//! Written by hand, because the callers are named for the one message in which people meet them: `no method named `greet` found for
//! struct `NamespaceWithoutEmits``.

use super::{BoxFuture, Events, Incoming, Outcome, Serve, Target};
use crate::describe::{Describe, EventSpec};
use std::{marker::PhantomData, sync::Arc};

/// What a namespace emits to its clients that emits nothing.
pub trait NoEvents: Send + Sync + 'static {}

impl NoEvents for () {}

/// What a namespace tells other servers that tells them nothing.
pub trait NoServerEvents: Send + Sync + 'static {}

/// The caller of a namespace without `emits = ..` in its `#[namespace]`: there is nothing to call.
#[derive(Debug)]
pub struct NamespaceWithoutEmits<T>(PhantomData<T>);

/// The caller of a namespace without `cluster = ..` in its `#[namespace]`: there is nothing to call.
#[derive(Debug)]
pub struct NamespaceWithoutCluster<T>(PhantomData<T>);

impl Events for dyn NoEvents {
    const NAME: &'static str = "NoEvents";
    type Emitter<T: Target> = NamespaceWithoutEmits<T>;
    fn emitter<T: Target>(_: T) -> NamespaceWithoutEmits<T> {
        NamespaceWithoutEmits(PhantomData)
    }
    fn describe(describe: &mut Describe) -> Vec<EventSpec> {
        describe.contract("What a namespace emits to its clients that emits nothing.");
        Vec::new()
    }
}

impl Events for dyn NoServerEvents {
    const NAME: &'static str = "NoServerEvents";
    type Emitter<T: Target> = NamespaceWithoutCluster<T>;
    fn emitter<T: Target>(_: T) -> NamespaceWithoutCluster<T> {
        NamespaceWithoutCluster(PhantomData)
    }
    fn describe(describe: &mut Describe) -> Vec<EventSpec> {
        describe.contract("What a namespace tells other servers that tells them nothing.");
        Vec::new()
    }
}

impl<H: NoEvents> Serve<H> for dyn NoEvents {
    fn dispatch(_: &Arc<H>, event: Incoming) -> BoxFuture<'static, Outcome> {
        Box::pin(std::future::ready(Outcome::Unhandled(event)))
    }
}
