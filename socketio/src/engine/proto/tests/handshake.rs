//! The open packet: what the server writes is what the client reads, and what other servers may write.

use super::world::TIMING;
use crate::{
    engine::proto::{Packet, client::Open, open_packet},
    id::SessionId,
    text::Text,
};
use std::time::Duration;

#[test]
fn the_open_packet_is_the_references() {
    let id = SessionId::from_random([0; 15]);
    for (upgrades, listed) in [(&["websocket"][..], r#"["websocket"]"#), (&[], "[]"), (&["a", "b"], r#"["a","b"]"#)] {
        let expected = format!(
            r#"{{"sid":"AAAAAAAAAAAAAAAAAAAA","upgrades":{listed},"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}}"#
        );
        assert_eq!(open_packet(&id, upgrades, &TIMING, 1_000_000), Packet::Open(expected.into()));
    }
}

#[test]
fn a_client_reads_the_open_packets_of_all_servers() {
    let check = |text: &str, expected: Option<(&str, u64, Option<usize>)>| {
        let open = Open::parse(&Text::from(text));
        let read = open.as_ref().map(|open| (open.sid(), open.patience().as_secs(), open.max_payload_bytes()));
        assert_eq!(read, expected, "{text}");
    };
    check(r#"{"sid":"x y","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":9}"#, Some(("x y", 45, Some(9))));
    check(r#"{"sid":"","upgrades":["webtransport"],"pingInterval":1000,"pingTimeout":0,"more":[]}"#, Some(("", 1, None)));
    check(r#"{"sid":"a","upgrades":[],"pingInterval":-1,"pingTimeout":0}"#, None);
    check(r#"{"sid":"a","upgrades":[]}"#, None);
    check("{", None);
    check("", None);
}

#[test]
fn an_endless_ping_interval_is_no_overflow() {
    let open = Open::parse(&Text::from(r#"{"sid":"a","upgrades":[],"pingInterval":18446744073709551615,"pingTimeout":1}"#));
    assert_eq!(open.map(|open| open.patience()), Some(Duration::from_secs(24 * 3600)));
}
