//! Events known only at run time: a `Service` by hand, at a path and by a predicate.

use super::{Builder, Reports};
use axum::extract::State;
use serde_json::{Value, json};
use socketio::{Auth, Body, ConnectError, DisconnectReason, Incoming, Outcome, Rejection, Service, Socket, Untyped};
use std::{sync::Arc, time::Duration};

const PATIENCE: Duration = Duration::from_secs(20);

struct Relay {
    socket: Socket<Untyped>,
    auth: Value,
    reports: Reports,
}

async fn connect(socket: Socket<Untyped>, Auth(auth): Auth<Value>, State(reports): State<Reports>) -> Result<Relay, ConnectError> {
    Ok(Relay { socket, auth, reports })
}

fn answer(values: &Value) -> Outcome {
    Body::ack(values).map_or_else(Outcome::Unanswerable, |body| Outcome::Done(Some(body)))
}

impl Service for Relay {
    async fn event(self: Arc<Self>, event: Incoming) -> Outcome {
        if let Err(rejection) = event.validate() {
            return Outcome::Rejected(rejection);
        }
        let args = event.raw_args();
        match event.name() {
            "auth" => answer(&json!([self.auth, self.socket.path()])),
            "echo" => Outcome::Done(Some(args.to_body())),
            "back" => {
                // The end of the socket is reported to the session, too.
                let _ = self.socket.emit_body(args.to_event("back"));
                Outcome::Done(None)
            }
            "first" => {
                let sent = self.socket.answer(&event, args.slice(..1).to_body());
                if sent.is_ok() { Outcome::Answered } else { Outcome::Done(None) }
            }
            "ask" => {
                let question = self.socket.timeout(PATIENCE).ask_body(args.to_event("question"));
                // The answer is passed on as it is.
                Outcome::Done(question.await.ok().map(|answer| answer.raw_args().to_body()))
            }
            "refuse" => match Body::ack(&("refused",)) {
                Ok(body) => Outcome::RejectedWith(Box::new(Rejection::new("refused")), body),
                Err(error) => Outcome::Unanswerable(error),
            },
            "report" => answer(&json!([args.get::<String>(0).ok().and_then(|id| self.reports.get(&id))])),
            _ => Outcome::Unhandled(event),
        }
    }

    async fn disconnected(self: Arc<Self>, reason: DisconnectReason) {
        self.reports.put(self.socket.id(), json!(reason.as_str()));
    }
}

pub(super) fn mount(builder: Builder) -> Builder {
    builder
        .namespace_at::<Untyped, _>("/untyped", connect)
        .namespace_matching::<Untyped, _>(|path| path.starts_with("/any/"), connect)
}
