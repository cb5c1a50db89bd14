//! `Session`: one connected user, and what the server does for them. Each handler changes the hall and tells the others.
//!
//! The others are told under the hall's lock: so everybody sees the changes in the order in which they were made. Emitting
//! queues a packet and does not wait for anybody.

use crate::{
    contract::{Chat, ChatError, Login, LoginError, Message, RoomState, RoomSummary},
    hall::{Hall, Seat, State},
    name::Name,
};
use axum::extract;
use socketio::{Auth, ConnectError, DisconnectReason, Socket};

/// In front of the names of the chat's rooms: every socket is alone in a room that is named like its id, and no user shall
/// be able to join that one.
const PREFIX: &str = "room/";

/// One connected user.
#[derive(Debug)]
pub struct Session {
    socket: Socket<dyn Chat>,
    seat: Seat,
}

/// Lets a user in whose name is free.
///
/// # Errors
/// It is not; the client sees the error as the `data` of its `connect_error`.
pub async fn connect(
    socket: Socket<dyn Chat>,
    Auth(login): Auth<Login>,
    extract::State(hall): extract::State<Hall>,
) -> Result<Session, LoginError> {
    Ok(Session { socket, seat: hall.sit_down(&login.name)? })
}

impl From<LoginError> for ConnectError {
    fn from(error: LoginError) -> Self {
        ConnectError::new(error.to_string()).with_data(error)
    }
}

impl Chat for Session {
    async fn rooms(&self) -> Vec<RoomSummary> {
        self.seat.hall().lock().summaries()
    }

    async fn join(&self, room: &str) -> Result<RoomState, ChatError> {
        let (room, name) = (Name::parse(room)?, self.seat.name());
        let mut hall = self.seat.hall().lock();
        if hall.enter(&room, name)? {
            self.socket.join(channel(&room));
            self.socket.to(channel(&room)).emit().joined(&room, name);
            self.announce(&hall, &room);
        }
        Ok(hall.room(&room))
    }

    async fn leave(&self, room: &str) -> Result<(), ChatError> {
        let room = Name::parse(room)?;
        if self.part(&room) { Ok(()) } else { Err(ChatError::NotInRoom) }
    }

    async fn say(&self, room: &str, text: &str) -> Result<Message, ChatError> {
        let room = Name::parse(room)?;
        let mut hall = self.seat.hall().lock();
        let message = hall.say(&room, self.seat.name(), text)?;
        self.socket.to(channel(&room)).emit().message(&room, &message);
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
        let rooms = rooms.iter().filter_map(|room| room.strip_prefix(PREFIX));
        for room in rooms.flat_map(Name::parse) {
            self.part(&room);
        }
    }
}

impl Session {
    /// Leaves a room. `false`: the user was not there.
    fn part(&self, room: &Name) -> bool {
        let name = self.seat.name();
        let mut hall = self.seat.hall().lock();
        self.socket.leave(channel(room));
        let was_in = hall.leave(room, name);
        if was_in {
            self.socket.to(channel(room)).emit().left(room, name);
            self.announce(&hall, room);
        }
        was_in
    }

    /// Tells everybody, this user included, what the list of rooms shows.
    fn announce(&self, hall: &State, room: &Name) {
        self.socket.namespace().emit().room_changed(&hall.summary(room));
    }
}

/// The Socket.IO room behind a room of the chat.
fn channel(room: &Name) -> String {
    format!("{PREFIX}{room}")
}
