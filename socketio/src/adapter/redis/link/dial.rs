//! `Dialer`: one connection to one node: TCP, Unix or TLS, the greeting of Redis, and a task that drives it.
//!
//! The one file that knows URLs and how a connection is made.

use super::{RedisError, Settings, topology::Seeds};
use parking_lot::Mutex;
use redis::{
    AsyncConnectionConfig, ConnectionAddr, IntoConnectionInfo as _, ProtocolVersion, PushInfo, RedisConnectionInfo,
    aio::MultiplexedConnection,
};
use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::JoinHandle,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    },
};

/// The addresses of sockets begin with this.
const UNIX: &str = "unix:";

/// What is called with every message that Redis pushes, by the task of the connection: nothing waits in between, so that whoever
/// is slow here is slow to read, and Redis sees it.
/// Clearing the flag gives the connection up.
pub(super) type Pushed = Arc<dyn Fn(PushInfo, &AtomicBool) + Send + Sync>;

/// What is called when a connection has ended.
pub(super) type Ended = Arc<dyn Fn() + Send + Sync>;

/// A connection. Dropping it closes it.
pub(super) struct Line {
    pub(super) connection: MultiplexedConnection,
    alive: Arc<AtomicBool>,
    driver: JoinHandle<()>,
}

impl Line {
    pub(super) fn is_alive(&self) -> bool {
        self.alive.load(Relaxed)
    }

    /// It does not answer any more.
    pub(super) fn give_up(&self) {
        self.alive.store(false, Relaxed);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").field("alive", &self.is_alive()).finish_non_exhaustive()
    }
}

pub(super) struct Dialer {
    /// User, password and database.
    greeting: RedisConnectionInfo,
    tls: Option<TlsConnector>,
    seeds: Seeds,
    timeout: Duration,
    /// Set once: what is called when any connection has ended. A leaf.
    ended: Mutex<Option<Ended>>,
}

impl Dialer {
    pub(super) fn new(settings: &Settings) -> Result<Self, RedisError> {
        let seeds = Seeds::new(&settings.place, |url| Ok(parse(url)?.address))?;
        let first = parse(seeds.first_url(&settings.place))?;
        let tls = first.tls.then(|| connector(&settings.roots)).transpose()?;
        if seeds.is_cluster() && first.greeting.db() != 0 {
            return Err(RedisError::Setting("a Redis Cluster has no databases but 0".to_owned()));
        }
        let greeting = first.greeting.set_protocol(ProtocolVersion::RESP3);
        Ok(Dialer { greeting, tls, seeds, timeout: settings.connect_timeout, ended: Mutex::default() })
    }

    pub(super) fn seeds(&self) -> &Seeds {
        &self.seeds
    }

    pub(super) fn on_end(&self, ended: Ended) {
        *self.ended.lock() = Some(ended);
    }

    /// Connects to an address, and greets.
    pub(super) async fn dial(&self, address: &str, pushed: Option<Pushed>) -> Result<Line, RedisError> {
        self.dial_as(address, &self.greeting, pushed).await
    }

    /// Connects to a sentinel, which has no databases.
    pub(super) async fn dial_sentinel(&self, address: &str) -> Result<Line, RedisError> {
        self.dial_as(address, &self.greeting.clone().set_db(0), None).await
    }

    async fn dial_as(&self, address: &str, greeting: &RedisConnectionInfo, pushed: Option<Pushed>) -> Result<Line, RedisError> {
        let dialing = async {
            let unreachable = |error: std::io::Error| RedisError::unreachable(address, error);
            if let Some(path) = address.strip_prefix(UNIX) {
                return self.unix(path, greeting, pushed).await;
            }
            let (host, port) = split(address).ok_or_else(|| RedisError::unreachable(address, "no host and port"))?;
            let stream = TcpStream::connect((host, port)).await.map_err(unreachable)?;
            stream.set_nodelay(true).map_err(unreachable)?;
            let Some(tls) = &self.tls else { return self.greet(address, stream, greeting, pushed).await };
            let name = ServerName::try_from(host.to_owned()).map_err(|error| RedisError::unreachable(address, error))?;
            let stream = tls.connect(name, stream).await.map_err(unreachable)?;
            self.greet(address, stream, greeting, pushed).await
        };
        let late = || RedisError::unreachable(address, format_args!("no answer within {:?}", self.timeout));
        tokio::time::timeout(self.timeout, dialing).await.map_err(|_| late())?
    }

    #[cfg(unix)]
    async fn unix(&self, path: &str, greeting: &RedisConnectionInfo, pushed: Option<Pushed>) -> Result<Line, RedisError> {
        let stream = tokio::net::UnixStream::connect(path).await.map_err(|error| RedisError::unreachable(path, error))?;
        self.greet(path, stream, greeting, pushed).await
    }

