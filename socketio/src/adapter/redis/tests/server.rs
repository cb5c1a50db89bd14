//! Real Redis servers on free ports of this machine, and a proxy that goes silent.

use parking_lot::Mutex;
use std::{
    env, fs,
    io::{self, Write as _},
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// The longest that anything may take here.
const PATIENCE: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(5);

/// Waits until something is so.
#[track_caller]
pub(super) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) -> impl Future<Output = ()> {
    let what = what.to_owned();
    async move {
        let waiting = async {
            while !is_so() {
                tokio::time::sleep(POLL).await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "it never came to be that {what}");
    }
}

/// Whether there is a `redis-server` here. If there is none, the test is left out, loudly; in CI that is a failure.
pub(super) fn is_installed(test: &str) -> bool {
    let found = Command::new("redis-server").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        assert!(env::var_os("CI").is_none(), "{test}: there is no redis-server");
        // Not `eprint!`: that one is captured. A closed standard error is nobody's mistake.
        let _ = writeln!(io::stderr(), "LEFT OUT: {test}: there is no `redis-server` on this machine");
    }
    found
}

/// A port that was free a moment ago.
pub(super) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("its address").port()
}

/// One `redis-server`, ended when it is dropped.
pub(super) struct Server {
    child: Mutex<Child>,
    port: u16,
    directory: PathBuf,
    arguments: Vec<String>,
}

impl Server {
    pub(super) async fn start(arguments: &[&str]) -> Server {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        loop {
            let port = free_port();
            let directory = env::temp_dir().join(format!("socketio-redis-{}-{port}", std::process::id()));
            fs::create_dir_all(&directory).expect("a directory");
            let child = Mutex::new(spawn(port, &directory, &arguments));
            let server = Server { child, port, directory, arguments: arguments.clone() };
            // If not, somebody else has taken the port meanwhile.
            if server.is_up().await {
                return server;
            }
        }
    }

    /// One that watches others, with this configuration, which it keeps in a file.
    pub(super) async fn sentinel(lines: &[&str]) -> Server {
        let path = env::temp_dir().join(format!("socketio-sentinel-{}-{}", std::process::id(), free_port()));
        fs::write(&path, lines.join("\n")).expect("a file");
        let server = Server::start(&[&path.display().to_string(), "--sentinel"]).await;
        let _ = fs::remove_file(path);
        server
    }

    /// Whether it answers, or has ended.
    async fn is_up(&self) -> bool {
        let starting = async {
            loop {
                if self.child.lock().try_wait().expect("it is a child").is_some() {
                    return false;
                }
                if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.is_ok() {
                    return true;
                }
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::time::timeout(PATIENCE, starting).await.expect("redis-server starts")
    }

    pub(super) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    pub(super) fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    /// Ends it as a crash would.
    pub(super) fn kill(&self) {
        let mut child = self.child.lock();
        let _ = child.kill();
        let _ = child.wait();
    }

    /// Starts it again, on the same port.
    pub(super) async fn restart(&self) {
        self.kill();
        loop {
            *self.child.lock() = spawn(self.port, &self.directory, &self.arguments);
            if self.is_up().await {
                return;
            }
        }
    }

    /// Stops it without ending it, or lets it go on.
    pub(super) fn signal(&self, name: &str) {
        let id = self.child.lock().id().to_string();
        let status = Command::new("kill").args([name, &id]).status().expect("kill");
        assert!(status.success());
    }

    /// What `redis-cli` says.
    pub(super) fn ask(&self, arguments: &[&str]) -> String {
        let output = Command::new("redis-cli").args(["-p", &self.port.to_string()]).args(arguments).output().expect("redis-cli");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

fn spawn(port: u16, directory: &PathBuf, arguments: &[String]) -> Child {
    let mut command = Command::new("redis-server");
    // The file of a sentinel comes first, and its kind last.
    let (first, rest) = arguments.split_at(usize::from(arguments.last().is_some_and(|last| last == "--sentinel")));
    command.args(first).args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"]);
    command.arg(directory).args(rest).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("redis-server")
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// What a proxy does with bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Pass,
    /// Answers do not come through; what is said does.
    Mute,
    /// Nothing comes through, and nobody is told.
    Silent,
    /// All connections are closed, and new ones as well.
    Cut,
}

/// Stands before a server.
pub(super) struct Proxy {
    mode: watch::Sender<Mode>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(super) async fn start(target: SocketAddr) -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let mode = watch::Sender::new(Mode::Pass);
        let modes = Arc::new(mode.clone());
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                if *modes.borrow() == Mode::Cut {
                    continue;
                }
                let modes = modes.clone();
                tokio::spawn(async move {
                    let Ok(far) = TcpStream::connect(target).await else { return };
                    let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
                    let cut = async {
                        let _ = modes.subscribe().wait_for(|mode| *mode == Mode::Cut).await;
                    };
                    tokio::select! {
                        () = carry(near_read, far_write, modes.subscribe(), &[Mode::Pass, Mode::Mute]) => {}
                        () = carry(far_read, near_write, modes.subscribe(), &[Mode::Pass]) => {}
                        () = cut => {}
                    }
                });
            }
        });
        Proxy { mode, address, task }
    }

    pub(super) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    pub(super) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        self.mode.send_replace(Mode::Cut);
    }
}

/// Carries bytes one way. What comes at another time than in these modes vanishes, and so does what would come after it.
async fn carry(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mode: watch::Receiver<Mode>,
    passing: &[Mode],
) {
    let mut buffer = vec![0; 64 * 1024];
    let mut lost = false;
    loop {
        let Ok(count @ 1..) = from.read(&mut buffer).await else {
            // Nobody is told of an end, either.
            if lost {
                std::future::pending::<()>().await;
            }
            return;
        };
        lost |= !passing.contains(&*mode.borrow());
        if !lost && to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
