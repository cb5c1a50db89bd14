//! The extension against the examples of RFC 7692, random messages in random pieces, and peers that want memory.

use super::{Agreed, Deflate, PerMessageDeflate, agree, offers};
use crate::websocket::{
    Input, Reader, Role, Spare,
    tests::script::{Answer, frame},
};
use proptest::prelude::*;
use std::slice;

const NO_CONTEXT: Agreed = Agreed { server_context: false, client_context: false, server_window_bits: 15, client_window_bits: 15 };
const CONTEXT: Agreed = Agreed { server_context: true, client_context: true, ..NO_CONTEXT };

fn settings() -> PerMessageDeflate {
    PerMessageDeflate::new().threshold(0)
}

/// What a server that has agreed to this makes of these reads.
fn read<'a>(agreed: Agreed, pieces: impl IntoIterator<Item = &'a [u8]>, limit: usize) -> Vec<Answer> {
    let mut deflate = Deflate::new(agreed, &settings());
    let (mut reader, mut spare, mut answers) = (Reader::new(Role::Server, limit), Spare::default(), Vec::new());
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut input = Input::new(&mut piece, &mut spare).inflated(Some(&mut deflate.inbound));
        if crate::websocket::tests::answer(&mut reader, &mut input, &mut answers).is_break() {
            break;
        }
    }
    answers
}

fn text(text: &str) -> Answer {
    Answer::Text(text.as_bytes().to_vec())
}

/// A text in one compressed frame.
fn compressed(payload: &[u8]) -> Vec<u8> {
    frame(0xc1, true, payload)
}

