//! What a WebSocket client sends: whole, in reads of any size, and masked again so that random bytes become legal frames; without
//! permessage-deflate, and with it, with and without context takeover.
//! The first byte is the size of the reads, the second the message limit.
#![no_main]

mod text {
    pub(crate) use socketio::Text;
}
#[allow(dead_code, unused_imports, reason = "what is sent is not of interest here")]
#[path = "../../../socketio/src/websocket/mod.rs"]
mod websocket;

use libfuzzer_sys::fuzz_target;
use websocket::{Incoming, Input, Reader, Role, Spare, deflate::Inbound};

/// What came of these reads, and the close code of what is wrong with them.
fn read<'a>(
    pieces: impl Iterator<Item = &'a [u8]>,
    limit: usize,
    takeover: Option<bool>,
) -> (Vec<Incoming>, Option<u16>) {
    let mut reader = Reader::new(Role::Server, limit);
    let (mut all, mut spare, mut inbound) = (Vec::new(), Spare::default(), takeover.map(Inbound::new));
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut input = Input::new(&mut piece, &mut spare).inflated(inbound.as_mut());
        loop {
            match reader.next(&mut input) {
                Ok(None) => break,
                Ok(Some(close @ Incoming::Close(_))) => {
                    all.push(close);
                    return (all, None);
                }
                Ok(Some(incoming)) => all.push(incoming),
                Err(error) => return (all, Some(error.close_code())),
            }
        }
    }
    (all, None)
}

/// The same frames with a mask of zeros, which is what a mutation gets right most easily: the payload is then what it reads.
fn with_masks(bytes: &[u8]) -> Vec<u8> {
    let mut masked = Vec::new();
    let mut rest = bytes;
    while let [first, length, tail @ ..] = rest {
        let length = usize::from(length & 0x7f).min(125).min(tail.len());
        masked.extend_from_slice(&[*first, 0x80 | length as u8, 0, 0, 0, 0]);
        masked.extend_from_slice(&tail[..length]);
        rest = &tail[length..];
    }
    masked
}

fn check(bytes: &[u8], size: usize, limit: usize) {
    for takeover in [None, Some(false), Some(true)] {
        check_with(bytes, size, limit, takeover);
    }
}

fn check_with(bytes: &[u8], size: usize, limit: usize, takeover: Option<bool>) {
    let whole = read(std::iter::once(bytes), limit, takeover);
    assert_eq!(read(bytes.chunks(size), limit, takeover), whole);
    assert_eq!(read(bytes.chunks(1), limit, takeover), whole);
    for incoming in &whole.0 {
        let length = match incoming {
            Incoming::Text(text) => text.len(),
            Incoming::Binary(bytes) => bytes.len(),
            Incoming::Ping(payload) | Incoming::Close(payload) => {
                assert!(payload.len() <= 125);
                0
            }
            Incoming::Pong => 0,
        };
        assert!(length <= limit);
    }
}

fuzz_target!(|input: &[u8]| {
    let [size, limit, bytes @ ..] = input else { return };
    let (size, limit) = (usize::from(*size).max(1), usize::from(*limit) * 4);
    check(bytes, size, limit);
    check(&with_masks(bytes), size, limit);
});
