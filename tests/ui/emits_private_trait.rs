#[socketio::events]
trait Internal {}

#[socketio::namespace("/chat", emits = Internal)]
pub trait Chat {}
fn main() {}
