//! `Hall`: who is on this server, in which rooms, and what was said there. Plain values behind one lock; no sockets, no async.
//!
//! A `Seat` is a user's place in the hall. Dropping it frees the name, so a user who was never accepted leaves nothing
//! behind.
//!
//! Not here: telling anybody, and who is on other servers; see `session`. To keep messages in a database, this is the file to
//! change.

use crate::{
    contract::{ChatError, LoginError, Message},
    name::Name,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

/// The room that is always there.
pub const LOBBY: &str = "lobby";
/// Messages that a room remembers; older ones are forgotten.
pub const HISTORY: usize = 50;
/// Rooms that one user may be in.
pub const MAX_ROOMS: u32 = 10;
/// The longest message, in characters.
pub const MAX_TEXT: usize = 2000;

/// What one server knows. Cheap to clone; all clones are the same hall.
#[derive(Debug, Clone, Default)]
pub struct Hall {
    /// Guards everything. Held for single changes and what is emitted because of them, never across an `.await`.
    state: Arc<Mutex<State>>,
}

impl Hall {
    /// Takes a seat under this name.
    ///
    /// # Errors
    /// The name is not one, or somebody here has it. Names that differ in case only count as the same.
    pub fn sit_down(&self, name: &str) -> Result<Seat, LoginError> {
        let name = Name::parse(name)?;
        if !self.lock().names.insert(name.to_lowercase()) {
            return Err(LoginError::NameTaken);
        }
        Ok(Seat { hall: self.clone(), name })
    }

    /// Looks at the state, or changes it.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        // A handler that panicked was answering one user; the others go on.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A user's place in the hall, and the right to the name.
#[derive(Debug)]
pub struct Seat {
    hall: Hall,
    name: Name,
}

impl Seat {
    /// The user's name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The hall.
    pub fn hall(&self) -> &Hall {
        &self.hall
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.hall.lock().forget(&self.name);
    }
}

/// What the lock guards.
#[derive(Debug)]
pub struct State {
    /// The names in use, in lower case.
    names: HashSet<String>,
    /// A room lives as long as somebody is in it; the lobby always.
    rooms: BTreeMap<Name, Room>,
    last_id: u32,
}

#[derive(Debug, Default)]
struct Room {
    members: BTreeSet<Name>,
    history: VecDeque<Message>,
}

impl Default for State {
    fn default() -> Self {
        let lobby = Name::parse(LOBBY).map(|lobby| (lobby, Room::default()));
        State { names: HashSet::new(), rooms: lobby.into_iter().collect(), last_id: 0 }
    }
}

impl State {
    /// Whether somebody here has this name, or one that differs in case only.
    pub fn is_taken(&self, name: &Name) -> bool {
        self.names.contains(&name.to_lowercase())
    }

    /// The last messages of a room, the oldest first; none if nobody is in it.
    pub fn history(&self, room: &Name) -> Vec<Message> {
        self.rooms.get(room).map_or_else(Vec::new, |room| room.history.iter().cloned().collect())
    }

    /// Keeps what was said on other servers, if somebody here is in the room. What is known already stays known once.
    pub fn remember(&mut self, room: &Name, messages: impl IntoIterator<Item = Message>) {
        let Some(room) = self.rooms.get_mut(room) else { return };
        for message in messages {
            if let Err(place) = room.history.binary_search_by(|known| known.order().cmp(&message.order())) {
                room.history.insert(place, message);
            }
            if room.history.len() > HISTORY {
                room.history.pop_front();
            }
        }
    }

    /// Puts a user into a room. `false`: the user was there already.
    ///
    /// # Errors
    /// The user is in [`MAX_ROOMS`] others.
    pub fn enter(&mut self, room: &Name, user: &Name) -> Result<bool, ChatError> {
        if self.is_in(room, user) {
            return Ok(false);
        }
        if self.rooms.values().filter(|room| room.members.contains(user)).count() >= MAX_ROOMS as usize {
            return Err(ChatError::TooManyRooms { limit: MAX_ROOMS });
        }
        self.rooms.entry(room.clone()).or_default().members.insert(user.clone());
        Ok(true)
    }

    /// Takes a user out of a room, and closes the room behind the last one. `false`: the user was not there.
    pub fn leave(&mut self, room: &Name, user: &Name) -> bool {
        let Some(found) = self.rooms.get_mut(room) else { return false };
        let was_in = found.members.remove(user);
        if found.members.is_empty() && &**room != LOBBY {
            self.rooms.remove(room);
        }
        was_in
    }

    /// Frees a name. Its rooms have been left already, unless something went wrong.
    fn forget(&mut self, user: &Name) {
        self.names.remove(&user.to_lowercase());
        let rooms: Vec<Name> = self.rooms.keys().filter(|room| self.is_in(room, user)).cloned().collect();
        for room in &rooms {
            self.leave(room, user);
        }
    }

    /// Whether a user is in a room.
    pub fn is_in(&self, room: &Name, user: &Name) -> bool {
        self.rooms.get(room).is_some_and(|room| room.members.contains(user))
    }

    /// Stores a message of a member.
    ///
    /// # Errors
    /// The author is not in the room, or the text is empty or too long.
    pub fn say(&mut self, room: &Name, author: &Name, text: &str) -> Result<Message, ChatError> {
        let text = text.trim();
        if text.is_empty() || text.chars().nth(MAX_TEXT).is_some() {
            return Err(ChatError::Invalid { reason: format!("a message has 1 to {MAX_TEXT} characters") });
        }
        if !self.is_in(room, author) {
            return Err(ChatError::NotInRoom);
        }
        self.last_id = self.last_id.wrapping_add(1);
        let message = Message { id: self.last_id, author: author.to_string(), text: text.to_owned(), time: now() };
        self.remember(room, [message.clone()]);
        Ok(message)
    }
}

impl Message {
    /// What orders messages, and tells them apart: the clocks of several servers may agree, and so may their counters.
    fn order(&self) -> (u64, u32, &str) {
        (self.time, self.id, &self.author)
    }
}

/// Milliseconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn a_name_is_taken_until_its_seat_is_dropped() {
        let hall = Hall::default();
        let ann = hall.sit_down(" Ann ").unwrap();
        assert_eq!(&**ann.name(), "Ann");
        assert_eq!(hall.sit_down("ann").unwrap_err(), LoginError::NameTaken);
        assert_eq!(hall.sit_down(" ").unwrap_err(), LoginError::NameEmpty);
        assert_eq!(hall.sit_down(&"a".repeat(25)).unwrap_err(), LoginError::NameTooLong { limit: 24 });
        drop(ann);
        assert!(hall.sit_down("ann").is_ok());
    }

    #[test]
    fn rooms_live_as_long_as_somebody_is_in_them() {
        let mut state = State::default();
        let (tea, ann, bob) = (name("tea"), name("Ann"), name("Bob"));
        assert_eq!(state.enter(&tea, &ann), Ok(true));
        assert_eq!(state.enter(&tea, &ann), Ok(false));
        assert_eq!(state.enter(&tea, &bob), Ok(true));
        let said = state.say(&tea, &ann, "hi").unwrap();
        assert!(state.leave(&tea, &ann));
        assert!(!state.leave(&tea, &ann));
        assert_eq!(state.history(&tea), [said]);
        assert!(state.leave(&tea, &bob));
        assert_eq!(state.history(&tea), []);
        assert_eq!(state.rooms.keys().map(|room| &**room).collect::<Vec<_>>(), [LOBBY]);
    }

    #[test]
    fn a_user_is_in_a_bounded_number_of_rooms() {
        let mut state = State::default();
        let ann = name("Ann");
        for i in 0..MAX_ROOMS {
            assert_eq!(state.enter(&name(&i.to_string()), &ann), Ok(true));
        }
        assert_eq!(state.enter(&name(LOBBY), &ann), Err(ChatError::TooManyRooms { limit: MAX_ROOMS }));
        assert_eq!(state.enter(&name("0"), &ann), Ok(false));
    }

    #[test]
    fn only_members_post_and_only_sensible_messages() {
        let mut state = State::default();
        let (lobby, ann) = (name(LOBBY), name("Ann"));
        assert_eq!(state.say(&lobby, &ann, "hi"), Err(ChatError::NotInRoom));
        assert_eq!(state.enter(&lobby, &ann), Ok(true));
        let message = state.say(&lobby, &ann, " hi\n").unwrap();
        assert_eq!((message.id, &*message.author, &*message.text), (1, "Ann", "hi"));
        assert!(matches!(state.say(&lobby, &ann, " "), Err(ChatError::Invalid { .. })));
        assert!(matches!(state.say(&lobby, &ann, &"a".repeat(MAX_TEXT + 1)), Err(ChatError::Invalid { .. })));
        assert_eq!(state.history(&lobby), [message]);
    }

    #[test]
    fn the_history_is_bounded() {
        let mut state = State::default();
        let (lobby, ann) = (name(LOBBY), name("Ann"));
        assert_eq!(state.enter(&lobby, &ann), Ok(true));
        for i in 0..=HISTORY {
            state.say(&lobby, &ann, &i.to_string()).unwrap();
        }
        let history = state.history(&lobby);
        assert_eq!(history.len(), HISTORY);
        assert_eq!((&*history[0].text, history[0].id), ("1", 2));
    }

    #[test]
    fn what_other_servers_say_is_kept_once_and_in_order() {
        let mut state = State::default();
        let (lobby, tea) = (name(LOBBY), name("tea"));
        let message = |time, id, author: &str| Message { id, author: author.into(), text: "hi".into(), time };
        let [first, second, third] = [message(1, 9, "Ann"), message(2, 1, "Ann"), message(2, 1, "Bob")];
        state.remember(&lobby, [third.clone(), first.clone()]);
        state.remember(&lobby, [second.clone(), third.clone()]);
        assert_eq!(state.history(&lobby), [first, second, third]);
        state.remember(&tea, [message(3, 1, "Eve")]);
        assert_eq!(state.history(&tea), [], "nobody here is in that room");
        state.remember(&lobby, (0..2 * HISTORY as u32).map(|id| message(9, id, "Eve")));
        assert_eq!((state.history(&lobby).len(), state.history(&lobby)[0].id), (HISTORY, HISTORY as u32));
    }
}
