//! What other servers want to be done to the sockets of this one. Called by the broker's task: nothing here waits.

use super::Node;
use crate::{
    adapter::{
        broker::Loss,
        cluster::{Answer, Deed},
        message::{NodeId, RequestId, SocketRecord},
    },
    contract::AckData,
    parser::Body,
    room::{Flags, Room, Target},
    server::{ack::BroadcastReply, core::SocketCore, many::Many, namespace::NamespaceCore, remote::HandshakeRecord},
    text::Text,
};
use futures_util::StreamExt as _;
use std::{convert::Infallible, sync::Arc, time::Duration};

/// The longest time for which the acknowledgements of clients are collected for another server, whatever it says.
const LONGEST_ASK: Duration = Duration::from_secs(3600);

impl Node {
    pub(super) fn perform(self: &Arc<Self>, deed: Deed) {
        let Some(namespace) = self.namespace.upgrade() else { return };
        let many = |target| Many::here(&namespace, target);
        match deed {
            Deed::Broadcast { event, .. } | Deed::Ask { event, .. } | Deed::Emit { event, .. } if !is_event(&event) => {
                self.lost(&Loss::Poison("an event without a name"));
            }
            Deed::Broadcast { target, event, offset: Some(offset) } if !target.flags.volatile => {
                many(target).receive(event, &offset)
            }
            Deed::Broadcast { target, event, .. } => many(target).emit(event),
            Deed::Ask { id, from, target, event, timeout } => {
                let timeout = timeout.unwrap_or(namespace.settings.ack_timeout).min(LONGEST_ASK);
                let answers = many(target).timeout(timeout).ask_body(event);
                self.answer(id.clone(), from.clone(), Answer::Clients(answers.asked() as u64));
                if answers.asked() > 0 {
                    self.runtime.spawn(collect(Arc::clone(self), id, from, answers));
                }
            }
            Deed::Join { target, rooms } => many(target).join(&rooms),
            Deed::Leave { target, rooms } => many(target).leave(&rooms),
            Deed::Disconnect { target, close } => many(target).disconnect(close),
            Deed::Fetch { id, from, target } => {
                let sockets = many(target).sockets().iter().map(|socket| record(socket)).collect();
                self.answer(id, from, Answer::Sockets(sockets));
            }
            Deed::Emit { event, ask } => self.worker.push(self, namespace, event, ask),
            Deed::FetchIds { id, from, rooms } => {
                let target = Target { rooms, except: Vec::new(), flags: Flags::default() };
                let ids = many(target).sockets().iter().map(|socket| socket.id().to_string()).collect();
                self.answer(id, from, Answer::Ids(ids));
            }
            Deed::FetchRooms { id, from } => {
                let rooms = rooms(&namespace);
                self.answer(id, from, Answer::Rooms(rooms));
            }
        }
    }
}

fn rooms(namespace: &NamespaceCore) -> Vec<Room> {
    namespace.members.read().rooms()
}

/// Passes on what clients acknowledge.
async fn collect(node: Arc<Node>, id: RequestId, from: Option<NodeId>, mut answers: BroadcastReply<AckData, Infallible>) {
    while let Some((_, answer)) = answers.next().await {
        // The other server counts those that do not come.
        if let Ok(data) = answer {
            node.answer(id.clone(), from.clone(), Answer::Acknowledged(first_argument(&data)));
        }
    }
}

/// Of an acknowledgement, only its first argument travels.
pub(super) fn first_argument(data: &AckData) -> Body {
    data.raw_args().slice(..1).to_body()
}

/// An acknowledgement that has arrived.
pub(in crate::server) fn acknowledgement(body: &Body) -> AckData {
    AckData::new(Text::from(body.json()), 0, body.attachments().to_vec())
}

/// A socket as other servers get to see it.
fn record(socket: &SocketCore) -> SocketRecord {
    SocketRecord {
        id: socket.id().to_string(),
        handshake: HandshakeRecord::of(socket).to_json(),
        rooms: socket.rooms(),
        data: socket.data().unwrap_or_else(|| Text::from_static("{}")),
    }
}

/// Whether it has a name; clients of JavaScript cannot bear one that has none.
fn is_event(event: &Body) -> bool {
    event.json().strip_prefix('[').is_some_and(|values| values.trim_start().starts_with('"'))
}
