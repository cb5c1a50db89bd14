//! Placeholders: `{"_placeholder":true,"num":0}` stands in the JSON where an attachment belongs.
//!
//! The search works on the text, without recursion, once or (unless all are spelled as usual) twice, with the rules of the reference: any object whose
//! `_placeholder` is `true` is one, at any depth, whatever else it has; what is nested inside a placeholder goes away with it;
//! the same attachment may be named twice or never. Two differences, in what no client sends: a fraction as `num`, which the
//! reference reads as "no value", is refused; and of equal keys in one object, the reference only looks at the last value.
//!
//! Not here: typed values and their scopes; see `attachment`.

use bytes::Bytes;
use std::{borrow::Cow, ops::Range};

/// One placeholder: where it is, and the attachment it names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Placeholder {
    pub(super) range: Range<usize>,
    pub(super) num: usize,
}

/// A placeholder that names no attachment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Illegal;

/// Checks that every placeholder in well-formed JSON names one of the attachments.
pub(super) fn check(json: &str, attachments: usize) -> Result<(), Illegal> {
    find(json, attachments).map(drop)
}

/// Numbers the placeholders anew, in text order, behind the attachments that are already in `list`, and appends the ones they
/// name: an attachment named twice is appended twice, an unused one is dropped. Without attachments, what looks like a
/// placeholder is ordinary data and stays.
pub(crate) fn renumber<'a>(json: &'a str, attachments: &[Bytes], list: &mut Vec<Bytes>) -> Cow<'a, str> {
    if attachments.is_empty() {
        return Cow::Borrowed(json);
    }
    let found = match find(json, attachments.len()) {
        Ok(found) if !found.is_empty() => found,
        _ => return Cow::Borrowed(json),
    };
    let mut text = String::with_capacity(json.len());
    let mut copied = 0;
    for placeholder in found {
        text.push_str(&json[copied..placeholder.range.start]);
        text.push_str("{\"_placeholder\":true,\"num\":");
        text.push_str(&list.len().to_string());
        text.push('}');
        list.push(attachments[placeholder.num].clone());
        copied = placeholder.range.end;
    }
    text.push_str(&json[copied..]);
    Cow::Owned(text)
}

/// Replaces the placeholders by what `JSON.stringify` makes of a `Buffer` in Node: `{"type":"Buffer","data":[1,2]}`.
pub(crate) fn inline<'a>(json: &'a str, attachments: &[Bytes]) -> Cow<'a, str> {
    let found = match find(json, attachments.len()) {
        Ok(found) if !attachments.is_empty() && !found.is_empty() => found,
        _ => return Cow::Borrowed(json),
    };
    let mut text = String::with_capacity(json.len());
    let mut copied = 0;
    for placeholder in found {
        text.push_str(&json[copied..placeholder.range.start]);
        text.push_str("{\"type\":\"Buffer\",\"data\":[");
        for (at, byte) in attachments[placeholder.num].iter().enumerate() {
            text.push_str(if at == 0 { "" } else { "," });
            text.push_str(&byte.to_string());
        }
        text.push_str("]}");
        copied = placeholder.range.end;
    }
    text.push_str(&json[copied..]);
    Cow::Owned(text)
}

/// The key in front of the value at hand, if it matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Other,
    Placeholder,
    Num,
}

/// An object that is still open. Small, because a hostile text opens one every five bytes.
struct Open {
    start: usize,
    /// `u32::MAX`: missing, or not the number of an attachment.
    num: u32,
    is_placeholder: bool,
    has_illegal: bool,
}

const NO_NUM: u32 = u32::MAX;

/// The outermost placeholders in text order.
pub(super) fn find(json: &str, attachments: usize) -> Result<Vec<Placeholder>, Illegal> {
    find_usual(json, attachments).map_or_else(|| find_any(json, attachments), Ok)
}

