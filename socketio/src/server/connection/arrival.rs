//! How clients are taken in: for the first time, or back, when their session changes from one connection's task to another's,
//! by way of a `Store` or at once.

use super::Connection;
use crate::{
    engine::Urgency,
    extract::{ConnectError, ConnectParts},
    id::SocketId,
    metrics::Measured,
    parser::encode_connect_error,
    reason::DisconnectReason,
    server::{
        core::{Accepted, SocketCore},
        joined::Joined,
        legacy,
        mounts::Mount,
        recovery::{Restored, claim},
        running::{ConnectResult, Done, Work},
        session::{Panicked, caught, drop_caught},
    },
    text::Text,
};
use std::{sync::Arc, task::Context};
use tokio::sync::oneshot;

/// The largest `auth` payload: it is kept for as long as the socket lives.
const AUTH_BYTES: usize = 64 << 10;

/// Keeps a session whose connection was lost.
pub(super) fn park(absent: Joined) {
    let namespace = Arc::clone(absent.core.namespace());
    if let Some(lane) = &namespace.lane {
        lane.store.park(absent);
    }
}

impl Connection {
    pub(super) fn connect(&mut self, cx: &mut Context<'_>, path: &str, auth: Text) {
        let is_legacy = self.link.engine.is_legacy();
        if self.sockets.len() >= self.shared.namespaces_per_connection {
            return self.refuse(path, "", &ConnectError::new("too many namespaces"));
        }
        if auth.len() > AUTH_BYTES {
            return self.refuse(path, "", &ConnectError::new("auth payload too large"));
        }
        let (mount, namespace) = match caught(|| self.shared.mounts.find(path)) {
            Ok(Some(found)) => found,
            // Said to clients of all versions in the same form.
            Ok(None) => return self.refuse_with(path, "", &ConnectError::new("Invalid namespace").to_json()),
            // The pattern of a dynamic namespace is user code.
            Err(Panicked) => return self.refuse(path, "", &ConnectError::new("internal error")),
        };
        // The child of a dynamic namespace is part of the cluster before anybody is in it.
        let _ = namespace.node();
        let (auth, claim) = if namespace.lane.is_some() && !is_legacy { claim(auth) } else { (auth, None) };
        let known_as = is_legacy.then(|| legacy::known_as(path, self.link.engine.id));
        let id = match known_as {
            Some(legacy::Known::Id(id)) => id,
            _ => SocketId::from_random(rand::random()),
        };
        let core = SocketCore::new(id, Arc::clone(&namespace), Arc::clone(&self.link), auth);
        if let Some(legacy::Known::Room(room)) = known_as {
            core.join(room);
        }
        // Most connections have one.
        if self.sockets.is_empty() {
            self.sockets.reserve_exact(1);
        }
        self.sockets.push(Joined::new(Arc::clone(&core)));
        match (&namespace.lane, claim) {
            (Some(lane), Some(claim)) => {
                let restore = Arc::clone(&lane.store).take(Arc::clone(&core), claim);
                self.start(cx, core, Work::Restore(restore));
            }
            _ => self.admit(cx, &mount, ConnectParts::new(core)),
        }
    }

    /// An old client is in `/` without asking. Where there is no `/`, it is not told: it would take that for a refusal of
    /// every namespace.
    pub(super) fn join_root(&mut self, cx: &mut Context<'_>) {
        if !matches!(caught(|| self.shared.mounts.find("/")), Ok(None)) {
            self.connect(cx, "/", Text::from_static("{}"));
        }
    }

    /// `label`: what the namespace is called in metrics, if there is one.
    fn refuse(&self, path: &str, label: &str, error: &ConnectError) {
        if self.link.engine.is_legacy() {
            self.refuse_with(path, label, &legacy::refusal(error));
        } else {
            self.refuse_with(path, label, &error.to_json());
        }
    }

    fn refuse_with(&self, path: &str, label: &str, payload: &str) {
        self.shared.settings.meter.record(Measured::SocketRefused { namespace: label });
        let answer = self.shared.settings.spelling.bundle(encode_connect_error(path, payload));
        // A connection that has ended needs no answer.
        let _ = self.link.engine.outbox.push(answer, Urgency::Answer);
    }

    /// Asks the connect function.
    fn admit(&mut self, cx: &mut Context<'_>, mount: &Mount, parts: ConnectParts) {
        let core = Arc::clone(parts.core());
        match caught(|| (mount.accept)(parts)) {
            Ok(future) => self.start(cx, core, Work::Connect(future)),
            Err(panicked) => self.done(cx, &core, Done::Connect(Err(panicked))),
        }
    }

