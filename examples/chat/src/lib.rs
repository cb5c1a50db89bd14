//! A chat with rooms: the example to start from. `README.md` has the tour.
//!
//! ```text
//! contract: traits Chat, ChatEvents, ChatServers    what travels
//!    session: one user                              what happens (impl Chat)
//!    servers: the other servers                     what they hear (impl ChatServers)
//!       hall: users, rooms, messages                what is remembered
//!          name: checked names
//! ```

pub mod contract;
pub mod hall;
pub mod name;
pub mod servers;
pub mod session;

use axum::Router;
use contract::Chat;
use hall::Hall;
use socketio::{Builder, SocketIo};
use std::{path::Path, time::Duration};
use tower_http::services::ServeDir;

/// So long a user waits for a server that does not answer. The others have answered by then.
const PATIENCE: Duration = Duration::from_secs(1);

/// The Socket.IO side: add an adapter, and it is one of several servers.
pub fn socket_io() -> Builder<Hall> {
    let hall = Hall::default();
    SocketIo::builder()
        .with_state(hall.clone())
        .namespace::<dyn Chat, _>(session::connect)
        .cluster_events::<dyn Chat, _>(move |_| hall.clone())
        .cluster_timeout(PATIENCE)
}

/// The whole application: the page with its compiled scripts in the folder `web`, and Socket.IO in front of it.
pub fn app(io: &SocketIo, web: &Path) -> Router {
    let page = ServeDir::new(web.join("public")).fallback(ServeDir::new(web.join("dist")));
    Router::new().fallback_service(page).layer(io.layer())
}
