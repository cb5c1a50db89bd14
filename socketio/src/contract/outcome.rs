//! What came of dispatching one event, and how a handler's return value becomes an acknowledgement.

use super::{Incoming, Rejection};
use crate::parser::{Body, BodyWriter, EncodeError};
use serde::Serialize;

/// Result of dispatching one event.
#[derive(Debug)]
pub enum Outcome {
    /// The handler ran. The body acknowledges the event if the peer asked for it; `None`: with no arguments.
    Done(Option<Body>),
    /// The handler ran, but its answer cannot be serialized.
    Unanswerable(EncodeError),
    /// The event did not reach the handler.
    Rejected(Rejection),
    /// No such event.
    Unhandled(Incoming),
}

fn body(event: &Incoming, write: impl FnOnce(&mut BodyWriter)) -> Outcome {
    if event.ack_id().is_none() {
        return Outcome::Done(None);
    }
    let mut writer = BodyWriter::ack();
    write(&mut writer);
    writer.finish().map_or_else(Outcome::Unanswerable, |body| Outcome::Done(Some(body)))
}

/// An acknowledgement without arguments.
pub fn ack_none() -> Outcome {
    Outcome::Done(None)
}

/// An acknowledgement with one argument.
pub fn ack_value<T: Serialize + ?Sized>(event: &Incoming, value: &T) -> Outcome {
    body(event, |writer| writer.arg(value))
}

/// `{ ok: true, data }`.
pub fn ack_ok<T: Serialize + ?Sized>(event: &Incoming, value: &T) -> Outcome {
    body(event, |writer| {
        writer.raw("{\"ok\":true,\"data\":");
        writer.put(value);
        writer.raw("}");
    })
}

/// `{ ok: false, error }`.
pub fn ack_err<E: Serialize + ?Sized>(event: &Incoming, value: &E) -> Outcome {
    body(event, |writer| {
        writer.raw("{\"ok\":false,\"error\":");
        writer.put(value);
        writer.raw("}");
    })
}
