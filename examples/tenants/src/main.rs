//! A namespace for each tenant, with rate limits.
//!
//! Shows a dynamic namespace with a typed parameter, unknown tenants refused after a look-up, limits for each socket and each
//! event that answer with a typed error, and HTTP routes that tell one tenant or all.
//!
//! ```sh
//! cargo run -p tenants-example   # another port: `-- 4000`, or PORT=4000
//! ```
//!
//! It prints its address. The client connects as two tenants and one that does not exist, exceeds the limits, has both routes
//! called, and prints what it gets:
//!
//! ```sh
//! npm ci --prefix examples/tenants && node examples/tenants/client.mjs http://127.0.0.1:3000
//! curl -d 'closing at five' http://127.0.0.1:3000/tenants/7/announce
//! ```

use axum::serve::ListenerExt;

#[tokio::main]
#[allow(clippy::print_stdout, reason = "the address is what a user waits for")]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).or_else(|| std::env::var("PORT").ok()).unwrap_or_else(|| "3000".to_owned());
    let io = tenants_example::server();
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("http://{}", listener.local_addr()?);
    // Without it, small messages wait for the client's acknowledgement.
    let listener = listener.tap_io(|tcp| drop(tcp.set_nodelay(true)));
    axum::serve(listener, tenants_example::router(&io)).await
}
