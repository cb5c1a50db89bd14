//! `Feed`: what reads one stream, for all namespaces, on a connection of its own. It starts at a real position and never lets go of
//! it, so that nothing that is still in the stream is missed, however often the connection breaks.
//!
//! ```text
//! behind --what is there, and what there ever was, at once--> deliver --less than a batch--> waiting
//! waiting --a whole batch: perhaps overtaken, look again--> behind        waiting --some--> deliver
//! ```
//! Streams are trimmed by whoever writes. That cannot overtake who waits for less than a batch at the end of the stream; for
//! whoever is behind, what there ever was tells whether something is gone.

use super::{
    End,
    entry::{Entry, Info, Position, read},
};
use crate::adapter::{
    broker::{Health, Loss},
    redis::link::{Backoff, Failed, Link, Reader, Route},
};
use parking_lot::RwLock;
use redis::Cmd;
use std::{collections::HashMap, fmt, sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinHandle};

/// Entries that are read at once.
const BATCH: usize = 100;
/// How long Redis holds back an empty answer. Short, because only an answer tells that the connection is alive.
const BLOCK: Duration = Duration::from_secs(1);
/// How long an answer may take beyond that.
const PATIENCE: Duration = Duration::from_secs(4);
/// The first and the longest pause between attempts to read.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// The task that reads a stream. Dropping it ends it.
pub(super) struct Feed {
    pub(super) readers: Arc<Readers>,
    task: JoinHandle<()>,
}

impl Feed {
    pub(super) fn new(link: &Arc<Link>, stream: &str) -> Self {
        let readers = Arc::new(Readers { stream: stream.to_owned(), ends: RwLock::default(), position: watch::Sender::new(None) });
        let task = tokio::spawn(run(link.clone(), readers.clone()));
        Feed { readers, task }
    }

    pub(super) fn stop(&self) {
        self.task.abort();
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("stream", &self.readers.stream).finish_non_exhaustive()
    }
}

/// Who reads a stream, and how far that is.
pub(super) struct Readers {
    stream: String,
    /// By namespace; one that is opened again while it closes has two for a moment. Read for each entry; inboxes are called without
    /// it.
    ends: RwLock<HashMap<Box<str>, Vec<Arc<End>>>>,
    /// Everything up to here was delivered. `None`: nobody has looked yet where the stream ends.
    position: watch::Sender<Option<Position>>,
}

impl Readers {
    pub(super) fn add(&self, end: Arc<End>) {
        self.ends.write().entry(end.namespace.clone()).or_default().push(end);
    }

    pub(super) fn remove(&self, end: &Arc<End>) {
        let mut ends = self.ends.write();
        if let Some(list) = ends.get_mut(&end.namespace) {
            list.retain(|other| !Arc::ptr_eq(other, end));
            if list.is_empty() {
                ends.remove(&end.namespace);
            }
        }
    }

    /// How far everything was delivered. What is written from now on comes behind it.
    pub(super) fn position(&self) -> Option<Position> {
        *self.position.borrow()
    }

    pub(super) fn watch(&self) -> watch::Receiver<Option<Position>> {
        self.position.subscribe()
    }

    fn deliver(&self, entries: &[Entry]) {
        for entry in entries {
            let namespace = entry.field("nsp").and_then(|name| std::str::from_utf8(name).ok());
            let ends = namespace.and_then(|name| self.ends.read().get(name).cloned()).unwrap_or_default();
            ends.iter().for_each(|end| end.entry(entry));
        }
        if let Some(last) = entries.last() {
            self.position.send_replace(Some(last.at));
        }
    }

    fn lost(&self) {
        tracing::warn!(stream = %self.stream, "entries of the stream of other servers are gone unread");
        let ends: Vec<Arc<End>> = self.ends.read().values().flatten().cloned().collect();
        ends.iter().for_each(|end| end.inbox.lost(Loss::Unread));
    }
}

async fn run(link: Arc<Link>, readers: Arc<Readers>) {
    let mut cursor = None;
    let mut backoff = Backoff::new(BACKOFF);
    loop {
        let route = Route::Key(readers.stream.clone().into_bytes());
        match link.reader(&route, PATIENCE).await {
            Ok(reader) => {
                let failed = follow(reader, &readers, &mut cursor, &mut backoff).await;
                tracing::debug!(stream = %readers.stream, ?failed, "a stream is not read any more, for now");
            }
            Err(failed) => tracing::debug!(stream = %readers.stream, ?failed, "a stream is out of reach"),
        }
        tokio::time::sleep(backoff.pause()).await;
        let _ = link.watch().wait_for(|health| *health == Health::Connected).await;
    }
}

/// Reads until the connection breaks.
async fn follow(mut reader: Reader, readers: &Readers, cursor: &mut Option<Cursor>, backoff: &mut Backoff) -> Failed {
    let stream = &*readers.stream;
    let cursor = match cursor {
        Some(cursor) => cursor,
        None => match begin(&mut reader, stream).await {
            Ok(begun) => {
                readers.position.send_replace(Some(begun.last));
                cursor.insert(begun)
            }
            Err(failed) => return failed,
        },
    };
    let mut behind = true;
    loop {
        let entries = if behind {
            let (info, read_now) = (info(stream), xread(stream, cursor.last, None));
            let answers = match reader.ask_at_once(&[&info, &read_now], PATIENCE).await {
                Ok(answers) => answers,
                Err(failed) => return failed,
            };
            let Ok([info, entries]) = <[redis::Value; 2]>::try_from(answers) else {
                return Failed::Error("another number of answers than of commands".to_owned());
            };
            let entries = read(entries);
            if cursor.look(Info::of(info), entries.len()) {
                readers.lost();
            }
            behind = entries.len() >= BATCH;
            entries
        } else {
            let entries = match reader.ask(&xread(stream, cursor.last, Some(BLOCK)), BLOCK + PATIENCE).await {
                Ok(entries) => read(entries),
                Err(failed) => return failed,
            };
            behind = entries.len() >= BATCH;
            if behind {
                continue;
            }
            cursor.count = cursor.count.map(|count| count + entries.len() as u64);
            entries
        };
        backoff.reset();
        if let Some(last) = entries.last() {
            cursor.last = last.at;
        }
        readers.deliver(&entries);
    }
}

