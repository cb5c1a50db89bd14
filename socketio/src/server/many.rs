//! `Many`: where an emitter sends to that addresses many clients. What is done to them is done here first, then told to the other
//! servers, if there are any.

use super::{
    ack::{Asked, BroadcastReply, Failure, Waiter},
    cluster::Inquiry,
    core::SocketCore,
    mounts::Scope,
    namespace::NamespaceCore,
    observe::Addressed,
    recovery::{Audience, Posted},
};
use crate::{
    adapter::{cluster::Question, message::Message},
    contract::{AckData, Decode, Target as EmitTarget},
    engine::{Bundle, SendError, Urgency},
    id::{Quick, SocketId},
    parser::{Body, EncodeError, encode_event},
    room::{Room, Target},
};
use std::{collections::HashMap, convert::Infallible, fmt, sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// Where an emitter sends to: many clients.
#[derive(Clone)]
pub struct Many {
    pub(super) scope: Scope,
    pub(super) target: Target,
    /// What was asked for, if it was.
    timeout: Option<Duration>,
    /// The key of what the event replaces.
    pub(super) conflate: Option<Arc<str>>,
}

impl fmt::Debug for Many {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Many").field("target", &self.target).finish_non_exhaustive()
    }
}

impl Many {
    pub(super) fn new(scope: Scope) -> Self {
        Many { scope, target: Target::default(), timeout: None, conflate: None }
    }

    /// Clients of this server only: what another server asks for.
    pub(super) fn here(namespace: &Arc<NamespaceCore>, mut target: Target) -> Self {
        target.flags.local = true;
        Many { target, ..Many::new(Scope::One(Arc::clone(namespace))) }
    }

    pub(super) fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    fn ack_timeout(&self) -> Duration {
        self.timeout.unwrap_or(self.scope.settings().ack_timeout)
    }

    /// How long other servers may take to answer.
    pub(super) fn fetch_timeout(&self) -> Duration {
        self.timeout.unwrap_or(self.scope.settings().cluster_timeout)
    }

    /// The addressed sockets of this server.
    pub(super) fn sockets(&self) -> Vec<Arc<SocketCore>> {
        let mut sockets = Vec::new();
        for namespace in self.scope.namespaces() {
            namespace.members.read().visit(&self.target, |socket| sockets.push(Arc::clone(socket)));
        }
        sockets
    }

    /// Also those whose clients are away, and may come back.
    fn all(&self) -> Vec<Arc<SocketCore>> {
        let mut sockets = self.sockets();
        for namespace in self.scope.namespaces() {
            if let Some(lane) = &namespace.lane {
                let absent = lane.store.absent(&namespace);
                let addressed = |socket: &Arc<SocketCore>| {
                    let rooms = socket.rooms();
                    self.target.addresses(|room| rooms.contains(room))
                };
                sockets.extend(absent.into_iter().filter(addressed));
            }
        }
        sockets
    }

    pub(super) fn join(&self, rooms: &[Room]) {
        self.all().iter().for_each(|socket| rooms.iter().for_each(|room| socket.join(room.clone())));
        self.tell(|target| Message::Join { target, rooms: rooms.to_vec() });
    }

    pub(super) fn leave(&self, rooms: &[Room]) {
        self.all().iter().for_each(|socket| rooms.iter().for_each(|room| socket.leave(room)));
        self.tell(|target| Message::Leave { target, rooms: rooms.to_vec() });
    }

    pub(super) fn disconnect(&self, close: bool) {
        self.all().iter().for_each(|socket| socket.disconnect(close));
        self.tell(|target| Message::Disconnect { target, close });
    }

    /// Tells the other servers, unless only this one is addressed.
    fn tell(&self, message: impl Fn(Target) -> Message) {
        if !self.target.flags.local {
            for namespace in self.scope.namespaces() {
                if let Some(node) = namespace.node() {
                    node.tell(message(self.target.clone()));
                }
            }
        }
    }

    /// Asks the other servers, unless only this one is addressed: a question for each namespace.
    pub(super) fn inquire(&self, timeout: Duration, question: impl Fn() -> Question) -> Vec<(Arc<NamespaceCore>, Inquiry)> {
        if self.target.flags.local {
            return Vec::new();
        }
        let ask = |namespace: Arc<NamespaceCore>| Inquiry::start(&namespace, question(), timeout).map(|asked| (namespace, asked));
        self.scope.namespaces().into_iter().filter_map(ask).collect()
    }

    fn urgency(&self, event: &Body) -> Urgency {
        if self.target.flags.volatile || event.is_volatile() { Urgency::Volatile } else { Urgency::Normal }
    }

    /// As other servers are told of it: what the event says of itself has no other way to them.
    pub(super) fn target_of(&self, event: &Body) -> Target {
        let mut target = self.target.clone();
        target.flags.volatile |= event.is_volatile();
        target
    }

    fn packet(&self, namespace: &NamespaceCore, ack_id: Option<u64>, event: Body) -> Bundle {
        let packet = namespace.settings.spelling.bundle(encode_event(&namespace.path, ack_id, event));
        packet.compress(!self.target.flags.uncompressed).for_many(namespace.settings.deflated_from)
    }