    #[cfg(not(unix))]
    async fn unix(&self, path: &str, _: &RedisConnectionInfo, _: Option<Pushed>) -> Result<Line, RedisError> {
        Err(RedisError::Setting(format!("this system has no sockets like {path}")))
    }

    async fn greet<S>(
        &self,
        address: &str,
        stream: S,
        greeting: &RedisConnectionInfo,
        pushed: Option<Pushed>,
    ) -> Result<Line, RedisError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // Deadlines are ours: each question has its own, and a watchdog looks at the connection.
        let mut config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let alive = Arc::new(AtomicBool::new(true));
        if let Some(pushed) = pushed {
            let alive = alive.clone();
            config = config.set_push_sender(move |info: PushInfo| {
                pushed(info, &alive);
                Ok::<(), Infallible>(())
            });
        }
        let (connection, driver) = MultiplexedConnection::new_with_config(greeting, stream, config)
            .await
            .map_err(|error| RedisError::of(address, &error))?;
        let (state, ended) = (alive.clone(), self.ended.lock().clone());
        let driver = tokio::spawn(async move {
            driver.await;
            state.store(false, Relaxed);
            if let Some(ended) = ended {
                ended();
            }
        });
        Ok(Line { connection, alive, driver })
    }
}

/// Host and port; the host of IPv6 may stand in brackets.
fn split(address: &str) -> Option<(&str, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    Some((host.trim_start_matches('[').trim_end_matches(']'), port.parse().ok()?))
}

struct Parsed {
    address: String,
    tls: bool,
    greeting: RedisConnectionInfo,
}

/// `redis://`, `rediss://` (TLS), `valkey://`, `valkeys://`, `unix://`.
fn parse(url: &str) -> Result<Parsed, RedisError> {
    // The library would parse URLs with TLS only with a TLS of its own.
    let plain = url.strip_prefix("rediss://").or_else(|| url.strip_prefix("valkeys://"));
    let tls = plain.is_some();
    if url.contains('#') {
        return Err(RedisError::Setting("a URL of Redis has no fragment".to_owned()));
    }
    let info = match plain {
        Some(rest) => format!("redis://{rest}").into_connection_info(),
        None => url.into_connection_info(),
    };
    let info = info.map_err(|error| RedisError::Setting(format!("the URL cannot be used: {error}")))?;
    let address = match info.addr() {
        ConnectionAddr::Tcp(host, port) if host.contains(':') => format!("[{host}]:{port}"),
        ConnectionAddr::Tcp(host, port) => format!("{host}:{port}"),
        ConnectionAddr::Unix(path) => format!("{UNIX}{}", path.display()),
        _ => return Err(RedisError::Setting("the URL is of an unknown kind".to_owned())),
    };
    Ok(Parsed { address, tls, greeting: info.redis_settings().clone() })
}

/// Trusts Mozilla's roots and these, in PEM form.
fn connector(pem: &[Vec<u8>]) -> Result<TlsConnector, RedisError> {
    let wrong = |error: &dyn std::fmt::Display| RedisError::Setting(format!("a root certificate cannot be used: {error}"));
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for pem in pem {
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            roots.add(certificate.map_err(|error| wrong(&error))?).map_err(|error| wrong(&error))?;
        }
        if roots.len() == before {
            return Err(wrong(&"there is none in the PEM text"));
        }
    }
    // With its provider named: a process may hold several, and then there is no default.
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions();
    let config = config.map_err(|error| wrong(&error))?.with_root_certificates(roots).with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let check = |url: &str, address: &str, tls: bool, user: Option<&str>, db: i64| {
            let parsed = parse(url).expect(url);
            assert_eq!((parsed.address.as_str(), parsed.tls), (address, tls), "{url}");
            assert_eq!((parsed.greeting.username(), parsed.greeting.db()), (user, db), "{url}");
        };
        check("redis://127.0.0.1", "127.0.0.1:6379", false, None, 0);
        check("redis://[::1]:7000/3", "[::1]:7000", false, None, 3);
        check("rediss://ann:secret@redis.example:7000/2", "redis.example:7000", true, Some("ann"), 2);
        check("unix:///run/redis.sock?db=1", "unix:/run/redis.sock", false, None, 1);
        for url in ["", "redis", "http://127.0.0.1", "redis://", "rediss://", "redis://0.0.0.0", "rediss://h#insecure"] {
            let Err(error) = parse(url) else { panic!("{url} was taken") };
            assert!(matches!(error, RedisError::Setting(_)), "{url}: {error}");
        }
        let Err(error) = parse("redis://ann:secret@host:port") else { panic!("that is no port") };
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn addresses() {
        assert_eq!(split("[::1]:7000"), Some(("::1", 7000)));
        assert_eq!(split("redis.example:1"), Some(("redis.example", 1)));
        assert_eq!(split("redis.example"), None);
    }
}
