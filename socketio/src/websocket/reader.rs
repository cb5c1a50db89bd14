//! `Reader`: what the peer sends, from bytes in any pieces to whole messages.
//!
//! ```text
//!            whole frame, whole message
//!  header ---------------------------------------------> Incoming
//!    |  ^                                                  ^
//!    |  +--- frame complete, message goes on --+           |
//!    +---- payload in pieces, or a fragment ---+-----------+ frame and message complete
//! ```
//! The upper way takes no memory but the message's own. What the lower way needs lies in [`Pending`]. A compressed message takes the
//! lower way of [`Message`] even if it is whole: it is inflated piece by piece, as it arrives.

use super::{
    close,
    deflate::{Inbound, Inflater},
    header::{Context, Header, MAX_MASKED_HEADER, Opcode, Role},
    mask::unmask,
};
use crate::text::Text;
use bytes::{Bytes, BytesMut};

/// Messages below this size share an allocation.
const SHARED_MESSAGE: usize = 512;
/// The size of that allocation: what an application pins at most by keeping one of them. Once all of them are gone it is used
/// again, so that messages which are handled at once take no memory.
const SHARED_BYTES: usize = 4 << 10;
/// What a message in pieces may reserve beyond twice of what has arrived.
const FIRST_RESERVE: usize = 16 << 10;

/// What came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Incoming {
    Text(Text),
    Binary(Bytes),
    /// To be answered with a pong of the same payload.
    Ping(Bytes),
    Pong,
    /// The peer closes with this payload, which is legal. Nothing follows.
    Close(Bytes),
}

/// The peer broke the protocol: the connection is to be closed. The reader is of no use any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("illegal WebSocket frame")]
    Protocol,
    #[error("illegal UTF-8 in a WebSocket message")]
    Utf8,
    #[error("WebSocket message too large")]
    TooBig,
    #[error("illegal compressed WebSocket message")]
    Deflate,
}

impl Error {
    /// What the peer is told. Spec: RFC 6455, section 7.4.1.
    pub(crate) fn close_code(self) -> u16 {
        match self {
            Error::Protocol => 1002,
            // RFC 7692 names no code; this one is the reference's.
            Error::Utf8 | Error::Deflate => 1007,
            Error::TooBig => 1009,
        }
    }
}

/// The bytes of one read, which are unmasked where they lie.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    bytes: &'a mut [u8],
    spare: &'a mut Spare,
    /// Set where compressed messages may come.
    inbound: Option<&'a mut Inbound>,
}

/// What a thread lends to whoever reads at this moment. Empty in the beginning.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    /// What is left of the allocation that small messages share.
    shared: BytesMut,
    inflater: Option<Box<Inflater>>,
}

impl<'a> Input<'a> {
    /// `spare` is the same for every read of a thread.
    pub(crate) fn new(bytes: &'a mut [u8], spare: &'a mut Spare) -> Self {
        Input { bytes, spare, inbound: None }
    }

    /// Messages may be compressed, if there is something to inflate them with.
    pub(crate) fn inflated(self, inbound: Option<&'a mut Inbound>) -> Self {
        Input { inbound, ..self }
    }

    fn take(&mut self, length: usize) -> &'a mut [u8] {
        let (taken, rest) = std::mem::take(&mut self.bytes).split_at_mut(length);
        self.bytes = rest;
        taken
    }

    /// A copy that outlives this read.
    fn keep(&mut self, payload: &[u8]) -> Bytes {
        if payload.len() >= SHARED_MESSAGE {
            return Bytes::copy_from_slice(payload);
        }
        let shared = &mut self.spare.shared;
        if shared.capacity() < payload.len() {
            shared.reserve(SHARED_BYTES);
        }
        shared.extend_from_slice(payload);
        shared.split().freeze()
    }
}

/// Reads the frames of a peer.
#[derive(Debug)]
pub(crate) struct Reader {
    /// This side.
    role: Role,
    /// Bytes that a message may have.
    limit: usize,
    pub(super) pending: Option<Box<Pending>>,
}

