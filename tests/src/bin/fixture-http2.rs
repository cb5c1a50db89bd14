//! `fixture-http2 --port N`: a server with TLS, over HTTP/2 for clients that can, as `docs/operations.md` sets it up. 0 takes a free port.
//!
//! Its certificate is made at the start, and nobody's. Clients may ask `about`: version of HTTP, method and TCP port of the request
//! that opened their session.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use axum::{Extension, Router, response::Html, routing::get};
use hyper::server::conn::{http1, http2};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    service::TowerToHyperService,
};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use socketio::{Body, ConnectError, Incoming, Outcome, Service, Socket, SocketIo, Untyped};
use socketio_tests::listen;
use std::{process::ExitCode, sync::Arc};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, pem::PemObject as _},
    },
};

const STREAMS: u32 = 200;
const STREAM_WINDOW: u32 = 64 << 10;

/// The TCP port of the client.
#[derive(Clone, Copy)]
struct Port(u16);

struct Guest(Socket<Untyped>);

impl Service for Guest {
    async fn event(self: Arc<Self>, event: Incoming) -> Outcome {
        let args = event.raw_args();
        match event.name() {
            "echo" => Outcome::Done(Some(args.to_body())),
            "about" => {
                let handshake = self.0.handshake();
                let port = handshake.extensions().get::<Port>().map(|port| port.0);
                let about = (format!("{:?}", handshake.version()), handshake.to_parts().method.as_str().to_owned(), port);
                Outcome::Done(Body::ack(&(about,)).ok())
            }
            _ => Outcome::Unhandled(event),
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let port = args.iter().skip_while(|arg| *arg != "--port").nth(1).and_then(|port| port.parse().ok());
    let Some(port) = port else {
        eprintln!("usage: fixture-http2 --port N");
        return ExitCode::FAILURE;
    };
    match run(port).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fixture-http2: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(port: u16) -> Result<(), Box<dyn std::error::Error>> {
    let connect = async |socket: Socket<Untyped>| Ok::<_, ConnectError>(Guest(socket));
    let io = SocketIo::builder().namespace_at::<Untyped, _>("/", connect).build();
    let app = Router::new().route("/", get(async || Html("<!doctype html><title>HTTP/2</title>"))).layer(io.layer());
    let acceptor = TlsAcceptor::from(Arc::new(tls()?));
    let listener = listen::bind(port)?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (tcp, peer) = listener.accept().await?;
        // Around the layer, which keeps what it finds in a request.
        let service = TowerToHyperService::new(app.clone().layer(Extension(Port(peer.port()))));
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let _ = tcp.set_nodelay(true);
            let Ok(stream) = acceptor.accept(tcp).await else { return };
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let stream = TokioIo::new(stream);
            // How a connection ends is between it and its client.
            let _ = match is_http2 {
                true => {
                    let mut builder = http2::Builder::new(TokioExecutor::new());
                    builder.enable_connect_protocol().max_concurrent_streams(STREAMS);
                    builder.initial_stream_window_size(STREAM_WINDOW).initial_connection_window_size(STREAMS * STREAM_WINDOW);
                    builder.serve_connection(stream, service).await
                }
                false => http1::Builder::new().serve_connection(stream, service).with_upgrades().await,
            };
        });
    }
}

fn tls() -> Result<ServerConfig, Box<dyn std::error::Error>> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    let key = PrivateKeyDer::from_pem_slice(signing_key.serialize_pem().as_bytes())?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
