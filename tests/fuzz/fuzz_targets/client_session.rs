//! A schedule of answers, packets and time steps into the client's half of an Engine.IO session; what has to hold is in
//! `client_audit.rs`, which the property tests share.
#![no_main]

mod engine;
mod id {
    pub(crate) use socketio::SessionId;
}
mod reason {
    pub(crate) use socketio::DisconnectReason;
}
mod text {
    pub(crate) use socketio::Text;
}
#[allow(dead_code, unused_imports, reason = "only the frames that are sent are needed")]
#[path = "../../../socketio/src/websocket/mod.rs"]
mod websocket;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|schedule: &[u8]| engine::client_audit::play(schedule));
