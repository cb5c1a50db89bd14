//! The pipe of `@socket.io/redis-adapter`: broadcasts on a channel for each room, read by one pattern; requests and responses on
//! channels of their own.
//!
//! | channel | carries |
//! |---|---|
//! | `P#nsp#` | broadcasts for no room, or several |
//! | `P#nsp#room#` | broadcasts for one room, also a socket's id |
//! | `P-request#nsp#` | requests; whoever subscribes to it counts as a server |
//! | `P-response#nsp#`, `P-response#nsp#uid#` | responses; the responder chooses |
//!
//! Every server gets every broadcast of the namespace. Those for rooms that nobody here is in are dropped unread.

use super::{
    CENSUS_PATIENCE, hand_over,
    link::{Attachment, Kind, Link, Order, Port},
    unsendable,
};
use crate::{
    adapter::{
        broker::{Health, Inbox, Journal, Liveness, Loss, Pipe, Refused, Unreachable},
        message::{EMITTER, Envelope, Message, NodeId},
        wire::{
            Malformed,
            classic::{self, Channel},
        },
    },
    contract::BoxFuture,
    room::Room,
};
use parking_lot::RwLock;
use rand::distr::{Distribution as _, Uniform};
use std::{collections::HashSet, fmt, sync::Arc};

/// What a node's name is made of, and its length.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
const NODE_LENGTH: usize = 6;

#[derive(Debug, Clone)]
pub(super) struct Options {
    pub(super) prefix: Arc<str>,
    /// Whether answers go to the one who has asked only.
    pub(super) specific_responses: bool,
}

/// Connects a namespace.
pub(super) fn open(link: &Arc<Link>, options: &Options, namespace: &str, inbox: Arc<dyn Inbox>) -> Arc<dyn Pipe> {
    let pipe = PubSub::new(link, options, node(), namespace, inbox);
    let PubSub { end, attachment } = &pipe;
    attachment.subscribe(Kind::Pattern, &format!("{}*", escape(&end.main)));
    attachment.subscribe(Kind::Channel, &end.response);
    attachment.subscribe(Kind::Channel, &end.own_response);
    // By this one servers are counted: it comes last.
    attachment.subscribe(Kind::Channel, &end.request);
    attachment.expect_others(Kind::Channel, &end.request);
    Arc::new(pipe)
}

/// Speaks in a namespace as an emitter, and does not listen.
pub(super) fn speak(link: &Arc<Link>, options: &Options, namespace: &str, inbox: Arc<dyn Inbox>) -> Arc<dyn Pipe> {
    Arc::new(PubSub::new(link, options, NodeId::from(EMITTER), namespace, inbox))
}

/// Six characters by chance.
fn node() -> NodeId {
    let Ok(letters) = Uniform::new(0, ALPHABET.len()) else { return NodeId::from("") };
    let mut chance = rand::rng();
    let name: String = (0..NODE_LENGTH).map(|_| char::from(ALPHABET[letters.sample(&mut chance)])).collect();
    NodeId::from(name)
}

/// What broadcasts of this server begin with: a list of three, and its name.
fn own_broadcast(node: &NodeId) -> Vec<u8> {
    let mut start = vec![0x93, 0xa0 | NODE_LENGTH as u8];
    start.extend_from_slice(node.as_str().as_bytes());
    start
}

