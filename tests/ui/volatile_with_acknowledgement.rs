#[socketio::events]
pub trait ChatEvents {
    #[event(volatile)]
    async fn typing(&self) -> bool;
}
#[socketio::namespace("/chat", emits = ChatEvents)]
pub trait Chat {
    #[event(volatile)]
    async fn typing(&self);
}
fn main() {}
