//! `fixture-admin --port N [--read-only] [--production]`: a server with two namespaces for the official Admin UI to look at; name
//! `admin`, password `changeit`. 0 takes a free port. Clients may `join` and `leave` rooms, and `say` something to one.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use axum::{Router, extract::ConnectInfo};
use socketio::{Body, ConnectError, Cors, Incoming, Outcome, Service, Socket, SocketIo, Untyped, admin::Admin};
use socketio_tests::listen;
use std::{net::SocketAddr, process::ExitCode, sync::Arc};

/// "changeit".
const HASH: &str = "$2b$10$heqvAkYMez.Va6Et2uXInOnkCT6/uQj1brkrbyG3LpopDklcq7ZOS";

struct Guest(Socket<Untyped>);

impl Service for Guest {
    async fn event(self: Arc<Self>, event: Incoming) -> Outcome {
        let args = event.raw_args();
        let Ok(room) = args.get::<String>(0) else { return Outcome::Unhandled(event) };
        match event.name() {
            "join" => self.0.join(room),
            "leave" => self.0.leave(room),
            "say" => self.0.to(room).emit_body(args.slice(1..).to_event("said")),
            _ => return Outcome::Unhandled(event),
        }
        Outcome::Done(Some(Body::ack(&()).unwrap_or_else(|_| args.to_body())))
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let has = |flag: &str| args.iter().any(|arg| arg == flag);
    let port = args.iter().skip_while(|arg| *arg != "--port").nth(1).and_then(|port| port.parse().ok());
    let Some(port) = port else {
        eprintln!("usage: fixture-admin --port N [--read-only] [--production]");
        return ExitCode::FAILURE;
    };
    let admin = Admin::basic_auth("admin", HASH)
        .server_id("the fixture")
        .read_only(has("--read-only"))
        .production(has("--production"))
        .address(|request| request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.to_string()));
    let connect = async |socket: Socket<Untyped>| Ok::<_, ConnectError>(Guest(socket));
    let io = SocketIo::builder()
        .namespace_at::<Untyped, _>("/", connect)
        .namespace_at::<Untyped, _>("/chat", connect)
        // The page of the test has an origin of its own, as the hosted one has.
        .cors(Cors::new().mirror_origin().allow_credentials(true))
        .admin(admin)
        .build();
    match run(port, &io).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fixture-admin: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(port: u16, io: &SocketIo) -> std::io::Result<()> {
    let listener = listen::bind(port)?;
    println!("listening on {}", listener.local_addr()?);
    listen::serve(listener, Router::new().layer(io.layer())).await
}
