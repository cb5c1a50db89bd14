//! The shapes that the page understands.

use crate::{contract::Untyped, date, engine::Handshake, parser::Body, room::Room, server::Socket};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

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
        "time": date::iso(since),
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
    date::iso(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_data_is_counted_and_not_shown() {
        let body = Body::event("photo", &(crate::Binary::from(vec![1, 2, 3]), "a cat")).unwrap();
        assert_eq!(event(&body), json!(["photo", "(binary, 3 bytes)", "a cat"]));
    }
}
