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
    let emits = events("Emits", "NoEvents", model.attr.emits.as_ref(), names);
    let cluster = events("Cluster", "NoServerEvents", model.attr.cluster.as_ref(), names);
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
    let declares = declares(model);
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
            #declares
        }
    }
}

/// Whether a name is that of an event; left to the default, which takes any, if there is always a fallback.
fn declares(model: &Model) -> Option<TokenStream> {
    let event = local("__event");
    let fallback = model.fallback.as_ref();
    if fallback.is_some_and(|hook| hook.cfgs.is_empty()) {
        return None;
    }
    let events = model.events.iter().filter(|event| !event.broken).map(|event| {
        let (cfgs, name) = (&event.cfgs, &event.name);
        quote!(#(#cfgs)* #name => true,)
    });
    let fallback = fallback.map(|hook| {
        let cfgs = &hook.cfgs;
        quote!(#(#cfgs)* _ => true,)
    });
    Some(quote! {
        #[allow(unreachable_patterns, clippy::all, clippy::pedantic, clippy::nursery)]
        fn declares(#event: &str) -> bool {
            match #event {
                #(#events)*
                #fallback
                _ => false,
            }
        }
    })
}

/// An associated type that is a set of events, none unless it is given.
fn events(name: &str, none: &str, given: Option<&Path>, names: &Names) -> TokenStream {
    let private = &names.private;
    let span = given.map_or_else(Span::call_site, Path::span);
    let name = Ident::new(name, span);
    match given {
        Some(events) => quote_spanned!(span=> type #name = dyn #events;),
        None => {
            let none = Ident::new(none, Span::call_site());
            quote!(type #name = dyn #private::#none;)
        }
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
