//! A dynamic namespace: its parameters are read where clients connect, not here.

/// The board of one project.
#[namespace("/org/{org}/board/{board}", emits = BoardEvents)]
pub(crate) trait Board {
    /// Moves cards, all or none.
    #[event]
    async fn shift(&self, #[extract] by: Member, to: &Column, #[rest] cards: Vec<CardId>) -> Result<Revision, BoardError>;
    #[event]
    async fn cursor(&self, x: f32, y: f32, #[extract] asked: AckRequested, pressure: Option<f32>);
    #[disconnect]
    async fn left(&self, reason: DisconnectReason);
}
