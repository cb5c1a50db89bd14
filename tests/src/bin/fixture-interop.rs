//! `fixture-interop --port N --redis URL`: a server of a cluster on Redis, for the suite that mixes it with Node. The rest is said by
//! the environment; see `interop::Settings`. It ends in order on SIGTERM.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use axum::Router;
use socketio_tests::{
    interop::{self, Settings},
    listen,
};
use std::{error::Error, process::ExitCode, time::Duration};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let value = |flag: &str| args.iter().skip_while(|arg| *arg != flag).nth(1).cloned();
    let mut settings = Settings::from_env();
    settings.redis = value("--redis").unwrap_or(settings.redis);
    let port = value("--port").or_else(|| std::env::var("PORT").ok()).and_then(|port| port.parse().ok());
    let (Some(port), false) = (port, settings.redis.is_empty()) else {
        eprintln!("usage: fixture-interop --port N --redis URL");
        return ExitCode::FAILURE;
    };
    match run(port, &settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fixture-interop: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(port: u16, settings: &Settings) -> Result<(), Box<dyn Error>> {
    let mut end = signal(SignalKind::terminate())?;
    let io = interop::server(settings, settings.connect().await?);
    let listener = listen::bind(port)?;
    println!("listening on {}", listener.local_addr()?);
    tokio::select! {
        served = listen::serve(listener, Router::new().layer(io.layer())) => served?,
        _ = end.recv() => drop(io.shutdown(Duration::from_secs(5)).await),
    }
    Ok(())
}
