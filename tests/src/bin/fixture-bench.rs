//! `fixture-bench PORT [typed|value|raw]`: the server that the benchmarks measure, and what it decodes arguments into.
//!
//! Port 0 takes a free one; the first line of output tells it. `BENCH_PING_MS` is the ping interval. The events are in `load`.

use socketio_tests::{
    listen,
    load::{self, Kind},
};
use std::time::Duration;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    const USAGE: &str = "usage: fixture-bench PORT [typed|value|raw]";
    let mut args = std::env::args().skip(1);
    let port = args.next().and_then(|port| port.parse().ok()).ok_or(USAGE)?;
    let kind = args.next().map_or(Some(Kind::Typed), |kind| Kind::named(&kind)).ok_or(USAGE)?;
    let ping = std::env::var("BENCH_PING_MS").ok().and_then(|millis| millis.parse().ok()).unwrap_or(25_000);
    let io = load::builder(kind).ping_interval(Duration::from_millis(ping)).build();
    let app = axum::Router::new().layer(io.layer());
    let listener = listen::bind(port)?;
    #[allow(clippy::print_stdout)]
    {
        println!("listening on {}", listener.local_addr()?);
    }
    listen::serve(listener, app).await?;
    Ok(())
}
