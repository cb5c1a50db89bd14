//! WebSocket: one Engine.IO packet a message. All that a read brings is handled at once, all that waits leaves in one write.
//!
//! ```text
//!  socket --> buffer of the thread --> Reader --> packets          nothing is kept but an incomplete message
//!  socket <-- one frame as it is, or a batch: small ones together in a buffer of the thread, large ones as they are in between
//! ```
//! An idle connection owns no buffer. Not here: the frames themselves, see `websocket`; what is compressed, see `deflate`.

mod batch;

use super::deflate::{Compressed, Deflating};
use crate::{
    engine::proto::{Frame, FrameData, Packet, Revision},
    websocket::{COMPRESSED, Incoming, Input, MAX_HEADER, Opcode, Reader, Role, Spare, masked, write_header},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use batch::Batch;
use bytes::{Buf, Bytes};
use hyper::{
    rt::{Read, ReadBuf, Write},
    upgrade::{OnUpgrade, Upgraded},
};
use sha1::{Digest, Sha1};
use std::{
    cell::Cell,
    collections::VecDeque,
    future::Future,
    io,
    ops::Deref,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// What one read takes at most.
const READ_BYTES: usize = 256 << 10;
/// Frames from this size on are written from where they lie.
const LARGE_FRAME: usize = 4 << 10;
/// So much of such frames stands together before it is written, and so many of them.
const LARGE_BYTES: usize = 128 << 10;
const LARGE_FRAMES: usize = batch::SLICES / 2 - 1;
/// So much stands together before it is written.
const GATHERED_BYTES: usize = 32 << 10;
/// So much is handed over at once. A socket takes what it has room for; a stream of HTTP/2 takes over several writes whole, which
/// then wait where no limit counts them.
const WRITTEN_AT_ONCE: usize = 64 << 10;
/// Answers to pings that the client does not read. Beyond this, only the last ping is answered, which RFC 6455 allows.
const UNREAD_PONGS: usize = 4 << 10;

thread_local! {
    /// Lent to the connection that reads at this moment.
    static READ: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    /// Lent to the same.
    static SPARE: Cell<Spare> = Cell::default();
    /// Lent to the connection that writes at this moment.
    static WRITE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

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
    io: Upgraded,
    role: Role,
    revision: Revision,
    reader: Reader,
    /// Set if permessage-deflate was agreed on.
    deflating: Option<Box<Deflating>>,
    /// Small frames that go before all others: pongs, a probe's answer, the close frame at the end.
    first: Vec<u8>,
    /// What the network has not taken of the last write.
    unsent: Option<Box<Batch<Bytes>>>,
    unflushed: bool,
    /// A close frame is sent or among `first`: nothing goes after it.
    closing: bool,
    input: Side,
}

/// How far the client's side is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Open,
    /// It has sent its close frame.
    Closed,
    /// It has sent what cannot be understood: what follows is no frame.
    Broken,
    /// The connection is lost or has ended.
    Gone,
}

/// A WebSocket whose HTTP answer is still on its way.
#[derive(Debug)]
pub(crate) struct Opening {
    upgrade: OnUpgrade,
    role: Role,
    revision: Revision,
    max_message_bytes: usize,
    deflating: Option<Box<Deflating>>,
}

impl Opening {
    /// The side of a client masks what it sends.
    pub(crate) fn new(upgrade: OnUpgrade, masks: bool, max_message_bytes: usize) -> Self {
        let role = if masks { Role::Client } else { Role::Server };
        Opening { upgrade, role, revision: Revision::Four, max_message_bytes, deflating: None }
    }

    /// The same WebSocket with packets of another revision.
    pub(crate) fn speaking(self, revision: Revision) -> Self {
        Opening { revision, ..self }
    }

    /// The same WebSocket with permessage-deflate, if it was agreed on.
    pub(crate) fn deflating(self, deflating: Option<Box<Deflating>>) -> Self {
        Opening { deflating, ..self }
    }

    /// `None`: the connection was lost.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<WebSocket>> {
        let upgraded = ready!(Pin::new(&mut self.upgrade).poll(cx));
        Poll::Ready(upgraded.ok().map(|io| WebSocket {
            io,
            role: self.role,
            revision: self.revision,
            reader: Reader::new(self.role, self.max_message_bytes),
            deflating: self.deflating.take(),
            first: Vec::new(),
            unsent: None,
            unflushed: false,
            closing: false,
            input: Side::Open,
        }))
    }
}

