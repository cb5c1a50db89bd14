use socketio::Incoming;
#[socketio::namespace("/chat")]
pub trait Chat {
    #[middleware]
    async fn allow(&self, event: &Incoming) -> Result<(), String>;
    #[event]
    async fn say(&self, text: &str) -> Result<(), String>;
    #[event]
    async fn shout(&self, text: &str);
}
fn main() {}
