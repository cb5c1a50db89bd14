//! Says loudly what `cargo test` leaves out. `scripts/test` runs everything and sets `SOCKETIO_SUITES=1`.
//!
//! The test harness swallows what a passing test prints with `eprintln!`, so the text goes straight to the standard error.

use std::{
    env,
    io::{Write as _, stderr},
};

#[test]
fn what_cargo_test_leaves_out() {
    if env::var_os("SOCKETIO_SUITES").is_some() {
        return;
    }
    let text = "
LEFT OUT by `cargo test`: these suites need more than a Rust compiler. Run all of them with `scripts/test`.
  typescript  the generated TypeScript, compiled and compared with what travels (Node)
  e2e         real clients and raw frames against the fixtures: conformance, and every form of a contract (Node)
  browser     the chat example in two pages (Node and Chromium)
  fuzz        a few seconds of every fuzz target (cargo-fuzz and a C++ compiler)
  ui          what the compiler says about mistakes in contracts, unless this is the pinned compiler
";
    // Not `eprint!`: that one is captured. A closed standard error is nobody's mistake.
    let _ = stderr().write_all(text.as_bytes());
}
