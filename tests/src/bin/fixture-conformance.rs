//! `fixture-conformance --port N`: the server that the black-box suites talk to. 0 takes a free port.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use socketio_tests::{conformance, listen};
use std::process::ExitCode;

#[allow(clippy::print_stderr)]
#[tokio::main]
async fn main() -> ExitCode {
    let mut args = std::env::args().skip_while(|arg| arg != "--port").skip(1);
    let Some(port) = args.next().and_then(|port| port.parse().ok()) else {
        eprintln!("usage: fixture-conformance --port N");
        return ExitCode::FAILURE;
    };
    match run(port).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fixture-conformance: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(port: u16) -> std::io::Result<()> {
    let listener = listen::bind(port)?;
    println!("listening on {}", listener.local_addr()?);
    listen::serve(listener, conformance::app()).await
}
