//! `Name`: what users and rooms are called, checked where it comes in.

use crate::contract::{ChatError, LoginError};
use std::{fmt, ops::Deref};

/// A checked name: not empty, not too long, no control characters, no space around it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// Why a text is not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// There are no visible characters.
    #[error("a name must not be empty")]
    Empty,
    /// There are more than [`Name::MAX_CHARS`] characters.
    #[error("a name has at most {} characters", Name::MAX_CHARS)]
    TooLong,
    /// There are control characters.
    #[error("a name is plain text")]
    Malformed,
}

impl Name {
    /// The greatest number of characters.
    pub const MAX_CHARS: u32 = 24;

    /// Checks a text, and removes the space around it.
    ///
    /// # Errors
    /// It is not a name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.chars().nth(Self::MAX_CHARS as usize).is_some() {
            return Err(NameError::TooLong);
        }
        if text.contains(char::is_control) {
            return Err(NameError::Malformed);
        }
        Ok(Name(text.to_owned()))
    }
}

impl Deref for Name {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<NameError> for ChatError {
    fn from(error: NameError) -> Self {
        ChatError::Invalid { reason: error.to_string() }
    }
}

impl From<NameError> for LoginError {
    fn from(error: NameError) -> Self {
        match error {
            NameError::Empty => LoginError::NameEmpty,
            NameError::TooLong => LoginError::NameTooLong { limit: Name::MAX_CHARS },
            NameError::Malformed => LoginError::NameMalformed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_checked() {
        let check = |text: &str, expected: Result<&str, NameError>| {
            assert_eq!(Name::parse(text).as_deref(), expected.as_ref().copied(), "{text:?}");
        };
        check("Ann", Ok("Ann"));
        check("  Ann Lee ", Ok("Ann Lee"));
        check("", Err(NameError::Empty));
        check(" \n", Err(NameError::Empty));
        check("a\nb", Err(NameError::Malformed));
        check(&"é".repeat(24), Ok(&"é".repeat(24)));
        check(&"a".repeat(25), Err(NameError::TooLong));
    }
}
