//! What is wrong with a trait, one rule per test.

use super::check;

/// Checks one event in an otherwise correct namespace.
#[track_caller]
fn event(method: &str, expected: &[&str]) {
    check(&format!("#[namespace(\"/chat\")] trait Chat {{ {method} }}"), expected);
}

#[test]
fn correct_traits_have_no_mistakes() {
    check("#[namespace(\"/\")] trait Empty {}", &[]);
    check("#[events] trait Empty {}", &[]);
    check("#[events(rename_all = \"camelCase\", schema = false, crate = other)] trait Empty {}", &[]);
    check(
        "#[namespace(\"/org/{id}/room/{room}\", emits = api::Ev, auth = Login<u8>, data = api::Profile, cluster = Nodes, crate = crate::x)] trait Org {}",
        &[],
    );
    event(
        "#[event] async fn a(&self, a: &str, b: Option<&str>, c: Cow<'_, str>, d: &T, e: &[T], f: Vec<T>, g: Option<&[T]>) -> T;",
        &[],
    );
    event(
        "#[event(name = \"x\",)] async fn a<'a>(self: Arc<Self>, a: &'a str, #[extract] x: AckRequested, #[rest] b: Vec<u8>) -> Ack;",
        &[],
    );
    event("#[event] async fn a(&self, mut x: u8) -> u8 { x += self.b(); x } fn b(&self) -> u8 { 1 }", &[]);
    event("#[event] async fn a(&self, f: PhantomData<fn(&u8) -> &u8>);", &[]);
}

#[test]
fn paths() {
    let path = |path: &str, expected: &[&str]| check(&format!("#[namespace({path:?})] trait Chat {{}}"), expected);
    check(
        "#[namespace] trait Chat {}",
        &["missing namespace path: write `#[namespace(\"/chat\")]` (or `#[namespace(\"/\")]` for the main namespace)"],
    );
    path("chat", &["a namespace path starts with `/`: write \"/chat\""]);
    path("/chat/", &["trailing `/`: write \"/chat\""]);
    path("/a//b", &["a path segment is empty"]);
    path("/a,b", &["`,` cannot appear in a namespace path: Socket.IO packets use `,` to end the path and `?` to start its query"]);
    path(
        "/a\nb",
        &["`\\n` cannot appear in a namespace path: Socket.IO packets use `,` to end the path and `?` to start its query"],
    );
    path("/org-{id}", &["`org-{id}`: a path parameter must be a whole segment, like `/org/{id}`"]);
    path("/org/:id", &["`:id`: path parameters are written `{id}`, as in axum"]);
    path("/{id}/{id}", &["path parameter `{id}` appears twice"]);
    path("/{1}", &["`{1}` is not a valid path parameter: use an identifier such as `{id}`"]);
    check("#[namespace(emits = Ev, \"/chat\")] trait Chat {}", &["the path comes first: `#[namespace(\"/chat\", ...)]`"]);
    check("#[namespace(path = \"/chat\")] trait Chat {}", &["the path has no key: write `#[namespace(\"/chat\", ...)]`"]);
    check("#[namespace(\"/a\", \"/b\")] trait Chat {}", &["a namespace has one path"]);
    check("#[events(\"/chat\")] trait Ev {}", &["`#[events]` has no path: it belongs to the `#[namespace]` that `emits` it"]);
}

#[test]
fn options() {
    check("#[namespace(\"/chat\", emit = Ev)] trait Chat {}", &["unknown option `emit`: did you mean `emits`?"]);
    check("#[events(emits = Ev)] trait Ev {}", &["unknown option `emits`: expected one of `rename_all`, `schema`, `crate`"]);
    check(
        "#[namespace(\"/chat\", color = Vec<(u8, u8)>, on, room(1, 2), size = 3, auths = X)] trait Chat {}",
        &[
            "unknown option `color`: expected one of `emits`, `auth`, `data`, `cluster`, `rename_all`, `schema`, `crate`",
            "unknown option `on`: expected one of `emits`, `auth`, `data`, `cluster`, `rename_all`, `schema`, `crate`",
            "unknown option `room`: expected one of `emits`, `auth`, `data`, `cluster`, `rename_all`, `schema`, `crate`",
            "unknown option `size`: expected one of `emits`, `auth`, `data`, `cluster`, `rename_all`, `schema`, `crate`",
            "unknown option `auths`: did you mean `auth`?",
        ],
    );
    check("#[namespace(\"/chat\", emits = A, emits = B)] trait Chat {}", &["`emits` is given twice"]);
    check(
        "#[namespace(\"/chat\", emits = Ev<u8>)] trait Chat {}",
        &["`emits` takes a plain trait path; generic event sets are not supported"],
    );
    check(
        "#[namespace(\"/chat\", cluster = api::Nodes<u8>)] trait Chat {}",
        &["`cluster` takes a plain trait path; generic event sets are not supported"],
    );
    check("#[namespace(\"/chat\", clusters = Nodes)] trait Chat {}", &["unknown option `clusters`: did you mean `cluster`?"]);
    check(
        "#[namespace(\"/chat\", rename_all = \"camel\")] trait Chat {}",
        &["unknown casing `camel`: expected one of `camelCase`, `PascalCase`, `kebab-case`, `snake_case`, `SCREAMING_SNAKE_CASE`"],
    );
    check("#[namespace(\"/chat\", schema = no)] trait Chat {}", &["expected boolean literal"]);
}

