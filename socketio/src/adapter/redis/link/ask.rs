//! Questions to Redis: `Asker`, for what is answered at once, and `Reader`, a connection of its own for commands that block.

use super::{Counters, Kind, Route, Shared, Wires, dial::Line, session, topology};
use crate::adapter::broker::{Health, Unreachable};
use redis::{Cmd, Value};
use std::{fmt, sync::Arc, time::Duration};
use tokio::time::timeout_at;

/// A question was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failed {
    /// Not in time, or the connection broke: it may have been carried out.
    Unanswered,
    /// Redis answered with this error.
    Error(String),
}

impl From<Failed> for Unreachable {
    fn from(_: Failed) -> Self {
        Unreachable
    }
}

/// Asks Redis questions.
#[derive(Clone)]
pub(crate) struct Asker(pub(super) Arc<Shared>);

impl fmt::Debug for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asker").field("health", &self.health()).finish_non_exhaustive()
    }
}

impl Asker {
    /// How the link is.
    pub(crate) fn health(&self) -> Health {
        *self.0.health.borrow()
    }

    /// What it has done.
    pub(crate) fn counters(&self) -> &Counters {
        &self.0.counters
    }

    /// Bytes that wait to be published.
    pub(crate) fn queued_bytes(&self) -> usize {
        self.0.queue.bytes()
    }

    /// The connections that are, or will be in time.
    pub(super) async fn wires(&self, until: tokio::time::Instant) -> Result<Arc<Wires>, Failed> {
        let mut wires = self.0.wires.subscribe();
        match timeout_at(until, wires.wait_for(Option::is_some)).await {
            Ok(Ok(wires)) => wires.clone().ok_or(Failed::Unanswered),
            _ => Err(Failed::Unanswered),
        }
    }

    /// Sends one command, waits for the link if it is not connected, and waits for the answer. It overtakes what waits to be
    /// published.
    ///
    /// # Errors
    /// There is no answer in time, or it is an error.
    pub(crate) async fn ask(&self, command: &Cmd, route: &Route, patience: Duration) -> Result<Value, Failed> {
        let until = tokio::time::Instant::now() + patience;
        let mut line = self.wires(until).await?.of(route).ok_or(Failed::Unanswered)?;
        self.send(command, &mut line, until).await
    }

    /// Sends one command to every node that has keys.
    ///
    /// # Errors
    /// As [`Asker::ask`], of the first one that fails.
    pub(crate) async fn ask_all(&self, command: &Cmd, patience: Duration) -> Result<Vec<Value>, Failed> {
        let until = tokio::time::Instant::now() + patience;
        let wires = self.wires(until).await?;
        let answers = wires.lines.values().cloned().map(|mut line| async move { self.send(command, &mut line, until).await });
        futures_util::future::try_join_all(answers).await
    }

    /// How many connections have subscribed to a channel, in all of a cluster.
    ///
    /// # Errors
    /// As [`Asker::ask`].
    pub(crate) async fn subscribers(&self, kind: Kind, channel: &str, patience: Duration) -> Result<usize, Failed> {
        let mut command = redis::cmd("PUBSUB");
        command.arg(if kind == Kind::Shard { "SHARDNUMSUB" } else { "NUMSUB" }).arg(channel);
        let answers = self.ask_all(&command, patience).await?;
        let count = answers.iter().map(topology::count).sum();
        if self.health() == Health::Connected {
            self.0.subscriptions.count_other(kind, channel, count);
        }
        Ok(count)
    }

    async fn send(
        &self,
        command: &Cmd,
        line: &mut redis::aio::MultiplexedConnection,
        until: tokio::time::Instant,
    ) -> Result<Value, Failed> {
        let answer = timeout_at(until, command.query_async::<Value>(line)).await.map_err(|_| Failed::Unanswered)?;
        answer.map_err(|error| {
            if session::is_elsewhere(&error) {
                self.0.changed.notify_one();
            }
            if session::is_answer(&error) { Failed::Error(error.to_string()) } else { Failed::Unanswered }
        })
    }
}

/// A connection for commands that block. Whoever has it waits for one at a time, and gives it up when it fails.
pub(crate) struct Reader {
    pub(super) line: Line,
}

impl Reader {
    /// Sends one command and waits for its answer, however long Redis was told to block: that belongs into the patience.
    ///
    /// # Errors
    /// There is no answer in time, or it is an error. After [`Failed::Unanswered`] it is of no use any more.
    ///
    /// # Cancel safety
    /// The answer is lost, and the connection of no use any more.
    pub(crate) async fn ask(&mut self, command: &Cmd, patience: Duration) -> Result<Value, Failed> {
        let answer = tokio::time::timeout(patience, command.query_async::<Value>(&mut self.line.connection)).await;
        let answer = answer.map_err(|_| Failed::Unanswered)?;
        answer.map_err(Failed::of)
    }

    /// Sends some commands that Redis carries out at once, with nothing in between, and waits for their answers. The answer of one may
    /// be an error.
    ///
    /// # Errors
    /// As [`Reader::ask`].
    ///
    /// # Cancel safety
    /// As [`Reader::ask`].
    pub(crate) async fn ask_at_once(&mut self, commands: &[&Cmd], patience: Duration) -> Result<Vec<Value>, Failed> {
        // By hand: the crate panics if a user without the permission is refused the first of its own.
        self.ask(&redis::cmd("MULTI"), patience).await?;
        let mut pipeline = redis::pipe();
        pipeline.ignore_errors();
        for command in commands {
            pipeline.add_command((*command).clone());
        }
        pipeline.cmd("EXEC");
        let answers = tokio::time::timeout(patience, pipeline.query_async::<Vec<Value>>(&mut self.line.connection)).await;
        let answers = answers.map_err(|_| Failed::Unanswered)?.map_err(Failed::of)?;
        match answers.into_iter().last() {
            Some(Value::Array(answers)) => Ok(answers),
            Some(Value::ServerError(error)) => Err(Failed::Error(error.to_string())),
            _ => Err(Failed::Error("EXEC gave no list".to_owned())),
        }
    }
}

impl Failed {
    fn of(error: redis::RedisError) -> Self {
        if session::is_answer(&error) { Failed::Error(error.to_string()) } else { Failed::Unanswered }
    }
}
