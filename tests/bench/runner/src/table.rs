//! Tables in Markdown, and numbers with three digits.

use std::fmt;

pub(crate) struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(first: &str, others: Vec<String>) -> Self {
        Table { head: std::iter::once(first.to_owned()).chain(others).collect(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, name: &str, cells: Vec<String>) {
        self.rows.push(std::iter::once(name.to_owned()).chain(cells).collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| {} |", self.head.join(" | "))?;
        writeln!(f, "|---|{}", "---:|".repeat(self.head.len() - 1))?;
        self.rows.iter().try_for_each(|row| writeln!(f, "| {} |", row.join(" | ")))
    }
}

/// Three digits that count, thousands apart.
pub(crate) fn short(value: f64) -> String {
    if value.is_nan() {
        return String::new();
    }
    let digits = 2 - value.abs().max(0.01).log10().floor() as i32;
    if value.abs() < 1000.0 {
        return format!("{value:.*}", digits.clamp(0, 3) as usize);
    }
    let whole = format!("{:.0}", value.abs());
    let groups: Vec<&str> = whole.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap_or_default()).collect();
    format!("{}{}", if value < 0.0 { "-" } else { "" }, groups.join(" "))
}

#[cfg(test)]
mod tests {
    use super::{Table, short};

    #[test]
    fn three_digits_count() {
        let texts = [0.0, 0.3456, 2.345, 12.34, 123.4, 1234.5, 1_234_567.0].map(short);
        assert_eq!(texts, ["0.000", "0.346", "2.35", "12.3", "123", "1 234", "1 234 567"]);
    }

    #[test]
    fn a_table_has_its_rule() {
        let mut table = Table::new("", vec!["a".to_owned(), "b".to_owned()]);
        table.row("x", vec!["1".to_owned(), "2".to_owned()]);
        assert_eq!(table.to_string(), "|  | a | b |\n|---|---:|---:|\n| x | 1 | 2 |\n");
    }
}
