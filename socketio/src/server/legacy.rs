//! What clients of Socket.IO 1 and 2 do otherwise, above their older Engine.IO.
//!
//! | | since Socket.IO 3 | before |
//! |---|---|---|
//! | `/` | joined with CONNECT | joined by the connection |
//! | `auth` | payload of CONNECT | query of the namespace in CONNECT: `/chat?token=x` |
//! | answer to CONNECT | tells the socket id | empty: the client makes its id of the session's |
//! | refusal | `{ message, data }` | the data, or else the message as a string |
//!
//! Events, acknowledgements and attachments are the same, so that a room may hold clients of all versions.

use super::core::SocketCore;
use crate::{
    engine::Bundle,
    extract::ConnectError,
    id::{SessionId, SocketId},
    parser::encode_connect,
    room::Room,
    text::Text,
};
use serde_json::{Map, Value};

/// The namespace and the query in what an old client calls a namespace.
pub(super) fn split(name: &str) -> (&str, &str) {
    let name = name.split_once('#').map_or(name, |(name, _)| name);
    name.split_once('?').unwrap_or((name, ""))
}

/// The query as the `auth` payload: an object of strings. Of several values of one name the last counts.
pub(super) fn auth(query: &str) -> Text {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let auth: Map<String, Value> = pairs.map(|(name, value)| (name.into_owned(), Value::from(value))).collect();
    Value::from(auth).to_string().into()
}

/// The payload of a refusal.
pub(super) fn refusal(error: &ConnectError) -> String {
    match error.data_json() {
        Some(data) if is_truthy(data) => data.to_owned(),
        _ => Value::from(error.message()).to_string(),
    }
}

/// What JavaScript's `||` makes of a JSON value.
fn is_truthy(json: &str) -> bool {
    !matches!(json, "null" | "false" | "\"\"") && json.parse::<f64>().ok() != Some(0.0)
}

/// What the client takes for the id of its socket: in `/` the id of its session, elsewhere with the namespace in front.
pub(super) enum Known {
    /// It can be the id.
    Id(SocketId),
    /// It is not of the form of an id; a room of that name makes it an address.
    Room(Room),
}

pub(super) fn known_as(path: &str, session: SessionId) -> Known {
    match path {
        "/" => Known::Id(SocketId::of_session(session)),
        _ => Known::Room(Room::from(format!("{path}#{}", session.expose()))),
    }
}

impl SocketCore {
    /// The answer to CONNECT. An old client makes its id of the session's, and cannot come back.
    pub(super) fn answer_to_connect(&self) -> Bundle {
        let payload = match self.tracked() {
            _ if self.on_link(|link| link.engine.is_legacy()) => None,
            Some(tracked) => Some(["{\"sid\":\"", self.id().as_str(), "\",\"pid\":\"", tracked.pid.expose(), "\"}"].concat()),
            None => Some(["{\"sid\":\"", self.id().as_str(), "\"}"].concat()),
        };
        self.bundle(encode_connect(&self.namespace().path, payload.as_deref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_query_of_a_namespace_is_the_auth_payload() {
        let check = |name: &str, path: &str, expected: Value| {
            let (found, query) = split(name);
            assert_eq!((found, serde_json::from_str::<Value>(&auth(query)).unwrap()), (path, expected), "{name}");
        };
        check("/", "/", json!({}));
        check("/chat", "/chat", json!({}));
        check("/chat?", "/chat", json!({}));
        check("/chat?token=x&a=b%20c+d&e", "/chat", json!({ "token": "x", "a": "b c d", "e": "" }));
        check("/chat?a=1&a=2", "/chat", json!({ "a": "2" }));
        check("/chat?a=1#b?c", "/chat", json!({ "a": "1" }));
        check("/chat?a=?&%22=%5c", "/chat", json!({ "a": "?", "\"": "\\" }));
    }

    #[test]
    fn a_refusal_is_its_data_or_its_message() {
        let error = || ConnectError::new("no \"entry\"");
        assert_eq!(refusal(&error()), r#""no \"entry\"""#);
        assert_eq!(refusal(&error().with_data(json!({ "code": 1 }))), r#"{"code":1}"#);
        assert_eq!(refusal(&error().with_data("later")), r#""later""#);
        for falsy in [json!(null), json!(false), json!(0), json!(-0.0), json!("")] {
            assert_eq!(refusal(&error().with_data(falsy)), r#""no \"entry\"""#);
        }
    }
}
