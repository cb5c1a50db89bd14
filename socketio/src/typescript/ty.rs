//! `Ty`: a TypeScript type, and how it is laid out. What fits into a line stays in one, everything else is broken as Prettier does.

/// The longest line, in characters.
const WIDTH: usize = 110;

/// A type.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ty {
    /// A name or a keyword.
    Name(String),
    /// `"a"`, `1`, `null`
    Literal(String),
    /// `A | B`, each with its documentation.
    Union(Vec<(Docs, Ty)>),
    /// `A & B`
    Intersection(Vec<Ty>),
    /// `T[]`
    Array(Box<Ty>),
    /// `[a: A, ...B[]]`
    Tuple(Vec<Slot>),
    /// `{ a: A; b?: B }`
    Object(Vec<Member>),
    /// `(a: A) => void`
    Function(Vec<Slot>),
    /// `Reply<T, E>`
    Generic(String, Vec<Ty>),
}

/// A documentation comment; empty if there is none.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Docs(pub(super) String);

/// A property, or all properties of a kind.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member {
    pub(super) docs: Docs,
    /// As it is written: quoted if need be, `[key: string]` for all.
    pub(super) key: String,
    pub(super) optional: bool,
    pub(super) ty: Ty,
}

/// A parameter, or an element of a tuple.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Slot {
    /// Empty: it has none.
    pub(super) label: String,
    pub(super) optional: bool,
    pub(super) rest: bool,
    pub(super) ty: Ty,
}

impl Slot {
    pub(super) fn new(label: &str, ty: Ty) -> Self {
        Slot { label: label.to_owned(), optional: false, rest: false, ty }
    }
}

impl Ty {
    pub(super) fn name(name: &str) -> Self {
        Ty::Name(name.to_owned())
    }

    /// A union without what adds nothing to it.
    pub(super) fn union(parts: impl IntoIterator<Item = (Docs, Ty)>) -> Self {
        let mut flat: Vec<(Docs, Ty)> = Vec::new();
        let mut add = |docs: Docs, ty: Ty| {
            if ty != Ty::name("never") && flat.iter().all(|(_, known)| *known != ty) {
                flat.push((docs, ty));
            }
        };
        for (docs, ty) in parts {
            match ty {
                Ty::Union(inner) if docs.0.is_empty() => inner.into_iter().for_each(|(docs, ty)| add(docs, ty)),
                ty => add(docs, ty),
            }
        }
        if flat.iter().any(|(_, ty)| *ty == Ty::name("unknown")) {
            return Ty::name("unknown");
        }
        match (flat.len(), flat.pop()) {
            (_, None) => Ty::name("never"),
            (1, Some((Docs(docs), ty))) if docs.is_empty() => ty,
            (_, Some(last)) => {
                flat.push(last);
                Ty::Union(flat)
            }
        }
    }

    /// The type, or `null`.
    pub(super) fn or_null(self) -> Self {
        Ty::union([(Docs::default(), self), (Docs::default(), Ty::Literal("null".to_owned()))])
    }

    /// Calls `visit` with every name in the type.
    pub(super) fn names(&self, visit: &mut dyn FnMut(&str)) {
        match self {
            Ty::Name(name) => visit(name),
            Ty::Literal(_) => {}
            Ty::Union(parts) => parts.iter().for_each(|(_, ty)| ty.names(visit)),
            Ty::Intersection(parts) => parts.iter().for_each(|ty| ty.names(visit)),
            Ty::Array(element) => element.names(visit),
            Ty::Tuple(slots) | Ty::Function(slots) => slots.iter().for_each(|slot| slot.ty.names(visit)),
            Ty::Object(members) => members.iter().for_each(|member| member.ty.names(visit)),
            Ty::Generic(name, arguments) => {
                visit(name);
                arguments.iter().for_each(|ty| ty.names(visit));
            }
        }
    }

    /// In one line; `None`: there is documentation inside.
    fn flat(&self) -> Option<String> {
        let list =
            |parts: Vec<Option<String>>, separator: &str| parts.into_iter().collect::<Option<Vec<_>>>().map(|p| p.join(separator));
        Some(match self {
            Ty::Name(text) | Ty::Literal(text) => text.clone(),
            Ty::Union(parts) => {
                let part = |(docs, ty): &(Docs, Ty)| if docs.0.is_empty() { ty.flat_within(Place::Union) } else { None };
                list(parts.iter().map(part).collect(), " | ")?
            }
            Ty::Intersection(parts) => list(parts.iter().map(|ty| ty.flat_within(Place::Tight)).collect(), " & ")?,
            Ty::Array(element) => format!("{}[]", element.flat_within(Place::Tight)?),
            Ty::Tuple(slots) => format!("[{}]", list(slots.iter().map(Slot::flat).collect(), ", ")?),
            Ty::Function(slots) => format!("({}) => void", list(slots.iter().map(Slot::flat).collect(), ", ")?),
            Ty::Generic(name, arguments) => format!("{name}<{}>", list(arguments.iter().map(Ty::flat).collect(), ", ")?),
            Ty::Object(members) if members.is_empty() => "{}".to_owned(),
            Ty::Object(members) => format!("{{ {} }}", list(members.iter().map(Member::flat).collect(), "; ")?),
        })
    }

    fn flat_within(&self, place: Place) -> Option<String> {
        let flat = self.flat()?;
        Some(if self.needs_parentheses(place) { format!("({flat})") } else { flat })
    }

