use socketio::{Incoming, Outcome, SocketIo, layer::Next};
#[socketio::namespace("/chat")]
pub trait Chat {}
struct Session;
impl Chat for Session {}
async fn around(event: Incoming, next: Next) -> Outcome {
    next.run(event).await
}
fn main() {
    SocketIo::builder().shared::<dyn Chat>(Session).event_layer(around).build();
}
