//! Names on the wire: every casing, and spellings that Rust has no identifier for. Also the other options of the attributes.

use super::Builder;
use serde::{Deserialize, Serialize};
use socketio::{ConnectError, Socket, events, namespace};

/// The runtime crate under another name, as in a crate that renames its dependency.
mod renamed {
    pub(super) use socketio as runtime;
}

/// One contract for each casing, with a method of the same name that answers with it, and the event of that name back.
macro_rules! casings {
    ($($session:ident: $contract:ident emits $events:ident = $namespace:meta, $event_set:meta;)*) => { $(
        #[$namespace]
        trait $contract {
            #[event]
            async fn two_words(&self) -> String;
        }
        #[$event_set]
        trait $events {
            #[event]
            async fn two_words_back(&self);
        }
        struct $session(Socket<dyn $contract>);
        impl $contract for $session {
            async fn two_words(&self) -> String {
                self.0.emit().two_words_back();
                stringify!($contract).to_owned()
            }
        }
    )* };
}

casings! {
    PlainSession: Plain emits PlainEvents = namespace("/names/plain", emits = PlainEvents), events;
    CamelSession: Camel emits CamelEvents =
        namespace("/names/camel", emits = CamelEvents, rename_all = "camelCase"), events(rename_all = "camelCase");
    PascalSession: Pascal emits PascalEvents =
        namespace("/names/pascal", emits = PascalEvents, rename_all = "PascalCase"), events(rename_all = "PascalCase");
    KebabSession: Kebab emits KebabEvents =
        namespace("/names/kebab", emits = KebabEvents, rename_all = "kebab-case"), events(rename_all = "kebab-case");
    SnakeSession: Snake emits SnakeEvents =
        namespace("/names/snake", emits = SnakeEvents, rename_all = "snake_case"), events(rename_all = "snake_case");
    ScreamingSession: Screaming emits ScreamingEvents =
        namespace("/names/screaming", emits = ScreamingEvents, rename_all = "SCREAMING_SNAKE_CASE"),
        events(rename_all = "SCREAMING_SNAKE_CASE");
}

/// Names as given; the casing does not touch them.
#[namespace("/names/given", emits = GivenEvents, rename_all = "camelCase")]
trait Given {
    #[event("with spaces")]
    async fn spaces(&self) -> u32;
    #[event(name = "key = value")]
    async fn key(&self) -> u32;
    #[event("say \"hi\", \\ and\nmore")]
    async fn quotes(&self) -> u32;
    #[event("ünï 世界 😀")]
    async fn unicode(&self) -> u32;
    #[event("42")]
    async fn digits(&self) -> u32;
    #[event]
    async fn r#match(&self) -> u32;
    /// Emits all events of the other side.
    #[event]
    async fn tell(&self);
}

#[events]
trait GivenEvents {
    #[event("with spaces")]
    async fn spaces(&self, n: u32);
    #[event("say \"hi\", \\ and\nmore")]
    async fn quotes(&self, n: u32);
    #[event(name = "ünï 世界 😀")]
    async fn unicode(&self, n: u32);
}

struct GivenSession(Socket<dyn Given>);

impl Given for GivenSession {
    async fn spaces(&self) -> u32 {
        1
    }
    async fn key(&self) -> u32 {
        2
    }
    async fn quotes(&self) -> u32 {
        3
    }
    async fn unicode(&self) -> u32 {
        4
    }
    async fn digits(&self) -> u32 {
        5
    }
    async fn r#match(&self) -> u32 {
        6
    }
    async fn tell(&self) {
        self.0.emit().spaces(1);
        self.0.emit().quotes(2);
        self.0.emit().unicode(3);
    }
}

/// No schema: any payload that serde knows.
#[derive(Debug, Serialize, Deserialize)]
struct WithoutSchema {
    value: u32,
}

#[namespace("/names/unschematic", emits = UnschematicEvents, schema = false)]
trait Unschematic {
    #[event]
    async fn twice(&self, payload: WithoutSchema) -> WithoutSchema;
}

#[events(schema = false)]
trait UnschematicEvents {
    #[event]
    async fn got(&self, payload: &WithoutSchema);
}

struct UnschematicSession(Socket<dyn Unschematic>);

impl Unschematic for UnschematicSession {
    async fn twice(&self, payload: WithoutSchema) -> WithoutSchema {
        self.0.emit().got(&payload);
        WithoutSchema { value: payload.value * 2 }
    }
}

#[namespace("/names/renamed", emits = RenamedEvents, crate = renamed::runtime)]
trait Renamed {
    #[event]
    async fn ask(&self, text: &str) -> Result<String, String>;
}

#[events(crate = renamed::runtime)]
trait RenamedEvents {
    #[event]
    async fn told(&self, text: &str);
}

struct RenamedSession(Socket<dyn Renamed>);

impl Renamed for RenamedSession {
    async fn ask(&self, text: &str) -> Result<String, String> {
        self.0.emit().told(text);
        Ok(text.to_owned())
    }
}

pub(super) fn mount(builder: Builder) -> Builder {
    // Connect handlers as closures, with the types that inference cannot know.
    builder
        .namespace::<dyn Plain, _>(async |socket: Socket<dyn Plain>| Ok::<_, ConnectError>(PlainSession(socket)))
        .namespace::<dyn Camel, _>(async |socket: Socket<dyn Camel>| Ok::<_, ConnectError>(CamelSession(socket)))
        .namespace::<dyn Pascal, _>(async |socket: Socket<dyn Pascal>| Ok::<_, ConnectError>(PascalSession(socket)))
        .namespace::<dyn Kebab, _>(async |socket: Socket<dyn Kebab>| Ok::<_, ConnectError>(KebabSession(socket)))
        .namespace::<dyn Snake, _>(async |socket: Socket<dyn Snake>| Ok::<_, ConnectError>(SnakeSession(socket)))
        .namespace::<dyn Screaming, _>(async |socket: Socket<dyn Screaming>| Ok::<_, ConnectError>(ScreamingSession(socket)))
        .namespace::<dyn Given, _>(async |socket: Socket<dyn Given>| Ok::<_, ConnectError>(GivenSession(socket)))
        .namespace::<dyn Unschematic, _>(async |socket: Socket<dyn Unschematic>| Ok::<_, ConnectError>(UnschematicSession(socket)))
        .namespace::<dyn Renamed, _>(async |socket: Socket<dyn Renamed>| Ok::<_, ConnectError>(RenamedSession(socket)))
}
