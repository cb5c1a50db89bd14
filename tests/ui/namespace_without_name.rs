use socketio::{ConnectError, SocketIo};
#[socketio::namespace("/chat")]
pub trait Chat {}
struct Session;
impl Chat for Session {}
async fn connect() -> Result<Session, ConnectError> { Ok(Session) }
fn main() {
    SocketIo::builder().namespace(connect);
}
