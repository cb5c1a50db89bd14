//! TLS, with certificates made for the occasion.

use super::world::{World, connect};
use crate::client::Transport;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use socketio::client::ConnectError;
use std::{net::SocketAddr, sync::Arc};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, pem::PemObject as _},
    },
};

/// TLS in front of a server.
struct Tls {
    port: u16,
    /// The certificate, to be trusted.
    pem: String,
    task: JoinHandle<()>,
}

impl Tls {
    /// With a certificate for `name`.
    async fn start(name: &str, target: SocketAddr) -> Self {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed([name.to_owned()]).expect("a certificate");
        let key = PrivateKeyDer::from_pem_slice(signing_key.serialize_pem().as_bytes()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .expect("a configuration");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // A client that does not trust the certificate goes away here.
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut server = TcpStream::connect(target).await.expect("the server runs");
                    let _ = copy_bidirectional(&mut stream, &mut server).await;
                });
            }
        });
        Tls { port, pem: cert.pem(), task }
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        self.task.abort();
    }
}

over_all_transports! {
    async fn a_certificate_that_is_trusted(transport) {
        let world = World::start();
        let tls = Tls::start("localhost", world.server.addr).await;
        for scheme in ["https", "wss"] {
            let url = format!("{scheme}://localhost:{}", tls.port);
            let client = connect(&url, transport).root_certificate(&*tls.pem).await.unwrap();
            assert_eq!(client.emit().half(4).await, Ok(2));
            client.close().await;
        }
    }
}

#[tokio::test]
async fn certificates_that_are_not_trusted() {
    let world = World::start();
    let tls = Tls::start("localhost", world.server.addr).await;
    let other = Tls::start("elsewhere.test", world.server.addr).await;
    for transport in [Transport::Polling, Transport::WebSocket] {
        let unknown = connect(&format!("https://localhost:{}", tls.port), transport).await.unwrap_err();
        assert!(matches!(unknown, ConnectError::Tls(_)), "{unknown:?}");
        let url = format!("https://localhost:{}", other.port);
        let misnamed = connect(&url, transport).root_certificate(&*other.pem).await.unwrap_err();
        assert!(matches!(misnamed, ConnectError::Tls(_)), "{misnamed:?}");
        let broken = connect(&url, transport).root_certificate("no certificate").await.unwrap_err();
        assert!(matches!(broken, ConnectError::Setting(_)), "{broken:?}");
    }
}
