//! `impl Namespace for dyn Chat`: path, documentation, what the server emits here, and the type of `auth`.

use super::{Names, local};
use crate::model::Model;
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{LitStr, spanned::Spanned as _};

pub(super) fn expand(model: &Model, names: &Names) -> TokenStream {
    let Names { private, contract, .. } = names;
    let path = model.attr.path.clone().unwrap_or_else(|| LitStr::new("/", Span::call_site()));
    let docs = &model.docs;
    let emits = match &model.attr.emits {
        Some(emits) => quote_spanned!(emits.span()=> type Emits = dyn #emits;),
        None => quote!(type Emits = dyn #private::NoEvents;),
    };
    let auth = match &model.attr.auth {
        Some(auth) => quote_spanned!(auth.span()=> type Auth = #auth;),
        None => quote!(
            type Auth = ();
        ),
    };
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
            #describe
        }
    }
}
