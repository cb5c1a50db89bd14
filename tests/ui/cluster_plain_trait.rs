pub trait ChatServers {}
#[socketio::namespace("/chat", cluster = ChatServers)]
pub trait Chat {}
fn main() {}
