//! The reader against the shared vectors, against random frames in random pieces, and against an independent implementation.

mod oracle;
pub(super) mod script;

use super::{Error, Framed, Incoming, Input, Opcode, Reader, Role, Spare, mask, write_header};

use proptest::prelude::*;
use script::{Answer, frame};
use std::ops::ControlFlow;

const LIMIT: usize = 1_000_000;

/// What a server that echoes answers to these pieces, each of which is one read.
fn answers<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, limit: usize) -> Vec<Answer> {
    answers_of(Reader::new(Role::Server, limit), pieces)
}

fn answers_of<'a>(mut reader: Reader, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Answer> {
    let (mut answers, mut shared) = (Vec::new(), Spare::default());
    for piece in pieces {
        let mut piece = piece.to_vec();
        if answer(&mut reader, &mut Input::new(&mut piece, &mut shared), &mut answers).is_break() {
            break;
        }
    }
    answers
}

/// What it answers to one read. `Break`: nothing follows.
pub(super) fn answer(reader: &mut Reader, input: &mut Input<'_>, answers: &mut Vec<Answer>) -> ControlFlow<()> {
    loop {
        let (answer, last) = match reader.next(input) {
            Ok(None) => return ControlFlow::Continue(()),
            Ok(Some(Incoming::Text(text))) => (Answer::Text(text.as_bytes().to_vec()), false),
            Ok(Some(Incoming::Binary(bytes))) => (Answer::Binary(bytes.to_vec()), false),
            Ok(Some(Incoming::Ping(payload))) => (Answer::Pong(payload.to_vec()), false),
            Ok(Some(Incoming::Pong)) => continue,
            Ok(Some(Incoming::Close(payload))) => (Answer::Close(payload.to_vec()), true),
            Err(error) => (Answer::Failed(error.close_code()), true),
        };
        answers.push(answer);
        if last {
            return ControlFlow::Break(());
        }
    }
}

#[test]
fn the_shared_vectors() {
    let cases = script::cases(include_str!("../../../../tests/vectors/websocket.txt"));
    assert!(cases.len() > 200, "only {} cases", cases.len());
    for case in &cases {
        let (name, sent) = (&case.name, &case.sent[..]);
        assert_eq!(answers([sent], LIMIT), case.answers, "{name}, in one read");
        for size in [1, 2, 3, 5, 8, 61, 997] {
            if sent.len() / size < 100_000 {
                assert_eq!(answers(sent.chunks(size), LIMIT), case.answers, "{name}, in reads of {size}");
            }
        }
    }
}

/// The first byte that proves a frame bad is the last that is looked at.
#[test]
fn bad_frames_are_refused_at_once() {
    for (bytes, code) in [
        (&b"\xc1"[..], 1002),
        (b"\x83", 1002),
        (b"\x80", 1002),
        (b"\x09", 1002),
        (b"\x81\x05", 1002),
        (b"\x89\xfe", 1002),
        (b"\x81\xfe\x00\x11", 1009),
        (b"\x81\xff\x00\x00\x00\x00\x00\x00\x00\x11", 1009),
        (b"\x81\x85\x00\x00\x00\x00ab\xff", 1007),
    ] {
        let before = bytes.len() - 1;
        assert_eq!(answers([&bytes[..before]], 16), [], "{bytes:?} has nothing wrong before its last byte");
        assert_eq!(answers([bytes], 16), [Answer::Failed(code)], "{bytes:?}");
        assert_eq!(answers(bytes.chunks(1), 16), [Answer::Failed(code)], "{bytes:?} byte by byte");
    }
}

