//! What sockets and servers share: the data of a socket, and the events of servers among themselves.

use super::{Builder, Point};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use socketio::{ConnectError, FetchError, Socket, SocketId, events, namespace};

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Profile {
    name: String,
    home: Option<Point>,
}

#[namespace("/shared", emits = SharedEvents, data = Profile, cluster = SharedCluster, rename_all = "camelCase")]
trait Shared {
    #[event]
    async fn set(&self, profile: &Profile) -> Result<(), String>;
    /// What this socket has, and what others see of the members of a room.
    #[event]
    async fn get(&self) -> Option<Profile>;
    #[event]
    async fn others(&self, room: &str) -> Vec<(SocketId, Option<Profile>)>;
    #[event]
    async fn join(&self, room: &str) -> bool;
    /// Asks the other servers, and tells them. There are none.
    #[event]
    async fn servers(&self) -> Value;
    #[event]
    async fn show(&self, text: &str);
}

#[events(rename_all = "camelCase")]
trait SharedEvents {
    #[event]
    async fn shown(&self, text: &str);
}

#[events(rename_all = "camelCase")]
trait SharedCluster {
    #[event]
    async fn told(&self, text: &str);
    #[event]
    async fn load(&self) -> u32;
}

struct Session(Socket<dyn Shared>);

impl Shared for Session {
    async fn set(&self, profile: &Profile) -> Result<(), String> {
        self.0.set_data(profile).map_err(|error| error.to_string())
    }
    async fn get(&self) -> Option<Profile> {
        self.0.data().ok().flatten()
    }
    async fn others(&self, room: &str) -> Vec<(SocketId, Option<Profile>)> {
        let sockets = self.0.namespace().to(room).fetch_sockets().await.unwrap_or_else(FetchError::into_sockets);
        sockets.into_iter().filter_map(|socket| Some((socket.id().parse().ok()?, socket.data().ok().flatten()))).collect()
    }
    async fn join(&self, room: &str) -> bool {
        self.0.join(room);
        self.0.in_room(room)
    }
    async fn servers(&self) -> Value {
        let servers = self.0.namespace();
        servers.server_side_emit().told("hello");
        let loads = servers.server_side_emit().load().await;
        json!({ "answers": loads.len() })
    }
    async fn show(&self, text: &str) {
        self.0.compress(false).emit().shown(text);
        self.0.namespace().to(self.0.id()).compress(true).emit().shown(text);
    }
}

pub(super) fn mount(builder: Builder) -> Builder {
    builder.namespace::<dyn Shared, _>(async |socket: Socket<dyn Shared>| Ok::<_, ConnectError>(Session(socket)))
}
