//! An admin API of requests and typed errors.
//!
//! Shows errors that a client switches on, a token that is checked on connect, a permission check as middleware, an audit event
//! for the other admins, and a long request that asks its client whether to go on.
//!
//! ```sh
//! cargo run -p admin-example   # another port: `-- 4000`, or PORT=4000
//! ```
//!
//! It prints its address. The client calls everything once, checks what it gets, and prints it:
//!
//! ```sh
//! npm ci --prefix examples/admin && node examples/admin/client.mjs http://127.0.0.1:3000
//! ```

use axum::{Router, serve::ListenerExt};

#[tokio::main]
#[allow(clippy::print_stdout, reason = "the address is what a user waits for")]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).or_else(|| std::env::var("PORT").ok()).unwrap_or_else(|| "3000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("http://{}", listener.local_addr()?);
    // Without it, small messages wait for the client's acknowledgement.
    let listener = listener.tap_io(|tcp| drop(tcp.set_nodelay(true)));
    axum::serve(listener, Router::new().layer(admin_example::server().layer())).await
}
