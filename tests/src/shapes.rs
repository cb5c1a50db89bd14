//! Awkward types, each in both directions: what the TypeScript generator and the schemas have to be true about.
//!
//! ```text
//! client --Shapes.name(value)----> server     decodes
//! client <---ShapeEvents.name----- server     the same value
//! client <---acknowledgement------ server     and again
//! ```
//!
//! `tests/typescript.rs` compares what is generated, `tests/typescript` type-checks it and sends values through it.

#![allow(missing_docs, reason = "the shapes are their own documentation")]
#![allow(clippy::ptr_arg, reason = "every shape is lent as it is")]

mod types;

pub use types::*;

use axum::Router;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use socketio::{Ack, Auth, Binary, CallError, ConnectError, Socket, SocketIo, events, namespace};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The `auth` payload.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Key {
    /// Must be `open sesame`.
    pub key: String,
    /// Not needed.
    pub level: Option<u8>,
}

macro_rules! shapes {
    ($($name:ident: $ty:ty;)*) => {
        /// Sends every shape back, twice: as an event and as the acknowledgement.
        #[namespace("/shapes/{lab}", emits = ShapeEvents, auth = Key)]
        pub trait Shapes {
            $(#[event] async fn $name(&self, value: $ty) -> Result<$ty, String>;)*

            /// Trailing options, no acknowledgement.
            #[event]
            async fn optional(&self, a: u8, b: Option<&str>, c: Option<u8>);
            /// Trailing options with an acknowledgement.
            #[event]
            async fn optional_acked(&self, a: u8, b: Option<&str>, c: Option<u8>) -> (u8, Option<String>, Option<u8>);
            /// An option that is not trailing.
            #[event]
            async fn leading_option(&self, a: Option<u8>, b: u8) -> Option<u8>;
            #[event]
            async fn variadic(&self, a: u8, #[rest] tags: Vec<String>);
            #[event]
            async fn variadic_acked(&self, a: u8, b: Option<u8>, #[rest] tags: Vec<Plain>) -> Vec<Plain>;
            /// Names that TypeScript keeps for itself, and an argument that is called like the callback.
            #[event("kebab-name with spaces")]
            async fn function(&self, new: u8, this: &str, ack: bool) -> Ack;
            /// Arguments that are lent.
            #[event]
            async fn lent(&self, profile: &Profile, plains: &[Plain]) -> u32;
            /// Nothing in, nothing out, but acknowledged.
            #[event]
            async fn ping(&self) -> Result<(), Never>;
            #[event]
            #[deprecated(note = "use `optional`")]
            async fn gone(&self);
            /// Asks the client with an event, and answers with its answer.
            #[event]
            async fn ask_me(&self, upload: Upload) -> Result<Upload, String>;
            /// The same with a value.
            #[event]
            async fn count_me(&self, words: Vec<String>) -> Result<u32, String>;
            /// Emits the events that are no shapes.
            #[event]
            async fn emit_rest(&self) -> Ack;
        }

        /// What the server sends.
        #[events]
        pub trait ShapeEvents {
            $(#[event] async fn $name(&self, value: &$ty);)*

            #[event]
            async fn optional(&self, a: u8, b: Option<&str>);
            #[event]
            async fn slice(&self, plains: &[Plain]);
            #[event]
            async fn many(&self, #[rest] numbers: Vec<f64>);
            #[event]
            async fn ask(&self, upload: &Upload) -> Result<Upload, String>;
            /// How many?
            #[event]
            async fn count(&self, words: &[String], hint: Option<&str>) -> u32;
            #[event]
            async fn nothing(&self) -> Ack;
        }

        #[allow(deprecated)]
        impl Shapes for Session {
            $(async fn $name(&self, value: $ty) -> Result<$ty, String> {
                self.socket.emit().$name(&value);
                Ok(value)
            })*
            async fn optional(&self, a: u8, b: Option<&str>, _: Option<u8>) {
                self.socket.emit().optional(a, b);
            }
            async fn optional_acked(&self, a: u8, b: Option<&str>, c: Option<u8>) -> (u8, Option<String>, Option<u8>) {
                (a, b.map(str::to_owned), c)
            }
            async fn leading_option(&self, a: Option<u8>, _: u8) -> Option<u8> {
                a
            }
            async fn variadic(&self, a: u8, tags: Vec<String>) {
                self.socket.emit().optional(a, tags.first().map(|tag| &**tag));
            }
            async fn variadic_acked(&self, _: u8, _: Option<u8>, tags: Vec<Plain>) -> Vec<Plain> {
                tags
            }
            async fn function(&self, _: u8, _: &str, _: bool) -> Ack {
                Ack
            }
            async fn lent(&self, profile: &Profile, plains: &[Plain]) -> u32 {
                profile.tags.len() as u32 + plains.len() as u32
            }
            async fn ping(&self) -> Result<(), Never> {
                Ok(())
            }
            async fn gone(&self) {}
            async fn ask_me(&self, upload: Upload) -> Result<Upload, String> {
                match self.socket.emit().ask(&upload).await {
                    Ok(upload) => Ok(upload),
                    Err(CallError::Rejected(reason)) => Err(reason),
                    Err(error) => Err(error.to_string()),
                }
            }
            async fn count_me(&self, words: Vec<String>) -> Result<u32, String> {
                self.socket.emit().count(&words, None).await.map_err(|error| error.to_string())
            }
            async fn emit_rest(&self) -> Ack {
                self.socket.emit().slice(&[Plain::FooBar, Plain::Baz]);
                self.socket.emit().many(vec![1.0, 2.5]);
                // The client's answer is waited for by nobody.
                drop(self.socket.emit().nothing());
                Ack
            }
        }
    };
}

shapes! {
    profile: Profile;
    external: External;
    internal: Internal;
    adjacent: Adjacent;
    untagged: Untagged;
    plain: Plain;
    single: Single;
    room_id: RoomId;
    transparent: Transparent;
    pair: Pair;
    unit_struct: UnitStruct;
    empty: Empty;
    internal_empty: InternalEmpty;
    tree: Tree;
    expr: Expr;
    folder: Folder;
    page_of_profiles: Page<Profile>;
    page_of_plains: Page<Plain>;
    unnamed_number: Unnamed<u8>;
    unnamed_bool: Unnamed<bool>;
    other_profile: other::Profile;
    flat: Flat;
    flat_enum: FlatEnum;
    flat_option: FlatOption;
    maps: Maps;
    enum_keys: BTreeMap<Plain, u8>;
    signed_keys: HashMap<i32, Pair>;
    documented_keys: BTreeMap<Documented, u8>;
    arrays: Arrays;
    misc: Misc;
    numbers: Numbers;
    bounded: Bounded;
    one_way: OneWay;
    defaults: Defaults;
    odd_names: OddNames;
    strict: Strict;
    documented: Documented;
    old_enum: OldEnum;
    other_variant: OtherVariant;
    fields_renamed: FieldsRenamed;
    reply: Reply;
    socket: Plug;
    blob: Blob;
    record: Record;
    upload: Upload;
    binaries: Binaries;
    binary: Binary;
    binary_enum: BinaryEnum;
    string_number: StringNumber;
    optional_profiles: Vec<Option<Profile>>;
    double_option: Option<Option<Pair>>;
    nested: HashMap<String, Vec<(u8, Plain)>>;
    set: BTreeSet<Plain>;
    value: serde_json::Value;
    object: serde_json::Map<String, serde_json::Value>;
    unit: ();
    tuple: (i32, String, (bool, Option<Plain>));
    outcome: Result<u8, Plain>;
    boxed: Box<Option<Box<Pair>>>;
}

/// A second namespace, which shares types with the first.
#[namespace("/lobby", emits = LobbyEvents, rename_all = "camelCase")]
pub trait Lobby {
    /// Everybody who is here.
    #[event]
    async fn who_is_here(&self) -> Vec<Profile>;
    #[event]
    async fn set_mood(&self, mood: Plain);
}

/// What is heard in the lobby.
#[events(rename_all = "camelCase")]
pub trait LobbyEvents {
    #[event]
    async fn came_in(&self, profile: &Profile);
}

/// A third one, which handles nothing and emits what another emits.
#[namespace("/tower", emits = LobbyEvents)]
pub trait Tower {}

/// A namespace that handles and emits the same events.
#[namespace("/echo", emits = Echo)]
pub trait Echo {
    /// Back and forth.
    #[event]
    async fn echo(&self, text: &str, note: Option<&str>);
}

/// What comes with a refusal, which no event mentions.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "code", rename_all = "camelCase")]
pub enum Refusal {
    /// The key is wrong.
    WrongKey {
        /// How often one may try again.
        left: u32,
    },
}

/// One client.
#[derive(Debug)]
pub struct Session {
    socket: Socket<dyn Shapes>,
}

async fn connect(socket: Socket<dyn Shapes>, Auth(auth): Auth<Key>) -> Result<Session, ConnectError> {
    if auth.key != "open sesame" {
        return Err(ConnectError::new("wrong key").with_data(Refusal::WrongKey { left: 3 }));
    }
    Ok(Session { socket })
}

/// The server that the suite talks to.
pub fn app() -> Router {
    let io = SocketIo::builder().namespace::<dyn Shapes, _>(connect).build();
    Router::new().layer(io.layer())
}
