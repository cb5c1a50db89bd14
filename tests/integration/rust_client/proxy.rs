//! A proxy that fails in the ways networks do.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{AbortHandle, JoinHandle},
};

/// What the proxy does to what passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Each piece takes so long.
    Delay(Duration),
    /// Nothing passes, and nothing says so.
    Silence,
    /// The server's side says that it sends nothing more, and goes on reading.
    HalfClose,
    /// New connections are closed at once.
    Refuse,
}

pub(crate) struct Proxy {
    pub(crate) addr: SocketAddr,
    fault: watch::Sender<Fault>,
    target: watch::Sender<SocketAddr>,
    connections: Arc<Mutex<Vec<AbortHandle>>>,
    accepted: watch::Receiver<usize>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let (fault, faults) = watch::channel(Fault::None);
        let (target, targets) = watch::channel(target);
        let (count, accepted) = watch::channel(0);
        let connections: Arc<Mutex<Vec<AbortHandle>>> = Arc::default();
        let list = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.send_modify(|count| *count += 1);
                if *faults.borrow() == Fault::Refuse {
                    continue;
                }
                let target = *targets.borrow();
                let connection = tokio::spawn(pass(stream, target, faults.clone()));
                list.lock().unwrap().push(connection.abort_handle());
            }
        });
        Proxy { addr, fault, target, connections, accepted, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub(crate) fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }

    pub(crate) fn set_target(&self, target: SocketAddr) {
        self.target.send_replace(target);
    }

    /// Cuts all connections, in the middle of whatever they do.
    pub(crate) fn cut(&self) {
        self.connections.lock().unwrap().drain(..).for_each(|connection| connection.abort());
    }

    /// How many connections clients have opened.
    pub(crate) fn accepted(&self) -> usize {
        *self.accepted.borrow()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut();
        self.task.abort();
    }
}

async fn pass(client: TcpStream, target: SocketAddr, faults: watch::Receiver<Fault>) {
    let Ok(server) = TcpStream::connect(target).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let mut watched = faults.clone();
    let up = async {
        let mut buffer = vec![0; 16 << 10];
        while let Ok(length @ 1..) = from_client.read(&mut buffer).await {
            hold(&faults).await;
            if to_server.write_all(&buffer[..length]).await.is_err() {
                break;
            }
        }
    };
    let down = async {
        let mut buffer = vec![0; 16 << 10];
        loop {
            let length = tokio::select! {
                () = async { drop(watched.wait_for(|fault| *fault == Fault::HalfClose).await) } => {
                    let _ = to_client.shutdown().await;
                    return std::future::pending().await;
                }
                read = from_server.read(&mut buffer) => match read {
                    Ok(length @ 1..) => length,
                    _ => return,
                },
            };
            hold(&faults).await;
            if to_client.write_all(&buffer[..length]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = up => {}
        () = down => {}
    }
}

/// Holds up what passes, as the fault wants it.
async fn hold(faults: &watch::Receiver<Fault>) {
    let fault = *faults.borrow();
    match fault {
        Fault::Delay(time) => tokio::time::sleep(time).await,
        Fault::Silence => {
            let _ = faults.clone().wait_for(|fault| *fault != Fault::Silence).await;
        }
        _ => {}
    }
}
