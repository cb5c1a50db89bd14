//! THE task of a client: one for each connection, whatever the number of namespaces.
//!
//! ```text
//! handles --Shared--> Manager --orders--> task --> Link (session, transports)
//!                        ^                 |
//!                        +---- inputs -----+--> handlers: started in order of arrival, polled here, bounded in number
//! ```
//!
//! It ends when the connection is closed, or the last handle is dropped. Not here: what is to be done when (`manager`).

use super::{
    link::{Beginning, Event, Link},
    manager::{End, Input, Key, Output, Status},
    shared::{AuthSource, Shared, Space, Waiter},
    transport::Dialer,
};
use crate::{
    contract::{BoxFuture, Incoming, Outcome, Rejection, RejectionKind},
    parser::Body,
};
use futures_util::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
use std::{
    collections::VecDeque,
    future::{Future as _, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// Handlers in flight. Beyond that, events wait.
const HANDLERS: usize = 256;
/// Events that wait for a handler. From one of these on, nothing is read from the server until there is room again.
const BACKLOG_EVENTS: usize = 1024;
const BACKLOG_BYTES: usize = 4 << 20;
/// How long a goodbye may take: by then everything has been sent.
const FAREWELL: Duration = Duration::from_secs(2);

/// A handler that has ended: whose answer, to what, and the answer. `Err`: it panicked.
type Handled = (Arc<Space>, u64, String, Option<u64>, Result<Outcome, ()>);

/// A payload for CONNECT, or why there is none: for which attempt to join which namespace.
type Authenticated = (Key, u64, Result<Option<String>, String>);

pub(super) struct Task {
    shared: Arc<Shared>,
    dialer: Arc<Dialer>,
    beginning: Beginning,
    link: Option<Link>,
    /// The link is to be closed, once it has taken everything.
    closing: bool,
    /// An ended session that says goodbye.
    farewell: Option<(Link, Pin<Box<Sleep>>)>,
    auths: FuturesUnordered<BoxFuture<'static, Authenticated>>,
    backlog: VecDeque<(Key, u64, Incoming)>,
    backlog_bytes: usize,
    running: FuturesUnordered<BoxFuture<'static, Handled>>,
    timer: Pin<Box<Sleep>>,
    over: bool,
}

/// However it ends, nobody waits for it any longer.
impl Drop for Task {
    fn drop(&mut self) {
        self.shared.handle(Input::Close);
        self.shared.handle(Input::Lost { end: End::ByClient, error: None });
        for output in self.shared.outputs(std::task::Waker::noop()) {
            self.tell(output);
        }
        self.shared.forget_all();
    }
}

impl Task {
    pub(super) fn new(shared: Arc<Shared>, dialer: Arc<Dialer>, beginning: Beginning) -> Self {
        Task {
            shared,
            dialer,
            beginning,
            link: None,
            closing: false,
            farewell: None,
            auths: FuturesUnordered::new(),
            backlog: VecDeque::new(),
            backlog_bytes: 0,
            running: FuturesUnordered::new(),
            timer: Box::pin(sleep(Duration::ZERO)),
            over: false,
        }
    }

    pub(super) async fn run(mut self) {
        poll_fn(|cx| self.poll(cx)).await;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let outputs = self.shared.outputs(cx.waker());
            let mut progress = !outputs.is_empty();
            outputs.into_iter().for_each(|output| self.order(output));
            while let Poll::Ready(Some((namespace, round, auth))) = self.auths.poll_next_unpin(cx) {
                self.input(Input::Auth { namespace, round, auth });
                progress = true;
            }
            progress |= self.poll_handlers(cx);
            progress |= self.poll_link(cx);
            if let Some((link, limit)) = &mut self.farewell
                && (link.poll_finish(cx).is_ready() || limit.as_mut().poll(cx).is_ready())
            {
                self.farewell = None;
                progress = true;
            }
            progress |= self.poll_timer(cx);
            if self.over && self.farewell.is_none() {
                return Poll::Ready(());
            }
            if !progress {
                return Poll::Pending;
            }
        }
    }

    fn order(&mut self, output: Output<Waiter>) {
        match output {
            Output::Open => {
                (self.farewell, self.closing) = (None, false);
                self.link = Some(Link::new(Arc::clone(&self.dialer), self.beginning));
            }
            Output::Close => self.closing = true,
            Output::Drop => self.link = None,
            Output::Authenticate { namespace, round } => match self.shared.space(namespace).map(|space| space.plan.auth.clone()) {
                Some(AuthSource::Fixed(auth)) => self.input(Input::Auth { namespace, round, auth: Ok(auth) }),
                Some(AuthSource::Fresh(make)) => self.auths.push(Box::pin(async move {
                    let auth = AssertUnwindSafe(async { make().await }).catch_unwind().await;
                    (namespace, round, auth.unwrap_or_else(|_| Err("`auth_with` panicked".to_owned())))
                })),
                None => {}
            },
            Output::Event { namespace, round, event } => {
                self.backlog_bytes += event.cost();
                self.backlog.push_back((namespace, round, event));
            }
            Output::Over => {
                self.over = true;
                self.backlog.clear();
                self.running.clear();
                self.auths.clear();
            }
            output => self.tell(output),
        }
    }

    /// For the manager; what comes of it is carried out before the task sleeps.
    fn input(&self, input: Input) {
        let now = Instant::now().into_std();
        self.shared.look(|manager| manager.handle(input, now));
    }

    /// Tells those who wait for it.
    fn tell(&self, output: Output<Waiter>) {
        match output {
            // Who gave up waiting does not want it any more.
            Output::Answered { waiter, answer } => drop(waiter.send(answer)),
            Output::Changed { namespace, status, id } => {
                let left = status == Status::Disconnected(End::ByClient);
                if let Some(space) = self.shared.space(namespace) {
                    tracing::debug!(path = space.plan.path, ?status, "a client's status changed");
                    space.change(status, id);
                }
                if left {
                    self.shared.forget(namespace);
                }
            }
            _ => {}
        }
    }

    /// Starts what waits, and takes in what has ended.
    fn poll_handlers(&mut self, cx: &mut Context<'_>) -> bool {
        let mut progress = false;
        loop {
            while self.running.len() < HANDLERS
                && let Some((key, round, event)) = self.backlog.pop_front()
            {
                self.backlog_bytes -= event.cost();
                progress = true;
                self.start(key, round, event);
            }
            match self.running.poll_next_unpin(cx) {
                Poll::Ready(Some(handled)) => {
                    progress = true;
                    self.handled(handled);
                }
                Poll::Ready(None) | Poll::Pending => return progress,
            }
        }
    }

    fn start(&mut self, key: Key, round: u64, event: Incoming) {
        let Some(space) = self.shared.space(key) else { return };
        let Some(handler) = &space.plan.handler else {
            tracing::debug!(event = event.name(), "nobody handles this event");
            if event.validate().is_err() {
                self.malformed();
            }
            return;
        };
        let (name, id) = (event.name().to_owned(), event.ack_id());
        let future = catch_unwind(AssertUnwindSafe(|| handler(event)));
        self.running.push(Box::pin(async move {
            let outcome = match future {
                Ok(future) => AssertUnwindSafe(future).catch_unwind().await.map_err(drop),
                Err(_) => Err(()),
            };
            (space, round, name, id, outcome)
        }));
    }

    fn handled(&self, (space, round, name, id, outcome): Handled) {
        let (answer, rejection) = match outcome {
            Ok(Outcome::Done(body)) => (Some(body.unwrap_or_else(Body::empty)), None),
            Ok(Outcome::Answered) => (None, None),
            Ok(Outcome::Unanswerable(error)) => {
                tracing::error!(%error, event = name, "a handler's answer was not sent");
                (None, None)
            }
            Ok(Outcome::Rejected(rejection)) => (None, Some(rejection)),
            Ok(Outcome::RejectedWith(rejection, body)) => (Some(body), Some(*rejection)),
            Ok(Outcome::Unhandled(event)) => {
                tracing::debug!(event = name, "nobody handles this event");
                (None, event.validate().err())
            }
            Err(()) => (None, Some(Rejection { event: name, ..Rejection::panicked() })),
        };
        if let (Some(id), Some(body)) = (id, answer) {
            self.shared.look(|manager| manager.answer(space.key, round, id, body));
        }
        let Some(rejection) = rejection else { return };
        tracing::debug!(%rejection, "an event was rejected");
        if let Some(hook) = &space.plan.on_rejection {
            // A panic in it is reported by the panic hook, and ends nothing.
            let _ = catch_unwind(AssertUnwindSafe(|| hook(&rejection)));
        }
        if rejection.kind() == RejectionKind::Malformed {
            self.malformed();
        }
    }

    fn malformed(&self) {
        let now = Instant::now().into_std();
        self.shared.look(|manager| manager.malformed(now));
    }

    fn may_read(&self) -> bool {
        let room = self.backlog.len() < BACKLOG_EVENTS && self.backlog_bytes < BACKLOG_BYTES;
        room && !self.shared.look(|manager| manager.is_congested())
    }

    fn poll_link(&mut self, cx: &mut Context<'_>) -> bool {
        let reading = self.may_read();
        let Some(link) = &mut self.link else { return false };
        let more = self.shared.look(|manager| {
            if link.queue.is_empty() {
                manager.take(&mut link.queue);
            }
            manager.has_frames()
        });
        if self.closing && !more && link.queue.is_empty() {
            self.closing = false;
            link.close();
        }
        let Poll::Ready(event) = link.poll_event(cx, reading) else {
            let more = self.shared.look(|manager| {
                manager.set_busy(link.is_busy());
                manager.has_frames() && link.queue.is_empty()
            });
            return more || (self.closing && link.queue.is_empty()) || (!reading && self.may_read());
        };
        match event {
            Event::Opened => self.input(Input::Opened),
            Event::Message(message) => self.input(Input::Message(message)),
            Event::Closed(end, error) => {
                let link = self.link.take();
                self.closing = false;
                self.farewell = link.map(|link| (link, Box::pin(sleep(FAREWELL))));
                self.input(Input::Lost { end, error });
            }
        }
        true
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(deadline) = self.shared.look(|manager| manager.deadline()) else { return false };
        let deadline = Instant::from_std(deadline);
        if self.timer.deadline() != deadline {
            self.timer = Box::pin(sleep_until(deadline));
        }
        let due = self.timer.as_mut().poll(cx).is_ready();
        if due {
            self.input(Input::Tick);
        }
        due
    }
}
