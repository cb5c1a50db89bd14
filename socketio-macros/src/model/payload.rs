//! How the type of a parameter travels: what is decoded from the wire, and how it is lent to the handler.
//!
//! | written | decoded | lent as |
//! |---|---|---|
//! | `&str`, `Cow<str>` | string, borrowed from the packet if it has no escapes | `&str`, `Cow<str>` |
//! | `&T` / `&[T]` | `T` / `Vec<T>` | `&T` / `&[T]` |
//! | `T` | `T` | `T` |
//! | `Option<..>` of the above | the same, or nothing | `Option<..>` |

use super::{last_segment, peel};
use crate::errors::Errors;
use proc_macro2::TokenStream;
use quote::ToTokens as _;
use syn::{
    GenericArgument, Lifetime, PathArguments, PathSegment, Type, TypeReference,
    visit::{self, Visit},
};

/// One parameter that is an argument on the wire.
pub(crate) struct Payload {
    pub(crate) shape: Shape,
    /// It is written as `Option<..>`.
    pub(crate) option: bool,
    /// It may be missing: an `Option` with only `Option`s (or `#[rest]`) behind it.
    pub(crate) optional: bool,
}

/// The value of an argument, apart from a surrounding `Option`.
pub(crate) enum Shape {
    /// `&str`
    Str,
    /// `Cow<'_, str>`
    CowStr,
    /// `&[T]`
    Slice(Type),
    /// `&T`
    Ref(Type),
    /// `T`
    Own(Type),
    /// `#[rest] Vec<T>`
    Rest(Type),
}

impl Payload {
    /// Reads the type of a parameter. `None`: it cannot travel, which has been reported.
    pub(crate) fn read(ty: &Type, errors: &mut Errors) -> Option<Self> {
        let ty = peel(ty);
        let inner = last_segment(ty).filter(|segment| segment.ident == "Option").and_then(only_argument);
        let shape = match inner.map(peel) {
            // Only references are lent through an `Option`; `Option<Cow<str>>` is decoded as it is.
            Some(inner) if is_cow_str(inner) => Shape::Own(owned(inner, errors)?),
            Some(inner) => read_shape(inner, errors)?,
            None => read_shape(ty, errors)?,
        };
        Some(Payload { shape, option: inner.is_some(), optional: false })
    }

    /// Reads the type of a `#[rest]` parameter.
    pub(crate) fn read_rest(ty: &Type, errors: &mut Errors) -> Option<Self> {
        let Some(element) = last_segment(ty).filter(|segment| segment.ident == "Vec").and_then(only_argument) else {
            errors.on(ty, "`#[rest]` collects the remaining arguments: its type must be `Vec<T>`");
            return None;
        };
        Some(Payload { shape: Shape::Rest(owned(element, errors)?), option: false, optional: false })
    }
}

fn read_shape(ty: &Type, errors: &mut Errors) -> Option<Shape> {
    let Type::Reference(reference) = ty else {
        if is_vec_of_bytes(ty) {
            errors.on(ty, "`Vec<u8>` would be a JSON array of numbers: use `socketio::Binary` for Socket.IO binary data");
            return None;
        }
        if !is_cow_str(ty) {
            return owned(ty, errors).map(Shape::Own);
        }
        return lifetime_of_packet(ty, errors).then_some(Shape::CowStr);
    };
    if reference.mutability.is_some() {
        errors.on(ty, "payload parameters are decoded per event: take `T` or `&T`, not `&mut T`");
        return None;
    }
    if let Some(lifetime) = reference.lifetime.as_ref().filter(|lifetime| lifetime.ident == "static") {
        errors.at(lifetime.span(), STATIC);
        return None;
    }
    match peel(&reference.elem) {
        elem if is_ident(elem, "str") => Some(Shape::Str),
        Type::Slice(slice) if is_ident(&slice.elem, "u8") => {
            errors.on(ty, "`&[u8]` would be a JSON array of numbers: use `&socketio::Binary` for Socket.IO binary data");
            None
        }
        Type::Slice(slice) => owned(&slice.elem, errors).map(Shape::Slice),
        elem => owned(elem, errors).map(Shape::Ref),
    }
}

const STATIC: &str = "a payload lives as long as its packet: drop `'static`";

