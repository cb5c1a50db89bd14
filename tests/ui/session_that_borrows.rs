#[socketio::namespace("/chat")]
pub trait Chat {}
struct Session<'a>(&'a str);
impl Chat for Session<'_> {}
fn main() {}
