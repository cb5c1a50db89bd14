//! The same event in both directions.

#[namespace("/", emits = Downwards)]
pub trait Upwards {
    #[event]
    async fn message(&self, text: &str) -> Ack;
}

#[events]
pub trait Downwards {
    #[event]
    async fn message(&self, from: &str, text: &str);
}
