use socketio::{ConnectError, Socket, SocketIo};
#[socketio::namespace("/chat")]
pub trait Chat {}
struct Session;
impl Chat for Session {}
type S = Socket<dyn Chat>;
async fn connect(_: S, _: S, _: S, _: S, _: S, _: S, _: S, _: S, _: S) -> Result<Session, ConnectError> { Ok(Session) }
fn main() {
    SocketIo::builder().namespace::<dyn Chat, _>(connect);
}
