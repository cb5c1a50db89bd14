use socketio::{ConnectError, Socket, SocketIo};
#[socketio::namespace("/chat")]
pub trait Chat {}
struct Session;
impl Chat for Session {}
async fn connect(_socket: &Socket<dyn Chat>) -> Result<Session, ConnectError> { Ok(Session) }
fn main() {
    SocketIo::builder().namespace::<dyn Chat, _>(connect);
}
