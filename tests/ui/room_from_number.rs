#[socketio::namespace("/chat")]
pub trait Chat {}
fn f(socket: &socketio::Socket<dyn Chat>, user: u64) {
    socket.join(user);
}
fn main() {}
