#[socketio::events]
pub trait ChatEvents {
    #[event]
    async fn message(&self, text: &str);
    #[event]
    async fn ask(&self, question: &str) -> bool;
}
#[socketio::namespace("/chat", emits = ChatEvents)]
pub trait Chat {}
async fn f(socket: &socketio::Socket<dyn Chat>) {
    socket.emit().message("x").await;
    socket.to("room").emit().message("x").await;
}
fn main() {}
