//! Everything a namespace can name beside its events, and what servers send each other about it.

#[namespace(
    "/game",
    emits = api::GameEvents,
    auth = Option<api::Ticket>,
    data = api::Profile,
    cluster = GameServers,
    rename_all = "snake_case",
)]
pub trait Game {
    #[event]
    async fn play(&self, card: u8) -> Result<Vec<u8>, GameError>;
}

/// Between servers.
#[events]
pub trait GameServers {
    /// A table has moved to another server.
    #[event]
    async fn moved(&self, table: &str);
    /// How many play there?
    #[event]
    async fn players(&self, table: &str) -> u32;
}
