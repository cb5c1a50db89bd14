//! What was registered. Describing happens later, in an order of our own, so that the order of registration does not matter.

use super::Error;
use crate::{
    contract::{Events, Namespace},
    describe::{Describe, EventSpec},
};
use schemars::{JsonSchema, Schema};
use std::{
    any::{TypeId, type_name},
    fmt,
};

/// Namespaces, types that no event mentions, and new names for types.
#[derive(Clone, Default)]
pub(crate) struct Plan {
    namespaces: Vec<Registered>,
    included: Vec<Extra>,
    renamed: Vec<(Extra, String)>,
}

#[derive(Clone, Copy)]
struct Registered {
    id: TypeId,
    name: &'static str,
    path: &'static str,
    describe: fn(&mut Describe) -> Result<Described, Error>,
}

/// A type that is named by the user.
#[derive(Clone, Copy)]
pub(super) struct Extra {
    pub(super) rust_name: &'static str,
    pub(super) schema: fn(&mut Describe) -> Schema,
}

/// A namespace as it describes itself.
pub(super) struct Described {
    pub(super) name: &'static str,
    pub(super) path: &'static str,
    pub(super) auth: Option<Schema>,
    pub(super) handles: Trait,
    /// `None`: it emits nothing.
    pub(super) emits: Option<Trait>,
}

/// A trait as it describes itself.
pub(super) struct Trait {
    pub(super) id: TypeId,
    pub(super) name: &'static str,
    pub(super) docs: &'static str,
    pub(super) events: Vec<EventSpec>,
}

impl Plan {
    pub(crate) fn namespace<N: Namespace + ?Sized>(&mut self) {
        let registered = Registered { id: TypeId::of::<N>(), name: N::NAME, path: N::PATH, describe: describe::<N> };
        if self.namespaces.iter().all(|known| known.id != registered.id) {
            self.namespaces.push(registered);
        }
    }

    pub(crate) fn include<T: JsonSchema + ?Sized>(&mut self) {
        self.included.push(Extra::of::<T>());
    }

    pub(crate) fn rename<T: JsonSchema + ?Sized>(&mut self, name: String) {
        self.renamed.push((Extra::of::<T>(), name));
    }

    /// Every namespace, sorted by name.
    pub(super) fn describe(&self, describe: &mut Describe) -> Result<Vec<Described>, Error> {
        let mut sorted = self.namespaces.clone();
        sorted.sort_by_key(|namespace| (namespace.name, namespace.path));
        sorted.iter().map(|namespace| (namespace.describe)(describe)).collect()
    }

    /// The types that no event mentions, sorted by name.
    pub(super) fn included(&self) -> Vec<Extra> {
        let mut sorted = self.included.clone();
        sorted.sort_by_key(|extra| extra.rust_name);
        sorted
    }

    pub(super) fn renamed(&self) -> &[(Extra, String)] {
        &self.renamed
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.namespaces.iter().map(|namespace| namespace.name)).finish()
    }
}

impl Extra {
    fn of<T: JsonSchema + ?Sized>() -> Self {
        Extra { rust_name: type_name::<T>(), schema: Describe::sent::<T> }
    }
}

fn describe<N: Namespace + ?Sized>(describe: &mut Describe) -> Result<Described, Error> {
    let auth = N::describe_auth(describe);
    let handles = one::<N>(describe)?;
    let emits = describe.emitted(one::<N::Emits>)?;
    let emits = (TypeId::of::<N::Emits>() != TypeId::of::<dyn crate::contract::NoEvents>()).then_some(emits);
    Ok(Described { name: N::NAME, path: N::PATH, auth, handles, emits })
}

fn one<E: Events + ?Sized>(describe: &mut Describe) -> Result<Trait, Error> {
    let (docs, events) = describe.one(E::describe).ok_or_else(|| Error::NoSchema(E::NAME.to_owned()))?;
    Ok(Trait { id: TypeId::of::<E>(), name: E::NAME, docs, events })
}
