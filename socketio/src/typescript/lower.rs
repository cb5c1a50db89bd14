//! JSON Schema to TypeScript types, with the warnings on the way.
//!
//! Keywords that TypeScript cannot express (`minimum`, `pattern`, `not`, ...) are left out: the type then allows more than the schema.

use super::ty::{Docs, Member, Slot, Ty};
use crate::schema::{Direction, Model, Warning, is_binary, reference};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Names that generated files bring along, chosen so that no type of the user has them.
#[derive(Debug)]
pub(super) struct Helpers {
    /// The type of `socket.io-client`.
    pub(super) socket: String,
    pub(super) reply: String,
    pub(super) binary: String,
    pub(super) binary_input: String,
}

impl Helpers {
    pub(super) fn new(model: &Model) -> Self {
        let taken = |name: &str| model.types.contains_key(name) || model.contracts.iter().any(|contract| contract.name == name);
        let free = |name: &str| {
            let mut name = name.to_owned();
            while taken(&name) {
                name.push('_');
            }
            name
        };
        Helpers { socket: free("Socket"), reply: free("Reply"), binary: free("Binary"), binary_input: free("BinaryInput") }
    }
}

/// Turns schemas into types.
#[derive(Debug)]
pub(super) struct Lower<'a> {
    pub(super) model: &'a Model,
    pub(super) helpers: &'a Helpers,
    pub(super) warnings: BTreeSet<Warning>,
    /// The path of the value, for warnings.
    pub(super) at: String,
}

/// The longest array of fixed length that becomes a tuple.
const LONGEST_TUPLE: u64 = 4;
/// 2^53 - 1, the last of the integers that JavaScript's numbers tell apart.
const MAX_SAFE_INTEGER: u64 = 9_007_199_254_740_991;

