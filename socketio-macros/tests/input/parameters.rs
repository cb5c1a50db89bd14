//! Every kind of parameter.

#[namespace("/parameters")]
trait Parameters {
    #[event]
    async fn strings(&self, a: &str, b: Cow<'_, str>, c: Option<&str>, d: String);
    #[event]
    async fn lent<'a>(&self, a: &'a Point, b: &[Point], c: Option<&Point>, d: Option<&[Point]>, e: Message<'a>);
    #[event]
    async fn optional(&self, a: Option<u8>, b: u8, c: Option<u8>, #[extract] asked: AckRequested, #[rest] d: Vec<u8>);
}
