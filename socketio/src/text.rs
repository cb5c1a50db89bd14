//! `Text`: immutable, shared, valid UTF-8. One packet's text is checked once and then sliced by reference count.
//!
//! Not here: any knowledge of what the text says; see `engine::proto` and `parser`.

use bytes::Bytes;
use bytestring::ByteString;
use std::{fmt, ops::Deref, ops::Range};

/// A cheaply cloned, immutable UTF-8 string backed by [`Bytes`].
///
/// ```
/// use socketio::Text;
///
/// let text = Text::from("42[\"say\",\"hi\"]");
/// let payload = text.slice(2..text.len()); // the same memory
/// assert_eq!(payload.as_str(), "[\"say\",\"hi\"]");
/// assert_eq!(Text::from_utf8(payload.clone().into_bytes()), Ok(payload));
/// assert_eq!(Text::from_static("2").len(), 1);
/// assert!(Text::from_utf8(vec![0xff].into()).is_err());
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text(ByteString);

impl Text {
    /// Wraps a string literal without allocating.
    pub const fn from_static(text: &'static str) -> Self {
        Text(ByteString::from_static(text))
    }

    /// Checks the bytes and takes them over without copying.
    ///
    /// # Errors
    /// The bytes are not valid UTF-8.
    pub fn from_utf8(bytes: Bytes) -> Result<Self, std::str::Utf8Error> {
        ByteString::try_from(bytes).map(Text)
    }

    /// The text as a string slice.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The shared bytes of this text.
    pub fn into_bytes(self) -> Bytes {
        self.0.into_bytes()
    }

    /// A part of this text that shares its memory.
    ///
    /// # Panics
    /// The range is out of bounds or not on character boundaries.
    pub fn slice(&self, range: Range<usize>) -> Text {
        Text(self.0.slice_ref(&self.0[range]))
    }
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Text(ByteString::from(text))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Text(ByteString::from(text))
    }
}
