//! `Link`: one Engine.IO session with its transports and its one timer, pulled by the client's task.
//!
//! ```text
//! Manager --frames--> queue --> POST, or WebSocket          GET, or WebSocket --> ClientSession --> Manager
//! ```
//!
//! Dropping it drops its connections. Not here: what the protocol says (`engine::proto`), and how requests are made
//! (`transport`).

use super::{
    manager::{ConnectError, End},
    transport::{Answer, Dialer, Wire},
};
use crate::{
    engine::{
        Frame, Message, Transport,
        proto::{
            client::{ClientSession, Input, Output, Path},
            payload,
        },
        transport::websocket::{Received, WebSocket},
    },
    reason::DisconnectReason,
};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep_until};

/// A GET or a POST under way, and the connection that it leaves for the next one.
type Exchange = BoxFuture<'static, (Result<Answer, ConnectError>, Option<Wire>)>;

/// How a session begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beginning {
    pub(super) transport: Transport,
    /// Whether polling is left for a WebSocket.
    pub(super) upgrade: bool,
    /// How long the handshake may take.
    pub(super) timeout: Duration,
}

/// What the session has to say.
#[derive(Debug)]
pub(super) enum Event {
    Opened,
    Message(Message),
    /// The session is over; [`Link::poll_finish`] says goodbye.
    Closed(End, Option<ConnectError>),
}

enum Socket {
    None,
    Opening(BoxFuture<'static, Result<WebSocket, ConnectError>>),
    Open(Open),
}

/// A WebSocket, and what its last read brought.
struct Open {
    websocket: WebSocket,
    received: VecDeque<Received>,
}

impl Open {
    fn new(websocket: WebSocket) -> Self {
        Open { websocket, received: VecDeque::new() }
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        loop {
            if let Some(received) = self.received.pop_front() {
                return Poll::Ready(received);
            }
            ready!(self.websocket.poll_receive(cx, |received| self.received.push_back(received)));
        }
    }
}

pub(super) struct Link {
    dialer: Arc<Dialer>,
    session: ClientSession,
    sid: Option<String>,
    max_post_bytes: Option<usize>,
    get: Option<Exchange>,
    post: Option<Exchange>,
    /// Connections that are not in use: one for GETs and one for POSTs.
    idle: Vec<Wire>,
    /// The session's WebSocket, and the one that is to become it.
    websocket: Socket,
    probe: Socket,
    control: VecDeque<Frame>,
    /// Filled by the owner when it is empty.
    pub(super) queue: VecDeque<Frame>,
    timer: Pin<Box<Sleep>>,
    opened: bool,
    failure: Option<ConnectError>,
}

impl Link {
    pub(super) fn new(dialer: Arc<Dialer>, beginning: Beginning) -> Self {
        let now = Instant::now();
        let (session, websocket) = match beginning.transport {
            Transport::Polling => (ClientSession::polling(beginning.upgrade, beginning.timeout, now.into_std()), Socket::None),
            Transport::WebSocket => {
                let opening = Arc::clone(&dialer).websocket(None);
                (ClientSession::websocket(beginning.timeout, now.into_std()), Socket::Opening(Box::pin(opening)))
            }
        };
        Link {
            dialer,
            session,
            sid: None,
            max_post_bytes: None,
            get: None,
            post: None,
            idle: Vec::new(),
            websocket,
            probe: Socket::None,
            control: VecDeque::new(),
            queue: VecDeque::new(),
            timer: Box::pin(sleep_until(now)),
            opened: false,
            failure: None,
        }
    }

    /// Ends the session once everything queued is sent.
    pub(super) fn close(&mut self) {
        self.session.handle(Input::Close, Instant::now().into_std());
    }

    /// Whether something that was taken has not been sent.
    pub(super) fn is_busy(&self) -> bool {
        !self.queue.is_empty() || self.post.is_some() || self.session.path() == Path::Hold
    }

