//! Identifiers: `SessionId` (Engine.IO, a secret) and `SocketId` (Socket.IO, public).
//!
//! Both are exactly 20 characters of base64url: clients of the reference see the same shape, and a sharded Node cluster
//! routes by that length. Where the random bytes come from is not here: see `server` and `engine`.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{
    fmt,
    hash::{BuildHasherDefault, Hasher},
    str::FromStr,
};

/// Number of characters of an id on the wire.
pub(crate) const ID_LENGTH: usize = 20;

/// The longest mark of a server: with it, a session id still has 96 random bits.
#[cfg(feature = "server")]
pub(crate) const MAX_MARK: usize = 4;

/// Whether ids may begin with it.
#[cfg(feature = "server")]
pub(crate) fn is_mark(text: &str) -> bool {
    text.len() <= MAX_MARK && text.bytes().all(|byte| is_legal(&byte))
}

/// The text is not an id: an id is exactly 20 characters of the base64url alphabet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is {ID_LENGTH} characters of base64url")]
pub struct InvalidId;

fn encode(random: [u8; 15]) -> [u8; ID_LENGTH] {
    let mut text = [0; ID_LENGTH];
    URL_SAFE_NO_PAD.encode_slice(random, &mut text).expect("invariant: 15 bytes are 20 characters of base64url");
    text
}

fn parse(text: &str) -> Result<[u8; ID_LENGTH], InvalidId> {
    let bytes: [u8; ID_LENGTH] = text.as_bytes().try_into().map_err(|_| InvalidId)?;
    if bytes.iter().all(is_legal) { Ok(bytes) } else { Err(InvalidId) }
}

/// A character of base64url.
fn is_legal(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn as_str(bytes: &[u8; ID_LENGTH]) -> &str {
    std::str::from_utf8(bytes).expect("invariant: an id is ASCII")
}

/// The Engine.IO session id (`sid`). Whoever knows it can speak for the session, so it is a secret: it leaves the process
/// in the handshake body only, and `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId([u8; ID_LENGTH]);

impl SessionId {
    /// Builds an id from 15 random bytes, which the caller takes from a cryptographic source.
    pub fn from_random(random: [u8; 15]) -> Self {
        SessionId(encode(random))
    }

    /// The same, beginning with the mark of the server that gives it out: at most [`MAX_MARK`] characters of the alphabet.
    #[cfg(feature = "server")]
    pub(crate) fn marked(mark: &str, random: [u8; 15]) -> Self {
        let mut id = encode(random);
        let length = mark.len().min(MAX_MARK);
        id[..length].copy_from_slice(&mark.as_bytes()[..length]);
        SessionId(id)
    }

    /// The secret itself. Never log it.
    pub fn expose(&self) -> &str {
        as_str(&self.0)
    }
}

impl FromStr for SessionId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        parse(text).map(SessionId)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(secret)")
    }
}

/// The public id of one socket: one client in one namespace. Unrelated to the Engine.IO session id.
///
/// ```
/// use socketio::{Room, SocketId};
///
/// let id: SocketId = "dGhlIHNvY2tldCBpZHNz".parse()?;
/// assert_eq!(id.as_str(), "dGhlIHNvY2tldCBpZHNz");
/// assert_eq!(Room::from(id).as_str(), id.as_str(), "every socket is in the room of its id");
/// assert!("too short".parse::<SocketId>().is_err());
/// # Ok::<(), socketio::InvalidId>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId([u8; ID_LENGTH]);

impl SocketId {
    /// Builds an id from 15 random bytes.
    pub fn from_random(random: [u8; 15]) -> Self {
        SocketId(encode(random))
    }

    /// The id that a client of Socket.IO 1 or 2 takes for its own: that of its session, which thereby is no secret any more.
    #[cfg(feature = "server")]
    pub(crate) fn of_session(session: SessionId) -> Self {
        SocketId(session.0)
    }

    /// The id as it stands on the wire.
    pub fn as_str(&self) -> &str {
        as_str(&self.0)
    }
}

impl FromStr for SocketId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        parse(text).map(SocketId)
    }
}

impl fmt::Debug for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SocketId({})", self.as_str())
    }
}

impl fmt::Display for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for SocketId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for SocketId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for SocketId {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SocketId".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

/// Hashes what is random or small already: socket ids and slot numbers, which a client can guess at best, but not choose.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct QuickHasher(u64);

impl Hasher for QuickHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
}

/// Makes maps quick whose keys nobody can choose.
pub(crate) type Quick = BuildHasherDefault<QuickHasher>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_twenty_characters_and_parse_back() {
        let id = SocketId::from_random([0xfb; 15]);
        assert_eq!(id.as_str().len(), ID_LENGTH);
        assert_eq!(id.as_str().parse(), Ok(id));
        assert_eq!("short".parse::<SocketId>(), Err(InvalidId));
        assert_eq!("12345678901234567+==".parse::<SessionId>(), Err(InvalidId));
    }

    #[cfg(feature = "server")]
    #[test]
    fn a_marked_id_is_an_id_and_random_behind_its_mark() {
        let [one, two] = [[1; 15], [2; 15]].map(|random| SessionId::marked("n0_", random));
        assert_eq!((&one.expose()[..3], one.expose().parse()), ("n0_", Ok(one)));
        assert_ne!(one.expose()[MAX_MARK..], two.expose()[MAX_MARK..]);
        assert_eq!(SessionId::marked("", [1; 15]), SessionId::from_random([1; 15]));
        let judged = ["", "n0_", "a-Z9", "n0.", "five5", "é"].map(is_mark);
        assert_eq!(judged, [true, true, true, false, false, false]);
    }

    #[test]
    fn a_session_id_does_not_show_in_debug_output() {
        let id = SessionId::from_random([7; 15]);
        assert!(!format!("{id:?}").contains(id.expose()));
    }
}
