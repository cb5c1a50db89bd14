#[socketio::namespace("/chat", emits = ChatEvent)]
pub trait Chat {}
fn main() {}
