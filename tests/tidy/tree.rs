//! The files of the repository as the rules see them: paths with `/`, text, and Rust code without comments and literals.

use std::{collections::BTreeSet, fs, path::Path};

/// Folders that hold no sources of ours.
const SKIPPED: [&str; 8] = [".git", "target", "node_modules", "artifacts", "corpus", "coverage", "dist", "wip"];

/// One text file of the repository.
#[derive(Debug)]
pub(crate) struct File {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The path below `folder`, if the file is in there.
    pub(crate) fn below(&self, folder: &str) -> Option<&str> {
        self.path.strip_prefix(folder)?.strip_prefix('/')
    }
}

/// Every text file of the repository.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
    /// Files that are compiled for tests only.
    tests: BTreeSet<String>,
}

impl Tree {
    pub(crate) fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("invariant: this package is a folder of the repository");
        let mut files = Vec::new();
        walk(root, "", &mut files);
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let tests = files.iter().flat_map(test_modules).collect();
        Tree { files, tests }
    }

    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.is_rust())
    }

    /// The text of one file; a missing one breaks the rule that asks for it.
    pub(crate) fn text(&self, path: &str) -> &str {
        let found = self.files.iter().find(|file| file.path == path);
        &found.unwrap_or_else(|| panic!("{path} is missing")).text
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        self.files.iter().any(|file| file.path == path || file.path.starts_with(&folder))
    }

    /// Whether the file is compiled for tests only.
    pub(crate) fn is_test(&self, file: &File) -> bool {
        self.tests.iter().any(|test| *test == file.path || file.below(test.trim_end_matches(".rs")).is_some())
    }

    /// The code that ends up in the product: without comments, literals and tests.
    pub(crate) fn product_code(&self, file: &File) -> String {
        if self.is_test(file) {
            return String::new();
        }
        let whole = code(&file.text);
        match whole.find("#[cfg(test)]\nmod tests {") {
            Some(end) => whole[..end].to_owned(),
            None => whole,
        }
    }
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<File>) {
    for entry in fs::read_dir(folder).expect("the folder is readable").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !SKIPPED.contains(&&*name) => walk(&entry.path(), &format!("{path}/"), files),
            Ok(kind) if kind.is_file() => {
                // What is not UTF-8 is not ours to read: pictures, seeds of the fuzz targets.
                if let (Ok(text), false) = (fs::read_to_string(entry.path()), path == ".git") {
                    files.push(File { path, text });
                }
            }
            _ => {}
        }
    }
}

/// The files of modules that are declared under `#[cfg(test)]`, also those with a `#[path]`.
fn test_modules(file: &File) -> Vec<String> {
    let (parent, name) = file.path.rsplit_once('/').unwrap_or_default();
    let folder = match name {
        "mod.rs" | "lib.rs" | "main.rs" => parent.to_owned(),
        _ => file.path.trim_end_matches(".rs").to_owned(),
    };
    let declared = file.text.split("#[cfg(test)]\n").skip(1).filter_map(|text| {
        let mut lines = text.lines();
        let first = lines.next()?;
        match first.strip_prefix("#[path = \"").and_then(|rest| rest.strip_suffix("\"]")) {
            Some(path) => Some(format!("{parent}/{path}")),
            None => Some(format!("{folder}/{}.rs", first.strip_prefix("mod ")?.strip_suffix(';')?)),
        }
    });
    declared.map(|path| without_dots(&path)).collect()
}

/// `a/c` for `a/b/../c`.
fn without_dots(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

/// Rust source with comments and the contents of literals blanked out, line by line as it was.
pub(crate) fn code(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &source[at..];
        let word_before = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            comment_length(rest)
        } else if rest.starts_with('"') {
            quoted_length(rest, '"')
        } else if let (Some(length), false) = (raw_string_length(rest), word_before) {
            length
        } else if let Some(length) = char_length(rest) {
            length
        } else {
            let next = rest.chars().next().map_or(1, char::len_utf8);
            out.push_str(&rest[..next]);
            at += next;
            continue;
        };
        out.extend(rest[..length].chars().filter(|c| *c == '\n'));
        at += length;
    }
    out
}

fn comment_length(text: &str) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    loop {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            match text[at..].chars().next() {
                Some(c) => at += c.len_utf8(),
                None => return text.len(),
            }
        }
    }
}

fn quoted_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

fn raw_string_length(text: &str) -> Option<usize> {
    let body = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = body.bytes().take_while(|byte| *byte == b'#').count();
    let body = body[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let start = text.len() - body.len();
    Some(body.find(&end).map_or(text.len(), |at| start + at + end.len()))
}

/// A character literal, as opposed to a lifetime.
fn char_length(text: &str) -> Option<usize> {
    let body = text.strip_prefix('\'')?;
    let first = body.chars().next()?;
    if first == '\\' {
        return Some(quoted_length(text, '\''));
    }
    body[first.len_utf8()..].starts_with('\'').then(|| first.len_utf8() + 2)
}

/// Where `word` stands on its own in code, and what follows it.
pub(crate) fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).filter_map(move |(at, _)| {
        let rest = &code[at + word.len()..];
        (!code[..at].ends_with(part) && !rest.starts_with(part)).then_some((at, rest))
    })
}

/// The number of the line at an offset.
pub(crate) fn line(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}

#[test]
fn code_has_neither_comments_nor_literals() {
    for (source, expected) in [
        ("a // b\nc", "a \nc"),
        ("a /* b /* c */ d\n */ e", "a \n e"),
        (r#"f("a\"b", 'x', '\'', b"c")"#, "f(, , , b)"),
        ("f(r#\"a\"b\"#, br\"c\")", "f(, )"),
        ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
        ("for r in \"x\"", "for r in "),
    ] {
        assert_eq!(code(source), expected, "{source}");
    }
}
