//! Sending: from the outbox to the current path, all that is there in one go.

use super::{Connection, Link};
use crate::{
    engine::{
        outbox::Readiness,
        proto::{Frame, Input, Path},
        transport::{deflate::Compressed, polling},
    },
    metrics::Measured,
};
use std::{
    collections::VecDeque,
    task::{Context, Poll},
};

/// An emptied queue that has grown beyond this gives its memory back.
const KEPT_QUEUE: usize = 64;

const HELD_BACK: Readiness = Readiness { blocked: true, writable: false, polls_may_wait: false, posts_are_welcome: false };

impl Connection {
    /// Sends what may be sent. Returns whether something is held back, and whether more could leave at once.
    pub(super) fn write(&mut self, cx: &mut Context<'_>) -> Readiness {
        let congested = self.congested;
        self.progressed = false;
        let written = self.write_path(cx);
        self.measure();
        if congested && self.reading && self.progressed {
            // The client reads, if slowly, and its pong waits behind what is not read from it: the wait starts again.
            self.session.handle(Input::Suspended(true), self.now);
            self.session.handle(Input::Suspended(false), self.now);
        }
        written
    }

    /// Says what was handed to the transport.
    fn measure(&mut self) {
        let (packets, bytes) = std::mem::take(&mut self.sent);
        if packets > 0 {
            self.handle.meter.record(Measured::Sent { transport: self.transport().as_str(), packets, bytes });
            self.handle.meter.record_queue();
        }
        if let Link::WebSocket(websocket) = &mut self.link
            && let Some(Compressed { messages, bytes, sent }) = websocket.compressed()
        {
            self.handle.meter.record(Measured::Compressed { messages, bytes, sent });
        }
    }

    fn write_path(&mut self, cx: &mut Context<'_>) -> Readiness {
        match self.session.path() {
            Path::Hold => {
                self.congested = self.handle.outbox.is_congested();
                // What waits, and what else there is to do for a GET, makes the next one urgent.
                let polls_may_wait = self.session.is_resting() && self.control.is_empty() && self.queue.is_empty();
                Readiness { polls_may_wait, ..HELD_BACK }
            }
            Path::Poll => self.write_poll(),
            Path::WebSocket => self.write_websocket(cx),
        }
    }

    fn write_poll(&mut self) -> Readiness {
        self.congested = self.handle.outbox.take(&mut self.queue, &mut self.handed_on);
        if self.control.is_empty() && self.queue.is_empty() {
            if self.session.is_closing() {
                self.session.handle(Input::Drained, self.now);
            }
            return Readiness { writable: true, ..Readiness::default() };
        }
        if let Some(responder) = self.poll.take() {
            // A GET whose client has gone ends the session, as in the reference.
            if !polling::answer(responder, self.handle.revision, self.control.iter().chain(self.queue.iter())) {
                self.session.handle(Input::PollAborted, self.now);
                return HELD_BACK;
            }
        }
        for frame in self.control.iter().chain(&self.queue) {
            self.sent = (self.sent.0 + 1, self.sent.1 + frame.size());
        }
        self.control.clear();
        self.handed_on += self.queue.iter().map(Frame::cost).sum::<usize>();
        self.queue.clear();
        self.congested = self.handle.outbox.take(&mut self.queue, &mut self.handed_on);
        self.session.handle(Input::PollAnswered, self.now);
        HELD_BACK
    }

    fn write_websocket(&mut self, cx: &mut Context<'_>) -> Readiness {
        let Link::WebSocket(websocket) = &mut self.link else { return HELD_BACK };
        if self.closed.is_some() {
            return HELD_BACK;
        }
        let mut wrote = false;
        let sent = loop {
            // What the transport has taken no longer waits, though the rest of the queue does.
            self.congested = self.handle.outbox.take(&mut self.queue, &mut self.handed_on);
            if wrote && self.control.is_empty() && self.queue.is_empty() {
                break Poll::Ready(true);
            }
            let mut any = false;
            let sent = websocket.poll_send(cx, || {
                let frame = self.control.pop_front().or_else(|| {
                    let frame = self.queue.pop_front();
                    self.handed_on += frame.as_ref().map_or(0, Frame::cost);
                    frame
                });
                if let Some(frame) = &frame {
                    any = true;
                    self.sent = (self.sent.0 + 1, self.sent.1 + frame.size());
                }
                frame
            });
            self.progressed |= any;
            if !any || sent != Poll::Ready(true) {
                break sent;
            }
            wrote = true;
        };
        if self.handed_on > 0 {
            self.congested = self.handle.outbox.take(&mut self.queue, &mut self.handed_on);
        }
        if self.queue.is_empty() && self.queue.capacity() > KEPT_QUEUE {
            self.queue = VecDeque::new();
        }
        if self.control.is_empty() {
            // A heartbeat is too seldom to keep room for it.
            self.control = VecDeque::new();
        }
        let flushed = sent == Poll::Ready(true);
        let held_back = !self.queue.is_empty() || !self.control.is_empty();
        if sent == Poll::Ready(false) {
            self.session.handle(Input::TransportClosed, self.now);
        } else if flushed && !held_back && self.session.is_closing() {
            self.session.handle(Input::Drained, self.now);
        }
        Readiness { blocked: held_back, writable: flushed && !held_back, ..Readiness::default() }
    }
}
