//! Who looks at the server while it runs: metrics and catch-all hooks.

use super::Builder;
use crate::{
    contract::{Incoming, Rejection, Untyped},
    metrics::Metrics,
    server::{Outgoing, Socket},
};

impl<S: Clone + Send + Sync + 'static> Builder<S> {
    /// Is told what the server measures, beside those that were added before; see [`metrics`](crate::metrics). Default nobody:
    /// then it costs nothing.
    pub fn metrics(self, metrics: impl Metrics) -> Self {
        self.config(|config| config.metrics(metrics))
    }

    /// Sees every event that arrives, before its handler. `socket.onAny`.
    pub fn on_any(mut self, hook: impl Fn(&Socket<Untyped>, &Incoming) + Send + Sync + 'static) -> Self {
        self.hooks.incoming.push(Box::new(hook));
        self
    }

    /// Sees every event that is emitted, once whatever the number of receivers; not acknowledgements. `socket.onAnyOutgoing`.
    pub fn on_any_outgoing(mut self, hook: impl Fn(&Outgoing<'_>) + Send + Sync + 'static) -> Self {
        self.hooks.outgoing.push(Box::new(hook));
        self
    }

    /// Sees every event that was rejected: malformed, with arguments that do not fit, refused, or with a handler that
    /// panicked or whose answer cannot be serialized. An event that the namespace does not know is not rejected, it is ignored.
    pub fn on_rejection(mut self, hook: impl Fn(&Socket<Untyped>, &Rejection) + Send + Sync + 'static) -> Self {
        self.hooks.rejected.push(Box::new(hook));
        self
    }
}
