// What the page knows: rooms, members and messages. No network and no DOM; `changed` is called after every change.

import type { Message, RoomState, RoomSummary } from "./socket.gen.js";

/** Nobody is typing who has not said so again within this time, in milliseconds. */
const TYPING = 4_000;

/** A message of this user that the server has not stored, or not yet. */
export interface Draft {
  readonly author: string;
  readonly text: string;
  readonly time: number;
  readonly pending: boolean;
  /** Why it was not sent. */
  readonly error?: string;
}

export class Store {
  /** All rooms: name -> number of members. */
  list = new Map<string, number>();
  /** While the answer with all rooms is on its way: what changes in the meantime. */
  private newer: RoomSummary[] | null = null;
  /** The rooms this user is in, by their names. */
  readonly rooms = new Map<string, Room>();
  /** The name of the room that is shown. */
  current: string | null = null;

  constructor(private readonly changed: () => void) {}

  /** The room that is shown. */
  get room(): Room | undefined {
    return this.current === null ? undefined : this.rooms.get(this.current);
  }

  /** The list was asked for. What changes until the answer arrives may be newer than the answer. */
  listing() {
    this.newer = [];
  }

  listed(rooms: RoomSummary[]) {
    this.list = new Map(rooms.map((room) => [room.name, room.members]));
    const newer = this.newer ?? [];
    this.newer = null;
    for (const room of newer) this.roomChanged(room);
    this.changed();
  }

  roomChanged(room: RoomSummary) {
    this.newer?.push(room);
    if (room.closed) this.list.delete(room.name);
    else this.list.set(room.name, room.members);
    this.changed();
  }

  /** A join was sent. Until `joined`, what happens in the room is kept. */
  joining(name: string) {
    const room = this.rooms.get(name) ?? new Room(name);
    room.early ??= [];
    this.rooms.set(name, room);
  }

  /** The join was answered. What happened in between may be in the answer already; applying it again does no harm. */
  joined(name: string, state: RoomState) {
    const room = this.rooms.get(name);
    if (!room) return;
    room.members = new Set(state.members);
    room.messages = merge(state.history, room.messages);
    const early = room.early ?? [];
    room.early = null;
    for (const apply of early) apply(room);
    this.changed();
  }

  left(name: string) {
    this.rooms.delete(name);
    if (this.current === name) this.show(this.rooms.keys().next().value ?? null);
    else this.changed();
  }

  show(name: string | null) {
    this.current = name;
    if (this.room) this.room.unread = 0;
    this.changed();
  }

  /** Something happened in a room. */
  apply(name: string, change: (room: Room) => void) {
    const room = this.rooms.get(name);
    if (!room) return;
    if (room.early) return void room.early.push(change);
    change(room);
    this.changed();
  }

  memberJoined(name: string, user: string) {
    this.apply(name, (room) => room.members.add(user));
  }

  memberLeft(name: string, user: string) {
    this.apply(name, (room) => {
      room.members.delete(user);
      room.typing.delete(user);
    });
  }

  message(name: string, message: Message) {
    this.apply(name, (room) => {
      room.typing.delete(message.author);
      if (room.add(message) && name !== this.current) room.unread += 1;
    });
  }

  typing(name: string, user: string) {
    this.apply(name, (room) => {
      clearTimeout(room.typing.get(user));
      const forget = () => this.apply(name, (room) => room.typing.delete(user));
      room.typing.set(user, setTimeout(forget, TYPING));
    });
  }

  /** A message of this user, until the server has answered: `sent` or `failed`. */
  sending(name: string, author: string, text: string) {
    const draft: Draft = { author, text, time: Date.now(), pending: true };
    this.apply(name, (room) => room.drafts.add(draft));
    const done = (change: (room: Room) => void) => {
      this.apply(name, (room) => (room.drafts.delete(draft), change(room)));
    };
    return {
      sent: (message: Message) => done((room) => room.add(message)),
      failed: (error: string) => done((room) => room.drafts.add({ ...draft, pending: false, error })),
    };
  }

  dismiss(name: string, draft: Draft) {
    this.apply(name, (room) => room.drafts.delete(draft));
  }
}

export class Room {
  members = new Set<string>();
  /** In the order in which the server stored them. */
  messages: Message[] = [];
  /** Messages of this user that the server has not stored, or not yet. */
  readonly drafts = new Set<Draft>();
  /** Name -> the timer that ends it. */
  readonly typing = new Map<string, ReturnType<typeof setTimeout>>();
  unread = 0;
  /** While the answer to a join is on its way: what happens in the meantime. */
  early: ((room: Room) => void)[] | null = null;

  constructor(readonly name: string) {}

  /** Whether the message is new here. */
  add(message: Message): boolean {
    const before = this.messages.length;
    this.messages = merge(this.messages, [message]);
    return this.messages.length > before;
  }
}

/** Messages of both lists, each once, in order. Each server counts its own, and from 1 again when it was started again. */
function merge(a: Message[], b: Message[]): Message[] {
  const byKey = new Map([...a, ...b].map((message) => [`${message.time} ${message.id} ${message.author}`, message]));
  return [...byKey.values()].sort((x, y) => x.time - y.time || x.id - y.id || (x.author < y.author ? -1 : 1));
}
