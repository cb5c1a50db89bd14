use socketio::SocketIo;
#[socketio::namespace("/chat")]
pub trait Chat {}
struct Session;
impl Chat for Session {}
struct Banned;
async fn connect() -> Result<Session, Banned> { Ok(Session) }
fn main() {
    SocketIo::builder().namespace::<dyn Chat, _>(connect);
}
