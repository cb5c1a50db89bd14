// What the page knows: rooms, members and messages. No network and no DOM; `changed` is called after every change.

/** Nobody is typing who has not said so again within this time, in milliseconds. */
const TYPING = 4_000;

export class Store {
  constructor(changed) {
    this.changed = changed;
    /** All rooms: name -> number of members. */
    this.list = new Map();
    /** While the answer with all rooms is on its way: what changes in the meantime. */
    this.newer = null;
    /** The rooms this user is in: name -> Room. */
    this.rooms = new Map();
    /** The name of the room that is shown. */
    this.current = null;
  }

  /** The room that is shown. */
  get room() {
    return this.rooms.get(this.current);
  }

  /** The list was asked for. What changes until the answer arrives may be newer than the answer. */
  listing() {
    this.newer = [];
  }

  listed(rooms) {
    this.list = new Map(rooms.map((room) => [room.name, room.members]));
    const newer = this.newer ?? [];
    this.newer = null;
    for (const room of newer) this.roomChanged(room);
    this.changed();
  }

  roomChanged(room) {
    this.newer?.push(room);
    if (room.closed) this.list.delete(room.name);
    else this.list.set(room.name, room.members);
    this.changed();
  }

  /** A join was sent. Until `joined`, what happens in the room is kept. */
  joining(name) {
    const room = this.rooms.get(name) ?? new Room(name);
    room.early ??= [];
    this.rooms.set(name, room);
  }

  /** The join was answered. What happened in between may be in the answer already; applying it again does no harm. */
  joined(name, state) {
    const room = this.rooms.get(name);
    if (!room) return;
    room.members = new Set(state.members);
    room.messages = merge(state.history, room.messages);
    const early = room.early ?? [];
    room.early = null;
    for (const apply of early) apply(room);
    this.changed();
  }

  left(name) {
    this.rooms.delete(name);
    if (this.current === name) this.show(this.rooms.keys().next().value ?? null);
    else this.changed();
  }

  show(name) {
    this.current = name;
    if (this.room) this.room.unread = 0;
    this.changed();
  }

  /** Something happened in a room. */
  apply(name, change) {
    const room = this.rooms.get(name);
    if (!room) return;
    if (room.early) return void room.early.push(change);
    change(room);
    this.changed();
  }

  memberJoined(name, user) {
    this.apply(name, (room) => room.members.add(user));
  }

  memberLeft(name, user) {
    this.apply(name, (room) => {
      room.members.delete(user);
      room.typing.delete(user);
    });
  }

  message(name, message) {
    this.apply(name, (room) => {
      room.typing.delete(message.author);
      if (room.add(message) && name !== this.current) room.unread += 1;
    });
  }

  typing(name, user) {
    this.apply(name, (room) => {
      clearTimeout(room.typing.get(user));
      const forget = () => this.apply(name, (room) => room.typing.delete(user));
      room.typing.set(user, setTimeout(forget, TYPING));
    });
  }

  /** A message of this user, until the server has answered: `sent` or `failed`. */
  sending(name, author, text) {
    const draft = { author, text, time: Date.now(), pending: true };
    this.apply(name, (room) => room.drafts.add(draft));
    const done = (change) => this.apply(name, (room) => (room.drafts.delete(draft), change(room)));
    return {
      sent: (message) => done((room) => room.add(message)),
      failed: (error) => done((room) => room.drafts.add({ ...draft, pending: false, error })),
    };
  }

  dismiss(name, draft) {
    this.apply(name, (room) => room.drafts.delete(draft));
  }
}

class Room {
  constructor(name) {
    this.name = name;
    this.members = new Set();
    /** In the order in which the server stored them. */
    this.messages = [];
    /** Messages of this user that the server has not stored, or not yet. */
    this.drafts = new Set();
    /** Name -> the timer that ends it. */
    this.typing = new Map();
    this.unread = 0;
    /** While the answer to a join is on its way: what happens in the meantime. */
    this.early = null;
  }

  /** Whether the message is new here. */
  add(message) {
    const before = this.messages.length;
    this.messages = merge(this.messages, [message]);
    return this.messages.length > before;
  }
}

/** Messages of both lists, each once, in order. A server that was started again counts its messages from 1 again. */
function merge(a, b) {
  const byKey = new Map([...a, ...b].map((message) => [`${message.time} ${message.id}`, message]));
  return [...byKey.values()].sort((x, y) => x.time - y.time || x.id - y.id);
}