#[test]
fn event_options() {
    event(
        "#[event(rename = \"x\")] async fn a(&self);",
        &["unknown option `rename`: `#[event]` takes `name = \"...\"` and `volatile`"],
    );
    event("#[event = \"x\"] async fn a(&self);", &["write `#[event(\"chat message\")]` or `#[event(name = \"chat message\")]`"]);
    event("#[event(\"x\", name = \"y\")] async fn a(&self);", &["an event has one name"]);
    event(
        "#[event(volatile)] async fn a(&self);",
        &["`volatile` is for events that the server sends: declare it in the `#[events]` trait"],
    );
    check(
        "#[events] trait Ev { #[event(volatile)] async fn a(&self) -> u8; #[event(\"x\", volatile)] async fn b(&self); }",
        &["a volatile event may be dropped, so it has no acknowledgement: remove `volatile` or the return type"],
    );
}

#[test]
fn names() {
    event(
        "#[event] async fn disconnect(&self);",
        &["`disconnect` is reserved by Socket.IO: use the connect handler or a `#[disconnect]` hook, or rename the event"],
    );
    event("#[event(\"connect_error\")] async fn b(&self);", &["`connect_error` is reserved by Socket.IO; rename the event"]);
    event("#[event(\"\")] async fn b(&self);", &["event names cannot be empty"]);
    let twice = ["event `newMessage` is declared twice", "`newMessage` first declared here"];
    check(
        "#[namespace(\"/chat\", rename_all = \"camelCase\")] trait Chat {
            #[event] async fn new_message(&self); #[event(\"newMessage\")] async fn other(&self); }",
        &twice,
    );
    event("#[cfg(a)] #[event(\"newMessage\")] async fn a(&self); #[event(\"newMessage\")] async fn b(&self);", &twice);
    event("#[cfg(a)] #[event] async fn a(&self); #[cfg(not(a))] #[event] async fn a(&self);", &[]);
}

#[test]
fn traits() {
    check(
        "#[namespace(\"/chat\")] trait Chat<T> { #[event] async fn a(&self, t: T); }",
        &["a `#[namespace]` trait cannot be generic: its events form one wire contract; use concrete payload types"],
    );
    check("#[namespace(\"/chat\")] unsafe trait Chat {}", &["a `#[namespace]` trait is a plain `trait`"]);
    check("#[events] trait Ev: Clone {}", &["`Clone` cannot be a supertrait here: `dyn Ev` is the name of the contract in types"]);
    check(
        "#[namespace(\"/chat\")] #[async_trait] trait Chat {}",
        &["remove `#[async_trait]`: `#[namespace]` supports `async fn` directly"],
    );
    event("type User;", &["associated types are not part of a wire contract; name the concrete type in the method"]);
    event("const MAX: usize;", &["associated constants are not supported in a namespace trait; move it to an inherent `impl`"]);
    event("more!();", &["`#[namespace]` cannot see what a macro call expands to; write the methods out"]);
}

#[test]
fn methods() {
    let unmarked =
        "`join` is not marked: add `#[event]` (or a hook attribute), or give it a default body to make it a plain helper";
    event("async fn join(&self, room: &str);", &[unmarked]);
    event("#[event] fn a(&self);", &["event methods are `async fn`"]);
    event(
        "#[event] fn a(&self) -> impl Future<Output = u32>;",
        &["event methods are `async fn` (write `async fn` and the plain return type)"],
    );
    event("#[event] async unsafe fn a(&self);", &["event methods are plain `async fn`"]);
    event(
        "#[event] async fn a<T: Send>(&self, t: T);",
        &["event methods cannot be generic: the payload type must be known on both sides of the wire"],
    );
    event(
        "#[event] async fn a(&mut self);",
        &["handlers of one socket run concurrently: take `&self` and keep mutable state behind a `Mutex` or atomic"],
    );
    event(
        "#[event] async fn b(self);",
        &["the session outlives a single event: take `&self` (or `self: Arc<Self>` to spawn from a handler)"],
    );
    event("#[event] async fn c(room: String);", &["missing `&self`: write `async fn c(&self, ...)`"]);
    event(
        "#[cfg_attr(unix, event)] async fn a(&self);",
        &["`#[event]` cannot be conditional; put `#[cfg(..)]` on the method instead"],
    );
    event("#[cfg_attr(unix, doc = \"event\")] #[event] async fn a(&self);", &[]);
}

