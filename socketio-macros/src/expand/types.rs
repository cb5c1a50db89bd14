//! Types as they have to be spelled where generated code repeats them.

use super::Names;
use crate::model::{Payload, Reply, Shape};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{GenericArgument, Lifetime, PathArguments, Type, TypeReference, spanned::Spanned as _, visit_mut::VisitMut};

/// The type with its lifetimes elided: for the parameters of other functions, and for function bodies.
pub(super) fn elided(ty: &Type) -> Type {
    with_lifetime(ty, "'_")
}

/// The type with its lifetimes made `'static`: for descriptions and constants.
pub(super) fn fixed(ty: &Type) -> Type {
    with_lifetime(ty, "'static")
}

fn with_lifetime(ty: &Type, lifetime: &'static str) -> Type {
    struct Replace(&'static str);
    impl VisitMut for Replace {
        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            if lifetime.ident != "static" {
                *lifetime = Lifetime::new(self.0, lifetime.span());
            }
        }

        fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
            if reference.lifetime.is_none() && self.0 == "'static" {
                reference.lifetime = Some(Lifetime::new("'static", reference.span()));
            }
            syn::visit_mut::visit_type_reference_mut(self, reference);
        }

        fn visit_type_bare_fn_mut(&mut self, _: &mut syn::TypeBareFn) {
            // Its lifetimes are its own.
        }
    }
    let mut ty = ty.clone();
    Replace(lifetime).visit_type_mut(&mut ty);
    ty
}

/// The value and the error of an acknowledgement.
pub(super) fn reply(reply: &Reply, names: &Names) -> Option<(TokenStream, TokenStream)> {
    match reply {
        Reply::None => None,
        Reply::Empty(ty) | Reply::Value(ty) => Some((quote!(#ty), quote!(::core::convert::Infallible))),
        Reply::Result(ty) => Some(result(ty, names)),
    }
}

/// `Result<T, E>` is split as written; an alias such as `Result<T>` goes through a projection.
pub(super) fn result(ty: &Type, names: &Names) -> (TokenStream, TokenStream) {
    if let Type::Path(path) = ty
        && let Some(PathArguments::AngleBracketed(arguments)) = path.path.segments.last().map(|segment| &segment.arguments)
        && let [GenericArgument::Type(ok), GenericArgument::Type(err)] = &*arguments.args.iter().cloned().collect::<Vec<_>>()
    {
        return (quote!(#ok), quote!(#err));
    }
    let private = &names.private;
    (
        quote_spanned!(ty.span()=> <#ty as #private::probe::IsResult>::Ok),
        quote_spanned!(ty.span()=> <#ty as #private::probe::IsResult>::Err),
    )
}

/// The type that is decoded for an argument; an `Option` around it is left to the caller.
pub(super) fn decoded(payload: &Payload, names: &Names) -> TokenStream {
    let private = &names.private;
    match &payload.shape {
        Shape::Str | Shape::CowStr => quote!(#private::args::CowStr<'_>),
        shape => owned(shape, elided),
    }
}

/// The type that describes an argument; an `Option` around it is left to the caller.
pub(super) fn described(payload: &Payload) -> TokenStream {
    owned(&payload.shape, fixed)
}

fn owned(shape: &Shape, spell: fn(&Type) -> Type) -> TokenStream {
    match shape {
        Shape::Str | Shape::CowStr => quote!(::std::string::String),
        Shape::Slice(ty) => {
            let ty = spell(ty);
            quote!(::std::vec::Vec<#ty>)
        }
        Shape::Ref(ty) | Shape::Own(ty) | Shape::Rest(ty) => {
            let ty = spell(ty);
            quote!(#ty)
        }
    }
}
