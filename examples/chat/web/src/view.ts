// What the page shows. Reads the store, changes the DOM; texts are always set as text, never as HTML.

import type { State } from "./connection.js";
import type { Message } from "./socket.gen.js";
import type { Draft, Room, Store } from "./store.js";

/** What can be clicked. */
export interface Actions {
  show(room: string): void;
  join(room: string): void;
  retry(room: string, draft: Draft): void;
}

/** An element of `index.html`. */
export function $<T extends HTMLElement = HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
/** Messages of one author within this time are shown together, in milliseconds. */
const TOGETHER = 5 * 60_000;

function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  options: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(tag), options);
  made.append(...children);
  return made;
}

/** A colored initial. The name is always beside it. */
export function avatar(name: string): HTMLElement {
  let hue = 0;
  for (const char of name) hue = (hue * 31 + (char.codePointAt(0) ?? 0)) % 360;
  const made = element("span", { className: "avatar", ariaHidden: "true" }, ([...name][0] ?? "").toUpperCase());
  made.style.setProperty("--hue", String(hue));
  return made;
}

export function showLogin(error = "") {
  $("app").hidden = true;
  $("login").hidden = false;
  $<HTMLButtonElement>("login-button").disabled = false;
  $("login-error").textContent = error;
  $("name").setAttribute("aria-invalid", String(error !== ""));
  $("name").focus();
}

export function showApp(name: string) {
  if (!$("app").hidden) return;
  $("login").hidden = true;
  $("app").hidden = false;
  $("me").textContent = name;
  $("me-avatar").replaceChildren(avatar(name));
}

export function showConnection(state: State, transport = "") {
  const online = state === "online";
  const names: Record<string, string> = { polling: "HTTP long-polling", websocket: "WebSocket" };
  $("connection").dataset["state"] = state;
  $("connection").dataset["transport"] = transport;
  $("connection").textContent = online ? (names[transport] ?? transport) : "Connecting …";
  $<HTMLButtonElement>("send").disabled = !online;
}

/** The whole page, from the store. */
export function render(store: Store, me: string, actions: Actions) {
  renderRooms(store, actions);
  const { room } = store;
  $("room").hidden = !room;
  $("members-panel").hidden = !room;
  $("no-room").hidden = Boolean(room);
  document.title = title(store);
  if (!room) return;
  $("room-title").textContent = room.name;
  $("show-members").textContent = room.members.size === 1 ? "1 member" : `${room.members.size} members`;
  $<HTMLTextAreaElement>("text").placeholder = `Write to ${room.name}`;
  renderMessages(room, me, actions);
  renderMembers(room, me);
  $("typing").textContent = typing([...room.typing.keys()]);
}

function title(store: Store): string {
  const unread = [...store.rooms.values()].reduce((sum, room) => sum + room.unread, 0);
  return `${unread ? `(${unread}) ` : ""}${store.current ? `${store.current} · ` : ""}Chat`;
}

function typing(names: string[]): string {
  if (names.length === 0) return "";
  if (names.length > 3) return "Several people are typing …";
  return `${new Intl.ListFormat("en").format(names)} ${names.length === 1 ? "is" : "are"} typing …`;
}

function renderRooms(store: Store, actions: Actions) {
  const item = (name: string, { current = false, unread = 0, onclick }: Item) => {
    const members = store.list.get(name) ?? 0;
    const button = element("button", { className: "room-item", onclick }, element("span", { className: "room-name" }, name));
    button.dataset["room"] = name;
    if (current) button.ariaCurrent = "page";
    const count = unread ? `${unread} unread` : members === 1 ? "1 member" : `${members} members`;
    button.append(
      element("span", { className: unread ? "badge" : "count", ariaHidden: "true" }, String(unread || members)),
      element("span", { className: "visually-hidden" }, `, ${count}`),
    );
    return element("li", {}, button);
  };
  const joined = [...store.rooms.values()].sort((a, b) => a.name.localeCompare(b.name));
  const others = [...store.list.keys()].filter((name) => !store.rooms.has(name)).sort((a, b) => a.localeCompare(b));
  keepFocus($("rooms-panel"), () => {
    $("joined-rooms").replaceChildren(
      ...joined.map(({ name, unread }) => {
        return item(name, { current: name === store.current, unread, onclick: () => actions.show(name) });
      }),
    );
    $("other-rooms").replaceChildren(...others.map((name) => item(name, { onclick: () => actions.join(name) })));
  });
  $("no-other-rooms").hidden = others.length > 0;
}

/** How a room is shown in a list. */
interface Item {
  current?: boolean;
  unread?: number;
  onclick(): void;
}

/** Rebuilds a list without taking the focus away from the button of a room. */
function keepFocus(panel: HTMLElement, rebuild: () => void) {
  const active = document.activeElement;
  const focused = active instanceof HTMLElement && panel.contains(active) ? active.dataset["room"] : undefined;
  rebuild();
  if (focused === undefined) return;
  [...panel.querySelectorAll("button")].find((button) => button.dataset["room"] === focused)?.focus();
}

function renderMembers(room: Room, me: string) {
  const names = [...room.members].sort((a, b) => a.localeCompare(b));
  $("members-title").textContent = `Members (${names.length})`;
  $("members").replaceChildren(
    ...names.map((name) => {
      const label = element("span", { className: "member-name" }, name);
      const you = name === me ? [element("span", { className: "hint" }, "you")] : [];
      return element("li", {}, avatar(name), label, ...you);
    }),
  );
}

/** What each line of the list shows, to change only lines that differ: a screen reader reads out what is added. */
const drawn: { room: Room | null; lines: Line[] } = { room: null, lines: [] };
type Line = Message | Draft;

function renderMessages(room: Room, me: string, actions: Actions) {
  const list = $("messages");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  if (drawn.room !== room) {
    drawn.room = room;
    drawn.lines = [];
    list.replaceChildren();
  }
  const all: Line[] = [...room.messages, ...room.drafts];
  let common = 0;
  while (common < all.length && drawn.lines[common] === all[common]) common += 1;
  if (common < drawn.lines.length || common < all.length) {
    while (list.children.length > common) list.lastElementChild?.remove();
    list.append(...all.slice(common).map((message, at) => line(message, all[common + at - 1], room, me, actions)));
    drawn.lines = all;
    if (atEnd || common === 0) list.scrollTop = list.scrollHeight;
  }
}

function line(message: Line, before: Line | undefined, room: Room, me: string, actions: Actions): HTMLElement {
  const draft = "pending" in message ? message : undefined;
  const follows = before && before.author === message.author && message.time - before.time < TOGETHER;
  const state = draft?.error ? "failed" : draft?.pending ? "pending" : "";
  const className = ["message", follows && "follows", message.author === me && "mine", state].filter(Boolean).join(" ");
  const date = new Date(message.time);
  const head = element(
    "p",
    { className: follows ? "visually-hidden" : "message-head" },
    element("b", {}, message.author),
    element("time", { dateTime: date.toISOString(), title: date.toLocaleString() }, time.format(date)),
  );
  const body = element("div", { className: "message-body" }, head, element("p", { className: "message-text" }, message.text));
  if (draft?.error) {
    const retry = element("button", { className: "link", onclick: () => actions.retry(room.name, draft) }, "Try again");
    body.append(element("p", { className: "error" }, `Not sent: ${draft.error} `, retry));
  }
  const made = element("li", { className }, avatar(message.author), body);
  if ("id" in message) made.dataset["id"] = String(message.id);
  return made;
}
