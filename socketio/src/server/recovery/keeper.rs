//! The keeper of `Memory`: a task that ends what nobody came back for.

use super::{kept::Whereabouts, memory::Memory};
use crate::{
    contract::BoxFuture,
    reason::DisconnectReason,
    server::{
        joined::Joined,
        running::{Running, Work},
        session::{caught, drop_caught},
    },
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use std::sync::{Arc, Weak};
use tokio::{sync::Notify, time::sleep_until};

/// Ends what nobody came back for, and lets the log grow old. It lives as long as its store.
pub(super) async fn keeper(memory: Weak<Memory>, wake: Arc<Notify>) {
    let mut last_calls: FuturesUnordered<Running> = FuturesUnordered::new();
    // Those that other servers know of as well: they may have gone there.
    let mut searches: FuturesUnordered<BoxFuture<'static, (Joined, Whereabouts)>> = FuturesUnordered::new();
    loop {
        let deadline = {
            let Some(memory) = memory.upgrade() else { break };
            let (due, deadline) = memory.due();
            for joined in due {
                let kept = joined.core.tracked().and_then(|tracked| tracked.keeps(None));
                let joined = match kept.filter(|_| !memory.is_closing()) {
                    Some(mut kept) => {
                        searches.push(Box::pin(async move {
                            let whereabouts = kept.end().await;
                            if matches!(whereabouts, Whereabouts::Unknown) {
                                // It ends here, and is not to be on offer when the journal is back.
                                tokio::spawn(kept.end_at_last());
                            }
                            (joined, whereabouts)
                        }));
                        continue;
                    }
                    None => joined,
                };
                match last_call(joined) {
                    Some(running) => last_calls.push(running),
                    None => memory.told(),
                }
            }
            deadline
        };
        let late = async {
            match deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = wake.notified() => {}
            () = late => {}
            Some((joined, whereabouts)) = searches.next() => {
                let running = match whereabouts {
                    Whereabouts::Elsewhere | Whereabouts::Behind(_) => {
                        go_quietly(joined);
                        None
                    }
                    Whereabouts::Here | Whereabouts::Unknown => last_call(joined),
                };
                let Some(memory) = memory.upgrade() else { break };
                match running {
                    Some(running) => last_calls.push(running),
                    None => memory.told(),
                }
            }
            Some(_) = last_calls.next() => {
                if let Some(memory) = memory.upgrade() {
                    memory.told();
                }
            }
        }
    }
    while last_calls.next().await.is_some() {}
}

/// Ends a session; what is left to be done is to tell it.
fn last_call(joined: Joined) -> Option<Running> {
    let Joined { core, session, ended, .. } = joined;
    core.end(ended.unwrap_or(DisconnectReason::TransportClose), false);
    let session = session?;
    let reason = core.closed()?;
    let future = caught(|| session.disconnect(reason)).ok().flatten();
    drop_caught(session);
    Some(Running { core, work: Some(Work::Disconnect(future?)) })
}

/// The client goes on at another server: nothing has ended, but nothing more happens here.
pub(super) fn go_quietly(joined: Joined) {
    let Joined { core, session, ended, .. } = joined;
    core.end(ended.unwrap_or(DisconnectReason::TransportClose), false);
    drop_caught(session);
}
