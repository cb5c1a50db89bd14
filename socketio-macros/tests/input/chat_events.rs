//! What the server sends, with and without acknowledgements.

#[events(rename_all = "camelCase")]
pub(crate) trait ChatEvents {
    #[event]
    async fn new_message(&self, room: &str, message: &Message);
    #[event(volatile)]
    async fn user_typing(&self, user: &str);
    #[event]
    async fn are_you_there(&self) -> bool;
    #[event]
    async fn flush(&self) -> socketio::Ack;
}
