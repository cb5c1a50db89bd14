//! The rooms of a socket through all states of its life, and who has to know of them: the members, the log of recovery, and the
//! broker between the servers.

use super::{CONNECTED, Life, SocketCore};
use crate::room::Room;
use std::sync::atomic::Ordering;

impl SocketCore {
    /// Tells the broker between the servers which rooms matter here, from the first time that the client was taken in until it ends:
    /// also while it is away, because it may come back for what it missed.
    pub(super) fn entered(&self, rooms: &[Room]) {
        if let Some(node) = self.namespace.node() {
            node.entered(&self.id.into(), true);
            rooms.iter().for_each(|room| node.entered(room, false));
        }
    }

    pub(super) fn left(&self, rooms: &[Room]) {
        if self.known.load(Ordering::Acquire)
            && let Some(node) = self.namespace.node()
        {
            node.left(&self.id.into());
            rooms.iter().for_each(|room| node.left(room));
        }
    }

    /// Notes a change of rooms. The caller holds a lock under which they change.
    pub(super) fn moved(&self, room: &Room, joined: bool) {
        if self.known.load(Ordering::Acquire)
            && let Some(node) = self.namespace.node()
        {
            if joined { node.entered(room, false) } else { node.left(room) }
        }
        if let Some((lane, tracked)) = self.lane() {
            tracked.moved(lane.store.position(), lane.store.floor(), room.clone(), joined);
        }
    }

    pub(in crate::server) fn join(&self, room: Room) {
        {
            let mut life = self.life.lock();
            match &mut *life {
                Life::Pending { rooms, .. } | Life::Absent { rooms, .. } if rooms.contains(&room) => return,
                Life::Pending { rooms, .. } | Life::Absent { rooms, .. } => {
                    self.moved(&room, true);
                    return rooms.push(room);
                }
                Life::Closed { .. } => return,
                Life::Connected => {}
            }
        }
        let mut members = self.namespace.members.write();
        if self.is_absent() {
            // The connection was lost in between.
            drop(members);
            return self.join(room);
        }
        if members.join(&self.id, room.clone()) {
            self.moved(&room, true);
            drop(members);
            self.was_moved(&room, true);
        }
    }

    pub(in crate::server) fn leave(&self, room: &str) {
        {
            let mut life = self.life.lock();
            match &mut *life {
                Life::Pending { rooms, .. } | Life::Absent { rooms, .. } => {
                    if let Some(at) = rooms.iter().position(|joined| joined.as_str() == room) {
                        self.moved(&rooms.remove(at), false);
                    }
                    return;
                }
                Life::Closed { .. } => return,
                Life::Connected => {}
            }
        }
        let mut members = self.namespace.members.write();
        if self.is_absent() {
            drop(members);
            return self.leave(room);
        }
        if let Some(room) = members.leave(&self.id, room) {
            self.moved(&room, false);
            drop(members);
            self.was_moved(&room, false);
        }
    }

    /// The rooms of the socket, its own first. Once it has ended: the rooms it was in.
    pub(in crate::server) fn rooms(&self) -> Vec<Room> {
        let own = std::iter::once(Room::from(self.id));
        if self.state.load(Ordering::Acquire) == CONNECTED
            && let Some(rooms) = self.namespace.members.read().rooms_of(&self.id)
        {
            return own.chain(rooms.iter().cloned()).collect();
        }
        match &*self.life.lock() {
            Life::Pending { rooms, .. } | Life::Absent { rooms, .. } | Life::Closed { rooms, .. } => {
                own.chain(rooms.iter().cloned()).collect()
            }
            Life::Connected => own.collect(),
        }
    }

    /// Whether `room` is one of [`rooms`](Self::rooms).
    pub(in crate::server) fn is_in(&self, room: &str) -> bool {
        let joined = |rooms: &[Room]| rooms.iter().any(|joined| joined.as_str() == room);
        if self.id.as_str() == room {
            return true;
        }
        if self.state.load(Ordering::Acquire) == CONNECTED
            && let Some(rooms) = self.namespace.members.read().rooms_of(&self.id)
        {
            return joined(rooms);
        }
        match &*self.life.lock() {
            Life::Pending { rooms, .. } | Life::Absent { rooms, .. } | Life::Closed { rooms, .. } => joined(rooms),
            Life::Connected => false,
        }
    }
}
