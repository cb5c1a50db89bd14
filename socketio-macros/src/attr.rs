//! What the user wrote in attributes: the options of `#[namespace]` and `#[events]`, those of `#[event]`, and the markers
//! on methods and parameters.
//!
//! A wrong option is reported and skipped, or read as what was probably meant, so that one typo does not hide the rest.
//! Not here: whether the values make sense together; see `check`.

use crate::{casing::Casing, errors::Errors};
use proc_macro2::{Span, TokenStream, TokenTree};
use syn::{
    Attribute, Ident, LitBool, LitStr, Meta, Path, Token, Type,
    ext::IdentExt as _,
    parse::{ParseStream, Parser as _, discouraged::Speculative as _},
    spanned::Spanned as _,
};

/// Which of the two trait attributes it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `#[namespace]`: what clients send.
    Namespace,
    /// `#[events]`: what the server sends.
    Events,
}

impl Kind {
    /// The attribute's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Namespace => "namespace",
            Kind::Events => "events",
        }
    }

    /// The attribute as one would write it.
    pub(crate) fn example(self) -> &'static str {
        match self {
            Kind::Namespace => "namespace(\"/chat\")",
            Kind::Events => "events",
        }
    }

    fn options(self) -> &'static [&'static str] {
        match self {
            Kind::Namespace => &["emits", "auth", "data", "cluster", "rename_all", "schema", "crate"],
            Kind::Events => &["rename_all", "schema", "crate"],
        }
    }
}

/// The options of `#[namespace(..)]` or `#[events(..)]`.
pub(crate) struct TraitAttr {
    pub(crate) path: Option<LitStr>,
    pub(crate) emits: Option<Path>,
    pub(crate) auth: Option<Type>,
    pub(crate) data: Option<Type>,
    pub(crate) cluster: Option<Path>,
    pub(crate) casing: Option<Casing>,
    /// Whether payload types must describe themselves with a JSON Schema.
    pub(crate) schema: bool,
    /// The runtime crate.
    pub(crate) krate: Path,
}

