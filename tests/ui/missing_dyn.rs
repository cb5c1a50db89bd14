use socketio::{Socket, SocketIo};
#[socketio::namespace("/chat")]
pub trait Chat {}
struct Session { socket: Socket<Chat> }
fn everyone(io: &SocketIo) {
    io.of::<Chat>();
}
fn main() {}
