//! The contract that the benchmarks measure, and what they send: strings, objects, and whatever else a handler may be sent.
//!
//! The same four events with three kinds of argument, since what an event costs is decided by what its argument is decoded
//! into: a type of the application (`typed`), a tree of any JSON (`value`), or its text as it came (`raw`).

pub mod text;
mod types;

use socketio::{Builder, SocketIo};
pub use types::{Item, Object, Typed};

/// What an argument is decoded into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// [`Typed`].
    Typed,
    /// `serde_json::Value`.
    Value,
    /// [`socketio::contract::Raw`].
    Raw,
}

impl Kind {
    /// `typed`, `value` or `raw`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "typed" => Some(Kind::Typed),
            "value" => Some(Kind::Value),
            "raw" => Some(Kind::Raw),
            _ => None,
        }
    }
}

/// Events that take any argument of type `$Argument`, in a module of their own.
macro_rules! contract {
    ($module:ident, $Argument:ty) => {
        mod $module {
            use serde::{Deserialize, Serialize};
            use socketio::{Ack, Binary, Builder, ConnectError, Socket, events, namespace};

            #[derive(Serialize, Deserialize)]
            pub(super) struct Broadcast {
                data: $Argument,
                room: String,
            }

            #[namespace("/", emits = BenchEvents, schema = false)]
            pub(super) trait Bench {
                #[event]
                async fn echo(&self, value: $Argument) -> $Argument;
                #[event]
                async fn echob(&self, bytes: Binary) -> Binary;
                #[event]
                async fn join(&self, room: &str) -> Ack;
                #[event]
                async fn broadcast(&self, message: Broadcast);
            }

            #[events(schema = false)]
            pub(super) trait BenchEvents {
                #[event]
                async fn msg(&self, data: &$Argument);
            }

            struct Session(Socket<dyn Bench>);

            impl Bench for Session {
                async fn echo(&self, value: $Argument) -> $Argument {
                    value
                }
                async fn echob(&self, bytes: Binary) -> Binary {
                    bytes
                }
                async fn join(&self, room: &str) -> Ack {
                    self.0.join(room);
                    Ack
                }
                async fn broadcast(&self, message: Broadcast) {
                    self.0.namespace().to(message.room).emit().msg(&message.data);
                }
            }

            async fn connect(socket: Socket<dyn Bench>) -> Result<Session, ConnectError> {
                Ok(Session(socket))
            }

            pub(super) fn mount(builder: Builder<()>, paths: &[String]) -> Builder<()> {
                let builder = builder.namespace::<dyn Bench, _>(connect);
                paths.iter().fold(builder, |builder, path| builder.namespace_at::<dyn Bench, _>(path.as_str(), connect))
            }
        }
    };
}

contract!(typed, super::Typed);
contract!(value, serde_json::Value);
contract!(raw, socketio::contract::Raw);

/// Settings for the load: it has messages of up to ten megabytes. The events are at `/` and `/ns0` to `/ns9`.
pub fn builder(kind: Kind) -> Builder<()> {
    let builder = SocketIo::builder().max_payload(10_000_000);
    let paths: Vec<String> = (0..10).map(|i| format!("/ns{i}")).collect();
    match kind {
        Kind::Typed => typed::mount(builder, &paths),
        Kind::Value => value::mount(builder, &paths),
        Kind::Raw => raw::mount(builder, &paths),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Typed,
        text::{object, string},
    };

    #[test]
    fn what_is_decoded_is_sent_as_it_came() {
        for json in
            [object(48), object(1024), object(16_384), string(1024), "1".to_owned(), r#"{"a":10000001,"pad":"xxx"}"#.to_owned()]
        {
            let typed: Typed = serde_json::from_str(&json).expect("it is of the load");
            assert_eq!(serde_json::to_string(&typed).expect("it came from JSON"), json);
            let value: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
            assert_eq!(value.to_string(), json);
        }
        assert_eq!((object(1024).len(), string(1024).len()), (1024, 1024));
    }
}
