//! Whether clients can send the `auth` payload of a contract: the protocol has room for a JSON object there, or for nothing.
//!
//! Not here: reading a payload; see `extract`.

use crate::{contract::Namespace, describe::Describe};
use serde_json::{Map, Value};

/// False if no client can ever connect with the payload's type; true also if its schema does not tell.
pub(super) fn can_be_sent<N: Namespace + ?Sized>() -> bool {
    let mut describe = Describe::default();
    let schema = N::describe_auth(&mut describe);
    schema.is_none_or(|schema| takes_object(schema.as_value(), describe.input.definitions(), 0))
}

/// `null` counts, too: a payload that is left out is one for `()` and `Option`.
fn takes_object(schema: &Value, definitions: &Map<String, Value>, depth: usize) -> bool {
    /// Deeper references than these are not worth following: they may be circles.
    const DEEPEST: usize = 16;
    let fits = |name: &Value| matches!(name.as_str(), Some("object" | "null"));
    let Some(schema) = schema.as_object().filter(|_| depth < DEEPEST) else { return schema != &Value::Bool(false) };
    let by_type = match schema.get("type") {
        Some(Value::Array(names)) => names.iter().any(fits),
        Some(name) => fits(name),
        None => true,
    };
    let by_value = match (schema.get("const"), schema.get("enum").and_then(Value::as_array)) {
        (Some(value), _) => value.is_object() || value.is_null(),
        (None, Some(values)) => values.iter().any(|value| value.is_object() || value.is_null()),
        (None, None) => true,
    };
    let of_several = ["anyOf", "oneOf"].iter().filter_map(|key| schema.get(*key)?.as_array());
    let by_variant = of_several.map(|variants| variants.iter().any(|variant| takes_object(variant, definitions, depth + 1)));
    let referred = schema.get("$ref").and_then(Value::as_str).and_then(|path| definitions.get(path.strip_prefix("#/$defs/")?));
    let by_reference = referred.is_none_or(|schema| takes_object(schema, definitions, depth + 1));
    by_type && by_value && by_reference && by_variant.into_iter().all(|fits| fits)
}

#[cfg(test)]
mod tests {
    #![allow(dead_code, reason = "types are looked at, not made")]

    use super::*;
    use schemars::{JsonSchema, generate::SchemaSettings};
    use std::collections::HashMap;

    #[derive(JsonSchema)]
    struct Login {
        name: String,
    }

    #[derive(JsonSchema)]
    struct Token(String);

    #[derive(JsonSchema)]
    struct Nothing;

    #[derive(JsonSchema)]
    enum Names {
        Ann,
        Bob,
    }

    #[derive(JsonSchema)]
    enum Kinds {
        Guest,
        Member(Login),
    }

    #[derive(JsonSchema)]
    #[serde(untagged)]
    enum Untagged {
        Token(String),
        Login { name: String },
    }

    fn check<T: JsonSchema>() -> bool {
        let mut generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
        let schema = generator.subschema_for::<T>();
        takes_object(schema.as_value(), generator.definitions(), 0)
    }

    #[test]
    fn what_may_be_an_object_or_left_out_is_fine() {
        assert!(check::<Login>() && check::<Option<Login>>() && check::<Option<String>>());
        assert!(check::<()>() && check::<Nothing>() && check::<Value>() && check::<HashMap<String, u8>>());
        assert!(check::<Kinds>() && check::<Untagged>() && check::<Box<Login>>());
    }

    #[test]
    fn what_is_never_an_object_is_not() {
        assert!(!check::<String>() && !check::<Token>() && !check::<u32>() && !check::<bool>());
        assert!(!check::<Vec<Login>>() && !check::<(String, u8)>() && !check::<Names>());
    }
}
