//! A committed file and what it should be: compared, or rewritten.

use std::{
    env, fmt, fs,
    io::{self, Write as _},
    path::Path,
};

/// Set to `1` or anything else but `0`, it makes a check rewrite its files.
const UPDATE: &str = "SOCKETIO_UPDATE";

/// Whether files are to be rewritten.
pub(crate) fn updating() -> bool {
    env::var_os(UPDATE).is_some_and(|value| !value.is_empty() && value != "0")
}

/// Compares a file with its text, or rewrites it.
///
/// # Errors
/// Says what is different and what to do.
pub(crate) fn check(path: &Path, text: &str, update: bool) -> Result<(), String> {
    let found = fs::read_to_string(path).ok();
    // Git may check files out with the line ends of the platform.
    if found.as_deref().is_some_and(|found| found.replace("\r\n", "\n") == text) {
        return Ok(());
    }
    if update {
        return write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()));
    }
    let advice = format!("run `{UPDATE}=1 cargo test` to rewrite it, and commit the difference");
    match found {
        None => Err(format!("{} does not exist: {advice}", path.display())),
        Some(found) => Err(format!("{} is out of date, {}\n{advice}", path.display(), Difference::of(&found, text))),
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)?;
    say(&format!("wrote {}", path.display()));
    Ok(())
}

/// Speaks past the test harness, which swallows what a passing test prints: a file of the user has changed.
pub(crate) fn say(text: &str) {
    // A closed standard error is nobody's mistake.
    let _ = writeln!(io::stderr(), "{text}");
}

/// The first line that is different.
struct Difference<'a> {
    line: usize,
    found: Option<&'a str>,
    expected: Option<&'a str>,
}

impl<'a> Difference<'a> {
    fn of(found: &'a str, expected: &'a str) -> Self {
        let (mut left, mut right) = (found.lines(), expected.lines());
        let mut line = 1;
        loop {
            match (left.next(), right.next()) {
                (Some(a), Some(b)) if a == b => line += 1,
                (found, expected) => return Difference { line, found, expected },
            }
        }
    }
}

impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = "<end of file>";
        writeln!(f, "first at line {}:", self.line)?;
        writeln!(f, "  - {}", self.found.unwrap_or(end))?;
        write!(f, "  + {}", self.expected.unwrap_or(end))
    }
}
