//! `fixture-shapes --port N`: the server that `tests/typescript` talks to. 0 takes a free port.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use socketio_tests::{listen, shapes};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let mut args = std::env::args().skip_while(|arg| arg != "--port").skip(1);
    let Some(port) = args.next().and_then(|port| port.parse().ok()) else {
        eprintln!("usage: fixture-shapes --port N");
        return ExitCode::FAILURE;
    };
    match run(port).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fixture-shapes: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(port: u16) -> std::io::Result<()> {
    let listener = listen::bind(port)?;
    println!("listening on {}", listener.local_addr()?);
    listen::serve(listener, shapes::app()).await
}
