//! Binding and serving as the fixtures do it.

use axum::{Router, serve::ListenerExt};
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpSocket};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4096;

/// Listens on a loopback port; 0 takes a free one.
///
/// # Errors
/// The port is taken.
pub fn bind(port: u16) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(([127, 0, 0, 1], port).into())?;
    socket.listen(BACKLOG)
}

/// Serves for ever, without Nagle's algorithm. Extractors see the address of the client.
///
/// # Errors
/// Accepting failed for good.
pub async fn serve(listener: TcpListener, app: Router) -> std::io::Result<()> {
    let listener = listener.tap_io(|stream| {
        // A connection that is gone already needs no option.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await
}
