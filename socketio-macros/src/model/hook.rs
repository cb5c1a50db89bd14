//! Methods that the runtime calls on occasions other than an event: `#[fallback]`, `#[disconnect]`, `#[middleware]`.

use super::Receiver;
use crate::{attr, errors::Errors};
use proc_macro2::Span;
use syn::{Attribute, FnArg, Ident, ReturnType, Signature, TraitItemFn, spanned::Spanned as _};

/// Which hook a method is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HookKind {
    Fallback,
    Disconnect,
    Middleware,
}

impl HookKind {
    pub(crate) const ALL: [HookKind; 3] = [HookKind::Fallback, HookKind::Disconnect, HookKind::Middleware];

    /// The attribute's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            HookKind::Fallback => "fallback",
            HookKind::Disconnect => "disconnect",
            HookKind::Middleware => "middleware",
        }
    }

    fn example(self) -> &'static str {
        match self {
            HookKind::Fallback => "async fn fallback(&self, event: &str, args: RawArgs<'_>)",
            HookKind::Disconnect => "async fn disconnected(&self, reason: DisconnectReason)",
            HookKind::Middleware => "async fn check(&self, event: &Incoming) -> Result<(), Rejection>",
        }
    }

    fn matches(self, signature: &Signature) -> bool {
        let returns = matches!(signature.output, ReturnType::Type(..));
        let (parameters, value) = match self {
            HookKind::Fallback => (2, false),
            HookKind::Disconnect => (1, false),
            HookKind::Middleware => (1, true),
        };
        let typed = signature.inputs.iter().filter(|input| matches!(input, FnArg::Typed(_))).count();
        signature.asyncness.is_some()
            && signature.generics.type_params().next().is_none()
            && typed == parameters
            && returns == value
    }
}

/// A hook of a trait.
pub(crate) struct Hook {
    pub(crate) method: Ident,
    pub(crate) receiver: Receiver,
    pub(crate) cfgs: Vec<Attribute>,
    /// Where the types of the parameters stand: a wrong type is reported there.
    pub(crate) parameters: Vec<Span>,
    /// Where the return type stands; the method's name without one.
    pub(crate) returns: Span,
}

impl Hook {
    pub(crate) fn read(kind: HookKind, method: &TraitItemFn, errors: &mut Errors) -> Option<Self> {
        let signature = &method.sig;
        if !kind.matches(signature) {
            errors.on(signature, format!("a `#[{}]` method looks like `{}`", kind.name(), kind.example()));
            return None;
        }
        let before = errors.count();
        let receiver = Receiver::read(signature, errors);
        let span = |input: &FnArg| match input {
            FnArg::Typed(parameter) => Some(parameter.ty.span()),
            FnArg::Receiver(_) => None,
        };
        (errors.count() == before).then(|| Hook {
            method: signature.ident.clone(),
            receiver,
            cfgs: attr::copies(&method.attrs, "cfg"),
            parameters: signature.inputs.iter().filter_map(span).collect(),
            returns: match &signature.output {
                ReturnType::Default => signature.ident.span(),
                ReturnType::Type(_, ty) => ty.span(),
            },
        })
    }
}
