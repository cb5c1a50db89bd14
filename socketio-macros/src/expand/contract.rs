//! The trait itself, twice: as written for rust-analyzer, and for rustc with each `async fn` spelled out as a function that
//! returns a future which is `Send`.
//!
//! `where Self: Sized` on every method makes `dyn Chat` a legal name. The runtime crate picks the variant, because a `cfg`
//! in generated code would need a `check-cfg` entry in every user's crate.

use super::Names;
use crate::{attr::Kind, model::Model};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Block, ItemTrait, ReturnType, Stmt, Token, TraitItem, TraitItemFn, parse_quote, spanned::Spanned as _};

pub(super) fn expand(model: &Model, names: &Names) -> TokenStream {
    let Names { private, contract, .. } = names;
    let written = with_supertraits(&model.item);
    let mut desugared = written.clone();
    for item in &mut desugared.items {
        if let TraitItem::Fn(method) = item {
            desugar(method);
        }
    }
    let (what, note) = match model.kind {
        Kind::Namespace => {
            ("namespace", format!("a connect handler for `dyn {contract}` must return `Result<S, _>` where `S: {contract}`"))
        }
        Kind::Events => ("events", format!("pass a value whose type implements `{contract}` to handle these events")),
    };
    let label = format!("needs `impl {contract} for {{Self}}`");
    let message = format!("`{{Self}}` does not implement the {what} trait `{contract}`");
    quote! {
        #private::pick_trait! {
            {
                #[diagnostic::on_unimplemented(message = #message, label = #label, note = #note)]
                #desugared
            }
            { #written }
        }
    }
}

fn with_supertraits(item: &ItemTrait) -> ItemTrait {
    let mut item = item.clone();
    item.colon_token.get_or_insert_with(<Token![:]>::default);
    item.supertraits.push(parse_quote!(::core::marker::Send));
    item.supertraits.push(parse_quote!(::core::marker::Sync));
    item.supertraits.push(parse_quote!('static));
    item
}

fn desugar(method: &mut TraitItemFn) {
    let signature = &mut method.sig;
    if signature.asyncness.take().is_some() {
        let (output, span) = match &signature.output {
            ReturnType::Default => (quote!(()), signature.ident.span()),
            ReturnType::Type(_, ty) => (quote!(#ty), ty.span()),
        };
        let future = quote_spanned!(span=> impl ::core::future::Future<Output = #output> + ::core::marker::Send);
        signature.output = ReturnType::Type(Token![->](span), Box::new(syn::Type::Verbatim(future)));
        if let Some(body) = &mut method.default {
            let written = body.clone();
            let future = syn::Expr::Verbatim(quote!(async move #written));
            *body = Block { brace_token: body.brace_token, stmts: vec![Stmt::Expr(future, None)] };
            // The parameters' names are part of the contract, also where a default body ignores them.
            method.attrs.push(parse_quote!(#[allow(unused_variables, clippy::manual_async_fn)]));
        }
    }
    signature.generics.make_where_clause().predicates.push(parse_quote!(Self: ::core::marker::Sized));
}
