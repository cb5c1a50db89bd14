#[socketio::events]
pub trait ChatEvents {
    #[event]
    async fn message(&self, text: &str);
}
#[socketio::events]
pub trait ChatServers {
    #[event]
    async fn reload(&self);
}
#[socketio::namespace("/chat", emits = ChatEvents, cluster = ChatServers)]
pub trait Chat {}
fn f(chat: &socketio::NamespaceHandle<dyn Chat>) {
    chat.emit().reload();
}
fn main() {}
