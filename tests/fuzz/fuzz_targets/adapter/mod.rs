//! The bytes of messages between servers, compiled from their source: they are private to the crate.

#[allow(dead_code, reason = "a target uses a part of it")]
#[path = "../../../../socketio/src/adapter/message.rs"]
pub(crate) mod message;
#[allow(dead_code, reason = "a target uses a part of it")]
#[path = "../../../../socketio/src/adapter/wire/mod.rs"]
pub(crate) mod wire;
