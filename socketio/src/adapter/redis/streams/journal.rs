//! What a stream remembers: which entries were written, broadcasts after an offset, and beside it the sessions that wait.

use super::{
    LOOK, LOOK_PATIENCE, NUMBER, Streams, Writer,
    entry::{Info, Position, entries},
    feed::{info, is_absent},
};
use crate::{
    adapter::{
        broker::{Appended, Journal, Unreachable},
        message::{Envelope, Message, NodeId, SessionRecord},
        redis::link::{Asker, Failed, Route},
        wire::stream,
    },
    contract::BoxFuture,
};
use redis::{Cmd, Value};
use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

/// The longest that Redis is asked to keep a session: what does not fit into its clock, it refuses.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// Entries, of all namespaces, that are looked at for one client that comes back.
const MAX_LOOKED_AT: usize = 200_000;

/// The entries of one sender.
pub(super) struct Found {
    /// Where those behind a position are, by their numbers.
    pub(super) numbers: HashMap<u64, Position>,
    /// No entry behind that position was trimmed.
    pub(super) is_complete: bool,
}

/// Looks for the entries of a sender behind a position.
pub(super) async fn find(asker: &Asker, stream: &str, node: &NodeId, after: Position) -> Result<Found, Failed> {
    let mut numbers = HashMap::new();
    let mut from = after.next();
    loop {
        let found = entries(look(asker, stream, &from.to_string(), "+", LOOK).await?);
        for entry in &found {
            let number = entry.field(NUMBER).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
            if let (Some(sender), Some(number)) = (entry.field("uid"), number)
                && sender == node.as_str().as_bytes()
            {
                numbers.insert(number, entry.at);
            }
        }
        match found.last() {
            Some(last) if found.len() == LOOK => from = last.at.next(),
            _ => break,
        }
    }
    let first = entries(look(asker, stream, "-", "+", 1).await?).first().map(|first| first.at);
    let is_complete = after == Position::START || first.is_none_or(|first| first <= after);
    Ok(Found { numbers, is_complete })
}

async fn look(asker: &Asker, stream: &str, from: &str, to: &str, count: usize) -> Result<Value, Failed> {
    let mut command = redis::cmd("XRANGE");
    command.arg(stream).arg(from).arg(to).arg("COUNT").arg(count);
    asker.ask(&command, &Route::Key(stream.as_bytes().to_vec()), LOOK_PATIENCE).await
}

/// Whether nothing was ever taken out of a stream. Before Redis 7 nobody knows.
async fn is_whole(asker: &Asker, stream: &str) -> Result<bool, Failed> {
    match asker.ask(&info(stream), &Route::Key(stream.as_bytes().to_vec()), LOOK_PATIENCE).await {
        Ok(value) => Ok(Info::of(value).is_some_and(|info| info.added == Some(info.length))),
        Err(error) if is_absent(&error) => Ok(true),
        Err(failed) => Err(failed),
    }
}

/// The journal of one namespace.
pub(super) struct StreamJournal {
    streams: Arc<Streams>,
    writer: Arc<Writer>,
}

impl StreamJournal {
    pub(super) fn new(streams: &Arc<Streams>, writer: &Arc<Writer>) -> Self {
        StreamJournal { streams: streams.clone(), writer: writer.clone() }
    }

    fn key(&self, pid: &str) -> String {
        format!("{}{pid}", self.streams.options.session_prefix)
    }
}

impl Journal for StreamJournal {
    fn append(&self, message: Message, done: Appended) {
        // Whether it was refused is told through `done`.
        let _ = self.writer.append(&self.streams.options, &message, Some(done));
    }

    fn position(&self) -> Option<Arc<str>> {
        let position = self.writer.end.position.as_ref()?.position()?;
        Some(position.to_string().into())
    }

