#[socketio::namespace("/chat")]
pub trait Chat {
    #[event]
    async fn join(&self, room: &str) -> u32;
}
struct Session;
impl Chat for Session {
    async fn joim(&self, _room: &str) -> u32 { 1 }
}
fn main() {}
