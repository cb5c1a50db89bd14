use socketio::SocketIo;
#[socketio::namespace("/chat")]
pub trait Chat {}
struct Session;
impl Chat for Session {}
async fn connect() -> Result<Session, std::num::ParseIntError> { Ok(Session) }
fn main() {
    SocketIo::builder().namespace::<dyn Chat, _>(connect);
}
