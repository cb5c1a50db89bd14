//! MessagePack to JSON text, with binary data taken out as attachments; and to a packet: the map is walked through once to find
//! its fields, then `data` is written, with attachments that share the memory of the message.

use super::MAX_DEPTH;
use crate::parser::{
    decode::{DecodeError, Limits},
    header::MAX_ID,
    packet::{Kind, Packet},
};
use bytes::Bytes;
use std::io::Write as _;

/// What a client may nest. Whoever gets it passed on reads it by recursion, and would be disconnected by what is deeper.
const MAX_PACKET_DEPTH: usize = 2_000;

/// Pieces of binary data in one packet. They cost no message of their own, so this is not the limit of attachments; but each
/// takes some memory, however small it is.
const MAX_PIECES: usize = 10_000;
/// Integers up to here are exact in JavaScript.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
/// The furthest moment that a date in JavaScript can be, in milliseconds.
const MAX_DATE: i64 = 8_640_000_000_000_000;

/// Reads one packet.
pub(super) fn packet(bytes: &Bytes, limits: Limits) -> Result<Packet, DecodeError> {
    let mut reader = Reader { bytes, at: 0, memory: Some(bytes) };
    let Token::Map(fields) = reader.token()? else { return Err(DecodeError::Format) };
    let (mut kind, mut namespace, mut id, mut data) = (None, None, None, None);
    for _ in 0..fields {
        let Token::Text(name) = reader.token()? else { return Err(DecodeError::Format) };
        let value = reader;
        reader.skip()?;
        match name {
            b"type" => kind = Some(value),
            b"nsp" => namespace = Some(value),
            b"id" => id = Some(value),
            b"data" => data = Some(value),
            _ => {}
        }
    }
    if reader.at < bytes.len() {
        return Err(DecodeError::Format);
    }
    let kind = kind.and_then(|kind| kind.integer().ok()?).and_then(|kind| Kind::from_number(u8::try_from(kind).ok()?));
    let kind = kind.ok_or(DecodeError::UnknownType)?;
    let id = match id.map(Reader::integer).transpose()? {
        None | Some(None) => None,
        Some(Some(id)) if id <= MAX_ID => Some(id),
        Some(_) => return Err(DecodeError::Id),
    };
    let Some(Token::Text(namespace)) = namespace.map(|mut reader| reader.token()).transpose()? else {
        return Err(DecodeError::Format);
    };
    let namespace = std::str::from_utf8(namespace).map_err(|_| DecodeError::Format)?;
    let mut json = Json::new(namespace.as_bytes().to_vec(), Extensions::Shown, MAX_PACKET_DEPTH);
    if let Some(mut data) = data
        && !data.skip_undefined()
    {
        json.value(&mut data)?;
    }
    let Json { text, attachments, has_placeholder, .. } = json;
    let bytes: usize = attachments.iter().map(Bytes::len).sum();
    if bytes > limits.max_attachment_bytes {
        return Err(DecodeError::TooManyAttachments);
    }
    if has_placeholder && !attachments.is_empty() {
        // Data in the form of a placeholder would be taken for one.
        return Err(DecodeError::Placeholder);
    }
    let namespace = namespace.len();
    if text.len() == namespace && !matches!(kind, Kind::Connect | Kind::Disconnect) {
        return Err(DecodeError::Payload);
    }
    Packet::of_well_formed(kind, String::from_utf8(text).map_err(|_| DecodeError::Format)?, namespace, id, attachments)
}

/// Reads one value, of this length exactly: its JSON text, and the attachments that the placeholders in it name.
///
/// For what is no packet: any extension but those of the packages that servers write with is refused, and so is a value
/// too deep for some of them.
pub(crate) fn json_of_msgpack(bytes: &[u8]) -> Result<(String, Vec<Bytes>), DecodeError> {
    let mut reader = Reader { bytes, at: 0, memory: None };
    let mut json = Json::new(Vec::with_capacity(bytes.len() + bytes.len() / 4), Extensions::Refused, MAX_DEPTH);
    json.value(&mut reader)?;
    if reader.at < bytes.len() {
        return Err(DecodeError::Format);
    }
    if json.has_placeholder && !json.attachments.is_empty() {
        return Err(DecodeError::Placeholder);
    }
    Ok((String::from_utf8(json.text).map_err(|_| DecodeError::Format)?, json.attachments))
}

