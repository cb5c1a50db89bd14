//! Contracts at work: events as hand-made packets into `Serve::dispatch`, callers into a target that records.

use super::{
    Ack, AckData, AckRequested, BoxFuture, CallError, Decode, Events, Incoming, Namespace, NoEvents, Outcome, RawArgs, Rejection,
    RejectionKind, Serve, Target, ack_none,
};
use crate::{
    describe::{AckSpec, ArgKind, Describe, EventSpec},
    parser::{Binary, Body, Decoder, EncodeError},
    reason::DisconnectReason,
};
use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use socketio_macros::{events, namespace};
use std::{
    borrow::Cow,
    cell::RefCell,
    convert::Infallible,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

mod callers;
mod dispatching;
mod edges;
mod hooks;

/// Runs a handler that never waits.
fn finish<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the handlers of these tests never wait"),
    }
}

/// An event as it arrives, such as `21["join","lobby"]`.
fn incoming(packet: &str, attachments: &[&'static [u8]]) -> Incoming {
    let mut decoder = Decoder::default();
    let text = crate::text::Text::from(packet.to_owned());
    let mut decoded = decoder.text(text).expect("the packets of these tests decode");
    for attachment in attachments {
        decoded = decoder.binary(Bytes::from_static(attachment)).expect("the attachments of these tests decode");
    }
    Incoming::new(decoded.expect("a complete packet")).expect("an event")
}

/// What dispatching gave: the acknowledgement as JSON, or what happened instead.
fn shown(outcome: Outcome) -> String {
    match outcome {
        Outcome::Done(Some(body)) => body.json().to_owned(),
        Outcome::Done(None) => "[]".to_owned(),
        Outcome::Unanswerable(error) => format!("unanswerable: {error}"),
        Outcome::Answered => "answered".to_owned(),
        Outcome::Rejected(rejection) => format!("{:?}: {rejection}", rejection.kind()),
        Outcome::RejectedWith(_, body) => body.json().to_owned(),
        Outcome::Unhandled(event) => format!("unhandled: {}", event.name()),
    }
}

/// Dispatches one packet and checks the acknowledgement.
#[track_caller]
fn check<N: Serve<H> + ?Sized, H>(handler: &Arc<H>, packet: &str, expected: &str) {
    assert_eq!(shown(finish(N::dispatch(handler, incoming(packet, &[])))), expected, "for {packet}");
}

/// A target that keeps the last event and answers every question with `answer`.
#[derive(Debug, Default)]
struct Recorder {
    last: RefCell<String>,
    answer: &'static str,
}

impl Recorder {
    fn answering(answer: &'static str) -> Self {
        Recorder { last: RefCell::default(), answer }
    }

    fn record(&self, event: Result<Body, EncodeError>) {
        *self.last.borrow_mut() = match event {
            Ok(body) if body.is_volatile() => format!("volatile {}", body.json()),
            Ok(body) => body.json().to_owned(),
            Err(error) => error.to_string(),
        };
    }
}

impl Target for &Recorder {
    type Sent = String;
    type Reply<T: Send + 'static, E: Send + 'static> = (String, Result<T, CallError<E>>);

    fn send(&self, event: Result<Body, EncodeError>) -> String {
        self.record(event);
        self.last.borrow().clone()
    }

    fn ask<T: Send + 'static, E: Send + 'static>(
        &self,
        event: Result<Body, EncodeError>,
        decode: Decode<T, E>,
    ) -> Self::Reply<T, E> {
        self.record(event);
        let data = AckData::new(crate::text::Text::from(self.answer.to_owned()), 0, Vec::new());
        (self.last.borrow().clone(), decode(&data))
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Point {
    x: u8,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Message<'a> {
    #[serde(borrow)]
    text: Cow<'a, str>,
}

/// An error that can say why an event did not reach its handler.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
enum ChatError {
    Full,
    Invalid(String),
}

impl From<Rejection> for ChatError {
    fn from(rejection: Rejection) -> Self {
        ChatError::Invalid(rejection.message().to_owned())
    }
}

/// An error that cannot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Refused;
