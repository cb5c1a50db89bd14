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
    let _: bool = socket.to("room").emit().ask("?").await.unwrap();
}
fn main() {}
