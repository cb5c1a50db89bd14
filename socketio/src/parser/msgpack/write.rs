//! JSON text with attachments, and packets, to MessagePack. A list starts with its length, so the text is read twice: to count,
//! and to write.

use super::MAX_DEPTH;
use crate::parser::{
    name::unescape,
    packet::Packet,
    placeholder::{self, Placeholder},
};
use bytes::Bytes;

/// Integers up to here are exact in JavaScript.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Writes one packet, its fields in the order of the reference.
pub(super) fn packet(packet: &Packet) -> Vec<u8> {
    let json = packet.payload();
    let mut out = Vec::with_capacity(32 + packet.namespace().len() + json.len());
    head(&mut out, 0x80, None, [0xde, 0xdf], 2 + usize::from(!json.is_empty()) + usize::from(packet.id().is_some()));
    text(&mut out, b"type");
    integer(&mut out, i128::from(packet.kind().number()));
    if !json.is_empty() {
        text(&mut out, b"data");
        let tokens = placeholders(json, packet.attachments());
        let lengths = Measures::of(Tokens::new(json, &tokens)).lengths;
        value(&mut out, Tokens::new(json, &tokens), lengths, packet.attachments(), Dialect::Notepack);
    }
    if let Some(id) = packet.id() {
        text(&mut out, b"id");
        integer(&mut out, id.into());
    }
    text(&mut out, b"nsp");
    text(&mut out, packet.namespace().as_bytes());
    out
}

/// As which package of the reference writes numbers, and what those that read it refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `notepack.io`: integers of up to 64 bits.
    Notepack,
    /// `@msgpack/msgpack`: only what JavaScript holds exactly is an integer. The key `__proto__` is refused.
    Official,
}

/// The value cannot be written so that servers of the reference can read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// Writes a value from well-formed JSON text, and from the attachments that its placeholders name.
pub(crate) fn msgpack_of_json(json: &str, attachments: &[Bytes], dialect: Dialect) -> Result<Vec<u8>, Unreadable> {
    let tokens = placeholders(json, attachments);
    let Measures { lengths, depth, has_proto } = Measures::of(Tokens::new(json, &tokens));
    if depth > MAX_DEPTH || has_proto && dialect == Dialect::Official {
        return Err(Unreadable);
    }
    let mut out = Vec::with_capacity(json.len() + attachments.iter().map(Bytes::len).sum::<usize>());
    value(&mut out, Tokens::new(json, &tokens), lengths, attachments, dialect);
    Ok(out)
}

/// How many lists and objects of JSON text are in each other.
pub(crate) fn depth(json: &str) -> usize {
    let mut open: usize = 0;
    let steps = Tokens::new(json, &[]).map(|token| {
        match token {
            Token::Open { .. } => open += 1,
            Token::Close => open = open.saturating_sub(1),
            _ => {}
        }
        open
    });
    steps.max().unwrap_or_default()
}

enum Token<'a> {
    Open {
        is_map: bool,
    },
    Close,
    /// With its quotes.
    Text(&'a str),
    Number(&'a str),
    /// `n`, `t` or `f`.
    Literal(u8),
    Attachment(usize),
}

/// The tokens of well-formed JSON, but commas and colons; a placeholder is one token.
struct Tokens<'a> {
    json: &'a str,
    at: usize,
    placeholders: std::slice::Iter<'a, Placeholder>,
    next: Option<&'a Placeholder>,
}

impl<'a> Tokens<'a> {
    fn new(json: &'a str, placeholders: &'a [Placeholder]) -> Self {
        let mut placeholders = placeholders.iter();
        let next = placeholders.next();
        Tokens { json, at: 0, placeholders, next }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let bytes = self.json.as_bytes();
        loop {
            let (start, byte) = (self.at, *bytes.get(self.at)?);
            self.at += 1;
            return Some(match byte {
                b'{' if self.next.is_some_and(|placeholder| placeholder.range.start == start) => {
                    let Placeholder { range, num } = self.next?;
                    self.next = self.placeholders.next();
                    self.at = range.end;
                    Token::Attachment(*num)
                }
                b'{' | b'[' => Token::Open { is_map: byte == b'{' },
                b'}' | b']' => Token::Close,
                b'"' => {
                    self.at = placeholder::string_end(bytes, self.at);
                    Token::Text(&self.json[start..self.at])
                }
                b'-' | b'0'..=b'9' => {
                    let is_part = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
                    self.at += bytes[self.at..].iter().take_while(is_part).count();
                    Token::Number(&self.json[start..self.at])
                }
                b't' | b'f' | b'n' => {
                    self.at += bytes[self.at..].iter().take_while(|byte| byte.is_ascii_lowercase()).count();
                    Token::Literal(byte)
                }
                _ => continue,
            });
        }
    }
}

