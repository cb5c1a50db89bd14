//! The sans-IO half of the engine, compiled from its source: it is private to the crate, and imports nothing but what
//! stands here. A public door for a fuzz target alone would be a part of the interface that nobody asked for.

#[allow(dead_code, unused_imports, unreachable_pub, reason = "a target uses a part of it")]
#[path = "../../../../socketio/src/engine/proto/mod.rs"]
pub(crate) mod proto;

#[allow(dead_code, reason = "only `client_session` plays these schedules")]
#[path = "../../../../socketio/src/engine/proto/tests/client_audit.rs"]
pub(crate) mod client_audit;

#[allow(dead_code, reason = "only `engine_session` plays schedules")]
#[path = "../../../../socketio/src/engine/proto/tests/audit.rs"]
pub(crate) mod audit;
