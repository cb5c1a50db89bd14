//! What servers ask and tell each other: the other side of what `session` asks. A server that is alone gets none of it.

use crate::{
    contract::{ChatServers, Message},
    hall::Hall,
    name::Name,
};

impl ChatServers for Hall {
    async fn said(&self, room: &str, message: &Message) {
        if let Ok(room) = Name::parse(room) {
            self.lock().remember(&room, [message.clone()]);
        }
    }

    async fn history(&self, room: &str) -> Vec<Message> {
        Name::parse(room).map_or_else(|_| Vec::new(), |room| self.lock().history(&room))
    }

    async fn is_taken(&self, name: &str) -> bool {
        Name::parse(name).is_ok_and(|name| self.lock().is_taken(&name))
    }
}
