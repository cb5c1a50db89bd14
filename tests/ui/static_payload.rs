#[socketio::namespace("/chat")]
pub trait Chat {
    #[event]
    async fn a(&self, room: &'static str);
    #[event]
    async fn b(&self) -> Option<std::borrow::Cow<'_, str>>;
}
fn main() {}
