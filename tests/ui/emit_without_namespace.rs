fn f(io: &socketio::SocketIo) {
    io.emit().message("x");
}
fn main() {}
