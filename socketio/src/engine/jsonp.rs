//! JSONP: polling for pages that can neither ask across origins nor use a WebSocket. A GET is answered with a script that calls
//! a function with the payload, a POST is a form with the payload in it.
//!
//! The client names its function with the parameter `j`, in the handshake. Served only where old clients are allowed: it is a
//! way around CORS, and the last clients that use it are those of Socket.IO 4.2.

use bytes::Bytes;
use std::fmt::Write as _;

/// The index of the function that the page has for the answers: digits, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Jsonp(Box<str>);

impl Jsonp {
    /// Reads the parameter `j`; of anything but digits, the digits.
    pub(super) fn parse(value: &str) -> Self {
        Jsonp(value.chars().filter(char::is_ascii_digit).collect())
    }

    /// The script with a payload.
    pub(super) fn script(&self, payload: &[u8]) -> Bytes {
        // A payload is text here: such sessions get base64 instead of bytes.
        let payload = String::from_utf8_lossy(payload);
        let json = serde_json::Value::from(&*payload).to_string();
        let mut script = String::with_capacity(json.len() + 16);
        let _ = write!(script, "___eio[{}](", self.0);
        // Legal in JSON, but the end of a line in the JavaScript of old browsers.
        if json.contains(['\u{2028}', '\u{2029}']) {
            script.push_str(&json.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029"));
        } else {
            script.push_str(&json);
        }
        script.push_str(");");
        script.into()
    }
}

/// The payload in a form; `None`: there is none, or more than one.
pub(super) fn payload_of_form(form: &[u8]) -> Option<String> {
    let mut fields = form_urlencoded::parse(form).filter(|(name, _)| name == "d").map(|(_, value)| value);
    let payload = fields.next()?;
    fields.next().is_none().then(|| unescape(&payload))
}

/// Browsers change line ends in a form, so the client writes a line end as `\n`, and what was `\n` before as `\\n`.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\\n") {
        let escaped = rest[..at].ends_with('\\');
        plain.push_str(&rest[..if escaped { at - 1 } else { at }]);
        plain.push_str(if escaped { "\\n" } else { "\n" });
        rest = &rest[at + 2..];
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_javascript() {
        let script = |index: &str, payload: &str| String::from_utf8(Jsonp::parse(index).script(payload.as_bytes()).into()).unwrap();
        assert_eq!(script("0", "2:40"), r#"___eio[0]("2:40");"#);
        assert_eq!(script("12", "a\"\\\n\u{7f}é"), "___eio[12](\"a\\\"\\\\\\n\u{7f}é\");");
        assert_eq!(script("1](alert)//2", "\u{2028}\u{2029}"), r#"___eio[12]("\u2028\u2029");"#);
        assert_eq!(script("x", ""), r#"___eio[]("");"#);
    }

    #[test]
    fn a_form_holds_one_payload() {
        let check = |form: &str, payload: Option<&str>| assert_eq!(payload_of_form(form.as_bytes()).as_deref(), payload, "{form}");
        check("d=2%3A40", Some("2:40"));
        check("a=1&d=x+y", Some("x y"));
        check("d=", Some(""));
        check("", None);
        check("e=1", None);
        check("d=1&d=2", None);
        // A line end is `\n`, `\n` is `\\n`, and other backslashes are themselves.
        check(r"d=a\nb", Some("a\nb"));
        check(r"d=a\\nb", Some(r"a\nb"));
        check(r"d=a\\\nb", Some(r"a\\nb"));
        check(r"d=a\tb\\", Some(r"a\tb\\"));
        check(r"d=\n\n\\n", Some("\n\n\\n"));
    }
}
