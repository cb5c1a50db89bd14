//! Mistakes in contracts and what the compiler says about them. Each case is a file in `ui/`, named after the mistake.
//!
//! The words of rustc around the macros' own change with the toolchain, so the suite runs on the pinned one. `SOCKETIO_UI=1`
//! runs it on any, `SOCKETIO_UI=0` on none. `TRYBUILD=overwrite` rewrites the expectations.
//!
//! rustc lays a message out by its length, and the name of a closure's type holds the path of its file: a case about one has names
//! so long that its message is laid out the same in every folder.

use std::{
    env,
    io::{Write as _, stderr},
    process::Command,
};

/// The compiler whose messages the expectations hold. `scripts/test` reads it here.
const PINNED: &str = "rustc 1.95.0 ";

#[test]
fn ui() {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let wanted = match env::var("SOCKETIO_UI").as_deref() {
        Ok("0") => return,
        Ok(_) => true,
        Err(_) => version.as_ref().is_ok_and(|version| version.starts_with(PINNED)),
    };
    if !wanted {
        // Straight to the standard error: the harness swallows what a passing test prints.
        let text = format!("\nLEFT OUT: the ui suite expects {PINNED}, this is {version:?}; SOCKETIO_UI=1 runs it all the same\n");
        let _ = stderr().write_all(text.as_bytes());
        return;
    }
    trybuild::TestCases::new().compile_fail("ui/*.rs");
}
