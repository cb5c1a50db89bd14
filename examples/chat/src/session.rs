//! `Session`: one connected user, and what the server does for them.
//!
//! What only this server has to know is in the hall. What all have to agree on is asked of all when it is needed: one code for one
//! server and for many, and nothing stays behind of a server that has died.

use crate::{
    contract::{Chat, ChatError, Login, LoginError, Message, Profile, RoomState, RoomSummary},
    hall::{Hall, LOBBY, Seat},
    name::Name,
};
use axum::extract;
use socketio::{Auth, ConnectError, DisconnectReason, FetchError, RemoteSocket, Socket};
use std::collections::{BTreeMap, BTreeSet};

/// In front of the names of the chat's rooms: every socket is alone in a room that is named like its id, and no user shall
/// be able to join that one.
const PREFIX: &str = "room/";
/// How often the number of members is told again because it has changed meanwhile.
const CORRECTIONS: usize = 3;

/// One connected user.
#[derive(Debug)]
pub struct Session {
    socket: Socket<dyn Chat>,
    seat: Seat,
}

/// Lets a user in whose name is free.
///
/// # Errors
/// It is not; the client sees the [`LoginError`] as the `data` of its `connect_error`.
pub async fn connect(
    socket: Socket<dyn Chat>,
    Auth(login): Auth<Login>,
    extract::State(hall): extract::State<Hall>,
) -> Result<Session, ConnectError> {
    // The seat first: of two who want the same name on two servers at the same moment, at most one gets it.
    let seat = hall.sit_down(&login.name)?;
    let elsewhere = socket.namespace().server_side_emit().is_taken(seat.name()).await;
    if elsewhere.into_iter().flatten().any(|taken| taken) {
        return Err(LoginError::NameTaken.into());
    }
    socket.set_data(&Profile { name: seat.name().to_string() })?;
    Ok(Session { socket, seat })
}

impl From<LoginError> for ConnectError {
    fn from(error: LoginError) -> Self {
        ConnectError::new(error.to_string()).with_data(error)
    }
}

impl Chat for Session {
    async fn rooms(&self) -> Vec<RoomSummary> {
        let mut members = BTreeMap::from([(LOBBY.to_owned(), 0)]);
        for user in everybody(self.socket.namespace().fetch_sockets().await) {
            for room in user.rooms().iter().filter_map(|room| room.strip_prefix(PREFIX)) {
                *members.entry(room.to_owned()).or_default() += 1;
            }
        }
        members.into_iter().map(|(name, members)| RoomSummary { name, members, closed: false }).collect()
    }

    async fn join(&self, room: &str) -> Result<RoomState, ChatError> {
        let (room, name) = (Name::parse(room)?, self.seat.name());
        let is_new = self.seat.hall().lock().enter(&room, name)?;
        if is_new {
            self.socket.join(channel(&room));
            // From here on it hears what is said on other servers: nothing is missing between that and the history.
            self.socket.settled().await;
            self.socket.to(channel(&room)).emit().joined(&room, name);
            self.announce(&room).await;
        }
        let (members, history) = tokio::join!(self.members(&room), self.history(&room));
        Ok(RoomState { members: members.into_iter().collect(), history })
    }

    async fn leave(&self, room: &str) -> Result<(), ChatError> {
        let room = Name::parse(room)?;
        if !self.part(&room) {
            return Err(ChatError::NotInRoom);
        }
        self.announce(&room).await;
        Ok(())
    }

    async fn say(&self, room: &str, text: &str) -> Result<Message, ChatError> {
        let room = Name::parse(room)?;
        // Told under the lock, so that everybody sees the messages in the order in which they are stored. Emitting does not wait.
        let mut hall = self.seat.hall().lock();
        let message = hall.say(&room, self.seat.name(), text)?;
        self.socket.to(channel(&room)).emit().message(&room, &message);
        self.socket.namespace().server_side_emit().said(&room, &message);
        Ok(message)
    }

    async fn typing(&self, room: &str) {
        let (Ok(room), name) = (Name::parse(room), self.seat.name()) else { return };
        if self.seat.hall().lock().is_in(&room, name) {
            self.socket.to(channel(&room)).emit().typing(&room, name);
        }
    }

    async fn disconnected(&self, _reason: DisconnectReason) {
        let rooms = self.socket.rooms();
        let rooms = rooms.iter().filter_map(|room| room.strip_prefix(PREFIX)).flat_map(Name::parse);
        let left: Vec<Name> = rooms.filter(|room| self.part(room)).collect();
        for room in &left {
            self.announce(room).await;
        }
    }
}

impl Session {
    /// Leaves a room. `false`: the user was not there.
    fn part(&self, room: &Name) -> bool {
        let name = self.seat.name();
        let was_in = self.seat.hall().lock().leave(room, name);
        if was_in {
            self.socket.leave(channel(room));
            self.socket.to(channel(room)).emit().left(room, name);
        }
        was_in
    }

    /// Tells everybody, this user included, what the list of rooms shows. If others come or go at the same time, what they tell
    /// may be overtaken by this: so it is told again if it was not true any more.
    async fn announce(&self, room: &Name) {
        let mut members = self.members(room).await.len() as u32;
        for _ in 0..=CORRECTIONS {
            let closed = members == 0 && &**room != LOBBY;
            self.socket.namespace().emit().room_changed(&RoomSummary { name: room.to_string(), members, closed });
            let told = std::mem::replace(&mut members, self.members(room).await.len() as u32);
            if told == members {
                break;
            }
        }
    }

    /// Who is in a room, on whatever server.
    async fn members(&self, room: &Name) -> BTreeSet<String> {
        let members = everybody(self.socket.namespace().to(channel(room)).fetch_sockets().await);
        members.iter().filter_map(|user| user.data().ok().flatten()).map(|profile| profile.name).collect()
    }

    /// The last messages of a room. Other servers know more if nobody here was in it, or the connection to them was interrupted.
    async fn history(&self, room: &Name) -> Vec<Message> {
        let elsewhere = self.socket.namespace().server_side_emit().history(room).await;
        let mut hall = self.seat.hall().lock();
        hall.remember(room, elsewhere.into_iter().flatten().flatten());
        hall.history(room)
    }
}

/// Those of the servers that have answered in time: better some than none.
fn everybody(found: Result<Vec<RemoteSocket<dyn Chat>>, FetchError<dyn Chat>>) -> Vec<RemoteSocket<dyn Chat>> {
    found.unwrap_or_else(FetchError::into_sockets)
}

/// The Socket.IO room behind a room of the chat.
fn channel(room: &Name) -> String {
    format!("{PREFIX}{room}")
}