    pub(super) fn connect_done(&mut self, cx: &mut Context<'_>, core: &Arc<SocketCore>, result: Result<ConnectResult, Panicked>) {
        let Some(at) = self.position_of(core) else { return drop_caught(result) };
        if core.is_absent() {
            // The connection was lost while the function ran again. The session so far waits for the next one.
            let mut joined = self.sockets.remove(at);
            joined.session = joined.previous.take();
            drop_caught(result);
            return park(joined.leave_behind());
        }
        let again = core.tracked().is_some_and(|tracked| tracked.after().is_some());
        let mut gap = false;
        let error = match result {
            Ok(Ok(session)) => match core.accept() {
                Accepted::Taken => {
                    self.engine.ring_at(None);
                    let joined = &mut self.sockets[at];
                    joined.session = Some(session);
                    drop_caught(joined.previous.take());
                    if again {
                        self.count(core, true);
                        self.lingering = true;
                        self.next_of_backlog(cx, core);
                    }
                    return;
                }
                not_taken => {
                    drop_caught(session);
                    gap = not_taken == Accepted::Gap;
                    // It was disconnected before it was accepted.
                    ConnectError::new("disconnected by the server")
                }
            },
            Ok(Err(error)) => error,
            Err(Panicked) => ConnectError::new("internal error"),
        };
        core.end(DisconnectReason::ServerNamespace, false);
        let joined = self.sockets.remove(at);
        self.refuse(&core.namespace().path, &core.namespace().label, &error);
        if again {
            self.count(core, false);
        }
        self.last_call(cx, Arc::clone(core), joined.previous);
        if gap {
            // What the client missed fell out while the connect function ran. It begins anew with its next connection.
            self.close(cx, DisconnectReason::TransportClose);
        }
    }

    /// The session that a client asked for was found, or not. `fresh`: the socket that it becomes if not.
    pub(super) fn restored(&mut self, cx: &mut Context<'_>, fresh: &Arc<SocketCore>, restored: Option<Restored>) {
        let namespace = Arc::clone(fresh.namespace());
        let (Some(lane), Some(at)) = (&namespace.lane, self.position_of(fresh)) else { return };
        let mount = caught(|| self.shared.mounts.find(&namespace.path)).ok().flatten();
        let (Some((mount, _)), false) = (mount, fresh.has_ended()) else {
            // The connection was lost meanwhile: the next one will ask again.
            restored.into_iter().for_each(|restored| park(restored.joined));
            return self.connect_done(cx, fresh, Err(Panicked));
        };
        let fresh_parts = ConnectParts::new(Arc::clone(fresh));
        let Some(Restored { mut joined, after }) = restored else {
            self.count(fresh, false);
            return self.admit(cx, &mount, fresh_parts);
        };
        let core = Arc::clone(&joined.core);
        let lost = joined.ended.take();
        let resumed = after.is_some_and(|after| core.resume(Arc::clone(&self.link), after));
        if resumed && (joined.session.is_none() || lane.store.connects_again()) {
            joined.previous = joined.session.take();
            let previous = joined.previous.as_ref().map(|session| session.value());
            let parts = ConnectParts::again(core, Arc::clone(&self.link.handshake), fresh.auth().clone(), previous);
            self.sockets[at] = joined;
            return self.admit(cx, &mount, parts);
        }
        // Somebody may have asked for it meanwhile, or it is to be told.
        self.lingering = true;
        if resumed && core.accept() == Accepted::Taken {
            self.count(&core, true);
            self.engine.ring_at(None);
            self.sockets[at] = joined;
            return self.next_of_backlog(cx, &core);
        }
        // The session cannot go on without a gap: it ends as any other, and the client begins anew.
        self.count(&core, false);
        core.end(lost.unwrap_or(DisconnectReason::TransportClose), false);
        joined.ended = core.closed();
        self.sockets.push(joined);
        self.next_of_backlog(cx, &core);
        self.admit(cx, &mount, fresh_parts);
    }

    /// A socket whose next event need not wait any longer.
    pub(super) fn startable(&self) -> Option<Arc<SocketCore>> {
        let handlers = self.shared.settings.handlers_per_socket;
        let startable = |joined: &&Joined| joined.session.is_some() && joined.has_backlog() && !joined.is_busy(handlers);
        self.sockets.iter().find(startable).map(|joined| Arc::clone(&joined.core))
    }

    /// Gives a session to the task of the connection that its client uses now.
    pub(super) fn hand_over(&mut self, at: usize, heir: oneshot::Sender<Joined>) {
        let joined = self.sockets.remove(at).leave_behind();
        // A connection that gave up meanwhile, or was lost itself, is followed by another.
        if let Err(back) = heir.send(joined) {
            park(back);
        }
    }

    fn count(&self, core: &SocketCore, recovered: bool) {
        if let Some(lane) = &core.namespace().lane {
            lane.store.count(recovered);
            core.namespace().record(|namespace| Measured::Returned { namespace, recovered });
        }
    }
}
