//! What the macro understood: the trait without its markers, and a list of events and hooks.
//!
//! ```text
//! attr + syn::ItemTrait -> Model { events: [Event { args: [Arg { payload }], reply }], hooks }
//! ```
//!
//! Building the model never stops at a mistake: an event that cannot be understood is kept as `broken`, so that its caller
//! method still exists and one mistake is not reported again at every call.
//! Not here: rules that look at several items or at names on the wire; see `check`.

mod event;
mod hook;
mod payload;

pub(crate) use event::{Arg, Event, Reply};
pub(crate) use hook::{Hook, HookKind};
pub(crate) use payload::{Payload, Shape};

use crate::{
    attr::{self, Kind, TraitAttr},
    errors::Errors,
};
use syn::{Attribute, Expr, ExprLit, FnArg, ItemTrait, Lit, Meta, PathSegment, Signature, Token, TraitItem, TraitItemFn, Type};

/// A namespace or a set of events.
pub(crate) struct Model {
    pub(crate) kind: Kind,
    pub(crate) attr: TraitAttr,
    /// The trait as written, without the attributes that only these macros read.
    pub(crate) item: ItemTrait,
    pub(crate) events: Vec<Event>,
    pub(crate) fallback: Option<Hook>,
    pub(crate) disconnect: Option<Hook>,
    pub(crate) middleware: Option<Hook>,
    /// The doc comment of the trait as text.
    pub(crate) docs: String,
}

impl Model {
    pub(crate) fn new(kind: Kind, attr: TraitAttr, mut item: ItemTrait, errors: &mut Errors) -> Self {
        if let Some(attr) = attr::take(&mut item.attrs, "async_trait") {
            errors.on(&attr, format!("remove `#[async_trait]`: `#[{}]` supports `async fn` directly", kind.name()));
        }
        let items = std::mem::take(&mut item.items);
        let docs = doc_text(&item.attrs);
        let mut model = Model { kind, attr, item, events: Vec::new(), fallback: None, disconnect: None, middleware: None, docs };
        for member in items {
            match member {
                TraitItem::Fn(mut method) => {
                    model.method(&mut method, errors);
                    model.item.items.push(TraitItem::Fn(method));
                }
                TraitItem::Type(item) => {
                    errors.on(item, "associated types are not part of a wire contract; name the concrete type in the method");
                }
                TraitItem::Const(item) => {
                    errors.on(item, "associated constants are not supported in a namespace trait; move it to an inherent `impl`");
                }
                TraitItem::Macro(item) => {
                    errors.on(item, format!("`#[{}]` cannot see what a macro call expands to; write the methods out", kind.name()));
                }
                other => model.item.items.push(other),
            }
        }
        model
    }

    /// Reads one method and removes its markers.
    fn method(&mut self, method: &mut TraitItemFn, errors: &mut Errors) {
        let event = attr::take(&mut method.attrs, "event");
        let hooks = HookKind::ALL.map(|kind| attr::take(&mut method.attrs, kind.name()).map(|attr| (kind, attr)));
        let hooks: Vec<_> = hooks.into_iter().flatten().collect();
        let name = &method.sig.ident;
        if hooks.len() + usize::from(event.is_some()) > 1 {
            let message =
                "a method is either an `#[event]` or one hook (`#[fallback]`, `#[disconnect]`, `#[middleware]`), not several";
            errors.at(name.span(), message);
        }
        let is_marked = event.is_some() || !hooks.is_empty();
        let conditional = take_conditional_markers(&mut method.attrs);
        for attr in &conditional {
            errors.on(attr, "`#[event]` cannot be conditional; put `#[cfg(..)]` on the method instead");
        }
        if let Some(attr) = event {
            self.events.push(Event::read(&attr, method, self.attr.casing, errors));
        } else if let Some((kind, attr)) = hooks.into_iter().next() {
            let slot = match kind {
                HookKind::Fallback => &mut self.fallback,
                HookKind::Disconnect => &mut self.disconnect,
                HookKind::Middleware => &mut self.middleware,
            };
            if kind == HookKind::Disconnect && self.kind == Kind::Events {
                errors.on(attr, "`#[disconnect]` is a server-side hook: move it to the `#[namespace]` trait");
            } else if slot.is_some() {
                errors.on(attr, format!("only one `#[{}]` method per trait", kind.name()));
            } else {
                *slot = Hook::read(kind, method, errors);
            }
        } else if method.default.is_none() && conditional.is_empty() {
            let hint = "add `#[event]` (or a hook attribute), or give it a default body to make it a plain helper";
            errors.at(name.span(), format!("`{name}` is not marked: {hint}"));
        }
        if is_marked && method.sig.asyncness.is_none() && !event::returns_future(&method.sig) {
            // Reported by now. Implementations are async as they should be, and rustc need not say that they differ.
            method.sig.asyncness = Some(<Token![async]>::default());
        }
    }
}

/// How a method takes `self`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Receiver {
    /// `&self`
    Ref,
    /// `self: Arc<Self>`
    Arc,
}

impl Receiver {
    /// Reads the receiver of an event or a hook; what is wrong is reported.
    fn read(signature: &Signature, errors: &mut Errors) -> Self {
        match signature.inputs.first() {
            Some(FnArg::Receiver(receiver)) if receiver.reference.is_some() => {
                if receiver.mutability.is_some() {
                    let message =
                        "handlers of one socket run concurrently: take `&self` and keep mutable state behind a `Mutex` or atomic";
                    errors.on(receiver, message);
                }
                Receiver::Ref
            }
            Some(FnArg::Receiver(receiver)) => {
                let arc =
                    receiver.colon_token.is_some() && last_segment(&receiver.ty).is_some_and(|segment| segment.ident == "Arc");
                if !arc {
                    let message =
                        "the session outlives a single event: take `&self` (or `self: Arc<Self>` to spawn from a handler)";
                    errors.on(receiver, message);
                }
                Receiver::Arc
            }
            _ => {
                let method = &signature.ident;
                errors.at(method.span(), format!("missing `&self`: write `async fn {method}(&self, ...)`"));
                Receiver::Ref
            }
        }
    }
}

/// Removes `#[cfg_attr(.., event)]` and the like.
fn take_conditional_markers(attrs: &mut Vec<Attribute>) -> Vec<Attribute> {
    let conditional = |attr: &Attribute| {
        let Meta::List(list) = &attr.meta else { return false };
        let mut tokens = list.tokens.clone().into_iter();
        attr.path().is_ident("cfg_attr")
            && tokens.any(
                |token| matches!(token, proc_macro2::TokenTree::Ident(word) if attr::MARKERS.iter().any(|marker| word == marker)),
            )
    };
    let taken = attrs.iter().filter(|attr| conditional(attr)).cloned().collect();
    attrs.retain(|attr| !conditional(attr));
    taken
}

/// The text of the doc comments, one line per line, without the space that follows `///`.
fn doc_text(attrs: &[Attribute]) -> String {
    let line = |attr: &Attribute| match &attr.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    };
    let lines: Vec<String> =
        attrs.iter().filter_map(line).map(|line| line.strip_prefix(' ').map(str::to_owned).unwrap_or(line)).collect();
    lines.join("\n")
}

/// The last segment of a path type: `Vec<u8>` of `std::vec::Vec<u8>`.
fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match peel(ty) {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        _ => None,
    }
}

/// The type without parentheses and without the invisible groups that `macro_rules!` leaves.
fn peel(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => peel(&group.elem),
        Type::Paren(paren) => peel(&paren.elem),
        _ => ty,
    }
}
