//! The typed caller: a struct around a target, with one inherent method per event, so that completion lists the events and
//! nothing has to be imported.
//!
//! ```text
//! pub fn join(&self, room: &str) -> __T::Reply<u32, ChatError> {
//!     let mut __body = BodyWriter::event("join");
//!     __body.arg(&room);
//!     self.0.ask(__body.finish(), decode::result::<u32, ChatError>)
//! }
//! ```

use super::{Names, local, types};
use crate::model::{Arg, Event, Model, Reply, Shape};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{FnArg, Pat, spanned::Spanned as _};

pub(super) fn expand(model: &Model, names: &Names) -> TokenStream {
    let Names { private, contract, emitter } = names;
    let visibility = &model.item.vis;
    let doc = format!("Typed caller of the events of [`{contract}`]; what `.emit()` returns.");
    let methods =
        model.events.iter().map(|event| if event.broken { stand_in(model, event, names) } else { method(model, event, names) });
    quote! {
        #[doc = #doc]
        #[derive(::core::fmt::Debug)]
        #[allow(dead_code)]
        #visibility struct #emitter<T>(T);

        #[allow(dead_code, non_snake_case, clippy::all, clippy::pedantic, clippy::nursery)]
        impl<__T: #private::Target> #emitter<__T> {
            #(#methods)*
        }
    }
}

fn method(model: &Model, event: &Event, names: &Names) -> TokenStream {
    let private = &names.private;
    let (ident, name, cfgs) = (&event.signature.ident, &event.name, &event.cfgs);
    let (visibility, docs, deprecated) =
        (&model.item.vis, docs(event), event.deprecation.iter().map(|deprecation| &deprecation.attr));
    let body = local("__body");
    let parameters = event.payload().map(|(Arg { ident, ty, .. }, _)| {
        let ty = types::elided(ty);
        quote!(#ident: #ty)
    });
    let write = event.payload().map(|(arg, payload)| {
        // A type that cannot be serialized is reported at the type.
        let span = arg.ty.span();
        let mut ident = arg.ident.clone();
        ident.set_span(ident.span().located_at(span));
        match payload.shape {
            Shape::Rest(_) => quote_spanned!(span=> #body.rest(&#ident);),
            _ => quote_spanned!(span=> #body.arg(&#ident);),
        }
    });
    let volatile = event.volatile.map(|_| quote!(#body.volatile();));
    let (returns, send) = match types::reply(&event.reply, names) {
        None => (quote!(__T::Sent), quote!(self.0.send(#body.finish()))),
        Some((ok, err)) => {
            let span = event.reply_span;
            let decode = match &event.reply {
                Reply::None | Reply::Empty(_) => quote_spanned!(span=> #private::decode::empty::<#err>),
                Reply::Value(_) => quote_spanned!(span=> #private::decode::value::<#ok, #err>),
                Reply::Result(_) => quote_spanned!(span=> #private::decode::result::<#ok, #err>),
            };
            (quote!(__T::Reply<#ok, #err>), quote!(self.0.ask(#body.finish(), #decode)))
        }
    };
    quote! {
        #(#cfgs)*
        #docs
        #(#deprecated)*
        #visibility fn #ident(&self, #(#parameters),*) -> #returns {
            let mut #body = #private::BodyWriter::event(#name);
            #(#write)*
            #volatile
            #send
        }
    }
}

/// A method for an event that could not be understood: calls to it are not mistakes.
fn stand_in(model: &Model, event: &Event, names: &Names) -> TokenStream {
    let (ident, generics, cfgs, docs) = (&event.signature.ident, &event.signature.generics, &event.cfgs, docs(event));
    let (visibility, clause) = (&model.item.vis, &generics.where_clause);
    let extracted = |pattern: &Pat| {
        let named = |arg: &Arg| matches!(pattern, Pat::Ident(pattern) if pattern.ident == arg.ident);
        event.args.iter().any(|arg| arg.payload.is_none() && named(arg))
    };
    let parameters = event.signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(parameter) if !extracted(&parameter.pat) => {
            let ty = &parameter.ty;
            Some(quote!(_: #ty))
        }
        _ => None,
    });
    let returns = types::reply(&event.reply, names).map_or_else(|| quote!(__T::Sent), |(ok, err)| quote!(__T::Reply<#ok, #err>));
    quote! {
        #(#cfgs)*
        #docs
        #visibility fn #ident #generics (&self, #(#parameters),*) -> #returns #clause {
            ::core::unimplemented!()
        }
    }
}

/// The event's own documentation, or a line in its place.
fn docs(event: &Event) -> TokenStream {
    let docs = &event.docs;
    if docs.is_empty() {
        let doc = format!("Emits `{}`.", event.name);
        return quote!(#[doc = #doc]);
    }
    quote!(#(#docs)*)
}
