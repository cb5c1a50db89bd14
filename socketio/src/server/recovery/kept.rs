//! `Kept`: what the journal of a cluster has of a session while its client is away, and how that is found out later.

use super::Pid;
use crate::adapter::{
    broker::{Journal, Unreachable},
    message::SessionRecord,
};
use std::sync::Arc;
use tokio::sync::oneshot;

/// A session that other servers have, while its client is away.
pub(super) struct Kept {
    pub(super) journal: Arc<dyn Journal>,
    pub(super) pid: Pid,
    /// Tells it from what other servers keep of the session later.
    pub(super) mark: String,
    /// Told when the journal has it. Dropped: it has not.
    pub(super) written: oneshot::Receiver<bool>,
}

/// Where a session is that other servers had.
pub(super) enum Whereabouts {
    Here,
    /// Another server has taken it.
    Elsewhere,
    /// Another server had taken it, and keeps this of it.
    Behind(SessionRecord),
}

impl Kept {
    /// Takes it back from the others, unless one of them has taken it: because its time is over.
    pub(super) async fn end(self) -> Whereabouts {
        let Kept { journal, pid, mark, written } = self;
        // `Err`: it never went out.
        let Ok(was_written) = written.await else { return Whereabouts::Here };
        match journal.peek(pid.expose()).await {
            Ok(None) if was_written => Whereabouts::Elsewhere,
            Ok(Some(record)) if record.mark.as_ref() != Some(&mark) => Whereabouts::Elsewhere,
            Ok(Some(_)) => {
                let took = journal.take(pid.expose()).await;
                if matches!(took, Ok(None)) { Whereabouts::Elsewhere } else { Whereabouts::Here }
            }
            // Nobody can tell, or tell any other server.
            Ok(None) | Err(Unreachable) => Whereabouts::Here,
        }
    }

    /// The same because its client is back.
    pub(super) async fn take_out(self) -> Whereabouts {
        let Kept { journal, pid, mark, written } = self;
        let Ok(was_written) = written.await else { return Whereabouts::Here };
        match journal.take(pid.expose()).await {
            Ok(None) if was_written => Whereabouts::Elsewhere,
            Ok(Some(record)) if record.mark.as_ref() != Some(&mark) => Whereabouts::Behind(record),
            _ => Whereabouts::Here,
        }
    }
}
