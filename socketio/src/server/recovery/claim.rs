//! How a client asks for its session: `pid` and `offset` among its `auth`.

use crate::{id::SessionId, text::Text};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The private id of a socket (`pid`). Whoever knows it can take over the session, so it is a secret: it leaves the process in
/// the CONNECT answer only, and `Debug` does not show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::server) struct Pid(SessionId);

impl Pid {
    pub(in crate::server) fn random() -> Self {
        Pid(SessionId::from_random(rand::random()))
    }

    /// The secret itself. Never log it.
    pub(in crate::server) fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// Which session a client wants back.
#[derive(Debug)]
pub(in crate::server) struct Claim {
    pub(in crate::server) pid: Pid,
    /// The last offset it has seen; none if no event has reached it since it connected for the first time.
    pub(in crate::server) offset: Option<String>,
}

/// Splits the payload of a CONNECT packet into what the client says about its session and the `auth` of the application,
/// which is not to see the secret.
pub(in crate::server) fn claim(auth: Text) -> (Text, Option<Claim>) {
    if !auth.contains("\"pid\"") {
        return (auth, None);
    }
    let Ok(mut fields) = serde_json::from_str::<BTreeMap<String, &RawValue>>(&auth) else { return (auth, None) };
    let mut text = |name: &str| serde_json::from_str::<String>(fields.remove(name)?.get()).ok();
    let (pid, offset) = (text("pid"), text("offset"));
    // An application may have a field of this name; only what looks like a private id is one.
    let Some(pid) = pid.and_then(|pid| pid.parse().ok()).map(Pid) else { return (auth, None) };
    let rest = serde_json::to_string(&fields).map_or_else(|_| Text::from_static("{}"), Text::from);
    (rest, Some(Claim { pid, offset }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PID: &str = "abcdefghij0123456789";

    #[test]
    fn the_application_does_not_see_the_secret() {
        let text = format!(r#"{{"pid":"{PID}","offset":"x.1","token":{{"pid": 1}}}}"#);
        let (auth, found) = claim(Text::from(text));
        let found = found.expect("a claim");
        assert_eq!(auth.as_str(), r#"{"token":{"pid": 1}}"#);
        assert_eq!((found.pid.expose(), found.offset.as_deref()), (PID, Some("x.1")));
        assert!(!format!("{found:?}").contains(PID));
    }

    #[test]
    fn a_client_without_an_event_has_no_offset() {
        let (auth, found) = claim(Text::from(format!(r#"{{"pid":"{PID}"}}"#)));
        assert_eq!(auth.as_str(), "{}");
        assert_eq!(found.expect("a claim").offset, None);
    }

    #[test]
    fn other_auth_is_left_alone() {
        for text in ["{}", r#"{"token":"pid"}"#, r#"{"pid":7}"#, r#"{"pid":"process 7","offset":"x"}"#, r#"{"a":"\"pid\""}"#] {
            let (auth, found) = claim(Text::from(text));
            assert!(found.is_none(), "{text}");
            assert_eq!(auth.as_str(), text);
        }
    }
}