impl WebSocket {
    /// Reads once and hands over everything that is complete then, which may be nothing.
    pub(crate) fn poll_receive(&mut self, cx: &mut Context<'_>, mut take: impl FnMut(Received)) -> Poll<()> {
        if self.input != Side::Open {
            take(Received::Closed);
            return Poll::Ready(());
        }
        with_read_buffer(|buffer| {
            let length = ready!(self.poll_read(cx, buffer));
            if length == 0 {
                // The connection ended without a closing handshake: for the reference that is a close like any other.
                take(Received::Closed);
                return Poll::Ready(());
            }
            let mut spare = SPARE.take();
            let mut deflating = self.deflating.take();
            let mut input = Input::new(&mut buffer[..length], &mut spare).inflated(deflating.as_mut().map(|some| some.inbound()));
            while self.input == Side::Open {
                match self.reader.next(&mut input) {
                    Ok(None) => break,
                    Ok(Some(Incoming::Text(text))) => take(Received::Packet(self.revision.decode_text(text).ok())),
                    Ok(Some(Incoming::Binary(bytes))) => take(Received::Packet(self.revision.decode_binary(bytes).ok())),
                    Ok(Some(Incoming::Ping(payload))) => self.pong(&payload),
                    Ok(Some(Incoming::Pong)) => {}
                    Ok(Some(Incoming::Close(payload))) => {
                        self.input = Side::Closed;
                        // Its own words come back.
                        self.close_with(&payload);
                        take(Received::Closed);
                    }
                    Err(error) => {
                        tracing::debug!(%error, "a client is disconnected");
                        self.input = Side::Broken;
                        self.close_with(&error.close_code().to_be_bytes());
                        take(Received::Failed);
                    }
                }
            }
            SPARE.set(spare);
            self.deflating = deflating;
            Poll::Ready(())
        })
    }

    /// Writes what is left, then frame after frame, as long as the network takes them. `next` is asked for a frame when it
    /// is taken over. `Ready(true)`: everything is sent, and `next` had no more. `Ready(false)`: the connection is lost.
    pub(crate) fn poll_send(&mut self, cx: &mut Context<'_>, mut next: impl FnMut() -> Option<Frame>) -> Poll<bool> {
        if let Some(mut unsent) = self.unsent.take() {
            match self.poll_write_batch(cx, &mut unsent) {
                Poll::Pending => {
                    self.unsent = Some(unsent);
                    return Poll::Pending;
                }
                Poll::Ready(Err(_)) => return Poll::Ready(false),
                Poll::Ready(Ok(())) => {}
            }
        }
        let mut buffer = WRITE.take();
        let sent = self.poll_gathered(cx, &mut buffer, &mut next);
        // A burst is not remembered.
        buffer.shrink_to(2 * GATHERED_BYTES);
        WRITE.set(buffer);
        if !ready!(sent) {
            return Poll::Ready(false);
        }
        if self.unflushed {
            let flushed = ready!(Pin::new(&mut self.io).poll_flush(cx));
            self.unflushed = false;
            return Poll::Ready(flushed.is_ok());
        }
        Poll::Ready(true)
    }

    /// Queues a small frame, which leaves with the next write.
    pub(crate) fn feed(&mut self, frame: Frame) {
        let (header, payload) = self.parts(frame);
        self.first.extend_from_slice(&header);
        self.first.extend_from_slice(&payload);
    }

