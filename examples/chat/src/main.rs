//! `chat-example [--host ADDRESS] [--port N] [--web FOLDER] [--redis URL] [--mark TEXT]`: serves the chat until it is interrupted.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use chat_example::hall::Hall;
use socketio::{BuildError, Builder};
use std::{net::IpAddr, path::PathBuf, process::ExitCode, time::Duration};
use tokio::net::TcpListener;

/// How long the end of the server may take; by then its clients are on their way to others.
const GOODBYE: Duration = Duration::from_secs(3);
const USAGE: &str = "usage: chat-example [--host ADDRESS] [--port N] [--web FOLDER] [--redis URL] [--mark TEXT]";

struct Options {
    host: IpAddr,
    port: u16,
    web: PathBuf,
    /// Where to find the other servers.
    redis: Option<String>,
    /// What session ids begin with, for a load balancer: different on each server.
    mark: Option<String>,
}

impl Options {
    fn parse(mut args: impl Iterator<Item = String>) -> Option<Self> {
        let web = concat!(env!("CARGO_MANIFEST_DIR"), "/web").into();
        let mut options = Options { host: [127, 0, 0, 1].into(), port: 3000, web, redis: None, mark: None };
        while let Some(arg) = args.next() {
            let value = args.next()?;
            match &*arg {
                "--host" => options.host = value.parse().ok()?,
                "--port" => options.port = value.parse().ok()?,
                "--web" => options.web = value.into(),
                "--redis" => options.redis = Some(value),
                "--mark" => options.mark = Some(value),
                _ => return None,
            }
        }
        Some(options)
    }
}

/// Makes it one of several servers.
#[cfg(feature = "redis")]
async fn connect(builder: Builder<Hall>, url: &str) -> Result<Builder<Hall>, String> {
    let redis = socketio::adapter::Redis::connect(url).await.map_err(|error| error.to_string())?;
    Ok(builder.adapter(redis))
}

#[cfg(not(feature = "redis"))]
async fn connect(_: Builder<Hall>, _: &str) -> Result<Builder<Hall>, String> {
    Err("built without Redis: say `cargo run -p chat-example --features redis`".to_owned())
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), String> {
    let Options { host, port, web, redis, mark } = Options::parse(std::env::args().skip(1)).ok_or(USAGE)?;
    let mut builder = chat_example::socket_io().serve_client(web.join("node_modules/socket.io-client/dist"));
    if let Some(mark) = mark {
        builder = builder.session_mark(mark);
    }
    if let Some(url) = redis {
        builder = connect(builder, &url).await?;
    }
    let io = builder.try_build().map_err(|error| match error {
        BuildError::ClientFiles(_) => {
            format!("the JavaScript client is not installed: run `npm ci --prefix {}`", web.display())
        }
        error => error.to_string(),
    })?;
    if !web.join("dist/main.js").is_file() {
        return Err(format!("the page is not built: run `npm run build --prefix {}`", web.display()));
    }
    let app = chat_example::app(&io, &web);
    let listener = TcpListener::bind((host, port)).await.map_err(|error| format!("port {port}: {error}"))?;
    println!("open http://{}", listener.local_addr().map_err(|error| error.to_string())?);
    tokio::select! {
        served = axum::serve(listener, app).into_future() => served.map_err(|error| error.to_string()),
        interrupt = tokio::signal::ctrl_c() => {
            io.shutdown(GOODBYE).await;
            interrupt.map_err(|error| error.to_string())
        }
    }
}
