//! Cursors: boards on which everyone sees everyone's cursor.
//!
//! Boards are rooms, names and colours are the data of sockets, and positions are volatile. The program is `main.rs`, the page
//! is `web/index.html`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use socketio::{Auth, ConnectError, DisconnectReason, FetchError, Socket, SocketIo, events, namespace};
use std::{
    path::Path,
    sync::{Mutex, PoisonError},
};

/// The `auth` option of the client.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Login {
    /// Shown beside the cursor.
    pub name: String,
    /// `#rrggbb`.
    pub colour: String,
}

/// What the others see of a client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Player {
    /// The id of its socket: two players may have the same name.
    pub id: String,
    /// As in [`Login`].
    pub name: String,
    /// As in [`Login`].
    pub colour: String,
}

/// What clients send.
#[namespace("/cursors", emits = CursorEvents, auth = Login, data = Player, rename_all = "camelCase")]
pub trait Cursors {
    /// Enters a board, leaves the one before, and answers with who else is there. Who goes while this answer is on its way is in it
    /// although `left` comes first, so a client keeps in mind whose `left` it has heard since it asked.
    #[event]
    async fn enter(&self, board: &str) -> Result<Vec<Player>, String>;
    /// Without an answer: a page sends dozens of them in a second.
    #[event("move")]
    async fn move_to(&self, x: f64, y: f64);
    /// Tells the board.
    #[disconnect]
    async fn gone(&self, reason: DisconnectReason);
}

/// What the server sends.
#[events(rename_all = "camelCase")]
pub trait CursorEvents {
    /// Somebody has entered the board.
    #[event]
    async fn joined(&self, player: &Player);
    /// Somebody has left it.
    #[event]
    async fn left(&self, id: &str);
    /// Volatile: to a client that is behind, only the newest position matters.
    #[event(volatile)]
    async fn moved(&self, id: &str, x: f64, y: f64);
}

struct Session {
    socket: Socket<dyn Cursors>,
    player: Player,
    /// Guards the only room this client is in: handlers run concurrently, and two of `enter` must not leave it in two boards.
    board: Mutex<Option<String>>,
}

async fn connect(socket: Socket<dyn Cursors>, Auth(login): Auth<Login>) -> Result<Session, ConnectError> {
    let is_colour = login.colour.strip_prefix('#').is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
    if login.name.trim().is_empty() || login.name.chars().count() > 20 {
        return Err(ConnectError::new("a name has 1 to 20 characters").with_data("name"));
    }
    if !is_colour {
        return Err(ConnectError::new("a colour is #rrggbb").with_data("colour"));
    }
    let player = Player { id: socket.id().to_string(), name: login.name, colour: login.colour };
    socket.set_data(&player)?;
    Ok(Session { socket, player, board: Mutex::default() })
}

impl Session {
    fn switch(&self, to: Option<String>) {
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = board.take() {
            self.socket.leave(&old);
            self.socket.to(&old).emit().left(&self.player.id);
        }
        if let Some(new) = &to {
            self.socket.join(new);
            self.socket.to(new).emit().joined(&self.player);
        }
        *board = to;
    }
}

impl Cursors for Session {
    async fn enter(&self, board: &str) -> Result<Vec<Player>, String> {
        if board.is_empty() || board.len() > 40 {
            return Err("a board has a name of 1 to 40 bytes".to_owned());
        }
        self.switch(Some(format!("board:{board}")));
        let there = self.socket.to(format!("board:{board}")).fetch_sockets().await.unwrap_or_else(FetchError::into_sockets);
        Ok(there.iter().filter_map(|other| other.data().ok().flatten()).collect())
    }

    async fn move_to(&self, x: f64, y: f64) {
        if let Some(board) = &*self.board.lock().unwrap_or_else(PoisonError::into_inner) {
            self.socket.to(board).emit().moved(&self.player.id, x, y);
        }
    }

    async fn gone(&self, _reason: DisconnectReason) {
        self.switch(None);
    }
}

/// The server. `client` is the `dist` folder of the npm package `socket.io-client`; tests do without.
pub fn server(client: Option<&Path>) -> SocketIo {
    let mut builder = SocketIo::builder().namespace::<dyn Cursors, _>(connect);
    if let Some(client) = client {
        builder = builder.serve_client(client);
    }
    builder.build()
}
