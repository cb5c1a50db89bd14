#[socketio::events]
pub trait ChatServers {
    #[event]
    async fn reload(&self);
}
#[socketio::namespace("/chat")]
pub trait Chat {}
fn f(chat: &socketio::NamespaceHandle<dyn Chat>) {
    chat.server_side_emit().reload();
}
fn main() {}