#[test]
fn the_examples_of_the_rfc() {
    let hello = &b"\xf2\x48\xcd\xc9\xc9\x07\x00"[..];
    let fragments = [frame(0x41, true, &hello[..3]), frame(0x80, true, &hello[3..])].concat();
    let again = &b"\xf2\x00\x11\x00\x00"[..];
    let cases: [(&str, Agreed, Vec<u8>, Vec<Answer>); 9] = [
        ("7.2.3.1 one frame", NO_CONTEXT, compressed(hello), vec![text("Hello")]),
        ("7.2.3.1 fragments", NO_CONTEXT, fragments, vec![text("Hello")]),
        ("7.2.3.2 twice", NO_CONTEXT, compressed(hello).repeat(2), vec![text("Hello"), text("Hello")]),
        ("7.2.3.2 shared window", CONTEXT, [compressed(hello), compressed(again)].concat(), vec![text("Hello"), text("Hello")]),
        (
            "7.2.3.2 without a shared window",
            NO_CONTEXT,
            [compressed(hello), compressed(again)].concat(),
            vec![text("Hello"), Answer::Failed(1007)],
        ),
        ("7.2.3.3 no compression", NO_CONTEXT, compressed(b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"), vec![text("Hello")]),
        ("7.2.3.4 BFINAL", CONTEXT, compressed(b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00").repeat(2), vec![text("Hello"), text("Hello")]),
        (
            "7.2.3.5 two blocks",
            NO_CONTEXT,
            compressed(b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"),
            vec![text("Hello")],
        ),
        ("7.2.3.6 empty", CONTEXT, [compressed(b"\x00"), compressed(hello)].concat(), vec![text(""), text("Hello")]),
    ];
    for (name, agreed, sent, expected) in cases {
        assert_eq!(read(agreed, [&sent[..]], 100), expected, "{name}");
        assert_eq!(read(agreed, sent.chunks(1), 100), expected, "{name}, byte by byte");
    }
    let mut outbound = Deflate::new(CONTEXT, &settings()).outbound;
    assert_eq!(outbound.message(b"Hello", &mut None).as_deref(), Some(hello));
    assert_eq!(outbound.message(b"Hello", &mut None).as_deref(), Some(again));
}

#[test]
fn what_peers_send_beside_the_examples() {
    let hello = &b"\xf2\x48\xcd\xc9\xc9\x07\x00"[..];
    for agreed in [NO_CONTEXT, CONTEXT] {
        // Nothing at all, and a stream that ends without the block behind it.
        let sent = [compressed(b""), compressed(b"\xf3\x48\xcd\xc9\xc9\x07\x00"), compressed(hello)].concat();
        assert_eq!(read(agreed, [&sent[..]], 100), [text(""), text("Hello"), text("Hello")]);
        // Messages that are not compressed, and control frames between fragments.
        let sent = [
            frame(0x81, true, b"plain"),
            frame(0x42, true, &hello[..2]),
            frame(0x89, true, b"?"),
            frame(0x00, true, b""),
            frame(0x80, true, &hello[2..]),
        ];
        let expected = [text("plain"), Answer::Pong(b"?".to_vec()), Answer::Binary(b"Hello".to_vec())];
        assert_eq!(read(agreed, [&sent.concat()[..]], 100), expected);
    }
}

#[test]
fn the_bit_stands_where_it_may() {
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    for (name, sent) in [
        ("a ping", frame(0xc9, true, b"")),
        ("a pong", frame(0xca, true, b"")),
        ("a close frame", frame(0xc8, true, b"")),
        ("a continuation", [frame(0x41, true, &hello[..3]), frame(0xc0, true, &hello[3..])].concat()),
        ("a continuation of a plain message", [frame(0x01, true, b"a"), frame(0xc0, true, hello)].concat()),
        ("another bit", frame(0xa1, true, hello)),
        ("two bits", frame(0xd1, true, hello)),
    ] {
        assert_eq!(read(NO_CONTEXT, [&sent[..]], 100), [Answer::Failed(1002)], "{name}");
    }
}

#[test]
fn broken_data_is_refused() {
    for (name, payload, code) in [
        ("a block of no type", &b"\x06"[..], 1007),
        ("a distance beyond the start", b"\xf2\x00\x11\x00\x00", 1007),
        ("lengths that differ", b"\x00\x05\x00\xfa\xfe\x48", 1007),
        ("cut within a block", b"\xf2\x48\xcd", 1007),
        ("cut within a stored block", b"\x00\x50\x00\xaf\xff\x48", 1007),
        ("a text that is none", b"\x00\x01\x00\xfe\xff\xff\x00", 1007),
        ("half a character", b"\x00\x01\x00\xfe\xff\xc3\x00", 1007),
    ] {
        let sent = compressed(payload);
        assert_eq!(read(NO_CONTEXT, [&sent[..]], 1000), [Answer::Failed(code)], "{name}");
        assert_eq!(read(NO_CONTEXT, sent.chunks(1), 1000), [Answer::Failed(code)], "{name}, byte by byte");
    }
}

#[test]
fn a_bomb_is_refused_while_it_is_inflated() {
    const LIMIT: usize = 100_000;
    for agreed in [NO_CONTEXT, CONTEXT] {
        let mut outbound = Deflate::new(agreed, &settings()).outbound;
        let mut bomb = |size: usize| outbound.message(&vec![b'x'; size], &mut None).expect("it becomes smaller");
        let exact = frame(0xc2, true, &bomb(LIMIT));
        assert_eq!(read(agreed, [&exact[..]], LIMIT), [Answer::Binary(vec![b'x'; LIMIT])]);
        let mut outbound = Deflate::new(agreed, &settings()).outbound;
        let mut bomb = |size: usize| outbound.message(&vec![b'x'; size], &mut None).expect("it becomes smaller");
        let large = bomb(50_000_000);
        assert!(large.len() < LIMIT, "{} bytes are within the limit before they are inflated", large.len());
        assert_eq!(read(agreed, [&frame(0xc2, true, &large)[..]], LIMIT), [Answer::Failed(1009)]);
        let pieces = [frame(0x42, true, &large[..300]), frame(0x00, true, &large[300..])].concat();
        assert_eq!(read(agreed, [&pieces[..]], LIMIT), [Answer::Failed(1009)], "before its end");

        let (mut inbound, mut out) = (Deflate::new(agreed, &settings()).inbound, Vec::new());
        assert!(inbound.append(&large, &mut out, LIMIT, &mut None).is_err());
        assert!(out.capacity() <= LIMIT + 1, "{} bytes were taken", out.capacity());
    }
    let mut one_more = Deflate::new(NO_CONTEXT, &settings()).outbound;
    let one_more = one_more.message(&vec![b'x'; LIMIT + 1], &mut None).expect("it becomes smaller");
    assert_eq!(read(NO_CONTEXT, [&frame(0xc2, true, &one_more)[..]], LIMIT), [Answer::Failed(1009)]);
    // A message whose compressed form is beyond the limit is refused by its header, as by the reference.
    assert_eq!(read(NO_CONTEXT, [&b"\xc2\xfe\x00\x65"[..]], 100), [Answer::Failed(1009)]);
}

/// Blocks that hold nothing do not let a message go on for ever.
#[test]
fn empty_blocks_count_as_they_arrive() {
    let sent = [frame(0x42, true, &b"\0\0\0\xff\xff".repeat(10)), frame(0x00, true, &b"\0\0\0\xff\xff".repeat(10))].concat();
    assert_eq!(read(NO_CONTEXT, [&sent[..]], 100), []);
    let more = [&sent[..], &frame(0x80, true, b"\0")].concat();
    assert_eq!(read(NO_CONTEXT, [&more[..]], 100), [Answer::Failed(1009)]);
}

#[test]
fn what_does_not_become_smaller_is_sent_as_it_is() {
    let next = |seed: &u64| Some(seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    let noise: Vec<u8> = std::iter::successors(Some(1_u64), next).map(|seed| (seed >> 56) as u8).take(5000).collect();
    let mut spare = None;
    let mut outbound = Deflate::new(NO_CONTEXT, &settings()).outbound;
    let before = outbound.message(&[b'x'; 2000], &mut spare);
    assert_eq!(outbound.message(&noise, &mut spare), None);
    assert_eq!(outbound.message(b"x", &mut spare), None);
    assert_eq!(outbound.message(&[b'x'; 2000], &mut spare), before, "nothing of it is left in the stream");
    // With a context it is, because the stream has taken it in.
    let mut outbound = Deflate::new(CONTEXT, &settings()).outbound;
    assert!(outbound.message(&noise, &mut None).is_some_and(|message| message.len() > noise.len()));
    assert!(outbound.message(&noise, &mut None).is_some_and(|message| message.len() < 200), "and the next one refers to it");
}

#[test]
fn the_threshold_counts_bytes() {
    let outbound = Deflate::new(NO_CONTEXT, &PerMessageDeflate::new()).outbound;
    assert!(!outbound.wants(1023));
    assert!(outbound.wants(1024));
    assert!(!Deflate::new(NO_CONTEXT, &settings()).outbound.wants(0), "nothing does not become smaller");
}

#[test]
fn at_rest_only_contexts_take_memory() {
    for (agreed, kept) in [(NO_CONTEXT, false), (CONTEXT, true)] {
        let mut deflate = Deflate::new(agreed, &settings());
        let (mut out, mut inflater, mut deflater) = (Vec::new(), None, None);
        let message = deflate.outbound.message(&[b'x'; 2000], &mut deflater).expect("it becomes smaller");
        deflate.inbound.append(&message, &mut out, 2000, &mut inflater).expect("whole");
        deflate.inbound.finish(&mut out, 2000, &mut inflater).expect("whole");
        assert_eq!((deflate.inbound.keeps_context(), deflate.outbound.keeps_context()), (kept, kept));
        assert_eq!((inflater.is_some(), deflater.is_some()), (!kept, !kept), "what is free is lent to the next");
        assert_eq!(agreed.context_bytes() > 0, kept);
    }
}

/// Spec: RFC 7692, sections 5.1 and 7.1.
#[test]
fn negotiation() {
    let plain = PerMessageDeflate::new();
    let takeover = plain.clone().server_context_takeover(true).client_context_takeover(true);
    let narrow = plain.clone().server_max_window_bits(11).client_max_window_bits(12);
    const ALONE: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    for (settings, offer, answer) in [
        // What Chromium and `ws` offer.
        (&plain, "permessage-deflate; client_max_window_bits", ALONE),
        (&takeover, "permessage-deflate; client_max_window_bits", "permessage-deflate"),
        (&plain, "permessage-deflate", ALONE),
        // Firefox, Safari.
        (&takeover, "permessage-deflate", "permessage-deflate"),
        (&plain, "x-webkit-deflate-frame", ""),
        // Each side of the contexts.
        (&takeover, "permessage-deflate; server_no_context_takeover", "permessage-deflate; server_no_context_takeover"),
        (&takeover, "permessage-deflate; client_no_context_takeover", "permessage-deflate; client_no_context_takeover"),
        // Windows: the server's is answered where it was asked for, the client's where it can be told.
        (&takeover, "permessage-deflate; server_max_window_bits=10", "permessage-deflate; server_max_window_bits=10"),
        (&takeover, "permessage-deflate; server_max_window_bits=15", "permessage-deflate; server_max_window_bits=15"),
        (&takeover, "permessage-deflate; client_max_window_bits=10", "permessage-deflate; client_max_window_bits=10"),
        (&takeover, "permessage-deflate; client_max_window_bits=8", "permessage-deflate; client_max_window_bits=8"),
        (&takeover, "permessage-deflate; client_max_window_bits=15", "permessage-deflate"),
        (&narrow, "permessage-deflate", ""),
        (&narrow, "permessage-deflate; server_max_window_bits=15", ""),
        (
            &narrow,
            "permessage-deflate; client_max_window_bits",
            &format!("{ALONE}; server_max_window_bits=11; client_max_window_bits=12"),
        ),
        (
            &narrow,
            "permessage-deflate; client_max_window_bits=9; server_max_window_bits=10",
            &format!("{ALONE}; server_max_window_bits=10; client_max_window_bits=9"),
        ),
        // zlib cannot compress with a window of 256 bytes: such an offer is declined, and the next is looked at.
        (&plain, "permessage-deflate; server_max_window_bits=8", ""),
        (&plain, "permessage-deflate; server_max_window_bits=8, permessage-deflate", ALONE),
        // In the order of the client.
        (
            &takeover,
            "permessage-deflate; server_no_context_takeover, permessage-deflate",
            "permessage-deflate; server_no_context_takeover",
        ),
        (&takeover, "foo, bar; x=1; y=\"2\", permessage-deflate", "permessage-deflate"),
        // Values in quotes, and blanks.
        (&takeover, "permessage-deflate ; server_max_window_bits = \"1\\0\"", "permessage-deflate; server_max_window_bits=10"),
        (&takeover, " ,, permessage-deflate,\t,", "permessage-deflate"),
        // What is invalid declines its offer, and no other.
        (&plain, "permessage-deflate; unknown", ""),
        (&plain, "permessage-deflate; unknown, permessage-deflate", ALONE),
        (&plain, "permessage-deflate; server_no_context_takeover=1", ""),
        (&plain, "permessage-deflate; client_no_context_takeover=true", ""),
        (&plain, "permessage-deflate; server_no_context_takeover; server_no_context_takeover", ""),
        (&plain, "permessage-deflate; client_no_context_takeover; client_no_context_takeover", ""),
        (&plain, "permessage-deflate; client_max_window_bits; client_max_window_bits=10", ""),
        (&plain, "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10", ""),
        (&plain, "permessage-deflate; server_max_window_bits", ""),
        (&plain, "permessage-deflate; server_max_window_bits=7", ""),
        (&plain, "permessage-deflate; server_max_window_bits=16", ""),
        (&plain, "permessage-deflate; server_max_window_bits=010", ""),
        (&plain, "permessage-deflate; server_max_window_bits=1e1", ""),
        (&plain, "permessage-deflate; client_max_window_bits=7", ""),
        (&plain, "permessage-deflate; client_max_window_bits=16", ""),
        (&plain, "permessage-deflate; client_max_window_bits=+9", ""),
        (&plain, "Permessage-Deflate", ""),
        (&plain, "", ""),
    ] {
        let offers = offers([offer].into_iter()).unwrap_or_else(|_| panic!("`{offer}` follows the grammar"));
        let answered = agree(&offers, settings, true).map(|(_, answer)| answer).unwrap_or_default();
        assert_eq!(answered, answer, "{offer}");
    }
    for malformed in [
        "permessage-deflate;",
        "permessage-deflate; =1",
        "permessage-deflate; a=",
        "permessage-deflate; a=\"",
        "permessage-deflate; a=\"\"",
        "permessage-deflate; a=\"b c\"",
        "permessage-deflate; a=\"b\\\"",
        "permessage-deflate; a=\"b\"c",
        "permessage-deflate a",
        "permessage-deflate; a b",
        ";",
        "permessage-deflate, ;a",
        "perm\u{e9}ssage-deflate",
        "x/y",
    ] {
        assert!(offers([malformed].into_iter()).is_err(), "`{malformed}` does not");
    }
}

#[test]
fn lines_are_one_list_and_memory_may_be_short() {
    let lines = ["foo", "permessage-deflate; unknown", "permessage-deflate; client_max_window_bits"];
    let offers = offers(lines.into_iter()).expect("well-formed");
    let settings = PerMessageDeflate::new().server_context_takeover(true).client_context_takeover(true);
    let agreed = |contexts| agree(&offers, &settings, contexts).map(|(agreed, _)| agreed);
    assert_eq!(agreed(true), Some(CONTEXT));
    assert_eq!(agreed(false), Some(NO_CONTEXT));
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..300),
        proptest::collection::vec(0_u8..4, 0..3000),
        (any::<u8>(), 0_usize..100_000).prop_map(|(byte, length)| vec![byte; length]),
        "[a-e{}:,\"]{0,2000}".prop_map(String::into_bytes),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_deflated_is_inflated(
        messages in proptest::collection::vec((message(), any::<bool>()), 1..6),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..20),
        fragments in 1_usize..5,
        (server_context, window_bits, level) in (any::<bool>(), 9_u8..=15, 0_u8..=9),
    ) {
        // What the server has written is read as if a client had: the format is the same.
        let agreed = Agreed { server_context, client_context: server_context, server_window_bits: window_bits, ..NO_CONTEXT };
        let mut outbound = Deflate::new(agreed, &settings().level(level)).outbound;
        let (mut sent, mut expected, mut spare) = (Vec::new(), Vec::new(), None);
        for (message, wanted) in messages {
            let deflated = if wanted && outbound.wants(message.len()) { outbound.message(&message, &mut spare) } else { None };
            let (bit, payload) = match &deflated {
                Some(deflated) => (0x40, &deflated[..]),
                None => (0, &message[..]),
            };
            let pieces: Vec<&[u8]> = match payload {
                [] => slice::from_ref(&payload).to_vec(),
                payload => payload.chunks(payload.len().div_ceil(fragments)).collect(),
            };
            for (at, piece) in pieces.iter().enumerate() {
                let last = if at + 1 == pieces.len() { 0x80 } else { 0 };
                sent.extend(frame(last | if at == 0 { 2 | bit } else { 0 }, true, piece));
            }
            expected.push(Answer::Binary(message));
        }
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(sent.len() + 1)).collect();
        cuts.sort_unstable();
        let ends = cuts.iter().copied().chain([sent.len()]);
        let mut start = 0;
        let pieces = ends.map(|end| &sent[std::mem::replace(&mut start, end)..end]);
        prop_assert_eq!(read(agreed, pieces, 100_200), expected);
    }

    #[test]
    fn any_pieces_of_anything_are_inflated_alike(
        payload in proptest::collection::vec(any::<u8>(), 0..60),
        valid in message(),
        damage in any::<prop::sample::Index>(),
        size in 1_usize..40,
        context in any::<bool>(),
        opcode in 1_u8..3,
    ) {
        let agreed = if context { CONTEXT } else { NO_CONTEXT };
        let mut damaged = Deflate::new(NO_CONTEXT, &settings()).outbound.message(&valid, &mut None).unwrap_or_default().to_vec();
        if !damaged.is_empty() {
            let at = damage.index(damaged.len());
            damaged[at] ^= 0x11;
        }
        for payload in [payload, damaged] {
            let sent = [frame(0xc0 | opcode, true, &payload), frame(0x89, true, b"?")].concat();
            prop_assert_eq!(read(agreed, sent.chunks(size), 1000), read(agreed, [&sent[..]], 1000));
        }
    }
}
