//! The pipe of the reference's `createShardedAdapter`: sharded channels, of which a server subscribes to those it needs.
//!
//! | channel | carries |
//! |---|---|
//! | `P#nsp#` | everything that is not below; whoever subscribes to it counts as a server |
//! | `P#nsp#uid#` | answers for one server |
//! | `P#nsp#room#` | broadcasts for one room, by [`SubscriptionMode`] |
//!
//! In a Redis Cluster there is no order between them.

use super::{
    CENSUS_PATIENCE, hand_over,
    link::{Attachment, Kind, Link, Order, Port},
    unsendable,
};
use crate::{
    adapter::{
        broker::{Health, Inbox, Journal, Liveness, Loss, Pipe, Refused, Unreachable},
        message::{EMITTER, Message, NodeId},
        wire::cluster,
    },
    contract::BoxFuture,
    room::Room,
};
use std::{fmt, sync::Arc};

/// The length of a socket's id, by which the reference tells private rooms from public ones.
const SOCKET_ID_LENGTH: usize = 20;

/// Which rooms have a channel of their own. All servers must use the same mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SubscriptionMode {
    /// None: every server gets every broadcast. The reference's `static`. For few servers and many short-lived rooms.
    Static,
    /// All but those of single sockets: a server gets the broadcasts of rooms that it has members of. The reference's `dynamic`. As
    /// there, what is for a room whose name has 20 characters reaches all, because it could be that of a socket.
    #[default]
    Dynamic,
    /// All, also those of single sockets: two more messages for Redis with every connection. The reference's `dynamic-private`.
    DynamicPrivate,
}

