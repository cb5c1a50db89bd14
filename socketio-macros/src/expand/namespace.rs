//! `impl Namespace for dyn Chat`: path, documentation, the types of `auth` and `data`, and what the server
//! emits here, to its clients and to other servers.

use super::{Names, local};
use crate::model::Model;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{LitStr, Path, Type, spanned::Spanned as _};

pub(super) fn expand(model: &Model, names: &Names) -> TokenStream {
    let Names { private, contract, .. } = names;
    let path = model.attr.path.clone().unwrap_or_else(|| LitStr::new("/", Span::call_site()));
    let docs = &model.docs;
    let emits = events("Emits", model.attr.emits.as_ref(), names);
    let cluster = events("Cluster", model.attr.cluster.as_ref(), names);
    let auth = payload("Auth", model.attr.auth.as_ref());
    let data = payload("Data", model.attr.data.as_ref());
    let describe = model.attr.auth.as_ref().filter(|_| model.attr.schema).map(|auth| {
        let describe = local("__describe");
        let schema = quote_spanned!(auth.span()=> #describe.auth::<#auth>());
        quote! {
            fn describe_auth(#describe: &mut #private::describe::Describe) -> ::core::option::Option<#private::describe::Schema> {
                ::core::option::Option::Some(#schema)
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl #private::Namespace for dyn #contract {
            const PATH: &'static str = #path;
            const DOCS: &'static str = #docs;
            #emits
            #auth
            #data
            #cluster
            #describe
        }
    }
}

/// An associated type that is a set of events, none unless it is given.
fn events(name: &str, given: Option<&Path>, names: &Names) -> TokenStream {
    let private = &names.private;
    let span = given.map_or_else(Span::call_site, Path::span);
    let name = Ident::new(name, span);
    match given {
        Some(events) => quote_spanned!(span=> type #name = dyn #events;),
        None => quote!(type #name = dyn #private::NoEvents;),
    }
}

/// An associated type that is `()` unless it is given; what the given one lacks is reported where it stands.
fn payload(name: &str, given: Option<&Type>) -> TokenStream {
    let span = given.map_or_else(Span::call_site, Type::span);
    let name = Ident::new(name, span);
    match given {
        Some(ty) => quote_spanned!(span=> type #name = #ty;),
        None => quote!(
            type #name = ();
        ),
    }
}
