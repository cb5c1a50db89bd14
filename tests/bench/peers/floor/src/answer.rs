//! The answers, found by matching bytes, and frames.

/// What an Engine.IO packet asks for. Parts are sent one behind the other.
pub(crate) enum Action<'a> {
    Nothing,
    Answer([&'a [u8]; 4]),
    Join([&'a [u8]; 4]),
    /// The JSON of the data.
    Broadcast(&'a [u8]),
}

pub(crate) fn act(packet: &[u8]) -> Action<'_> {
    let (kind, rest): (&[u8], &[u8]) = match packet {
        [b'4', b'0', namespace @ ..] => return Action::Answer([b"40", namespace, br#"{"sid":"abcdefghijklmnopqrst"}"#, b""]),
        [b'4', b'2', rest @ ..] => (b"43", rest),
        [b'4', b'5', b'1', b'-', rest @ ..] => (b"461-", rest),
        _ => return Action::Nothing,
    };
    // The namespace and the id.
    let Some(start) = rest.iter().position(|byte| *byte == b'[') else { return Action::Nothing };
    let (head, event) = rest.split_at(start);
    let argument = |name: &[u8]| event.strip_prefix(b"[\"")?.strip_prefix(name)?.strip_prefix(b"\",");
    if let Some(value) = argument(b"echo").or_else(|| argument(b"echob")) {
        Action::Answer([kind, head, b"[", value])
    } else if argument(b"join").is_some() {
        Action::Join([kind, head, b"[]", b""])
    } else if let Some(message) = argument(b"broadcast").and_then(|message| message.strip_prefix(b"{\"data\":")) {
        let end = message.windows(9).rposition(|end| end == br#","room":""#);
        Action::Broadcast(&message[..end.unwrap_or(message.len())])
    } else {
        Action::Nothing
    }
}

/// Frames, one behind the other.
#[derive(Default)]
pub(crate) struct Frames(pub(crate) Vec<u8>);

impl Frames {
    pub(crate) fn text(&mut self, parts: &[&[u8]]) {
        self.write(1, parts);
    }

    pub(crate) fn write(&mut self, opcode: u8, parts: &[&[u8]]) {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        self.0.push(0x80 | opcode);
        match length {
            0..126 => self.0.push(length as u8),
            126..0x1_0000 => {
                self.0.push(126);
                self.0.extend_from_slice(&(length as u16).to_be_bytes());
            }
            _ => {
                self.0.push(127);
                self.0.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        for part in parts {
            self.0.extend_from_slice(part);
        }
    }
}

/// Unmasks the frame in front, if it is whole: its opcode, and where its payload starts and ends.
pub(crate) fn unmask(bytes: &mut [u8]) -> Option<(u8, usize, usize)> {
    let (header, length) = match bytes.get(1)? & 0x7f {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
        length => (2, usize::from(length)),
    };
    let (start, end) = (header + 4, header + 4 + length);
    let key: [u8; 4] = bytes.get(header..start)?.try_into().ok()?;
    let payload = bytes.get_mut(start..end)?;
    let wide = u64::from_ne_bytes([key[0], key[1], key[2], key[3], key[0], key[1], key[2], key[3]]);
    let (chunks, rest) = payload.as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
    Some((bytes[0] & 15, start, end))
}
