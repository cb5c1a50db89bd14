#[socketio::events]
pub trait ChatEvents {}
fn all(io: &socketio::SocketIo) {
    io.of::<dyn ChatEvents>();
}
fn main() {}