impl Lower<'_> {
    /// Lowers something inside of the current value.
    fn inside(&mut self, step: &str, schema: &Value, direction: Direction) -> Ty {
        let length = self.at.len();
        self.at.push_str(step);
        let ty = self.lower(schema, direction);
        self.at.truncate(length);
        ty
    }

    /// The type of a schema: the intersection of everything it asks for.
    pub(super) fn lower(&mut self, schema: &Value, direction: Direction) -> Ty {
        let map = match schema {
            Value::Bool(false) => return Ty::name("never"),
            Value::Object(map) => map,
            _ => return Ty::name("unknown"),
        };
        if let Some(value) = map.get("const") {
            return literal(value);
        }
        if let Some(values) = map.get("enum").and_then(Value::as_array) {
            return Ty::union(values.iter().map(|value| (Docs::default(), literal(value))));
        }
        if map.get("not").is_some_and(is_anything) {
            return Ty::name("never");
        }
        let mut parts = Vec::new();
        if let Some(name) = reference(map) {
            // A struct without fields would rule out what stands beside it.
            let empty = self.model.types.get(&name).and_then(|def| def.schema.as_object()).is_some_and(is_empty_object);
            if !(empty && map.contains_key("properties")) {
                parts.push(Ty::Name(name));
            }
        }
        let alone = parts.is_empty() && !["oneOf", "anyOf", "allOf"].iter().any(|key| map.contains_key(*key));
        if let Some(ty) = self.by_type(map, alone, direction) {
            parts.push(ty);
        }
        for key in ["oneOf", "anyOf"] {
            if let Some(variants) = map.get(key).and_then(Value::as_array) {
                let variants =
                    variants.iter().map(|variant| (docs(variant, direction), self.lower(variant, direction))).collect::<Vec<_>>();
                parts.push(Ty::union(variants));
            }
        }
        for part in map.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            parts.push(self.lower(part, direction));
        }
        match (parts.len(), parts.pop()) {
            (_, None) => Ty::name("unknown"),
            (1, Some(only)) => only,
            (_, Some(last)) => {
                parts.push(last);
                Ty::Intersection(parts)
            }
        }
    }

    /// What `type` and the keywords that belong to it say; nothing if they say no more than what stands beside them.
    fn by_type(&mut self, map: &Map<String, Value>, alone: bool, direction: Direction) -> Option<Ty> {
        match map.get("type") {
            Some(Value::String(name)) => self.of_type(name, map, alone, direction),
            Some(Value::Array(names)) => {
                let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
                Some(Ty::union(
                    names.into_iter().filter_map(|name| Some((Docs::default(), self.of_type(name, map, true, direction)?))),
                ))
            }
            _ if map.contains_key("properties") => self.of_type("object", map, alone, direction),
            _ => None,
        }
    }

    fn of_type(&mut self, name: &str, map: &Map<String, Value>, alone: bool, direction: Direction) -> Option<Ty> {
        Some(match name {
            "string" if is_binary(map) => match direction {
                Direction::Input => Ty::name(&self.helpers.binary_input),
                Direction::Output => Ty::name(&self.helpers.binary),
            },
            "string" => Ty::name("string"),
            "boolean" => Ty::name("boolean"),
            "null" => Ty::Literal("null".to_owned()),
            "integer" | "number" => {
                self.watch_precision(map);
                Ty::name("number")
            }
            "array" => self.array(map, direction),
            "object" => return self.object(map, alone, direction),
            _ => Ty::name("unknown"),
        })
    }

    fn watch_precision(&mut self, map: &Map<String, Value>) {
        let format = map.get("format").and_then(Value::as_str).unwrap_or_default();
        let bounded = map.get("maximum").and_then(Value::as_u64).is_some_and(|maximum| maximum <= MAX_SAFE_INTEGER);
        if matches!(format, "int64" | "uint64" | "int128" | "uint128" | "int" | "uint") && !bounded {
            self.warnings.insert(Warning::Precision { at: self.at.clone(), format: format.to_owned() });
        }
    }

    fn array(&mut self, map: &Map<String, Value>, direction: Direction) -> Ty {
        let length = |key: &str| map.get(key).and_then(Value::as_u64);
        if let Some(elements) = map.get("prefixItems").and_then(Value::as_array) {
            let slots =
                elements.iter().enumerate().map(|(at, element)| Slot::new("", self.inside(&format!(".{at}"), element, direction)));
            let mut slots: Vec<Slot> = slots.collect();
            let closed = map.get("items") == Some(&Value::Bool(false)) || length("maxItems") == Some(elements.len() as u64);
            if !closed {
                let rest = map.get("items").map_or_else(|| Ty::name("unknown"), |items| self.inside("[]", items, direction));
                slots.push(Slot { rest: true, ..Slot::new("", Ty::Array(Box::new(rest))) });
            }
            return Ty::Tuple(slots);
        }
        if length("maxItems") == Some(0) {
            return Ty::Tuple(Vec::new());
        }
        let Some(items) = map.get("items") else { return Ty::Array(Box::new(Ty::name("unknown"))) };
        if items.get("format").is_some_and(|format| format == "uint8") {
            self.warnings.insert(Warning::Bytes { at: self.at.clone() });
        }
        let element = self.inside("[]", items, direction);
        match (length("minItems"), length("maxItems")) {
            (Some(count), Some(most)) if count == most && count <= LONGEST_TUPLE => {
                Ty::Tuple((0..count).map(|_| Slot::new("", element.clone())).collect())
            }
            _ => Ty::Array(Box::new(element)),
        }
    }

    fn object(&mut self, map: &Map<String, Value>, alone: bool, direction: Direction) -> Option<Ty> {
        let members = self.members(map, direction);
        let index = self.index(map, direction);
        match (members.is_empty(), index) {
            (true, Some((key, ty))) => Some(Ty::Object(vec![index_of(key, ty)])),
            (true, None) => alone.then(|| Ty::Object(vec![index_of("string", Ty::name("never"))])),
            (false, None) => Some(Ty::Object(members)),
            // An index signature speaks of every property, so beside named ones it has to be loose.
            (false, Some((key, _))) => {
                Some(Ty::Intersection(vec![Ty::Object(members), Ty::Object(vec![index_of(key, Ty::name("unknown"))])]))
            }
        }
    }

    fn members(&mut self, map: &Map<String, Value>, direction: Direction) -> Vec<Member> {
        let required: Vec<&str> =
            map.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let mut properties: Vec<(&String, &Value)> =
            map.get("properties").and_then(Value::as_object).into_iter().flatten().collect();
        // Whether a map keeps the order of declaration depends on a feature of `serde_json` that another crate may switch on.
        // `required` is a list, which always does.
        let rank = |name: &str| required.iter().position(|required| *required == name).unwrap_or(usize::MAX);
        properties.sort_by(|(a, _), (b, _)| (rank(a), a).cmp(&(rank(b), b)));
        let member = |(name, schema): (&String, &Value)| Member {
            docs: docs(schema, direction),
            key: key(name),
            optional: !required.contains(&&**name),
            ty: self.inside(&format!(".{name}"), schema, direction),
        };
        properties.into_iter().map(member).collect()
    }

    /// The key and the value of an index signature.
    fn index(&mut self, map: &Map<String, Value>, direction: Direction) -> Option<(&'static str, Ty)> {
        let mut key = "number";
        let mut types = Vec::new();
        for (pattern, schema) in map.get("patternProperties").and_then(Value::as_object).into_iter().flatten() {
            if !matches!(&**pattern, r"^\d+$" | r"^-?\d+$") {
                key = "string";
            }
            types.push((Docs::default(), self.inside("[]", schema, direction)));
        }
        match map.get("additionalProperties") {
            None | Some(Value::Bool(false)) => {}
            Some(schema) => {
                key = "string";
                types.push((Docs::default(), self.inside("[]", schema, direction)));
            }
        }
        (!types.is_empty()).then(|| (key, Ty::union(types)))
    }
}

