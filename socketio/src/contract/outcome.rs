//! What came of dispatching one event, and how a handler's return value becomes an acknowledgement.
//!
//! Nothing is serialized if the peer asked for no acknowledgement.
//! Not here: the peer's acknowledgements; see `reply`.

use super::{Incoming, Rejection};
use crate::parser::{Body, BodyWriter, EncodeError};
use serde::Serialize;

/// Result of dispatching one event: what a hand-written [`Service`](crate::Service) returns.
///
/// ```
/// use socketio::{Body, Incoming, Outcome, RawArgs, Rejection};
///
/// fn handle(event: Incoming) -> Outcome {
///     if let Err(malformed) = event.validate() {
///         return Outcome::Rejected(malformed);
///     }
///     match event.name() {
///         "echo" => Outcome::Done(Some(event.raw_args().to_body())),
///         "quiet" => Outcome::Done(None),
///         _ => Outcome::Unhandled(event),
///     }
/// }
/// # let packet = |text: &str| socketio::parser::Decoder::default().text(text.into()).unwrap().unwrap();
/// # let event = |text| Incoming::new(packet(text)).unwrap();
/// assert!(matches!(handle(event(r#"21["echo",1]"#)), Outcome::Done(Some(body)) if body.json() == "[1]"));
/// assert!(matches!(handle(event(r#"2["shout"]"#)), Outcome::Unhandled(_)));
/// assert!(matches!(handle(event(r#"2["quiet","#)), Outcome::Rejected(_)));
/// ```
#[derive(Debug)]
pub enum Outcome {
    /// The handler ran. The body acknowledges the event if the peer asked for it; `None`: with no arguments.
    Done(Option<Body>),
    /// The handler has acknowledged the event itself.
    Answered,
    /// The handler ran, but its answer cannot be serialized.
    Unanswerable(EncodeError),
    /// The event did not reach the handler.
    Rejected(Rejection),
    /// The event did not reach the handler, or its answer is lost, and this acknowledgement says why. Boxed, because every
    /// outcome is moved through the dispatch, and has the size of the largest.
    RejectedWith(Box<Rejection>, Body),
    /// No such event.
    Unhandled(Incoming),
}

/// The event is refused; who sent it is told if its contract can say so.
impl From<Rejection> for Outcome {
    fn from(rejection: Rejection) -> Self {
        Outcome::Rejected(rejection)
    }
}

/// An acknowledgement without arguments.
pub fn ack_none() -> Outcome {
    Outcome::Done(None)
}

/// An acknowledgement with one argument.
pub fn ack_value<T: Serialize + ?Sized>(event: &Incoming, value: &T) -> Outcome {
    body(event, |writer| writer.arg(value))
}

/// An acknowledgement whose arguments are the elements of a tuple or a sequence; see [`Body::ack`].
pub fn ack_args<T: Serialize + ?Sized>(event: &Incoming, values: &T) -> Outcome {
    body(event, |writer| writer.args(values))
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

fn body(event: &Incoming, write: impl FnOnce(&mut BodyWriter)) -> Outcome {
    if event.ack_id().is_none() {
        return Outcome::Done(None);
    }
    let mut writer = BodyWriter::ack();
    write(&mut writer);
    writer.finish().map_or_else(Outcome::Unanswerable, |body| Outcome::Done(Some(body)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parser::{Binary, Decoder};

    fn event(text: &str) -> Incoming {
        let packet = Decoder::default().text(text.into()).expect("a packet").expect("without attachments");
        Incoming::new(packet).expect("an event")
    }

    fn json(outcome: Outcome) -> Option<String> {
        match outcome {
            Outcome::Done(body) => body.map(|body| body.json().to_owned()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn acknowledgements() {
        let asked = event(r#"21["a"]"#);
        assert_eq!(json(ack_none()), None);
        assert_eq!(json(ack_value(&asked, "x")).as_deref(), Some(r#"["x"]"#));
        assert_eq!(json(ack_args(&asked, &(1, "x"))).as_deref(), Some(r#"[1,"x"]"#));
        assert_eq!(json(ack_args(&asked, &())).as_deref(), Some("[]"));
        assert_eq!(
            json(ack_ok(&asked, &Binary::default())).as_deref(),
            Some(r#"[{"ok":true,"data":{"_placeholder":true,"num":0}}]"#)
        );
        assert_eq!(json(ack_ok(&asked, &())).as_deref(), Some(r#"[{"ok":true,"data":null}]"#));
        assert_eq!(json(ack_err(&asked, "no")).as_deref(), Some(r#"[{"ok":false,"error":"no"}]"#));
    }

    #[test]
    fn nobody_asked() {
        assert_eq!(json(ack_value(&event(r#"2["a"]"#), "x")), None);
    }

    #[test]
    fn what_json_cannot_say() {
        let map = std::collections::BTreeMap::from([((1, 2), 3)]);
        assert!(matches!(ack_value(&event(r#"21["a"]"#), &map), Outcome::Unanswerable(_)));
    }
}
