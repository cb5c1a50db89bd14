//! One event: its name on the wire, its arguments, and how it is acknowledged.

use super::{Payload, Receiver, Shape, doc_text, last_segment, payload::Findings, peel};
use crate::{
    attr::{self, EventAttr},
    casing::Casing,
    errors::Errors,
};
use proc_macro2::Span;
use syn::{
    Attribute, Expr, ExprLit, FnArg, GenericParam, Ident, Lit, LitStr, Meta, Pat, PatType, ReturnType, Signature, TraitItemFn,
    Type, spanned::Spanned as _,
};

/// An event of a trait.
pub(crate) struct Event {
    /// The method as written, without markers.
    pub(crate) signature: Signature,
    /// The name on the wire.
    pub(crate) name: String,
    /// Where the name stands: at the literal, or at the method.
    pub(crate) name_span: Span,
    pub(crate) volatile: Option<Span>,
    pub(crate) receiver: Receiver,
    /// Everything but the receiver, in order.
    pub(crate) args: Vec<Arg>,
    pub(crate) reply: Reply,
    /// Where the return type stands: what it lacks is reported there.
    pub(crate) reply_span: Span,
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) doc_text: String,
    pub(crate) deprecation: Option<Deprecation>,
    /// A mistake was reported; only a stand-in for the caller method can be made.
    pub(crate) broken: bool,
}

/// A parameter.
pub(crate) struct Arg {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// How it travels. `None`: `#[extract]`, made where the event arrives.
    pub(crate) payload: Option<Payload>,
}

/// What the return type says about the acknowledgement.
pub(crate) enum Reply {
    /// There is none.
    None,
    /// `-> Ack`: no value.
    Empty(Type),
    /// `-> T`
    Value(Type),
    /// `-> Result<T, E>`, or an alias of that name.
    Result(Type),
}

/// `#[deprecated]`, to be copied to the caller and shown in documentation.
pub(crate) struct Deprecation {
    pub(crate) attr: Attribute,
    pub(crate) note: String,
}

impl Event {
    /// Reads a method that carries `#[event]`, and removes the markers of its parameters.
    pub(crate) fn read(attr: &Attribute, method: &mut TraitItemFn, casing: Option<Casing>, errors: &mut Errors) -> Self {
        let before = errors.count();
        let options = EventAttr::parse(attr, errors);
        let spoken = text(&method.sig.ident);
        let (name, name_span) = match &options.name {
            Some(name) => (name.value(), name.span()),
            None => (casing.map_or_else(|| spoken.clone(), |casing| casing.apply(&spoken)), method.sig.ident.span()),
        };
        check_signature(&method.sig, errors);
        let receiver = Receiver::read(&method.sig, errors);
        let provided = method.default.is_some();
        let parameters = method.sig.inputs.iter_mut().filter_map(|input| match input {
            FnArg::Typed(parameter) => Some(parameter),
            FnArg::Receiver(_) => None,
        });
        let mut args: Vec<Arg> = parameters.filter_map(|parameter| Arg::read(parameter, provided, errors)).collect();
        mark_optional(&mut args);
        let reply = Reply::read(&method.sig, errors);
        let reply_span = match &method.sig.output {
            ReturnType::Default => method.sig.ident.span(),
            ReturnType::Type(_, ty) => ty.span(),
        };
        Event {
            signature: method.sig.clone(),
            name,
            name_span,
            volatile: options.volatile,
            receiver,
            args,
            reply,
            reply_span,
            cfgs: attr::copies(&method.attrs, "cfg"),
            docs: attr::copies(&method.attrs, "doc"),
            doc_text: doc_text(&method.attrs),
            deprecation: method.attrs.iter().find(|attr| attr.path().is_ident("deprecated")).map(Deprecation::read),
            broken: errors.count() != before,
        }
    }

    /// The parameters that travel, with how they do.
    pub(crate) fn payload(&self) -> impl Iterator<Item = (&Arg, &Payload)> {
        self.args.iter().filter_map(|arg| Some((arg, arg.payload.as_ref()?)))
    }
}

