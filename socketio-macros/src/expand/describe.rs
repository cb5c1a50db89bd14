//! `impl Events for dyn Chat`: the name, the caller, and a description of every event for TypeScript and documents.

use super::{Names, local, types};
use crate::model::{Event, Model, Reply, Shape};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;

pub(super) fn expand(model: &Model, names: &Names) -> TokenStream {
    let Names { private, contract, emitter } = names;
    let name = contract.to_string();
    let (describe, events) = (local("__describe"), local("__events"));
    let described = model.events.iter().filter(|event| model.attr.schema && !event.broken).map(|event| {
        let (cfgs, spec) = (&event.cfgs, spec(event, names));
        quote!(#(#cfgs)* #events.push(#spec);)
    });
    let docs = &model.docs;
    let contract_docs = model.attr.schema.then(|| quote!(#describe.contract(#docs);));
    quote! {
        #[automatically_derived]
        impl #private::Events for dyn #contract {
            const NAME: &'static str = #name;
            type Emitter<__T: #private::Target> = #emitter<__T>;
            fn emitter<__T: #private::Target>(target: __T) -> #emitter<__T> {
                #emitter(target)
            }
            #[allow(unused_mut, unused_variables, clippy::all, clippy::pedantic)]
            fn describe(#describe: &mut #private::describe::Describe) -> ::std::vec::Vec<#private::describe::EventSpec> {
                #contract_docs
                let mut #events = ::std::vec::Vec::new();
                #(#described)*
                #events
            }
        }
    }
}

fn spec(event: &Event, names: &Names) -> TokenStream {
    let private = &names.private;
    let describe = local("__describe");
    let (name, docs) = (&event.name, &event.doc_text);
    let deprecated = event.deprecation.as_ref().map(|deprecation| {
        let note = &deprecation.note;
        quote!(.deprecated(#note))
    });
    let volatile = event.volatile.map(|_| quote!(.volatile()));
    let args = event.payload().map(|(arg, payload)| {
        let (label, span) = (arg.label(), arg.ty.span());
        let ty = types::described(payload);
        let (method, ty) = match payload.shape {
            Shape::Rest(_) => (quote!(rest), ty),
            _ if payload.optional => (quote!(optional), ty),
            _ if payload.option => (quote!(arg), quote!(::core::option::Option<#ty>)),
            _ => (quote!(arg), ty),
        };
        let schema = quote_spanned!(span=> #describe.arg::<#ty>());
        quote!(.#method(#label, #schema))
    });
    let span = event.reply_span;
    let ack = match &event.reply {
        Reply::None => None,
        Reply::Empty(_) => Some(quote!(.ack_empty())),
        Reply::Value(ty) => {
            let ty = types::fixed(ty);
            let schema = quote_spanned!(span=> #describe.ack::<#ty>());
            Some(quote!(.ack_value(#schema)))
        }
        Reply::Result(ty) => {
            let (ok, err) = types::result(&types::fixed(ty), names);
            let ok = quote_spanned!(span=> #describe.ack::<#ok>());
            let err = quote_spanned!(span=> #describe.ack::<#err>());
            Some(quote!(.ack_result(#ok, #err)))
        }
    };
    quote!(#private::describe::EventSpec::new(#name, #docs) #deprecated #volatile #(#args)* #ack)
}
