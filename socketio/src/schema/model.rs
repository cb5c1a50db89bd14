//! `Model`: everything that documents are written from, with final names.

use super::{
    Error, Plan, Warning,
    names::{Names, Used},
    plan::{Described, Trait},
    walk::{Direction, references, rename_references},
};
use crate::describe::{AckSpec, Describe, EventSpec};
use schemars::Schema;
use serde_json::Value;
use std::{
    any::TypeId,
    collections::{BTreeMap, BTreeSet},
};

/// Namespaces, contracts and types, each list sorted by name.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) namespaces: Vec<Namespace>,
    pub(crate) contracts: Vec<Contract>,
    pub(crate) types: BTreeMap<String, TypeDef>,
    pub(crate) warnings: BTreeSet<Warning>,
}

/// A namespace.
#[derive(Debug)]
pub(crate) struct Namespace {
    pub(crate) name: String,
    pub(crate) docs: &'static str,
    /// The path, or its pattern.
    pub(crate) path: &'static str,
    /// The type of `auth`.
    pub(crate) auth: Option<Value>,
    /// The contract of what the server handles.
    pub(crate) handles: String,
    /// The contract of what clients handle.
    pub(crate) emits: Option<String>,
}

/// The events of a trait.
#[derive(Debug)]
pub(crate) struct Contract {
    pub(crate) name: String,
    pub(crate) docs: &'static str,
    /// The server emits them.
    pub(crate) emitted: bool,
    pub(crate) events: Vec<EventSpec>,
    id: TypeId,
}

/// A payload type.
#[derive(Debug)]
pub(crate) struct TypeDef {
    pub(crate) schema: Value,
    pub(crate) direction: Direction,
}

impl Contract {
    /// Who writes the arguments.
    pub(crate) fn arguments(&self) -> Direction {
        if self.emitted { Direction::Output } else { Direction::Input }
    }

    /// Who writes the acknowledgements.
    pub(crate) fn acknowledgements(&self) -> Direction {
        if self.emitted { Direction::Input } else { Direction::Output }
    }
}

