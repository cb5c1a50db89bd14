use socketio::{Auth, ConnectError, SocketIo};
#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Login { token: String }
#[socketio::namespace("/chat")]
pub trait Chat {}
struct Session;
impl Chat for Session {}
async fn connect(Auth(_login): Auth<Login>) -> Result<Session, ConnectError> { Ok(Session) }
fn main() {
    SocketIo::builder().namespace::<dyn Chat, _>(connect);
}
