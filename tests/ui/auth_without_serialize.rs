#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct Login { token: String }

#[socketio::namespace("/chat", auth = Login)]
pub trait Chat {}
fn main() {}
