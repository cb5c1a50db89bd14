fn main() {
    socketio::SocketIo::builder().with_state(1).with_state("two");
}
