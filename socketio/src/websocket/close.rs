//! The payload of a close frame. Spec: RFC 6455, sections 5.5.1 and 7.4.

use super::reader::Error;

/// Checks what a peer closes with: nothing, or a code that may travel and a reason in UTF-8.
pub(super) fn check(payload: &[u8]) -> Result<(), Error> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return if payload.is_empty() { Ok(()) } else { Err(Error::Protocol) };
    };
    // The set of the reference: what RFC 6455 and its registry assign, without the codes that never travel.
    if !matches!(u16::from_be_bytes(*code), 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Error::Protocol);
    }
    std::str::from_utf8(reason).map(drop).map_err(|_| Error::Utf8)
}
