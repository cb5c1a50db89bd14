#[socketio::events]
pub trait ChatEvents {}

#[socketio::namespace("chat", emit = ChatEvents)]
pub trait Chat {
    #[event]
    fn a(&self);
    #[event]
    async fn b(&mut self, tags: Vec<&str>);
    async fn c(&self);
}
struct S;
impl Chat for S { fn a(&self) {} async fn b(&mut self, _t: Vec<&str>) {} async fn c(&self) {} }
fn main() {}
