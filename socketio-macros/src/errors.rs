//! Every mistake in a trait, collected so that the user sees all of them in one compilation.
//!
//! Phases push and go on; only the entry point turns the collection into `compile_error!`s.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use std::fmt::Display;

/// The mistakes found so far. Dropping it without [`into_tokens`](Self::into_tokens) would hide them, and is a bug.
#[derive(Default)]
#[must_use]
pub(crate) struct Errors {
    list: Vec<syn::Error>,
    reported: bool,
}

impl Errors {
    /// Reports a mistake that is best shown at one place.
    pub(crate) fn at(&mut self, span: Span, message: impl Display) {
        self.push(syn::Error::new(span, message));
    }

    /// Reports a mistake that spans all of `tokens`.
    pub(crate) fn on(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        self.list.push(error);
    }

    /// How many there are; comparing two counts tells whether a step found any.
    pub(crate) fn count(&self) -> usize {
        self.list.len()
    }

    /// The `compile_error!`s, in the order in which the mistakes were found.
    pub(crate) fn into_tokens(mut self) -> TokenStream {
        self.reported = true;
        self.list.iter().map(syn::Error::to_compile_error).collect()
    }

    /// The messages alone.
    #[cfg(test)]
    pub(crate) fn into_messages(mut self) -> Vec<String> {
        self.reported = true;
        std::mem::take(&mut self.list).into_iter().flatten().map(|error| error.to_string()).collect()
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        debug_assert!(self.reported || std::thread::panicking(), "collected errors were not reported");
    }
}
