//! Namespaces and their payload types as one model with final names: what TypeScript and AsyncAPI are written from.
//!
//! ```text
//! Plan: what was registered, in any order
//!   | sorted, described once
//!   v
//! Describe: schemars' definitions, twice (what Rust reads, what Rust writes)
//!   | names: which shapes differ between the directions, what each is called
//!   v
//! Model: namespaces, contracts, types; every `$ref` is `#/$defs/<final name>`
//! ```
//!
//! Not here: any text; see `typescript` and `asyncapi`.

mod model;
mod names;
mod plan;
mod problem;
mod walk;

pub(crate) use model::{Contract, Model, Namespace};
pub(crate) use plan::Plan;
pub use problem::{Error, Warning};
pub(crate) use walk::{Direction, for_each_mut, is_binary, reference, sorted};
