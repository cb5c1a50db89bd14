//! Walking through JSON Schemas: references, and what differs between two of them.

use serde_json::{Map, Value};

/// Who writes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Direction {
    /// Clients do, and Rust deserializes it.
    Input,
    /// Rust serializes it.
    Output,
}

/// The name that a `$ref` of schemars refers to, or a final name of ours.
pub(crate) fn reference(schema: &Map<String, Value>) -> Option<String> {
    let pointer = schema.get("$ref")?.as_str()?;
    let name = pointer.rsplit('/').next()?;
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        if byte == b'%' {
            let (high, low) = (digit()?, digit()?);
            bytes.push((high * 16 + low) as u8);
        } else {
            bytes.push(byte);
        }
    }
    Some(String::from_utf8(bytes).ok()?.replace("~1", "/").replace("~0", "~"))
}

/// Calls `visit` with every reference in a schema.
pub(super) fn references(schema: &Value, visit: &mut dyn FnMut(&str)) {
    match schema {
        Value::Object(map) => {
            if let Some(name) = reference(map) {
                visit(&name);
            }
            for (key, value) in map.iter().filter(|(key, _)| !is_data(key)) {
                match value {
                    Value::Object(named) if is_named(key) => named.values().for_each(|value| references(value, visit)),
                    value => references(value, visit),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, visit)),
        _ => {}
    }
}

/// Calls `visit` with every schema inside of one, the innermost first, and with itself last.
pub(crate) fn for_each_mut(schema: &mut Value, visit: &mut dyn FnMut(&mut Value)) {
    match schema {
        Value::Object(map) => {
            for (key, value) in map.iter_mut().filter(|(key, _)| !is_data(key)) {
                match value {
                    Value::Object(named) if is_named(key) => named.values_mut().for_each(|value| for_each_mut(value, visit)),
                    value => for_each_mut(value, visit),
                }
            }
        }
        Value::Array(list) => return list.iter_mut().for_each(|value| for_each_mut(value, visit)),
        _ => {}
    }
    visit(schema);
}

/// Replaces every reference by one to the name that `rename` gives.
pub(super) fn rename_references(schema: &mut Value, rename: &dyn Fn(&str) -> String) {
    for_each_mut(schema, &mut |schema| {
        if let Value::Object(map) = schema
            && let Some(name) = reference(map)
        {
            map.insert("$ref".to_owned(), Value::String(pointer(&rename(&name))));
        }
    });
}

/// Where the final name of a type is defined. It is an identifier, so only letters beyond ASCII need an escape.
fn pointer(name: &str) -> String {
    let mut pointer = String::from("#/$defs/");
    for char in name.chars() {
        if char.is_ascii() {
            pointer.push(char);
        } else {
            char.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| pointer.push_str(&format!("%{byte:02X}")));
        }
    }
    pointer
}

/// Keywords whose values are data, not schemas.
fn is_data(key: &str) -> bool {
    matches!(key, "const" | "enum" | "default" | "examples")
}

/// Keywords whose values are schemas by names of the user's.
fn is_named(key: &str) -> bool {
    matches!(key, "properties" | "patternProperties")
}

/// `socketio::Binary`.
pub(crate) fn is_binary(schema: &Map<String, Value>) -> bool {
    schema.get("format").is_some_and(|format| format == "binary")
}

/// Whether two schemas allow the same values, as far as they can be compared as they stand. Binary data never is the same: what may
/// be sent is more than what is received.
pub(super) fn same_values(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            if is_binary(a) || is_binary(b) {
                return false;
            }
            let keys = |map: &Map<String, Value>| map.keys().filter(|key| !is_annotation(key)).cloned().collect::<Vec<_>>();
            let (mut left, mut right) = (keys(a), keys(b));
            left.sort();
            right.sort();
            left == right && left.iter().all(|key| same_member(key, &a[key], &b[key]))
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_values(a, b)),
        _ => a == b,
    }
}

fn same_member(key: &str, a: &Value, b: &Value) -> bool {
    match (a, b) {
        // Below these the keys are names.
        (Value::Object(a), Value::Object(b)) if is_named(key) => {
            a.len() == b.len() && a.iter().all(|(name, schema)| b.get(name).is_some_and(|other| same_values(schema, other)))
        }
        _ if is_data(key) => a == b,
        _ => same_values(a, b),
    }
}

/// Keywords that say nothing about which values are allowed.
fn is_annotation(key: &str) -> bool {
    matches!(key, "description" | "title" | "default" | "examples" | "deprecated" | "readOnly" | "writeOnly" | "$comment")
}

/// The value with its keys sorted, whatever `serde_json` was built with.
pub(crate) fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> = map.into_iter().collect();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(entries.into_iter().map(|(key, value)| (key, sorted(value))).collect())
        }
        Value::Array(list) => list.into_iter().map(sorted).collect(),
        scalar => scalar,
    }
}
