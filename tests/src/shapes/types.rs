//! The awkward types.
#![allow(missing_docs, reason = "what they are is their name; some carry documentation on purpose")]
#![allow(deprecated, reason = "one field is, on purpose")]

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use socketio::Binary;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
    num::NonZeroU8,
    time::Duration,
};

/// A profile with the end of a comment, `*/`, in its docs.
///
/// Second paragraph.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// The id.
    pub user_id: u64,
    pub display_name: Option<String>,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nick: Option<String>,
    #[serde(default = "ten")]
    pub limit: u32,
    #[serde(skip)]
    pub secret: u8,
    #[deprecated]
    pub old: bool,
    #[serde(rename = "weird-key")]
    pub weird: i8,
}

fn ten() -> u32 {
    10
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub enum External {
    Unit,
    Newtype(i32),
    Tuple(u8, String),
    Struct { a: bool },
    EmptyStruct {},
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Internal {
    Unit,
    Newtype(Profile),
    Struct { a_b: bool },
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "t", content = "c")]
pub enum Adjacent {
    Unit,
    Newtype(i32),
    Tuple(u8, String),
    Struct { a: bool },
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Untagged {
    Text(String),
    Number(f64),
    Object { x: i32 },
    Nothing,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Plain {
    FooBar,
    Baz,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub enum Single {
    Only,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct RoomId(pub String);

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Transparent {
    pub inner: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Pair(pub u8, pub Option<String>);

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct UnitStruct;

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Empty {}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind")]
pub enum InternalEmpty {
    Nothing(Empty),
    Something(RoomHolder),
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RoomHolder {
    pub room: RoomId,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Tree {
    pub value: i32,
    pub kids: Vec<Tree>,
    pub parent: Option<Box<Tree>>,
}

/// An expression, which is a recursive union.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Expr {
    /// A number.
    Number(f64),
    /// Its operand with another sign.
    Negated(Box<Expr>),
    Sum(Vec<Expr>),
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Folder {
    pub name: String,
    pub entries: Vec<Entry>,
}

/// One entry of a [`Folder`], which it may be itself.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "is", rename_all = "lowercase")]
pub enum Entry {
    File { size: u32 },
    Folder(Folder),
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Page_{T}")]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Unnamed<T> {
    pub v: T,
}

pub mod other {
    //! A type with the name of another.

    /// Not the other profile.
    #[derive(Debug, Clone, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
    pub struct Profile {
        pub z: u8,
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Flat {
    pub id: u32,
    #[serde(flatten)]
    pub label: Label,
    #[serde(flatten)]
    pub rest: HashMap<String, serde_json::Value>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Label {
    pub label: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FlatEnum {
    pub id: u32,
    #[serde(flatten)]
    pub kind: Internal,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FlatOption {
    pub id: u32,
    #[serde(flatten)]
    pub holder: Option<RoomHolder>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Maps {
    pub by_name: BTreeMap<RoomId, bool>,
    pub by_number: HashMap<u32, Plain>,
    pub by_char: BTreeMap<char, u8>,
    pub set: BTreeSet<Plain>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Arrays {
    pub none: [bool; 0],
    pub fixed: [f32; 3],
    pub long: [u16; 9],
    pub matrix: [[i8; 2]; 2],
    pub bytes: Vec<u8>,
    pub tuples: Vec<(String, Option<u8>)>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Misc {
    pub any: serde_json::Value,
    pub outcome: Result<u8, String>,
    pub unit: (),
    pub twice: Option<Option<u8>>,
    pub address: IpAddr,
    pub duration: Duration,
    pub range: std::ops::Range<u8>,
    pub text: Cow<'static, str>,
    pub letter: char,
    pub boxed: Box<str>,
    pub ghost: std::marker::PhantomData<u8>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Numbers {
    pub tiny: i8,
    pub small: i16,
    pub float: f32,
    pub double: f64,
    pub big: i64,
    pub huge: u128,
    pub size: usize,
    pub not_zero: NonZeroU8,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Bounded {
    /// Milliseconds since 1970: small enough, and said so.
    #[schemars(range(max = 8_640_000_000_000_000_u64))]
    pub time: u64,
}

/// What is read differs from what is written.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OneWay {
    #[serde(rename(serialize = "out", deserialize = "in"))]
    pub renamed: i8,
    #[serde(skip_serializing)]
    pub password: String,
    #[serde(skip_deserializing)]
    pub computed: u8,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Defaults {
    /// How many.
    pub count: u8,
    pub name: String,
    pub plain: Option<Plain>,
}

impl Default for Defaults {
    fn default() -> Self {
        Defaults { count: 3, name: "*/ \"quoted\"".to_owned(), plain: None }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OddNames {
    pub r#type: u8,
    pub default: u8,
    pub constructor: u8,
    #[serde(rename = "with space")]
    pub with_space: u8,
    #[serde(rename = "quo\"te")]
    pub quote: u8,
    #[serde(rename = "1st")]
    pub first: u8,
    #[serde(rename = "größe")]
    pub size: u8,
    #[serde(rename = "$ref")]
    pub reference: u8,
    #[serde(rename = "const")]
    pub constant: RoomId,
    #[serde(rename = "")]
    pub empty: u8,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Strict {
    pub a: u8,
    pub b: Option<u8>,
}

/// An enum whose variants are documented.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Documented {
    /// The first one.
    First,
    /// The second one,
    /// on two lines.
    Second,
    Third,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub enum OldEnum {
    #[deprecated]
    Old,
    New,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OtherVariant {
    Known,
    #[serde(other)]
    Unknown,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "t", content = "c", rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase")]
pub enum FieldsRenamed {
    OneThing {
        some_field: u8,
        other_field: Option<bool>,
    },
    #[serde(rename = "two.things")]
    TwoThings,
}

/// A type that is called like a helper of the generated file.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Reply {
    pub to: u32,
}

/// Another one.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Socket")]
pub struct Plug {
    pub number: u32,
}

/// A type that is called like one of the platform, which the generated file uses.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Blob {
    pub shape: String,
}

/// A type that is called like one of TypeScript's.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    pub title: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Upload {
    pub name: String,
    pub data: Binary,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Binaries {
    pub maybe: Option<Binary>,
    pub list: Vec<Binary>,
    pub map: BTreeMap<String, Binary>,
    pub uploads: Vec<Upload>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "t", content = "c")]
pub enum BinaryEnum {
    Bytes(Binary),
    Text(String),
}

/// A 64-bit integer that survives JavaScript.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct StringNumber {
    #[serde(with = "as_text")]
    #[schemars(with = "String")]
    pub id: u64,
}

mod as_text {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        std::borrow::Cow::<str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// It cannot be.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub enum Never {}
