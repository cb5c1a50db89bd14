use socketio::{ConnectError, Socket, SocketIo};
#[socketio::namespace("/chat")]
pub trait Chat {}
struct Session;
impl Chat for Session {}
struct Config;
async fn own(_socket: Socket<dyn Chat>, _config: Config) -> Result<Session, ConnectError> { Ok(Session) }
async fn body(_body: String) -> Result<Session, ConnectError> { Ok(Session) }
fn main() {
    SocketIo::builder().namespace::<dyn Chat, _>(own).namespace::<dyn Chat, _>(body);
}
