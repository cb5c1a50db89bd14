// The chat: connects what the user does, what the server says, and what is shown.

import { connect, explain } from "./connection.js";
import { Store } from "./store.js";
import { render, showApp, showConnection, showLogin } from "./view.js";

const LOBBY = "lobby";
/** While somebody types, the others are told again after this time, in milliseconds. */
const TYPING_AGAIN = 2_000;

const $ = (id) => document.getElementById(id);
let chat = null;

/** Everything from the first attempt to log in to the log-out. */
class Chat {
  constructor() {
    this.store = new Store(() => this.draw());
    this.typedAt = 0;
    this.connection = connect({
      state: showConnection,
      online: () => this.online(),
      refused: (error) => showLogin(error.data ? explain(error.data) : error.message),
      events: {
        message: (room, message) => this.store.message(room, message),
        joined: (room, user) => this.store.memberJoined(room, user),
        left: (room, user) => this.store.memberLeft(room, user),
        typing: (room, user) => this.store.typing(room, user),
        roomChanged: (room) => this.store.roomChanged(room),
      },
    });
  }

  login(name) {
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
    const list = this.connection.ask("rooms").then((rooms) => this.store.listed(rooms), ignore);
    await Promise.all([list, ...rooms.map((room) => this.enter(room))]);
    if (first) this.show(LOBBY);
  }

  /** Joins a room. Gives what went wrong, for people. */
  async enter(room) {
    this.store.joining(room);
    try {
      this.store.joined(room, await this.connection.ask("join", room));
    } catch (error) {
      // Without an answer there will be another connection, which asks again.
      if (error.data) this.store.left(room);
      return error.data ? error.message : explain();
    }
  }

  async join(name) {
    const room = name.trim();
    const error = this.store.rooms.has(room) ? "" : await this.enter(room);
    $("room-error").textContent = error ?? "";
    if (!error) this.show(room);
    return !error;
  }

  show(room) {
    openPanel(null);
    this.store.show(room);
    $("text").focus();
  }

  async leave(room) {
    try {
      await this.connection.ask("leave", room);
    } catch (error) {
      if (!error.data) return;
    }
    this.store.left(room);
  }

  async say(room, text) {
    this.typedAt = 0;
    const draft = this.store.sending(room, this.name, text);
    try {
      draft.sent(await this.connection.ask("say", room, text));
    } catch (error) {
      draft.failed(error.data ? error.message : explain());
    }
  }

  retry(room, draft) {
    this.store.dismiss(room, draft);
    return this.say(room, draft.text);
  }

  typing() {
    const now = Date.now();
    if (!this.connection.connected || !this.store.room || now - this.typedAt < TYPING_AGAIN) return;
    this.typedAt = now;
    this.connection.emit("typing", this.store.current);
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
function openPanel(panel) {
  for (const [button, id] of [["show-rooms", "rooms-panel"], ["show-members", "members-panel"]]) {
    const open = id === panel && !$(id).classList.contains("open");
    $(id).classList.toggle("open", open);
    $(button).setAttribute("aria-expanded", String(open));
  }
}

$("login-form").addEventListener("submit", (event) => {
  event.preventDefault();
  if ($("login-button").disabled) return;
  $("login-button").disabled = true;
  $("login-error").textContent = "";
  chat ??= new Chat();
  chat.login($("name").value.trim());
});

$("logout").addEventListener("click", () => chat?.close());
$("leave").addEventListener("click", () => chat?.leave(chat.store.current));
$("show-rooms").addEventListener("click", () => openPanel("rooms-panel"));
$("show-members").addEventListener("click", () => openPanel("members-panel"));
document.addEventListener("keydown", (event) => event.key === "Escape" && openPanel(null));

$("room-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (await chat?.join($("room-name").value)) $("room-name").value = "";
});

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text || !chat?.connection.connected) return;
  $("text").value = "";
  fit();
  chat.say(chat.store.current, text);
});

$("text").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("composer").requestSubmit();
});

$("text").addEventListener("input", () => {
  fit();
  if ($("text").value) chat?.typing();
});

/** The field grows with its text; the style sheet limits it. */
function fit() {
  $("text").style.height = "auto";
  $("text").style.height = `${$("text").scrollHeight + 2}px`;
}

$("name").value = sessionStorage.getItem("name") ?? "";
showLogin();
