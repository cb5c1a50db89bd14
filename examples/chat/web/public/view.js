// What the page shows. Reads the store, changes the DOM; texts are always set as text, never as HTML.

const $ = (id) => document.getElementById(id);
const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
/** Messages of one author within this time are shown together, in milliseconds. */
const TOGETHER = 5 * 60_000;

function element(tag, options = {}, ...children) {
  const { className, ...rest } = options;
  const made = Object.assign(document.createElement(tag), className ? { className } : {}, rest);
  made.append(...children);
  return made;
}

/** A colored initial. The name is always beside it. */
export function avatar(name) {
  let hue = 0;
  for (const char of name) hue = (hue * 31 + char.codePointAt(0)) % 360;
  const made = element("span", { className: "avatar", ariaHidden: "true" }, [...name][0].toUpperCase());
  made.style.setProperty("--hue", hue);
  return made;
}

export function showLogin(error = "") {
  $("app").hidden = true;
  $("login").hidden = false;
  $("login-button").disabled = false;
  $("login-error").textContent = error;
  $("name").setAttribute("aria-invalid", String(error !== ""));
  $("name").focus();
}

export function showApp(name) {
  if (!$("app").hidden) return;
  $("login").hidden = true;
  $("app").hidden = false;
  $("me").textContent = name;
  $("me-avatar").replaceChildren(avatar(name));
}

export function showConnection(state, transport) {
  const online = state === "online";
  const names = { polling: "HTTP long-polling", websocket: "WebSocket" };
  $("connection").dataset.state = state;
  $("connection").dataset.transport = transport ?? "";
  $("connection").textContent = online ? (names[transport] ?? transport) : "Connecting …";
  $("send").disabled = !online;
}

/** The whole page, from the store. `actions`: what can be clicked. */
export function render(store, me, actions) {
  renderRooms(store, actions);
  const { room } = store;
  $("room").hidden = !room;
  $("members-panel").hidden = !room;
  $("no-room").hidden = Boolean(room);
  document.title = title(store);
  if (!room) return;
  $("room-title").textContent = room.name;
  $("show-members").textContent = room.members.size === 1 ? "1 member" : `${room.members.size} members`;
  $("text").placeholder = `Write to ${room.name}`;
  renderMessages(room, me, actions);
  renderMembers(room, me);
  $("typing").textContent = typing([...room.typing.keys()]);
}

function title(store) {
  const unread = [...store.rooms.values()].reduce((sum, room) => sum + room.unread, 0);
  return `${unread ? `(${unread}) ` : ""}${store.current ? `${store.current} · ` : ""}Chat`;
}

function typing(names) {
  if (names.length === 0) return "";
  if (names.length > 3) return "Several people are typing …";
  return `${new Intl.ListFormat("en").format(names)} ${names.length === 1 ? "is" : "are"} typing …`;
}

function renderRooms(store, actions) {
  const item = (name, { current = false, unread = 0, onclick }) => {
    const members = store.list.get(name) ?? 0;
    const button = element("button", { className: "room-item", onclick }, element("span", { className: "room-name" }, name));
    button.dataset.room = name;
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

/** Rebuilds a list without taking the focus away from the button of a room. */
function keepFocus(panel, rebuild) {
  const focused = panel.contains(document.activeElement) ? document.activeElement.dataset.room : undefined;
  rebuild();
  if (focused === undefined) return;
  [...panel.querySelectorAll("button")].find((button) => button.dataset.room === focused)?.focus();
}

function renderMembers(room, me) {
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
const drawn = { room: null, lines: [] };

function renderMessages(room, me, actions) {
  const list = $("messages");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  if (drawn.room !== room) {
    drawn.room = room;
    drawn.lines = [];
    list.replaceChildren();
  }
  const all = [...room.messages, ...room.drafts];
  let common = 0;
  while (common < all.length && drawn.lines[common] === all[common]) common += 1;
  if (common < drawn.lines.length || common < all.length) {
    while (list.children.length > common) list.lastElementChild.remove();
    list.append(...all.slice(common).map((message, at) => line(message, all[common + at - 1], room, me, actions)));
    drawn.lines = all;
    if (atEnd || common === 0) list.scrollTop = list.scrollHeight;
  }
}

function line(message, before, room, me, actions) {
  const follows = before && before.author === message.author && message.time - before.time < TOGETHER;
  const state = message.error ? "failed" : message.pending ? "pending" : "";
  const className = ["message", follows && "follows", message.author === me && "mine", state].filter(Boolean).join(" ");
  const date = new Date(message.time);
  const head = element(
    "p",
    { className: follows ? "visually-hidden" : "message-head" },
    element("b", {}, message.author),
    element("time", { dateTime: date.toISOString(), title: date.toLocaleString() }, time.format(date)),
  );
  const body = element("div", { className: "message-body" }, head, element("p", { className: "message-text" }, message.text));
  if (message.error) {
    const retry = element("button", { className: "link", onclick: () => actions.retry(room.name, message) }, "Try again");
    body.append(element("p", { className: "error" }, `Not sent: ${message.error} `, retry));
  }
  const made = element("li", { className }, avatar(message.author), body);
  if (message.id) made.dataset.id = message.id;
  return made;
}
