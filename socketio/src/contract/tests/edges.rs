//! Aliases, raw identifiers, clashing names, generic sessions, decorators, local traits, shared receivers.

use super::*;

type Result<T, E = String> = std::result::Result<T, E>;

mod api {
    use super::Result;

    /// A contract in another module.
    #[socketio_macros::namespace("/edge", crate = crate)]
    pub(crate) trait Edge {
        /// An alias named `Result`.
        #[event]
        async fn alias(&self, n: u8) -> Result<u8>;
        /// Raw identifiers.
        #[event]
        async fn r#type(&self, r#match: &str) -> String;
        /// Names that generated code might use, too.
        #[event]
        async fn clash(&self, args: u8, handler: u8, event: u8, describe: u8, body: u8, values: u8) -> u32;
        /// A receiver that can be kept.
        #[event]
        async fn keep(self: std::sync::Arc<Self>) -> usize;
        /// A named lifetime.
        #[event]
        async fn lifetime<'a>(&self, a: &'a str, b: Option<&'a str>) -> usize;
        /// An event that handlers may leave out; it calls a helper.
        #[event]
        async fn provided(&self, mut x: u8, unused: Option<u8>) -> u8 {
            x += self.base();
            x
        }
        /// A helper.
        fn base(&self) -> u8 {
            40
        }
        /// The name of a common method.
        #[event]
        async fn clone(&self, into: u8) -> u8;
    }
}
use api::Edge as Renamed;

mod shadow {
    /// A set of types whose names generated code might use, too.
    #[socketio_macros::events(schema = false, crate = crate)]
    pub(crate) trait Shadow {
        #[event]
        async fn shadow(&self, a: &Option, b: Vec, c: T) -> Box;
    }
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    pub(crate) struct Option(pub(crate) u8);
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    pub(crate) struct Vec(pub(crate) u8);
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    pub(crate) struct T(pub(crate) u8);
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    pub(crate) struct Box(pub(crate) u8);
}

struct Generic<D>(D);

impl<D: Send + Sync + Copy + Into<u32> + 'static> Renamed for Generic<D> {
    async fn alias(&self, n: u8) -> Result<u8> {
        if n == 0 { Err("zero".into()) } else { Ok(n) }
    }
    async fn r#type(&self, r#match: &str) -> String {
        r#match.to_uppercase()
    }
    async fn clash(&self, args: u8, handler: u8, event: u8, describe: u8, body: u8, values: u8) -> u32 {
        [args, handler, event, describe, body, values].map(u32::from).iter().sum()
    }
    async fn keep(self: Arc<Self>) -> usize {
        Arc::strong_count(&self)
    }
    async fn lifetime<'a>(&self, a: &'a str, b: Option<&'a str>) -> usize {
        a.len() + b.map_or(0, str::len)
    }
    async fn clone(&self, into: u8) -> u8 {
        into
    }
}

/// A decorator is ordinary Rust.
struct Logged<S>(Arc<S>);

impl<S: Renamed> Renamed for Logged<S> {
    async fn alias(&self, n: u8) -> Result<u8> {
        self.0.alias(n + 1).await
    }
    async fn r#type(&self, r#match: &str) -> String {
        self.0.r#type(r#match).await
    }
    async fn clash(&self, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8) -> u32 {
        self.0.clash(a, b, c, d, e, f).await
    }
    async fn keep(self: Arc<Self>) -> usize {
        Arc::clone(&self.0).keep().await
    }
    async fn lifetime<'a>(&self, a: &'a str, b: Option<&'a str>) -> usize {
        self.0.lifetime(a, b).await
    }
    async fn clone(&self, into: u8) -> u8 {
        S::clone(&self.0, into).await
    }
}

