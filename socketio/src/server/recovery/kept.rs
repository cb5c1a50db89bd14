//! `Kept`: what the journal of a cluster has of a session while its client is away, and how that is found out later.

use super::Pid;
use crate::adapter::{
    broker::{Journal, Unreachable},
    message::SessionRecord,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, timeout},
};

/// How long a client that is back waits for what the journal has.
const PATIENCE: Duration = Duration::from_secs(1);

/// When a journal is asked again that does not answer.
const AGAIN: Duration = Duration::from_millis(500);

/// Nobody asks for longer.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// A session that other servers have, while its client is away.
pub(super) struct Kept {
    journal: Arc<dyn Journal>,
    pid: Pid,
    /// Tells it from what other servers keep of the session later.
    mark: String,
    written: Written,
    /// When it is over by itself.
    until: Instant,
    /// It is being taken back.
    is_withdrawn: bool,
}

enum Written {
    /// Told when the journal has it. Dropped: it has not.
    Soon(oneshot::Receiver<bool>),
    /// `None`: it never went out. `false`: it may have.
    Told(Option<bool>),
}

/// Where a session is that other servers had.
pub(super) enum Whereabouts {
    Here,
    /// Another server has taken it.
    Elsewhere,
    /// Another server had taken it, and keeps this of it.
    Behind(SessionRecord),
    /// The journal does not answer, and may still have it.
    Unknown,
}

impl Kept {
    /// With whom to tell when the journal has it.
    pub(super) fn new(journal: Arc<dyn Journal>, pid: Pid, mark: String, ttl: Duration) -> (Self, oneshot::Sender<bool>) {
        let (told, written) = oneshot::channel();
        let until = Instant::now() + ttl.min(LONGEST) + AGAIN;
        (Kept { journal, pid, mark, written: Written::Soon(written), until, is_withdrawn: false }, told)
    }

    /// Hands it out to be taken back, once. What is left in its place waits to be told that it is with another server.
    pub(super) fn withdraw(place: &mut Option<Kept>) -> Option<(Kept, oneshot::Sender<bool>)> {
        let kept = place.take_if(|kept| !kept.is_withdrawn)?;
        let (told, written) = oneshot::channel();
        let (journal, mark) = (Arc::clone(&kept.journal), kept.mark.clone());
        *place = Some(Kept { journal, mark, written: Written::Soon(written), is_withdrawn: true, ..kept });
        Some((kept, told))
    }

    /// Whether the journal has it. `Err`: that is not known in time.
    async fn was_written(&mut self) -> Result<Option<bool>, Unreachable> {
        if let Written::Soon(written) = &mut self.written {
            let told = timeout(PATIENCE, written).await.map_err(|_| Unreachable)?;
            self.written = Written::Told(told.ok());
        }
        Ok(match self.written {
            Written::Told(told) => told,
            Written::Soon(_) => None,
        })
    }

    /// Takes it back from the others, unless one of them has taken it: because its time is over.
    pub(super) async fn end(&mut self) -> Whereabouts {
        self.look().await.unwrap_or(Whereabouts::Unknown)
    }

    async fn look(&mut self) -> Result<Whereabouts, Unreachable> {
        let Some(was_written) = self.was_written().await? else { return Ok(Whereabouts::Here) };
        Ok(match self.journal.peek(self.pid.expose()).await? {
            None if was_written => Whereabouts::Elsewhere,
            Some(record) if record.mark.as_ref() != Some(&self.mark) => Whereabouts::Elsewhere,
            Some(_) => match self.journal.take(self.pid.expose()).await? {
                None => Whereabouts::Elsewhere,
                Some(_) => Whereabouts::Here,
            },
            // It was not written, or nobody can tell any more.
            None => Whereabouts::Here,
        })
    }

    /// The same, however long the journal does not answer.
    pub(super) async fn end_at_last(mut self) -> Whereabouts {
        loop {
            match self.end().await {
                Whereabouts::Unknown if Instant::now() < self.until => sleep(AGAIN).await,
                whereabouts => return whereabouts,
            }
        }
    }

    /// The same because its client is back.
    pub(super) async fn take_out(&mut self) -> Whereabouts {
        let was_written = match self.was_written().await {
            Ok(Some(was_written)) => was_written,
            Ok(None) => return Whereabouts::Here,
            Err(Unreachable) => return Whereabouts::Unknown,
        };
        match self.journal.take(self.pid.expose()).await {
            Ok(None) if was_written => Whereabouts::Elsewhere,
            Ok(Some(record)) if record.mark.as_ref() != Some(&self.mark) => Whereabouts::Behind(record),
            Ok(_) => Whereabouts::Here,
            Err(Unreachable) => Whereabouts::Unknown,
        }
    }
}
