#[socketio::namespace("/chat")]
pub trait Chat {}
struct Session(std::cell::Cell<u32>);
impl Chat for Session {}
fn main() {}
