//! What is refused, what is warned of, how files are compared, and how types are laid out. What real shapes become, and that it is
//! true, is tested in `tests/typescript` with the compiler and a client.

use super::{
    Bindings, Error, Warning, snapshot,
    ty::{Docs, Member, Slot, Ty},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use socketio_macros::{events, namespace};
use std::{env, fs, path::PathBuf, process};

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Point {
    x: i32,
    y: Option<i32>,
}

mod other {
    #[derive(Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
    pub(super) struct Point {
        z: i32,
    }
}

use other::Point as OtherPoint;

#[namespace("/map", crate = crate)]
trait Map {
    #[event]
    async fn center(&self, on: Point) -> Point;
}

fn text(bindings: &Bindings) -> String {
    bindings.render().expect("the contracts are sound").text
}

fn map() -> Bindings {
    Bindings::new().namespace::<dyn Map>()
}

#[test]
fn nothing_is_a_module_too() {
    let text = text(&Bindings::new());
    assert!(text.ends_with("\nexport {};\n"), "{text}");
    assert_eq!(Bindings::new().render_modules().expect("nothing can be wrong").files.len(), 0);
}

#[test]
fn a_type_that_differs_by_direction_becomes_two() {
    let text = text(&map());
    assert!(text.contains("export interface Point {\n  x: number;\n  y: number | null;\n}"), "{text}");
    assert!(text.contains("export interface PointInput {\n  x: number;\n  y?: number | null;\n}"), "{text}");
    assert!(text.contains("center: (on: PointInput, ack: (reply: Point) => void) => void;"), "{text}");
}

#[test]
fn one_direction_needs_no_suffix() {
    #[namespace("/", crate = crate)]
    trait OneWay {
        #[event]
        async fn go(&self, to: Point);
    }
    let text = text(&Bindings::new().namespace::<dyn OneWay>());
    assert!(text.contains("export interface Point {\n  x: number;\n  y?: number | null;\n}"), "{text}");
    assert!(!text.contains("PointInput"), "{text}");
}

#[test]
fn the_name_of_the_input_may_be_taken() {
    #[derive(Debug, Serialize, Deserialize, JsonSchema)]
    struct PointInput {
        mine: bool,
    }
    #[namespace("/", crate = crate)]
    trait Taken {
        #[event]
        async fn a(&self, to: Point) -> Point;
        #[event]
        async fn b(&self, to: PointInput);
    }
    let rendered = Bindings::new().namespace::<dyn Taken>().render().expect("the contracts are sound");
    assert!(rendered.text.contains("a: (to: PointInput_, ack: (reply: Point) => void) => void;"), "{}", rendered.text);
    assert!(rendered.text.contains("b: (to: PointInput) => void;"), "{}", rendered.text);
    assert!(rendered.warnings.contains(&Warning::Respelled { from: "PointInput".into(), to: "PointInput_".into() }));
}

#[test]
fn a_namespace_without_schemas_is_refused() {
    #[namespace("/", schema = false, crate = crate)]
    trait Silent {
        #[event]
        async fn a(&self);
    }
    #[events(schema = false, crate = crate)]
    trait SilentEvents {}
    #[namespace("/", emits = SilentEvents, crate = crate)]
    trait Speaking {}
    let refused = |bindings: Bindings| bindings.render().unwrap_err();
    assert_eq!(refused(Bindings::new().namespace::<dyn Silent>()), Error::NoSchema("Silent".into()));
    assert_eq!(refused(Bindings::new().namespace::<dyn Speaking>()), Error::NoSchema("SilentEvents".into()));
}

#[cfg(feature = "server")]
#[test]
fn what_is_untyped_is_refused() {
    let refused = Bindings::new().namespace::<crate::Untyped>().render().unwrap_err();
    assert_eq!(refused, Error::NoSchema("Untyped".into()));
}

#[test]
fn two_traits_of_one_name_are_refused() {
    mod elsewhere {
        #[socketio_macros::namespace("/other", crate = crate)]
        pub(super) trait Map {}
    }
    #[namespace("/", crate = crate)]
    trait MapSocket {}
    let refused = map().namespace::<dyn elsewhere::Map>().render().unwrap_err();
    assert_eq!(refused, Error::SameTrait("Map".into()));
    // The same trait twice is no mistake.
    assert_eq!(text(&map().namespace::<dyn Map>()), text(&map()));
    // Nor may a trait be called like what is generated for another.
    assert_eq!(map().namespace::<dyn MapSocket>().render().unwrap_err(), Error::SameTrait("MapSocket".into()));
}

#[test]
fn a_payload_type_cannot_be_called_like_what_is_generated() {
    #[derive(Debug, Serialize, Deserialize, JsonSchema)]
    struct MapPath {
        steps: u8,
    }
    #[derive(Debug, Serialize, Deserialize, JsonSchema)]
    #[serde(rename = "Map")]
    struct MapOfTheWorld {
        scale: u8,
    }
    let refused = map().include::<MapPath>().render().unwrap_err();
    let owner = "what is generated for the namespace `Map`".to_owned();
    assert_eq!(refused, Error::NameTaken { name: "MapPath".into(), owner });
    let refused = map().include::<MapOfTheWorld>().render().unwrap_err();
    assert_eq!(refused, Error::NameTaken { name: "Map".into(), owner: "the trait `Map`".into() });
    // A new name is the way out.
    assert!(text(&map().include::<MapPath>().rename::<MapPath>("Walk")).contains("export interface Walk {"));
}

#[test]
fn types_are_renamed_and_included() {
    let both = map().include::<OtherPoint>();
    let warning = Warning::SameName { base: "Point".into(), name: "Point2".into() };
    assert!(both.render().expect("the contracts are sound").warnings.contains(&warning));
    let renamed = both.rename::<OtherPoint>("Depth").render().expect("the contracts are sound");
    assert!(renamed.warnings.is_empty(), "{:?}", renamed.warnings);
    assert!(renamed.text.contains("export interface Depth {\n  z: number;\n}"), "{}", renamed.text);

    let refused = |bindings: Bindings| bindings.render().unwrap_err();
    assert_eq!(refused(map().rename::<Point>("a b")), Error::BadName("a b".into()));
    assert_eq!(refused(map().rename::<Point>("string")), Error::BadName("string".into()));
    assert_eq!(refused(map().include::<OtherPoint>().rename::<OtherPoint>("P").rename::<Point>("P")), Error::BadName("P".into()));
    assert!(matches!(refused(map().rename::<String>("Text")), Error::Nameless(name) if name.ends_with("String")));
    assert!(matches!(refused(map().include::<Vec<Point>>()), Error::Nameless(_)));
    let unused = map().rename::<OtherPoint>("Depth").render().expect("the contracts are sound").warnings;
    assert!(matches!(unused.first(), Some(Warning::UnusedRename(name)) if name.ends_with("other::Point")), "{unused:?}");
}

#[test]
#[should_panic(expected = "there are warnings, which are denied\nwarning: `Big.size.n` is `uint64`")]
fn warnings_can_be_denied() {
    #[namespace("/", crate = crate)]
    trait Big {
        #[event]
        async fn size(&self, n: u64);
    }
    Bindings::new().namespace::<dyn Big>().deny_warnings().check("nowhere.gen.ts");
}

/// A folder of a test, removed behind it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("socketio-{name}-{}", process::id()));
        let _ = fs::remove_dir_all(&folder);
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_file_is_compared_or_rewritten() {
    let folder = Folder::new("snapshot");
    let path = folder.0.join("deep/a.ts");
    let check = |text: &str, update: bool| snapshot::check(&path, text, update);
    let missing = check("a\nb\n", false).unwrap_err();
    assert!(missing.contains("does not exist: run `SOCKETIO_UPDATE=1 cargo test`"), "{missing}");
    check("a\nb\n", true).expect("the folder can be written");
    check("a\nb\n", false).expect("it is current");
    let stale = check("a\nc\nd\n", false).unwrap_err();
    assert!(stale.contains("is out of date, first at line 2:\n  - b\n  + c\nrun `SOCKETIO_UPDATE=1 cargo test`"), "{stale}");
    let longer = check("a\nb\nc\n", false).unwrap_err();
    assert!(longer.contains("first at line 3:\n  - <end of file>\n  + c"), "{longer}");
    // A checkout with other line ends is no difference.
    fs::write(&path, "a\r\nb\r\n").expect("the folder can be written");
    check("a\nb\n", false).expect("it is current");
}

#[test]
fn a_file_of_a_namespace_that_is_gone_is_out_of_date() {
    let folder = Folder::new("modules");
    let files = map().render_modules().expect("the contracts are sound").files;
    fs::create_dir_all(&folder.0).expect("the folder can be made");
    for (name, text) in &files {
        fs::write(folder.0.join(name), text).expect("the folder can be written");
    }
    fs::write(folder.0.join("mine.gen.ts"), "export {};\n").expect("the folder can be written");
    map().check_modules(&folder.0);
    fs::write(folder.0.join("old.gen.ts"), &files["map.gen.ts"]).expect("the folder can be written");
    let message = std::panic::catch_unwind(|| map().check_modules(&folder.0)).unwrap_err();
    let message = message.downcast_ref::<String>().expect("a test fails with a text");
    assert!(message.contains("old.gen.ts belongs to no namespace any more"), "{message}");
}

fn name(text: &str) -> Ty {
    Ty::name(text)
}

fn member(key: &str, ty: Ty) -> Member {
    Member { docs: Docs::default(), key: key.to_owned(), optional: false, ty }
}

fn union(parts: &[Ty]) -> Ty {
    Ty::union(parts.iter().map(|ty| (Docs::default(), ty.clone())))
}

#[test]
fn unions_are_simplified() {
    for (parts, expected) in [
        (vec![name("a"), name("never")], "a"),
        (vec![name("a"), name("a")], "a"),
        (vec![name("a"), union(&[name("b"), name("a")])], "a | b"),
        (vec![name("a"), name("unknown")], "unknown"),
        (vec![], "never"),
    ] {
        assert_eq!(union(&parts).lay_out(0, 0), expected);
    }
    assert_eq!(name("a").or_null().or_null().lay_out(0, 0), "a | null");
}

#[test]
fn parentheses_stand_where_they_are_needed() {
    let either = union(&[name("a"), name("b")]);
    let both = Ty::Intersection(vec![name("c"), either.clone()]);
    assert_eq!(Ty::Array(Box::new(either)).lay_out(0, 0), "(a | b)[]");
    assert_eq!(Ty::Array(Box::new(both.clone())).lay_out(0, 0), "(c & (a | b))[]");
    assert_eq!(union(&[name("d"), both]).lay_out(0, 0), "d | (c & (a | b))");
    let function = Ty::Function(vec![Slot::new("x", name("a"))]);
    assert_eq!(union(&[function, name("b")]).lay_out(0, 0), "((x: a) => void) | b");
}

#[test]
fn what_is_too_long_is_broken() {
    let long = |c: &str| name(&c.repeat(60));
    let (a, b) = ("a".repeat(60), "b".repeat(60));
    assert_eq!(union(&[long("a"), long("b")]).lay_out(0, 0), format!("\n  | {a}\n  | {b}"));
    let object = Ty::Object(vec![member("x", long("a")), member("y", long("b"))]);
    assert_eq!(object.lay_out(1, 0), format!("{{\n    x: {a};\n    y: {b};\n  }}"));
    let tuple = Ty::Tuple(vec![Slot::new("", long("a")), Slot { rest: true, ..Slot::new("", Ty::Array(Box::new(long("b")))) }]);
    assert_eq!(tuple.lay_out(0, 0), format!("[\n  {a},\n  ...{b}[],\n]"));
    let array = Ty::Array(Box::new(union(&[long("a"), long("b")])));
    assert_eq!(array.lay_out(0, 0), format!("(\n  | {a}\n  | {b}\n)[]"));
    // The width counts what stands before.
    let short = union(&[name("a"), name("b")]);
    assert_eq!(short.lay_out(0, 109), "\n  | a\n  | b");
}

#[test]
fn comments_cannot_be_left() {
    assert_eq!(Docs("a */ b".into()).lay_out(1), "  /** a *\\/ b */\n");
    assert_eq!(Docs("\n a\n\n b \n".into()).lay_out(0), "/**\n * a\n *\n *  b\n */\n");
    assert_eq!(Docs::default().tag("@deprecated ").lay_out(0), "/** @deprecated */\n");
    assert_eq!(Docs("a".into()).tag("@default 1").lay_out(0), "/**\n * a\n * @default 1\n */\n");
    assert_eq!(Docs::default().lay_out(0), "");
}
