pub trait ChatEvents {}
#[socketio::namespace("/chat", emits = ChatEvents)]
pub trait Chat {}
fn main() {}
