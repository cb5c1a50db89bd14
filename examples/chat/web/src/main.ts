// The chat: connects what the user does, what the server says, and what is shown.

import { type Connection, connect, explain, granted, Refused } from "./connection.js";
import { type Draft, Store } from "./store.js";
import { $, render, showApp, showConnection, showLogin } from "./view.js";

const LOBBY = "lobby";
/** While somebody types, the others are told again after this time, in milliseconds. */
const TYPING_AGAIN = 2_000;

const input = (id: string) => $<HTMLInputElement>(id);
let chat: Chat | null = null;

/** Everything from the first attempt to log in to the log-out. */
class Chat {
  readonly store = new Store(() => this.draw());
  readonly connection: Connection;
  private name = "";
  private typedAt = 0;

  constructor() {
    this.connection = connect({
      state: showConnection,
      online: () => this.online(),
      refused: showLogin,
      events: {
        message: (room, message) => this.store.message(room, message),
        joined: (room, user) => this.store.memberJoined(room, user),
        left: (room, user) => this.store.memberLeft(room, user),
        typing: (room, user) => this.store.typing(room, user),
        roomChanged: (room) => this.store.roomChanged(room),
      },
    });
  }

  login(name: string) {
    this.name = name;
    this.connection.login(name);
  }

  /** To the server every connection is a new user: it is told again which rooms this one is in. */
  async online() {
    sessionStorage.setItem("name", this.name);
    showApp(this.name);
    const first = this.store.rooms.size === 0 && this.store.current === null;
    const rooms = first ? [LOBBY] : [...this.store.rooms.keys()];
    this.store.listing();
    const list = this.socket.emitWithAck("rooms").then((rooms) => this.store.listed(rooms), ignore);
    await Promise.all([list, ...rooms.map((room) => this.enter(room))]);
    if (first) this.show(LOBBY);
  }

  private get socket() {
    return this.connection.socket;
  }

  /** Joins a room. Gives what went wrong, for people. */
  async enter(room: string): Promise<string | undefined> {
    this.store.joining(room);
    try {
      this.store.joined(room, await granted(this.socket.emitWithAck("join", room)));
      return undefined;
    } catch (error) {
      // Without an answer there will be another connection, which asks again.
      if (error instanceof Refused) this.store.left(room);
      return error instanceof Refused ? error.message : explain();
    }
  }

  async join(name: string): Promise<boolean> {
    const room = name.trim();
    const error = this.store.rooms.has(room) ? "" : await this.enter(room);
    $("room-error").textContent = error ?? "";
    if (!error) this.show(room);
    return !error;
  }

  show(room: string) {
    openPanel(null);
    this.store.show(room);
    $("text").focus();
  }

  async leave(room: string) {
    try {
      await granted(this.socket.emitWithAck("leave", room));
    } catch (error) {
      if (!(error instanceof Refused)) return;
    }
    this.store.left(room);
  }

  async say(room: string, text: string) {
    this.typedAt = 0;
    const draft = this.store.sending(room, this.name, text);
    try {
      draft.sent(await granted(this.socket.emitWithAck("say", room, text)));
    } catch (error) {
      draft.failed(error instanceof Refused ? error.message : explain());
    }
  }

  retry(room: string, draft: Draft) {
    this.store.dismiss(room, draft);
    return this.say(room, draft.text);
  }

  typing() {
    const now = Date.now();
    const room = this.store.current;
    if (!this.socket.connected || room === null || now - this.typedAt < TYPING_AGAIN) return;
    this.typedAt = now;
    this.socket.emit("typing", room);
  }

  draw() {
    render(this.store, this.name, {
      show: (room) => this.show(room),
      join: (room) => this.join(room),
      retry: (room, draft) => this.retry(room, draft),
    });
  }

  close() {
    this.connection.close();
    chat = null;
    showLogin();
  }
}

const ignore = () => {};

/** On narrow screens one panel at most is shown over the room. */
function openPanel(panel: string | null) {
  for (const [button, id] of [["show-rooms", "rooms-panel"], ["show-members", "members-panel"]] as const) {
    const open = id === panel && !$(id).classList.contains("open");
    $(id).classList.toggle("open", open);
    $(button).setAttribute("aria-expanded", String(open));
  }
}

$("login-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const button = $<HTMLButtonElement>("login-button");
  if (button.disabled) return;
  button.disabled = true;
  $("login-error").textContent = "";
  chat ??= new Chat();
  chat.login(input("name").value.trim());
});

$("logout").addEventListener("click", () => chat?.close());
$("leave").addEventListener("click", () => {
  if (chat?.store.current) chat.leave(chat.store.current);
});
$("show-rooms").addEventListener("click", () => openPanel("rooms-panel"));
$("show-members").addEventListener("click", () => openPanel("members-panel"));
document.addEventListener("keydown", (event) => event.key === "Escape" && openPanel(null));

$("room-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (await chat?.join(input("room-name").value)) input("room-name").value = "";
});

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = input("text").value.trim();
  const room = chat?.store.current;
  if (!text || !room || !chat?.connection.socket.connected) return;
  input("text").value = "";
  fit();
  chat.say(room, text);
});

$("text").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $<HTMLFormElement>("composer").requestSubmit();
});

$("text").addEventListener("input", () => {
  fit();
  if (input("text").value) chat?.typing();
});

/** The field grows with its text; the style sheet limits it. */
function fit() {
  $("text").style.height = "auto";
  $("text").style.height = `${$("text").scrollHeight + 2}px`;
}

input("name").value = sessionStorage.getItem("name") ?? "";
showLogin();
