//! WebSocket: one Engine.IO packet a message, small buffers, many frames fed and then one flush.
//!
//! The one file that knows the WebSocket library; its types do not leave it.

use crate::{
    engine::proto::{Frame, FrameData, Packet, Revision},
    text::Text,
};
use bytes::Bytes;
use futures_util::{Sink, Stream};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Error,
        error::CapacityError,
        protocol::{
            CloseFrame, Role, WebSocketConfig,
            frame::{
                Frame as RawFrame,
                coding::{CloseCode, Data, OpCode},
            },
        },
    },
};

/// Read buffer of a connection. Larger messages grow it for their time.
const READ_BUFFER_BYTES: usize = 4 << 10;
/// From here on, fed frames are written before the flush.
const WRITE_BUFFER_BYTES: usize = 32 << 10;

/// What came in.
#[derive(Debug)]
pub(crate) enum Received {
    /// `None`: a message that is no packet.
    Packet(Option<Packet>),
    Closed,
    Failed,
}

/// An open WebSocket, of either side.
#[derive(Debug)]
pub(crate) struct WebSocket {
    stream: Box<WebSocketStream<TokioIo<Upgraded>>>,
    revision: Revision,
    unflushed: bool,
}

/// A WebSocket whose HTTP answer is still on its way.
#[derive(Debug)]
pub(crate) struct Opening {
    upgrade: OnUpgrade,
    role: Role,
    revision: Revision,
    max_message_bytes: usize,
}

impl Opening {
    /// The side of a client masks what it sends.
    pub(crate) fn new(upgrade: OnUpgrade, masks: bool, max_message_bytes: usize) -> Self {
        let role = if masks { Role::Client } else { Role::Server };
        Opening { upgrade, role, revision: Revision::Four, max_message_bytes }
    }

    /// The same WebSocket with packets of another revision.
    pub(crate) fn speaking(self, revision: Revision) -> Self {
        Opening { revision, ..self }
    }

    /// `None`: the connection was lost.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<WebSocket>> {
        let Poll::Ready(upgraded) = Pin::new(&mut self.upgrade).poll(cx) else { return Poll::Pending };
        let Ok(upgraded) = upgraded else { return Poll::Ready(None) };
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(WRITE_BUFFER_BYTES)
            .max_message_size(Some(self.max_message_bytes))
            .max_frame_size(Some(self.max_message_bytes));
        // `from_raw_socket` does no I/O: it is ready at the first poll.
        let mut ready = std::pin::pin!(WebSocketStream::from_raw_socket(TokioIo::new(upgraded), self.role, Some(config)));
        let revision = self.revision;
        ready.as_mut().poll(cx).map(|stream| Some(WebSocket { stream: Box::new(stream), revision, unflushed: false }))
    }
}

impl WebSocket {
    /// The next packet.
    pub(crate) fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        loop {
            let Poll::Ready(message) = Pin::new(&mut *self.stream).poll_next(cx) else { return Poll::Pending };
            return Poll::Ready(match message {
                Some(Ok(tungstenite::Message::Text(text))) => {
                    let text = Text::from_utf8(Bytes::from(text)).ok();
                    Received::Packet(text.and_then(|text| self.revision.decode_text(text).ok()))
                }
                Some(Ok(tungstenite::Message::Binary(bytes))) => Received::Packet(self.revision.decode_binary(bytes).ok()),
                Some(Ok(tungstenite::Message::Ping(_))) => {
                    self.unflushed = true;
                    continue;
                }
                Some(Ok(tungstenite::Message::Pong(_) | tungstenite::Message::Frame(_))) => continue,
                Some(Ok(tungstenite::Message::Close(_))) => {
                    self.unflushed = true;
                    Received::Closed
                }
                None | Some(Err(Error::ConnectionClosed | Error::AlreadyClosed)) => Received::Closed,
                // The connection ended without a closing handshake: for the reference that is a close like any other.
                Some(Err(Error::Io(_) | Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake))) => {
                    Received::Closed
                }
                Some(Err(error)) => {
                    self.close(Some(close_code(&error)));
                    Received::Failed
                }
            });
        }
    }

    /// Whether another frame may be fed.
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        Pin::new(&mut *self.stream).poll_ready(cx).map(|ready| ready.is_ok())
    }

    /// Queues a frame; it leaves with the next flush at the latest. `false`: the connection is lost.
    pub(crate) fn feed(&mut self, frame: Frame) -> bool {
        let (payload, data) = match self.revision.websocket_frame(frame.data) {
            FrameData::Text(bytes) => (bytes, Data::Text),
            FrameData::Binary(bytes) => (bytes, Data::Binary),
        };
        self.unflushed = true;
        let frame = RawFrame::message(payload, OpCode::Data(data), true);
        Pin::new(&mut *self.stream).start_send(tungstenite::Message::Frame(frame)).is_ok()
    }

    /// Whether everything is sent. `Ready(false)`: the connection is lost.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if !self.unflushed {
            return Poll::Ready(true);
        }
        Pin::new(&mut *self.stream).poll_flush(cx).map(|done| {
            self.unflushed = false;
            done.is_ok()
        })
    }

    /// Queues the close frame: empty, as the reference sends it, or with the code of what the client did wrong.
    pub(crate) fn close(&mut self, code: Option<u16>) {
        let frame = code.map(|code| CloseFrame { code: CloseCode::from(code), reason: "".into() });
        self.unflushed = true;
        // An error here means that the socket is closed already, which is what is wanted.
        let _ = Pin::new(&mut *self.stream).start_send(tungstenite::Message::Close(frame));
    }

    /// Ends the closing handshake: writes what is left and reads until the client closes too.
    pub(crate) fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Poll::Ready(false) = self.poll_flush(cx) {
            return Poll::Ready(());
        }
        loop {
            match Pin::new(&mut *self.stream).poll_next(cx) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

/// What a server must answer to this key of a request. Spec: RFC 6455, section 4.2.2.
pub(crate) fn accept_key(key: &[u8]) -> String {
    tungstenite::handshake::derive_accept_key(key)
}

fn close_code(error: &Error) -> u16 {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => 1009,
        Error::Utf8(_) => 1007,
        _ => 1002,
    }
}
