//! `tests/vectors/websocket.txt` as bytes: what a client sends, and what a server that echoes answers. The integration tests
//! share it.
//!
//! A frame is `kind:payload`. Kinds: `text bin cont ping pong close`, and `op3` for an opcode by number. Flags behind the kind:
//! `-` not the last of its message, `/4` reserved bits, `!` not masked. `text~1300` is cut into fragments of 1300 bytes;
//! `raw` is no frame but bytes. The payload is a sum of `'literal'`, `x0aff` and `a*65536`.

/// What comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Pong(Vec<u8>),
    /// The close frame of the client, answered.
    Close(Vec<u8>),
    /// The client is told this code.
    Failed(u16),
}

/// One line.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) sent: Vec<u8>,
    pub(crate) answers: Vec<Answer>,
}

/// Reads the file.
pub(crate) fn cases(file: &str) -> Vec<Case> {
    let lines = file.lines().filter(|line| !line.is_empty() && !line.starts_with("//"));
    lines.map(|line| case(line).unwrap_or_else(|| panic!("not understood: {line}"))).collect()
}

fn case(line: &str) -> Option<Case> {
    let (sent, answers) = line.split_once("=>")?;
    let mut words = sent.split_whitespace();
    let name = words.next()?.to_owned();
    let sent = words.map(frames).collect::<Option<Vec<_>>>()?.concat();
    let answers = answers.split_whitespace().map(answer).collect::<Option<_>>()?;
    Some(Case { name, sent, answers })
}

fn answer(word: &str) -> Option<Answer> {
    let (kind, data) = word.split_once(':')?;
    Some(match kind {
        "text" => Answer::Text(payload(data)?),
        "bin" => Answer::Binary(payload(data)?),
        "pong" => Answer::Pong(payload(data)?),
        "close" => Answer::Close(payload(data)?),
        "fail" => Answer::Failed(data.parse().ok()?),
        _ => return None,
    })
}

fn payload(sum: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for part in sum.split('+').filter(|part| !part.is_empty()) {
        if let Some(literal) = part.strip_prefix('\'') {
            bytes.extend_from_slice(literal.strip_suffix('\'')?.as_bytes());
        } else if let Some((unit, count)) = part.split_once('*') {
            bytes.extend_from_slice(unit.repeat(count.parse().ok()?).as_bytes());
        } else {
            let digits = part.strip_prefix('x')?.as_bytes();
            for pair in digits.chunks(2) {
                bytes.push(u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?);
            }
        }
    }
    Some(bytes)
}

fn frames(word: &str) -> Option<Vec<u8>> {
    let (kind, data) = word.split_once(':')?;
    let data = payload(data)?;
    if kind == "raw" {
        return Some(data);
    }
    let name_end = kind.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(kind.len());
    let (name, flags) = kind.split_at(name_end);
    let opcode = match name {
        "cont" => 0,
        "text" => 1,
        "bin" => 2,
        "close" => 8,
        "ping" => 9,
        "pong" => 10,
        name => name.strip_prefix("op")?.parse().ok()?,
    };
    if let Some(size) = flags.strip_prefix('~') {
        let pieces: Vec<&[u8]> = data.chunks(size.parse().ok()?).collect();
        let fragments = pieces.iter().enumerate().map(|(at, piece)| {
            let last = if at + 1 == pieces.len() { 0x80 } else { 0 };
            frame(last | if at == 0 { opcode } else { 0 }, true, piece)
        });
        return Some(fragments.collect::<Vec<_>>().concat());
    }
    let reserved: u8 = flags.split_once('/').map_or(Some(0), |(_, bits)| bits.get(..1)?.parse().ok())?;
    let last = if flags.starts_with('-') { 0 } else { 0x80 };
    Some(frame(last | reserved << 4 | opcode, !flags.ends_with('!'), &data))
}

/// A frame of a client; its mask depends on what it masks, so that masks differ and runs do not.
pub(crate) fn frame(first: u8, masked: bool, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    let bit = if masked { 0x80 } else { 0 };
    match payload.len() {
        length @ ..126 => bytes.push(bit | length as u8),
        length @ ..0x1_0000 => {
            bytes.push(bit | 126);
            bytes.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            bytes.push(bit | 127);
            bytes.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    if !masked {
        bytes.extend_from_slice(payload);
        return bytes;
    }
    let mask = (payload.len() as u32).wrapping_mul(0x9e37_79b9).wrapping_add(first.into()).to_be_bytes();
    bytes.extend_from_slice(&mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}