/// What has arrived of something incomplete.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// The start of a header.
    head: [u8; MAX_MASKED_HEADER],
    head_length: usize,
    frame: Option<Frame>,
    /// The payload of a control frame.
    control: Vec<u8>,
    pub(super) message: Option<Message>,
}

/// A frame whose payload is arriving.
#[derive(Debug)]
struct Frame {
    header: Header,
    arrived: usize,
}

/// A message in pieces.
#[derive(Debug)]
pub(super) struct Message {
    is_text: bool,
    compressed: bool,
    /// Bytes of its payload that have come; more or fewer than those of the message if it is compressed.
    arrived: usize,
    pub(super) data: Vec<u8>,
    /// So much of a text is known to be UTF-8; what follows is the start of one character.
    checked: usize,
}

impl Reader {
    /// A reader that refuses messages of more than `limit` bytes.
    pub(crate) fn new(role: Role, limit: usize) -> Self {
        Reader { role, limit, pending: None }
    }

    /// The next message or control frame; `None`: more bytes are needed. All of the input has been taken in then.
    pub(crate) fn next(&mut self, input: &mut Input<'_>) -> Result<Option<Incoming>, Error> {
        loop {
            if self.pending.as_ref().is_some_and(|pending| pending.frame.is_some()) {
                let incoming = self.payload(input)?;
                if incoming.is_some() || self.pending.as_ref().is_some_and(|pending| pending.frame.is_some()) {
                    return Ok(incoming);
                }
                continue;
            }
            if input.bytes.is_empty() {
                return Ok(None);
            }
            let Some(header) = self.header(input)? else { return Ok(None) };
            let whole = header.length <= input.bytes.len();
            let alone = header.last && header.opcode != Opcode::Continuation;
            if whole && alone {
                let payload = input.take(header.length);
                unmask(payload, header.mask, 0);
                if header.compressed {
                    let mut message = Message::new(header);
                    message.inflate(payload, true, input, self.limit)?;
                    return message.finish().map(Some);
                }
                return whole_frame(header.opcode, input.keep(payload)).map(Some);
            }
            self.pending.get_or_insert_default().begin(header);
        }
    }

    fn header(&mut self, input: &mut Input<'_>) -> Result<Option<Header>, Error> {
        let message = self.pending.as_ref().and_then(|pending| pending.message.as_ref());
        let taken = message.map_or(0, |message| message.arrived);
        let (deflate, limit) = (input.inbound.is_some(), self.limit - taken);
        let context = Context { role: self.role, in_message: message.is_some(), deflate, limit };
        if let Some(pending) = self.pending.as_mut().filter(|pending| pending.head_length > 0) {
            while let [first, ..] = *input.bytes {
                input.take(1);
                pending.head[pending.head_length] = first;
                pending.head_length += 1;
                if let Some((header, _)) = Header::parse(&pending.head[..pending.head_length], context)? {
                    pending.head_length = 0;
                    self.rest();
                    return Ok(Some(header));
                }
            }
            return Ok(None);
        }
        if let Some((header, length)) = Header::parse(input.bytes, context)? {
            input.take(length);
            return Ok(Some(header));
        }
        let start = input.take(input.bytes.len());
        let pending = self.pending.get_or_insert_default();
        pending.head[..start.len()].copy_from_slice(start);
        pending.head_length = start.len();
        Ok(None)
    }

