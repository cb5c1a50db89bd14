//! `Position`: where an event stands in the journal of a cluster, as its offset says: milliseconds, and a number among those of one.

/// Of the events of a namespace, the later has the greater one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::server) struct Position(u64, u64);

impl Position {
    /// `None`: it is no offset of a journal.
    pub(super) fn parse(offset: &str) -> Option<Self> {
        let number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
        let (milliseconds, of_them) = offset.split_once('-')?;
        Some(Position(number(milliseconds)?, number(of_them)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_journal_gives_is_one() {
        assert_eq!(Position::parse("1795162611478-0"), Some(Position(1_795_162_611_478, 0)));
        assert!(Position::parse("9-11") > Position::parse("9-2") && Position::parse("10-0") > Position::parse("9-99"));
        for text in ["", "-", "1", "1-", "-1", "+1-0", "1-0-0", "1.5-0", "AbCdEf-1", "99999999999999999999-0"] {
            assert_eq!(Position::parse(text), None, "{text}");
        }
    }
}
