#[socketio::namespace("/chat")]
pub trait Chat {
    #[event]
    async fn join(&self) -> u32;
}
struct Session(std::sync::Mutex<u32>);
impl Chat for Session {
    async fn join(&self) -> u32 {
        let count = self.0.lock().unwrap();
        tokio::task::yield_now().await;
        *count
    }
}
fn main() {}