#[test]
fn parameters() {
    let of = |parameter: &str, expected: &[&str]| event(&format!("#[event] async fn a(&self, {parameter});"), expected);
    let pattern = "name the parameter: patterns are not allowed here (destructure it inside the method)";
    of("(x, y): (u8, u8)", &[pattern]);
    of("mut x: u8", &[pattern]);
    of("t: impl ToString", &["payload parameters need a concrete type"]);
    of("room: &mut String", &["payload parameters are decoded per event: take `T` or `&T`, not `&mut T`"]);
    let nested_str = "a nested `&str` cannot borrow a JSON string that contains escapes: use `Cow<'_, str>` or `String` (a top-level `&str` or `Option<&str>` parameter is fine)";
    of("tags: Vec<&str>", &[nested_str]);
    of("#[rest] tags: Vec<&str>", &[nested_str]);
    of("tags: &[&str]", &[nested_str]);
    of(
        "points: Vec<&Point>",
        &[
            "a reference inside another type cannot be decoded: use an owned type (a top-level `&T`, `&[T]` or `Option<&T>` parameter is fine)",
        ],
    );
    let stay = "a payload lives as long as its packet: drop `'static`";
    of("x: &'static str", &[stay]);
    of("x: Cow<'static, str>", &[stay]);
    of("x: Vec<Cow<'static, str>>", &[]);
    let bytes = "`Vec<u8>` would be a JSON array of numbers: use `socketio::Binary` for Socket.IO binary data";
    of("data: Vec<u8>", &[bytes]);
    of("data: Option<std::vec::Vec<u8>>", &[bytes]);
    of("data: &[u8]", &["`&[u8]` would be a JSON array of numbers: use `&socketio::Binary` for Socket.IO binary data"]);
    of("other: Vec<Self>", &["a payload type is part of the wire contract and cannot mention `Self`"]);
    of("#[rest] tags: Vec<String>, n: u8", &["`#[rest]` must be the last parameter"]);
    of("#[rest] tags: String", &["`#[rest]` collects the remaining arguments: its type must be `Vec<T>`"]);
    of("#[rest] #[extract] tags: Vec<String>", &["an `#[extract]` parameter is not on the wire, so it cannot be `#[rest]`"]);
    of("#[payload] tags: String", &["unknown parameter attribute: expected `#[extract]` or `#[rest]`"]);
    of("#[cfg(unix)] tags: String", &["an event has the same arguments in every build: put `#[cfg(..)]` on the method instead"]);
}

#[test]
fn acknowledgements() {
    let of = |returns: &str, expected: &[&str]| event(&format!("#[event] async fn a(&self) -> {returns};"), expected);
    of("()", &["`-> ()` is ambiguous: drop it if the client gets no acknowledgement, or return `socketio::Ack` for an empty one"]);
    let owned = "an acknowledgement is serialized after the handler returns: return an owned type";
    of("&str", &[owned]);
    of("Option<&Point>", &[owned]);
    of("Message<'_>", &[owned]);
    of("Cow<'static, str>", &[]);
    of("Vec<Self>", &["an acknowledgement type is part of the wire contract and cannot mention `Self`"]);
    of("impl Serialize", &["an acknowledgement needs a concrete type: the other side decodes it"]);
}

#[test]
fn hooks() {
    event(
        "#[disconnect] async fn bye(&self);",
        &["a `#[disconnect]` method looks like `async fn disconnected(&self, reason: DisconnectReason)`"],
    );
    event(
        "#[fallback] async fn f(&self, e: &str, a: RawArgs<'_>); #[fallback] async fn g(&self, e: &str, a: RawArgs<'_>);",
        &["only one `#[fallback]` method per trait"],
    );
    event(
        "#[middleware] async fn m(&self, e: &Incoming);",
        &["a `#[middleware]` method looks like `async fn check(&self, event: &Incoming) -> Result<(), Rejection>`"],
    );
    event(
        "#[event] #[middleware] async fn h(&self);",
        &["a method is either an `#[event]` or one hook (`#[fallback]`, `#[disconnect]`, `#[middleware]`), not several"],
    );
    check(
        "#[events] trait Ev { #[disconnect] async fn bye(&self, r: DisconnectReason); }",
        &["`#[disconnect]` is a server-side hook: move it to the `#[namespace]` trait"],
    );
}

#[test]
fn all_at_once() {
    check(
        "#[namespace(\"chat\", emit = Ev)] trait Chat {
            #[event] fn a(&self); #[event] async fn b(&mut self, tags: Vec<&str>); async fn c(&self); }",
        &[
            "unknown option `emit`: did you mean `emits`?",
            "event methods are `async fn`",
            "handlers of one socket run concurrently: take `&self` and keep mutable state behind a `Mutex` or atomic",
            "a nested `&str` cannot borrow a JSON string that contains escapes: use `Cow<'_, str>` or `String` (a top-level `&str` or `Option<&str>` parameter is fine)",
            "`c` is not marked: add `#[event]` (or a hook attribute), or give it a default body to make it a plain helper",
            "a namespace path starts with `/`: write \"/chat\"",
        ],
    );
}
