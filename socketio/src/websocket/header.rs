//! The header of a frame: read as it arrives, refused as early as can be, and written. Spec: RFC 6455, section 5.2.

use super::{framed::MAX_HEADER, reader::Error};

/// The longest header of a masked frame.
pub(super) const MAX_MASKED_HEADER: usize = MAX_HEADER + 4;
/// In the first byte of a frame: its message is compressed. Spec: RFC 7692, section 6.
pub(crate) const COMPRESSED: u8 = 0x40;
/// The longest payload of a control frame.
const MAX_CONTROL: u64 = 125;

/// Which side this is: a client masks what it sends, and a server does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Server,
    #[allow(dead_code, reason = "for a client to come; tested")]
    Client,
}

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl Opcode {
    fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Opcode::Continuation,
            1 => Opcode::Text,
            2 => Opcode::Binary,
            8 => Opcode::Close,
            9 => Opcode::Ping,
            10 => Opcode::Pong,
            _ => return None,
        })
    }

    pub(super) fn is_control(self) -> bool {
        self as u8 & 8 != 0
    }
}

/// The header of a frame that comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) opcode: Opcode,
    pub(super) last: bool,
    /// The first reserved bit: the message is compressed.
    pub(super) compressed: bool,
    pub(super) mask: [u8; 4],
    pub(super) length: usize,
}

/// What decides whether a frame may come now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    /// This side.
    pub(super) role: Role,
    /// A message waits for its continuation.
    pub(super) in_message: bool,
    /// Messages may be compressed.
    pub(super) deflate: bool,
    /// Bytes that a data frame may have.
    pub(super) limit: usize,
}

impl Header {
    /// Reads a header from the start of `bytes`. `None`: it is not complete, and nothing in it is wrong so far.
    pub(super) fn parse(bytes: &[u8], context: Context) -> Result<Option<(Header, usize)>, Error> {
        let Some((&first, rest)) = bytes.split_first() else { return Ok(None) };
        let last = first & 0x80 != 0;
        let opcode = Opcode::from_bits(first & 0x0f).ok_or(Error::Protocol)?;
        let in_place = match opcode {
            Opcode::Continuation => context.in_message,
            Opcode::Text | Opcode::Binary => !context.in_message,
            Opcode::Close | Opcode::Ping | Opcode::Pong => last,
        };
        let compressed = first & COMPRESSED != 0;
        // Only the first frame of a message says that it is compressed. Spec: RFC 7692, section 6.
        let may_be_compressed = context.deflate && matches!(opcode, Opcode::Text | Opcode::Binary);
        if first & 0x30 != 0 || (compressed && !may_be_compressed) || !in_place {
            return Err(Error::Protocol);
        }
        let Some((&second, rest)) = rest.split_first() else { return Ok(None) };
        let short = u64::from(second & 0x7f);
        if (second & 0x80 != 0) != (context.role == Role::Server) || (opcode.is_control() && short > MAX_CONTROL) {
            return Err(Error::Protocol);
        }
        let (length, rest) = match short {
            126 => match rest.split_first_chunk::<2>() {
                Some((length, rest)) => (u16::from_be_bytes(*length).into(), rest),
                None => return Ok(None),
            },
            127 => match rest.split_first_chunk::<8>() {
                Some((length, rest)) => (u64::from_be_bytes(*length), rest),
                None => return Ok(None),
            },
            short => (short, rest),
        };
        // The limit holds for messages; a control frame is short anyway.
        let length = usize::try_from(length).ok().filter(|length| opcode.is_control() || *length <= context.limit);
        let length = length.ok_or(Error::TooBig)?;
        let (mask, rest) = match (context.role, rest.split_first_chunk::<4>()) {
            (Role::Client, _) => ([0; 4], rest),
            (Role::Server, Some((mask, rest))) => (*mask, rest),
            (Role::Server, None) => return Ok(None),
        };
        Ok(Some((Header { opcode, last, compressed, mask, length }, bytes.len() - rest.len())))
    }
}

/// Writes the header of a server's frame, which is whole and not masked, so that it ends where `room` ends. Returns where it
/// starts.
///
/// # Panics
/// `room` is shorter than the header, which has up to [`MAX_HEADER`] bytes.
pub(crate) fn write_header(room: &mut [u8], opcode: Opcode, length: usize) -> usize {
    let mut header = [0; MAX_HEADER];
    header[0] = 0x80 | opcode as u8;
    let size = if length < 126 {
        header[1] = length as u8;
        2
    } else if let Ok(length) = u16::try_from(length) {
        header[1] = 126;
        header[2..4].copy_from_slice(&length.to_be_bytes());
        4
    } else {
        header[1] = 127;
        header[2..].copy_from_slice(&(length as u64).to_be_bytes());
        10
    };
    let start = room.len() - size;
    room[start..].copy_from_slice(&header[..size]);
    start
}
