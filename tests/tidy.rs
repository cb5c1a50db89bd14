//! The house rules, as tests: who may import whom, how files look, and that the documents speak of what exists.
//!
//! Each rule is a function that collects every offence and says what to do about it. The reasons are in
//! `docs/ARCHITECTURE.md` and `docs/CONTRIBUTING.md`.

#[path = "tidy/tree.rs"]
mod tree;

use std::{collections::BTreeSet, sync::LazyLock};
use tree::{File, Tree, code, line, words};

static TREE: LazyLock<Tree> = LazyLock::new(Tree::read);

/// Fails with all offences and the way out.
#[track_caller]
fn report(offences: &[String], what_to_do: &str) {
    assert!(offences.is_empty(), "\n\n  {}\n\nWhat to do: {what_to_do}\n", offences.join("\n  "));
}

// ------------------------------------------------------------------------------------------------- who imports whom

/// A room of `socketio/src`: a module with walls.
struct Room {
    /// Its path below `socketio/src`, with `/` and without `.rs`.
    path: &'static str,
    /// The modules of the crate that it may name, beside itself.
    uses: &'static [&'static str],
    /// No network, no clock, no runtime, no randomness: bytes and time come in as arguments.
    pure: bool,
}

const fn pure(path: &'static str, uses: &'static [&'static str]) -> Room {
    Room { path, uses, pure: true }
}

const fn driver(path: &'static str, uses: &'static [&'static str]) -> Room {
    Room { path, uses, pure: false }
}

/// The layers, bottom up. A file belongs to the first room that holds it.
const ROOMS: [Room; 27] = [
    pure("text", &[]),
    pure("date", &[]),
    pure("id", &[]),
    pure("reason", &[]),
    pure("room", &["id"]),
    pure("describe", &["text"]),
    pure("websocket", &["text"]),
    pure("engine/proto", &["id", "reason", "text", "websocket"]),
    pure("parser", &["id", "text"]),
    pure("contract", &["describe", "id", "parser", "reason", "text"]),
    pure("schema", &["contract", "describe"]),
    // Compares and writes the files of users, in their tests; nothing else in it leaves the process.
    driver("typescript", &["contract", "describe", "schema"]),
    driver("asyncapi", &["contract", "describe", "schema", "typescript"]),
    driver("metrics", &["reason"]),
    driver("engine", &["id", "metrics", "reason", "room", "text", "websocket"]),
    // What servers tell each other, and what is to be done about it; and the pipes that carry it.
    pure("adapter/message", &["parser", "room", "text"]),
    pure("adapter/wire", &["adapter", "parser", "room", "text"]),
    pure("adapter/cluster", &["adapter", "parser", "room"]),
    driver("adapter", &["contract", "id", "parser", "room", "text"]),
    driver(
        "server",
        &[
            "adapter", "contract", "date", "describe", "engine", "extract", "id", "layer", "metrics", "parser", "reason", "room",
            "text",
        ],
    ),
    driver("layer", &["contract", "reason", "server"]),
    driver("extract", &["contract", "engine", "id", "reason", "server", "text"]),
    // What a client decides; and the rest of it, which carries that out.
    pure("client/manager", &["contract", "engine", "id", "parser", "text"]),
    driver("client", &["contract", "engine", "parser", "reason", "text"]),
    // A namespace that looks at all others: made of what users have, and of `Watch`.
    driver("admin", &["contract", "date", "engine", "extract", "id", "metrics", "parser", "reason", "room", "server", "text"]),
    // For tests of users: a client that talks to the server as any other, and is used by nothing here.
    driver("test", &["contract", "engine", "extract", "id", "parser", "server", "text"]),
    // What generated code may name, gathered from everywhere.
    driver("private", &["__pick_trait", "contract", "describe", "parser", "reason"]),
];

/// Crates that reach for the network, the clock, a runtime or chance.
const IMPURE_CRATES: [&str; 19] = [
    "axum",
    "axum_core",
    "futures_util",
    "http",
    "http_body",
    "http_body_util",
    "hyper",
    "hyper_util",
    "parking_lot",
    "rand",
    "redis",
    "tokio",
    "tokio_tungstenite",
    "tower_layer",
    "tower_service",
    "tracing",
    "tungstenite",
    "tokio_rustls",
    "webpki_roots",
];

/// The modules of the crate that a piece of code names: `a` of `crate::a::b`, `a` and `b` of `crate::{a::x, b}`.
fn crate_modules(code: &str) -> Vec<(usize, String)> {
    let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = Vec::new();
    for (at, rest) in words(code, "crate") {
        let Some(rest) = rest.strip_prefix("::") else { continue };
        let Some(group) = rest.strip_prefix('{') else {
            found.push((at, name(rest)));
            continue;
        };
        let mut depth = 0;
        let mut fresh = true;
        for (offset, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => fresh = true,
                c if fresh && !c.is_whitespace() => {
                    found.push((at, name(&group[offset..])));
                    fresh = false;
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn imports_are_found() {
    let named = |code: &str| crate_modules(code).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
    assert_eq!(named("use crate::a::b; fn f(_: crate::c) {}"), ["a", "c"]);
    assert_eq!(named("use crate::{a::{x, y}, b, c::{self}};"), ["a", "b", "c"]);
    assert_eq!(named("#[x(crate = crate)] use super::a;"), [""; 0]);
}

fn room_of(module: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| module == room.path || module.strip_prefix(room.path).is_some_and(|rest| rest.starts_with('/')))
}

/// The module of a file below `socketio/src`, with `/`.
fn module_of(path: &str) -> &str {
    let module = path.trim_end_matches(".rs");
    module.strip_suffix("/mod").unwrap_or(module)
}

/// Product code of every room: file, module, room, code.
fn rooms() -> impl Iterator<Item = (&'static File, &'static str, &'static Room, String)> {
    TREE.rust().filter_map(|file| {
        let module = module_of(file.below("socketio/src")?);
        Some((file, module, room_of(module)?, TREE.product_code(file)))
    })
}

#[test]
fn every_file_has_a_room() {
    let roomless = TREE.rust().filter_map(|file| {
        let module = module_of(file.below("socketio/src")?);
        (module != "lib" && room_of(module).is_none()).then(|| file.path.clone())
    });
    report(
        &roomless.collect::<Vec<_>>(),
        "add the new module to ROOMS in tests/tidy.rs and to docs/ARCHITECTURE.md, with its layer",
    );
}

#[test]
fn rooms_import_only_what_lies_below() {
    let mut offences = Vec::new();
    for (file, module, room, code) in rooms() {
        let own = room.path.split('/').next().unwrap_or_default();
        for (at, name) in crate_modules(&code) {
            // `engine::proto` belongs to `engine`, but must not name the rest of it.
            let inside = name == own && (room.path == own || code[at..].starts_with("crate::engine::proto"));
            if !inside && !room.uses.contains(&&*name) {
                offences.push(format!("{}:{} names crate::{name}", file.path, line(&code, at)));
            }
        }
        // `super` must not climb over the wall either.
        let depth = module.split('/').count();
        for (at, rest) in words(&code, "super") {
            let nested = code[..at].rsplit('\n').next().is_some_and(|start| start.starts_with([' ', '\t']));
            let first = !code[..at].ends_with("super::") && rest.starts_with("::");
            let climbs = 1 + rest.split("::").skip(1).take_while(|part| *part == "super").count();
            if first && !nested && depth - climbs.min(depth) < room.path.split('/').count() {
                offences.push(format!("{}:{} climbs out of `{}` with `super`", file.path, line(&code, at), room.path));
            }
        }
    }
    report(
        &offences,
        "move the shared type down into a room that both may name, or hand the value in as an argument. A new direction of imports \
         is a change of the architecture: write an ADR, then change ROOMS in tests/tidy.rs and the table in docs/ARCHITECTURE.md",
    );
}

#[test]
fn pure_rooms_touch_neither_network_nor_clock() {
    let mut offences = Vec::new();
    for (file, _, _, code) in rooms().filter(|(_, _, room, _)| room.pure) {
        for name in IMPURE_CRATES {
            for (at, rest) in words(&code, name) {
                if rest.starts_with("::") && !code[..at].ends_with("::") {
                    offences.push(format!("{}:{} uses the crate {name}", file.path, line(&code, at)));
                }
            }
        }
        for call in ["Instant::now", "SystemTime::now", "std::net", "std::thread::spawn", "thread::sleep", "std::fs"] {
            offences.extend(code.find(call).map(|at| format!("{}:{} uses {call}", file.path, line(&code, at))));
        }
    }
    report(&offences, "let the caller hand in what is needed (bytes, an `Instant`, random bytes), and return what is to be done");
}

/// Who may name the WebSocket library, and why.
const KNOW_TUNGSTENITE: [(&str, &str); 1] =
    [("socketio/src/websocket/tests/oracle.rs", "an independent implementation to compare with")];

#[test]
fn only_a_test_knows_a_websocket_library() {
    let names = TREE.rust().filter(|file| file.below("socketio/src").is_some() && code(&file.text).contains("tungstenite"));
    let offences: Vec<_> =
        names.filter(|file| KNOW_TUNGSTENITE.iter().all(|(path, _)| *path != file.path)).map(|file| file.path.clone()).collect();
    report(&offences, "use the room `websocket` and engine/transport/websocket.rs; see docs/adr/0005");
}

#[test]
fn generated_code_names_only_the_private_door() {
    let mut offences = Vec::new();
    for file in TREE.rust().filter(|file| file.below("socketio-macros/tests/output").is_some()) {
        for (at, _) in file.text.match_indices("::socketio::") {
            if !file.text[at..].starts_with("::socketio::__private") {
                offences.push(format!("{}:{}", file.path, line(&file.text, at)));
            }
        }
    }
    report(&offences, "generated code reaches the runtime through `__private` only: add what it needs to socketio/src/private.rs");
}

// ------------------------------------------------------------------------------------------------- how files look

/// Compiled by tests as users would write them, or generated: not sources of ours.
fn is_specimen(file: &File) -> bool {
    ["tests/ui", "socketio-macros/tests"].iter().any(|folder| file.below(folder).is_some())
}

fn sources() -> impl Iterator<Item = &'static File> {
    TREE.rust().filter(|file| !is_specimen(file))
}

#[test]
fn files_open_with_their_purpose() {
    let silent: Vec<_> = sources().filter(|file| !file.text.starts_with("//! ")).map(|file| file.path.clone()).collect();
    report(&silent, "open the file with `//!`: one sentence of purpose, then what is not here and where that is");
}

/// Files that may be longer than [`LINES`], and why.
const LONG: [(&str, &str); 0] = [];

/// The longest file that needs no reason.
const LINES: usize = 500;

/// The same for tests, where the cases of one subject stand together.
const LINES_OF_TESTS: usize = 700;

#[test]
fn files_are_short() {
    let long = sources().filter(|file| LONG.iter().all(|(path, _)| *path != file.path));
    let offences = long.filter_map(|file| {
        let lines = file.text.lines().count();
        let limit = if file.below("tests").is_some() || TREE.is_test(file) { LINES_OF_TESTS } else { LINES };
        (lines > limit).then(|| format!("{} has {lines} lines", file.path))
    });
    report(
        &offences.collect::<Vec<_>>(),
        "split the file by noun; if that would make it harder to read, add it to LONG in tests/tidy.rs with the reason",
    );
    let gone: Vec<_> = LONG.iter().filter(|(path, _)| !TREE.has(path)).map(|(path, _)| (*path).to_owned()).collect();
    report(&gone, "these files are gone: remove them from LONG in tests/tidy.rs");
}

/// Files with a mark that means something else there.
const NOT_FOR_LATER: [(&str, &str); 2] = [
    ("tests/tidy.rs", "it says what is searched"),
    ("socketio-macros/src/expand/emitter.rs", "the callers of a contract that does not compile never run"),
];

#[test]
fn nothing_is_left_for_later() {
    let marks = ["todo!", "unimplemented!", "TODO", "FIXME", "#[ignore", "XXX:", "dbg!("];
    let mut offences = Vec::new();
    let kinds = [".rs", ".mjs", ".js", ".ts", ".sh", ".html", ".toml", ".yml", ".md"];
    let known = |file: &File| NOT_FOR_LATER.iter().any(|(path, _)| *path == file.path);
    for file in TREE.files.iter().filter(|file| kinds.iter().any(|kind| file.path.ends_with(kind)) && !known(file)) {
        for mark in marks {
            offences
                .extend(words_or_marks(&file.text, mark).map(|at| format!("{}:{} has {mark}", file.path, line(&file.text, at))));
        }
    }
    report(&offences, "do it now, or open an issue and say in a sentence what is not here");
}

/// A mark that is a word stands alone; one that ends in a sign may stand anywhere.
fn words_or_marks<'a>(text: &'a str, mark: &'a str) -> impl Iterator<Item = usize> {
    let is_word = mark.chars().all(char::is_alphanumeric);
    text.match_indices(mark).map(|(at, _)| at).filter(move |at| !is_word || words(text, mark).any(|(word, _)| word == *at))
}

#[test]
fn there_is_no_unsafe_code() {
    let mut offences = Vec::new();
    for file in sources() {
        let code = code(&file.text);
        offences.extend(words(&code, "unsafe").map(|(at, _)| format!("{}:{}", file.path, line(&code, at))));
    }
    for file in TREE.files.iter().filter(|file| file.path.ends_with("Cargo.toml") && file.text.contains("[package]")) {
        // The fuzz targets are a workspace of their own.
        if !file.text.contains("[lints]\nworkspace = true") && file.below("tests/fuzz").is_none() {
            offences.push(format!("{} does not take the lints of the workspace", file.path));
        }
    }
    report(&offences, "find a safe way; a measured exception needs an ADR. A package says `[lints] workspace = true`");
}

#[test]
fn nothing_unwraps_outside_of_tests() {
    let mut offences = Vec::new();
    for file in sources().filter(|file| file.path.contains("/src/") && file.below("tests").is_none()) {
        let code = TREE.product_code(file);
        offences.extend(code.match_indices(".unwrap()").map(|(at, _)| format!("{}:{}", file.path, line(&code, at))));
    }
    report(
        &offences,
        "return an error, or `expect(\"invariant: ...\")` what the code around it guarantees; input never reaches it",
    );
}

#[test]
fn no_file_knows_somebodys_machine() {
    let folders = ["home", "root", "tmp", "work", "Users", "var/folders"].map(|name| format!("/{name}/"));
    let mut offences = Vec::new();
    for file in TREE.files.iter().filter(|file| !file.path.ends_with("tidy.rs")) {
        for folder in &folders {
            for (at, _) in file.text.match_indices(folder.as_str()) {
                // A part of a longer path or of an address is not a folder at the root.
                let inside = file.text[..at].ends_with(|c: char| c.is_alphanumeric() || "._-*$})/".contains(c));
                if !inside {
                    offences.push(format!("{}:{} has {folder}", file.path, line(&file.text, at)));
                }
            }
        }
    }
    report(&offences, "use paths relative to the repository, `mktemp` or the environment");
}

#[test]
fn lock_files_name_the_public_registries() {
    let mut offences = Vec::new();
    for file in &TREE.files {
        let (key, host) = match file.path.rsplit('/').next() {
            Some("Cargo.lock") => ("source = \"", "registry+https://github.com/rust-lang/crates.io-index"),
            Some("package-lock.json") => ("\"resolved\": \"", "https://registry.npmjs.org/"),
            _ => continue,
        };
        let foreign = file.text.match_indices(key).filter(|(at, _)| !file.text[at + key.len()..].starts_with(host));
        offences.extend(foreign.map(|(at, _)| format!("{}:{}", file.path, line(&file.text, at))));
    }
    report(&offences, "write the lock file against the public registry: everybody else has only that one");
}

// ------------------------------------------------------------------------------------------------- what documents say

#[test]
fn the_map_names_every_module() {
    let map = TREE.text("docs/ARCHITECTURE.md");
    let tops: BTreeSet<&str> = TREE
        .rust()
        .filter_map(|file| file.below("socketio/src")?.split('/').next())
        .map(|name| name.trim_end_matches(".rs"))
        .filter(|name| *name != "lib")
        .collect();
    let unnamed: Vec<_> = tops
        .iter()
        .filter(|name| {
            ![format!("`{name}`"), format!("`{name}.rs`"), format!("{name}/"), format!("{name}.rs")]
                .iter()
                .any(|spelling| map.contains(spelling))
        })
        .map(|name| format!("socketio/src/{name}"))
        .collect();
    report(&unnamed, "say in docs/ARCHITECTURE.md what the module is for and which layer it is in");
}

/// The rows of all tables of a document: line number and cells.
fn rows(text: &str) -> Vec<(usize, Vec<&str>)> {
    let mut rows = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for (at, row) in lines.iter().enumerate().filter(|(_, row)| row.starts_with('|')) {
        let is_rule = |row: &str| row.starts_with("|--") || row.starts_with("| --");
        let heads = lines.get(at + 1).is_some_and(|next| is_rule(next));
        if !heads && !is_rule(row) {
            rows.push((at + 1, row.trim().trim_matches('|').split(" | ").map(str::trim).collect()));
        }
    }
    rows
}

/// Whether a cell names tests that exist: `module` and `function` in backticks, cases of the end-to-end suites in quotes.
/// A copy of the repository without a suite cannot tell about that one.
fn check_tests(cell: &str) -> Result<(), String> {
    let spans = |quote: char| cell.split(quote).skip(1).step_by(2).collect::<Vec<_>>();
    let mut functions = 0;
    for name in spans('`') {
        let known = if name.contains("::") {
            let path = format!("socketio/src/{}", name.replace("::", "/"));
            TREE.has(&path) || TREE.has(&format!("{path}.rs"))
        } else if name.contains(['/', '.']) {
            TREE.has(name)
        } else {
            functions += 1;
            TREE.rust().any(|file| file.text.contains(&format!("fn {name}("))) || !TREE.has("tests/integration")
        };
        if !known {
            return Err(format!("`{name}` does not exist"));
        }
    }
    let cases = spans('"');
    for case in cases.iter().filter(|_| TREE.has("tests/e2e/suites")) {
        let known = |file: &File| file.path.ends_with(".mjs") && file.below("tests/e2e").is_some() && file.text.contains(case);
        if !TREE.files.iter().any(known) {
            return Err(format!("the end-to-end case \"{case}\" does not exist"));
        }
    }
    if functions + cases.len() > 0 || cell.starts_with("none: ") {
        return Ok(());
    }
    Err("no test is named; if there cannot be one, say `none: ` and why".to_owned())
}

#[test]
fn every_difference_and_every_rejection_has_a_test() {
    let mut offences = Vec::new();
    for document in ["docs/protocol.md", "docs/rejections.md"] {
        let rows = rows(TREE.text(document));
        assert!(!rows.is_empty(), "{document} has tables");
        offences.extend(rows.iter().filter_map(|(number, cells)| {
            Some(format!("{document}:{number} {}: {}", cells[0], check_tests(cells.last()?).err()?))
        }));
    }
    report(&offences, "write the test that pins what the row says, and name it in the last column");
}

#[test]
fn every_known_attack_has_a_test() {
    let document = "docs/SECURITY.md";
    let text = TREE.text(document);
    let start = text.find("\n## Known attacks").expect("docs/SECURITY.md has a chapter `Known attacks`");
    let chapter = &text[start + 4..];
    let rows = rows(chapter.find("\n## ").map_or(chapter, |end| &chapter[..end]));
    assert!(rows.len() >= 16, "advisories do not go away");
    let offences: Vec<_> = rows
        .iter()
        .filter_map(|(_, cells)| Some(format!("{document}: {}: {}", cells[0], check_tests(cells.last()?).err()?)))
        .collect();
    report(&offences, "write the test that shows that the attack fails, and name it in the last column");
}

#[test]
fn every_invariant_has_a_test() {
    let document = "docs/ARCHITECTURE.md";
    let text = TREE.text(document);
    let start = text.find("\n## Invariants").expect("docs/ARCHITECTURE.md has a chapter `Invariants`");
    let chapter = &text[start + 1..];
    let chapter = chapter[3..].find("\n## ").map_or(chapter, |end| &chapter[..end + 3]);
    let rows = rows(chapter);
    assert_eq!(rows.len(), 13, "there are thirteen invariants");
    let offences: Vec<_> = rows
        .iter()
        .filter_map(|(_, cells)| Some(format!("{document}, invariant {}: {}", cells[0], check_tests(cells.last()?).err()?)))
        .collect();
    report(&offences, "an invariant without a test is a wish: write the test, and name it in the last column");
}

#[test]
fn features_and_the_oldest_compiler_are_documented() {
    let manifest = TREE.text("socketio/Cargo.toml");
    let features = manifest.split("[features]\n").nth(1).and_then(|rest| rest.split("\n[").next()).expect("there are features");
    let names: Vec<&str> = features
        .lines()
        .filter(|line| !line.starts_with([' ', '#', ']']))
        .filter_map(|line| line.split(" = ").nth(1).and(line.split(" = ").next()))
        .collect();
    assert!(names.contains(&"default"), "the features were not understood: {names:?}");
    let workspace = TREE.text("Cargo.toml");
    let version = workspace.split("rust-version = \"").nth(1).and_then(|rest| rest.split('"').next()).expect("there is an MSRV");
    let mut offences = Vec::new();
    for document in ["README.md", "socketio/src/lib.rs"] {
        let text = TREE.text(document);
        offences.extend(
            names
                .iter()
                .filter(|name| !text.contains(&format!("`{name}`")))
                .map(|name| format!("{document}: the feature `{name}`")),
        );
        if !text.contains(version) {
            offences.push(format!("{document}: Rust {version}"));
        }
    }
    report(&offences, "name it in the tables of both");
}
