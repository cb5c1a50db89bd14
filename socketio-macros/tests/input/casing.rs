//! Names on the wire: the trait's casing, names of their own, and words of Rust.

#[events(rename_all = "kebab-case")]
pub trait Casing {
    #[event]
    async fn user_joined(&self, user_id: u64);
    #[event("chat message")]
    async fn chat_message(&self, text: &str);
    #[event(name = "ünïcode \"quoted\"", volatile)]
    async fn quoted(&self);
    #[event]
    async fn r#move(&self, r#type: u8, _unused: u8);
    #[event]
    async fn v2_started(&self);
}
