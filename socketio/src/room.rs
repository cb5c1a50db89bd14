//! `Room` names and `Target`: which sockets of a namespace an operation addresses. Pure; the members are in `server`.

use crate::id::SocketId;
use std::{borrow::Borrow, fmt, ops::Deref, sync::Arc};

/// The name of a room. Every socket is also reachable under its own id as a room.
///
/// ```
/// use socketio::Room;
///
/// // Whatever takes a room takes any of these.
/// let rooms: [Room; 3] = ["lobby".into(), format!("user {}", 7).into(), Room::from("lobby")];
/// assert_eq!(rooms[0], rooms[2]);
/// assert_eq!(rooms[1].as_str(), "user 7");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Room(Arc<str>);

impl Room {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Room {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Room {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! room_from {
    ($($name:ident: $from:ty => $to:expr;)*) => { $(
        impl From<$from> for Room {
            fn from($name: $from) -> Self {
                Room(Arc::from($to))
            }
        }
    )* };
}
room_from! {
    name: &str => name;
    name: String => name;
    name: &String => name.as_str();
    id: SocketId => id.as_str();
    id: &SocketId => id.as_str();
}

impl From<&Room> for Room {
    fn from(room: &Room) -> Self {
        room.clone()
    }
}

/// How an event is to be delivered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    /// Drop the event for a client whose connection cannot take it at once.
    pub(crate) volatile: bool,
    /// Only sockets of this server, not of the cluster.
    pub(crate) local: bool,
    /// Do not compress the event for its own sake.
    pub(crate) uncompressed: bool,
}

/// Which sockets of one namespace: the union of `rooms` (all sockets if empty) without those in any of `except`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Target {
    /// Rooms to address; empty means the whole namespace.
    pub(crate) rooms: Vec<Room>,
    /// Rooms whose members are left out.
    pub(crate) except: Vec<Room>,
    /// Delivery flags.
    pub(crate) flags: Flags,
}

impl Target {
    /// Whether a socket is addressed, given the rooms that it is in, its own included.
    pub(crate) fn addresses(&self, is_in: impl Fn(&Room) -> bool) -> bool {
        (self.rooms.is_empty() || self.rooms.iter().any(&is_in)) && !self.except.iter().any(&is_in)
    }
}