#[test]
fn the_limit_is_of_the_whole_message() {
    let fragments = [frame(0x02, true, &[1; 10]), frame(0x00, true, &[2; 6])].concat();
    let more = [&fragments[..], &frame(0x80, true, &[3])].concat();
    let exact = [&fragments[..], &frame(0x80, true, &[])].concat();
    assert_eq!(answers([&more[..]], 16), [Answer::Failed(1009)]);
    assert_eq!(answers([&exact[..]], 16), [Answer::Binary([[1; 10].as_slice(), &[2; 6]].concat())]);
    let ping = frame(0x89, true, &[7; 125]);
    assert_eq!(answers([&ping[..]], 16), [Answer::Pong(vec![7; 125])], "a ping is no message");
}

#[test]
fn memory_follows_what_arrives() {
    let mut reader = Reader::new(Role::Server, 100_000_000);
    let mut read = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        assert_eq!(reader.next(&mut Input::new(&mut bytes, &mut Spare::default())), Ok(None));
        let message = reader.pending.as_ref().and_then(|pending| pending.message.as_ref());
        message.map_or(0, |message| message.data.capacity())
    };
    let header = [&b"\x82\xff"[..], &90_000_000_u64.to_be_bytes(), &[0; 4]].concat();
    assert_eq!(read(&header), 0, "an announcement takes no memory");
    assert!(read(&[0; 100]) <= 16 << 10);
    assert!(read(&[0; 100_000]) <= 300_000);
}

#[test]
fn nothing_is_kept_between_messages() {
    for bytes in [frame(0x81, true, b"text"), frame(0x89, true, b"ping"), [frame(1, true, b"a"), frame(0x80, true, b"b")].concat()]
    {
        let mut reader = Reader::new(Role::Server, LIMIT);
        for piece in bytes.chunks(1) {
            let mut piece = piece.to_vec();
            let mut shared = Spare::default();
            let mut input = Input::new(&mut piece, &mut shared);
            while reader.next(&mut input).expect("legal").is_some() {}
        }
        assert!(reader.pending.is_none(), "{bytes:?}");
    }
}

#[test]
fn small_messages_share_memory_within_bounds() {
    let mut bytes = frame(0x82, true, &[5; 100]).repeat(1000);
    let mut shared = Spare::default();
    let mut input = Input::new(&mut bytes, &mut shared);
    let mut reader = Reader::new(Role::Server, LIMIT);
    let mut starts = Vec::new();
    while let Some(Incoming::Binary(bytes)) = reader.next(&mut input).expect("legal") {
        starts.push(bytes);
    }
    assert_eq!(starts.len(), 1000);
    let neighbours = starts.windows(2).filter(|pair| pair[0].as_ptr_range().end == pair[1].as_ptr()).count();
    // Forty of a hundred bytes fit into each allocation of 4 KiB, so that at least 39 of 40 follow their neighbour.
    assert!((970..=990).contains(&neighbours), "{neighbours} lie behind their neighbour");
}

#[test]
fn memory_of_messages_that_are_gone_is_used_again() {
    let (mut reader, mut shared) = (Reader::new(Role::Server, LIMIT), Spare::default());
    let mut places = std::collections::BTreeSet::new();
    for _ in 0..1000 {
        let mut bytes = frame(0x82, true, &[5; 100]);
        let Ok(Some(Incoming::Binary(message))) = reader.next(&mut Input::new(&mut bytes, &mut shared)) else {
            panic!("a message")
        };
        places.insert(message.as_ptr() as usize);
    }
    assert_eq!(places.len(), 40, "as many as fit into one allocation");
}

#[test]
fn errors_are_told_as_close_codes() {
    let codes = [Error::Protocol, Error::Utf8, Error::TooBig].map(Error::close_code);
    assert_eq!(codes, [1002, 1007, 1009]);
}

#[test]
fn headers_end_where_their_room_ends() {
    for (length, expected) in [
        (0, &b"\x81\x00"[..]),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65_535, b"\x81\x7e\xff\xff"),
        (65_536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ] {
        let mut room = [0xee; 13];
        let start = write_header(&mut room, Opcode::Text, length);
        assert_eq!(&room[start..], expected, "{length} bytes");
        assert!(room[..start].iter().all(|byte| *byte == 0xee), "nothing else is touched");
    }
}

