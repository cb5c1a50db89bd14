//! `fixture-forms --port N`: every form of a contract, for the stock client to call. 0 takes a free port.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use socketio_tests::{forms, listen};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let mut args = std::env::args().skip_while(|arg| arg != "--port").skip(1);
    let Some(port) = args.next().and_then(|port| port.parse().ok()) else {
        eprintln!("usage: fixture-forms --port N");
        return ExitCode::FAILURE;
    };
    match run(port).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fixture-forms: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(port: u16) -> std::io::Result<()> {
    let listener = listen::bind(port)?;
    println!("listening on {}", listener.local_addr()?);
    listen::serve(listener, forms::app()).await
}
