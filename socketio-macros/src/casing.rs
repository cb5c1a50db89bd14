//! `rename_all`: from a method name to the event's name on the wire, as in serde.

/// How method names become event names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Casing {
    Camel,
    Pascal,
    Kebab,
    Snake,
    ScreamingSnake,
}

impl Casing {
    /// The spellings that [`parse`](Self::parse) knows, for messages.
    pub(crate) const EXPECTED: &str = "`camelCase`, `PascalCase`, `kebab-case`, `snake_case`, `SCREAMING_SNAKE_CASE`";

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "camelCase" => Casing::Camel,
            "PascalCase" => Casing::Pascal,
            "kebab-case" => Casing::Kebab,
            "snake_case" => Casing::Snake,
            "SCREAMING_SNAKE_CASE" => Casing::ScreamingSnake,
            _ => return None,
        })
    }

    /// Renames a method, which is spelled in snake case.
    pub(crate) fn apply(self, method: &str) -> String {
        let words = || method.split('_').filter(|word| !word.is_empty());
        let joined = |separator| words().collect::<Vec<_>>().join(separator);
        match self {
            Casing::Camel => {
                words().enumerate().map(|(i, word)| if i == 0 { word.to_owned() } else { capitalized(word) }).collect()
            }
            Casing::Pascal => words().map(capitalized).collect(),
            Casing::Kebab => joined("-"),
            Casing::Snake => joined("_"),
            Casing::ScreamingSnake => joined("_").to_uppercase(),
        }
    }
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::Casing;

    #[test]
    fn renames_methods() {
        for (casing, expected) in [
            ("camelCase", "newMessage2"),
            ("PascalCase", "NewMessage2"),
            ("kebab-case", "new-message2"),
            ("snake_case", "new_message2"),
            ("SCREAMING_SNAKE_CASE", "NEW_MESSAGE2"),
        ] {
            assert_eq!(Casing::parse(casing).map(|casing| casing.apply("_new__message2")).as_deref(), Some(expected), "{casing}");
        }
        assert_eq!(Casing::parse("camel"), None);
    }
}