impl TraitAttr {
    pub(crate) fn parse(attr: TokenStream, kind: Kind, errors: &mut Errors) -> Self {
        let mut options = TraitAttr {
            path: None,
            emits: None,
            auth: None,
            data: None,
            cluster: None,
            casing: None,
            schema: true,
            krate: syn::parse_quote!(::socketio),
        };
        let before = errors.count();
        let parsed = (|input: ParseStream<'_>| options.read(input, kind, errors)).parse2(attr);
        if let Err(error) = parsed {
            errors.push(error);
        }
        if kind == Kind::Namespace && options.path.is_none() && errors.count() == before {
            let message =
                "missing namespace path: write `#[namespace(\"/chat\")]` (or `#[namespace(\"/\")]` for the main namespace)";
            errors.at(Span::call_site(), message);
        }
        options
    }

    fn read(&mut self, input: ParseStream<'_>, kind: Kind, errors: &mut Errors) -> syn::Result<()> {
        let mut seen: Vec<String> = Vec::new();
        while !input.is_empty() {
            if input.peek(LitStr) {
                self.read_path(input.parse()?, kind, seen.is_empty(), errors);
            } else {
                let key = input.call(Ident::parse_any)?;
                let Some(option) = known_option(&key, kind, input, errors)? else {
                    separator(input)?;
                    continue;
                };
                input.parse::<Token![=]>()?;
                if seen.contains(&option) {
                    errors.at(key.span(), format!("`{option}` is given twice"));
                }
                match option.as_str() {
                    "path" => self.path = Some(input.parse()?),
                    "emits" => self.emits = Some(input.parse()?),
                    "auth" => self.auth = Some(input.parse()?),
                    "data" => self.data = Some(input.parse()?),
                    "cluster" => self.cluster = Some(input.parse()?),
                    "rename_all" => self.casing = read_casing(&input.parse()?, errors),
                    "schema" => self.schema = input.parse::<LitBool>()?.value,
                    _ => self.krate = input.call(Path::parse_mod_style)?,
                }
                seen.push(option);
            }
            separator(input)?;
        }
        Ok(())
    }

    fn read_path(&mut self, path: LitStr, kind: Kind, first: bool, errors: &mut Errors) {
        match kind {
            Kind::Events => errors.at(path.span(), "`#[events]` has no path: it belongs to the `#[namespace]` that `emits` it"),
            Kind::Namespace if self.path.is_some() => errors.at(path.span(), "a namespace has one path"),
            Kind::Namespace if !first => errors.at(path.span(), "the path comes first: `#[namespace(\"/chat\", ...)]`"),
            Kind::Namespace => {}
        }
        self.path.get_or_insert(path);
    }
}

fn separator(input: ParseStream<'_>) -> syn::Result<()> {
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    Ok(())
}

/// The option that `key` names, or probably means. `None`: it is unknown, and its value has been skipped.
fn known_option(key: &Ident, kind: Kind, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Option<String>> {
    let name = key.to_string();
    let known = kind.options();
    if known.contains(&name.as_str()) {
        return Ok(Some(name));
    }
    if name == "path" && kind == Kind::Namespace {
        errors.at(key.span(), "the path has no key: write `#[namespace(\"/chat\", ...)]`");
        return Ok(Some(name));
    }
    let nearest = known.iter().map(|option| (distance(option, &name), *option)).min().filter(|(distance, _)| *distance <= 2);
    if let Some((_, meant)) = nearest {
        errors.at(key.span(), format!("unknown option `{name}`: did you mean `{meant}`?"));
        return Ok(input.peek(Token![=]).then(|| meant.to_owned()));
    }
    let expected = known.iter().map(|option| format!("`{option}`")).collect::<Vec<_>>().join(", ");
    errors.at(key.span(), format!("unknown option `{name}`: expected one of {expected}"));
    skip_value(input)?;
    Ok(None)
}

/// Skips `= value`, where the value is anything that other options take, or a single token tree.
fn skip_value(input: ParseStream<'_>) -> syn::Result<()> {
    if input.parse::<Option<Token![=]>>()?.is_none() {
        return input.parse::<Option<proc_macro2::Group>>().map(drop);
    }
    let ahead = input.fork();
    if ahead.parse::<Type>().is_ok() {
        input.advance_to(&ahead);
        return Ok(());
    }
    input.parse::<TokenTree>().map(drop)
}

fn read_casing(literal: &LitStr, errors: &mut Errors) -> Option<Casing> {
    let casing = Casing::parse(&literal.value());
    if casing.is_none() {
        errors.at(literal.span(), format!("unknown casing `{}`: expected one of {}", literal.value(), Casing::EXPECTED));
    }
    casing
}

/// The options of one `#[event]`.
#[derive(Default)]
pub(crate) struct EventAttr {
    pub(crate) name: Option<LitStr>,
    /// Where `volatile` stands, if it does.
    pub(crate) volatile: Option<Span>,
}

impl EventAttr {
    pub(crate) fn parse(attr: &Attribute, errors: &mut Errors) -> Self {
        let mut options = EventAttr::default();
        match &attr.meta {
            Meta::Path(_) => {}
            Meta::NameValue(meta) => {
                errors.at(meta.span(), "write `#[event(\"chat message\")]` or `#[event(name = \"chat message\")]`");
            }
            Meta::List(list) => {
                if let Err(error) = list.parse_args_with(|input: ParseStream<'_>| options.read(input, errors)) {
                    errors.push(error);
                }
            }
        }
        options
    }

    fn read(&mut self, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<()> {
        while !input.is_empty() {
            if input.peek(LitStr) {
                self.set_name(input.parse()?, errors);
            } else {
                let key = input.call(Ident::parse_any)?;
                if key == "name" {
                    input.parse::<Token![=]>()?;
                    self.set_name(input.parse()?, errors);
                } else if key == "volatile" {
                    self.volatile = Some(key.span());
                } else {
                    errors.at(key.span(), format!("unknown option `{key}`: `#[event]` takes `name = \"...\"` and `volatile`"));
                    skip_value(input)?;
                }
            }
            separator(input)?;
        }
        Ok(())
    }

    fn set_name(&mut self, name: LitStr, errors: &mut Errors) {
        if self.name.is_some() {
            errors.at(name.span(), "an event has one name");
        }
        self.name = Some(name);
    }
}

/// The attributes of a method or parameter that only these macros read.
pub(crate) const MARKERS: [&str; 6] = ["event", "fallback", "disconnect", "middleware", "extract", "rest"];

/// Removes the first attribute of that name, whichever path leads to it.
pub(crate) fn take(attrs: &mut Vec<Attribute>, name: &str) -> Option<Attribute> {
    let index = attrs.iter().position(|attr| attr.path().segments.last().is_some_and(|segment| segment.ident == name))?;
    Some(attrs.remove(index))
}

/// The attributes of that name.
pub(crate) fn copies(attrs: &[Attribute], name: &str) -> Vec<Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident(name)).cloned().collect()
}

/// How many letters have to change to get from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
