//! What is generated from the awkward types of `socketio_tests::shapes`, compared with the files that `tests/typescript`
//! type-checks and runs. `SOCKETIO_UPDATE=1` rewrites them.

use socketio::{
    asyncapi::Document,
    typescript::{Bindings, Warning},
};
use socketio_tests::shapes::{Echo, Lobby, Refusal, Shapes, Tower, other};

const GENERATED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/typescript/generated");

fn bindings() -> Bindings {
    Bindings::new()
        .namespace::<dyn Shapes>()
        .namespace::<dyn Lobby>()
        .namespace::<dyn Tower>()
        .namespace::<dyn Echo>()
        .include::<Refusal>()
        .rename::<other::Profile>("OtherProfile")
}

#[test]
fn one_file_is_current() {
    bindings().check(format!("{GENERATED}/one.gen.ts"));
}

#[test]
fn several_files_are_current() {
    bindings().check_modules(format!("{GENERATED}/several"));
}

#[test]
fn schemas_are_current() {
    bindings().check_schemas(format!("{GENERATED}/schemas.json"));
}

#[test]
fn the_order_of_registration_does_not_matter() {
    let turned = Bindings::new()
        .rename::<other::Profile>("OtherProfile")
        .include::<Refusal>()
        .namespace::<dyn Echo>()
        .namespace::<dyn Lobby>()
        .namespace::<dyn Tower>()
        .namespace::<dyn Shapes>();
    assert_eq!(bindings().render(), turned.render());
    assert_eq!(bindings().render_modules(), turned.render_modules());
    assert_eq!(bindings().render_schemas(), turned.render_schemas());
}

#[test]
fn what_deserves_a_look_is_said() {
    let warnings = bindings().render().expect("the contracts are sound").warnings;
    let precision = |at: &str, format: &str| Warning::Precision { at: at.to_owned(), format: format.to_owned() };
    for expected in [
        precision("Profile.userId", "uint64"),
        precision("Numbers.big", "int64"),
        precision("Numbers.huge", "uint128"),
        precision("Numbers.size", "uint"),
        Warning::Bytes { at: "Arrays.bytes".to_owned() },
        Warning::SameName { base: "Unnamed".to_owned(), name: "Unnamed2".to_owned() },
        Warning::Respelled { from: "Blob".to_owned(), to: "Blob_".to_owned() },
    ] {
        assert!(warnings.contains(&expected), "{expected:?} is missing: {warnings:#?}");
    }
    // What is bounded or sent as text is exact, and a renamed type collides no more.
    let text = format!("{warnings:?}");
    for silent in ["Bounded", "StringNumber", "Profile2", "OtherProfile"] {
        assert!(!text.contains(silent), "{silent}: {text}");
    }
}

#[test]
fn the_asyncapi_document_is_current() {
    let document = Document::new("Shapes", "1.0.0")
        .description("Awkward types.")
        .server("local", "127.0.0.1:3000", "/socket.io")
        .namespace::<dyn Shapes>()
        .namespace::<dyn Lobby>()
        .namespace::<dyn Tower>()
        .namespace::<dyn Echo>()
        .include::<Refusal>()
        .rename::<other::Profile>("OtherProfile");
    document.check(format!("{GENERATED}/asyncapi.json"));
}
