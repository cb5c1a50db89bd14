use socketio::{ConnectError, NsPath, SocketIo};
#[socketio::namespace("/org/{id}")]
pub trait Org {}
struct Session;
impl Org for Session {}
struct Id { id: u32 }
async fn connect(NsPath(_id): NsPath<Id>) -> Result<Session, ConnectError> { Ok(Session) }
fn main() {
    SocketIo::builder().namespace::<dyn Org, _>(connect);
}
