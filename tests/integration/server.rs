//! Servers on free loopback ports, and waiting for what they do.

use axum::Router;
use socketio::SocketIo;
use socketio_tests::listen;
use std::{net::SocketAddr, time::Duration};
use tokio::{task::JoinHandle, time::Instant};

/// A running server; it stops when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves `io` and nothing else.
    pub(crate) fn start(io: &SocketIo) -> Self {
        Server::serve(Router::new().layer(io.layer()))
    }

    pub(crate) fn serve(app: Router) -> Self {
        let listener = listen::bind(0).expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let task = tokio::spawn(async move {
            // It ends with the task.
            let _ = listen::serve(listener, app).await;
        });
        Server { addr, task }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Waits until something that only shows by looking has happened.
#[track_caller]
pub(crate) fn eventually(what: &'static str, mut happened: impl FnMut() -> bool) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        let deadline = Instant::now() + Duration::from_secs(15);
        while !happened() {
            assert!(Instant::now() < deadline, "did not happen: {what} ({caller})");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}
