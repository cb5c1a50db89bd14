struct App;
fn main() {
    socketio::SocketIo::builder().with_state(App);
}
