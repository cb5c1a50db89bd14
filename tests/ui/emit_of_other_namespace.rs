#[socketio::events]
pub trait ChatEvents {
    #[event]
    async fn message(&self, text: &str);
}
#[socketio::events]
pub trait NewsEvents {
    #[event]
    async fn headline(&self, text: &str);
}
#[socketio::namespace("/chat", emits = ChatEvents)]
pub trait Chat {}
#[socketio::namespace("/news", emits = NewsEvents)]
pub trait News {}
fn f(io: &socketio::SocketIo) {
    io.of::<dyn Chat>().emit().headline("x");
}
fn main() {}
