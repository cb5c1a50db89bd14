//! Catch-all hooks: what the application wants to see of every event, in every namespace.

use super::{session::caught, socket::Socket};
use crate::{
    contract::{Incoming, Rejection, Untyped},
    parser::Body,
};
use std::fmt;

type IncomingHook = Box<dyn Fn(&Socket<Untyped>, &Incoming) + Send + Sync>;
type OutgoingHook = Box<dyn Fn(&Outgoing<'_>) + Send + Sync>;
type RejectionHook = Box<dyn Fn(&Socket<Untyped>, &Rejection) + Send + Sync>;

/// All hooks, in the order in which they were added.
#[derive(Default)]
pub(super) struct Hooks {
    pub(super) incoming: Vec<IncomingHook>,
    pub(super) outgoing: Vec<OutgoingHook>,
    pub(super) rejected: Vec<RejectionHook>,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("incoming", &self.incoming.len())
            .field("outgoing", &self.outgoing.len())
            .finish_non_exhaustive()
    }
}

impl Hooks {
    pub(super) fn sees_incoming(&self) -> bool {
        !self.incoming.is_empty()
    }

    pub(super) fn incoming(&self, socket: &Socket<Untyped>, event: &Incoming) {
        each(&self.incoming, |hook| hook(socket, event));
    }

    pub(super) fn outgoing(&self, event: &Outgoing<'_>) {
        each(&self.outgoing, |hook| hook(event));
    }

    pub(super) fn rejected(&self, socket: &Socket<Untyped>, rejection: &Rejection) {
        each(&self.rejected, |hook| hook(socket, rejection));
    }
}

/// A hook that panics is no reason to lose an event, nor to leave out the other hooks.
fn each<H>(hooks: &[H], call: impl Fn(&H)) {
    for hook in hooks {
        if caught(|| call(hook)).is_err() {
            tracing::error!("a catch-all hook panicked");
        }
    }
}

/// An event that leaves the server, as a catch-all hook sees it: once, whatever the number of receivers.
/// ```
/// use socketio::{SocketIo, events, namespace};
/// use std::sync::{Arc, Mutex};
///
/// #[events]
/// trait NewsEvents {
///     #[event]
///     async fn headline(&self, text: &str);
/// }
/// #[namespace("/news", emits = NewsEvents)]
/// trait News {}
/// # struct Reader;
/// # impl News for Reader {}
///
/// let sent = Arc::new(Mutex::new(Vec::new()));
/// let log = Arc::clone(&sent);
/// let io = SocketIo::builder()
///     .on_any_outgoing(move |event| log.lock().unwrap().push(format!("{} {}", event.namespace(), event.json())))
///     .shared::<dyn News>(Reader)
///     .build();
/// io.of::<dyn News>().emit().headline("rain");
/// assert_eq!(*sent.lock().unwrap(), [r#"/news ["headline","rain"]"#]);
/// ```
pub struct Outgoing<'a> {
    namespace: &'a str,
    event: &'a Body,
}

impl<'a> Outgoing<'a> {
    pub(super) fn new(namespace: &'a str, event: &'a Body) -> Self {
        Outgoing { namespace, event }
    }

    /// The path of the namespace.
    pub fn namespace(&self) -> &str {
        self.namespace
    }

    /// The JSON array of the event's name and arguments.
    pub fn json(&self) -> &str {
        self.event.json()
    }
}

impl fmt::Debug for Outgoing<'_> {
    /// Shows the namespace, never the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}
