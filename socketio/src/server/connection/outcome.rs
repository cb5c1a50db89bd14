//! What came of an event: its answer goes to the client, its rejection to whoever looks at those.

use super::Connection;
use crate::{
    contract::{Outcome, Rejection, RejectionKind},
    metrics::Measured,
    parser::Body,
    reason::DisconnectReason,
    server::{core::SocketCore, observe::word, session::Panicked, socket::Socket},
};
use std::{sync::Arc, task::Context};

impl Connection {
    pub(super) fn outcome(
        &mut self,
        cx: &mut Context<'_>,
        core: &Arc<SocketCore>,
        id: Option<u64>,
        outcome: Result<Outcome, Panicked>,
    ) {
        let rejection = match outcome {
            Ok(Outcome::Done(body)) => {
                if let Some(id) = id {
                    // A client that has gone needs no acknowledgement.
                    let _ = core.answer(id, body.unwrap_or_else(Body::empty));
                }
                return;
            }
            Ok(Outcome::Answered) => return,
            Ok(Outcome::Unanswerable(error)) => Rejection::unanswerable(&error),
            Ok(Outcome::Unhandled(event)) => match event.validate() {
                Ok(()) => return tracing::debug!(event = event.name(), "nobody handles this event"),
                Err(rejection) => rejection,
            },
            Ok(Outcome::Rejected(rejection)) => rejection,
            Ok(Outcome::RejectedWith(rejection, body)) => {
                if let Some(id) = id {
                    let _ = core.answer(id, body);
                }
                *rejection
            }
            Err(Panicked) => Rejection::panicked(),
        };
        match rejection.kind() {
            RejectionKind::Unanswerable => tracing::error!(%rejection, socket = %core.id(), "a handler's answer was not sent"),
            _ => tracing::debug!(%rejection, socket = %core.id(), "an event was rejected"),
        }
        core.namespace().record(|namespace| Measured::EventRejected { namespace, kind: word(rejection.kind()) });
        self.shared.settings.hooks.rejected(&Socket::new(Arc::clone(core)), &rejection);
        if rejection.kind() == RejectionKind::Malformed {
            self.close(cx, DisconnectReason::ForcedClose);
        }
    }
}
