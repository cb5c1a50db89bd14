//! A bot that rolls dice in the [chat](../../chat): the same traits from the other side.
//!
//! ```text
//! chat server --ChatEvents: message--> Bot --answers--> run --Chat: join, say--> chat server
//! ```

use chat_example::contract::{Chat, ChatEvents, Login, Message, RoomSummary};
use socketio::{
    Client,
    client::{ConnectError, Status},
};
use tokio::sync::mpsc;

/// Answers that wait to be posted. A bot that is asked more than that at once overhears the rest.
const ANSWERS: usize = 64;

/// What the bot does with what it hears.
#[derive(Debug)]
struct Bot {
    answers: mpsc::Sender<(String, String)>,
}

impl ChatEvents for Bot {
    async fn message(&self, room: &str, message: &Message) {
        if let Some(answer) = answer(&message.author, &message.text, message.id) {
            // Handlers are many and run side by side; one task does the talking, in order.
            let _ = self.answers.try_send((room.to_owned(), answer));
        }
    }
    async fn joined(&self, room: &str, name: &str) {
        let _ = self.answers.try_send((room.to_owned(), format!("welcome, {name}! Say `!dice` and I roll one.")));
    }
    async fn left(&self, _room: &str, _name: &str) {}
    async fn typing(&self, _room: &str, _name: &str) {}
    async fn room_changed(&self, _room: &RoomSummary) {}
}

/// What to say to a message. The number of the message is all the chance that this bot needs.
fn answer(author: &str, text: &str, number: u32) -> Option<String> {
    (text.trim() == "!dice").then(|| format!("{author} rolled a {}", number.wrapping_mul(2_654_435_761) % 6 + 1))
}

/// Joins a room and stays there, also when the server comes and goes. Ends when the client gives up or is refused.
///
/// # Errors
/// The server cannot be reached, or does not let the bot in.
pub async fn run(url: &str, name: &str, room: &str) -> Result<(), ConnectError> {
    let (answers, mut to_post) = mpsc::channel(ANSWERS);
    let client = Client::<dyn Chat>::connect(url).auth(Login { name: name.to_owned() }).handler(Bot { answers }).await?;
    let mut changes = client.changes();
    let mut status = client.status();
    loop {
        match status {
            // A room is the server's knowledge of this connection: after each new one it is joined again.
            Status::Connected { recovered: false } => drop(client.emit().join(room).await),
            Status::GaveUp(error) | Status::Refused(error) => return Err(error),
            _ => {}
        }
        status = loop {
            tokio::select! {
                Some((room, text)) = to_post.recv() => drop(client.emit().say(&room, &text).await),
                change = changes.next() => match change {
                    Some(change) => break change,
                    None => return Ok(()),
                },
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::answer;

    #[test]
    fn it_speaks_when_spoken_to() {
        assert_eq!(answer("ann", "hello", 1), None);
        let rolled = answer("ann", " !dice ", 1).unwrap();
        assert!(rolled.starts_with("ann rolled a "), "{rolled}");
    }
}
