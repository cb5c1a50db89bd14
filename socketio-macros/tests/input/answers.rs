//! Every way to acknowledge.

#[namespace("/answers")]
trait Answers {
    #[event]
    async fn none(&self);
    #[event]
    async fn empty(&self) -> Ack;
    #[event]
    async fn value(&self) -> Vec<Point>;
    #[event]
    async fn tuple(&self) -> (u8, Option<String>);
    #[event]
    async fn constant(&self) -> Cow<'static, str>;
    #[event]
    async fn result(&self) -> Result<Point, Wrong>;
    #[event]
    async fn unit_result(&self) -> Result<(), String>;
    #[event]
    async fn alias(&self) -> io::Result<Point>;
}
