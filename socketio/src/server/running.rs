//! `Running`: user code in flight, polled by the task of its connection. Panics end here.

use super::{
    core::SocketCore,
    recovery::Restored,
    session::{ErasedSession, Panicked, drop_caught, poll_caught},
};
use crate::{
    contract::{BoxFuture, Outcome},
    extract::ConnectError,
};
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// User code that did not finish at its first poll.
pub(super) struct Running {
    pub(super) core: Arc<SocketCore>,
    /// `None` once it is done.
    pub(super) work: Option<Work>,
}

pub(super) enum Work {
    /// Its session is looked for.
    Restore(BoxFuture<'static, Option<Restored>>),
    Connect(BoxFuture<'static, ConnectResult>),
    Event(Option<u64>, BoxFuture<'static, Outcome>),
    Disconnect(BoxFuture<'static, ()>),
}

pub(super) type ConnectResult = Result<Box<dyn ErasedSession>, ConnectError>;

pub(super) enum Done {
    Restore(Option<Restored>),
    Connect(Result<ConnectResult, Panicked>),
    Event(Option<u64>, Result<Outcome, Panicked>),
    Disconnect,
}

impl Future for Running {
    type Output = (Arc<SocketCore>, Done);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let done = ready!(match &mut this.work {
            Some(Work::Restore(future)) => {
                poll_caught(future.as_mut(), cx).map(|restored| Done::Restore(restored.ok().flatten()))
            }
            Some(Work::Connect(future)) => poll_caught(future.as_mut(), cx).map(Done::Connect),
            Some(Work::Event(id, future)) => poll_caught(future.as_mut(), cx).map(|outcome| Done::Event(*id, outcome)),
            Some(Work::Disconnect(future)) => poll_caught(future.as_mut(), cx).map(|_| Done::Disconnect),
            None => Poll::Pending,
        });
        drop_caught(this.work.take());
        Poll::Ready((Arc::clone(&this.core), done))
    }
}
