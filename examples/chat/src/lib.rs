//! A chat with rooms: the example to start from. `README.md` has the tour.
//!
//! ```text
//! contract: traits Chat and ChatEvents     what travels
//!    session: one user                     what happens (impl Chat)
//!       hall: users, rooms, messages       what is remembered
//!          name: checked names
//! ```

pub mod contract;
pub mod hall;
pub mod name;
pub mod session;

use axum::Router;
use contract::Chat;
use hall::Hall;
use socketio::{BuildError, SocketIo};
use std::path::Path;
use tower_http::services::ServeDir;

/// The Socket.IO side. `web` is the folder of the page, with the installed `node_modules`.
///
/// # Errors
/// The JavaScript client is not installed there.
pub fn socket_io(web: &Path) -> Result<SocketIo, BuildError> {
    SocketIo::builder()
        .with_state(Hall::default())
        .namespace::<dyn Chat, _>(session::connect)
        .serve_client(web.join("node_modules/socket.io-client/dist"))
        .try_build()
}

/// The whole application: the page with its compiled scripts, and Socket.IO in front of it.
pub fn app(io: &SocketIo, web: &Path) -> Router {
    let page = ServeDir::new(web.join("public")).fallback(ServeDir::new(web.join("dist")));
    Router::new().fallback_service(page).layer(io.layer())
}
