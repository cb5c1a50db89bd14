//! What a client hears: an event, and how its connection ended.

use crate::{contract::Incoming, parser::with_attachments};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;

/// An event from the server.
///
/// ```
/// # use socketio::{Socket, SocketIo, events, namespace, test::Client};
/// # #[namespace("/", emits = ClockEvents)]
/// # trait Clock {}
/// # #[events]
/// # trait ClockEvents {
/// #     #[event]
/// #     async fn tick(&self, number: u32, unit: &str);
/// # }
/// # struct Session;
/// # impl Clock for Session {}
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let io = SocketIo::builder().shared::<dyn Clock>(Session).build();
/// # let client = Client::<dyn Clock>::connect(&io).await.unwrap();
/// io.of::<dyn Clock>().emit().tick(1, "s");
/// let event = client.next_event().await;
/// assert_eq!((event.name(), &*event.args_json()), ("tick", r#"[1,"s"]"#));
/// assert_eq!(event.args::<(u32, String)>(), (1, "s".into()));
/// # }
/// ```
#[derive(Clone)]
pub struct Event(pub(super) Incoming);

impl Event {
    /// The name of the event.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The arguments as a JSON array. Binary data shows as `{"_placeholder":true,"num":n}`.
    pub fn args_json(&self) -> String {
        self.0.raw_args().json()
    }

    /// The arguments as a tuple: `event.args::<(String, u32)>()`, `args::<(String,)>()`, `args::<()>()`.
    ///
    /// # Panics
    /// They have other types.
    #[track_caller]
    pub fn args<T: DeserializeOwned>(&self) -> T {
        let json = self.args_json();
        let decode = || serde_json::from_str(if json == "[]" && size_of::<T>() == 0 { "null" } else { &json });
        match with_attachments(&mut self.0.attachments().to_vec(), decode) {
            Ok(args) => args,
            Err(error) => panic!("the arguments of `{self}` are no {}: {error}", std::any::type_name::<T>()),
        }
    }

    /// Whether the server waits for an acknowledgement.
    pub fn wants_ack(&self) -> bool {
        self.0.ack_id().is_some()
    }

    pub(super) fn is(&self, name: &str, args: &Value) -> bool {
        self.name() == name && serde_json::from_str::<Value>(&self.args_json()).is_ok_and(|found| found == *args)
    }
}

impl fmt::Display for Event {
    /// The name and the arguments: here, unlike elsewhere, the payload is what one wants to see.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name(), self.args_json())
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How a client's stay in its namespace ended.
///
/// ```
/// assert_eq!(socketio::test::End::ByServer.to_string(), "io server disconnect");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// The server disconnected it: `io server disconnect` in the JavaScript client.
    ByServer,
    /// The test made it leave or disconnect: `io client disconnect`.
    ByClient,
    /// The connection was closed or lost, by either side: `transport close`.
    ConnectionLost,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            End::ByServer => "io server disconnect",
            End::ByClient => "io client disconnect",
            End::ConnectionLost => "transport close",
        })
    }
}
