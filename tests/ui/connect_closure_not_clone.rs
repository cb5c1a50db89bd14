use socketio::{ConnectError, SocketIo};
#[socketio::namespace("/chat")]
pub trait Chat {}
struct Session;
impl Chat for Session {}
struct PoolOfConnectionsToTheDatabase;
fn main() {
    let database = PoolOfConnectionsToTheDatabase;
    SocketIo::builder().namespace::<dyn Chat, _>(async move || {
        let _ = &database;
        Ok::<_, ConnectError>(Session)
    });
}
