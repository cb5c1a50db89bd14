//! The JSON that the benchmarks send.

use std::fmt::Write as _;

/// JSON text of about so many bytes: one small object, or a larger one of many items. Its keys are in alphabetical order and
/// its numbers print alike everywhere, so that a server which decodes it and encodes it again sends the very same bytes.
pub fn object(size: usize) -> String {
    if size <= 80 {
        return r#"{"id":12345,"name":"abcdefgh","ok":true,"v":1.5}"#.to_owned();
    }
    let mut json = String::from("{\"items\":[");
    for i in (0..).take_while(|i| 11 + 54 * (i + 1) < size) {
        let comma = if i > 0 { "," } else { "" };
        let _ = write!(json, r#"{comma}{{"id":{},"name":"item {i:04}","ok":{},"v":{}.5}}"#, 10_000 + i, i % 2 == 0, i % 9);
    }
    json.push_str("],\"pad\":\"");
    while json.len() + 2 < size {
        json.push('x');
    }
    json + "\"}"
}

/// A JSON string of so many bytes.
pub fn string(size: usize) -> String {
    format!("\"{}\"", "abcdefghij klmno".chars().cycle().take(size.saturating_sub(2)).collect::<String>())
}
