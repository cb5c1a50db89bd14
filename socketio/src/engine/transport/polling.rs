//! Long polling as the connection's task sees it: requests come as commands and are answered through a one-shot channel.

use super::websocket::Opening;
use crate::{
    engine::proto::{Frame, Payload, Revision},
    text::Text,
};
use tokio::sync::oneshot;

/// The answer to one polling request.
#[derive(Debug)]
pub(crate) enum Answer {
    /// 200 with a payload, and whether any of it wants to be compressed.
    Payload { payload: Payload, compress: bool },
    /// 200 `ok`.
    Accepted,
    /// 400, empty.
    Refused,
}

pub(crate) type Responder = oneshot::Sender<Answer>;

/// What HTTP requests want of a session.
#[derive(Debug)]
pub(crate) enum Command {
    Poll(Responder),
    PollAborted,
    PostStarted(Responder),
    PostUnacceptable(Responder),
    Post(Text),
    /// A POST whose body arrived with it.
    PostComplete(Responder, Text),
    /// The same, and it has been answered.
    PostAnswered(Text),
    PostDropped,
    PostAborted,
    /// A WebSocket with this session's id is about to open.
    WebSocket(Opening),
}

/// Answers a hanging GET with these frames. `false`: the client has gone.
pub(crate) fn answer<'a>(responder: Responder, revision: Revision, frames: impl Iterator<Item = &'a Frame> + Clone) -> bool {
    let compress = frames.clone().any(|frame| frame.compress);
    responder.send(Answer::Payload { payload: revision.encode_payload(frames), compress }).is_ok()
}
