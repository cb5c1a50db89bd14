#[socketio::namespace("/chat")]
pub trait Chat {
    #[fallback]
    async fn unknown(&self, event: String, args: socketio::RawArgs<'_>);
    #[disconnect]
    async fn left(&self, reason: u8);
}
fn main() {}
