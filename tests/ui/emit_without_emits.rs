#[socketio::events]
pub trait ChatEvents {
    #[event]
    async fn message(&self, text: &str);
}
#[socketio::namespace("/chat")]
pub trait Chat {}
fn f(socket: &socketio::Socket<dyn Chat>) {
    socket.emit().message("x");
}
fn main() {}
