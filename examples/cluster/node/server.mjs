// The chat, in JavaScript: the official server with the official adapter, as one of the servers of the cluster. It keeps the
// contract of `examples/chat/src/contract.rs`, towards clients and towards the other servers.
//
//   node server.mjs --port N --redis URL
import { createAdapter } from "@socket.io/redis-adapter";
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { createClient } from "redis";
import { Server } from "socket.io";

const { values: options } = parseArgs({ options: { port: { type: "string", default: "0" }, redis: { type: "string" } } });
const [LOBBY, PREFIX, HISTORY, MAX_ROOMS, PATIENCE] = ["lobby", "room/", 50, 10, 1000];

const publisher = createClient({ url: options.redis });
const subscriber = publisher.duplicate();
for (const client of [publisher, subscriber]) client.on("error", (error) => console.error(`redis: ${error.message}`));
await Promise.all([publisher.connect(), subscriber.connect()]);

const http = createServer();
const io = new Server(http, { adapter: createAdapter(publisher, subscriber, { requestsTimeout: PATIENCE }) });
const chat = io.of("/chat");

// ---------------------------------------------------------------------------------------- what this server knows

/** The names of its users, in lower case, and whose they are. */
const names = new Map();
/** Rooms that somebody here is in -> their last messages, the oldest first. */
const rooms = new Map([[LOBBY, []]]);
let lastId = 0;

const order = (a, b) => a.time - b.time || a.id - b.id || (a.author < b.author ? -1 : 1);
const key = (message) => `${message.time} ${message.id} ${message.author}`;

/** Keeps messages once and in order, if somebody here is in the room. */
function remember(room, messages) {
  if (!rooms.has(room)) return [];
  const known = new Map([...rooms.get(room), ...messages].map((message) => [key(message), message]));
  rooms.set(room, [...known.values()].sort(order).slice(-HISTORY));
  return rooms.get(room);
}

// ---------------------------------------------------------------------------------------- the other servers

chat.on("said", (room, message) => void remember(room, [message]));
chat.on("history", (room, answer) => answer(rooms.get(room) ?? []));
chat.on("isTaken", (name, answer) => answer(names.has(name.toLowerCase())));

/** The answers of the others. Those that do not come in time are left out; the error has the rest. */
const ask = (...event) => chat.serverSideEmitWithAck(...event).catch((error) => error.responses ?? []);
/** Sockets on all servers. This adapter tells either of all or of none: then of those here. */
const everybody = (target) => target.fetchSockets().catch(() => target.local.fetchSockets());

const members = async (room) => {
  const there = await everybody(chat.in(PREFIX + room));
  return [...new Set(there.map((user) => user.data.name))].sort();
};

/** Tells everybody what the list of rooms shows. */
async function announce(room) {
  const count = (await members(room)).length;
  chat.emit("roomChanged", { name: room, members: count, closed: count === 0 && room !== LOBBY });
}

// ---------------------------------------------------------------------------------------- one user

const parse = (text) => {
  const name = typeof text === "string" ? text.trim() : "";
  return name && [...name].length <= 24 && !/\p{Cc}/u.test(name) ? name : undefined;
};
const ok = (data) => ({ ok: true, data });
const refuse = (code, rest) => ({ ok: false, error: { code, ...rest } });
const invalid = refuse("invalid", { reason: "that is no name of a room, or no text" });

chat.use(async (socket, next) => {
  const refused = (code, rest) => next(Object.assign(new Error("this name does not work"), { data: { code, ...rest } }));
  const name = parse(socket.handshake.auth.name);
  if (!name) return refused("nameEmpty");
  const seat = name.toLowerCase();
  if (names.has(seat)) return refused("nameTaken");
  names.set(seat, socket.id);
  socket.free = () => names.get(seat) === socket.id && names.delete(seat);
  // However it ends, also before it has begun.
  socket.conn.once("close", socket.free);
  const elsewhere = await ask("isTaken", name);
  if (elsewhere.includes(true)) return socket.free(), refused("nameTaken");
  socket.data.name = name;
  next();
});

chat.on("connection", (socket) => {
  const { name } = socket.data;
  const isIn = (room) => socket.rooms.has(PREFIX + room);
  const others = (room) => socket.to(PREFIX + room);

  const on = (event, handler) =>
    socket.on(event, async (...args) => {
      const answer = typeof args.at(-1) === "function" ? args.pop() : () => {};
      answer(await handler(...args));
    });

  /** Leaves a room; with the last one of this server, what was said there is forgotten here. */
  function part(room) {
    socket.leave(PREFIX + room);
    if (!chat.adapter.rooms.has(PREFIX + room) && room !== LOBBY) rooms.delete(room);
    others(room).emit("left", room, name);
    return announce(room);
  }

  on("rooms", async () => {
    const counts = new Map([[LOBBY, 0]]);
    for (const user of await everybody(chat)) {
      for (const room of user.rooms) {
        if (!room.startsWith(PREFIX)) continue;
        const found = room.slice(PREFIX.length);
        counts.set(found, (counts.get(found) ?? 0) + 1);
      }
    }
    return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, members]) => ({ name, members, closed: false }));
  });

  on("join", async (text) => {
    const room = parse(text);
    if (!room) return invalid;
    if (!isIn(room)) {
      if ([...socket.rooms].filter((room) => room.startsWith(PREFIX)).length >= MAX_ROOMS) {
        return refuse("tooManyRooms", { limit: MAX_ROOMS });
      }
      if (!rooms.has(room)) rooms.set(room, []);
      socket.join(PREFIX + room);
      others(room).emit("joined", room, name);
      await announce(room);
    }
    const [there, elsewhere] = await Promise.all([members(room), ask("history", room)]);
    return ok({ members: there, history: remember(room, elsewhere.flat()) });
  });

  on("leave", async (text) => {
    const room = parse(text);
    if (!room || !isIn(room)) return refuse("notInRoom");
    await part(room);
    return ok(null);
  });

  on("say", (where, text) => {
    const room = parse(where);
    if (!room || typeof text !== "string" || !text.trim() || [...text.trim()].length > 2000) return invalid;
    if (!isIn(room)) return refuse("notInRoom");
    const message = { id: ++lastId, author: name, text: text.trim(), time: Date.now() };
    remember(room, [message]);
    others(room).emit("message", room, message);
    chat.serverSideEmit("said", room, message);
    return ok(message);
  });

  on("typing", (where) => {
    const room = parse(where);
    if (room && isIn(room)) others(room).volatile.emit("typing", room, name);
  });

  socket.on("disconnecting", () => {
    for (const room of socket.rooms) if (room.startsWith(PREFIX)) void part(room.slice(PREFIX.length));
  });
  // The connection may outlive it, for another namespace.
  socket.on("disconnect", socket.free);
});

http.listen(Number(options.port), "127.0.0.1", () => console.log(`open http://127.0.0.1:${http.address().port}`));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => io.close(() => process.exit(0)));