/// A part of a message, and perhaps a control frame behind it.
type Part = (Vec<u8>, Option<(u8, Vec<u8>)>);

/// Whether a message is text, and its parts.
fn message() -> impl Strategy<Value = (bool, Vec<Part>)> {
    let payload = prop_oneof![
        4 => proptest::collection::vec(any::<u8>(), 0..20),
        2 => proptest::collection::vec(any::<u8>(), 120..135),
        1 => proptest::collection::vec(any::<u8>(), 65_530..65_540),
    ];
    let control = proptest::option::of((9_u8..11, proptest::collection::vec(any::<u8>(), 0..126)));
    (any::<bool>(), proptest::collection::vec((payload, control), 1..4))
}

/// A text that is as long as the bytes: whatever they are, it has characters of all lengths.
fn text_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| ['a', 'ß', '世', '😀'][usize::from(*byte) % 4]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn messages_come_back_from_any_pieces(
        messages in proptest::collection::vec(message(), 1..6),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..20),
        inside in any::<prop::sample::Index>(),
    ) {
        let mut bytes = Vec::new();
        let mut expected = Vec::new();
        for (is_text, parts) in messages {
            let mut whole = Vec::new();
            let mut pongs = Vec::new();
            let count = parts.len();
            for (at, (part, control)) in parts.into_iter().enumerate() {
                let payload = if is_text { text_of(&part).into_bytes() } else { part };
                let opcode = if at > 0 { 0 } else if is_text { 1 } else { 2 };
                let last = at + 1 == count;
                // A fragment may end within a character: its last bytes go into a fragment of their own.
                let split = inside.index(payload.len() + 1);
                bytes.extend(frame(opcode, true, &payload[..split]));
                bytes.extend(frame(if last { 0x80 } else { 0 }, true, &payload[split..]));
                whole.extend_from_slice(&payload);
                if let Some((kind, data)) = control {
                    bytes.extend(frame(0x80 | kind, true, &data));
                    if kind == 9 {
                        pongs.push((last, Answer::Pong(data)));
                    }
                }
            }
            let message = if is_text { Answer::Text(whole) } else { Answer::Binary(whole) };
            let (behind, between): (Vec<_>, Vec<_>) = pongs.into_iter().partition(|(last, _)| *last);
            expected.extend(between.into_iter().map(|(_, pong)| pong));
            expected.push(message);
            expected.extend(behind.into_iter().map(|(_, pong)| pong));
        }
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        let ends = cuts.iter().copied().chain([bytes.len()]);
        let mut start = 0;
        let pieces = ends.map(|end| &bytes[std::mem::replace(&mut start, end)..end]);
        prop_assert_eq!(answers(pieces, usize::MAX), expected);
    }

    #[test]
    fn any_pieces_of_anything_are_read_alike(bytes in proptest::collection::vec(any::<u8>(), 0..300), size in 1_usize..40) {
        prop_assert_eq!(answers(bytes.chunks(size), 1000), answers([&bytes[..]], 1000));
    }

    #[test]
    fn masking_is_byte_by_byte(mut payload in proptest::collection::vec(any::<u8>(), 0..100), key in any::<[u8; 4]>(), at in 0_u64..9) {
        let expected: Vec<u8> = (at..).zip(&payload).map(|(at, byte)| byte ^ key[(at % 4) as usize]).collect();
        mask::unmask(&mut payload, key, at);
        prop_assert_eq!(payload, expected);
    }

    #[test]
    fn a_framed_text_is_its_payload_behind_a_header(text in "\\PC{0,200}") {
        let framed = Framed::text(&[text.as_bytes()]);
        prop_assert_eq!(framed.as_payload(), text.as_bytes());
        let mut room = vec![0; super::MAX_HEADER];
        room.extend_from_slice(text.as_bytes());
        prop_assert_eq!(Framed::behind(room, super::MAX_HEADER), framed);
    }
}