impl Model {
    /// Describes what was registered.
    pub(crate) fn new(plan: &Plan, mut describe: Describe) -> Result<Self, Error> {
        let described = plan.describe(&mut describe)?;
        let included: Vec<(&'static str, Value)> =
            plan.included().iter().map(|extra| (extra.rust_name, (extra.schema)(&mut describe).to_value())).collect();
        let known: BTreeSet<String> =
            describe.input.definitions().keys().chain(describe.output.definitions().keys()).cloned().collect();
        let (mut namespaces, mut contracts) = (Vec::new(), Vec::new());
        // A trait that serves both ways keeps its name where it is handled.
        let mut emitted = Vec::new();
        for described in described {
            let Described { name, path, auth, handles, emits } = described;
            let docs = handles.docs;
            let handles = Contract::add(handles, false, &mut contracts)?;
            let auth = auth.map(Schema::to_value);
            namespaces.push(Namespace { name: name.to_owned(), docs, path, auth, handles, emits: None });
            emitted.push(emits);
        }
        for (namespace, emits) in namespaces.iter_mut().zip(emitted) {
            namespace.emits = emits.map(|emits| Contract::add(emits, true, &mut contracts)).transpose()?;
        }

        let mut warnings = BTreeSet::new();
        let mut renamed = BTreeMap::new();
        for (extra, name) in plan.renamed() {
            let definition = referred(&(extra.schema)(&mut describe).to_value()).ok_or_else(|| nameless(extra.rust_name))?;
            if !known.contains(&definition) {
                warnings.insert(Warning::UnusedRename(extra.rust_name.to_owned()));
            }
            renamed.insert(definition, name.clone());
        }

        let mut used = Used {
            input: describe.input.take_definitions(true),
            output: describe.output.take_definitions(true),
            names: BTreeSet::new(),
        };
        for (rust_name, schema) in &included {
            referred(schema).ok_or_else(|| nameless(rust_name))?;
            used.reach(schema, Direction::Output);
        }
        each_schema(&mut namespaces, &mut contracts, &mut |schema, direction| used.reach(schema, direction));
        let names = Names::assign(&used, &renamed, &owned_names(&namespaces, &contracts)?)?;
        let rename = |schema: &mut Value, direction: Direction| {
            rename_references(schema, &|name| {
                names.of.get(&(name.to_owned(), direction)).cloned().unwrap_or_else(|| name.to_owned())
            });
        };
        each_schema(&mut namespaces, &mut contracts, &mut |schema, direction| rename(schema, direction));
        let mut types = BTreeMap::new();
        for ((definition, direction), name) in &names.of {
            let Some(schema) = used.definitions(*direction).get(definition) else { continue };
            let mut schema = schema.clone();
            rename(&mut schema, *direction);
            types.insert(name.clone(), TypeDef { schema, direction: *direction });
        }
        warnings.extend(names.warnings);
        Ok(Model { namespaces, contracts, types, warnings })
    }
}

impl Contract {
    /// Adds a trait, unless it is there already. One that serves both ways becomes two contracts.
    fn add(described: Trait, emitted: bool, contracts: &mut Vec<Contract>) -> Result<String, Error> {
        let Trait { id, name, docs, events } = described;
        if contracts.iter().any(|known| known.id != id && known.name == name) {
            return Err(Error::SameTrait(name.to_owned()));
        }
        if let Some(known) = contracts.iter().find(|known| known.id == id && known.emitted == emitted) {
            return Ok(known.name.clone());
        }
        let serves_both_ways = contracts.iter().any(|known| known.id == id);
        let name = if serves_both_ways { format!("{name}Emitted") } else { name.to_owned() };
        if contracts.iter().any(|known| known.name == name) {
            return Err(Error::SameTrait(name));
        }
        contracts.push(Contract { name: name.clone(), docs, emitted, events, id });
        Ok(name)
    }
}

/// Every schema of an event or of `auth`, with who writes the value.
fn each_schema(namespaces: &mut [Namespace], contracts: &mut [Contract], visit: &mut dyn FnMut(&mut Value, Direction)) {
    for auth in namespaces.iter_mut().filter_map(|namespace| namespace.auth.as_mut()) {
        visit(auth, Direction::Input);
    }
    for contract in contracts {
        let (arguments, acknowledgements) = (contract.arguments(), contract.acknowledgements());
        let mut on = |schema: &mut Schema, direction| {
            let mut value = std::mem::take(schema).to_value();
            visit(&mut value, direction);
            *schema = Schema::try_from(value).expect("invariant: a schema whose references were renamed is a schema");
        };
        for event in &mut contract.events {
            event.args.iter_mut().for_each(|arg| on(&mut arg.schema, arguments));
            match &mut event.ack {
                AckSpec::None | AckSpec::Empty => {}
                AckSpec::Value(value) => on(value, acknowledgements),
                AckSpec::Result(data, error) => {
                    on(data, acknowledgements);
                    on(error, acknowledgements);
                }
            }
        }
    }
}

/// The names that generated types have, beside the payload types, and whose they are.
fn owned_names(namespaces: &[Namespace], contracts: &[Contract]) -> Result<BTreeMap<String, String>, Error> {
    let mut owned: BTreeMap<String, String> =
        contracts.iter().map(|contract| (contract.name.clone(), format!("the trait `{}`", contract.name))).collect();
    for namespace in namespaces {
        for suffix in ["Socket", "Path", "Auth"] {
            let name = format!("{}{suffix}", namespace.name);
            if owned.contains_key(&name) {
                return Err(Error::SameTrait(name));
            }
            owned.insert(name, format!("what is generated for the namespace `{}`", namespace.name));
        }
    }
    Ok(owned)
}

fn referred(schema: &Value) -> Option<String> {
    let mut found = None;
    references(schema, &mut |name| found = Some(name.to_owned()));
    found.filter(|_| schema.get("$ref").is_some())
}

fn nameless(rust_name: &str) -> Error {
    Error::Nameless(rust_name.to_owned())
}
