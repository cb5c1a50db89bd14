#[socketio::events]
pub trait ChatEvents {
    #[event]
    async fn ask(&self, question: &str) -> bool;
}
#[socketio::namespace("/chat", emits = ChatEvents)]
pub trait Chat {}
struct ChatError;
async fn f(socket: &socketio::Socket<dyn Chat>) -> Result<bool, ChatError> {
    Ok(socket.emit().ask("?").await?)
}
fn main() {}
