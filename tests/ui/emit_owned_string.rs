#[socketio::events]
pub trait ChatEvents {
    #[event]
    async fn message(&self, text: &str);
    #[event]
    async fn ask(&self, question: &str) -> bool;
}
#[socketio::namespace("/chat", emits = ChatEvents)]
pub trait Chat {}
fn f(socket: &socketio::Socket<dyn Chat>, text: String) {
    socket.emit().message(text);
}
fn main() {}
