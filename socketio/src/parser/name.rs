//! The name of an event: the first element of its payload, read without looking at the rest.
//!
//! A name may be a number. In Node, listeners are properties of an object, so the event `1` and the event `"1"` are the same
//! one, and so are `1.0` and `1e0`. Here too: a numeric name is its number as JavaScript prints it.
//! A name with half of a surrogate pair (`"\ud800"`) is legal JSON but no text in Rust: it is read with replacement
//! characters, so that it is ignored like any other unknown event.

use super::decode::DecodeError;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, Visitor},
};
use std::{borrow::Cow, fmt, ops::Range};

/// Where the name of an event is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Name {
    /// Spelled as it is: a part of the packet's text.
    Part(Range<usize>),
    /// With escapes, or a number in an unusual form.
    Owned(Box<str>),
}

impl Name {
    /// Reads the name from the JSON array that starts at `payload`. Returns it with the offset of what follows: the comma in
    /// front of the first argument, or the closing bracket. What comes after that is not looked at.
    pub(super) fn read(text: &str, payload: usize) -> Result<(Name, usize), DecodeError> {
        let (name, end) = Self::read_any(text, payload)?;
        if is_reserved_event(name.as_str(text)) { Err(DecodeError::ReservedName) } else { Ok((name, end)) }
    }

    /// The same, whatever the name is.
    pub(crate) fn read_any(text: &str, payload: usize) -> Result<(Name, usize), DecodeError> {
        let bytes = text.as_bytes();
        if bytes.get(payload) != Some(&b'[') {
            return Err(DecodeError::Payload);
        }
        let start = skip_space(text, payload + 1);
        let (name, end) = match bytes.get(start) {
            Some(b'"') => string(text, start)?,
            Some(b'-' | b'0'..=b'9') => number(text, start)?,
            _ => return Err(DecodeError::Payload),
        };
        let end = skip_space(text, end);
        match bytes.get(end) {
            Some(b',' | b']') => Ok((name, end)),
            _ => Err(DecodeError::Payload),
        }
    }

    /// The name; `text` is the text it was read from.
    #[inline]
    pub(crate) fn as_str<'a>(&'a self, text: &'a str) -> &'a str {
        match self {
            Name::Part(range) => &text[range.clone()],
            Name::Owned(name) => name,
        }
    }
}

/// Whether Socket.IO reserves the name, such as `disconnect`: the peer closes the connection when it receives such an event.
pub fn is_reserved_event(name: &str) -> bool {
    matches!(name, "connect" | "connect_error" | "disconnect" | "disconnecting" | "newListener" | "removeListener")
}

/// Removes the white space that JSON allows, which is less than that of ASCII.
pub(crate) fn trim_space(json: &str) -> &str {
    // Mostly there is none, and that is seen at once.
    match json.as_bytes().first() {
        Some(b' ' | b'\t' | b'\n' | b'\r') => json.trim_start_matches([' ', '\t', '\n', '\r']),
        _ => json,
    }
}

fn skip_space(text: &str, from: usize) -> usize {
    text.len() - trim_space(&text[from..]).len()
}

fn string(text: &str, quote: usize) -> Result<(Name, usize), DecodeError> {
    let start = quote + 1;
    let length = text.as_bytes()[start..].iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
    let end = start + length.ok_or(DecodeError::Payload)?;
    if text.as_bytes()[end] == b'"' {
        return Ok((Name::Part(start..end), end + 1));
    }
    let mut values = serde_json::Deserializer::from_str(&text[quote..]).into_iter::<Unescaped>();
    let name = values.next().and_then(Result::ok).ok_or(DecodeError::Payload)?;
    let end = quote + values.byte_offset();
    // Read as bytes, a string may hold control characters.
    if text[quote..end].bytes().any(|byte| byte < b' ') {
        return Err(DecodeError::Payload);
    }
    Ok((Name::Owned(name.0), end))
}

