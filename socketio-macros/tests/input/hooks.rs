//! Hooks, a default body, a helper, and items that depend on the build.

#[namespace("/org/{id}", crate = crate::runtime)]
pub trait Org {
    #[middleware]
    async fn allow(&self, event: &Incoming) -> Result<(), Rejection>;
    #[cfg(feature = "fallback")]
    #[fallback]
    async fn unknown(self: Arc<Self>, event: &str, args: RawArgs<'_>);
    /// Kept for version 1.
    #[cfg(feature = "legacy")]
    #[deprecated(note = "use `rename`")]
    #[event]
    async fn set_name(&self, name: &str) -> Result<Ack2, String> {
        self.helper();
        Err(name.to_owned())
    }
    #[event]
    async fn spawn(self: Arc<Self>) -> Ack;
    fn helper(&self) {}
}