impl SubscriptionMode {
    /// Whether what is for a room has a channel. Its length is what JavaScript calls so.
    fn has_channel(self, room: &str) -> bool {
        match self {
            SubscriptionMode::Static => false,
            SubscriptionMode::Dynamic => room.encode_utf16().count() != SOCKET_ID_LENGTH,
            SubscriptionMode::DynamicPrivate => true,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Options {
    pub(super) prefix: Arc<str>,
    pub(super) mode: SubscriptionMode,
}

/// Connects a namespace.
pub(super) fn open(link: &Arc<Link>, options: &Options, namespace: &str, inbox: Arc<dyn Inbox>) -> Arc<dyn Pipe> {
    let node = NodeId::from(format!("{:016x}", rand::random::<u64>()));
    let pipe = Sharded::new(link, options, node, namespace, inbox);
    let Sharded { end, attachment } = &pipe;
    attachment.subscribe(Kind::Shard, &end.channel(end.node.as_str()));
    attachment.subscribe(Kind::Shard, &end.main);
    attachment.expect_others(Kind::Shard, &end.main);
    Arc::new(pipe)
}

/// Speaks in a namespace as an emitter, and does not listen.
pub(super) fn speak(link: &Arc<Link>, options: &Options, namespace: &str, inbox: Arc<dyn Inbox>) -> Arc<dyn Pipe> {
    Arc::new(Sharded::new(link, options, NodeId::from(EMITTER), namespace, inbox))
}

/// What JSON messages of this server end with: the last brace closes the message, so these are its fields.
fn own_message(node: &NodeId, namespace: &str) -> Vec<u8> {
    let namespace = serde_json::Value::from(namespace);
    format!(r#","uid":"{node}","nsp":{namespace}}}"#).into_bytes()
}

/// What the link calls.
struct End {
    node: NodeId,
    namespace: Box<str>,
    main: String,
    own_message: Vec<u8>,
    mode: SubscriptionMode,
    inbox: Arc<dyn Inbox>,
}

impl End {
    /// The channel of a room or a server.
    fn channel(&self, name: &str) -> String {
        format!("{}{name}#", self.main)
    }
}

impl Port for End {
    fn received(&self, _: &[u8], payload: &[u8]) {
        if payload.ends_with(&self.own_message) {
            return;
        }
        hand_over(cluster::decode(payload, &self.namespace), &self.node, &*self.inbox);
    }

    fn health(&self, health: Health) {
        self.inbox.health(health);
    }

    fn lost(&self, loss: Loss) {
        self.inbox.lost(loss);
    }
}

/// One namespace.
struct Sharded {
    end: Arc<End>,
    attachment: Attachment,
}

impl Sharded {
    fn new(link: &Arc<Link>, options: &Options, node: NodeId, namespace: &str, inbox: Arc<dyn Inbox>) -> Self {
        let end = Arc::new(End {
            main: format!("{}#{namespace}#", options.prefix),
            own_message: own_message(&node, namespace),
            namespace: namespace.into(),
            node,
            mode: options.mode,
            inbox,
        });
        let attachment = link.attach(end.clone());
        Sharded { end, attachment }
    }

    fn send(&self, channel: &str, message: &Message) -> Result<(), Refused> {
        let payload = cluster::encode(message, &self.end.node, &self.end.namespace, false).map_err(unsendable)?;
        self.attachment.publish(Order::publish_sharded(channel, &payload))
    }
}

impl Pipe for Sharded {
    fn node(&self) -> &NodeId {
        &self.end.node
    }

    fn liveness(&self) -> Liveness {
        Liveness::Census
    }

    fn publish(&self, message: Message) -> Result<(), Refused> {
        if let Message::Broadcast { target, .. } = &message
            && let [room] = &*target.rooms
            && self.end.mode.has_channel(room)
        {
            return self.send(&self.end.channel(room), &message);
        }
        self.send(&self.end.main, &message)
    }

    fn respond(&self, to: Option<&NodeId>, message: Message) -> Result<(), Refused> {
        match to {
            Some(to) => self.send(&self.end.channel(to.as_str()), &message),
            None => self.send(&self.end.main, &message),
        }
    }

    fn census(&self) -> BoxFuture<'static, Result<usize, Unreachable>> {
        let (asker, channel) = (self.attachment.link().asker(), self.end.main.clone());
        Box::pin(async move { Ok(asker.subscribers(Kind::Shard, &channel, CENSUS_PATIENCE).await?) })
    }

    /// Whatever its length, as the reference does: who publishes cannot tell a long room from a socket, who has the socket can.
    fn joined(&self, room: &Room) {
        if self.end.mode != SubscriptionMode::Static {
            self.attachment.subscribe(Kind::Shard, &self.end.channel(room));
        }
    }

    fn came(&self, own: &Room) {
        if self.end.mode == SubscriptionMode::DynamicPrivate {
            self.joined(own);
        }
    }

    fn left(&self, room: &Room) {
        if self.end.mode != SubscriptionMode::Static {
            self.attachment.unsubscribe(Kind::Shard, &self.end.channel(room));
        }
    }

    fn went(&self, own: &Room) {
        if self.end.mode == SubscriptionMode::DynamicPrivate {
            self.left(own);
        }
    }

    fn settled(&self) -> BoxFuture<'static, ()> {
        self.attachment.settled()
    }

    fn journal(&self) -> Option<Arc<dyn Journal>> {
        None
    }
}

impl fmt::Debug for Sharded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sharded").field("node", &self.end.node).field("namespace", &self.end.namespace).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_with_channels() {
        let id = "A".repeat(SOCKET_ID_LENGTH);
        // Ten characters of which JavaScript counts two each.
        let astral = "\u{1F600}".repeat(SOCKET_ID_LENGTH / 2);
        for (mode, room, expected) in [
            (SubscriptionMode::Static, "lobby", false),
            (SubscriptionMode::Dynamic, "lobby", true),
            (SubscriptionMode::Dynamic, &id, false),
            (SubscriptionMode::Dynamic, &astral, false),
            (SubscriptionMode::DynamicPrivate, &id, true),
        ] {
            assert_eq!(mode.has_channel(room), expected, "{mode:?} {room}");
        }
    }

    #[test]
    fn own_messages_are_known_by_their_last_bytes() {
        use crate::{parser::Body, room::Target};
        let (me, other) = (NodeId::from("0123456789abcdef"), NodeId::from("0123456789abcdee"));
        let event = Body::event("ev", &("text",)).expect("it can be encoded");
        let message = Message::Broadcast { target: Target::default(), event };
        for namespace in ["/", "/with \"quotes\"", "/ünï"] {
            let encode = |node| cluster::encode(&message, node, namespace, false).expect("the wire has it");
            assert!(encode(&me).ends_with(&own_message(&me, namespace)), "{namespace}");
            assert!(!encode(&other).ends_with(&own_message(&me, namespace)));
        }
    }
}
