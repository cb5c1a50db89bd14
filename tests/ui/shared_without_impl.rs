#[socketio::namespace("/chat")]
pub trait Chat {}
struct Session;
fn main() {
    socketio::SocketIo::builder().shared::<dyn Chat>(Session);
}
