use socketio::SocketIo;
#[socketio::namespace("/chat")]
pub trait Chat {}
struct Session;
impl Chat for Session {}
fn main() {
    let _: axum::Router = axum::Router::new().layer(SocketIo::builder().shared::<dyn Chat>(Session).layer());
}
