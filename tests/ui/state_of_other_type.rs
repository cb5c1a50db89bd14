use axum::extract::State;
use socketio::{ConnectError, SocketIo};
#[socketio::namespace("/chat")]
pub trait Chat {}
struct Session;
impl Chat for Session {}
#[derive(Clone)]
struct App;
async fn connect(_app: State<App>) -> Result<Session, ConnectError> { Ok(Session) }
fn main() {
    SocketIo::builder().with_state(5u8).namespace::<dyn Chat, _>(connect);
}