fn placeholders(json: &str, attachments: &[Bytes]) -> Vec<Placeholder> {
    if attachments.is_empty() { Vec::new() } else { placeholder::find(json, attachments.len()).unwrap_or_default() }
}

/// Writes JSON text.
fn value(out: &mut Vec<u8>, tokens: Tokens<'_>, lengths: Vec<u32>, attachments: &[Bytes], dialect: Dialect) {
    let mut lengths = lengths.into_iter();
    for token in tokens {
        match token {
            Token::Open { is_map } => {
                let values = lengths.next().unwrap_or_default() as usize;
                match is_map {
                    true => head(out, 0x80, None, [0xde, 0xdf], values / 2),
                    false => head(out, 0x90, None, [0xdc, 0xdd], values),
                }
            }
            Token::Close => {}
            Token::Text(quoted) => text(out, unescape(quoted).as_bytes()),
            Token::Number(digits) => number(out, digits, dialect),
            Token::Literal(b't') => out.push(0xc3),
            Token::Literal(b'f') => out.push(0xc2),
            Token::Literal(_) => out.push(0xc0),
            Token::Attachment(num) => binary(out, attachments.get(num).map_or(&[], |bytes| bytes)),
        }
    }
}

/// What is to be known before the first byte is written.
#[derive(Default)]
struct Measures {
    /// How many values are in each list and map, keys included, in the order in which they open.
    lengths: Vec<u32>,
    depth: usize,
    /// There is a key `__proto__`.
    has_proto: bool,
}

impl Measures {
    fn of(tokens: Tokens<'_>) -> Self {
        let mut measures = Measures::default();
        let mut open: Vec<(usize, bool)> = Vec::new();
        for token in tokens {
            if let Token::Close = token {
                open.pop();
                continue;
            }
            if let Some(&(innermost, is_map)) = open.last() {
                let is_key = is_map && measures.lengths[innermost] % 2 == 0;
                measures.lengths[innermost] += 1;
                if let (true, Token::Text(quoted)) = (is_key, &token) {
                    measures.has_proto |= unescape(quoted) == "__proto__";
                }
            }
            if let Token::Open { is_map } = token {
                open.push((measures.lengths.len(), is_map));
                measures.lengths.push(0);
                measures.depth = measures.depth.max(open.len());
            }
        }
        measures
    }
}

/// A number as the reference writes it: an integer if it is one.
fn number(out: &mut Vec<u8>, digits: &str, dialect: Dialect) {
    let number = digits.parse::<i64>().map(i128::from).or_else(|_| digits.parse::<u64>().map(i128::from));
    if let Ok(number) = number
        && (dialect == Dialect::Notepack || number.unsigned_abs() < MAX_EXACT as u128)
    {
        return integer(out, number);
    }
    let number: f64 = digits.parse().unwrap_or(f64::NAN);
    if number.fract() == 0.0 && number.abs() < MAX_EXACT {
        return integer(out, number as i128);
    }
    out.push(0xcb);
    out.extend_from_slice(&number.to_be_bytes());
}

/// The shortest form. Between `i64::MIN` and `u64::MAX`.
fn integer(out: &mut Vec<u8>, number: i128) {
    let bytes = number.to_be_bytes();
    let (kind, length) = match number {
        -0x20..0x80 => return out.push(bytes[15]),
        0x80..0x100 => (0xcc, 1),
        0x100..0x1_0000 => (0xcd, 2),
        0x1_0000..0x1_0000_0000 => (0xce, 4),
        0x1_0000_0000.. => (0xcf, 8),
        -0x80..-0x20 => (0xd0, 1),
        -0x8000..-0x80 => (0xd1, 2),
        -0x8000_0000..-0x8000 => (0xd2, 4),
        _ => (0xd3, 8),
    };
    out.push(kind);
    out.extend_from_slice(&bytes[16 - length..]);
}

fn text(out: &mut Vec<u8>, text: &[u8]) {
    match text.len() {
        length @ 0..0x20 => out.push(0xa0 | length as u8),
        length => head(out, 0xa0, Some(0xd9), [0xda, 0xdb], length),
    }
    out.extend_from_slice(text);
}

fn binary(out: &mut Vec<u8>, bytes: &[u8]) {
    match bytes.len() {
        length @ 0..0x100 => out.extend_from_slice(&[0xc4, length as u8]),
        length => head(out, 0xc4, None, [0xc5, 0xc6], length),
    }
    out.extend_from_slice(bytes);
}

/// The start of something long: `small` with a length below 16 in it, or a kind and a length of one, two or four bytes.
fn head(out: &mut Vec<u8>, small: u8, one: Option<u8>, [two, four]: [u8; 2], length: usize) {
    match (length, one) {
        (0..0x10, None) => out.push(small | length as u8),
        (0..0x100, Some(one)) => out.extend_from_slice(&[one, length as u8]),
        (0..0x1_0000, _) => {
            out.push(two);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            out.push(four);
            out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
        }
    }
}
