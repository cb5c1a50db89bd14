//! The open packet: what the server tells a client about a new session. Spec: "Handshake".

use super::{packet::Packet, server::Timing};
use crate::{id::SessionId, text::Text};

/// The first packet of a session. This is the one place where the session id leaves the process.
pub(crate) fn open_packet(id: &SessionId, upgrades: &[&str], timing: &Timing, max_payload_bytes: usize) -> Packet {
    let upgrades = upgrades.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(",");
    Packet::Open(Text::from(format!(
        "{{\"sid\":\"{}\",\"upgrades\":[{upgrades}],\"pingInterval\":{},\"pingTimeout\":{},\"maxPayload\":{max_payload_bytes}}}",
        id.expose(),
        timing.ping_interval.as_millis(),
        timing.ping_timeout.as_millis(),
    )))
}
