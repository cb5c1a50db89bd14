#[socketio::namespace("/chat", cluster = ChatServer)]
pub trait Chat {}
fn main() {}