fn number(text: &str, start: usize) -> Result<(Name, usize), DecodeError> {
    let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<IgnoredAny>();
    values.next().and_then(Result::ok).ok_or(DecodeError::Payload)?;
    let end = start + values.byte_offset();
    let spelled = &text[start..end];
    let value: f64 = spelled.parse().map_err(|_| DecodeError::Payload)?;
    let printed = print_number(value);
    let name = if printed == spelled { Name::Part(start..end) } else { Name::Owned(printed.into_boxed_str()) };
    Ok((name, end))
}

/// `String(value)` in JavaScript: the shortest digits, with an exponent for very large and very small numbers.
fn print_number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".to_owned()
    } else if size.is_infinite() {
        if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else if size >= 1e21 {
        format!("{value:e}").replace('e', "e+")
    } else if size < 1e-6 {
        format!("{value:e}")
    } else {
        value.to_string()
    }
}

/// The text in a JSON string, given with its quotes. Half of a surrogate pair becomes a replacement character.
pub(super) fn unescape(quoted: &str) -> Cow<'_, str> {
    match quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(text) if !text.contains('\\') => Cow::Borrowed(text),
        _ => Cow::Owned(serde_json::from_str::<Unescaped>(quoted).map(|text| text.0.into_string()).unwrap_or_default()),
    }
}

/// A string of which only the JSON syntax is checked.
struct Unescaped(Box<str>);

impl<'de> Deserialize<'de> for Unescaped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyString;
        impl Visitor<'_> for AnyString {
            type Value = Unescaped;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                Ok(Unescaped(match String::from_utf8_lossy(bytes) {
                    Cow::Borrowed(text) => text.into(),
                    Cow::Owned(text) => text.into(),
                }))
            }
        }
        deserializer.deserialize_bytes(AnyString)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(String, &str), DecodeError> {
        Name::read(text, 0).map(|(name, end)| (name.as_str(text).to_owned(), &text[end..]))
    }

    #[test]
    fn names() {
        for (text, name, rest) in [
            (r#"["a"]"#, "a", "]"),
            (r#"["a",1]"#, "a", ",1]"),
            ("[ \t\"a\"\r\n , 1]", "a", ", 1]"),
            (r#"[""]"#, "", "]"),
            (r#"["chat message","x"]"#, "chat message", ",\"x\"]"),
            (r#"["\u0061\n"]"#, "a\n", "]"),
            (r#"["\ud83d\ude00é"]"#, "😀é", "]"),
            (r#"["é",1]"#, "é", ",1]"),
            ("[1]", "1", "]"),
            ("[1.0,2]", "1", ",2]"),
            ("[-0 ]", "0", "]"),
            ("[1e2]", "100", "]"),
            ("[123456789012345680000]", "123456789012345680000", "]"),
            ("[1e21]", "1e+21", "]"),
            ("[0.000001]", "0.000001", "]"),
            ("[0.0000001]", "1e-7", "]"),
            ("[1e999]", "Infinity", "]"),
            ("[-1.5]", "-1.5", "]"),
        ] {
            assert_eq!(read(text), Ok((name.to_owned(), rest)), "{text}");
        }
        assert!(read(r#"["\ud800"]"#).is_ok_and(|(name, _)| name.starts_with('\u{fffd}')));
    }

    #[test]
    fn not_a_name() {
        for text in [
            "",
            "{}",
            "[",
            "[]",
            "[null]",
            "[true]",
            "[{}]",
            "[[]]",
            "[-]",
            "[01]",
            "[1.]",
            "[1x]",
            r#"["a"#,
            r#"["a""#,
            r#"["a"x]"#,
            r#"["a":1]"#,
            "[\"a\nb\"]",
            r#"["\x"]"#,
            r#"["\u12"]"#,
            r#"[,"a"]"#,
            "[\"\\u0061\u{1}\"]",
        ] {
            assert_eq!(read(text), Err(DecodeError::Payload), "{text}");
        }
        for text in [
            r#"["connect"]"#,
            r#"["connect_error"]"#,
            r#"["disconnect"]"#,
            r#"["disconnecting",1]"#,
            r#"["newListener"]"#,
            r#"["removeListener"]"#,
            r#"["\u0063onnect"]"#,
        ] {
            assert_eq!(read(text), Err(DecodeError::ReservedName), "{text}");
        }
    }
}
