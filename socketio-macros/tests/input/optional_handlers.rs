//! Handlers that may be left out, what they share, and a session that outlives its handler.

#[events(crate = ::renamed::socketio)]
pub trait Optional {
    #[event]
    async fn progress(&self, mut percent: u8, label: Option<&str>) {
        percent = percent.min(100);
        self.show(percent, label.unwrap_or_default());
    }
    #[event]
    async fn export(self: Arc<Self>, name: String) -> Result<u64, ExportError> {
        spawn(async move { self.write(&name).await }).await
    }
    #[fallback]
    async fn unknown(&self, event: &str, args: RawArgs<'_>) {
        self.show(args.len() as u8, event);
    }
    fn show(&self, percent: u8, label: &str) {}
    async fn write(&self, name: &str) -> Result<u64, ExportError> {
        Err(ExportError::NoRoom)
    }
}