    /// What happens next. With `reading` off nothing is taken from the server, whose heartbeat then does not count.
    pub(super) fn poll_event(&mut self, cx: &mut Context<'_>, reading: bool) -> Poll<Event> {
        loop {
            while let Some(output) = self.session.poll() {
                if let Some(event) = self.order(output) {
                    return Poll::Ready(event);
                }
            }
            if self.session.is_closed() {
                return Poll::Pending;
            }
            let now = Instant::now().into_std();
            let input =
                self.poll_requests(cx, reading).or_else(|| self.poll_websocket(cx, reading)).or_else(|| self.poll_probe(cx));
            if let Some(input) = input {
                self.session.handle(input, now);
                continue;
            }
            if let Some(input) = self.write(cx) {
                self.session.handle(input, now);
                continue;
            }
            if let Some(deadline) = self.session.deadline().filter(|_| reading || !self.opened) {
                let deadline = Instant::from_std(deadline);
                if self.timer.deadline() != deadline {
                    self.timer.as_mut().reset(deadline);
                }
                if self.timer.as_mut().poll(cx).is_ready() {
                    self.session.handle(Input::Tick, Instant::now().into_std());
                    continue;
                }
            }
            return Poll::Pending;
        }
    }

    /// Says goodbye after [`Event::Closed`]: what is written is written, and the closing handshake of a WebSocket is made.
    pub(super) fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Socket::Open(open) = &mut self.websocket {
            return open.websocket.poll_finish(cx);
        }
        match &mut self.post {
            Some(farewell) => farewell.as_mut().poll(cx).map(drop),
            None => Poll::Ready(()),
        }
    }

    fn order(&mut self, output: Output) -> Option<Event> {
        match output {
            Output::Opened(open) => {
                self.opened = true;
                self.sid = Some(open.sid().to_owned());
                self.max_post_bytes = open.max_payload_bytes();
                Some(Event::Opened)
            }
            Output::Message(message) => Some(Event::Message(message)),
            Output::Get => {
                let wire = self.idle.pop();
                self.get = Some(self.exchange(wire, None));
                None
            }
            Output::Send(packet) => {
                self.control.push_back(Frame::control(&packet));
                None
            }
            Output::OpenProbe => {
                self.probe = Socket::Opening(Box::pin(Arc::clone(&self.dialer).websocket(self.sid.clone())));
                None
            }
            Output::SendProbe(packet) => {
                if let Socket::Open(probe) = &mut self.probe {
                    // A probe that is lost shows when it is read from.
                    probe.websocket.feed(Frame::control(&packet));
                }
                None
            }
            Output::CloseProbe => {
                self.probe = Socket::None;
                None
            }
            Output::Upgraded => {
                self.websocket = std::mem::replace(&mut self.probe, Socket::None);
                self.idle.clear();
                None
            }
            Output::Closed(reason) => Some(self.closed(reason)),
        }
    }

    fn closed(&mut self, reason: DisconnectReason) -> Event {
        (self.get, self.probe) = (None, Socket::None);
        match &mut self.websocket {
            Socket::Open(open) => open.websocket.close(),
            // Everything else has been posted by then. Without our own wish to close there is no farewell.
            Socket::None if reason == DisconnectReason::ForcedClose && self.post.is_none() && !self.control.is_empty() => {
                self.start_post()
            }
            _ => self.websocket = Socket::None,
        }
        let failure = self.failure.take();
        let error = match (self.opened, failure, reason) {
            (_, Some(failure), _) => Some(failure),
            (true, None, _) => None,
            (false, None, DisconnectReason::PingTimeout) => Some(ConnectError::Timeout),
            (false, None, DisconnectReason::ParseError) => Some(ConnectError::Protocol("the answer is no handshake".to_owned())),
            // Some servers refuse a WebSocket only once it is open, with an HTTP answer instead of a frame.
            (false, None, DisconnectReason::TransportError) => Some(ConnectError::Protocol("a broken WebSocket frame".to_owned())),
            (false, None, _) => Some(ConnectError::Network("the connection was closed".to_owned())),
        };
        let end = match reason {
            DisconnectReason::PingTimeout => End::PingTimeout,
            DisconnectReason::ParseError => End::ParseError,
            DisconnectReason::TransportClose => End::TransportClose,
            DisconnectReason::ForcedClose => End::ByClient,
            _ => End::TransportError,
        };
        Event::Closed(end, error)
    }

    fn exchange(&self, wire: Option<Wire>, post: Option<Bytes>) -> Exchange {
        Box::pin(Arc::clone(&self.dialer).poll(wire, self.sid.clone(), post))
    }