/// The same, if all are spelled as encoders spell them, which takes no understanding: a quote that is not escaped is none within a
/// string, so that what looks like a placeholder is one. `None`: have a closer look.
fn find_usual(json: &str, attachments: usize) -> Option<Vec<Placeholder>> {
    const BEFORE: &[u8] = b"{\"_placeholder\":true,\"num\":";
    /// Where the underscore is in it.
    const MARK: usize = 2;
    let bytes = json.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(mark) = bytes[at..].iter().position(|byte| matches!(byte, b'_' | b'\\')) {
        at += mark + 1;
        if bytes[at - 1] == b'\\' {
            // Only an escape by number can hide a letter of the key. The escaped character is none of those that matter here.
            if bytes.get(at) == Some(&b'u') {
                return None;
            }
            at = bytes.len().min(at + 1);
            continue;
        }
        if !bytes[at..].starts_with(b"placeholder") {
            continue;
        }
        let start = (at - 1).checked_sub(MARK).filter(|start| bytes[*start..].starts_with(BEFORE))?;
        let digits = start + BEFORE.len();
        let length = bytes[digits..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        at = digits + length + 1;
        if bytes.get(at - 1) != Some(&b'}') {
            return None;
        }
        let num = json[digits..at - 1].parse().ok().filter(|num| *num < attachments)?;
        found.push(Placeholder { range: start..at, num });
    }
    Some(found)
}

fn find_any(json: &str, attachments: usize) -> Result<Vec<Placeholder>, Illegal> {
    let mut found: Vec<Placeholder> = Vec::new();
    let bytes = json.as_bytes();
    let mut open: Vec<Open> = Vec::new();
    let mut key = Key::Other;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        at += 1;
        let is_true = byte == b't';
        let mut num = NO_NUM;
        match byte {
            b'"' => {
                at = string_end(bytes, at);
                let after = at + bytes[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
                if bytes.get(after) == Some(&b':') {
                    key = known_key(&json[start..at]);
                    at = after + 1;
                    continue;
                }
            }
            b'-' | b'0'..=b'9' => {
                at += bytes[at..].iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')).count();
                if key == Key::Num {
                    num = attachment_number(&json[start..at], attachments);
                }
            }
            b't' | b'f' | b'n' => at += bytes[at..].iter().take_while(|byte| byte.is_ascii_lowercase()).count(),
            b'{' | b'[' => {}
            b'}' => {
                let Some(object) = open.pop() else { return Err(Illegal) };
                let mut illegal = object.has_illegal;
                if object.is_placeholder {
                    illegal = object.num == NO_NUM;
                    while found.last().is_some_and(|inner| inner.range.start > object.start) {
                        found.pop();
                    }
                    found.push(Placeholder { range: object.start..at, num: object.num as usize });
                }
                match open.last_mut() {
                    Some(outer) => outer.has_illegal |= illegal,
                    None if illegal => return Err(Illegal),
                    None => {}
                }
                continue;
            }
            _ => continue,
        }
        // A value starts or is complete: it belongs to the key in front of it. The last of equal keys wins.
        if let Some(object) = open.last_mut() {
            match key {
                Key::Placeholder => object.is_placeholder = is_true,
                Key::Num => object.num = num,
                Key::Other => {}
            }
        }
        key = Key::Other;
        if byte == b'{' {
            open.push(Open { start, num: NO_NUM, is_placeholder: false, has_illegal: false });
        }
    }
    Ok(found)
}

/// The offset behind the string whose content starts at `at`.
pub(super) fn string_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn known_key(quoted: &str) -> Key {
    match quoted {
        "\"_placeholder\"" => Key::Placeholder,
        "\"num\"" => Key::Num,
        // With every character escaped, `_placeholder` takes 72 bytes.
        escaped if escaped.len() <= 74 && escaped.contains("\\u") => match serde_json::from_str::<String>(escaped).as_deref() {
            Ok("_placeholder") => Key::Placeholder,
            Ok("num") => Key::Num,
            _ => Key::Other,
        },
        _ => Key::Other,
    }
}

fn attachment_number(text: &str, attachments: usize) -> u32 {
    let is_one = |num: &f64| *num >= 0.0 && *num < attachments as f64 && num.fract() == 0.0;
    text.parse().ok().filter(is_one).map_or(NO_NUM, |num| num as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_placeholder_names_an_attachment() {
        let p = |rest: &str| format!(r#"["a",{{"_placeholder":true{rest}}}]"#);
        for json in [
            p(",\"num\":0"),
            p(",\"num\":1"),
            p(",\"num\":1.0"),
            p(",\"num\":1e0"),
            p(",\"num\":-0"),
            p(",\"x\":[1],\"num\":0"),
            p(",\"num\":9,\"num\":0"),
            p(",\"num\":0,\"x\":{\"_placeholder\":true,\"num\":9}"),
            p(",\"_placeholder\":false"),
            r#"["a"]"#.into(),
            r#"["_placeholder",{"num":9}]"#.into(),
            r#"["a",{"x":{"_placeholder":"true"}}]"#.into(),
            r#"["a",{"_placeholder":1,"num":9},{"_placeholder":{"_placeholder":false},"num":9}]"#.into(),
            r#"["a",{ "num" : 1 , "_placeholder" : true }]"#.into(),
            r#"["a",{"\u005fplaceholder":true,"\u006eum":1}]"#.into(),
            r#"["a","{\"_placeholder\":true}"]"#.into(),
            r#"["a",["_placeholder",true,"num",9]]"#.into(),
        ] {
            assert_eq!(check(&json, 2), Ok(()), "{json}");
        }
        for json in [
            p(""),
            p(",\"num\":2"),
            p(",\"num\":-1"),
            p(",\"num\":\"0\""),
            p(",\"num\":0.5"),
            p(",\"num\":null"),
            p(",\"num\":true"),
            p(",\"num\":[0]"),
            p(",\"num\":{\"num\":0}"),
            p(",\"num\":0,\"num\":9"),
            p(",\"num\":1e999"),
            r#"["a",{"x":[[{"y":{"num":9,"_placeholder":true}}]]}]"#.into(),
            r#"["a",{"\u005fplaceholder":true,"num":2}]"#.into(),
            r#"["a",{"_placeholder":false,"_placeholder":true}]"#.into(),
            r#"["a",{"x":{"_placeholder":true},"y":1}]"#.into(),
        ] {
            assert_eq!(check(&json, 2), Err(Illegal), "{json}");
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let depth = 200_000;
        let json = format!("{}{}{}", "{\"a\":[".repeat(depth), r#"{"_placeholder":true,"num":0}"#, "]}".repeat(depth));
        assert_eq!(check(&json, 1), Ok(()));
        assert_eq!(check(&json, 0), Err(Illegal));
    }

    #[test]
    fn broken_text_does_not_panic() {
        for json in [
            "}",
            "\"_placeholder",
            "{\"_placeholder\\",
            "_placeholder\"\\",
            "{\"_placeholder\":tru",
            "-",
            "{\"_placeholder\":true,\"num\":-}",
        ] {
            let _ = check(json, 1);
        }
    }

    proptest::proptest! {
        /// Whatever it is made of: well-formed, or cut off.
        #[test]
        fn the_short_way_leads_where_the_long_one_does(
            pieces in proptest::collection::vec(proptest::sample::select(vec![
                r#"{"_placeholder":true,"num":0}"#, r#"{"_placeholder":true,"num":1}"#, r#"{"_placeholder":true,"num":7}"#,
                r#"{"_placeholder":true,"num":0"#, r#"{"num":0,"_placeholder":true}"#, r#"{"_placeholder":"#, r#"{"\u005fplaceholder":true,"num":0}"#,
                r#""_placeholder""#, r#""a\"_placeholder{\"""#, r#""\\""#, r#"{"a":"#, "[", "]", "}", ",", "1", "true", "_", r#""é_""#,
            ]), 0..12),
        ) {
            let json = format!("[{}]", pieces.join(","));
            for json in [json, pieces.concat()] {
                let is_well_formed = serde_json::from_str::<serde::de::IgnoredAny>(&json).is_ok();
                if let (true, Some(found)) = (is_well_formed, find_usual(&json, 2)) {
                    proptest::prop_assert_eq!(find_any(&json, 2), Ok(found), "{}", json);
                }
                let _ = find_usual(&json, 2);
            }
        }
    }

    #[test]
    fn renumbering_keeps_the_text_order() {
        let bytes = |text: &'static str| Bytes::from_static(text.as_bytes());
        let all = [bytes("a"), bytes("b"), bytes("c")];
        let mut list = vec![bytes("x")];
        let json = r#"[{"k":{"num":2,"_placeholder":true}}, {"_placeholder":true,"num":0},{"_placeholder":true,"num":2,"y":{"_placeholder":true,"num":1}}]"#;
        let text = renumber(json, &all, &mut list);
        assert_eq!(text, r#"[{"k":{"_placeholder":true,"num":1}}, {"_placeholder":true,"num":2},{"_placeholder":true,"num":3}]"#);
        assert_eq!(list, [bytes("x"), bytes("c"), bytes("a"), bytes("c")]);
        let plain = r#"[{"_placeholder":true,"num":0}]"#;
        assert_eq!(renumber(plain, &[], &mut list), plain);
        assert_eq!(list.len(), 4);
    }
}
