//! What each payload type is called.
//!
//! A type whose shape depends on who writes it becomes two: the shape that Rust writes keeps the name, what Rust reads gets `Input`
//! behind it. Everything else keeps its name, unless it cannot be one.

use super::{
    Error, Warning,
    walk::{Direction, references, same_values},
};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Schemas by the names that schemars gave them.
pub(super) type Definitions = Map<String, Value>;

/// The definitions of both directions, and which of them are used.
#[derive(Debug)]
pub(super) struct Used {
    pub(super) input: Definitions,
    pub(super) output: Definitions,
    pub(super) names: BTreeSet<(String, Direction)>,
}

impl Used {
    pub(super) fn definitions(&self, direction: Direction) -> &Definitions {
        match direction {
            Direction::Input => &self.input,
            Direction::Output => &self.output,
        }
    }

    /// Notes everything that a schema refers to, directly or not.
    pub(super) fn reach(&mut self, schema: &Value, direction: Direction) {
        let mut found = Vec::new();
        references(schema, &mut |name| found.push(name.to_owned()));
        for name in found {
            if self.names.insert((name.clone(), direction))
                && let Some(definition) = self.definitions(direction).get(&name).cloned()
            {
                self.reach(&definition, direction);
            }
        }
    }

    fn both_ways(&self, name: &str) -> bool {
        [Direction::Input, Direction::Output].into_iter().all(|direction| self.names.contains(&(name.to_owned(), direction)))
    }

    /// Definitions whose shape depends on the direction, by themselves or through what they refer to.
    fn differing(&self) -> BTreeSet<String> {
        let same = |name: &str| match (self.input.get(name), self.output.get(name)) {
            (Some(input), Some(output)) => same_values(input, output),
            _ => true,
        };
        let mut differ: BTreeSet<String> = self.input.keys().filter(|name| !same(name)).cloned().collect();
        loop {
            let before = differ.len();
            for (name, schema) in self.input.iter().chain(&self.output) {
                let mut through = false;
                references(schema, &mut |used| through |= differ.contains(used));
                if through {
                    differ.insert(name.clone());
                }
            }
            if differ.len() == before {
                return differ;
            }
        }
    }
}

/// The final names.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) of: BTreeMap<(String, Direction), String>,
    pub(super) warnings: BTreeSet<Warning>,
}

impl Names {
    /// Gives every used definition its name. `renamed`: by the user; `owned`: names that are taken, and by what.
    pub(super) fn assign(used: &Used, renamed: &BTreeMap<String, String>, owned: &BTreeMap<String, String>) -> Result<Self, Error> {
        let mut names = Names::default();
        let mut taken = BTreeSet::new();
        let definitions: BTreeSet<&String> = used.names.iter().map(|(name, _)| name).collect();
        // The user's choice comes first, whatever else is called like that.
        let (chosen, rest): (Vec<_>, Vec<_>) = definitions.into_iter().partition(|name| renamed.contains_key(*name));
        let mut base = BTreeMap::new();
        for definition in chosen {
            let name = renamed[definition].clone();
            if spelled(&name) != name || !taken.insert(name.clone()) {
                return Err(Error::BadName(name));
            }
            base.insert(definition.clone(), name);
        }
        for definition in rest {
            let name = free(spelled(definition), &taken);
            if name != *definition {
                names.warnings.insert(Warning::Respelled { from: definition.clone(), to: name.clone() });
            }
            if let Some(first) = numbered(definition).filter(|first| used.input.contains_key(*first)) {
                names.warnings.insert(Warning::SameName { base: first.to_owned(), name: name.clone() });
            }
            taken.insert(name.clone());
            base.insert(definition.clone(), name);
        }
        let differ = used.differing();
        for (definition, direction) in &used.names {
            let mut name = base[definition].clone();
            if *direction == Direction::Input && differ.contains(definition) && used.both_ways(definition) {
                let input = format!("{name}Input");
                name = free(input.clone(), &taken);
                if name != input {
                    names.warnings.insert(Warning::Respelled { from: input, to: name.clone() });
                }
                taken.insert(name.clone());
            }
            if let Some(owner) = owned.get(&name) {
                return Err(Error::NameTaken { name, owner: owner.clone() });
            }
            names.of.insert((definition.clone(), *direction), name);
        }
        Ok(names)
    }
}

/// `Page` of `Page2`: what schemars makes of the second type with one name.
fn numbered(name: &str) -> Option<&str> {
    let first = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let number: u32 = name[first.len()..].parse().ok()?;
    (number >= 2).then_some(first)
}

/// The name, or the next one that is free.
fn free(mut name: String, taken: &BTreeSet<String>) -> String {
    while taken.contains(&name) {
        name.push('_');
    }
    name
}

/// A name that TypeScript takes for a type of the user's.
fn spelled(name: &str) -> String {
    let legal = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let mut spelled: String = name.chars().map(|c| if legal(c) { c } else { '_' }).collect();
    if spelled.is_empty() || spelled.starts_with(char::is_numeric) {
        spelled.insert(0, '_');
    }
    if RESERVED.contains(&&*spelled) {
        spelled.push('_');
    }
    spelled
}

/// Names that a type cannot have, and those of the platform that generated files use.
const RESERVED: [&str; 52] = [
    "any",
    "unknown",
    "never",
    "void",
    "null",
    "undefined",
    "string",
    "number",
    "boolean",
    "bigint",
    "symbol",
    "object",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "default",
    "delete",
    "do",
    "else",
    "enum",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "import",
    "in",
    "instanceof",
    "new",
    "return",
    "super",
    "switch",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "var",
    "while",
    "with",
    "yield",
    "await",
    "ArrayBuffer",
    "ArrayBufferView",
    "Blob",
    "Uint8Array",
];
