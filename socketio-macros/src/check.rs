//! Rules that hold between the items of a trait, or between a trait and Socket.IO; one function each, named after the rule.

use crate::{
    attr::Kind,
    errors::Errors,
    model::{Event, Model, Payload, Reply, Shape},
};
use quote::ToTokens as _;
use syn::{Ident, LitStr, Path, TypeParamBound, spanned::Spanned as _};

/// Events that Socket.IO emits itself, on one side or the other.
const RESERVED: [&str; 6] = ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// Supertraits without which `dyn Trait` cannot be written.
const NOT_NAMEABLE: [&str; 4] = ["Sized", "Clone", "Copy", "Default"];

/// Applies every rule; events that break one are marked as broken.
pub(crate) fn check(model: &mut Model, errors: &mut Errors) {
    plain_trait(model, errors);
    if let Some(path) = &model.attr.path {
        namespace_path(path, errors);
    }
    plain_trait_path("emits", model.attr.emits.as_mut(), errors);
    plain_trait_path("cluster", model.attr.cluster.as_mut(), errors);
    wire_names(model, errors);
    unique_wire_names(model, errors);
    rest_is_last(model, errors);
    volatile_without_ack(model, errors);
}

/// A contract is one concrete trait that `dyn Trait` can name.
fn plain_trait(model: &Model, errors: &mut Errors) {
    let (item, name) = (&model.item, model.kind.name());
    if !item.generics.params.is_empty() {
        let message =
            format!("a `#[{name}]` trait cannot be generic: its events form one wire contract; use concrete payload types");
        errors.on(&item.generics, message);
    }
    if let Some(span) = item.unsafety.map(|token| token.span()).or(item.auto_token.map(|token| token.span())) {
        errors.at(span, format!("a `#[{name}]` trait is a plain `trait`"));
    }
    for bound in &item.supertraits {
        if let TypeParamBound::Trait(bound) = bound
            && let Some(ident) = bound.path.segments.last().map(|segment| &segment.ident)
            && NOT_NAMEABLE.iter().any(|supertrait| ident == supertrait)
        {
            let message =
                format!("`{ident}` cannot be a supertrait here: `dyn {}` is the name of the contract in types", item.ident);
            errors.on(bound, message);
        }
    }
}

/// The path is one that packets can carry; `{name}` stands for a whole segment.
fn namespace_path(literal: &LitStr, errors: &mut Errors) {
    let path = literal.value();
    let mut report = |message: String| errors.at(literal.span(), message);
    if !path.starts_with('/') {
        return report(format!("a namespace path starts with `/`: write \"/{path}\""));
    }
    if path.len() > 1 && path.ends_with('/') {
        report(format!("trailing `/`: write \"{}\"", path.trim_end_matches('/')));
    } else if path.contains("//") {
        report("a path segment is empty".to_owned());
    }
    if let Some(illegal) = path.chars().find(|c| matches!(c, ',' | '?' | '#') || c.is_whitespace() || c.is_control()) {
        let reason = "Socket.IO packets use `,` to end the path and `?` to start its query";
        report(format!("`{}` cannot appear in a namespace path: {reason}", illegal.escape_debug()));
    }
    let mut parameters: Vec<&str> = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment.strip_prefix('{').and_then(|segment| segment.strip_suffix('}')) {
            Some(name) if syn::parse_str::<Ident>(name).is_ok() => {
                if parameters.contains(&name) {
                    report(format!("path parameter `{{{name}}}` appears twice"));
                }
                parameters.push(name);
            }
            Some(name) => report(format!("`{{{name}}}` is not a valid path parameter: use an identifier such as `{{id}}`")),
            None if segment.contains(['{', '}']) => {
                report(format!("`{segment}`: a path parameter must be a whole segment, like `/org/{{id}}`"));
            }
            None => {
                if let Some(name) = segment.strip_prefix(':') {
                    report(format!("`{segment}`: path parameters are written `{{{name}}}`, as in axum"));
                }
            }
        }
    }
}

/// `emits` and `cluster` name a trait without arguments; arguments are dropped, so that the rest still compiles.
fn plain_trait_path(option: &str, path: Option<&mut Path>, errors: &mut Errors) {
    let arguments = path.and_then(|path| path.segments.last_mut()).map(|segment| &mut segment.arguments);
    if let Some(arguments) = arguments.filter(|arguments| !arguments.is_none()) {
        let span = arguments.span();
        *arguments = syn::PathArguments::None;
        errors.at(span, format!("`{option}` takes a plain trait path; generic event sets are not supported"));
    }
}

/// Names are not empty and not Socket.IO's own.
fn wire_names(model: &mut Model, errors: &mut Errors) {
    for event in &mut model.events {
        let name = event.name.as_str();
        if RESERVED.contains(&name) {
            let hint = match name {
                "connect" | "disconnect" => ": use the connect handler or a `#[disconnect]` hook, or rename the event",
                _ => "; rename the event",
            };
            errors.at(event.name_span, format!("`{name}` is reserved by Socket.IO{hint}"));
            event.broken = true;
        } else if name.is_empty() {
            errors.at(event.name_span, "event names cannot be empty");
            event.broken = true;
        }
    }
}

/// Two events have the same name only if `#[cfg]` keeps them apart.
fn unique_wire_names(model: &mut Model, errors: &mut Errors) {
    for i in 1..model.events.len() {
        let (earlier, later) = model.events.split_at_mut(i);
        let event = &mut later[0];
        let Some(first) = earlier.iter().find(|first| first.name == event.name && !kept_apart(first, event)) else { continue };
        let mut error = syn::Error::new(event.signature.ident.span(), format!("event `{}` is declared twice", event.name));
        error.combine(syn::Error::new(first.signature.ident.span(), format!("`{}` first declared here", event.name)));
        errors.push(error);
        event.broken = true;
    }
}

/// Each has conditions, and they differ; whether they exclude each other, rustc will tell.
fn kept_apart(first: &Event, second: &Event) -> bool {
    let conditions = |event: &Event| event.cfgs.iter().map(|cfg| cfg.to_token_stream().to_string()).collect::<Vec<_>>();
    let (first, second) = (conditions(first), conditions(second));
    !first.is_empty() && !second.is_empty() && first != second
}

/// Nothing follows the remaining arguments.
fn rest_is_last(model: &mut Model, errors: &mut Errors) {
    for event in &mut model.events {
        let is_rest = |payload: &Payload| matches!(payload.shape, Shape::Rest(_));
        let rest = event.args.iter().position(|arg| arg.payload.as_ref().is_some_and(is_rest));
        if let Some(index) = rest.filter(|index| index + 1 != event.args.len()) {
            errors.at(event.args[index].ident.span(), "`#[rest]` must be the last parameter");
            event.broken = true;
        }
    }
}

/// Volatile events are what the server may drop; nobody can wait for the answer to one.
fn volatile_without_ack(model: &mut Model, errors: &mut Errors) {
    for event in &mut model.events {
        let Some(span) = event.volatile else { continue };
        let message = match (model.kind, &event.reply) {
            (Kind::Namespace, _) => "`volatile` is for events that the server sends: declare it in the `#[events]` trait",
            (Kind::Events, Reply::None) => continue,
            (Kind::Events, _) => {
                "a volatile event may be dropped, so it has no acknowledgement: remove `volatile` or the return type"
            }
        };
        errors.at(span, message);
        event.broken = true;
    }
}
