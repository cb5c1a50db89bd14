#[socketio::events]
pub trait ChatEvents {
    #[event]
    async fn message(&self, text: &str);
    #[event]
    async fn ask(&self, question: &str) -> bool;
}
#[socketio::namespace("/chat", emits = ChatEvents)]
pub trait Chat {}
fn f(socket: &socketio::Socket<dyn Chat>) {
    socket.emit().mesage("x");
    socket.emit().message(5);
    socket.to("room").emit().message();
}
fn main() {}