    pub(super) fn emit(&self, event: Body) {
        match &self.scope {
            Scope::One(namespace) => self.emit_in(namespace, event),
            family => family.namespaces().iter().for_each(|namespace| self.emit_in(namespace, event.clone())),
        }
    }

    fn emit_in(&self, namespace: &NamespaceCore, event: Body) {
        let urgency = self.urgency(&event);
        let spans = namespace.lane.as_ref().is_some_and(|lane| lane.store.spans_servers());
        if spans && urgency != Urgency::Volatile && self.conflate.is_none() && !self.target.flags.local {
            // The clients of this server get it with the offset that it has for all.
            namespace.outgoing(&event, Addressed::Many(&self.target));
            namespace.post(None, || Audience::Many(self.target.clone()), event, !self.target.flags.uncompressed);
            return;
        }
        // Encoded for the clients of this server in place: the copy is for the others.
        let others = if self.target.flags.local { None } else { namespace.node() };
        let told = others.map(|node| (node, Message::Broadcast { target: self.target_of(&event), event: event.clone() }));
        self.emit_here(namespace, event, urgency, spans);
        if let Some((node, message)) = told {
            node.tell(message);
        }
    }

    /// An event of another server, which has this offset for clients that come back.
    pub(super) fn receive(&self, event: Body, offset: &str) {
        let Scope::One(namespace) = &self.scope else { return };
        let Some(lane) = &namespace.lane else { return self.emit(event) };
        namespace.outgoing(&event, Addressed::Many(&self.target));
        let (audience, compress) = (Audience::Many(self.target.clone()), !self.target.flags.uncompressed);
        lane.store.receive(Posted { namespace, socket: None, audience, body: event, compress }, offset);
    }

    fn emit_here(&self, namespace: &NamespaceCore, event: Body, urgency: Urgency, spans: bool) {
        namespace.outgoing(&event, Addressed::Many(&self.target));
        let event = match urgency {
            Urgency::Volatile => namespace.unposted(event),
            // Only clients of this server are to get it, or it had no offset where it comes from.
            _ if self.conflate.is_some() || spans => namespace.unposted(event),
            _ => match namespace.post(None, || Audience::Many(self.target.clone()), event, !self.target.flags.uncompressed) {
                Some(event) => event,
                None => return,
            },
        };
        let packet = self.packet(namespace, None, event);
        let (mut volatile, mut full) = (0, 0);
        namespace.members.read().visit(&self.target, |socket| {
            // A client that cannot take it does not concern the others, nor the caller.
            match socket.on_link(|link| link.engine.outbox.push_keyed(packet.clone(), urgency, self.conflate.as_ref())) {
                Err(SendError::NotWritable) => volatile += 1,
                Err(SendError::Full) => full += 1,
                _ => {}
            }
        });
        namespace.dropped(volatile, full);
    }

    pub(super) fn ask_body(&self, event: Body) -> BroadcastReply<AckData, Infallible> {
        self.ask(Ok(event), |data| Ok(data.clone()))
    }
}

impl EmitTarget for Many {
    type Sent = ();
    type Reply<T: Send + 'static, E: Send + 'static> = BroadcastReply<T, E>;

    fn send(&self, event: Result<Body, EncodeError>) {
        match event {
            Ok(event) => self.emit(event),
            Err(error) => tracing::error!(%error, "a broadcast was not sent"),
        }
    }

    fn ask<T: Send + 'static, E: Send + 'static>(
        &self,
        event: Result<Body, EncodeError>,
        decode: Decode<T, E>,
    ) -> BroadcastReply<T, E> {
        let (waiter, answers) = mpsc::unbounded_channel();
        let mut missing: HashMap<SocketId, Asked, Quick> = HashMap::default();
        let timeout = self.ack_timeout();
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                let failure = Some(Failure::Encode(error.to_string()));
                return BroadcastReply::new(failure, missing, answers, Vec::new(), timeout, decode);
            }
        };
        let urgency = self.urgency(&event);
        for namespace in self.scope.namespaces() {
            let id = namespace.next_ack_id();
            namespace.outgoing(&event, Addressed::Many(&self.target));
            let (mut volatile, mut full) = (0, 0);
            let packet = self.packet(&namespace, Some(id), event.clone());
            namespace.members.read().visit(&self.target, |socket| {
                missing.insert(socket.id(), Asked { socket: Arc::clone(socket), id });
                if socket.expect_ack(id, Waiter::Many(waiter.clone())) {
                    match socket.on_link(|link| link.engine.outbox.push(packet.clone(), urgency)) {
                        Err(SendError::NotWritable) => volatile += 1,
                        Err(SendError::Full) => full += 1,
                        _ => {}
                    }
                }
            });
            namespace.dropped(volatile, full);
        }
        let target = || self.target_of(&event);
        let question = || Question::Clients { target: target(), event: event.clone(), single: false };
        let others = self.inquire(timeout, question).into_iter().map(|(_, inquiry)| inquiry).collect();
        BroadcastReply::new(None, missing, answers, others, timeout, decode)
    }
}
