//! From the model to code. One file per generated item:
//!
//! ```text
//! contract   trait Chat             the trait, as rustc and as rust-analyzer shall see it
//! emitter    struct ChatEmitter<T>  the typed caller: one method per event
//! describe   impl Events            name, caller, description for TypeScript and documents
//! namespace  impl Namespace         path, types of `auth` and `data`, what is emitted to whom
//! dispatch   impl Serve<H>          one `match` on the event's name
//! ```
//!
//! Generated code names `core`, `std`, the user's own types and `__private` of the runtime crate, nothing else. Its local
//! names are hygienic and its type parameters are spelled `__T` and `__H`, so that they meet nothing of the user's.

mod contract;
mod describe;
mod dispatch;
mod emitter;
mod namespace;
mod types;

use crate::{attr::Kind, model::Model};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

/// The code for a trait.
pub(crate) fn expand(model: &Model) -> TokenStream {
    let names = Names::new(model);
    let contract = contract::expand(model, &names);
    if !model.item.generics.params.is_empty() {
        // There is no `dyn Chat` to implement anything for; the trait alone keeps its users compiling.
        return contract;
    }
    let emitter = emitter::expand(model, &names);
    let describe = describe::expand(model, &names);
    let namespace = (model.kind == Kind::Namespace).then(|| namespace::expand(model, &names));
    let dispatch = dispatch::expand(model, &names);
    quote!(#contract #emitter #describe #namespace #dispatch)
}

/// What the generated items call each other.
struct Names {
    /// `socketio::__private`
    private: TokenStream,
    contract: Ident,
    emitter: Ident,
}

impl Names {
    fn new(model: &Model) -> Self {
        let krate = &model.attr.krate;
        Names {
            private: quote!(#krate::__private),
            contract: model.item.ident.clone(),
            emitter: format_ident!("{}Emitter", model.item.ident),
        }
    }
}

/// A local name that the user's names cannot meet.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// The same, with mistakes shown at `span`.
fn local_at(name: &str, span: Span) -> Ident {
    Ident::new(name, Span::mixed_site().located_at(span))
}
