//! A server whose allocations are counted, and the client that drives it.

use allocation_counter::{AllocationInfo, measure};
use futures_util::{SinkExt as _, StreamExt as _};
use socketio::SocketIo;
use socketio_tests::listen;
use std::{net::SocketAddr, sync::mpsc, thread, time::Duration};
use tokio::{
    net::TcpStream,
    runtime::{Builder, Runtime},
    sync::mpsc::{UnboundedSender, unbounded_channel},
};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

/// The longest wait for anything; far beyond what a loaded machine needs.
const PATIENCE: Duration = Duration::from_secs(60);

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// A server on a thread of its own.
pub(crate) struct Counted {
    addr: SocketAddr,
    turns: UnboundedSender<()>,
    counts: mpsc::Receiver<AllocationInfo>,
}

impl Counted {
    pub(crate) fn start(io: &SocketIo) -> Self {
        Counted::start_beside(io, std::future::ready(()))
    }

    /// `task` runs in the same thread.
    pub(crate) fn start_beside(io: &SocketIo, task: impl Future<Output = ()> + Send + 'static) -> Self {
        let app = axum::Router::new().layer(io.layer());
        let (turns, mut turn) = unbounded_channel();
        let (count, counts) = mpsc::channel();
        let (started, addr) = mpsc::channel();
        thread::spawn(move || {
            let runtime = runtime();
            runtime.block_on(async {
                let listener = listen::bind(0).expect("a free port");
                started.send(listener.local_addr().expect("an address")).expect("the test waits");
                tokio::spawn(listen::serve(listener, app));
                tokio::spawn(task);
            });
            // It serves while it waits for its turns: first uncounted, then counted.
            while runtime.block_on(turn.recv()).is_some() {
                let counted = measure(|| {
                    runtime.block_on(turn.recv());
                });
                if count.send(counted).is_err() {
                    return;
                }
            }
        });
        Counted { addr: addr.recv().expect("the server starts"), turns, counts }
    }

    /// What the server allocates while `work` runs in the thread of the test.
    pub(crate) fn count(&self, work: impl FnOnce()) -> AllocationInfo {
        self.turns.send(()).expect("the server runs");
        work();
        self.turns.send(()).expect("the server runs");
        self.counts.recv_timeout(PATIENCE).expect("the server runs")
    }
}

/// A client over WebSocket, driven from the thread of the test.
pub(crate) struct Client {
    runtime: Runtime,
    stream: WebSocketStream<TcpStream>,
}

impl Client {
    /// Connects, and joins `namespace`.
    pub(crate) fn join(server: &Counted, namespace: &str) -> Self {
        let runtime = runtime();
        let stream = runtime.block_on(async {
            let tcp = TcpStream::connect(server.addr).await.expect("it listens");
            tcp.set_nodelay(true).expect("an open socket");
            let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", server.addr);
            client_async(url, tcp).await.expect("it is accepted").0
        });
        let mut client = Client { runtime, stream };
        assert!(client.receive().starts_with("0{"), "the handshake");
        client.send(&format!("40{namespace},"));
        assert!(client.receive().starts_with("40"), "it is taken in");
        client
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.runtime.block_on(self.stream.send(Message::text(text))).expect("an open WebSocket");
    }

    /// The next message; pings are answered under way.
    pub(crate) fn receive(&mut self) -> String {
        loop {
            let next = async { tokio::time::timeout(PATIENCE, self.stream.next()).await };
            let message = self.runtime.block_on(next).expect("something arrives").expect("it is open").expect("it is open");
            match message.into_text().expect("text").as_str() {
                "2" => self.send("3"),
                text => return text.to_owned(),
            }
        }
    }
}
