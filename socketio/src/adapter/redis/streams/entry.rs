//! What Redis says about streams: positions, entries, and what is in a stream. Parsed by hand: the names of fields may be any bytes.

use redis::Value;
use std::{fmt, str::FromStr};

/// Where an entry stands in a stream: milliseconds, and a number among those of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub(super) struct Position {
    milliseconds: u64,
    number: u64,
}

impl Position {
    /// The one in front of all entries.
    pub(super) const START: Position = Position { milliseconds: 0, number: 0 };

    /// The one behind it.
    pub(super) fn next(self) -> Self {
        match self.number.checked_add(1) {
            Some(number) => Position { number, ..self },
            None => Position { milliseconds: self.milliseconds.saturating_add(1), number: 0 },
        }
    }

    pub(super) fn of(value: &Value) -> Option<Self> {
        std::str::from_utf8(bytes(value)?).ok()?.parse().ok()
    }
}

/// It is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoPosition;

impl FromStr for Position {
    type Err = NoPosition;

    fn from_str(text: &str) -> Result<Self, NoPosition> {
        let number = |digits: &str| match digits.bytes().all(|byte| byte.is_ascii_digit()) {
            true => digits.parse().map_err(|_| NoPosition),
            false => Err(NoPosition),
        };
        let (milliseconds, of_them) = text.split_once('-').ok_or(NoPosition)?;
        Ok(Position { milliseconds: number(milliseconds)?, number: number(of_them)? })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.milliseconds, self.number)
    }
}

/// One entry of a stream.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) at: Position,
    /// Names and values in turn.
    fields: Vec<Value>,
}

impl Entry {
    pub(super) fn field(&self, name: &str) -> Option<&[u8]> {
        self.fields.chunks_exact(2).find(|pair| bytes(&pair[0]) == Some(name.as_bytes())).and_then(|pair| bytes(&pair[1]))
    }

    /// How many bytes its fields have.
    pub(super) fn size(&self) -> usize {
        self.fields.iter().filter_map(bytes).map(<[u8]>::len).sum()
    }
}

/// A text of Redis, as bytes.
pub(super) fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.as_bytes()),
        _ => None,
    }
}

/// The answer of `XRANGE`. What is no entry is left out.
pub(super) fn entries(value: Value) -> Vec<Entry> {
    let Value::Array(list) = value else { return Vec::new() };
    let entry = |value| {
        let Value::Array(parts) = value else { return None };
        let [id, Value::Array(fields)] = <[Value; 2]>::try_from(parts).ok()? else { return None };
        Some(Entry { at: Position::of(&id)?, fields })
    };
    list.into_iter().filter_map(entry).collect()
}

/// The answer of `XREAD` for one stream; nothing if there was nothing to read.
pub(super) fn read(value: Value) -> Vec<Entry> {
    let list = match value {
        Value::Map(mut streams) => streams.pop().map(|(_, list)| list),
        // In the older protocol: a list of pairs.
        Value::Array(mut streams) => match streams.pop() {
            Some(Value::Array(mut pair)) => pair.pop(),
            _ => None,
        },
        _ => None,
    };
    list.map(entries).unwrap_or_default()
}

/// What is in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Info {
    /// The last entry that there ever was.
    pub(super) last: Position,
    /// The first that is still there.
    pub(super) first: Option<Position>,
    pub(super) length: u64,
    /// How many there ever were. Redis 7.
    pub(super) added: Option<u64>,
}

impl Info {
    /// The answer of `XINFO STREAM`.
    pub(super) fn of(value: Value) -> Option<Self> {
        let pairs: Vec<(Value, Value)> = match value {
            Value::Map(pairs) => pairs,
            Value::Array(flat) => flat.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect(),
            _ => return None,
        };
        let number = |value: &Value| match value {
            Value::Int(number) => u64::try_from(*number).ok(),
            _ => None,
        };
        let mut info = Info::default();
        let mut known = false;
        for (name, value) in pairs {
            match bytes(&name) {
                Some(b"last-generated-id") => (info.last, known) = (Position::of(&value)?, true),
                Some(b"length") => info.length = number(&value)?,
                Some(b"entries-added") => info.added = number(&value),
                Some(b"first-entry") => {
                    info.first = if let Value::Array(parts) = &value { parts.first().and_then(Position::of) } else { None };
                }
                _ => {}
            }
        }
        known.then_some(info)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    #[test]
    fn positions() {
        let position = |text: &str| text.parse::<Position>();
        assert!(position("9-10").is_ok_and(|at| at > position("9-9").expect("one") && at < position("10-0").expect("one")));
        assert_eq!(position("7-18446744073709551615").map(Position::next), position("8-0"));
        assert_eq!(position("1795162611478-0").map(|at| at.to_string()).as_deref(), Ok("1795162611478-0"));
        for not in ["", "-", "1", "1-", "-1", "1-2-3", "+1-2", "a-b", "1-18446744073709551616", "$"] {
            assert_eq!(position(not), Err(NoPosition), "{not}");
        }
    }

    #[test]
    fn answers_in_both_protocols() {
        let entry = |id: &str| Value::Array(vec![text(id), Value::Array(vec![text("a"), text("b"), text("c"), text("d")])]);
        let list = Value::Array(vec![entry("1-1"), Value::Nil, entry("nonsense"), entry("2-0")]);
        for answer in [Value::Map(vec![(text("s"), list.clone())]), Value::Array(vec![Value::Array(vec![text("s"), list])])] {
            let entries = read(answer);
            assert_eq!(entries.iter().map(|entry| entry.at.to_string()).collect::<Vec<_>>(), ["1-1", "2-0"]);
            assert_eq!(entries[0].field("c"), Some(&b"d"[..]));
            assert_eq!(entries[0].field("b"), None);
        }
        assert!(read(Value::Nil).is_empty());
        let pairs = [
            ("length", Value::Int(2)),
            ("last-generated-id", text("2-0")),
            ("entries-added", Value::Int(9)),
            ("first-entry", entry("1-1")),
        ];
        let expected =
            Info { last: "2-0".parse().expect("one"), first: Some("1-1".parse().expect("one")), length: 2, added: Some(9) };
        let map = pairs.iter().map(|(name, value)| (text(name), value.clone())).collect();
        assert_eq!(Info::of(Value::Map(map)), Some(expected));
        let flat = pairs.into_iter().flat_map(|(name, value)| [text(name), value]).collect();
        assert_eq!(Info::of(Value::Array(flat)), Some(expected));
        assert_eq!(Info::of(Value::Map(Vec::new())), None);
    }
}
