use socketio::{Socket, SocketIo};
#[socketio::namespace("/chat")]
pub trait Chat {}
struct Session;
impl Chat for Session {}
async fn bare(_socket: Socket<dyn Chat>) -> Session { Session }
async fn option(_socket: Socket<dyn Chat>) -> Option<Session> { None }
fn main() {
    SocketIo::builder().namespace::<dyn Chat, _>(bare).namespace::<dyn Chat, _>(option);
}
