//! tungstenite, which shares no code with this crate: it writes what is read here, and reads what is written here.

use super::{Answer, answers, answers_of};
use crate::websocket::{Framed, Opcode, Reader, Role as Side, masked, write_header};
use proptest::prelude::*;
use std::io::{self, Cursor, Read, Write};
use tungstenite::{
    Bytes, Message, WebSocket,
    protocol::{CloseFrame, Role, WebSocketConfig},
};

/// A connection that holds what is to be read, and keeps what is written.
#[derive(Debug)]
struct Wire {
    incoming: Cursor<Vec<u8>>,
    written: Vec<u8>,
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.incoming.read(buffer)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            length => Ok(length),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn peer(role: Role, incoming: Vec<u8>) -> WebSocket<Wire> {
    let config = WebSocketConfig::default().max_message_size(Some(1000)).max_frame_size(Some(1000));
    WebSocket::from_raw_socket(Wire { incoming: Cursor::new(incoming), written: Vec::new() }, role, Some(config))
}

/// What tungstenite as a server makes of these bytes; what it lets pass and this crate does not is left to the vectors.
fn read_by_oracle(bytes: &[u8]) -> Vec<Answer> {
    let mut server = peer(Role::Server, bytes.to_vec());
    let mut answers = Vec::new();
    loop {
        answers.push(match server.read() {
            Ok(Message::Text(text)) => Answer::Text(text.as_bytes().to_vec()),
            Ok(Message::Binary(bytes)) => Answer::Binary(bytes.to_vec()),
            Ok(Message::Ping(payload)) => Answer::Pong(payload.to_vec()),
            Ok(Message::Pong(_) | Message::Frame(_)) => continue,
            Ok(Message::Close(_)) => {
                answers.push(Answer::Close(Vec::new()));
                return answers;
            }
            Err(tungstenite::Error::Io(_)) => return answers,
            Err(_) => {
                answers.push(Answer::Failed(0));
                return answers;
            }
        });
    }
}

/// Frames that are mostly legal: what is random in them is what a peer gets wrong.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        6 => prop::sample::select(vec![0x81_u8, 0x82, 0x89, 0x8a]),
        3 => prop::sample::select(vec![0x01_u8, 0x02, 0x00, 0x80]),
        1 => any::<u8>(),
    ];
    let payload = prop_oneof![
        4 => "\\PC{0,20}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..140),
        1 => proptest::collection::vec(Just(b'x'), 400..1100),
    ];
    let one = (first, prop::bool::weighted(0.97), payload);
    proptest::collection::vec(one, 0..8)
        .prop_map(|frames| frames.iter().flat_map(|(first, masked, payload)| super::frame(*first, *masked, payload)).collect())
}

/// Without what the two are free to tell differently: the words of the end.
fn comparable(answers: Vec<Answer>) -> Vec<Answer> {
    let plain = |answer| match answer {
        Answer::Failed(_) => Answer::Failed(0),
        Answer::Close(_) => Answer::Close(Vec::new()),
        answer => answer,
    };
    answers.into_iter().map(plain).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn both_read_the_same(bytes in frames()) {
        let ours = comparable(answers([&bytes[..]], 1000));
        let theirs = read_by_oracle(&bytes);
        // A bad text in fragments, and the header of a frame that is not complete, are refused here earlier than there.
        let early = ours.last() == Some(&Answer::Failed(0)) && theirs.last() != Some(&Answer::Failed(0));
        let (ours, theirs) = if early { (&ours[..ours.len() - 1], &theirs[..theirs.len().min(ours.len() - 1)]) } else { (&ours[..], &theirs[..]) };
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn what_the_oracle_sends_is_read(
        texts in proptest::collection::vec("\\PC{0,150}", 0..5),
        binary in proptest::collection::vec(any::<u8>(), 0..900),
        size in 1_usize..400,
    ) {
        let mut client = peer(Role::Client, Vec::new());
        let mut expected = Vec::new();
        for text in texts {
            client.write(Message::text(&text)).expect("a text");
            client.write(Message::Ping(Bytes::from_static(b"p"))).expect("a ping");
            expected.extend([Answer::Text(text.into_bytes()), Answer::Pong(b"p".to_vec())]);
        }
        client.write(Message::binary(binary.clone())).expect("bytes");
        expected.push(Answer::Binary(binary));
        client.close(Some(CloseFrame { code: 3001.into(), reason: "bye".into() })).expect("a close");
        expected.push(Answer::Close(b"\x0b\xb9bye".to_vec()));
        client.flush().expect("no network");
        let written = &client.get_ref().written;
        prop_assert_eq!(answers(written.chunks(size), 1000), expected);
    }

    #[test]
    fn what_a_client_sends_the_oracle_reads(text in "\\PC{0,300}", binary in proptest::collection::vec(any::<u8>(), 0..900), mask: [u8; 4]) {
        let frames = [masked(Opcode::Text as u8, text.as_bytes(), mask), masked(Opcode::Binary as u8, &binary, mask)].concat();
        let mut server = peer(Role::Server, frames);
        prop_assert_eq!(server.read().expect("a text"), Message::text(text));
        prop_assert_eq!(server.read().expect("bytes"), Message::binary(binary));
    }

    #[test]
    fn what_is_sent_here_the_oracle_reads(text in "\\PC{0,300}", binary in proptest::collection::vec(any::<u8>(), 0..900)) {
        let mut bytes = Framed::text(&[text.as_bytes()]).into_bytes().to_vec();
        for (opcode, payload) in [(Opcode::Binary, &binary[..]), (Opcode::Pong, b"pong"), (Opcode::Close, b"\x03\xea")] {
            let mut header = [0; super::super::MAX_HEADER];
            let start = write_header(&mut header, opcode, payload.len());
            bytes.extend_from_slice(&header[start..]);
            bytes.extend_from_slice(payload);
        }
        // A client of this crate reads the same, and refuses what only clients send.
        let expected = [
            Answer::Text(text.clone().into_bytes()),
            Answer::Binary(binary.clone()),
            Answer::Close(b"\x03\xea".to_vec()),
        ];
        prop_assert_eq!(answers_of(Reader::new(Side::Client, 1000), bytes.chunks(7)), expected);
        let masked_frame = masked(Opcode::Text as u8, b"x", [1; 4]);
        prop_assert_eq!(answers_of(Reader::new(Side::Client, 1000), [&masked_frame[..]]), [Answer::Failed(1002)]);

        let mut client = peer(Role::Client, bytes);
        prop_assert_eq!(client.read().expect("a text"), Message::text(text));
        prop_assert_eq!(client.read().expect("bytes"), Message::binary(binary));
        prop_assert_eq!(client.read().expect("a pong"), Message::Pong(Bytes::from_static(b"pong")));
        prop_assert_eq!(client.read().expect("a close"), Message::Close(Some(CloseFrame { code: 1002.into(), reason: "".into() })));
    }
}
