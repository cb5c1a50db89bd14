//! No descriptions: payload types need no JSON Schema.

#[events(schema = false)]
pub trait Metrics {
    #[event]
    async fn sample(&self, r#type: &str, value: f64) -> Foreign;
}
