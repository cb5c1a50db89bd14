//! `Wire`: one HTTP/1.1 connection. Whoever waits for an answer drives it; there is no task of its own.

use super::address::Address;
use crate::client::manager::ConnectError;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body_util::Full;
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

/// A connection, with TLS or without.
trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

pub(in crate::client) struct Wire {
    sender: SendRequest<Full<Bytes>>,
    /// Reads and writes; `None` once the connection has ended.
    driver: Option<BoxFuture<'static, ()>>,
}

/// Why a request has no answer.
pub(super) enum Failed {
    /// Nothing of it was sent: it may go over another connection.
    NotSent(Box<Request<Full<Bytes>>>),
    Lost(ConnectError),
}

impl Wire {
    /// Opens a connection.
    pub(super) async fn open(address: &Address, tls: Option<&TlsConnector>) -> Result<Self, ConnectError> {
        let addresses = lookup_host((&*address.host, address.port)).await.map_err(|error| ConnectError::Dns(error.to_string()))?;
        let mut opened = Err(ConnectError::Dns("the host has no address".to_owned()));
        for address in addresses {
            opened = TcpStream::connect(address).await.map_err(|error| network(&error));
            if opened.is_ok() {
                break;
            }
        }
        let stream = opened?;
        // Packets are small and are wanted at once. A connection that refuses is slower, no worse.
        let _ = stream.set_nodelay(true);
        let io: Box<dyn Io> = match tls {
            None => Box::new(stream),
            Some(tls) => {
                let failed = |error: &dyn std::fmt::Display| ConnectError::Tls(error.to_string());
                let name = ServerName::try_from(address.host.clone()).map_err(|error| failed(&error))?;
                Box::new(tls.connect(name, stream).await.map_err(|error| failed(&error))?)
            }
        };
        let (sender, connection) = http1::handshake(TokioIo::new(io)).await.map_err(|error| network(&error))?;
        let connection = connection.with_upgrades();
        // What ends it shows in the answer that does not come.
        Ok(Wire { sender, driver: Some(Box::pin(async move { drop(connection.await) })) })
    }

    /// Sends a request; the body of the answer is read through [`drive`](Self::drive).
    pub(super) async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Failed> {
        if !self.is_ready().await {
            return Err(Failed::NotSent(Box::new(request)));
        }
        let sent = self.sender.try_send_request(request);
        self.drive(sent).await.map_err(|mut error| match error.take_message() {
            Some(request) => Failed::NotSent(Box::new(request)),
            None => Failed::Lost(network(&error.error())),
        })
    }

    /// Whether the server has not closed the connection meanwhile.
    async fn is_ready(&mut self) -> bool {
        let Wire { sender, driver } = self;
        driven(driver, sender.ready()).await.is_ok() && self.driver.is_some()
    }

    /// Waits for something that this connection brings about.
    pub(super) async fn drive<T>(&mut self, what: impl Future<Output = T>) -> T {
        driven(&mut self.driver, what).await
    }
}

async fn driven<T>(driver: &mut Option<BoxFuture<'static, ()>>, what: impl Future<Output = T>) -> T {
    let mut what = pin!(what);
    poll_fn(|cx| {
        if driver.as_mut().is_some_and(|driver| driver.as_mut().poll(cx).is_ready()) {
            *driver = None;
        }
        match what.as_mut().poll(cx) {
            Poll::Ready(value) => Poll::Ready(value),
            Poll::Pending => {
                // Being asked may have given the connection something to do.
                if driver.as_mut().is_some_and(|driver| driver.as_mut().poll(cx).is_ready()) {
                    *driver = None;
                    return what.as_mut().poll(cx);
                }
                Poll::Pending
            }
        }
    })
    .await
}

fn network(error: &dyn std::error::Error) -> ConnectError {
    // The cause is what helps: "connection refused" rather than "error sending request".
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    ConnectError::Network(cause.to_string())
}
