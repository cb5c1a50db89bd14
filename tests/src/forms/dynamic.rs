//! Dynamic namespaces: path parameters as a tuple, a struct and a single value; predicates; one child and all of them.

use super::Builder;
use serde::Deserialize;
use socketio::{Ack, ConnectError, NsPath, Socket, SocketIo, events, namespace};

#[namespace("/org/{org}/team/{team}", emits = TeamEvents)]
trait Team {
    #[event]
    async fn name(&self) -> String;
    /// To all members of this team.
    #[event]
    async fn here(&self, text: &str) -> Ack;
}

#[events]
trait TeamEvents {
    #[event]
    async fn news(&self, text: &str);
}

struct Member {
    socket: Socket<dyn Team>,
    org: String,
    team: u32,
}

async fn enter_team(socket: Socket<dyn Team>, NsPath((org, team)): NsPath<(String, u32)>) -> Result<Member, ConnectError> {
    Ok(Member { socket, org, team })
}

impl Team for Member {
    async fn name(&self) -> String {
        format!("team {} of {}", self.team, self.org)
    }
    async fn here(&self, text: &str) -> Ack {
        self.socket.namespace().emit().news(text);
        Ack
    }
}

#[derive(Debug, Deserialize)]
struct Place {
    country: String,
    plot: u64,
}

#[namespace("/country/{country}/plot/{plot}")]
trait Plot {
    #[event]
    async fn place(&self) -> String;
}

struct Owner(Place);

impl Plot for Owner {
    async fn place(&self) -> String {
        format!("{} in {}", self.0.plot, self.0.country)
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Free,
    Paid,
}

#[namespace("/plan/{level}")]
trait Plan {
    #[event]
    async fn price(&self) -> u32;
}

struct Customer(Level);

impl Plan for Customer {
    async fn price(&self) -> u32 {
        match self.0 {
            Level::Free => 0,
            Level::Paid => 7,
        }
    }
}

/// Mounted by a predicate, at paths that no pattern describes.
#[namespace("/even", emits = EvenEvents)]
trait Even {
    #[event]
    async fn half(&self) -> u32;
}

#[events]
trait EvenEvents {
    #[event]
    async fn told(&self, text: &str);
}

struct Number(Socket<dyn Even>);

fn number(path: &str) -> Option<u32> {
    path.strip_prefix("/even/")?.parse().ok()
}

impl Even for Number {
    async fn half(&self) -> u32 {
        self.0.namespace().emit().told(self.0.path());
        number(self.0.path()).unwrap_or_default() / 2
    }
}

pub(super) fn mount(builder: Builder) -> Builder {
    builder
        .namespace::<dyn Team, _>(enter_team)
        .namespace::<dyn Plot, _>(async |NsPath(place): NsPath<Place>| Ok::<_, ConnectError>(Owner(place)))
        .namespace::<dyn Plan, _>(async |NsPath(level): NsPath<Level>| Ok::<_, ConnectError>(Customer(level)))
        .namespace_matching::<dyn Even, _>(
            |path| number(path).is_some_and(|number| number % 2 == 0),
            async |socket: Socket<dyn Even>| Ok::<_, ConnectError>(Number(socket)),
        )
}

/// What a route outside of the sockets tells one child, or all.
pub(super) fn announce(io: &SocketIo, child: Option<&str>, text: &str) -> bool {
    let all = io.of::<dyn Team>();
    match child.map(|path| all.at(path)) {
        Some(Some(team)) => team.emit().news(text),
        Some(None) => return false,
        None => all.emit().news(text),
    }
    true
}
