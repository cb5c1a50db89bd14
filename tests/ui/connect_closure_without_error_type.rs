use socketio::SocketIo;
#[socketio::namespace("/chat")]
pub trait Chat {}
struct Session;
impl Chat for Session {}
fn main() {
    SocketIo::builder().namespace::<dyn Chat, _>(async || Ok(Session));
}
