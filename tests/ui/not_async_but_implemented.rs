use socketio::DisconnectReason;
#[socketio::namespace("/chat")]
pub trait Chat {
    #[event]
    fn join(&self, room: &str) -> u32;
    #[disconnect]
    fn left(&self, reason: DisconnectReason);
}
struct Session;
impl Chat for Session {
    async fn join(&self, _room: &str) -> u32 { 1 }
    async fn left(&self, _reason: DisconnectReason) {}
}
fn main() {}
