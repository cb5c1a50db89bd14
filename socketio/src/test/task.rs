//! The task of a client: keeps one GET hanging, posts what is queued in order, answers pings, runs the client's handlers.
//!
//! Dropping it is a client whose network died: the hanging GET goes with it, and the server notices.

use super::{
    event::{End, Event},
    link::{Batch, Link, Status},
    wire::{Open, Response, Wire, packets},
};
use crate::{
    contract::{AckData, BoxFuture, Handler, Incoming, Outcome},
    engine::proto::{Packet as EnginePacket, payload},
    extract::ConnectError,
    id::SocketId,
    parser::{Body, Kind, Limits, Packet, encode_ack},
    server::SpellingDecoder,
};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use http::{Method, StatusCode};
use serde_json::value::RawValue;
use std::{future::pending, sync::Arc};
use tokio::sync::oneshot;

pub(super) struct Task {
    link: Arc<Link>,
    wire: Arc<Wire>,
    session: Open,
    decoder: SpellingDecoder,
    handler: Option<Handler>,
    running: FuturesUnordered<BoxFuture<'static, (String, Option<u64>, Outcome)>>,
}

/// The session is over, however the task ended.
impl Drop for Task {
    fn drop(&mut self) {
        self.link.change(|state| state.close());
    }
}

impl Task {
    pub(super) fn new(link: Arc<Link>, wire: Arc<Wire>, session: Open, handler: Option<Handler>) -> Self {
        // What the server sends is what the test made it send: the limits of a browser have no place here.
        let decoder = link.spelling.decoder(Limits { max_attachments: usize::MAX, max_attachment_bytes: usize::MAX });
        Task { link, wire, session, decoder, handler, running: FuturesUnordered::new() }
    }

    pub(super) async fn run(mut self) {
        let link = Arc::clone(&self.link);
        let mut get = self.request(Method::GET, String::new());
        let mut post: Post = None;
        loop {
            if post.is_none() {
                let batch = link.next_batch(self.session.max_payload);
                post = batch.map(|Batch { body, done }| (self.request(Method::POST, body), done));
            }
            tokio::select! {
                biased;
                (answer, done) = posted(&mut post) => {
                    if answer.status != StatusCode::OK {
                        link.note(format!("(a POST was answered with {})", answer.status));
                        return;
                    }
                    for done in done {
                        // Who gave up waiting need not be told.
                        let _ = done.send(());
                    }
                }
                answer = &mut get => {
                    if !self.received(&answer) {
                        return;
                    }
                    get = self.request(Method::GET, String::new());
                }
                Some((name, id, outcome)) = self.running.next() => self.handled(&name, id, outcome),
                () = link.queued.notified(), if post.is_none() => {}
            }
        }
    }

    fn request(&self, method: Method, body: String) -> BoxFuture<'static, Response> {
        Box::pin(self.wire.request(method, Some(&self.session.sid), body))
    }

    /// Takes the answer to a GET. `false`: the session is over.
    fn received(&mut self, answer: &Response) -> bool {
        if answer.status != StatusCode::OK {
            return false;
        }
        for packet in payload::decode(&answer.body) {
            let packet = match packet {
                Ok(EnginePacket::Close) | Err(_) => return false,
                Ok(EnginePacket::Ping(_)) => {
                    drop(self.link.post(vec!["3".to_owned()]));
                    continue;
                }
                Ok(EnginePacket::Message(message)) => self.decoder.decode(message),
                Ok(_) => continue,
            };
            match packet {
                Ok(Some(packet)) => self.packet(packet),
                Ok(None) => {}
                Err(error) => {
                    self.link.fail(format!("the server sent what is no packet: {error}"));
                    return false;
                }
            }
        }
        true
    }

    fn packet(&mut self, packet: Packet) {
        if packet.namespace() != self.link.path {
            return;
        }
        match packet.kind() {
            Kind::Connect => {
                let id = serde_json::from_str(packet.payload()).ok().map(|Joined { sid }| sid);
                self.link.change(|state| (state.id, state.status) = (id, Status::Connected));
            }
            Kind::ConnectError => {
                let error = connect_error(packet.payload());
                self.link.change(|state| state.status = Status::Refused(error));
            }
            Kind::Disconnect => {
                self.link.change(|state| state.end(End::ByServer));
                // Like the JavaScript client, whose connection ends with its last namespace.
                drop(self.link.post(vec!["1".to_owned()]));
            }
            Kind::Event => self.event(packet),
            Kind::Ack => {
                let Some(id) = packet.id() else { return };
                let (text, payload, attachments) = packet.into_parts();
                self.link.acknowledged(id, AckData::new(text, payload, attachments));
            }
        }
    }

    fn event(&mut self, packet: Packet) {
        let Some(event) = Incoming::new(packet) else { return };
        let connected = self.link.change(|state| {
            let connected = matches!(state.status, Status::Connected);
            if connected {
                state.record(Event(event.clone()));
            }
            connected
        });
        if let (true, Some(handler)) = (connected, &self.handler) {
            let (name, id) = (event.name().to_owned(), event.ack_id());
            let outcome = handler(event);
            self.running.push(Box::pin(async move { (name, id, outcome.await) }));
        }
    }

    /// A handler has ended.
    fn handled(&self, name: &str, id: Option<u64>, outcome: Outcome) {
        let answer = match outcome {
            Outcome::Done(body) => Some(body.unwrap_or_else(Body::empty)),
            Outcome::Answered => None,
            Outcome::Unanswerable(error) => {
                self.link.fail(format!("the handler's answer to `{name}` was not sent: {error}"));
                None
            }
            Outcome::Rejected(rejection) => {
                self.link.fail(format!("the handler failed: {rejection}"));
                None
            }
            Outcome::RejectedWith(rejection, body) => {
                self.link.fail(format!("the handler failed: {rejection}"));
                Some(body)
            }
            Outcome::Unhandled(_) => {
                self.link.note(format!("(the contract has no event `{name}`)"));
                None
            }
        };
        if let (Some(id), Some(body)) = (id, answer) {
            drop(self.link.post(packets(&self.link.spelling, encode_ack(&self.link.path, id, body))));
        }
    }
}

/// A POST in flight, and who is to be told.
type Post = Option<(BoxFuture<'static, Response>, Vec<oneshot::Sender<()>>)>;

/// Waits for the POST, if there is one, and takes it out.
async fn posted(post: &mut Post) -> (Response, Vec<oneshot::Sender<()>>) {
    let Some((request, _)) = post else { return pending().await };
    let answer = request.await;
    (answer, post.take().map(|(_, done)| done).unwrap_or_default())
}

/// The payload of the answer to CONNECT.
#[derive(serde::Deserialize)]
struct Joined {
    sid: SocketId,
}

fn connect_error(json: &str) -> ConnectError {
    #[derive(serde::Deserialize)]
    struct Refusal<'a> {
        message: String,
        #[serde(borrow)]
        data: Option<&'a RawValue>,
    }
    match serde_json::from_str::<Refusal<'_>>(json) {
        Ok(Refusal { message, data: Some(data) }) => ConnectError::new(message).with_data(data),
        Ok(Refusal { message, data: None }) => ConnectError::new(message),
        Err(_) => ConnectError::new(json),
    }
}
