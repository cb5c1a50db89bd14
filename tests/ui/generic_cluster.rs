#[socketio::events]
pub trait ChatServers {}

#[socketio::namespace("/chat", cluster = ChatServers<u8>)]
pub trait Chat {}
fn main() {}