/// One value, or the start of a list or a map with so many entries.
enum Token<'a> {
    Nil,
    Undefined,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    /// Meant to be UTF-8.
    Text(&'a [u8]),
    Binary(Bytes),
    /// Milliseconds since 1970.
    Date(i64),
    Extension(i8, Bytes),
    List(u32),
    Map(u32),
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// What owns the bytes, if pieces of it may be kept; otherwise they are copied.
    memory: Option<&'a Bytes>,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let end = self.at.checked_add(length).ok_or(DecodeError::Format)?;
        let taken = self.bytes.get(self.at..end).ok_or(DecodeError::Format)?;
        self.at = end;
        Ok(taken)
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        self.take(N)?.try_into().map_err(|_| DecodeError::Format)
    }

    /// A length of one, two or four bytes.
    fn length(&mut self, bytes: usize) -> Result<u32, DecodeError> {
        Ok(self.take(bytes)?.iter().fold(0, |length, byte| length << 8 | u32::from(*byte)))
    }

    fn piece(&mut self, length: u32) -> Result<Bytes, DecodeError> {
        let piece = self.take(length as usize)?;
        Ok(self.memory.map_or_else(|| Bytes::copy_from_slice(piece), |memory| memory.slice_ref(piece)))
    }

    fn token(&mut self) -> Result<Token<'a>, DecodeError> {
        let [kind] = self.number()?;
        Ok(match kind {
            0x00..=0x7f => Token::Unsigned(kind.into()),
            0x80..=0x8f => Token::Map(u32::from(kind & 0x0f)),
            0x90..=0x9f => Token::List(u32::from(kind & 0x0f)),
            0xa0..=0xbf => Token::Text(self.take(usize::from(kind & 0x1f))?),
            0xc0 => Token::Nil,
            0xc1 => return Err(DecodeError::Format),
            0xc2 | 0xc3 => Token::Bool(kind == 0xc3),
            0xc4..=0xc6 => {
                let length = self.length(1 << (kind - 0xc4))?;
                Token::Binary(self.piece(length)?)
            }
            0xc7..=0xc9 => {
                let length = self.length(1 << (kind - 0xc7))?;
                match self.number().map(i8::from_be_bytes)? {
                    0 => Token::Binary(self.piece(length)?),
                    extension => Token::Extension(extension, self.piece(length)?),
                }
            }
            0xca => Token::Float(f32::from_be_bytes(self.number()?).into()),
            0xcb => Token::Float(f64::from_be_bytes(self.number()?)),
            0xcc => Token::Unsigned(u8::from_be_bytes(self.number()?).into()),
            0xcd => Token::Unsigned(u16::from_be_bytes(self.number()?).into()),
            0xce => Token::Unsigned(u32::from_be_bytes(self.number()?).into()),
            0xcf => Token::Unsigned(u64::from_be_bytes(self.number()?)),
            0xd0 => Token::Signed(i8::from_be_bytes(self.number()?).into()),
            0xd1 => Token::Signed(i16::from_be_bytes(self.number()?).into()),
            0xd2 => Token::Signed(i32::from_be_bytes(self.number()?).into()),
            0xd3 => Token::Signed(i64::from_be_bytes(self.number()?)),
            0xd4..=0xd8 => {
                let length = 1 << (kind - 0xd4);
                match (kind, self.number().map(i8::from_be_bytes)?) {
                    (0xd4, 0) => self.take(1).map(|_| Token::Undefined)?,
                    (0xd7, 0) => Token::Date(i64::from_be_bytes(self.number()?)),
                    (_, extension) => Token::Extension(extension, self.piece(length)?),
                }
            }
            0xd9..=0xdb => {
                let length = self.length(1 << (kind - 0xd9))?;
                Token::Text(self.take(length as usize)?)
            }
            0xdc | 0xdd => Token::List(self.length(2 << (kind - 0xdc))?),
            0xde | 0xdf => Token::Map(self.length(2 << (kind - 0xde))?),
            0xe0..=0xff => Token::Signed(i64::from(kind) - 256),
        })
    }

    /// Goes behind the next value.
    fn skip(&mut self) -> Result<(), DecodeError> {
        // Each value takes a byte, so a sum that is too large ends with the message.
        let mut missing: u64 = 1;
        while missing > 0 {
            missing -= 1;
            missing += match self.token()? {
                Token::List(length) => u64::from(length),
                Token::Map(length) => 2 * u64::from(length),
                _ => 0,
            };
        }
        Ok(())
    }

    /// Goes behind the next value if it is `undefined`.
    fn skip_undefined(&mut self) -> bool {
        let is_undefined = matches!(self.bytes.get(self.at..self.at + 3), Some([0xd4, 0, _]));
        if is_undefined {
            self.at += 3;
        }
        is_undefined
    }

    /// An integer from 0 on, however it is spelled; `None`: undefined.
    fn integer(mut self) -> Result<Option<u64>, DecodeError> {
        match self.token()? {
            Token::Undefined => Ok(None),
            Token::Unsigned(number) => Ok(Some(number)),
            Token::Float(number) if (0.0..MAX_EXACT).contains(&number) && number.fract() == 0.0 => Ok(Some(number as u64)),
            _ => Err(DecodeError::Id),
        }
    }
}

