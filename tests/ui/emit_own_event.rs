#[socketio::events]
pub trait ChatEvents {
    #[event]
    async fn message(&self, text: &str);
}
#[socketio::namespace("/chat", emits = ChatEvents)]
pub trait Chat {
    #[event]
    async fn join(&self, room: &str);
}
fn f(socket: &socketio::Socket<dyn Chat>) {
    socket.emit().join("lobby");
}
fn main() {}
