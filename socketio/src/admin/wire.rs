//! The shapes that the page understands.

use crate::{contract::Untyped, engine::Handshake, parser::Body, room::Room, server::Socket};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Headers that hold credentials: admins see that they were sent, and no more.
const SECRET_HEADERS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stats<'a> {
    pub(super) server_id: &'a str,
    pub(super) hostname: &'a str,
    pub(super) pid: u32,
    /// Seconds.
    pub(super) uptime: f64,
    pub(super) clients_count: usize,
    pub(super) polling_clients_count: usize,
    pub(super) aggregated_events: Vec<Aggregated>,
    pub(super) namespaces: Vec<NamespaceStats>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NamespaceStats {
    pub(super) name: String,
    pub(super) sockets_count: usize,
}

/// What happened in one second.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Aggregated {
    /// Milliseconds since 1970, a whole second.
    pub(super) timestamp: u64,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sub_type: Option<&'static str>,
    pub(super) count: u64,
}

/// A socket. `client`: what its connection is called.
pub(super) fn socket(socket: &Socket<Untyped>, client: String, address: String) -> Value {
    json!({
        "id": socket.id(),
        "clientId": client,
        "transport": socket.transport().as_str(),
        "nsp": socket.path(),
        "data": socket.data().ok().flatten().unwrap_or_else(|| json!({})),
        "handshake": handshake(socket.handshake(), address),
        "rooms": socket.rooms().iter().map(Room::as_str).collect::<Vec<_>>(),
    })
}

fn handshake(request: &Handshake, address: String) -> Value {
    let mut headers = Map::new();
    for (name, value) in &request.headers() {
        let value = match SECRET_HEADERS.contains(&name.as_str()) {
            true => "(hidden)".into(),
            false => String::from_utf8_lossy(value.as_bytes()),
        };
        match headers.get_mut(name.as_str()) {
            Some(Value::String(before)) => *before = format!("{before}, {value}"),
            _ => drop(headers.insert(name.as_str().to_owned(), value.into())),
        }
    }
    let query: Map<String, Value> = request.query().into_iter().map(|(name, value)| (name, value.into())).collect();
    let since = request.received_at().duration_since(UNIX_EPOCH).unwrap_or_default();
    json!({
        "address": address,
        "xdomain": headers.contains_key("origin"),
        "secure": headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https"),
        "headers": headers,
        "query": query,
        "issued": u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
        "time": date(since),
        "url": request.uri().to_string(),
    })
}

/// An event as a list of its name and arguments. In place of binary data stands how much it is.
pub(super) fn event(event: &Body) -> Value {
    let mut list = serde_json::from_str(event.json()).unwrap_or_default();
    if !event.attachments().is_empty() {
        describe(&mut list, event);
    }
    list
}

fn describe(value: &mut Value, event: &Body) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| describe(value, event)),
        Value::Object(fields) => {
            let number = fields.get("num").and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
            let attachment = number.and_then(|number| event.attachments().get(number));
            match (fields.get("_placeholder"), attachment) {
                (Some(Value::Bool(true)), Some(bytes)) => *value = format!("(binary, {} bytes)", bytes.len()).into(),
                _ => fields.values_mut().for_each(|value| describe(value, event)),
            }
        }
        _ => {}
    }
}

/// Now, as JavaScript writes a `Date` in JSON.
pub(super) fn now() -> String {
    date(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// The civil calendar of the days since 1970, in eras of 400 years that begin in March.
fn date(since: Duration) -> String {
    let (days, seconds) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{:02}.{:03}Z", seconds % 60, since.subsec_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_javascript() {
        // From `new Date(n).toJSON()`.
        let known = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_123, "2000-02-29T00:00:00.123Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (1_709_251_200_000, "2024-03-01T00:00:00.000Z"),
            (1_767_225_599_999, "2025-12-31T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ];
        for (milliseconds, expected) in known {
            assert_eq!(date(Duration::from_millis(milliseconds)), expected);
        }
    }

    #[test]
    fn binary_data_is_counted_and_not_shown() {
        let body = Body::event("photo", &(crate::Binary::from(vec![1, 2, 3]), "a cat")).unwrap();
        assert_eq!(event(&body), json!(["photo", "(binary, 3 bytes)", "a cat"]));
    }
}