pub(super) fn info(stream: &str) -> Cmd {
    let mut command = redis::cmd("XINFO");
    command.arg("STREAM").arg(stream);
    command
}

fn xread(stream: &str, after: Position, block: Option<Duration>) -> Cmd {
    let mut command = redis::cmd("XREAD");
    command.arg("COUNT").arg(BATCH);
    if let Some(block) = block {
        command.arg("BLOCK").arg(block.as_millis() as u64);
    }
    command.arg("STREAMS").arg(stream).arg(after.to_string());
    command
}

/// Whether there is no such stream.
pub(super) fn is_absent(failed: &Failed) -> bool {
    matches!(failed, Failed::Error(error) if error.contains("no such key"))
}

/// Where the stream ends now; at its start if there is none.
async fn begin(reader: &mut Reader, stream: &str) -> Result<Cursor, Failed> {
    match reader.ask(&info(stream), PATIENCE).await {
        Ok(value) => Ok(Info::of(value).map_or_else(Cursor::default, |info| Cursor { last: info.last, count: info.added })),
        Err(failed) if is_absent(&failed) => Ok(Cursor { last: Position::START, count: Some(0) }),
        Err(failed) => Err(failed),
    }
}

/// How far a stream was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Cursor {
    last: Position,
    /// How many entries there ever were up to here, if Redis counts them.
    count: Option<u64>,
}

impl Cursor {
    /// Looks at what is in the stream at the moment at which so many entries were read behind `last`. Whether something is gone that
    /// was not read.
    fn look(&mut self, info: Option<Info>, entries: usize) -> bool {
        let Some(info) = info else {
            // The stream was deleted, or Redis has forgotten it.
            let lost = self.last > Position::START;
            *self = Cursor { last: Position::START, count: Some(0) };
            return lost;
        };
        let was_at = *self;
        let reached_end = entries < BATCH;
        let removed = info.added.map(|added| added.saturating_sub(info.length));
        let trimmed_here = info.first.is_none_or(|first| first > was_at.last);
        let lost = match (was_at.count, info.added, removed) {
            // Another stream of this name, or one that a replica had not heard the end of.
            (Some(count), Some(added), _) if added < count => true,
            (Some(count), _, Some(removed)) => trimmed_here && removed > count,
            _ => was_at.last > Position::START && info.first.is_some() && trimmed_here,
        };
        // What it has had up to `last` was read already; what comes will be behind this.
        self.last = self.last.min(info.last);
        self.count = match (self.count, info.added, removed) {
            (_, Some(added), _) if reached_end => Some(added),
            (Some(count), Some(added), Some(removed)) => Some(count.min(added).max(removed) + entries as u64),
            _ => None,
        };
        lost || info.last < was_at.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Position {
        text.parse().expect("a position")
    }

    /// A stream that has had entries `1-0` up to `added`, of which the last `length` are left.
    fn stream(added: u64, length: u64) -> Option<Info> {
        let first = (length > 0).then(|| at(&format!("{}-0", added - length + 1)));
        Some(Info { last: at(&format!("{added}-0")), first, length, added: Some(added) })
    }

    #[test]
    fn gaps() {
        let check = |count: u64, info: Option<Info>, entries: usize, lost: bool| {
            let mut cursor = Cursor { last: at(&format!("{count}-0")), count: Some(count) };
            assert_eq!(cursor.look(info, entries), lost, "{count} {info:?}");
            cursor
        };
        check(0, stream(5, 5), 5, false);
        check(3, stream(5, 5), 2, false);
        // Trimmed as far as was read, and not further: the count tells.
        check(3, stream(5, 2), 2, false);
        check(3, stream(5, 1), 1, true);
        check(5, stream(5, 0), 0, false);
        check(3, stream(5, 0), 0, true);
        // Behind, and behind again.
        assert_eq!(check(10, stream(1000, 990), BATCH, false).count, Some(110));
        assert_eq!(check(10, stream(1000, 900), BATCH, true).count, Some(200));
        assert_eq!(check(10, stream(50, 50), 40, false).count, Some(50));
        // Gone, and begun anew.
        assert_eq!(check(5, None, 0, true), Cursor { last: Position::START, count: Some(0) });
        assert_eq!(check(0, None, 0, false), Cursor { last: Position::START, count: Some(0) });
        check(9, stream(4, 4), 4, true);
        // A replica that had not heard the end: what it has was read.
        assert_eq!(check(9, stream(4, 4), 0, true).last, at("4-0"));
    }

    #[test]
    fn gaps_without_a_count() {
        let check = |last: &str, first: Option<&str>, lost: bool| {
            let mut cursor = Cursor { last: at(last), count: None };
            let info = Info { last: at("9-0"), first: first.map(at), length: 1, added: None };
            assert_eq!(cursor.look(Some(info), 1), lost, "{last} {first:?}");
        };
        check("3-0", Some("3-0"), false);
        check("3-0", Some("2-0"), false);
        check("3-0", Some("4-0"), true);
        check("0-0", Some("4-0"), false);
        check("9-0", None, false);
    }
}
