#[derive(serde::Serialize, serde::Deserialize)]
pub struct Profile { name: String }

#[socketio::namespace("/chat", data = Profile)]
pub trait Chat {}
fn f(socket: &socketio::Socket<dyn Chat>) {
    let _ = socket.set_data(&"ann");
}
fn main() {}