    fn needs_parentheses(&self, place: Place) -> bool {
        match self {
            Ty::Function(_) | Ty::Intersection(_) => true,
            Ty::Union(_) => place == Place::Tight,
            _ => false,
        }
    }

    /// The type as it stands behind `used` characters of a line that is indented by `indent` steps.
    pub(super) fn lay_out(&self, indent: usize, used: usize) -> String {
        if let Some(flat) = self.flat()
            && used + flat.chars().count() <= WIDTH
        {
            return flat;
        }
        self.broken(indent)
    }

    /// Over several lines.
    pub(super) fn broken(&self, indent: usize) -> String {
        let (pad, inner) = ("  ".repeat(indent), "  ".repeat(indent + 1));
        let slots = |slots: &[Slot]| slots.iter().map(|slot| format!("{inner}{},\n", slot.lay_out(indent + 1))).collect::<String>();
        match self {
            Ty::Name(text) | Ty::Literal(text) => text.clone(),
            Ty::Union(parts) => {
                let part = |(docs, ty): &(Docs, Ty)| {
                    let text = ty.within(Place::Union, indent + 1, inner.len() + 2);
                    format!("\n{}{inner}| {text}", docs.lay_out(indent + 1))
                };
                parts.iter().map(part).collect()
            }
            Ty::Intersection(parts) => {
                parts.iter().map(|ty| ty.within(Place::Tight, indent, pad.len())).collect::<Vec<_>>().join(" & ")
            }
            Ty::Array(element) => format!("{}[]", element.within(Place::Tight, indent, pad.len())),
            Ty::Tuple(elements) => format!("[\n{}{pad}]", slots(elements)),
            Ty::Function(parameters) => match &**parameters {
                // The arities of an event with optional arguments.
                [Slot { label, rest: true, ty: Ty::Union(arities), .. }] => {
                    let arities = Ty::Union(arities.clone()).broken(indent + 1);
                    format!("(\n{inner}...{label}:{arities}\n{pad}) => void")
                }
                parameters => format!("(\n{}{pad}) => void", slots(parameters)),
            },
            Ty::Generic(name, arguments) => {
                let arguments: String = arguments
                    .iter()
                    .map(|ty| format!("{inner}{}", ty.lay_out(indent + 1, inner.len())))
                    .collect::<Vec<_>>()
                    .join(",\n");
                format!("{name}<\n{arguments}\n{pad}>")
            }
            Ty::Object(members) if members.is_empty() => "{}".to_owned(),
            Ty::Object(members) => {
                let members: String = members.iter().map(|member| member.lay_out(indent + 1)).collect();
                format!("{{\n{members}{pad}}}")
            }
        }
    }

    fn within(&self, place: Place, indent: usize, used: usize) -> String {
        if self.needs_parentheses(place) {
            let text = self.lay_out(indent, used + 1);
            let end = if text.starts_with('\n') { format!("\n{}", "  ".repeat(indent)) } else { String::new() };
            return format!("({text}{end})");
        }
        self.lay_out(indent, used)
    }
}

/// Where a type stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// Between `|`.
    Union,
    /// Where `|` and `&` would bind less.
    Tight,
}

impl Slot {
    fn head(&self) -> String {
        let dots = if self.rest { "..." } else { "" };
        let mark = if self.optional { "?" } else { "" };
        if self.label.is_empty() { dots.to_owned() } else { format!("{dots}{}{mark}: ", self.label) }
    }

    fn flat(&self) -> Option<String> {
        Some(format!("{}{}", self.head(), self.ty.flat()?))
    }

    fn lay_out(&self, indent: usize) -> String {
        let head = self.head();
        let text = self.ty.lay_out(indent, indent * 2 + head.len() + 1);
        format!("{}{text}", if text.starts_with('\n') { head.trim_end() } else { &head })
    }
}

impl Member {
    fn head(&self) -> String {
        format!("{}{}: ", self.key, if self.optional { "?" } else { "" })
    }

    fn flat(&self) -> Option<String> {
        if self.docs.0.is_empty() { Some(format!("{}{}", self.head(), self.ty.flat()?)) } else { None }
    }

    /// A line, or several, with the documentation above.
    pub(super) fn lay_out(&self, indent: usize) -> String {
        let (pad, head) = ("  ".repeat(indent), self.head());
        let text = self.ty.lay_out(indent, pad.len() + head.len() + 1);
        let head = if text.starts_with('\n') { head.trim_end() } else { &head };
        format!("{}{pad}{head}{text};\n", self.docs.lay_out(indent))
    }
}

impl Docs {
    /// A comment with a line end behind it; nothing if there is nothing to say.
    pub(super) fn lay_out(&self, indent: usize) -> String {
        let pad = "  ".repeat(indent);
        let text = self.0.trim().replace("*/", "*\\/");
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        match &*lines {
            [] => String::new(),
            [line] => format!("{pad}/** {line} */\n"),
            lines => {
                let lines: String = lines.iter().map(|line| format!("{}\n", format!("{pad} * {line}").trim_end())).collect();
                format!("{pad}/**\n{lines}{pad} */\n")
            }
        }
    }

    /// Adds a tag on a line of its own.
    #[must_use]
    pub(super) fn tag(mut self, tag: &str) -> Self {
        self.0 = self.0.trim().to_owned();
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(tag.trim());
        self
    }
}
