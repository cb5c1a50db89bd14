//! Orders whose fate is asked for: nothing that is written to a stream is lost or written twice.

use super::*;
use crate::{
    adapter::redis::link::{Asker, Attachment, Kind, Order, Outcome, Port, Route, Verdict},
    contract::BoxFuture,
};
use redis::{FromRedisValue as _, Value, streams::StreamRangeReply};
use std::{sync::OnceLock, time::Duration};

const PATIENCE: Duration = Duration::from_secs(10);

/// Writes numbers to a stream, and after a loss looks which of them are there.
#[derive(Default)]
struct Writer {
    done: Mutex<Vec<(u64, bool)>>,
    attachment: OnceLock<Attachment>,
}

fn all() -> redis::Cmd {
    let mut command = redis::cmd("XRANGE");
    command.arg("numbers").arg("-").arg("+");
    command
}

fn numbers_of(stream: Value) -> Vec<u64> {
    let entries = StreamRangeReply::from_redis_value(stream).expect("a stream").ids;
    entries.iter().map(|entry| entry.get("n").expect("a number")).collect()
}

impl Port for Writer {
    fn received(&self, _: &[u8], _: &[u8]) {}

    fn health(&self, _: Health) {}

    fn lost(&self, _: Loss) {}

    fn done(&self, token: u64, outcome: Outcome) {
        self.done.lock().push((token, matches!(outcome, Outcome::Done(_))));
    }

    fn settle(&self, asker: Asker, orders: Vec<Order>) -> BoxFuture<'static, Vec<Verdict>> {
        Box::pin(async move {
            let there = numbers_of(asker.ask(&all(), &Route::Any, PATIENCE).await.expect("it answers"));
            let verdict = |order: &Order| match order.token {
                Some(token) if there.contains(&token) => Verdict::Done(Value::Nil),
                _ => Verdict::Again,
            };
            orders.iter().map(verdict).collect()
        })
    }
}

#[tokio::test]
async fn doubts_are_settled_before_anything_else_is_sent() {
    if !is_installed("doubts_are_settled_before_anything_else_is_sent") {
        return;
    }
    let server = Server::start(&[]).await;
    let proxy = Proxy::start(server.address()).await;
    let (short, long) = (Duration::from_millis(100), Duration::from_secs(600));
    let builder = Redis::builder(proxy.url()).watchdog(short, short).connect_timeout(short).queue(1024 * 1024, long);
    let link = builder.connect().await.expect("Redis is there").link;
    let writer = Arc::new(Writer::default());
    let attachment = link.attach(writer.clone());
    let _ = writer.attachment.set(attachment);
    let write = |number: u64| {
        let mut command = redis::cmd("XADD");
        command.arg("numbers").arg("*").arg("n").arg(number);
        let order = Order { command, route: Route::Key(b"numbers".to_vec()), token: Some(number) };
        writer.attachment.get().expect("it was set").publish(order).expect("it is queued");
    };
    let mut next = 0;
    for mode in [Mode::Mute, Mode::Silent, Mode::Cut, Mode::Mute, Mode::Silent] {
        // Some are on their way, some wait, when the line goes.
        (0..600).for_each(|_| {
            write(next);
            next += 1;
        });
        let enough = next as usize - 500;
        eventually("some are written", || writer.done.lock().len() >= enough).await;
        proxy.set(mode);
        (0..600).for_each(|_| {
            write(next);
            next += 1;
        });
        eventually("it is noticed", || link.health() == Health::Disconnected).await;
        proxy.set(Mode::Pass);
        eventually("all are written", || writer.done.lock().len() == next as usize).await;
    }
    let expected: Vec<u64> = (0..next).collect();
    let written = link.asker().ask(&all(), &Route::Any, PATIENCE).await.expect("it answers");
    assert_eq!(numbers_of(written), expected, "in the stream, once and in order");
    let done: Vec<(u64, bool)> = expected.iter().map(|number| (*number, true)).collect();
    assert_eq!(*writer.done.lock(), done, "and told so, in order");
}

#[tokio::test]
async fn a_reader_blocks_without_holding_up_others() {
    if !is_installed("a_reader_blocks_without_holding_up_others") {
        return;
    }
    let server = Server::start(&[]).await;
    let link = Redis::connect(server.url()).await.expect("Redis is there").link;
    let route = Route::Key(b"numbers".to_vec());
    let mut reader = link.reader(&route, PATIENCE).await.expect("another connection");
    let mut read = redis::cmd("XREAD");
    read.arg("BLOCK").arg(10_000).arg("STREAMS").arg("numbers").arg("0");
    let mut write = redis::cmd("XADD");
    write.arg("numbers").arg("*").arg("n").arg(1);
    let asker = link.asker();
    let (entries, written) = tokio::join!(reader.ask(&read, PATIENCE * 2), asker.ask(&write, &route, PATIENCE));
    assert!(written.is_ok() && matches!(entries, Ok(Value::Map(_))), "{entries:?}");
    assert_eq!(link.asker().subscribers(Kind::Channel, "nobody", PATIENCE).await, Ok(0));
    server.kill();
    assert!(reader.ask(&read, PATIENCE).await.is_err());
}
