//! What can be wrong with a set of contracts, and what is only worth knowing.

/// Why no document can be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A trait does not describe its types.
    #[error("`{0}` says `schema = false`, so its types are unknown: remove that, or leave the namespace out")]
    NoSchema(String),
    /// Two traits have one name, or one is called like something that is generated for another.
    #[error("two different things are called `{0}`: rename one of the traits, or write them into separate files")]
    SameTrait(String),
    /// A payload type is called like something that is generated.
    #[error(
        "the type `{name}` and {owner} cannot both be called `{name}`: rename the type with `.rename::<T>(\"..\")` or with \
         `#[schemars(rename = \"..\")]`"
    )]
    NameTaken {
        /// The name.
        name: String,
        /// What else is called so.
        owner: String,
    },
    /// A type that was to be renamed or included has no definition of its own, such as `String`.
    #[error("`{0}` has no name of its own in the schema, so it can be neither renamed nor included")]
    Nameless(String),
    /// A new name is no identifier, or two types would have it.
    #[error("`{0}` cannot be the name of a type: it is no identifier, or another type has it")]
    BadName(String),
}

/// Something that works but deserves a look.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// A 64-bit or 128-bit integer.
    #[error(
        "`{at}` is `{format}`: JavaScript's numbers are exact up to 2^53 - 1 only. Send it as a string (`#[serde(with = ..)]` and \
         `#[schemars(with = \"String\")]`), or state its limit with `#[schemars(range(max = ..))]`"
    )]
    Precision {
        /// The path of the value, such as `Profile.id`.
        at: String,
        /// The format that schemars gives, such as `uint64`.
        format: String,
    },
    /// Bytes that travel as a JSON array.
    #[error("`{at}` travels as a JSON array of numbers: use `socketio::Binary` for binary data")]
    Bytes {
        /// The path of the value.
        at: String,
    },
    /// Two types have one name, so one got a number.
    #[error(
        "two types are called `{base}`, and which of them is `{name}` depends on the order of the events: rename one with \
         `.rename::<T>(\"..\")` or `#[schemars(rename = \"..\")]` (of a generic type: `#[schemars(rename = \"{base}_{{T}}\")]`)"
    )]
    SameName {
        /// The name of both.
        base: String,
        /// What one of them is called now.
        name: String,
    },
    /// A type has a name that cannot be used.
    #[error("the type `{from}` had to be called `{to}`")]
    Respelled {
        /// The name in Rust.
        from: String,
        /// The name that it got.
        to: String,
    },
    /// A rename of a type that no event uses.
    #[error("`{0}` was renamed, but no event uses it")]
    UnusedRename(String),
}
