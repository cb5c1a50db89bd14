//! The contract: every event of the chat, in both directions, with its types. Nothing here knows how the server works, so a
//! client crate can share this file.
//!
//! ```text
//! browser --Chat: rooms, join, leave, say, typing--------------> server
//! browser <--ChatEvents: message, joined, left, typing, ...----- server
//!  server <--ChatServers: said, history, is_taken--------------> other servers
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use socketio::{DisconnectReason, Rejection, events, namespace};

/// What clients ask of the server.
#[namespace("/chat", emits = ChatEvents, cluster = ChatServers, auth = Login, data = Profile, rename_all = "camelCase")]
pub trait Chat {
    /// All rooms, in alphabetical order.
    #[event]
    async fn rooms(&self) -> Vec<RoomSummary>;

    /// Enters a room, which is opened if it does not exist. Answers with what a newcomer needs to know.
    ///
    /// Events of the room may arrive before the answer: apply them after it.
    #[event]
    async fn join(&self, room: &str) -> Result<RoomState, ChatError>;

    /// Leaves a room.
    #[event]
    async fn leave(&self, room: &str) -> Result<(), ChatError>;

    /// Posts a message. Answers with the message as the others see it.
    #[event]
    async fn say(&self, room: &str, text: &str) -> Result<Message, ChatError>;

    /// Tells the others that this user is typing; to be repeated while that is so.
    #[event]
    async fn typing(&self, room: &str);

    /// The client has gone, in whatever way.
    #[disconnect]
    async fn disconnected(&self, reason: DisconnectReason);
}

/// What the server tells clients.
#[events(rename_all = "camelCase")]
pub trait ChatEvents {
    /// Somebody else posted a message.
    #[event]
    async fn message(&self, room: &str, message: &Message);

    /// Somebody else entered a room.
    #[event]
    async fn joined(&self, room: &str, name: &str);

    /// Somebody else left a room.
    #[event]
    async fn left(&self, room: &str, name: &str);

    /// Somebody else is typing. Better lost than late.
    #[event(volatile)]
    async fn typing(&self, room: &str, name: &str);

    /// A room was opened, closed, or has another number of members. Sent to everybody.
    #[event]
    async fn room_changed(&self, room: &RoomSummary);
}

/// What servers tell and ask each other, if there are several. Who is in which room they know without that.
#[events(rename_all = "camelCase")]
pub trait ChatServers {
    /// A user of another server posted a message.
    #[event]
    async fn said(&self, room: &str, message: &Message);

    /// The last messages of a room; none if nobody on your server is in it.
    #[event]
    async fn history(&self, room: &str) -> Vec<Message>;

    /// Whether a user of your server has this name, or is about to get it.
    #[event]
    async fn is_taken(&self, name: &str) -> bool;
}

/// The `auth` payload of a connecting client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Login {
    /// The name to be known by; nobody else may have it at the same time.
    pub name: String,
}

/// The data of a user's socket, which all servers can see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// As in [`Login`], checked.
    pub name: String,
}

/// A room as the list shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RoomSummary {
    /// Its name.
    pub name: String,
    /// How many users are in it.
    pub members: u32,
    /// It exists no longer.
    pub closed: bool,
}

/// A room as its members see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RoomState {
    /// Who is in it, the newcomer included.
    pub members: Vec<String>,
    /// The last messages, the oldest first.
    pub history: Vec<Message>,
}

/// A posted message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// Grows with every message of a server, as long as it runs.
    pub id: u32,
    /// Who wrote it.
    pub author: String,
    /// What they wrote.
    pub text: String,
    /// When it was stored, in milliseconds since 1970: the number that JavaScript's `Date` takes.
    #[schemars(range(max = 8_640_000_000_000_000_u64))]
    pub time: u64,
}

/// Why the server refused an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(tag = "code", rename_all = "camelCase")]
pub enum ChatError {
    /// The user is not in that room.
    #[error("you are not in this room")]
    NotInRoom,
    /// The user is in as many rooms as allowed.
    #[error("you cannot be in more than {limit} rooms")]
    TooManyRooms {
        /// The allowed number.
        limit: u32,
    },
    /// A room name or a text is empty, too long or malformed.
    #[error("{reason}")]
    Invalid {
        /// What is wrong, for people.
        reason: String,
    },
}

/// What cannot be decoded is answered too, with the same type.
impl From<Rejection> for ChatError {
    fn from(rejection: Rejection) -> Self {
        ChatError::Invalid { reason: rejection.to_string() }
    }
}

/// Why the server refused a login: `error.data` of the client's `connect_error`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(tag = "code", rename_all = "camelCase")]
pub enum LoginError {
    /// The name has no visible characters.
    #[error("choose a name")]
    NameEmpty,
    /// The name has too many characters.
    #[error("a name has at most {limit} characters")]
    NameTooLong {
        /// The allowed number.
        limit: u32,
    },
    /// The name has control characters.
    #[error("a name is plain text")]
    NameMalformed,
    /// Somebody else has the name.
    #[error("somebody else has this name")]
    NameTaken,
}
