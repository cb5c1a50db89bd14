//! Soak and storm: thousands of clients that come, work, and die in every way; and then nothing may be left of them.
//!
//! `cargo test` runs both for a few seconds. For longer, by hand, in release:
//!
//! ```sh
//! SOAK_SECONDS=600 STORM_CLIENTS=5000 cargo test --release -p socketio-tests --test soak -- --nocapture
//! ```
//!
//! Not here: that one client's death cleans up after itself; see `integration/cleanup.rs`.

#[path = "../integration/client.rs"]
#[allow(dead_code)]
mod client;
mod fragments;
#[path = "../integration/http1.rs"]
#[allow(dead_code)]
mod http1;
mod leaks;
mod lives;
mod process;
#[path = "../integration/server.rs"]
#[allow(dead_code)]
mod server;
mod storm;

/// A number from the environment.
fn number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is a number, not `{text}`")),
        Err(_) => default,
    }
}

/// Figures for whoever looks: the harness shows them with `--nocapture`, and when a test fails.
fn say(text: std::fmt::Arguments<'_>) {
    #[allow(clippy::print_stderr)]
    {
        eprintln!("{text}");
    }
}
