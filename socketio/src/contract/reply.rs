//! A peer's acknowledgement: its data, its errors, and how it is decoded into the type that the contract names.
//!
//! Only the first argument counts, as in `emitWithAck` of the reference; a missing one reads as `null`.
//! Not here: our own acknowledgements; see `outcome`.

use super::{Ack, BoxFuture, RawArgs, rejection::without_payload};
use crate::{
    parser::{trim_space, with_attachments},
    text::Text,
};
use bytes::Bytes;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// The arguments of an acknowledgement, still encoded: what `ask_raw` and `ask_body` give.
///
/// ```
/// # use socketio::{SocketIo, namespace, test::Client};
/// # #[namespace("/pair")] trait Pair { #[event] async fn pair(&self) -> (u32, String); }
/// # struct Session;
/// # impl Pair for Session { async fn pair(&self) -> (u32, String) { (1, "one".to_owned()) } }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let io = SocketIo::builder().shared::<dyn Pair>(Session).build();
/// # let client = Client::<dyn Pair>::connect(&io).await.unwrap();
/// let answer = client.call_raw("pair", ()).await.unwrap();
/// assert_eq!(answer.json(), r#"[[1,"one"]]"#);
/// assert_eq!(answer.raw_args().get::<(u32, String)>(0), Ok((1, "one".to_owned())));
/// # });
/// ```
#[derive(Clone)]
pub struct AckData {
    text: Text,
    payload: usize,
    attachments: Vec<Bytes>,
}

impl AckData {
    pub(crate) fn new(text: Text, payload: usize, attachments: Vec<Bytes>) -> Self {
        AckData { text, payload, attachments }
    }

    /// The JSON array of the arguments; empty if the peer sent a packet without a payload.
    pub fn json(&self) -> &str {
        &self.text[self.payload..]
    }

    /// The attachments that the placeholders in the JSON name.
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }

    /// The arguments, whatever their types.
    pub fn raw_args(&self) -> RawArgs<'_> {
        RawArgs::new("", self.values(), &self.attachments)
    }

    /// What follows the opening bracket.
    fn values(&self) -> &str {
        trim_space(self.json()).strip_prefix('[').unwrap_or_default()
    }

    /// Decodes the first argument, and hands it on while the attachments are at hand.
    fn first<'a, T: Deserialize<'a>, R>(
        &'a self,
        then: impl FnOnce(T) -> Result<R, serde_json::Error>,
    ) -> Result<R, serde_json::Error> {
        let decode = || match self.values() {
            values if trim_space(values).starts_with(']') => serde_json::from_str("null"),
            values => serde_json::Deserializer::from_str(values).into_iter().next().unwrap_or_else(|| serde_json::from_str("null")),
        };
        let run = || decode().and_then(then);
        if self.attachments.is_empty() { run() } else { with_attachments(&mut self.attachments.clone(), run) }
    }
}

impl fmt::Debug for AckData {
    /// Shows the size, never the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AckData").field("json_bytes", &self.json().len()).field("attachments", &self.attachments.len()).finish()
    }
}

/// Decodes an acknowledgement.
pub type Decode<T, E> = fn(&AckData) -> Result<T, CallError<E>>;