    /// Takes in what there is of the frame that has begun.
    fn payload(&mut self, input: &mut Input<'_>) -> Result<Option<Incoming>, Error> {
        let Some(pending) = self.pending.as_deref_mut() else { return Ok(None) };
        let Some(frame) = &mut pending.frame else { return Ok(None) };
        let left = frame.header.length - frame.arrived;
        let piece = input.take(left.min(input.bytes.len()));
        unmask(piece, frame.header.mask, frame.arrived as u64);
        frame.arrived += piece.len();
        let complete = piece.len() == left;
        let header = frame.header;
        let Header { opcode, last, .. } = header;
        if complete {
            pending.frame = None;
        }
        let incoming = if opcode.is_control() {
            pending.control.extend_from_slice(piece);
            if !complete {
                return Ok(None);
            }
            Some(whole_frame(opcode, std::mem::take(&mut pending.control).into())?)
        } else {
            let message = pending.message.get_or_insert_with(|| Message::new(header));
            message.arrived += piece.len();
            if message.compressed {
                message.inflate(piece, complete && last, input, self.limit)?;
            } else {
                message.append(piece, left)?;
            }
            if complete && last { pending.message.take().map(Message::finish).transpose()? } else { None }
        };
        self.rest();
        Ok(incoming)
    }

    /// Gives back the memory that nothing needs.
    fn rest(&mut self) {
        if self.pending.as_ref().is_some_and(|pending| pending.frame.is_none() && pending.message.is_none()) {
            self.pending = None;
        }
    }
}

impl Pending {
    fn begin(&mut self, header: Header) {
        self.frame = Some(Frame { header, arrived: 0 });
    }
}

impl Message {
    /// A message that begins with this frame.
    fn new(header: Header) -> Self {
        let Header { opcode, compressed, .. } = header;
        Message { is_text: opcode == Opcode::Text, compressed, arrived: 0, data: Vec::new(), checked: 0 }
    }

    /// Takes in a piece of a compressed message.
    fn inflate(&mut self, piece: &[u8], last: bool, input: &mut Input<'_>, limit: usize) -> Result<(), Error> {
        // Announced only where it may be.
        let inbound = input.inbound.as_deref_mut().ok_or(Error::Protocol)?;
        let spare = &mut input.spare.inflater;
        let inflated = inbound.append(piece, &mut self.data, limit, spare);
        let inflated = inflated.and_then(|()| if last { inbound.finish(&mut self.data, limit, spare) } else { Ok(()) });
        // What came before a mistake goes first, however the message was cut into pieces.
        self.check()?;
        inflated
    }

    /// `left`: bytes that the frame still had before this piece.
    fn append(&mut self, piece: &[u8], left: usize) -> Result<(), Error> {
        let needed = self.data.len() + piece.len();
        if needed > self.data.capacity() {
            // Up to what is announced, but within reason: the announcement alone has cost the peer nothing.
            let announced = self.data.len() + left;
            let room = announced.min((2 * needed).max(FIRST_RESERVE));
            self.data.reserve_exact(room - self.data.len());
        }
        self.data.extend_from_slice(piece);
        self.check()
    }

    /// Refuses a text as soon as it is none.
    fn check(&mut self) -> Result<(), Error> {
        if !self.is_text {
            return Ok(());
        }
        match std::str::from_utf8(&self.data[self.checked..]) {
            Ok(text) => self.checked += text.len(),
            Err(error) if error.error_len().is_none() => self.checked += error.valid_up_to(),
            Err(_) => return Err(Error::Utf8),
        }
        Ok(())
    }

    fn finish(self) -> Result<Incoming, Error> {
        let complete = Bytes::from(self.data);
        if !self.is_text {
            return Ok(Incoming::Binary(complete));
        }
        // A character that was begun and not ended fails here.
        Text::from_utf8(complete).map(Incoming::Text).map_err(|_| Error::Utf8)
    }
}

/// What a frame says that is a message of its own, or a control frame.
fn whole_frame(opcode: Opcode, payload: Bytes) -> Result<Incoming, Error> {
    Ok(match opcode {
        Opcode::Text => Incoming::Text(Text::from_utf8(payload).map_err(|_| Error::Utf8)?),
        Opcode::Binary | Opcode::Continuation => Incoming::Binary(payload),
        Opcode::Ping => Incoming::Ping(payload),
        Opcode::Pong => Incoming::Pong,
        Opcode::Close => {
            close::check(&payload)?;
            Incoming::Close(payload)
        }
    })
}