fn lifetime_of_packet(ty: &Type, errors: &mut Errors) -> bool {
    let before = errors.count();
    for argument in last_segment(ty).into_iter().flat_map(arguments) {
        if let GenericArgument::Lifetime(lifetime) = argument
            && lifetime.ident == "static"
        {
            errors.at(lifetime.span(), STATIC);
        }
    }
    errors.count() == before
}

/// A type that serde makes on its own: without references, `Self` or `impl Trait`.
fn owned(ty: &Type, errors: &mut Errors) -> Option<Type> {
    let found = Findings::in_type(ty);
    let nested_str = "a nested `&str` cannot borrow a JSON string that contains escapes: use `Cow<'_, str>` or `String` \
                      (a top-level `&str` or `Option<&str>` parameter is fine)";
    let nested = "a reference inside another type cannot be decoded: use an owned type (a top-level `&T`, `&[T]` or `Option<&T>` \
                  parameter is fine)";
    let problems = [
        (found.nested_str, nested_str),
        (found.reference, nested),
        (found.self_type, "a payload type is part of the wire contract and cannot mention `Self`"),
        (found.impl_trait, "payload parameters need a concrete type"),
    ];
    let problem = problems.into_iter().find_map(|(tokens, message)| Some((tokens?, message)));
    if let Some((tokens, message)) = problem {
        errors.on(tokens, message);
        return None;
    }
    Some(ty.clone())
}

/// What the type of a payload or of an acknowledgement must not contain: the first of each, as written.
#[derive(Default)]
pub(super) struct Findings {
    nested_str: Option<TokenStream>,
    pub(super) reference: Option<TokenStream>,
    /// A lifetime other than `'static`.
    pub(super) lifetime: Option<TokenStream>,
    pub(super) self_type: Option<TokenStream>,
    pub(super) impl_trait: Option<TokenStream>,
}

impl Findings {
    pub(super) fn in_type(ty: &Type) -> Self {
        let mut findings = Findings::default();
        findings.visit_type(ty);
        findings
    }
}

impl<'ast> Visit<'ast> for Findings {
    fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
        let slot = if is_ident(&reference.elem, "str") { &mut self.nested_str } else { &mut self.reference };
        slot.get_or_insert_with(|| reference.to_token_stream());
        self.reference.get_or_insert_with(|| reference.to_token_stream());
        visit::visit_type_reference(self, reference);
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        if lifetime.ident != "static" {
            self.lifetime.get_or_insert_with(|| lifetime.to_token_stream());
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.first().is_some_and(|segment| segment.ident == "Self") {
            self.self_type.get_or_insert_with(|| path.to_token_stream());
        }
        visit::visit_path(self, path);
    }

    fn visit_type_impl_trait(&mut self, ty: &'ast syn::TypeImplTrait) {
        self.impl_trait.get_or_insert_with(|| ty.to_token_stream());
    }

    fn visit_type_bare_fn(&mut self, _: &'ast syn::TypeBareFn) {
        // `PhantomData<fn(&T)>` holds no reference.
    }
}

fn arguments(segment: &PathSegment) -> impl Iterator<Item = &GenericArgument> {
    match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(arguments.args.iter()),
        _ => None,
    }
    .into_iter()
    .flatten()
}

fn only_argument(segment: &PathSegment) -> Option<&Type> {
    let mut arguments = arguments(segment);
    match (arguments.next(), arguments.next()) {
        (Some(GenericArgument::Type(ty)), None) => Some(ty),
        _ => None,
    }
}

fn is_vec_of_bytes(ty: &Type) -> bool {
    last_segment(ty).filter(|segment| segment.ident == "Vec").and_then(only_argument).is_some_and(|ty| is_ident(ty, "u8"))
}

fn is_cow_str(ty: &Type) -> bool {
    last_segment(ty).is_some_and(|segment| {
        segment.ident == "Cow" && matches!(arguments(segment).last(), Some(GenericArgument::Type(ty)) if is_ident(ty, "str"))
    })
}

fn is_ident(ty: &Type, name: &str) -> bool {
    matches!(peel(ty), Type::Path(path) if path.qself.is_none() && path.path.is_ident(name))
}
