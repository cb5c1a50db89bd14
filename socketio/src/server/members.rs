//! `Members`: which sockets a namespace has and which rooms they are in. One structure, so that it cannot disagree with itself.
//!
//! A socket is in its own room by being a member: that room is not stored. Not here: locking; see `namespace`.

use super::core::SocketCore;
use crate::{
    id::{Quick, SocketId},
    room::{Room, Target},
};
use indexmap::IndexSet;
use slab::Slab;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

type Slots = IndexSet<usize, Quick>;

#[derive(Debug, Default)]
pub(super) struct Members {
    slots: Slab<Member>,
    ids: HashMap<SocketId, usize, Quick>,
    rooms: HashMap<Room, Slots>,
}

#[derive(Debug)]
struct Member {
    socket: Arc<SocketCore>,
    rooms: Vec<Room>,
}

impl Members {
    pub(super) fn insert(&mut self, socket: Arc<SocketCore>, rooms: Vec<Room>) {
        let id = socket.id();
        let slot = self.slots.insert(Member { socket, rooms: Vec::new() });
        self.ids.insert(id, slot);
        for room in rooms {
            self.enter(slot, room);
        }
    }

    /// Removes a socket from everything; returns the rooms it was in, without its own.
    pub(super) fn remove(&mut self, id: &SocketId) -> Option<Vec<Room>> {
        let slot = self.ids.remove(id)?;
        let member = self.slots.remove(slot);
        member.rooms.iter().for_each(|room| self.leave_room(slot, room));
        if self.slots.is_empty() {
            *self = Members::default();
        }
        Some(member.rooms)
    }

    /// `true`: it was not in that room before.
    pub(super) fn join(&mut self, id: &SocketId, room: Room) -> bool {
        self.ids.get(id).copied().is_some_and(|slot| self.enter(slot, room))
    }

    /// The room, if it was in it.
    pub(super) fn leave(&mut self, id: &SocketId, room: &str) -> Option<Room> {
        let slot = self.ids.get(id).copied()?;
        let rooms = &mut self.slots[slot].rooms;
        let at = rooms.iter().position(|joined| joined.as_str() == room)?;
        let room = rooms.remove(at);
        self.leave_room(slot, &room);
        Some(room)
    }

    /// The rooms of a member, without its own.
    pub(super) fn rooms_of(&self, id: &SocketId) -> Option<&[Room]> {
        self.ids.get(id).map(|slot| &self.slots[*slot].rooms[..])
    }

    /// Every room that somebody is in, those of single sockets included.
    pub(super) fn rooms(&self) -> Vec<Room> {
        let own = self.ids.keys().filter(|id| !self.rooms.contains_key(id.as_str()));
        own.map(Room::from).chain(self.rooms.keys().cloned()).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Visits every addressed socket once.
    pub(super) fn visit(&self, target: &Target, mut visit: impl FnMut(&Arc<SocketCore>)) {
        let except: Vec<Resolved<'_>> = target.except.iter().map(|room| self.resolve(room)).collect();
        let mut visit = |slot: usize| {
            if !except.iter().any(|room| room.contains(slot)) {
                visit(&self.slots[slot].socket);
            }
        };
        match &target.rooms[..] {
            [] => self.slots.iter().for_each(|(slot, _)| visit(slot)),
            [room] => self.resolve(room).for_each(&mut visit),
            rooms => {
                let mut seen = HashSet::<usize, Quick>::default();
                for room in rooms {
                    self.resolve(room).for_each(&mut |slot| {
                        if seen.insert(slot) {
                            visit(slot);
                        }
                    });
                }
            }
        }
    }

    fn resolve(&self, room: &Room) -> Resolved<'_> {
        let own = room.as_str().parse::<SocketId>().ok().and_then(|id| self.ids.get(&id).copied());
        Resolved { own, members: self.rooms.get(room) }
    }

    fn enter(&mut self, slot: usize, room: Room) -> bool {
        let member = &mut self.slots[slot];
        if room.as_str() == member.socket.id().as_str() {
            return false;
        }
        let members = self.rooms.entry(room.clone()).or_default();
        let is_new = members.insert(slot);
        if is_new {
            member.rooms.push(room);
        }
        is_new
    }

    fn leave_room(&mut self, slot: usize, room: &Room) {
        if let Some(members) = self.rooms.get_mut(room) {
            members.swap_remove(&slot);
            if members.is_empty() {
                self.rooms.remove(room);
            }
        }
    }
}

/// The members of one room: those who joined it, and the socket whose own room it is.
struct Resolved<'a> {
    own: Option<usize>,
    members: Option<&'a Slots>,
}

impl Resolved<'_> {
    fn contains(&self, slot: usize) -> bool {
        self.own == Some(slot) || self.members.is_some_and(|members| members.contains(&slot))
    }

    fn for_each(&self, visit: &mut impl FnMut(usize)) {
        if let Some(own) = self.own {
            visit(own);
        }
        self.members.into_iter().flatten().copied().filter(|slot| self.own != Some(*slot)).for_each(visit);
    }
}
