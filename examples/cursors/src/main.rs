//! A board on which everyone sees everyone's cursor.
//!
//! Shows rooms, the data of sockets, volatile events, and how the server serves the client bundle to a page.
//!
//! ```sh
//! npm ci --prefix examples/cursors/web && cargo run -p cursors-example   # another port: `-- 4000`, or PORT=4000
//! ```
//!
//! Open the address that it prints in two windows: each shows the other's cursor, with its name. `/?board=blue&name=ann` opens
//! another board under a name of your choice.

use axum::{Router, response::Html, routing::get, serve::ListenerExt};
use std::path::Path;

#[tokio::main]
#[allow(clippy::print_stdout, reason = "the address is what a user waits for")]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).or_else(|| std::env::var("PORT").ok()).unwrap_or_else(|| "3000".to_owned());
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/node_modules/socket.io-client/dist");
    let io = cursors_example::server(Some(&client));
    let page = get(async || Html(include_str!("../web/index.html")));
    let router = Router::new().route("/", page).layer(io.layer());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("http://{}", listener.local_addr()?);
    // Without it, small messages wait for the client's acknowledgement, and cursors stutter.
    let listener = listener.tap_io(|tcp| drop(tcp.set_nodelay(true)));
    axum::serve(listener, router).await
}
