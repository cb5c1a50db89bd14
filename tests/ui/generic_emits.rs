#[socketio::events]
pub trait Ev {}

#[socketio::namespace("/chat", emits = Ev<u8>)]
pub trait Chat {}
fn main() {}
