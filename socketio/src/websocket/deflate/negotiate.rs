//! The handshake of the extension: offers as they are written, and the answer to the first that suits.
//!
//! Spec: RFC 6455, section 9.1 (the header), and RFC 7692, sections 5 and 7.1 (the parameters).

use super::{Agreed, MAX_WINDOW_BITS, MIN_WINDOW_BITS, PerMessageDeflate};
use std::{fmt::Write as _, iter::Peekable, str::Chars};

const NAME: &str = "permessage-deflate";
/// The smallest window that can be spoken of.
const SMALLEST_WINDOW_BITS: u8 = 8;

/// The header does not follow its grammar: the handshake is to be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// One offer of this extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Offer {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    /// The client can be told a window; and perhaps the one that it will not go beyond.
    client_max_window_bits: Option<Option<u8>>,
}

/// What is offered in the lines of `Sec-WebSocket-Extensions`, in the order of preference. Other extensions are passed over,
/// and so are offers with parameters that are unknown, given twice or out of range. Spec: section 7.1.
///
/// # Errors
/// A line does not follow the grammar of RFC 6455.
pub(crate) fn offers<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Vec<Offer>, Malformed> {
    let mut offers = Vec::new();
    for line in lines {
        let mut words = Words(line.chars().peekable());
        loop {
            words.blanks();
            // An empty element of a list is nothing. Spec: RFC 9110, section 5.6.1.
            if words.take(',') {
                continue;
            }
            if words.at_end() {
                break;
            }
            offers.extend(words.extension()?);
            if !words.take(',') && !words.at_end() {
                return Err(Malformed);
            }
        }
    }
    Ok(offers)
}

/// Takes the first offer that suits, and says what the client is answered. With `contexts` false, there is no memory for any.
pub(crate) fn agree(offers: &[Offer], settings: &PerMessageDeflate, contexts: bool) -> Option<(Agreed, String)> {
    offers.iter().find_map(|offer| offer.accept(settings, contexts))
}

impl Offer {
    fn accept(&self, settings: &PerMessageDeflate, contexts: bool) -> Option<(Agreed, String)> {
        let server_window_bits = self.server_max_window_bits.unwrap_or(MAX_WINDOW_BITS).min(settings.server_window_bits);
        // A window of 256 bytes cannot be promised: what compresses has none so small.
        if server_window_bits < MIN_WINDOW_BITS {
            return None;
        }
        let client_window_bits = match self.client_max_window_bits {
            Some(promised) => promised.unwrap_or(MAX_WINDOW_BITS).min(settings.client_window_bits),
            None if settings.client_window_bits < MAX_WINDOW_BITS => return None,
            None => MAX_WINDOW_BITS,
        };
        let agreed = Agreed {
            server_context: contexts && settings.server_context && !self.server_no_context_takeover,
            client_context: contexts && settings.client_context && !self.client_no_context_takeover,
            server_window_bits,
            client_window_bits,
        };
        let mut answer = NAME.to_owned();
        if !agreed.server_context {
            answer.push_str("; server_no_context_takeover");
        }
        if !agreed.client_context {
            answer.push_str("; client_no_context_takeover");
        }
        if self.server_max_window_bits.is_some() || server_window_bits < MAX_WINDOW_BITS {
            write_bits(&mut answer, "server", server_window_bits);
        }
        if client_window_bits < MAX_WINDOW_BITS {
            write_bits(&mut answer, "client", client_window_bits);
        }
        Some((agreed, answer))
    }

    /// Takes a parameter. `None`: it makes the offer invalid.
    fn parameter(&mut self, name: &str, value: Option<&str>) -> Option<()> {
        fn once(flag: &mut bool, value: Option<&str>) -> Option<()> {
            (value.is_none() && !std::mem::replace(flag, true)).then_some(())
        }
        match name {
            "server_no_context_takeover" => once(&mut self.server_no_context_takeover, value),
            "client_no_context_takeover" => once(&mut self.client_no_context_takeover, value),
            "server_max_window_bits" if self.server_max_window_bits.is_none() => {
                self.server_max_window_bits = Some(window_bits(value?)?);
                Some(())
            }
            "client_max_window_bits" if self.client_max_window_bits.is_none() => {
                self.client_max_window_bits = Some(match value {
                    Some(value) => Some(window_bits(value)?),
                    None => None,
                });
                Some(())
            }
            _ => None,
        }
    }
}

fn write_bits(answer: &mut String, side: &str, bits: u8) {
    write!(answer, "; {side}_max_window_bits={bits}").expect("invariant: a String takes all text");
}

/// A decimal number from 8 to 15, without zeros in front. Spec: section 7.1.2.
fn window_bits(value: &str) -> Option<u8> {
    let digits = matches!(value.as_bytes(), [b'8' | b'9'] | [b'1', b'0'..=b'9']);
    let bits = value.parse().ok().filter(|_| digits)?;
    (SMALLEST_WINDOW_BITS..=MAX_WINDOW_BITS).contains(&bits).then_some(bits)
}

/// Reads the header word by word.
struct Words<'a>(Peekable<Chars<'a>>);

impl Words<'_> {
    /// One extension with its parameters: an offer, if it is this one and valid.
    fn extension(&mut self) -> Result<Option<Offer>, Malformed> {
        let mut offer = (self.token()? == NAME).then(Offer::default);
        self.blanks();
        while self.take(';') {
            self.blanks();
            let name = self.token()?;
            self.blanks();
            let value = if self.take('=') {
                self.blanks();
                Some(self.value()?)
            } else {
                None
            };
            self.blanks();
            offer = offer.and_then(|mut offer| offer.parameter(&name, value.as_deref()).map(|()| offer));
        }
        Ok(offer)
    }

    fn token(&mut self) -> Result<String, Malformed> {
        let mut token = String::new();
        while let Some(c) = self.0.next_if(|c| is_token(*c)) {
            token.push(c);
        }
        if token.is_empty() { Err(Malformed) } else { Ok(token) }
    }

    /// A token, or one in quotes. Spec: RFC 6455, section 9.1.
    fn value(&mut self) -> Result<String, Malformed> {
        if !self.take('"') {
            return self.token();
        }
        let mut value = String::new();
        loop {
            match self.0.next() {
                Some('"') if !value.is_empty() => return Ok(value),
                Some('\\') => value.push(self.0.next_if(|c| is_token(*c)).ok_or(Malformed)?),
                Some(c) if is_token(c) => value.push(c),
                _ => return Err(Malformed),
            }
        }
    }

    fn blanks(&mut self) {
        while self.0.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
    }

    fn take(&mut self, c: char) -> bool {
        self.0.next_if_eq(&c).is_some()
    }

    fn at_end(&mut self) -> bool {
        self.0.peek().is_none()
    }
}

/// Spec: RFC 9110, section 5.6.2.
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}