impl Arg {
    fn read(parameter: &mut PatType, provided: bool, errors: &mut Errors) -> Option<Self> {
        let extract = attr::take(&mut parameter.attrs, "extract");
        let rest = attr::take(&mut parameter.attrs, "rest");
        for attr in &parameter.attrs {
            if attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr") {
                errors.on(attr, "an event has the same arguments in every build: put `#[cfg(..)]` on the method instead");
            } else if !attr.path().is_ident("allow") && !attr.path().is_ident("expect") {
                errors.on(attr, "unknown parameter attribute: expected `#[extract]` or `#[rest]`");
            }
        }
        parameter.attrs.retain(|attr| attr.path().is_ident("allow") || attr.path().is_ident("expect"));
        let ident = match &*parameter.pat {
            Pat::Ident(pat) if pat.subpat.is_none() && pat.by_ref.is_none() && (provided || pat.mutability.is_none()) => {
                pat.ident.clone()
            }
            pattern => {
                errors.on(pattern, "name the parameter: patterns are not allowed here (destructure it inside the method)");
                if !provided {
                    // rustc need not say so, too.
                    *parameter.pat = syn::parse_quote!(_);
                }
                return None;
            }
        };
        let ty = (*parameter.ty).clone();
        let payload = match (extract, rest) {
            (Some(_), None) => None,
            (None, None) => Some(Payload::read(&ty, errors)?),
            (None, Some(_)) => Some(Payload::read_rest(&ty, errors)?),
            (Some(_), Some(attr)) => {
                errors.on(attr, "an `#[extract]` parameter is not on the wire, so it cannot be `#[rest]`");
                return None;
            }
        };
        Some(Arg { ident, ty, payload })
    }

    /// The name that documentation, rejections and other languages show; an underscore that silences rustc is not part of it.
    pub(crate) fn label(&self) -> String {
        let name = text(&self.ident);
        match name.trim_start_matches('_') {
            "" => name,
            trimmed => trimmed.to_owned(),
        }
    }
}

impl Reply {
    fn read(signature: &Signature, errors: &mut Errors) -> Self {
        let ReturnType::Type(_, ty) = &signature.output else { return Reply::None };
        let ty = peel(ty);
        if signature.asyncness.is_none() && matches!(ty, Type::ImplTrait(_)) {
            // A future written by hand, which has been reported.
            return Reply::None;
        }
        if matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty()) {
            let message =
                "`-> ()` is ambiguous: drop it if the client gets no acknowledgement, or return `socketio::Ack` for an empty one";
            errors.on(ty, message);
            return Reply::None;
        }
        let found = Findings::in_type(ty);
        let problems = [
            (found.self_type, "an acknowledgement type is part of the wire contract and cannot mention `Self`"),
            (found.impl_trait, "an acknowledgement needs a concrete type: the other side decodes it"),
            (found.reference, "an acknowledgement is serialized after the handler returns: return an owned type"),
            (found.lifetime, "an acknowledgement is serialized after the handler returns: return an owned type"),
        ];
        if let Some((tokens, message)) = problems.into_iter().find_map(|(tokens, message)| Some((tokens?, message))) {
            errors.on(tokens, message);
            return Reply::None;
        }
        match last_segment(ty).map(|segment| segment.ident.to_string()).as_deref() {
            Some("Result") => Reply::Result(ty.clone()),
            Some("Ack") => Reply::Empty(ty.clone()),
            _ => Reply::Value(ty.clone()),
        }
    }
}

impl Deprecation {
    fn read(attr: &Attribute) -> Self {
        let mut note = String::new();
        match &attr.meta {
            Meta::NameValue(meta) => {
                if let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &meta.value {
                    note = text.value();
                }
            }
            Meta::List(_) => {
                // Whatever is wrong with it, rustc reports.
                let _ = attr.parse_nested_meta(|meta| {
                    let value: LitStr = meta.value()?.parse()?;
                    if meta.path.is_ident("note") {
                        note = value.value();
                    }
                    Ok(())
                });
            }
            Meta::Path(_) => {}
        }
        Deprecation { attr: attr.clone(), note }
    }
}

/// `-> impl Future<Output = T>`, written by hand.
pub(super) fn returns_future(signature: &Signature) -> bool {
    matches!(&signature.output, ReturnType::Type(_, ty) if matches!(**ty, Type::ImplTrait(_)))
}

fn check_signature(signature: &Signature, errors: &mut Errors) {
    if signature.asyncness.is_none() {
        let hint = if returns_future(signature) { " (write `async fn` and the plain return type)" } else { "" };
        errors.at(signature.fn_token.span(), format!("event methods are `async fn`{hint}"));
    }
    let qualifiers = [
        signature.constness.map(|token| token.span()),
        signature.unsafety.map(|token| token.span()),
        signature.abi.as_ref().map(syn::spanned::Spanned::span),
        signature.variadic.as_ref().map(syn::spanned::Spanned::span),
    ];
    for span in qualifiers.into_iter().flatten() {
        errors.at(span, "event methods are plain `async fn`");
    }
    for parameter in &signature.generics.params {
        if !matches!(parameter, GenericParam::Lifetime(_)) {
            errors.on(parameter, "event methods cannot be generic: the payload type must be known on both sides of the wire");
        }
    }
}

/// From the end: an `Option` may be missing as long as everything behind it may be.
fn mark_optional(args: &mut [Arg]) {
    let mut tail = true;
    for arg in args.iter_mut().rev() {
        let Some(payload) = &mut arg.payload else { continue };
        match payload.shape {
            Shape::Rest(_) => {}
            _ if payload.option => payload.optional = tail,
            _ => tail = false,
        }
    }
}

/// An identifier as text, without `r#`.
fn text(ident: &Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map(str::to_owned).unwrap_or(name)
}
