//! The header of a packet: everything in front of the JSON, scanned by hand on bytes.
//!
//! ```text
//! 51-/chat,12["say",{"_placeholder":true,"num":0}]
//! ││ │     │ └ payload
//! ││ │     └ id
//! ││ └ namespace, up to the comma or to the end
//! │└ number of attachments, types 5 and 6 only
//! └ type
//! ```
//!
//! The reference reads its numbers with JavaScript's `Number()`, and clients see the consequences, so they are reproduced:
//! a blank counts as a digit of an id (`2 5[..]` has the id 5, `2 [..]` the id 0), and an attachment count may be spelled
//! ` 1`, `1e0` or `0x1`. Three things are refused here that the reference lets through, because no client sends them and the
//! reference itself cannot answer them: a blank as the packet type (it reads as 0), an id with a blank inside (`NaN`), and an
//! id above 2^53-1 (it is acknowledged under another number, such as `1e+21`).
//!
//! Not here: what the payload may be; see `decode`.

use super::{decode::DecodeError, packet::Kind};

/// The largest integer that JavaScript's numbers hold exactly.
pub(super) const MAX_ID: u64 = (1 << 53) - 1;

/// A scanned header; all positions are offsets in the packet's text.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) kind: Kind,
    /// Binary messages that follow; 0 for the plain types.
    pub(super) attachments: usize,
    pub(super) namespace: (usize, usize),
    pub(super) id: Option<u64>,
    /// Where the JSON starts; the end of the text if there is none. Never points at white space.
    pub(super) payload: usize,
}

impl Header {
    pub(super) fn parse(text: &str, max_attachments: usize) -> Result<Self, DecodeError> {
        let bytes = text.as_bytes();
        let (kind, binary) = match bytes.first() {
            Some(b'0') => (Kind::Connect, false),
            Some(b'1') => (Kind::Disconnect, false),
            Some(b'2') => (Kind::Event, false),
            Some(b'3') => (Kind::Ack, false),
            Some(b'4') => (Kind::ConnectError, false),
            Some(b'5') => (Kind::Event, true),
            Some(b'6') => (Kind::Ack, true),
            _ => return Err(DecodeError::UnknownType),
        };
        let mut at = 1;
        let mut attachments = 0;
        if binary {
            let digits = bytes[at..].iter().position(|byte| *byte == b'-').ok_or(DecodeError::AttachmentCount)?;
            attachments = attachment_count(&text[at..at + digits]).ok_or(DecodeError::AttachmentCount)?;
            if attachments > max_attachments {
                return Err(DecodeError::TooManyAttachments);
            }
            at += digits + 1;
        }
        let mut namespace = (at, at);
        if bytes.get(at) == Some(&b'/') {
            namespace.1 = bytes[at..].iter().position(|byte| *byte == b',').map_or(text.len(), |length| at + length);
            at = text.len().min(namespace.1 + 1);
        }
        let (id, length) = leading_id(&text[at..])?;
        Ok(Header { kind, attachments, namespace, id, payload: at + length })
    }
}

/// An attachment count as `Number()` reads it: at least 1, or `None`. Saturates, because there is a limit anyway.
fn attachment_count(text: &str) -> Option<usize> {
    if let &[digit @ b'1'..=b'9'] = text.as_bytes() {
        return Some(usize::from(digit - b'0'));
    }
    let text = text.trim_matches(is_blank);
    let radix = |prefix: [&str; 2]| text.strip_prefix(prefix[0]).or_else(|| text.strip_prefix(prefix[1]));
    let number = if let Some(digits) = radix(["0x", "0X"]) {
        integer(digits, 16)?
    } else if let Some(digits) = radix(["0o", "0O"]) {
        integer(digits, 8)?
    } else if let Some(digits) = radix(["0b", "0B"]) {
        integer(digits, 2)?
    } else {
        text.parse().ok()?
    };
    (number.is_finite() && number >= 1.0 && number.fract() == 0.0).then_some(number as usize)
}

fn integer(digits: &str, radix: u32) -> Option<f64> {
    if digits.is_empty() {
        return None;
    }
    digits.chars().try_fold(0.0, |sum, digit| Some(sum * f64::from(radix) + f64::from(digit.to_digit(radix)?)))
}

/// The id at the start of the text, and how many bytes it takes.
fn leading_id(text: &str) -> Result<(Option<u64>, usize), DecodeError> {
    // As clients write it: digits, few enough to be exact, and then the payload.
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits <= 15 && text.as_bytes().get(digits) == Some(&b'[') {
        let id = text.bytes().take(digits).fold(0, |id, digit| id * 10 + u64::from(digit - b'0'));
        return Ok(((digits > 0).then_some(id), digits));
    }
    let length = text.find(|c: char| !c.is_ascii_digit() && !is_blank(c)).unwrap_or(text.len());
    if length == 0 {
        return Ok((None, 0));
    }
    let mut id = 0u64;
    for digit in text[..length].trim_matches(is_blank).bytes() {
        if !digit.is_ascii_digit() {
            return Err(DecodeError::Id);
        }
        id = id * 10 + u64::from(digit - b'0');
        if id > MAX_ID {
            return Err(DecodeError::Id);
        }
    }
    Ok((Some(id), length))
}

/// White space as JavaScript defines it.
fn is_blank(c: char) -> bool {
    match c {
        '\t'..='\r' | ' ' => true,
        '\0'..='\u{9f}' => false,
        '\u{feff}' => true,
        other => other.is_whitespace(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attachment_counts_read_as_javascript_numbers() {
        for (text, count) in [
            ("1", Some(1)),
            (" 1", Some(1)),
            ("\u{a0}1\u{feff}", Some(1)),
            ("1e0", Some(1)),
            ("1.", Some(1)),
            (".1e1", Some(1)),
            ("+2", Some(2)),
            ("0x1", Some(1)),
            ("0B11", Some(3)),
            ("0o7", Some(7)),
            ("010", Some(10)),
            ("", None),
            ("0", None),
            ("1.5", None),
            ("one", None),
            ("0x", None),
            ("0x+1", None),
            ("NaN", None),
            ("Infinity", None),
            ("1 1", None),
        ] {
            assert_eq!(attachment_count(text), count, "{text:?}");
        }
        assert!(attachment_count("1e300").is_some_and(|count| count > 10));
    }

    #[test]
    fn ids_end_at_the_largest_exact_number() {
        assert_eq!(leading_id("9007199254740991["), Ok((Some(MAX_ID), 16)));
        assert_eq!(leading_id("0009007199254740991["), Ok((Some(MAX_ID), 19)));
        assert_eq!(leading_id("9007199254740992["), Err(DecodeError::Id));
        assert_eq!(leading_id("99999999999999999999999999["), Err(DecodeError::Id));
        assert_eq!(leading_id("1 2["), Err(DecodeError::Id));
        assert_eq!(leading_id("\u{85}["), Ok((None, 0)));
    }
}