    /// Queues the close frame: empty, as the reference sends it.
    pub(crate) fn close(&mut self) {
        self.close_with(&[]);
    }

    /// Ends the closing handshake: writes what is left and reads until the client has closed too.
    pub(crate) fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.input != Side::Gone {
            if !ready!(self.poll_send(cx, || None)) {
                break;
            }
            match self.input {
                Side::Open => ready!(self.poll_receive(cx, |_| ())),
                _ => {
                    // The client sees the end, and where it does not understand a close frame, it ends as well. A socket
                    // that is closed with something unread would take back what was sent.
                    if ready!(Pin::new(&mut self.io).poll_shutdown(cx)).is_err() || self.input == Side::Closed {
                        break;
                    }
                    ready!(with_read_buffer(|buffer| self.poll_read(cx, buffer)));
                }
            }
        }
        Poll::Ready(())
    }

    /// The number of bytes that came; none if the connection has ended.
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<usize> {
        let mut buffer = ReadBuf::new(buffer);
        let read = ready!(Pin::new(&mut self.io).poll_read(cx, buffer.unfilled()));
        let length = if read.is_ok() { buffer.filled().len() } else { 0 };
        if length == 0 {
            self.input = Side::Gone;
        }
        Poll::Ready(length)
    }

    fn poll_gathered(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Vec<u8>,
        next: &mut impl FnMut() -> Option<Frame>,
    ) -> Poll<bool> {
        loop {
            buffer.clear();
            buffer.append(&mut std::mem::take(&mut self.first));
            let mut large = VecDeque::new();
            let mut large_bytes = 0;
            // A frame that may be the only one: then it is not copied.
            let mut last = Bytes::new();
            while !self.closing && large_bytes < LARGE_BYTES && large.len() < LARGE_FRAMES && buffer.len() < GATHERED_BYTES {
                let Some(frame) = next() else { break };
                let (header, payload) = self.parts(frame);
                set_down(std::mem::replace(&mut last, payload), buffer, &mut large);
                buffer.extend_from_slice(&header);
                large_bytes += if last.len() < LARGE_FRAME { 0 } else { last.len() };
            }
            let alone = buffer.is_empty() && large.is_empty();
            if !alone {
                set_down(std::mem::take(&mut last), buffer, &mut large);
            }
            let sent = if large.is_empty() {
                let mut rest = if alone { &last[..] } else { &buffer[..] };
                if rest.is_empty() {
                    return Poll::Ready(true);
                }
                let sent = self.poll_write(cx, &mut rest);
                if sent.is_pending() {
                    let rest = if alone { last.slice(last.len() - rest.len()..) } else { Bytes::copy_from_slice(rest) };
                    self.unsent = Some(Box::new(Batch::new(rest, VecDeque::new())));
                }
                sent
            } else {
                let mut batch = Batch::new(&buffer[..], large);
                let sent = self.poll_write_batch(cx, &mut batch);
                if sent.is_pending() {
                    self.unsent = Some(Box::new(batch.into_owned()));
                }
                sent
            };
            if ready!(sent).is_err() {
                return Poll::Ready(false);
            }
        }
    }

    /// Writes a batch; what is written is gone from it.
    fn poll_write_batch<B: Deref<Target = [u8]>>(&mut self, cx: &mut Context<'_>, batch: &mut Batch<B>) -> Poll<io::Result<()>> {
        self.unflushed = true;
        while batch.is_mixed() && self.io.is_write_vectored() {
            let written = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, batch.slices().filled()))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            batch.advance(written);
        }
        self.poll_write(cx, batch)
    }

    /// Writes one piece after the other; what is written is gone.
    fn poll_write(&mut self, cx: &mut Context<'_>, rest: &mut impl Buf) -> Poll<io::Result<()>> {
        self.unflushed = true;
        while rest.has_remaining() {
            let chunk = rest.chunk();
            let written = ready!(Pin::new(&mut self.io).poll_write(cx, &chunk[..chunk.len().min(WRITTEN_AT_ONCE)]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            rest.advance(written);
        }
        Poll::Ready(Ok(()))
    }

    fn pong(&mut self, payload: &[u8]) {
        if self.closing {
            return;
        }
        if self.first.len() >= UNREAD_PONGS {
            self.first.clear();
        }
        self.control(Opcode::Pong, payload);
    }

    fn close_with(&mut self, payload: &[u8]) {
        if !std::mem::replace(&mut self.closing, true) {
            self.control(Opcode::Close, payload);
        }
    }

    fn control(&mut self, opcode: Opcode, payload: &[u8]) {
        if self.role == Role::Client {
            return self.first.extend_from_slice(&masked(opcode as u8, payload, rand::random()));
        }
        self.first.extend_from_slice(&Header::new(opcode, payload.len()));
        self.first.extend_from_slice(payload);
    }

    /// What was compressed since this was asked last; `None`: nothing.
    pub(crate) fn compressed(&mut self) -> Option<Compressed> {
        let compressed = std::mem::take(&mut self.deflating.as_mut()?.compressed);
        (compressed.messages > 0).then_some(compressed)
    }

    fn parts(&mut self, frame: Frame) -> (Header, Bytes) {
        if let Some(deflating) = &mut self.deflating
            && let Some((opcode, payload)) = deflating.message(&frame, self.revision)
        {
            return match self.role {
                Role::Server => (Header::new(opcode, payload.len()).compressed(), payload),
                Role::Client => (Header::NONE, masked(opcode as u8 | COMPRESSED, &payload, rand::random())),
            };
        }
        match (self.role, self.revision.websocket_frame(frame.into_data())) {
            (Role::Server, FrameData::Text(framed)) => (Header::NONE, framed.into_bytes()),
            (Role::Server, FrameData::Binary(bytes)) => (Header::new(Opcode::Binary, bytes.len()), bytes),
            (Role::Client, FrameData::Text(framed)) => {
                (Header::NONE, masked(Opcode::Text as u8, framed.as_payload(), rand::random()))
            }
            (Role::Client, FrameData::Binary(bytes)) => (Header::NONE, masked(Opcode::Binary as u8, &bytes, rand::random())),
        }
    }
}

/// Puts a payload behind what stands together already: a copy, or its place.
fn set_down(payload: Bytes, buffer: &mut Vec<u8>, large: &mut VecDeque<(usize, Bytes)>) {
    if payload.len() < LARGE_FRAME {
        buffer.extend_from_slice(&payload);
    } else {
        large.push_back((buffer.len(), payload));
    }
}

/// The header of a frame that does not have it with it.
struct Header {
    room: [u8; MAX_HEADER],
    start: usize,
}

impl Header {
    const NONE: Header = Header { room: [0; MAX_HEADER], start: MAX_HEADER };

    fn new(opcode: Opcode, length: usize) -> Self {
        let mut room = [0; MAX_HEADER];
        let start = write_header(&mut room, opcode, length);
        Header { room, start }
    }

    /// The same for a compressed message.
    fn compressed(mut self) -> Self {
        self.room[self.start] |= COMPRESSED;
        self
    }
}

impl std::ops::Deref for Header {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.room[self.start..]
    }
}

/// Runs with the thread's buffer for reading.
fn with_read_buffer<T>(run: impl FnOnce(&mut [u8]) -> T) -> T {
    let mut buffer = READ.take();
    // Zeroed by the system, and in memory as far as it was ever used.
    if buffer.is_empty() {
        buffer = vec![0; READ_BYTES];
    }
    let result = run(&mut buffer);
    READ.set(buffer);
    result
}

/// What a server answers to this key of a request. Spec: RFC 6455, section 4.2.2.
pub(crate) fn accept_key(key: &[u8]) -> String {
    const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize())
}
