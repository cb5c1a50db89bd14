//! `Spelling`: how the packets of this server are spelled. With the protocol's own spelling a packet is written and read in place;
//! with a [`Parser`] of another it is made into one and back.

use super::session::caught;
use crate::{
    engine::{Bundle, Frame, Message},
    parser::{DecodeError, Decoder, Encoded, Limits, Packet, PacketDecoder, Parser, Part, Parts},
};
use std::{fmt, sync::Arc};

/// What turns packets into messages. `None`: as the protocol says.
#[derive(Clone, Default)]
pub(crate) struct Spelling(Option<Arc<dyn Parser>>);

impl fmt::Debug for Spelling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Spelling(custom)" } else { "Spelling" })
    }
}

impl Spelling {
    pub(super) fn custom(parser: impl Parser) -> Self {
        Spelling(Some(Arc::new(parser)))
    }

    /// The frames of a packet, made once whatever the number of receivers.
    pub(crate) fn bundle(&self, encoded: Encoded) -> Bundle {
        let Some(parser) = &self.0 else {
            let rest = encoded.attachments.into_iter().map(Frame::binary).collect();
            return Bundle { first: Frame::message_behind(encoded.buffer, encoded.start), rest };
        };
        let Parts { first, rest } = parser.encode(&Packet::of_encoded(encoded));
        Bundle { first: frame(first), rest: rest.into_iter().map(frame).collect() }
    }

    /// What puts the packets of one connection together.
    pub(crate) fn decoder(&self, limits: Limits) -> SpellingDecoder {
        match &self.0 {
            None => SpellingDecoder::BuiltIn(Decoder::new(limits)),
            Some(parser) => SpellingDecoder::Custom(parser.decoder(limits)),
        }
    }
}

fn frame(part: Part) -> Frame {
    Frame::message(match part {
        Part::Text(text) => Message::Text(text),
        Part::Binary(bytes) => Message::Binary(bytes),
    })
}

/// One for each connection.
pub(crate) enum SpellingDecoder {
    BuiltIn(Decoder),
    Custom(Box<dyn PacketDecoder>),
}

impl SpellingDecoder {
    /// Takes a message; `None`: the packet has further parts.
    pub(crate) fn decode(&mut self, message: Message) -> Result<Option<Packet>, DecodeError> {
        match (self, message) {
            (SpellingDecoder::BuiltIn(decoder), Message::Text(text)) => decoder.text(text),
            (SpellingDecoder::BuiltIn(decoder), Message::Binary(bytes)) => decoder.binary(bytes),
            (SpellingDecoder::Custom(decoder), message) => {
                let part = match message {
                    Message::Text(text) => Part::Text(text),
                    Message::Binary(bytes) => Part::Binary(bytes),
                };
                // User code: its panic is the end of this connection, and of no other.
                caught(|| decoder.decode(part)).unwrap_or(Err(DecodeError::Format))
            }
        }
    }
}