    fn poll_requests(&mut self, cx: &mut Context<'_>, reading: bool) -> Option<Input> {
        if let Some(post) = &mut self.post
            && let Poll::Ready((answer, wire)) = post.as_mut().poll(cx)
        {
            self.post = None;
            self.idle.extend(wire);
            return Some(match answer.and_then(Answer::text) {
                Ok(_) => Input::Posted,
                Err(error) => self.failed(error),
            });
        }
        if let Some(get) = &mut self.get
            && reading
            && let Poll::Ready((answer, wire)) = get.as_mut().poll(cx)
        {
            self.get = None;
            self.idle.extend(wire);
            return Some(match answer.and_then(Answer::text) {
                Ok(text) => Input::Payload(text),
                Err(error) => self.failed(error),
            });
        }
        None
    }

    fn failed(&mut self, error: ConnectError) -> Input {
        self.failure = Some(error);
        Input::RequestFailed
    }

    fn poll_websocket(&mut self, cx: &mut Context<'_>, reading: bool) -> Option<Input> {
        match &mut self.websocket {
            Socket::None => None,
            Socket::Opening(opening) => match opening.as_mut().poll(cx) {
                Poll::Pending => None,
                Poll::Ready(Ok(websocket)) => {
                    self.websocket = Socket::Open(Open::new(websocket));
                    self.poll_websocket(cx, reading)
                }
                Poll::Ready(Err(error)) => {
                    (self.websocket, self.failure) = (Socket::None, Some(error));
                    Some(Input::TransportFailed)
                }
            },
            Socket::Open(open) if reading => match open.poll_receive(cx) {
                Poll::Pending => None,
                Poll::Ready(Received::Packet(packet)) => Some(Input::Packet(packet)),
                Poll::Ready(Received::Closed) => Some(Input::TransportClosed),
                Poll::Ready(Received::Failed) => Some(Input::TransportFailed),
            },
            Socket::Open(_) => None,
        }
    }

    fn poll_probe(&mut self, cx: &mut Context<'_>) -> Option<Input> {
        match &mut self.probe {
            Socket::None => None,
            Socket::Opening(opening) => match opening.as_mut().poll(cx) {
                Poll::Pending => None,
                Poll::Ready(Ok(websocket)) => {
                    self.probe = Socket::Open(Open::new(websocket));
                    Some(Input::ProbeOpened)
                }
                Poll::Ready(Err(error)) => {
                    tracing::debug!(%error, "the upgrade failed: the client goes on polling");
                    self.probe = Socket::None;
                    Some(Input::ProbeClosed)
                }
            },
            Socket::Open(probe) => {
                if let Poll::Ready(false) = probe.websocket.poll_send(cx, || None) {
                    self.probe = Socket::None;
                    return Some(Input::ProbeClosed);
                }
                match probe.poll_receive(cx) {
                    Poll::Pending => None,
                    Poll::Ready(Received::Packet(packet)) => Some(Input::ProbePacket(packet)),
                    Poll::Ready(Received::Closed | Received::Failed) => {
                        self.probe = Socket::None;
                        Some(Input::ProbeClosed)
                    }
                }
            }
        }
    }

    /// Sends what may be sent.
    fn write(&mut self, cx: &mut Context<'_>) -> Option<Input> {
        match self.session.path() {
            Path::Hold => None,
            Path::Post if self.control.is_empty() && self.queue.is_empty() => self.session.is_closing().then_some(Input::Drained),
            Path::Post => {
                self.start_post();
                Some(Input::PostStarted)
            }
            Path::WebSocket => self.write_websocket(cx),
        }
    }

    /// Posts what the server takes in one go, and at least one frame.
    fn start_post(&mut self) {
        let limit = self.max_post_bytes.unwrap_or(usize::MAX);
        let mut frames: Vec<Frame> = self.control.drain(..).collect();
        let mut length: usize = frames.iter().map(Frame::payload_length).map(|length| length + 1).sum();
        while let Some(frame) = self.queue.front() {
            length += frame.payload_length() + 1;
            if length > limit.saturating_add(1) && !frames.is_empty() {
                break;
            }
            frames.extend(self.queue.pop_front());
        }
        let body = payload::encode(frames.iter());
        let wire = self.idle.pop();
        self.post = Some(self.exchange(wire, Some(body)));
    }

    fn write_websocket(&mut self, cx: &mut Context<'_>) -> Option<Input> {
        let Socket::Open(open) = &mut self.websocket else { return None };
        match open.websocket.poll_send(cx, || self.control.pop_front().or_else(|| self.queue.pop_front())) {
            Poll::Ready(false) => Some(Input::TransportClosed),
            Poll::Ready(true) if self.queue.is_empty() && self.session.is_closing() => Some(Input::Drained),
            _ => None,
        }
    }
}
