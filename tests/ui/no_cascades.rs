//! Events with mistakes can still be called and implemented: each mistake is reported once.
use socketio::{CallError, Events, Incoming, Namespace, Serve};

#[socketio::namespace("chat")]
pub trait Chat {
    #[event]
    async fn tags(&self, tags: Vec<&str>) -> u32;
    #[event("connect")]
    async fn reserved(&self, n: u8);
    #[event]
    async fn fine(&self, room: &str);
}

struct Session;
impl Chat for Session {
    async fn tags(&self, tags: Vec<&str>) -> u32 {
        tags.len() as u32
    }
    async fn reserved(&self, _n: u8) {}
    async fn fine(&self, _room: &str) {}
}

fn call<T: socketio::contract::Target<Sent = ()>>(target: T) {
    let emitter = <dyn Chat as Events>::emitter(target);
    emitter.tags(vec!["a"]);
    emitter.reserved(1);
    emitter.fine("lobby");
}

fn dispatch(session: &std::sync::Arc<Session>, event: Incoming) {
    let _ = <dyn Chat as Serve<Session>>::dispatch(session, event);
}

fn main() {
    let _ = (<dyn Chat as Namespace>::PATH, dispatch, None::<CallError>);
}
