//! Mistakes and the messages they get, and committed expansions.
//!
//! The messages' places, and what rustc adds to them, are tested in the `ui` suite of `socketio-tests`.

use crate::{attr::Kind, compile};
use proc_macro2::TokenStream;
use quote::ToTokens as _;
use std::{env, fs, path::Path};
use syn::{Attribute, File, Item, Meta};

mod mistakes;

/// Expands the first attribute of ours among `attrs`.
fn expand(attrs: &mut Vec<Attribute>, item: impl FnOnce(&[Attribute]) -> TokenStream) -> Option<(TokenStream, Vec<String>)> {
    let ours = |attr: &Attribute| match attr.path().get_ident()?.to_string().as_str() {
        "namespace" => Some(Kind::Namespace),
        "events" => Some(Kind::Events),
        _ => None,
    };
    let (index, kind) = attrs.iter().enumerate().find_map(|(index, attr)| Some((index, ours(attr)?)))?;
    let options = match attrs.remove(index).meta {
        Meta::List(list) => list.tokens,
        _ => TokenStream::new(),
    };
    let (code, errors) = compile(kind, options, item(attrs));
    Some((code, errors.into_messages()))
}

/// Checks the messages for an item, given as source text.
#[track_caller]
fn check(source: &str, expected: &[&str]) {
    let mut parsed: syn::ItemTrait = syn::parse_str(source).expect("the item of a test parses");
    let mut attrs = std::mem::take(&mut parsed.attrs);
    let (code, messages) =
        expand(&mut attrs, |rest| quote::quote!(#(#rest)* #parsed)).expect("the item of a test has an attribute");
    assert_eq!(messages, expected, "for {source}");
    // Whatever is wrong, the code parses and the trait is in it.
    let file: File = syn::parse2(code).expect("generated code parses");
    assert!(prettyplease::unparse(&readable(file)).contains(&format!("trait {}", parsed.ident)));
}

/// Replaces the choice between the two variants of the trait by the one for rustc.
fn readable(mut file: File) -> File {
    for item in &mut file.items {
        if let Item::Macro(choice) = item
            && choice.mac.path.segments.last().is_some_and(|segment| segment.ident == "pick_trait")
        {
            let variants: Vec<proc_macro2::Group> =
                choice.mac.tokens.clone().into_iter().map(|token| syn::parse2(token.into()).expect("two groups")).collect();
            *item = Item::Trait(syn::parse2(variants[0].stream()).expect("the first group is the trait for rustc"));
        }
    }
    // Futures and default bodies are made of tokens; parse them.
    syn::parse2(file.into_token_stream()).expect("generated code parses")
}

/// The expansions in `tests/output` are what the traits in `tests/input` give. `SOCKETIO_UPDATE=1` rewrites them.
#[test]
fn expansions_are_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut names: Vec<_> =
        fs::read_dir(root.join("input")).expect("tests/input").map(|entry| entry.expect("an entry").file_name()).collect();
    names.sort();
    assert!(names.len() >= 5, "the inputs have moved");
    for name in names {
        let input = fs::read_to_string(root.join("input").join(&name)).expect("an input");
        let mut file: File = syn::parse_file(&input).expect("an input parses");
        let items = std::mem::take(&mut file.items);
        for item in items {
            let Item::Trait(mut item) = item else {
                file.items.push(item);
                continue;
            };
            let mut attrs = std::mem::take(&mut item.attrs);
            let (code, messages) = expand(&mut attrs, |rest| quote::quote!(#(#rest)* #item)).expect("an attribute");
            assert_eq!(messages, [""; 0], "{name:?}");
            file.items.extend(syn::parse2::<File>(code).expect("generated code parses").items);
        }
        file.attrs.clear();
        let actual = prettyplease::unparse(&readable(file));
        let actual =
            format!("// @generated from tests/input; SOCKETIO_UPDATE=1 cargo test -p socketio-macros rewrites it.\n\n{actual}");
        let output = root.join("output").join(&name);
        if env::var_os("SOCKETIO_UPDATE").is_some() {
            fs::write(&output, actual).expect("an output");
            continue;
        }
        let expected = fs::read_to_string(&output).unwrap_or_default();
        let line = expected.lines().zip(actual.lines()).position(|(expected, actual)| expected != actual);
        assert!(
            expected == actual,
            "{} differs from line {:?}; run with SOCKETIO_UPDATE=1 and look at the diff",
            output.display(),
            line.map(|line| line + 1)
        );
    }
}