/// Why a call to the peer gave no value. `E` is the error type of the event; an event without one cannot be rejected.
///
/// ```
/// # use socketio::{SocketIo, namespace, test::Client};
/// use socketio::CallError;
///
/// #[namespace("/half")]
/// trait Half {
///     #[event]
///     async fn half(&self, number: i32) -> Result<i32, String>;
/// }
/// # struct Session;
/// # impl Half for Session {
/// #     async fn half(&self, number: i32) -> Result<i32, String> {
/// #         if number % 2 == 0 { Ok(number / 2) } else { Err("odd".to_owned()) }
/// #     }
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let io = SocketIo::builder().shared::<dyn Half>(Session).build();
/// # let client = Client::<dyn Half>::connect(&io).await.unwrap();
/// assert_eq!(client.emit().half(4).await, Ok(2));
/// assert_eq!(client.emit().half(3).await, Err(CallError::Rejected("odd".to_owned())));
/// # });
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallError<E = Infallible> {
    /// The error of the event's own contract, in full: the peer's handler returned it, or the event was
    /// [rejected](crate::Rejection) before or after it and `E: From<Rejection>` says so. No [`Rejection`](crate::Rejection) by
    /// itself, unless that is `E`.
    Rejected(E),
    /// No acknowledgement arrived in time.
    Timeout,
    /// The socket was disconnected, before or after the call.
    Disconnected,
    /// The acknowledgement does not have the type that the contract names.
    Decode(String),
    /// An argument could not be serialized; nothing was sent.
    Encode(String),
}

impl<E: fmt::Debug> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallError::Rejected(error) => write!(f, "rejected by the peer: {error:?}"),
            CallError::Timeout => f.write_str("no acknowledgement in time"),
            CallError::Disconnected => f.write_str("disconnected"),
            CallError::Decode(error) => write!(f, "unexpected acknowledgement: {error}"),
            CallError::Encode(error) => write!(f, "an argument cannot be serialized: {error}"),
        }
    }
}

impl<E: fmt::Debug> std::error::Error for CallError<E> {}

/// The server's acknowledgement, for a client. The event was sent, or queued, when the emitter's method was called; awaiting
/// only waits, as long as the client was told to.
///
/// # Cancel safety
/// Dropping it gives up the acknowledgement, not the event.
///
/// ```
/// # use socketio::{CallError, SocketIo, namespace, test::Client};
/// #[namespace("/")]
/// trait Main {
///     #[event]
///     async fn half(&self, number: u32) -> Result<u32, String>;
/// }
/// # struct Session;
/// # impl Main for Session {
/// #     async fn half(&self, number: u32) -> Result<u32, String> {
/// #         if number % 2 == 0 { Ok(number / 2) } else { Err("odd".into()) }
/// #     }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let io = SocketIo::builder().shared::<dyn Main>(Session).build();
/// # let client = Client::<dyn Main>::connect(&io).await.unwrap();
/// // Both are on their way before the first is waited for.
/// let (four, three) = (client.emit().half(4), client.emit().half(3));
/// assert_eq!(four.await, Ok(2));
/// assert_eq!(three.await, Err(CallError::Rejected("odd".into())));
/// # }
/// ```
pub struct Answer<T, E = Infallible>(BoxFuture<'static, Result<T, CallError<E>>>);

impl<T, E> Answer<T, E> {
    pub(crate) fn new(answer: impl Future<Output = Result<T, CallError<E>>> + Send + 'static) -> Self {
        Answer(Box::pin(answer))
    }
}

impl<T, E> fmt::Debug for Answer<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").finish_non_exhaustive()
    }
}

impl<T, E> Future for Answer<T, E> {
    type Output = Result<T, CallError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

/// Decodes an acknowledgement of one value.
///
/// # Errors
/// The value has another type.
pub fn decode_value<T: DeserializeOwned, E>(data: &AckData) -> Result<T, CallError<E>> {
    data.first(Ok).map_err(decode_error)
}

/// Decodes an acknowledgement without a value; arguments are ignored.
///
/// # Errors
/// None; the signature is that of its siblings.
pub fn decode_empty<E>(_: &AckData) -> Result<Ack, CallError<E>> {
    Ok(Ack)
}

/// Decodes `{ ok: true, data }` or `{ ok: false, error }`. A missing `data` or `error` reads as `null`, further fields are ignored.
///
/// # Errors
/// The peer answered with an error, or with something of another shape.
pub fn decode_result<T: DeserializeOwned, E: DeserializeOwned>(data: &AckData) -> Result<T, CallError<E>> {
    /// Kept as text until `ok` is known, because the fields come in any order.
    #[derive(Deserialize)]
    struct Envelope<'a> {
        ok: bool,
        #[serde(borrow)]
        data: Option<&'a RawValue>,
        #[serde(borrow)]
        error: Option<&'a RawValue>,
    }
    fn text(field: Option<&RawValue>) -> &str {
        field.map_or("null", RawValue::get)
    }
    let reply = data.first(|envelope: Envelope<'_>| {
        if envelope.ok {
            serde_json::from_str(text(envelope.data)).map(Ok)
        } else {
            serde_json::from_str(text(envelope.error)).map(Err)
        }
    });
    reply.map_err(decode_error)?.map_err(CallError::Rejected)
}

