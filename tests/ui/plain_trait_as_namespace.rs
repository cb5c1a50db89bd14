use socketio::{Socket, SocketIo};
pub trait Chat {}
fn one(socket: &Socket<dyn Chat>) {
    socket.emit();
}
fn all(io: &SocketIo) {
    io.of::<dyn Chat>();
}
fn main() {
    SocketIo::builder().shared::<dyn Chat>(());
}
