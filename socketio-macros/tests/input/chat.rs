//! The usual namespace.

/// Chat rooms.
#[namespace("/chat", emits = ChatEvents, auth = Login, rename_all = "camelCase")]
pub trait Chat {
    /// Join a room; answers with the number of people in it.
    #[event]
    async fn join(&self, room: &str) -> Result<u32, ChatError>;
    /// Post a message to a room you joined.
    #[event("chat message")]
    async fn say(&self, room: &str, text: &str) -> Result<()>;
    #[event]
    async fn typing(&self, room: &str);
    #[disconnect]
    async fn left(&self, reason: DisconnectReason);
}