/// A text as a pattern that matches nothing else.
fn escape(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

/// What the link calls.
struct End {
    node: NodeId,
    namespace: Box<str>,
    main: String,
    request: String,
    response: String,
    own_response: String,
    specific_responses: bool,
    own_broadcast: Vec<u8>,
    /// Rooms with members here. A leaf: taken below `Members`, and for a lookup.
    rooms: RwLock<HashSet<Room>>,
    inbox: Arc<dyn Inbox>,
}

impl End {
    fn read(&self, channel: &str, payload: &[u8]) -> Result<Option<Envelope>, Malformed> {
        if let Some(room) = channel.strip_prefix(&self.main) {
            let is_mine = payload.starts_with(&self.own_broadcast);
            let room = room.strip_suffix('#').unwrap_or(room);
            if is_mine || !room.is_empty() && !self.rooms.read().contains(room) {
                return Ok(None);
            }
            return classic::broadcast(payload, &self.namespace);
        }
        if channel == self.request {
            return classic::request(payload, &self.namespace);
        }
        classic::response(payload)
    }
}

impl Port for End {
    fn received(&self, channel: &[u8], payload: &[u8]) {
        // Otherwise a room of another namespace's name at best.
        if let Ok(channel) = std::str::from_utf8(channel) {
            hand_over(self.read(channel, payload), &self.node, &*self.inbox);
        }
    }

    fn health(&self, health: Health) {
        self.inbox.health(health);
    }

    fn lost(&self, loss: Loss) {
        self.inbox.lost(loss);
    }
}

/// One namespace.
struct PubSub {
    end: Arc<End>,
    attachment: Attachment,
}

impl PubSub {
    fn new(link: &Arc<Link>, options: &Options, node: NodeId, namespace: &str, inbox: Arc<dyn Inbox>) -> Self {
        let Options { prefix, specific_responses } = options;
        let end = Arc::new(End {
            main: format!("{prefix}#{namespace}#"),
            request: format!("{prefix}-request#{namespace}#"),
            response: format!("{prefix}-response#{namespace}#"),
            own_response: format!("{prefix}-response#{namespace}#{node}#"),
            specific_responses: *specific_responses,
            own_broadcast: own_broadcast(&node),
            namespace: namespace.into(),
            node,
            rooms: RwLock::default(),
            inbox,
        });
        let attachment = link.attach(end.clone());
        PubSub { end, attachment }
    }

    fn send(&self, message: &Message, to: Option<&NodeId>) -> Result<(), Refused> {
        let end = &self.end;
        let (channel, payload) = classic::encode(message, &end.node, &end.namespace).map_err(unsendable)?;
        // The reference listens for the answers of servers on the common channel only.
        let specific = end.specific_responses && !matches!(message, Message::ServerAnswered { .. });
        let order = match (channel, to) {
            (Channel::Main, _) => Order::publish(&end.main, &payload),
            (Channel::Room(room), _) => Order::publish(&format!("{}{room}#", end.main), &payload),
            (Channel::Request, _) => Order::publish(&end.request, &payload),
            (Channel::Response, Some(to)) if specific => Order::publish(&format!("{}{to}#", end.response), &payload),
            (Channel::Response, _) => Order::publish(&end.response, &payload),
        };
        self.attachment.publish(order)
    }
}

impl Pipe for PubSub {
    fn node(&self) -> &NodeId {
        &self.end.node
    }

    fn liveness(&self) -> Liveness {
        Liveness::Census
    }

    fn publish(&self, message: Message) -> Result<(), Refused> {
        self.send(&message, None)
    }

    fn respond(&self, to: Option<&NodeId>, message: Message) -> Result<(), Refused> {
        self.send(&message, to)
    }

    fn census(&self) -> BoxFuture<'static, Result<usize, Unreachable>> {
        let (asker, channel) = (self.attachment.link().asker(), self.end.request.clone());
        Box::pin(async move { Ok(asker.subscribers(Kind::Channel, &channel, CENSUS_PATIENCE).await?) })
    }

    fn joined(&self, room: &Room) {
        self.end.rooms.write().insert(room.clone());
    }

    fn left(&self, room: &Room) {
        self.end.rooms.write().remove(room);
    }

    fn settled(&self) -> BoxFuture<'static, ()> {
        // The pattern covers all rooms, as soon as it is there.
        self.attachment.settled()
    }

    fn journal(&self) -> Option<Arc<dyn Journal>> {
        None
    }
}

impl fmt::Debug for PubSub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PubSub").field("node", &self.end.node).field("namespace", &self.end.namespace).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_themselves_only() {
        assert_eq!(escape("socket.io#/a*b?[c]\\#"), r"socket.io#/a\*b\?\[c\]\\#");
    }

    #[test]
    fn names_of_nodes() {
        let (one, other) = (node(), node());
        assert_ne!(one, other);
        assert_eq!(one.as_str().len(), NODE_LENGTH);
        assert!(one.as_str().bytes().all(|letter| ALPHABET.contains(&letter)));
    }

    #[test]
    fn own_broadcasts_are_known_by_their_first_bytes() {
        use crate::{parser::Body, room::Target};
        let (me, other) = (NodeId::from("abc_-1"), NodeId::from("abc_-2"));
        let event = Body::event("ev", &(1,)).expect("it can be encoded");
        let message = Message::Broadcast { target: Target::default(), event };
        let encode = |node| classic::encode(&message, node, "/").expect("the wire has it").1;
        assert!(encode(&me).starts_with(&own_broadcast(&me)));
        assert!(!encode(&other).starts_with(&own_broadcast(&me)));
    }
}
