use socketio::{Incoming, Outcome, Rejection, SocketIo, layer};
#[socketio::namespace("/chat")]
pub trait Chat {}
struct Session;
impl Chat for Session {}
async fn around(event: Incoming, next: layer::Next) -> Result<Outcome, Rejection> {
    Ok(next.run(event).await)
}
fn main() {
    SocketIo::builder().shared::<dyn Chat>(Session).event_layer(layer::from_fn(around)).build();
}
