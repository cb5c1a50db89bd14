//! What to do with input that is not a trait, or not yet: an editor sees half-typed traits all the time, and the trait must
//! not vanish while it is being typed.

use crate::attr::{Kind, MARKERS};
use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};

/// What is wrong with an item that is not a trait. rustc has already reported a plain syntax error; it stays short.
pub(crate) fn explain(kind: Kind, item: &TokenStream, error: syn::Error) -> syn::Error {
    let is_trait = item.clone().into_iter().any(|token| matches!(token, TokenTree::Ident(word) if word == "trait"));
    if !is_trait {
        let span = item.clone().into_iter().next().map_or_else(Span::call_site, |token| token.span());
        let message = format!("`#[{}]` goes on a trait, e.g. `#[{}] pub trait Chat {{ ... }}`", kind.name(), kind.example());
        return syn::Error::new(span, message);
    }
    let message = error.to_string();
    let brief = message.split(", expected one of").next().unwrap_or(&message);
    syn::Error::new(error.span(), format!("`#[{}]` cannot read this trait: {brief}", kind.name()))
}

/// The item without the attributes that only these macros understand, so that they are not reported, too.
pub(crate) fn without_markers(item: TokenStream) -> TokenStream {
    let mut kept = TokenStream::new();
    let mut tokens = item.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(hash) if hash.as_char() == '#' && tokens.next_if(is_marker).is_some() => {}
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), without_markers(group.stream()));
                inner.set_span(group.span());
                kept.extend([TokenTree::Group(inner)]);
            }
            token => kept.extend([token]),
        }
    }
    kept
}

/// `[event(..)]`, `[socketio::event]` and the like, of an attribute whose `#` has been read.
fn is_marker(token: &TokenTree) -> bool {
    let TokenTree::Group(group) = token else { return false };
    let path = group.stream().into_iter().take_while(|token| !matches!(token, TokenTree::Group(_)));
    let name = path.filter_map(|token| if let TokenTree::Ident(word) = token { Some(word) } else { None }).last();
    group.delimiter() == Delimiter::Bracket && name.is_some_and(|name| MARKERS.iter().any(|marker| name == marker))
}
