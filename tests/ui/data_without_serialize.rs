#[derive(serde::Deserialize)]
pub struct Profile { name: String }

#[socketio::namespace("/chat", data = Profile)]
pub trait Chat {}
fn main() {}
