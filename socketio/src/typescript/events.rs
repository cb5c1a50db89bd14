//! Contracts to interfaces: one method type for each event, as the generics of `socket.io-client` want them.

use super::{
    lower::{Lower, key},
    ty::{Docs, Member, Slot, Ty},
};
use crate::{
    describe::{AckSpec, ArgKind, EventSpec},
    schema::Contract,
};

impl Lower<'_> {
    /// The members of a contract's interface, in the order of the trait.
    pub(super) fn events(&mut self, contract: &Contract) -> Vec<Member> {
        let member = |event: &EventSpec| {
            self.at = format!("{}.{}", contract.name, event.name);
            let mut docs = Docs(event.docs.to_owned());
            if let Some(note) = event.deprecated {
                docs = docs.tag(&format!("@deprecated {note}"));
            }
            Member { docs, key: key(event.name), optional: false, ty: self.event(contract, event) }
        };
        contract.events.iter().map(member).collect()
    }

    fn event(&mut self, contract: &Contract, event: &EventSpec) -> Ty {
        let ack = self.ack(contract, event);
        let at = self.at.clone();
        let mut labels: Vec<String> = if ack.is_some() { vec!["ack".to_owned()] } else { Vec::new() };
        let (mut required, mut optional, mut rest) = (Vec::new(), Vec::new(), None);
        for arg in &event.args {
            let label = label(arg.name, &labels);
            labels.push(label.clone());
            self.at = format!("{at}.{label}");
            let ty = self.lower(arg.schema.as_value(), contract.arguments());
            match arg.kind {
                ArgKind::Required => required.push(Slot::new(&label, ty)),
                // Rust always sends `null`; others may also leave it out.
                ArgKind::Optional if contract.emitted => required.push(Slot::new(&label, ty.or_null())),
                ArgKind::Optional => optional.push(Slot::new(&label, ty.or_null())),
                ArgKind::Rest => rest = Some(Slot { rest: true, ..Slot::new(&label, Ty::Array(Box::new(ty))) }),
            }
        }
        let Some(ack) = ack else {
            let optional = optional.into_iter().map(|slot| Slot { optional: true, ..slot });
            return Ty::Function(required.into_iter().chain(optional).chain(rest).collect());
        };
        if optional.is_empty() {
            return Ty::Function(required.into_iter().chain(rest).chain([ack]).collect());
        }
        // TypeScript wants no callback behind an optional parameter: every number of arguments is a case of its own.
        let arity = |count: usize| {
            let rest = rest.iter().filter(|_| count == optional.len());
            let slots = required.iter().chain(&optional[..count]).chain(rest).chain([&ack]);
            (Docs::default(), Ty::Tuple(slots.cloned().collect()))
        };
        let arities = Ty::Union((0..=optional.len()).map(arity).collect());
        Ty::Function(vec![Slot { rest: true, ..Slot::new("args", arities) }])
    }

    /// The callback of an event with an acknowledgement.
    fn ack(&mut self, contract: &Contract, event: &EventSpec) -> Option<Slot> {
        let direction = contract.acknowledgements();
        let at = self.at.clone();
        let reply = match &event.ack {
            AckSpec::None => return None,
            AckSpec::Empty => None,
            AckSpec::Value(value) => {
                self.at = format!("{at}.reply");
                Some(self.lower(value.as_value(), direction))
            }
            AckSpec::Result(data, error) => {
                self.at = format!("{at}.data");
                let data = self.lower(data.as_value(), direction);
                self.at = format!("{at}.error");
                let error = self.lower(error.as_value(), direction);
                Some(Ty::Generic(self.helpers.reply.clone(), vec![data, error]))
            }
        };
        self.at = at;
        Some(Slot::new("ack", Ty::Function(reply.map(|reply| Slot::new("reply", reply)).into_iter().collect())))
    }
}

/// A parameter's name in TypeScript: in camel case, no keyword, and no other one's.
fn label(name: &str, taken: &[String]) -> String {
    let mut label = String::new();
    let mut raise = false;
    for c in name.chars() {
        match c {
            '_' if label.is_empty() => {}
            '_' => raise = true,
            c if raise => {
                label.extend(c.to_uppercase());
                raise = false;
            }
            c => label.push(c),
        }
    }
    while label.is_empty() || label.starts_with(char::is_numeric) || KEYWORDS.contains(&&*label) || taken.contains(&label) {
        if label.starts_with(char::is_numeric) { label.insert(0, '_') } else { label.push('_') }
    }
    label
}

/// What cannot be the name of a parameter in a module.
const KEYWORDS: [&str; 48] = [
    "arguments",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "default",
    "delete",
    "do",
    "else",
    "enum",
    "eval",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "implements",
    "import",
    "in",
    "instanceof",
    "interface",
    "let",
    "new",
    "null",
    "package",
    "private",
    "protected",
    "public",
    "return",
    "static",
    "super",
    "switch",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "var",
    "void",
    "while",
    "with",
    "yield",
];

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn parameters_are_spelled_as_in_typescript() {
        let cases = [("room", "room"), ("reply_to", "replyTo"), ("new", "new_"), ("this", "this_"), ("a__b_", "aB"), ("_", "_")];
        for (name, expected) in cases {
            assert_eq!(label(name, &[]), expected, "{name}");
        }
        assert_eq!(label("ack", &["ack".to_owned()]), "ack_");
        assert_eq!(label("a_b", &["aB".to_owned(), "aB_".to_owned()]), "aB__");
        assert_eq!(label("_1", &[]), "_1");
    }
}
