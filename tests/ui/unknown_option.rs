#[socketio::events]
pub trait ChatEvents {}

#[socketio::namespace("/chat", emit = ChatEvents)]
pub trait Chat {}
fn main() {}
