//! Documentation, deprecation and conditions: on the trait's method, on its caller, in its description and in the `match`.

/// Two lines,
/// indented:
///
///     code
#[namespace("/conditional")]
pub trait Conditional {
    /// The old way.
    ///
    /// Use [`Conditional::open`].
    #[deprecated(since = "2.0.0", note = "use `open`")]
    #[event]
    async fn open_file(&self, path: &str);
    #[deprecated]
    #[event]
    async fn close(&self);
    #[cfg(unix)]
    #[event]
    async fn open(&self, descriptor: u32) -> Ack;
    #[cfg(not(unix))]
    #[event]
    async fn open(&self, handle: u64) -> Ack;
    #[cfg(feature = "audit")]
    #[middleware]
    async fn audit(&self, event: &Incoming) -> Result<(), Rejection>;
}