fn index_of(key: &str, ty: Ty) -> Member {
    Member { docs: Docs::default(), key: format!("[key: {key}]"), optional: false, ty }
}

/// A schema that allows every value.
fn is_anything(schema: &Value) -> bool {
    *schema == Value::Bool(true) || schema.as_object().is_some_and(Map::is_empty)
}

/// A struct without fields.
fn is_empty_object(map: &Map<String, Value>) -> bool {
    let silent = |key: &String| matches!(key.as_str(), "type" | "description" | "deprecated" | "title");
    map.get("type").is_some_and(|name| name == "object") && map.keys().all(silent)
}

/// The documentation of a schema.
pub(super) fn docs(schema: &Value, direction: Direction) -> Docs {
    let mut docs = Docs(schema.get("description").and_then(Value::as_str).unwrap_or_default().trim().to_owned());
    if let Some(value) = schema.get("default").filter(|value| direction == Direction::Input && !value.is_null()) {
        docs = docs.tag(&format!("@default {value}"));
    }
    if schema.get("deprecated") == Some(&Value::Bool(true)) {
        docs = docs.tag("@deprecated");
    }
    docs
}

/// A property's name, quoted if it is no identifier.
pub(super) fn key(name: &str) -> String {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '$');
    let plain = starts && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$');
    if plain { name.to_owned() } else { Value::from(name).to_string() }
}

/// The type of one value.
fn literal(value: &Value) -> Ty {
    match value {
        Value::Array(values) => Ty::Tuple(values.iter().map(|value| Slot::new("", literal(value))).collect()),
        Value::Object(map) => {
            let member = |(name, value): (&String, &Value)| Member {
                docs: Docs::default(),
                key: key(name),
                optional: false,
                ty: literal(value),
            };
            Ty::Object(map.iter().map(member).collect())
        }
        scalar => Ty::Literal(scalar.to_string()),
    }
}