#[test]
fn awkward_events_dispatch() {
    let session = Arc::new(Generic(7u8));
    for (packet, expected) in [
        (r#"21["alias",1]"#, r#"[{"ok":true,"data":1}]"#),
        (r#"21["alias",0]"#, r#"[{"ok":false,"error":"zero"}]"#),
        (r#"21["type","x"]"#, r#"["X"]"#),
        (r#"21["clash",1,2,3,4,5,6]"#, "[21]"),
        (r#"21["lifetime","ab","c\""]"#, "[4]"),
        (r#"21["provided",2]"#, "[42]"),
        (r#"21["clone",9]"#, "[9]"),
        (r#"21["r#type","x"]"#, "unhandled: r#type"),
    ] {
        check::<dyn Renamed, _>(&session, packet, expected);
    }
    // The test, the future and the handler each hold the session.
    check::<dyn Renamed, _>(&session, r#"21["keep"]"#, "[3]");
    // `String: From<Rejection>`, so a bad payload is answered.
    let Outcome::RejectedWith(_, body) = finish(<dyn Renamed>::dispatch(&session, incoming(r#"21["alias","x"]"#, &[]))) else {
        panic!()
    };
    assert!(body.json().starts_with(r#"[{"ok":false,"error":"event `alias`, argument 0 (`n`)"#), "{}", body.json());
}

#[test]
fn decorators_and_several_sessions_share_a_contract() {
    let session = Arc::new(Logged(Arc::new(Generic(7u8))));
    check::<dyn Renamed, _>(&session, r#"21["alias",1]"#, r#"[{"ok":true,"data":2}]"#);
    check::<dyn Renamed, _>(&session, r#"21["provided",2]"#, "[42]");
    assert_eq!(finish(session.clash(1, 1, 1, 1, 1, 1)), 6, "handlers are plain methods");
}

#[test]
fn awkward_events_are_called() {
    let recorder = Recorder::answering("[1]");
    let emitter = <dyn Renamed>::emitter(&recorder);
    assert_eq!(emitter.clash(1, 2, 3, 4, 5, 6), (r#"["clash",1,2,3,4,5,6]"#.to_owned(), Ok(1)));
    assert_eq!(emitter.r#type("x").0, r#"["type","x"]"#);
    assert_eq!(emitter.clone(9).0, r#"["clone",9]"#);
    let aliased: (String, Result<u8, CallError<String>>) =
        <dyn Renamed>::emitter(&Recorder::answering(r#"[{"ok":false,"error":"no"}]"#)).alias(1);
    assert_eq!(aliased.1, Err(CallError::Rejected("no".to_owned())));
}

#[test]
fn names_of_the_user_and_of_the_macro_do_not_meet() {
    struct Client;
    impl shadow::Shadow for Client {
        async fn shadow(&self, a: &shadow::Option, b: shadow::Vec, c: shadow::T) -> shadow::Box {
            shadow::Box(a.0 + b.0 + c.0)
        }
    }
    check::<dyn shadow::Shadow, _>(&Arc::new(Client), r#"21["shadow",1,2,3]"#, "[6]");
    let recorder = Recorder::answering("[6]");
    let sum = <dyn shadow::Shadow>::emitter(&recorder).shadow(&shadow::Option(1), shadow::Vec(2), shadow::T(3));
    assert_eq!(sum, (r#"["shadow",1,2,3]"#.to_owned(), Ok(shadow::Box(6))));
}

#[test]
fn traits_may_be_local_to_a_function() {
    #[namespace("/local", crate = crate)]
    trait Local {
        #[event]
        async fn ping(&self) -> u8;
    }
    struct Session;
    impl Local for Session {
        async fn ping(&self) -> u8 {
            1
        }
    }
    check::<dyn Local, _>(&Arc::new(Session), r#"21["ping"]"#, "[1]");
}

#[test]
fn contracts_may_come_from_macros() {
    macro_rules! contract {
        ($name:ident, $event:ident, $argument:ty, $path:literal) => {
            #[namespace($path, crate = crate)]
            trait $name {
                #[event]
                async fn $event(&self, argument: $argument) -> usize;
            }
        };
    }
    contract!(Made, length, &str, "/made");
    struct Session;
    impl Made for Session {
        async fn length(&self, argument: &str) -> usize {
            argument.len()
        }
    }
    check::<dyn Made, _>(&Arc::new(Session), r#"21["length","four"]"#, "[4]");
    assert_eq!(<dyn Made as Namespace>::PATH, "/made");
}
