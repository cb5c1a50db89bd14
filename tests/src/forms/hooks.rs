//! Hooks, optional handlers, helpers, receivers, and the attributes of Rust that a contract may carry.

use super::{Builder, Reports};
use axum::extract::State;
use serde_json::{Value, json};
use socketio::{ConnectError, DisconnectReason, Incoming, RawArgs, Rejection, Socket, events, namespace};
use std::sync::Arc;

#[namespace("/hooks", emits = HookEvents, rename_all = "camelCase")]
trait Hooks {
    #[middleware]
    async fn allow(&self, event: &Incoming) -> Result<(), Rejection> {
        match event.raw_args().get::<&str>(0) {
            Ok("forbidden") => Err(Rejection::new("not you")),
            _ => Ok(()),
        }
    }
    #[event]
    async fn guarded(&self, text: &str) -> Result<String, String>;
    #[fallback]
    async fn unknown(&self, event: &str, args: RawArgs<'_>);
    #[disconnect]
    async fn left(&self, reason: DisconnectReason);
    /// What a session that has ended left behind.
    #[event]
    async fn report(&self, id: &str) -> Option<Value>;
    #[event]
    async fn disconnect_me(&self);

    /// An optional handler that the session leaves out.
    #[event]
    async fn by_default(&self, value: u32) -> u32 {
        self.twice(value)
    }
    /// One that it does not.
    #[event]
    async fn overridden(&self, value: u32) -> u32 {
        self.twice(value)
    }
    /// An optional handler without an answer.
    #[event]
    async fn ignored(&self, _value: u32) {}
    #[event]
    async fn spawning(self: Arc<Self>, value: u32) -> u32;

    #[cfg(not(target_pointer_width = "16"))]
    #[event]
    async fn compiled_in(&self) -> bool;
    #[cfg(target_pointer_width = "16")]
    #[event]
    async fn compiled_out(&self) -> NoSuchType;
    #[deprecated(note = "use `guarded`")]
    #[event]
    async fn outdated(&self) -> String;

    /// A helper: no event.
    fn twice(&self, value: u32) -> u32 {
        value * 2
    }
}

#[events(rename_all = "camelCase")]
trait HookEvents {
    #[event]
    async fn unknown_was(&self, name: &str, arguments: &[Value]);
}

struct Session {
    socket: Socket<dyn Hooks>,
    reports: Reports,
}

async fn connect(socket: Socket<dyn Hooks>, State(reports): State<Reports>) -> Result<Session, ConnectError> {
    socket.join("room");
    Ok(Session { socket, reports })
}

impl Hooks for Session {
    async fn guarded(&self, text: &str) -> Result<String, String> {
        Ok(text.to_owned())
    }
    async fn unknown(&self, event: &str, args: RawArgs<'_>) {
        let arguments: Vec<Value> = (0..args.len()).filter_map(|index| args.get(index).ok()).collect();
        self.socket.emit().unknown_was(event, &arguments);
    }
    async fn left(&self, reason: DisconnectReason) {
        let rooms = self.socket.rooms().len();
        self.reports.put(self.socket.id(), json!({ "reason": reason.as_str(), "rooms": rooms }));
    }
    async fn report(&self, id: &str) -> Option<Value> {
        self.reports.get(id)
    }
    async fn disconnect_me(&self) {
        self.socket.disconnect(false);
    }
    async fn overridden(&self, value: u32) -> u32 {
        self.twice(value) + 1
    }
    async fn spawning(self: Arc<Self>, value: u32) -> u32 {
        // A task that outlives the borrow of a handler.
        tokio::spawn(async move { self.twice(value) }).await.unwrap_or_default()
    }
    async fn compiled_in(&self) -> bool {
        true
    }
    async fn outdated(&self) -> String {
        "still here".to_owned()
    }
}

pub(super) fn mount(builder: Builder) -> Builder {
    builder.namespace::<dyn Hooks, _>(connect)
}
