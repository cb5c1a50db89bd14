//! The untyped escape hatch: `Service`, a handler whose events are known only at run time (proxies, bridges, test servers).

use super::{BoxFuture, Events, Incoming, Namespace, NoEvents, Outcome, Rejection, Serve, Target};
use crate::{
    describe::{Describe, EventSpec},
    reason::DisconnectReason,
};
use std::{future::Future, sync::Arc};

/// The name of a namespace without a contract: `Socket<Untyped>`. Its path is given where it is registered.
///
/// ```
/// use socketio::{ConnectError, Incoming, Outcome, Service, Socket, SocketIo, Untyped};
/// # use socketio::test::Client;
/// use std::sync::Arc;
///
/// /// Answers every event with its name.
/// struct Echo;
///
/// impl Service for Echo {
///     async fn event(self: Arc<Self>, event: Incoming) -> Outcome {
///         socketio::contract::ack_value(&event, &event.name())
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let connect = async |_: Socket<Untyped>| Ok::<_, ConnectError>(Echo);
/// let io = SocketIo::builder().namespace_at::<Untyped, _>("/echo", connect).build();
/// let echo = io.at::<Untyped>("/echo").unwrap();
/// # let client = Client::<Untyped>::connect(&io).path("/echo").await.unwrap();
/// # assert_eq!(client.call_raw("any", ()).await.unwrap().json(), r#"["any"]"#);
/// echo.emit_raw("news", ("rain", 7))?;
/// # client.expect("news", serde_json::json!(["rain", 7])).await;
/// # Ok::<(), socketio::EmitError>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone, Copy)]
pub enum Untyped {}

/// The session of one socket in an [`Untyped`] namespace.
///
/// ```
/// # use socketio::{ConnectError, SocketIo};
/// use socketio::{Incoming, Outcome, Service, Socket, Untyped};
/// use std::sync::Arc;
///
/// /// Passes every event on to everybody else.
/// struct Relay(Socket<Untyped>);
///
/// impl Service for Relay {
///     async fn event(self: Arc<Self>, event: Incoming) -> Outcome {
///         if let Err(malformed) = event.validate() {
///             return Outcome::Rejected(malformed);
///         }
///         self.0.broadcast().emit_body(event.raw_args().to_event(event.name()));
///         Outcome::Done(None)
///     }
/// }
///
/// let connect = async |socket: Socket<Untyped>| Ok::<_, ConnectError>(Relay(socket));
/// let io = SocketIo::builder().namespace_at::<Untyped, _>("/relay", connect).build();
/// assert_eq!(io.namespaces(), ["/relay"]);
/// ```
pub trait Service: Send + Sync + 'static {
    /// Handles one event. Events of a socket start in the order in which they arrived.
    fn event(self: Arc<Self>, event: Incoming) -> impl Future<Output = Outcome> + Send;

    /// The answer to an event that an [event layer](crate::layer) has rejected. [`Outcome::RejectedWith`] acknowledges it.
    /// Default: it is not acknowledged.
    fn reject(&self, event: &Incoming, rejection: Rejection) -> Outcome {
        let _ = event;
        Outcome::Rejected(rejection)
    }

    /// The socket has ended; the last call on the session.
    fn disconnected(self: Arc<Self>, reason: DisconnectReason) -> impl Future<Output = ()> + Send {
        let _ = reason;
        std::future::ready(())
    }
}

impl Events for Untyped {
    const NAME: &'static str = "Untyped";
    type Emitter<T: Target> = <dyn NoEvents as Events>::Emitter<T>;
    fn emitter<T: Target>(target: T) -> Self::Emitter<T> {
        <dyn NoEvents as Events>::emitter(target)
    }
    fn describe(_: &mut Describe) -> Vec<EventSpec> {
        Vec::new()
    }
}

#[diagnostic::do_not_recommend]
impl Namespace for Untyped {
    const PATH: &'static str = "";
    const DOCS: &'static str = "";
    type Emits = dyn NoEvents;
    type Auth = serde_json::Value;
    type Data = serde_json::Value;
    type Cluster = Untyped;
    fn describe_auth(_: &mut Describe) -> Option<schemars::Schema> {
        None
    }
}

impl<H: Service> Serve<H> for Untyped {
    fn dispatch(handler: &Arc<H>, event: Incoming) -> BoxFuture<'static, Outcome> {
        Box::pin(Arc::clone(handler).event(event))
    }

    fn reject(handler: &Arc<H>, event: &Incoming, rejection: Rejection) -> Outcome {
        handler.reject(event, rejection.of(event))
    }

    fn on_disconnect(handler: &Arc<H>, reason: DisconnectReason) -> Option<BoxFuture<'static, ()>> {
        Some(Box::pin(Arc::clone(handler).disconnected(reason)))
    }
}
