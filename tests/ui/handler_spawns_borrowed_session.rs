#[socketio::namespace("/chat")]
pub trait Chat {
    #[event]
    async fn join(&self);
}
struct Session(String);
impl Chat for Session {
    async fn join(&self) {
        tokio::spawn(async move { println!("{}", self.0) });
    }
}
fn main() {}
