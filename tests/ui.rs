//! Mistakes in contracts and what the compiler says about them. Each case is a file in `ui/`, named after the mistake.
//!
//! The words of rustc around the macros' own change with the toolchain, so the suite runs on the pinned one, or anywhere with
//! `SOCKETIO_UI=1`. `TRYBUILD=overwrite` rewrites the expectations.

use std::{env, process::Command};

/// The compiler whose messages the expectations hold.
const PINNED: &str = "rustc 1.95.0 ";

#[test]
fn ui() {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let pinned = version.as_ref().is_ok_and(|version| version.starts_with(PINNED));
    if !pinned && env::var_os("SOCKETIO_UI").is_none() {
        eprintln!("LEFT OUT: the ui suite expects {PINNED}, this is {version:?}; run it with SOCKETIO_UI=1");
        return;
    }
    trybuild::TestCases::new().compile_fail("ui/*.rs");
}