fn decode_error<E>(error: serde_json::Error) -> CallError<E> {
    CallError::Decode(without_payload(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parser::Binary;

    fn data(text: &str, attachments: &[&'static str]) -> AckData {
        let attachments = attachments.iter().map(|bytes| Bytes::from_static(bytes.as_bytes())).collect();
        AckData::new(format!("31{text}").into(), 2, attachments)
    }

    #[test]
    fn values() {
        let check = |json: &str, expected: Result<Option<u32>, &str>| {
            let expected = expected.map_err(|error| CallError::<Infallible>::Decode(error.into()));
            assert_eq!(decode_value(&data(json, &[])), expected, "{json}");
        };
        check("[1]", Ok(Some(1)));
        check("[1,2]", Ok(Some(1)));
        check("[ 1 ]", Ok(Some(1)));
        check("[null]", Ok(None));
        check("[]", Ok(None));
        check("[ ]", Ok(None));
        check("", Ok(None));
        check(r#"["secret"]"#, Err("invalid type: expected u32"));
        assert_eq!(decode_empty::<Infallible>(&data("[1]", &[])), Ok(Ack));
        let binary = decode_value::<(u8, Binary), Infallible>(&data(r#"[[7,{"_placeholder":true,"num":0}]]"#, &["a"]));
        assert_eq!(binary, Ok((7, Binary::from("a"))));
    }

    #[test]
    fn results() {
        let check = |json: &str, expected: Result<Option<u32>, CallError<String>>| {
            assert_eq!(decode_result(&data(json, &[])), expected, "{json}");
        };
        check(r#"[{"ok":true,"data":1}]"#, Ok(Some(1)));
        check(r#"[{"data":1,"more":[1,{}],"ok":true}]"#, Ok(Some(1)));
        check(r#"[{"ok":true}]"#, Ok(None));
        check(r#"[{"ok":true,"data":null}]"#, Ok(None));
        check(r#"[{"ok":false,"error":"no"}]"#, Err(CallError::Rejected("no".into())));
        check(r#"[{"ok":false}]"#, Err(CallError::Decode("invalid type: expected a string".into())));
        check(r#"[{"data":1}]"#, Err(CallError::Decode("missing field `ok`".into())));
        check(r#"["x"]"#, Err(CallError::Decode("invalid type: expected struct Envelope".into())));
        check("[]", Err(CallError::Decode("invalid type: expected struct Envelope".into())));
        let binary = data(r#"[{"ok":true,"data":{"_placeholder":true,"num":1}}]"#, &["a", "b"]);
        assert_eq!(decode_result::<Binary, String>(&binary), Ok(Binary::from("b")));
        let rejected = data(r#"[{"ok":false,"error":[{"_placeholder":true,"num":0}]}]"#, &["a"]);
        assert_eq!(decode_result::<u8, Vec<Binary>>(&rejected), Err(CallError::Rejected(vec![Binary::from("a")])));
    }

    #[test]
    fn any_arguments() {
        let ack = data(r#"[1,{"_placeholder":true,"num":0}]"#, &["a"]);
        assert_eq!(ack.raw_args().len(), 2);
        assert_eq!(ack.raw_args().to_body().attachments().len(), 1);
        assert!(data("[]", &[]).raw_args().is_empty());
        assert_eq!(data("", &[]).raw_args().json(), "[]");
    }
}