    fn keep(&self, session: SessionRecord, ttl: Duration) -> BoxFuture<'static, Result<(), Unreachable>> {
        let (asker, key) = (self.streams.link.asker(), self.key(&session.pid));
        Box::pin(async move {
            let value = stream::session(&session).map_err(|_| Unreachable)?;
            let mut set = redis::cmd("SET");
            // Redis adds it to the time of day.
            let ttl = u64::try_from(ttl.min(LONGEST).as_millis()).unwrap_or(u64::MAX).max(1);
            set.arg(&key).arg(value).arg("PX").arg(ttl);
            ask(&asker, &set, &key).await.map(drop)
        })
    }

    fn take(&self, pid: &str) -> BoxFuture<'static, Result<Option<SessionRecord>, Unreachable>> {
        let (asker, key) = (self.streams.link.asker(), self.key(pid));
        let command = |name: &str| {
            let mut command = redis::cmd(name);
            command.arg(&key);
            command
        };
        let (get, delete) = (command("GET"), command("DEL"));
        Box::pin(async move {
            let Value::BulkString(value) = ask(&asker, &get, &key).await? else { return Ok(None) };
            // Of all who have read it, Redis tells one that it was there to be deleted.
            if ask(&asker, &delete, &key).await? != Value::Int(1) {
                return Ok(None);
            }
            Ok(stream::read_session(&value).ok())
        })
    }

    fn peek(&self, pid: &str) -> BoxFuture<'static, Result<Option<SessionRecord>, Unreachable>> {
        let (asker, key) = (self.streams.link.asker(), self.key(pid));
        Box::pin(async move {
            let mut get = redis::cmd("GET");
            get.arg(&key);
            let Value::BulkString(value) = ask(&asker, &get, &key).await? else { return Ok(None) };
            Ok(stream::read_session(&value).ok())
        })
    }

    fn after(&self, offset: &str, limit: usize, bytes: usize) -> BoxFuture<'static, Result<Option<Vec<Envelope>>, Unreachable>> {
        let (asker, end) = (self.streams.link.asker(), self.writer.end.clone());
        let offset = offset.parse::<Position>();
        Box::pin(async move {
            let Ok(offset) = offset else { return Ok(None) };
            let is_there = async || {
                let (at, asker) = (offset.to_string(), &asker);
                if offset == Position::START {
                    return Ok(is_whole(asker, &end.stream).await?);
                }
                Ok::<_, Unreachable>(entries(look(asker, &end.stream, &at, &at, 1).await?).len() == 1)
            };
            if !is_there().await? {
                return Ok(None);
            }
            let mut broadcasts = Vec::new();
            let mut from = offset.next();
            let (mut looked_at, mut size) = (0, 0);
            loop {
                let found = entries(look(&asker, &end.stream, &from.to_string(), "+", LOOK).await?);
                for entry in &found {
                    if entry.field("nsp") != Some(end.namespace.as_bytes()) {
                        continue;
                    }
                    // What cannot be read was not delivered to anybody, either.
                    let Ok(Some((_, mut envelope))) = stream::read_entry(|name| entry.field(name)) else { continue };
                    if matches!(envelope.message, Message::Broadcast { .. }) {
                        envelope.offset = Some(entry.at.to_string().into());
                        size += entry.size();
                        if broadcasts.len() >= limit || size > bytes {
                            return Ok(None);
                        }
                        broadcasts.push(envelope);
                    }
                }
                looked_at += found.len();
                if looked_at > MAX_LOOKED_AT {
                    return Ok(None);
                }
                match found.last() {
                    Some(last) if found.len() == LOOK => from = last.at.next(),
                    _ => break,
                }
            }
            // If it is still there, nothing behind it was trimmed meanwhile.
            Ok(is_there().await?.then_some(broadcasts))
        })
    }
}

async fn ask(asker: &Asker, command: &Cmd, key: &str) -> Result<Value, Unreachable> {
    Ok(asker.ask(command, &Route::Key(key.as_bytes().to_vec()), LOOK_PATIENCE).await?)
}

impl fmt::Debug for StreamJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamJournal").field("stream", &self.writer.end.stream).finish_non_exhaustive()
    }
}