/// A list or a map that is still open. Small, because a hostile message opens one with every byte.
struct Open {
    missing: u32,
    is_map: bool,
    is_empty: bool,
}

/// What to do about an extension that stands for nothing known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extensions {
    /// Written as the packet parser of the reference shows it to applications. That one does not know the extension -1.
    Shown,
    /// An error. The extension -1 is a moment.
    Refused,
}

/// JSON text in the making.
struct Json {
    text: Vec<u8>,
    attachments: Vec<Bytes>,
    /// There is data in the form of a placeholder.
    has_placeholder: bool,
    extensions: Extensions,
    /// How many lists and maps may be open.
    max_depth: usize,
}

impl Json {
    fn new(text: Vec<u8>, extensions: Extensions, max_depth: usize) -> Self {
        Json { text, attachments: Vec::new(), has_placeholder: false, extensions, max_depth }
    }

    /// Writes the next value.
    fn value(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            match reader.token()? {
                Token::List(missing) => {
                    self.text.push(b'[');
                    open.push(Open { missing, is_map: false, is_empty: true });
                }
                Token::Map(missing) => {
                    self.text.push(b'{');
                    open.push(Open { missing, is_map: true, is_empty: true });
                }
                scalar => self.scalar(scalar)?,
            }
            if open.len() > self.max_depth {
                return Err(DecodeError::Format);
            }
            // On to the place of the next value, closing what is complete.
            loop {
                let Some(innermost) = open.last_mut() else { return Ok(()) };
                if innermost.missing == 0 {
                    self.text.push(if innermost.is_map { b'}' } else { b']' });
                    open.pop();
                    continue;
                }
                innermost.missing -= 1;
                let before = self.text.len();
                if !std::mem::take(&mut innermost.is_empty) {
                    self.text.push(b',');
                }
                if !innermost.is_map {
                    break;
                }
                self.key(reader)?;
                if !reader.skip_undefined() {
                    break;
                }
                // A key without a value is none, as in JSON.
                innermost.is_empty = self.text.get(before) != Some(&b',');
                self.text.truncate(before);
            }
        }
    }

    /// Writes a key, which JavaScript turns into text.
    fn key(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        match reader.token()? {
            Token::Text(b"_placeholder") => {
                self.has_placeholder = true;
                self.text.extend_from_slice(b"\"_placeholder\"");
            }
            Token::Text(text) => self.string(text),
            Token::Undefined => self.text.extend_from_slice(b"\"undefined\""),
            scalar @ (Token::Nil | Token::Bool(_) | Token::Unsigned(_) | Token::Signed(_) | Token::Float(_)) => {
                self.text.push(b'"');
                self.scalar(scalar)?;
                self.text.push(b'"');
            }
            _ => return Err(DecodeError::Format),
        }
        self.text.push(b':');
        Ok(())
    }

    fn scalar(&mut self, token: Token<'_>) -> Result<(), DecodeError> {
        match token {
            Token::Nil | Token::Undefined => self.text.extend_from_slice(b"null"),
            Token::Bool(value) => self.text.extend_from_slice(if value { b"true" } else { b"false" }),
            Token::Unsigned(number) => self.print(format_args!("{number}")),
            Token::Signed(number) => self.print(format_args!("{number}")),
            Token::Float(number) if number.fract() == 0.0 && number.abs() < MAX_EXACT => {
                self.print(format_args!("{}", number as i64));
            }
            // Prints what is no number as `null`.
            Token::Float(number) => self.serialize(&number),
            Token::Text(text) => self.string(text),
            Token::Date(time) => self.date(time),
            Token::Binary(bytes) => self.attach(bytes)?,
            Token::Extension(-1, bytes) if self.extensions == Extensions::Refused => self.date(moment(&bytes)?),
            Token::Extension(..) if self.extensions == Extensions::Refused => return Err(DecodeError::Format),
            Token::Extension(kind, bytes) => {
                self.print(format_args!("[{kind},"));
                self.attach(bytes)?;
                self.text.push(b']');
            }
            Token::List(_) | Token::Map(_) => return Err(DecodeError::Format),
        }
        Ok(())
    }

    fn attach(&mut self, bytes: Bytes) -> Result<(), DecodeError> {
        if self.attachments.len() >= MAX_PIECES {
            return Err(DecodeError::TooManyAttachments);
        }
        self.print(format_args!("{{\"_placeholder\":true,\"num\":{}}}", self.attachments.len()));
        self.attachments.push(bytes);
        Ok(())
    }

    fn string(&mut self, text: &[u8]) {
        self.serialize(&String::from_utf8_lossy(text));
    }

    fn serialize<T: serde::Serialize + ?Sized>(&mut self, value: &T) {
        serde_json::to_writer(&mut self.text, value).expect("invariant: a number or a text is JSON, and memory takes it");
    }

    fn print(&mut self, text: std::fmt::Arguments<'_>) {
        self.text.write_fmt(text).expect("invariant: memory takes it");
    }

    /// A date as `JSON.stringify` writes it.
    fn date(&mut self, time: i64) {
        const DAY: i64 = 24 * 3600 * 1000;
        if !(-MAX_DATE..=MAX_DATE).contains(&time) {
            return self.text.extend_from_slice(b"null");
        }
        let (year, month, day) = civil(time.div_euclid(DAY));
        let rest = time.rem_euclid(DAY);
        match year {
            0..=9999 => self.print(format_args!("\"{year:04}")),
            _ => self.print(format_args!("\"{year:+07}")),
        }
        let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60);
        self.print(format_args!("-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z\"", rest % 1000));
    }
}

/// The milliseconds since 1970 in an extension -1: seconds, seconds and nanoseconds in 64 bits, or both in 96.
fn moment(bytes: &[u8]) -> Result<i64, DecodeError> {
    let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let (seconds, nanoseconds) = match bytes {
        [_, _, _, _] => (number(bytes) as i64, 0),
        [_, _, _, _, _, _, _, _] => ((number(bytes) & ((1 << 34) - 1)) as i64, number(bytes) >> 34),
        [nanoseconds @ .., _, _, _, _, _, _, _, _] if nanoseconds.len() == 4 => (number(&bytes[4..]) as i64, number(nanoseconds)),
        _ => return Err(DecodeError::Format),
    };
    // Towards zero, as JavaScript does it. What is out of range gets further out of it.
    let milliseconds = (i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds)) / 1_000_000;
    Ok(i64::try_from(milliseconds).unwrap_or(i64::MAX))
}

/// Year, month and day of a day since 1970, in the Gregorian calendar. The algorithm is Howard Hinnant's `civil_from_days`.
fn civil(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year_of_era + era * 400 + next_year, month, day)
}
