#[socketio::namespace("/chat")]
pub trait Chat {
    #[event]
    async fn join(&self, room: &str);
    #[event]
    async fn leave(&self) -> u32;
    #[event]
    async fn rename(&self);
}
struct Session;
impl Chat for Session {
    async fn join(&self, _room: String) {}
    async fn leave(&self) -> String { String::new() }
    async fn rename(&mut self) {}
}
fn main() {}
