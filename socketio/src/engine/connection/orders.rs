//! What requests ask of a connection, and what its session orders in return.

use super::{Connection, FINISH_TIMEOUT, Link, Probe};
use crate::{
    engine::{
        proto::{Frame, Input, Message, Output, Packet, UNSENT_PONGS},
        transport::polling::{self, Answer, Command, Responder},
    },
    metrics::Measured,
};
use std::future::poll_fn;

impl Connection {
    pub(super) fn command(&mut self, command: Command) {
        // What the session has said so far comes first: its answer to this request is then the only thing it says.
        self.perform();
        let command = match command {
            // The last one is not answered yet: the two overlap.
            Command::PostStarted(responder) | Command::PostComplete(responder, _) if self.accepted_post.is_some() => {
                Command::PostUnacceptable(responder)
            }
            command => command,
        };
        let mut handle = |input| self.session.handle(input, self.now);
        match command {
            Command::Poll(responder) => {
                handle(Input::Poll);
                if let Some(responder) = self.perform_with(responder) {
                    self.poll = Some(responder);
                }
            }
            Command::PostStarted(responder) => {
                handle(Input::PostStarted);
                if let Some(responder) = self.perform_with(responder) {
                    self.post = Some(responder);
                }
            }
            Command::PostComplete(responder, body) => {
                handle(Input::PostStarted);
                if let Some(responder) = self.perform_with(responder) {
                    self.post = Some(responder);
                    self.session.handle(Input::Post(body), self.now);
                }
            }
            Command::PostAnswered(body) => {
                handle(Input::PostStarted);
                handle(Input::Post(body));
            }
            Command::PostUnacceptable(responder) => {
                handle(Input::PostUnacceptable);
                self.perform_with(responder);
            }
            Command::Post(body) => handle(Input::Post(body)),
            Command::PostDropped => {
                self.post = None;
                handle(Input::PostDropped);
            }
            Command::PostAborted => handle(Input::PostAborted),
            Command::PollAborted => {
                self.poll = None;
                handle(Input::PollAborted);
            }
            Command::WebSocket(opening) => {
                handle(Input::ProbeOpened);
                match self.session.poll() {
                    Some(Output::AcceptProbe) => self.probe = Some(Box::new(Probe::Opening(opening))),
                    _ => dismiss(Probe::Opening(opening)),
                }
            }
        }
        self.perform();
    }

    /// Carries out orders; a refusal among them goes to `arriving`, which is given back if there is none.
    fn perform_with(&mut self, arriving: Responder) -> Option<Responder> {
        let mut arriving = Some(arriving);
        while let Some(output) = self.session.poll() {
            match output {
                Output::RefusePoll | Output::RefusePost => {
                    if let Some(responder) = arriving.take() {
                        let _ = responder.send(Answer::Refused);
                    }
                }
                output => self.order(output),
            }
        }
        arriving
    }

    pub(super) fn perform(&mut self) {
        while let Some(output) = self.session.poll() {
            self.order(output);
        }
    }

    fn order(&mut self, output: Output) {
        match output {
            Output::Message(message) => {
                if self.handle.meter.is_on() {
                    let bytes = match &message {
                        Message::Text(text) => text.len(),
                        Message::Binary(bytes) => bytes.len(),
                    };
                    self.handle.meter.record(Measured::Received { transport: self.transport().as_str(), bytes });
                }
                self.inbox.push_back(message);
            }
            // Also a client that never fetches its pongs may ping on.
            Output::Send(Packet::Pong(_)) if self.control.iter().filter(|frame| frame.is_pong()).count() >= UNSENT_PONGS => {}
            Output::Send(packet) => self.control.push_back(Frame::control(&packet)),
            Output::AnswerPoll(packets) => {
                if let Some(responder) = self.poll.take() {
                    let frames: Vec<Frame> = packets.iter().map(Frame::control).collect();
                    polling::answer(responder, self.handle.revision, frames.iter());
                }
            }
            Output::AcceptPost => self.accepted_post = self.post.take(),
            Output::CutPost => self.post = None,
            Output::SendProbe(packet) => {
                if let Some(Probe::Open(websocket)) = self.probe.as_deref_mut() {
                    websocket.feed(Frame::control(&packet));
                }
            }
            Output::CloseProbe => {
                if let Some(probe) = self.probe.take() {
                    dismiss(*probe);
                }
            }
            Output::Upgraded => {
                if let Some(Probe::Open(websocket)) = self.probe.take().map(|probe| *probe) {
                    self.link = Link::WebSocket(websocket);
                    self.handle.set_upgraded();
                }
            }
            Output::Closed(reason) => {
                self.closed = Some(reason);
                self.handle.outbox.close();
                self.registration.end(reason);
                if let Link::WebSocket(websocket) = &mut self.link {
                    websocket.close();
                }
            }
            // These answer an arriving request and are taken where it arrives.
            Output::RefusePoll | Output::RefusePost | Output::AcceptProbe | Output::RefuseProbe => {}
        }
    }
}

/// Closes a WebSocket that is no transport (any more) without holding up its session. The task ends by itself.
pub(super) fn dismiss(probe: Probe) {
    let closing = async move {
        let mut websocket = match probe {
            Probe::Open(websocket) => websocket,
            Probe::Opening(mut opening) => match poll_fn(|cx| opening.poll(cx)).await {
                Some(websocket) => websocket,
                None => return,
            },
        };
        websocket.close();
        poll_fn(|cx| websocket.poll_finish(cx)).await;
    };
    tokio::spawn(tokio::time::timeout(FINISH_TIMEOUT, closing));
}
